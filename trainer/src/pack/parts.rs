//! What a layer of weighted sums gives to a file, by its form.

use anyhow::{Result, ensure};
use embedded_rnn::Kind as Code;
use embedded_rnn::format::{GO_BACKWARDS, LayerRecord, RETURN_SEQUENCES};

use super::form::{Activations, Packable, PackedLayout, Weights};
use super::layout::Sizes;
use crate::activation::Activation;
use crate::cells::{AnyCell, with_cells};
use crate::layers::{Dense, Recurrent};
use crate::tensor::Matrix;

/// A layer of weighted sums: rows for each gate and unit, over the input and, if recurrent, its own output.
pub struct Parts {
    pub form: &'static PackedLayout,
    pub weights: Weights,
    pub activations: Activations,
    flags: u8,
}

static DENSE: PackedLayout = PackedLayout::ungated(Code::Dense);

macro_rules! cells {
    ($($keras:literal $module:ident $cell:ident,)*) => {
        fn of_cell(cell: &AnyCell<f32>) -> (&'static PackedLayout, Weights, Activations) {
            match cell { $(AnyCell::$cell(cell) => (cell.form(), cell.weights(), cell.activations()),)* }
        }

        /// The form of the recurrent layers of this kind.
        pub fn form_of(kind: Code) -> Option<&'static PackedLayout> {
            $(
                if let Some(form) = crate::cells::$cell::FORMS.iter().find(|form| form.kind == kind) {
                    return Some(form);
                }
            )*
            None
        }

        /// The cell that has this form.
        pub fn cell_of(form: &'static PackedLayout, weights: Weights, activations: Activations) -> Option<AnyCell<f32>> {
            $(
                if crate::cells::$cell::FORMS.contains(form) {
                    return Some(AnyCell::$cell(Packable::from_file(form, weights, activations)));
                }
            )*
            None
        }
    };
}
with_cells!(cells);

impl Parts {
    /// Of a dense layer.
    pub fn dense(layer: &Dense<f32>) -> Self {
        let weights = Weights {
            w_ih: layer.weight.clone(),
            w_hh: Matrix::zeros(layer.weight.nrows(), 0),
            bias: layer.bias.clone(),
            recurrent_bias: Matrix::zeros(layer.weight.nrows(), 1),
        };
        let activations = Activations { value: layer.activation, recurrent: Activation::Linear };
        Self { form: &DENSE, weights, activations, flags: 0 }
    }

    /// Of a recurrent layer.
    pub fn recurrent(layer: &Recurrent<f32>) -> Self {
        let (form, weights, activations) = of_cell(&layer.cell);
        let flag = |is, flag| if is { flag } else { 0 };
        let flags = flag(layer.return_sequences, RETURN_SEQUENCES) | flag(layer.go_backwards, GO_BACKWARDS);
        Self { form, weights, activations, flags }
    }

    pub fn units(&self) -> usize {
        self.weights.bias.nrows() / self.form.gates.len()
    }

    pub fn sizes(&self) -> Sizes {
        let Weights { w_ih, w_hh, .. } = &self.weights;
        Sizes { units: self.units(), inputs: w_ih.ncols(), hidden: w_hh.ncols() }
    }

    /// The activation of a row.
    pub fn activation(&self, row: usize) -> Activation {
        self.form.activation(row / self.units(), self.activations)
    }

    /// Whether a row keeps its recurrent bias apart: the last gate's, where a section of panels says so.
    pub fn is_apart(&self, row: usize) -> bool {
        self.form.panels.iter().any(|section| {
            section.apart && section.gates.last().is_some_and(|&gate| row / self.units() == gate)
        })
    }

    /// The bias of a row: both of them, but where the recurrent one stays apart.
    pub fn bias(&self, row: usize) -> f32 {
        let recurrent = if self.is_apart(row) { 0.0 } else { self.weights.recurrent_bias[row] };
        self.weights.bias[row] + recurrent
    }

    /// What the weights and bias of a row are multiplied with.
    pub fn fold(&self, row: usize) -> f32 {
        self.activation(row).code().fold()
    }

    /// Refuses activations that the runtime does not have in this place: those over all units, but in Dense.
    pub fn check(&self) -> Result<()> {
        let Activations { value, recurrent } = self.activations;
        let refuse = |name, activation: Activation| {
            ensure!(
                activation.is_elementwise(),
                "{name} {}: only Dense can have it",
                activation.keras_name()
            );
            Ok(())
        };
        if self.form.kind != Code::Dense {
            refuse("activation", value)?;
        }
        refuse("recurrent_activation", recurrent)
    }

    /// The record of the layer, its scales still those of floats.
    pub fn record(&self) -> LayerRecord {
        let recurrent = if self.form.has_gates() { self.activations.recurrent.code() as u8 } else { 0 };
        LayerRecord {
            kind: self.form.kind as u8,
            activation: self.activations.value.code() as u8,
            recurrent_activation: recurrent,
            flags: self.flags,
            input_size: self.weights.w_ih.ncols() as u32,
            units: self.units() as u32,
            output_scale: 1.0,
            ..bytemuck::Zeroable::zeroed()
        }
    }
}
