//! Forecasts of a series: a window of values is the input, the next value the output.
//!
//! Training works best with targets of a magnitude near 1, so the targets are scaled by the statistics of the
//! values before the split alone. Afterwards the scale is folded into the network, whose output is then in
//! the unit of the series.

mod comparison;

pub use comparison::{Comparison, Errors, Row};

use anyhow::{Result, bail, ensure};
use jiff::civil::Date;

use crate::data::{Array, Data, Dataset, MOST_VALUES, Series, Values};
use crate::layers::Kind;
use crate::net::Network;

/// The windows into which a series is cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Windows {
    /// The first date of the test part; neither training nor the scale uses values from this date on.
    pub split_date: Date,
    /// The number of values from which the next one is forecast.
    pub window: usize,
    /// `true` if the changes replace the values: a growing series leaves the range of the training part, its
    /// changes do not.
    pub difference: bool,
}

/// The data that a forecast is compared with, in addition to the training windows.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The windows of the test part, in the unit of the series.
    pub test: Dataset,
    /// The description of the forecast values, with their dates.
    pub what: String,
    /// The errors of simple forecasts on the test part.
    pub simple: Vec<Row>,
    /// The sentence for the user if the dates of the series are spaced unequally.
    pub unequal: Option<String>,
    /// The scale of the targets.
    scale: Scale,
}

/// The scale of targets: the network is trained on `(target - offset) / unit`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scale {
    offset: f64,
    /// A power of two, so that it changes no bit of a weight except its exponent.
    unit: f64,
}

impl Windows {
    /// Cuts a series into windows and the values after them, for the training part and the test part. Their
    /// targets are scaled; those of the test part in the returned forecast are not.
    pub fn cut(&self, series: &Series) -> Result<(Data, Forecast)> {
        let tested = self.tested(series)?;
        let steps = self.steps(series);
        ensure!(steps.len() as u128 * self.window as u128 <= MOST_VALUES, "more than 2^29 values in windows");
        let (trained, all) = (steps.len() - self.window - tested, steps.len() - self.window);

        let targets = &steps[self.window..];
        let scale = Scale::measure(&targets[..trained]);
        let scaled: Vec<f64> = targets.iter().map(|target| (target - scale.offset) / scale.unit).collect();
        let part = |windows: std::ops::Range<usize>, targets: &[f64], names| {
            let x = windows.clone().flat_map(|first| &steps[first..first + self.window]);
            let x = array(&[windows.len(), self.window, 1], x);
            Dataset::from_arrays(x, None, array(&[windows.len(), 1], &targets[windows]), names)
        };
        let train = part(0..trained, &scaled, ["x_train", "y_train"])?;
        let test = |targets| part(trained..all, targets, ["x_test", "y_test"]);
        let data = Data { train, validation: None, test: Some(test(&scaled)?), labels: Vec::new() };
        let (what, simple) = (self.what(series, tested), simple(&series.values, tested));
        let unequal = series.unequal.clone();
        Ok((data, Forecast { test: test(targets)?, what, simple, unequal, scale }))
    }

    /// Returns the number of rows of the test part; rejects a split that leaves too few rows of either part.
    fn tested(&self, series: &Series) -> Result<usize> {
        let (rows, date) = (series.values.len(), self.split_date);
        let split = series.dates.partition_point(|other| *other < date);
        let (Some(first), Some(last)) = (series.dates.first(), series.dates.last()) else { bail!("no rows") };
        ensure!(
            split > 0 && split < rows,
            "data.split_date: {date} is not after the first date, {first}, and not beyond the last, {last}"
        );
        // Scaling needs two windows with the values after them.
        let needed = self.window + 2 + usize::from(self.difference);
        ensure!(
            split >= needed,
            "{split} rows before {date} are too few for data.window = {}: it needs {needed}",
            self.window
        );
        Ok(rows - split)
    }

    /// Returns the values, or the changes from each to the next.
    fn steps(&self, series: &Series) -> Vec<f64> {
        if self.difference { changes(&series.values) } else { series.values.clone() }
    }

    fn what(&self, series: &Series, tested: usize) -> String {
        let dates = &series.dates[series.dates.len() - tested..];
        let of = if self.difference { "the changes of " } else { "" };
        format!("{of}{}, {tested} from {} to {}", series.name, dates[0], dates[tested - 1])
    }
}

fn changes(values: &[f64]) -> Vec<f64> {
    values.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn array<'a>(shape: &[usize], values: impl IntoIterator<Item = &'a f64>) -> Array {
    let values = values.into_iter().map(|&value| value as f32).collect();
    Array { shape: shape.to_vec(), values: Values::Floats(values) }
}

/// Returns the errors of simple forecasts of the last `tested` values: one repeats the last value, the other
/// the last change. They are the same whether the values or their changes are forecast.
fn simple(values: &[f64], tested: usize) -> Vec<Row> {
    let changes = changes(values);
    let errors = |all: &[f64]| Errors::of(&all[all.len() - tested..]);
    let rows = [("last-value", errors(&changes)), ("last-change", errors(&self::changes(&changes)))];
    rows.map(|(name, errors)| (name.to_owned(), errors)).to_vec()
}

impl Scale {
    /// Measures the mean, and the power of two that is nearest to the standard deviation; 1 for constant
    /// values.
    fn measure(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let offset = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - offset).powi(2)).sum::<f64>() / count;
        // The unit must be a power of two as an f32 as well.
        let exponent = (variance.log2() / 2.0).round().clamp(-100.0, 100.0);
        Self { offset, unit: if variance > 0.0 { exponent.exp2() } else { 1.0 } }
    }
}

impl Forecast {
    /// Folds the scale into the last layer: `unit (W x + b) + offset` is a Dense layer too.
    pub fn fold(&self, network: &mut Network<f32>) -> Result<()> {
        let Some(Kind::Dense(last)) = network.layers.last_mut().map(|layer| &mut layer.kind) else {
            bail!("a forecast must end in a Dense layer")
        };
        let Scale { offset, unit } = self.scale;
        last.weight *= unit as f32;
        last.bias.iter_mut().for_each(|bias| *bias = (f64::from(*bias) * unit + offset) as f32);
        Ok(())
    }

    /// Describes the scaling of the targets in training.
    pub fn scaling(&self) -> String {
        format!("targets less {:.6}, divided by {}", self.scale.offset, self.scale.unit)
    }
}

#[cfg(test)]
mod tests;
