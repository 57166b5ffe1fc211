//! Curves and bars, for a terminal and as SVG.

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::failure::{Failure, Kind};

/// Width and height of a chart in a terminal, in characters.
const COLUMNS: usize = 64;
const ROWS: usize = 8;
/// Eighths of a character, from the bottom.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One bar a line, for values from 0 to 1.
pub(crate) fn bars(values: &[(&str, f64)]) -> String {
    let bar = |(name, value): &(&str, f64)| {
        let length = (value.clamp(0.0, 1.0) * COLUMNS as f64 * 0.75).round() as usize;
        format!("  {name:<16} {value:.3} {}", "█".repeat(length))
    };
    values.iter().map(bar).collect::<Vec<_>>().join("\n")
}

/// A curve of means over as many parts as there are columns.
pub(crate) fn plot(values: &[f32]) -> String {
    let means = means(values, COLUMNS);
    let top = means.iter().copied().fold(0.0, f64::max);
    let row = |row: usize| {
        let column = |mean: &f64| {
            let eighths = if top > 0.0 { (mean / top * (8 * ROWS) as f64).round() } else { 0.0 };
            BLOCKS[(eighths as usize).saturating_sub(8 * row).min(8)]
        };
        let label = match row {
            row if row == ROWS - 1 => format!("{top:.2e}"),
            0 => "0".to_owned(),
            _ => String::new(),
        };
        format!("  {label:>8} │{}", means.iter().map(column).collect::<String>())
    };
    (0..ROWS).rev().map(row).collect::<Vec<_>>().join("\n")
}

/// The mean of the first tenth of the values, and of the last.
pub(crate) fn ends(values: &[f32]) -> (f64, f64) {
    let means = means(values, 10);
    (means.first().copied().unwrap_or(0.0), means.last().copied().unwrap_or(0.0))
}

/// The means of `count` parts of about the same length.
fn means(values: &[f32], count: usize) -> Vec<f64> {
    let count = count.min(values.len());
    let part = |index: usize| {
        let part = &values[index * values.len() / count..(index + 1) * values.len() / count];
        part.iter().copied().map(f64::from).sum::<f64>() / part.len() as f64
    };
    (0..count).map(part).collect()
}

/// One diagram of an SVG document: curves over steps.
#[derive(Debug)]
pub(crate) struct Panel {
    /// What the curves show.
    pub(crate) label: &'static str,
    /// The number that is always in sight, such as zero.
    pub(crate) baseline: f64,
    /// Where curves leave room for their names.
    pub(crate) legend: SeriesLabelPosition,
    pub(crate) curves: Vec<Line>,
}

/// A curve in a panel.
#[derive(Debug)]
pub(crate) struct Line {
    /// None where it needs no explanation.
    pub(crate) name: Option<&'static str>,
    pub(crate) color: (u8, u8, u8),
    pub(crate) width: u32,
    pub(crate) points: Vec<(f64, f64)>,
}

/// What single values and running means are drawn in.
pub(crate) const FAINT: (u8, u8, u8) = (170, 200, 230);
pub(crate) const STRONG: (u8, u8, u8) = (20, 70, 140);
/// What tells a second curve from the first.
pub(crate) const OTHER: (u8, u8, u8) = (190, 90, 20);

impl Panel {
    /// Values with their running mean.
    pub(crate) fn with_mean(label: &'static str, values: Vec<(f64, f64)>) -> Self {
        let mean = running_mean(&values);
        let curves = vec![
            Line { name: None, color: FAINT, width: 1, points: values },
            Line { name: Some("running mean"), color: STRONG, width: 2, points: mean },
        ];
        // Values that are positive, and about as large as each other, leave room above zero.
        Self { label, baseline: 0.0, legend: SeriesLabelPosition::LowerLeft, curves }
    }

    /// The least and the largest of all numbers of the curves.
    fn range(&self) -> (f64, f64) {
        let values = self.curves.iter().flat_map(|curve| &curve.points).map(|point| point.1);
        let range = values.fold((self.baseline, self.baseline), |(least, largest), value| {
            (least.min(value), largest.max(value))
        });
        let margin = (range.1 - range.0).max(f64::from(f32::MIN_POSITIVE)) * 0.05;
        let below = if range.0 < self.baseline { margin } else { 0.0 };
        (range.0 - below, range.1 + margin)
    }
}

/// Diagrams over the same steps, one below the other, as an SVG document.
pub(crate) fn svg(title: &str, panels: &[Panel]) -> Result<String, Failure> {
    let mut document = String::new();
    draw(title, panels, &mut document).map_err(|error| {
        Failure::new(Kind::File, anyhow::Error::msg(error.to_string()).context("cannot draw"))
    })?;
    Ok(document)
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn draw(title: &str, panels: &[Panel], document: &mut String) -> Drawn {
    const WIDTH: u32 = 960;
    const HEIGHT: u32 = 440;
    let height = 40 + HEIGHT * panels.len() as u32;
    let area = SVGBackend::with_string(document, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let area = area.titled(title, ("sans-serif", 20))?;
    let points = panels.iter().flat_map(|panel| &panel.curves).flat_map(|curve| &curve.points);
    let last = points.map(|point| point.0).fold(1.0, f64::max);
    for (panel, area) in panels.iter().zip(area.split_evenly((panels.len(), 1))) {
        draw_panel(panel, last, &area)?;
    }
    area.present()?;
    Ok(())
}

fn draw_panel(panel: &Panel, last: f64, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Drawn {
    let (least, largest) = panel.range();
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .x_label_area_size(36)
        .y_label_area_size(72)
        .build_cartesian_2d(0.0..last, least..largest)?;
    let number = |value: &f64| match value.abs() {
        value if value == 0.0 || (0.01..100.0).contains(&value) => format!("{:.2}", value),
        value => format!("{value:.1e}"),
    };
    let signed = |value: &f64| format!("{}{}", if *value < 0.0 { "-" } else { "" }, number(value));
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("step")
        .x_label_formatter(&|step| format!("{step:.0}"))
        .y_desc(panel.label)
        .y_label_formatter(&signed)
        .draw()?;
    for Line { name, color: (red, green, blue), width, points } in &panel.curves {
        let style = RGBColor(*red, *green, *blue).stroke_width(*width);
        let drawn = chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
        if let Some(name) = name {
            drawn.label(*name).legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
        }
    }
    let labels = &mut chart.configure_series_labels();
    labels.position(panel.legend.clone()).background_style(WHITE.mix(0.8)).draw()?;
    Ok(())
}

/// The mean of the last values at each one that has as many before it: a fiftieth of all.
pub(crate) fn running_mean(values: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let length = values.len().div_ceil(50).max(1);
    let mean = |window: &[(f64, f64)]| {
        let sum: f64 = window.iter().map(|point| point.1).sum();
        (window[length - 1].0, sum / length as f64)
    };
    values.windows(length).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_shows_rise_and_fall() {
        let values: Vec<f32> = (0..640).map(|step| 640.0 - step as f32).collect();
        let plot = plot(&values);
        let rows: Vec<&str> = plot.lines().collect();
        assert_eq!(rows.len(), ROWS);
        assert!(rows[0].starts_with("    6.36e2 │█"), "{plot}");
        assert!(rows[0].ends_with(' '), "{plot}");
        assert!(rows[ROWS - 1].chars().filter(|&character| character == '█').count() > 50);
    }

    #[test]
    fn few_values_and_zeros_are_drawn_too() {
        for values in [&[][..], &[0.0], &[0.0, 0.0], &[1.0]] {
            assert_eq!(plot(values).lines().count(), ROWS);
            let points = values.iter().map(|&value| (1.0, f64::from(value))).collect();
            let panels = [Panel::with_mean("loss", points)];
            assert!(svg("few", &panels).is_ok_and(|svg| svg.contains("</svg>")));
        }
    }

    #[test]
    fn the_ends_are_means_of_tenths() {
        let values: Vec<f32> = (0..100u8).map(f32::from).collect();
        assert_eq!(ends(&values), (4.5, 94.5));
        assert_eq!(ends(&[2.0]), (2.0, 2.0));
        assert_eq!(ends(&[]), (0.0, 0.0));
    }
}
