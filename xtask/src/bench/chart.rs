//! Charts that put devices side by side, as SVG.

use std::fmt::Write;

use super::estimates::Estimate;

/// Colors that people who see few of them can tell apart, by Okabe and Ito.
const COLORS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

const WIDTH: f64 = 760.0;
/// Where the axis begins and ends; sizes stand to the left of it.
const LEFT: f64 = 130.0;
const RIGHT: f64 = WIDTH - 40.0;
/// What the legend and the labels of the axis take.
const TOP: f64 = 64.0;
/// The height of a line, one for each device and size, and what lies between two sizes.
const LINE: f64 = 14.0;
const GAP: f64 = 10.0;

/// An axis of seconds on which every power of ten takes the same room.
#[derive(Debug)]
struct Axis {
    /// The powers of ten at its ends.
    first: i32,
    last: i32,
}

impl Axis {
    /// One that holds all these, which are positive.
    fn of(estimates: &[&Estimate]) -> Self {
        let least = estimates.iter().map(|it| it.spread.lower).fold(f64::INFINITY, f64::min);
        let most = estimates.iter().map(|it| it.spread.upper).fold(0.0, f64::max);
        let first = least.log10().floor() as i32;
        Self { first, last: (most.log10().ceil() as i32).max(first + 1) }
    }

    fn place(&self, seconds: f64) -> f64 {
        let share = (seconds.log10() - f64::from(self.first)) / f64::from(self.last - self.first);
        LEFT + share * (RIGHT - LEFT)
    }
}

/// The medians of a group, and the middle halves as lines through them, on an axis of powers of ten.
///
/// There must be at least one, and those of a size must follow each other.
pub(super) fn chart(estimates: &[&Estimate]) -> String {
    let sizes = distinct(estimates.iter().map(|estimate| estimate.size.as_str()));
    let devices = distinct(estimates.iter().map(|estimate| estimate.device.as_str()));
    let row = devices.len() as f64 * LINE + GAP;
    let bottom = TOP + sizes.len() as f64 * row;
    let axis = Axis::of(estimates);
    let mut svg = String::new();
    for (index, device) in devices.iter().enumerate() {
        let (x, color) = (LEFT + 130.0 * index as f64, color(index));
        push(&mut svg, &format!(r#"<circle cx="{x}" cy="20" r="5" fill="{color}"/>"#));
        push(&mut svg, &text(x + 10.0, 24.0, "start", device));
    }
    grid(&mut svg, &axis, bottom);
    for (index, size) in sizes.iter().enumerate() {
        let middle = TOP + (index as f64 + 0.5) * row - GAP / 2.0;
        push(&mut svg, &text(LEFT - 12.0, middle + 4.0, "end", size));
    }
    for estimate in estimates {
        let size = sizes.iter().position(|size| *size == estimate.size).unwrap_or(0);
        let device = devices.iter().position(|device| *device == estimate.device).unwrap_or(0);
        let y = TOP + size as f64 * row + (device as f64 + 0.5) * LINE;
        mark(&mut svg, &axis, estimate, y, color(device));
    }
    let height = bottom + 8.0;
    let group = escaped(&estimates[0].group);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<title>{group}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n{svg}</svg>\n"
    )
}

/// A line with a label at every power of ten.
fn grid(svg: &mut String, axis: &Axis, bottom: f64) {
    for power in axis.first..=axis.last {
        let x = axis.place(10_f64.powi(power));
        push(svg, &text(x, TOP - 12.0, "middle", &label(power)));
        let top = TOP - 6.0;
        let line = format!(r##"<path d="M{x:.1} {top}V{bottom}" stroke="#cccccc"/>"##);
        push(svg, &line);
    }
}

/// The median as a dot, and the middle half as a line.
fn mark(svg: &mut String, axis: &Axis, estimate: &Estimate, y: f64, color: &str) {
    let spread = estimate.spread;
    let [lower, median, upper] =
        [spread.lower, spread.median, spread.upper].map(|seconds| axis.place(seconds));
    let line = format!("M{lower:.1} {y}H{upper:.1}");
    push(svg, &format!(r#"<path d="{line}" stroke="{color}" stroke-width="3"/>"#));
    let id = escaped(&estimate.id());
    let dot = format!(r#"<circle cx="{median:.1}" cy="{y}" r="5" fill="{color}">"#);
    push(svg, &format!("{dot}<title>{id}</title></circle>"));
}

fn push(svg: &mut String, element: &str) {
    writeln!(svg, "{element}").expect("a text takes every line");
}

fn text(x: f64, y: f64, anchor: &str, text: &str) -> String {
    let text = escaped(text);
    format!(r#"<text x="{x:.1}" y="{y}" text-anchor="{anchor}">{text}</text>"#)
}

fn color(index: usize) -> &'static str {
    COLORS[index % COLORS.len()]
}

/// A power of ten in seconds.
fn label(power: i32) -> String {
    let (unit, zero) = match power {
        0.. => ("s", 0),
        -3..0 => ("ms", -3),
        -6..-3 => ("µs", -6),
        _ => ("ns", -9),
    };
    format!("{} {unit}", 10_f64.powi(power - zero))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Every text once, in the order of their first places.
pub(super) fn distinct<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for text in texts {
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::statistics::Spread;
    use super::*;

    fn estimate(device: &str, size: &str, [lower, median, upper]: [f64; 3]) -> Estimate {
        let [group, device, size] = ["score", device, size].map(str::to_owned);
        Estimate { group, device, size, spread: Spread { lower, median, upper } }
    }

    #[test]
    fn every_power_of_ten_takes_the_same_room() {
        let estimates = [
            estimate("cpu", "256x384", [0.002, 0.003, 0.004]),
            estimate("cpu", "1024x384", [0.1, 0.2, 0.9]),
        ];
        let axis = Axis::of(&estimates.iter().collect::<Vec<_>>());
        assert_eq!((axis.first, axis.last), (-3, 0));
        assert_eq!((axis.place(0.001), axis.place(1.0)), (LEFT, RIGHT));
        let third = (RIGHT - LEFT) / 3.0;
        assert!((axis.place(0.01) - LEFT - third).abs() < 1e-9);
        assert!((axis.place(0.1) - LEFT - 2.0 * third).abs() < 1e-9);
    }

    #[test]
    fn powers_of_ten_have_units() {
        let check = |power: i32, expected: &str| assert_eq!(label(power), expected);
        check(1, "10 s");
        check(0, "1 s");
        check(-1, "100 ms");
        check(-3, "1 ms");
        check(-4, "100 µs");
        check(-7, "100 ns");
    }

    #[test]
    fn each_device_has_a_color_and_each_size_a_line() {
        let estimates = [
            estimate("cpu", "256x384", [0.001, 0.002, 0.003]),
            estimate("wgpu:0", "256x384", [0.01, 0.02, 0.03]),
            estimate("wgpu:0", "a<b", [0.1, 0.2, 0.3]),
        ];
        let svg = chart(&estimates.iter().collect::<Vec<_>>());
        // A dot for each, and one for each device of the legend.
        let count = |text: &str| svg.matches(text).count();
        assert_eq!([count("<circle"), count(COLORS[0]), count(COLORS[1])], [5, 3, 5]);
        assert_eq!([count(">cpu<"), count(">wgpu:0<"), count(">256x384<")], [1, 1, 1]);
        assert_eq!(count("a<b"), 0);
        assert_eq!(count(">a&lt;b<"), 1);
    }
}
