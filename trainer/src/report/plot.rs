//! Curves over epochs, as inline SVG.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

/// A curve with a value for each epoch.
pub struct Curve<'a> {
    /// What the legend calls it.
    pub name: &'a str,
    /// The values.
    pub values: Vec<f64>,
}

/// Readable where the plot is as wide as the page.
const FONT: (&str, i32) = ("sans-serif", 14);
const COLOURS: [RGBColor; 2] = [RGBColor(33, 102, 172), RGBColor(217, 95, 2)];

/// Draws curves over the same epochs.
pub fn plot(curves: &[Curve]) -> Result<String> {
    let mut svg = String::new();
    // The drawing area reports errors that cannot outlive it.
    draw(curves, &mut svg).map_err(|error| anyhow!("report: {error}"))?;
    Ok(svg)
}

fn draw(curves: &[Curve], svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let all = || curves.iter().flat_map(|curve| &curve.values).copied();
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let margin = ((high - low) * 0.05).max(1e-6);
    let epochs = curves.iter().map(|curve| curve.values.len()).max().unwrap_or(0);
    let area = SVGBackend::with_string(svg, (800, 320)).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(1.0..epochs.max(2) as f64, low - margin..high + margin)?;
    let label = |epoch: &f64| format!("{epoch:.0}");
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .label_style(FONT)
        .x_desc("epoch")
        .x_label_formatter(&label)
        .draw()?;
    for (curve, colour) in curves.iter().zip(COLOURS) {
        let points = curve.values.iter().enumerate().map(|(k, &value)| ((k + 1) as f64, value));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .label_font(FONT)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}
