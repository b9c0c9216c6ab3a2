//! Weighted rows in integers: 8-bit weights with one scale per row, and the proof that no sum overflows.

use anyhow::{Context, Result, ensure};
use embedded_rnn::format::{
    Activation as ActivationCode, CELL_LIMIT, LINEAR_FRAC, MAX_CELL_FRAC, PRE_FRAC, SEPARATE_SCALES,
    WIDE_FRAC, min_cell_frac,
};

use super::layout::Sides;
use super::order::{IntRow, int_words};
use super::row::{Operand, Row};
use super::units::{BIAS_LIMIT, HEADROOM, full_scale};
use super::{DenseParts, PackedLayer, Site};
use crate::activation::Activation;
use crate::tensor::Matrix;

/// The growth of the variance of the weights' errors from which on the input and the state of a layer have
/// scales of their own: their common errors are then eight times as large.
const SEPARATE_FROM: f64 = 64.0;
/// The argument from which on a bounded activation is as good as flat.
const FLAT_FROM: f64 = 4.0;

/// Quantizes a layer of weighted rows whose output has the unit `unit`. Pre-activations that are too large
/// for 16 fraction bits get 12 where they go through a table, which saturates long before.
///
/// # Errors
/// Weights, biases or pre-activations that no unit brings within 32 bits.
pub fn int_rows(p: &DenseParts, site: Site<'_>, unit: f64, name: &str) -> Result<PackedLayer<i32>> {
    rows_with(p, site, unit, name, PRE_FRAC).or_else(|narrow| {
        let mut packed = rows_with(p, site, unit, name, WIDE_FRAC).map_err(|_| narrow)?;
        widen(&mut packed.record.activation);
        widen(&mut packed.record.recurrent_activation);
        Ok(packed)
    })
}

/// Replaces the code of an activation by that for wide pre-activations, where there is one.
fn widen(code: &mut u8) {
    const WIDE: [(ActivationCode, ActivationCode); 2] = [
        (ActivationCode::Tanh, ActivationCode::TanhWide),
        (ActivationCode::Sigmoid, ActivationCode::SigmoidWide),
    ];
    if let Some((_, wide)) = WIDE.iter().find(|(narrow, _)| *narrow as u8 == *code) {
        *code = *wide as u8;
    }
}

fn rows_with(
    p: &DenseParts,
    site: Site<'_>,
    unit: f64,
    name: &str,
    table_frac: u32,
) -> Result<PackedLayer<i32>> {
    let rows = Rows { p, site, unit, table_frac };
    let mut record = p.record();
    record.output_scale = unit as f32;
    record.frac = site.frac as u8;
    if p.layout.cell_state {
        let every_second = site.ranges.states.iter().skip(1).step_by(2);
        record.cell_frac = cell_frac(every_second.fold(0.0, |a, &b| a.max(b)), p, unit, site.frac)?;
    }
    rows.check_finite()?;
    let separate = rows.need_separate_scales();
    if separate {
        record.flags |= SEPARATE_SCALES;
    }
    let words = int_words(p.layout, p.units(), separate, &mut |row, sides| rows.quantized(row, sides))?;
    Ok(PackedLayer::new(record, words, name))
}

/// The rows of a layer to be quantized.
struct Rows<'a> {
    p: &'a DenseParts,
    site: Site<'a>,
    /// The real value of one unit of the layer's output.
    unit: f64,
    /// Fraction bits of a pre-activation that goes through a table.
    table_frac: u32,
}

impl Rows<'_> {
    fn check_finite(&self) -> Result<()> {
        let weights = &self.p.weights;
        for row in 0..weights.bias.nrows() {
            let finite = |w: &Matrix<f32>| w.row(row).iter().all(|w| w.is_finite());
            ensure!(finite(&weights.w_ih) && finite(&weights.w_hh), "a weight of row {row} is not finite");
        }
        Ok(())
    }

    /// Returns the units of a pre-activation per real unit.
    fn per_unit(&self, row: usize) -> f64 {
        let head = self.site.head && self.p.sizes().hidden == 0;
        match self.p.activation(row) {
            Activation::Tanh | Activation::Sigmoid => 2f64.powi(self.table_frac as i32),
            Activation::Linear | Activation::Relu if head => 1.0 / self.unit,
            // The full scale is `2^frac` units.
            Activation::Linear | Activation::Relu => {
                2f64.powi(LINEAR_FRAC as i32 - self.site.frac as i32) / self.unit
            }
            _ => 2f64.powi(PRE_FRAC as i32),
        }
    }

    /// Returns `true` if the pre-activation of a row stands for the middle of its step, where rounding down
    /// is rounding to the nearest: in a table that is not wide.
    fn stands_for_middle(&self, row: usize) -> bool {
        let table = matches!(self.p.activation(row), Activation::Tanh | Activation::Sigmoid);
        table && self.table_frac == PRE_FRAC
    }

    /// Returns the operands of a row, its weights in units of the pre-activation for one unit of an
    /// activation.
    fn operands(&self, row: usize, sides: Sides) -> Vec<Operand> {
        let p = self.p;
        let operand = |w: &Matrix<f32>, unit: f64, frac: u32| {
            let bound = 1.0 / full_scale(frac);
            let factor = f64::from(p.fold(row)) * unit * self.per_unit(row);
            Operand { weights: w.row(row).iter().map(|&w| f64::from(w) * factor).collect(), bound }
        };
        let input = || operand(&p.weights.w_ih, self.site.unit, self.site.input_frac);
        let state = || operand(&p.weights.w_hh, self.unit, self.site.frac);
        match sides {
            Sides::All if p.sizes().hidden == 0 => vec![input()],
            Sides::All => vec![input(), state()],
            Sides::Input => vec![input()],
            Sides::Recurrent => vec![state()],
        }
    }

    /// Returns a row with its bias. Of two parts that are added, the second is rounded to the nearest.
    fn row(&self, row: usize, sides: Sides) -> Row {
        let p = self.p;
        let bias = match sides {
            Sides::All | Sides::Input => p.bias(row),
            Sides::Recurrent if p.has_separate_recurrent_bias(row) => p.weights.recurrent_bias[row],
            Sides::Recurrent => 0.0,
        };
        let bias = f64::from(bias) * f64::from(p.fold(row)) * self.per_unit(row);
        let down = self.stands_for_middle(row) && sides != Sides::Recurrent;
        let flat_from = match p.activation(row) {
            Activation::Linear | Activation::Relu | Activation::Softmax => f64::INFINITY,
            _ => FLAT_FROM * f64::from(p.fold(row)) * self.per_unit(row),
        };
        Row { operands: self.operands(row, sides), bias, nearest: if down { 0.0 } else { 0.5 }, flat_from }
    }

    /// Quantizes a row over these sides.
    fn quantized(&self, row: usize, sides: Sides) -> Result<IntRow> {
        let found = self.row(row, sides);
        let real = |value: f64| value / (self.per_unit(row) * f64::from(self.p.fold(row)));
        ensure!(found.bias.abs() < BIAS_LIMIT, "bias {} of row {row} is out of range", real(found.bias));
        found.quantized().with_context(|| {
            let largest = real(found.reach());
            format!("weights times activations of row {row} reach {largest:e}: no scale fits")
        })
    }

    /// Returns `true` if input and state get separate scales: if a common one would make the errors of the
    /// weights much larger, or, where separate scales are allowed, if it is twice as large as that of one of
    /// them.
    fn need_separate_scales(&self) -> bool {
        if self.p.sizes().hidden == 0 {
            return false;
        }
        let rows = 0..self.p.weights.bias.nrows();
        let variance = |sides: &[Sides]| -> f64 {
            let rows = rows.clone().flat_map(|row| {
                sides.iter().map(move |&sides| self.row(row, sides).variance() / self.per_unit(row).powi(2))
            });
            rows.sum()
        };
        let growth = |side: Sides| -> f64 {
            let growth = rows
                .clone()
                .map(|row| (self.row(row, Sides::All).unit() / self.row(row, side).unit()).log2());
            growth.sum::<f64>() / rows.len() as f64
        };
        variance(&[Sides::All]) > SEPARATE_FROM * variance(&[Sides::Input, Sides::Recurrent])
            || self.site.separate && growth(Sides::Input).max(growth(Sides::Recurrent)) > 1.0
    }
}

/// Returns the fraction bits of a cell state that reaches `range`, with room above it. Its unit is the full
/// scale of `unit`, of which it has `2^frac`.
fn cell_frac(range: f32, p: &DenseParts, unit: f64, frac: u32) -> Result<u8> {
    let full_scales = f64::from(range) * full_scale(frac) / unit;
    let bits = (f64::from(CELL_LIMIT) / (full_scales.max(1e-30) * HEADROOM)).log2().floor();
    let least = f64::from(min_cell_frac(p.activations.value.code() as u8));
    ensure!(bits >= least, "the cell state reaches {range}; an integer cell state ends at 2,048");
    Ok(bits.min(f64::from(MAX_CELL_FRAC)) as u8)
}
