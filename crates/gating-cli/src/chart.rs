//! Curves and bars, for a terminal and as SVG.

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

/// A curve of values by step, with its running mean, as an SVG document.
pub(crate) fn svg(title: &str, values: &[f32]) -> Result<String, Failure> {
    let mut document = String::new();
    draw(title, values, &mut document).map_err(|error| {
        Failure::new(Kind::File, anyhow::Error::msg(error.to_string()).context("cannot draw"))
    })?;
    Ok(document)
}

fn draw(
    title: &str,
    values: &[f32],
    document: &mut String,
) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(document, (960, 480)).into_drawing_area();
    area.fill(&WHITE)?;
    let top = values.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 20))
        .margin(16)
        .x_label_area_size(36)
        .y_label_area_size(72)
        .build_cartesian_2d(0..values.len(), 0.0..top * 1.05)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("step")
        .y_desc("loss")
        .y_label_formatter(&|loss| format!("{loss:.1e}"))
        .draw()?;
    let points = values.iter().copied().enumerate();
    chart.draw_series(LineSeries::new(points, RGBColor(170, 200, 230)))?;
    let means = running_means(values, values.len().div_ceil(50));
    chart.draw_series(LineSeries::new(means, RGBColor(20, 70, 140).stroke_width(2)))?;
    area.present()?;
    Ok(())
}

/// The mean of the last `length` values at each step that has as many.
fn running_means(values: &[f32], length: usize) -> impl Iterator<Item = (usize, f32)> {
    let mean = move |window: &[f32]| window.iter().sum::<f32>() / length as f32;
    values
        .windows(length.max(1))
        .map(mean)
        .enumerate()
        .map(move |(at, mean)| (at + length - 1, mean))
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
            assert!(svg("few", values).is_ok_and(|svg| svg.contains("</svg>")));
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
