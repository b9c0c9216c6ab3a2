//! The weights and options of a layer of weighted rows, ready for either kind of weights.

use anyhow::{Result, ensure};
use embedded_rnn::format::LayerRecord;

use super::layout::{Activations, PackedLayout, Weights};
use crate::activation::Activation;

/// The sizes of a layer of weighted rows.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// The number of outputs.
    pub units: usize,
    /// The number of inputs.
    pub inputs: usize,
    /// `units` in recurrent layers, else 0.
    pub hidden: usize,
}

/// A layer of weighted rows: one row per gate and unit, over the input and, if it is recurrent, its own
/// output.
pub struct DenseParts {
    /// The layout of the rows.
    pub layout: &'static PackedLayout,
    /// The weights.
    pub weights: Weights,
    /// The activations.
    pub activations: Activations,
    /// The flags of the record.
    pub flags: u8,
}

impl DenseParts {
    /// Returns the number of units.
    pub fn units(&self) -> usize {
        self.weights.bias.nrows() / self.layout.gates.len()
    }

    /// Returns the sizes.
    pub fn sizes(&self) -> Sizes {
        let Weights { w_ih, w_hh, .. } = &self.weights;
        Sizes { units: self.units(), inputs: w_ih.ncols(), hidden: w_hh.ncols() }
    }

    /// Returns the activation of a row.
    pub fn activation(&self, row: usize) -> Activation {
        self.layout.activation(row / self.units(), self.activations)
    }

    /// Returns `true` if the recurrent bias of a row stays separate: that of the last gate, where a section
    /// of panels has it.
    pub fn has_separate_recurrent_bias(&self, row: usize) -> bool {
        self.layout.panels.iter().any(|section| {
            section.separate_recurrent_bias
                && section.gates.last().is_some_and(|&gate| row / self.units() == gate)
        })
    }

    /// Returns the bias of a row: the sum of both biases, unless the recurrent one stays separate.
    pub fn bias(&self, row: usize) -> f32 {
        let separate = self.has_separate_recurrent_bias(row);
        self.weights.bias[row] + if separate { 0.0 } else { self.weights.recurrent_bias[row] }
    }

    /// Returns the factor of the weights and the bias of a row in a file.
    pub fn fold(&self, row: usize) -> f32 {
        self.activation(row).code().fold()
    }

    /// Rejects activations that only Dense can have: those over all units, and other parameters than the
    /// default ones.
    ///
    /// # Errors
    /// The option, and its activation.
    pub fn check_of_cell(&self) -> Result<()> {
        let Activations { value, recurrent } = self.activations;
        for (option, activation) in [("activation", value), ("recurrent_activation", recurrent)] {
            ensure!(
                activation.is_elementwise() && activation.own_parameter().is_none(),
                "{option} {activation}: only Dense can have it"
            );
        }
        Ok(())
    }

    /// Returns the record of the layer in floats.
    pub fn record(&self) -> LayerRecord {
        let recurrent = if self.layout.is_gated() { self.activations.recurrent.code() as u8 } else { 0 };
        LayerRecord {
            kind: self.layout.kind as u8,
            activation: self.activations.value.code() as u8,
            activation_parameter: self.activations.value.own_parameter().unwrap_or(0.0),
            recurrent_activation: recurrent,
            flags: self.flags,
            input_size: self.weights.w_ih.ncols() as u32,
            units: self.units() as u32,
            output_scale: 1.0,
            ..bytemuck::Zeroable::zeroed()
        }
    }
}
