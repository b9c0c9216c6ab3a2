//! The packed layout of a layer of weighted rows: its record kind, the role of each gate, and the order of
//! its rows in a file.
//!
//! A cell declares its layouts in its own file. Packing, reading back, quantization and the summary follow
//! from the layout alone, so none of them refers to a cell by name.

use embedded_rnn::Kind;

use crate::activation::Activation;
use crate::tensor::Matrix;

/// The layout of a layer in a model file.
#[derive(Debug, PartialEq)]
pub struct PackedLayout {
    /// The kind of its record.
    pub kind: Kind,
    /// Keras's name, with the difference from Keras's default where two layouts share a name.
    pub keras_name: &'static str,
    /// The role of each gate, in the order of the rows.
    pub gates: &'static [Role],
    /// The number of biases per row that Keras trains.
    pub biases: u64,
    /// `true` if the layer has a cell state in addition to its output.
    pub cell_state: bool,
    /// The sections of float panels, in file order.
    pub panels: &'static [Panels],
    /// The sections of integer blocks, in file order.
    pub blocks: &'static [Blocks],
}

/// The role of a gate, which selects one of the layer's two activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A factor between 0 and 1: `recurrent_activation`.
    Gate,
    /// A value: `activation`.
    Value,
}

/// A section of float panels: rows of these gates side by side.
#[derive(Debug, PartialEq)]
pub struct Panels {
    /// The gates of the section.
    pub gates: &'static [usize],
    /// `true` if a second row of biases stands between the rows of x and those of h: the recurrent biases of
    /// the last gate, which cannot be added to its input biases.
    pub separate_recurrent_bias: bool,
}

/// A section of integer blocks.
#[derive(Debug, PartialEq)]
pub enum Blocks {
    /// One unit per block: a row for each of four gates.
    Unit,
    /// Four units per block: their rows in each of these parts, one part after another.
    Quad(&'static [BlockPart]),
}

/// The rows of one gate of four units.
#[derive(Debug, PartialEq)]
pub struct BlockPart {
    /// The gate.
    pub gate: usize,
    /// The operands of the rows.
    pub sides: Sides,
}

/// The operands of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// The input, and in a recurrent layer the output of the previous time step.
    All,
    /// The input only.
    Input,
    /// The output of the previous time step only; the bias is the separate recurrent bias.
    Recurrent,
}

impl BlockPart {
    /// Rows of `gate` over all operands.
    pub const fn all(gate: usize) -> Self {
        Self { gate, sides: Sides::All }
    }
}

impl Panels {
    /// Rows of `gates` with one bias each.
    pub const fn of(gates: &'static [usize]) -> Self {
        Self { gates, separate_recurrent_bias: false }
    }
}

impl PackedLayout {
    /// A layer with one row per unit.
    pub const fn ungated(kind: Kind, keras_name: &'static str) -> Self {
        Self {
            kind,
            keras_name,
            gates: &[Role::Value],
            biases: 1,
            cell_state: false,
            panels: const { &[Panels::of(&[0])] },
            blocks: const { &[Blocks::Quad(&[BlockPart::all(0)])] },
        }
    }

    /// Returns the activation of a gate.
    pub fn activation(&self, gate: usize, activations: Activations) -> Activation {
        match self.gates[gate] {
            Role::Gate => activations.recurrent,
            Role::Value => activations.value,
        }
    }

    /// Returns `true` if some rows go through `recurrent_activation`.
    pub fn is_gated(&self) -> bool {
        self.gates.contains(&Role::Gate)
    }

    /// Returns `true` if the rows of this gate go through `recurrent_activation`.
    pub fn has_role_gate(&self, gate: usize) -> bool {
        self.gates.get(gate) == Some(&Role::Gate)
    }
}

/// The activations of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activations {
    /// `activation`
    pub value: Activation,
    /// `recurrent_activation`; unused in a layer without gates.
    pub recurrent: Activation,
}

/// Keras's defaults.
impl Default for Activations {
    fn default() -> Self {
        Self { value: Activation::Tanh, recurrent: Activation::Sigmoid }
    }
}

/// The weights of a layer, the rows gate by gate: `gate * units + unit`.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// `[gates * units x input]`.
    pub w_ih: Matrix<f32>,
    /// `[gates * units x units]`; no columns if the layer is not recurrent.
    pub w_hh: Matrix<f32>,
    /// `[gates * units x 1]`.
    pub bias: Matrix<f32>,
    /// `[gates * units x 1]`, of the recurrent side; zeros in layers that have none.
    pub recurrent_bias: Matrix<f32>,
}

/// A cell that a model file can hold.
pub trait Packable: Sized {
    /// All layouts of the cell.
    const LAYOUTS: &'static [PackedLayout];

    /// Returns the layout of this cell, which depends on its options.
    fn layout(&self) -> &'static PackedLayout {
        &Self::LAYOUTS[0]
    }

    /// Returns the activations.
    fn activations(&self) -> Activations;

    /// Returns a copy of the weights.
    fn weights(&self) -> Weights;

    /// Builds the cell from a file in which it had `layout`.
    fn from_packed(layout: &PackedLayout, weights: Weights, activations: Activations) -> Self;

    /// Returns the input weights and their biases, into which a preceding affine map is folded.
    fn input_weights_mut(&mut self) -> (&mut Matrix<f32>, &mut Matrix<f32>);
}
