//! Curves over epochs, as inline SVG. The style of the page replaces the colors in the SVG by its own.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::html::escape;

/// A curve with a value for each epoch.
pub struct Curve<'a> {
    /// The name in the legend.
    pub name: &'a str,
    /// The value of each epoch.
    pub values: Vec<f64>,
}

/// Width and height in pixels, small enough that a phone shows the labels at nearly their size.
const SIZE: (u32, u32) = (440, 270);
/// 13 pixels: plotters divides font sizes by 1.24 before it writes them into the SVG.
const FONT: (&str, f64) = ("sans-serif", 13.0 * 1.24);
const COLORS: [RGBColor; 2] = [RGBColor(33, 102, 172), RGBColor(217, 95, 2)];

/// Draws curves over the same epochs, with the legend between the title and the plot.
pub fn figure(title: &str, curves: &[Curve<'_>]) -> Result<String> {
    let mut svg = String::new();
    // The errors borrow from the drawing area.
    draw(curves, &mut svg).map_err(|error| anyhow!("report: {error}"))?;
    let key = |curve: &Curve<'_>| {
        let last = curve.values.last().map_or(String::new(), |value| format!(" {value:.4}"));
        format!("<span><i></i>{}{last}</span>", escape(curve.name))
    };
    let legend: String = curves.iter().map(key).collect();
    Ok(format!(
        "<figure class=\"card\"><h3>{}</h3><figcaption>{legend}</figcaption>{svg}</figure>\n",
        escape(title)
    ))
}

fn draw(curves: &[Curve<'_>], svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let all = || curves.iter().flat_map(|curve| &curve.values).copied();
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let margin = ((high - low) * 0.05).max(1e-6);
    let epochs = curves.iter().map(|curve| curve.values.len()).max().unwrap_or(0);
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin(10)
        .x_label_area_size(42)
        .y_label_area_size(55)
        .build_cartesian_2d(1..epochs.max(2), low - margin..high + margin)?;
    let places = decimals(high - low + 2.0 * margin);
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .label_style(FONT)
        .x_desc("epoch")
        .x_labels(8)
        .y_labels(6)
        .y_label_formatter(&|value| format!("{value:.places$}"))
        .draw()?;
    for (curve, color) in curves.iter().zip(COLORS) {
        let points = || curve.values.iter().enumerate().map(|(k, &value)| (k + 1, value));
        chart.draw_series(LineSeries::new(points(), color.stroke_width(2)))?;
        // A line of a single point is invisible.
        let dots = points().filter(|_| curve.values.len() == 1);
        chart.draw_series(dots.map(|point| Circle::new(point, 4, color.filled())))?;
    }
    area.present()?;
    Ok(())
}

/// Draws ROC curves, each with the name of its model and its points, from (0, 0) to (1, 1).
pub fn roc_figure(curves: &[(&str, Vec<(f64, f64)>)]) -> Result<String> {
    let mut svg = String::new();
    draw_roc(curves, &mut svg).map_err(|error| anyhow!("report: {error}"))?;
    let key = |(name, _): &(&str, _)| format!("<span><i></i>{}</span>", escape(name));
    let legend: String = curves.iter().map(key).collect();
    Ok(format!("<figure class=\"card\"><h3>ROC curve</h3><figcaption>{legend}</figcaption>{svg}</figure>\n"))
}

fn draw_roc(curves: &[(&str, Vec<(f64, f64)>)], svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin(10)
        .x_label_area_size(42)
        .y_label_area_size(55)
        .build_cartesian_2d(-0.02..1.02, -0.02..1.02)?;
    let label = |value: &f64| format!("{value:.1}");
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .label_style(FONT)
        .x_desc("false positive rate")
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .draw()?;
    for ((_, points), color) in curves.iter().zip(COLORS) {
        chart.draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)))?;
    }
    area.present()?;
    Ok(())
}

/// Returns the decimal places that distinguish about ten ticks over `range`.
fn decimals(range: f64) -> usize {
    (1.0 - range.log10()).ceil().clamp(0.0, 9.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the labels of the ticks of both axes, without the name of the x axis.
    fn ticks(values: &[f64]) -> Vec<String> {
        let figure = figure("t", &[Curve { name: "c", values: values.to_vec() }]).unwrap();
        let texts = figure.split("<text").skip(1);
        let inside =
            |text: &str| text.split('>').nth(1).unwrap().split('<').next().unwrap().trim().to_owned();
        texts.map(inside).filter(|text| text != "epoch").collect()
    }

    #[test]
    fn tick_labels_differ_over_any_range() {
        for values in [&[0.5][..], &[0.9, 0.91], &[1e-5, 3e-5, 2e-5], &[7e6, 2e3], &[0.0, 0.0], &[0.3; 200]] {
            let ticks = ticks(values);
            assert!(ticks.len() > 3, "{ticks:?}");
            let (epochs, rest): (Vec<&String>, Vec<&String>) =
                ticks.iter().partition(|tick| !tick.contains('.') && tick.len() < 4);
            for axis in [epochs, rest] {
                assert!(axis.iter().enumerate().all(|(k, tick)| !axis[..k].contains(tick)), "{axis:?}");
            }
        }
    }
}
