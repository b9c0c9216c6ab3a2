//! How a layer of weighted sums stands in a file: which kind it is, what its gates do, and where its rows lie.
//!
//! A cell says its forms in its own file; the packer, the reader and the quantizer know no more of it than that.

use embedded_rnn::Kind as Code;

use crate::activation::Activation;
use crate::tensor::Matrix;

/// How a layer stands in a file.
#[derive(Debug, PartialEq)]
pub struct PackedLayout {
    /// Its kind.
    pub kind: Code,
    /// What goes on in each gate, first to last.
    pub gates: &'static [Role],
    /// The sections of float panels, one after another.
    pub panels: &'static [Panels],
    /// The sections of integer blocks, one after another.
    pub blocks: &'static [Blocks],
}

/// What a gate is for, which says which of the layer's two activations it goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It lets through: `recurrent_activation`.
    Gate,
    /// It is a value: `activation`.
    Value,
}

/// Float panels: rows of these gates side by side.
#[derive(Debug, PartialEq)]
pub struct Panels {
    /// Which gates.
    pub gates: &'static [usize],
    /// Whether a second row of biases stands between the rows of x and those of h: the recurrent biases of the last gate.
    pub apart: bool,
}

/// Integer blocks: what each holds.
#[derive(Debug, PartialEq)]
pub enum Blocks {
    /// A unit: a row for each of four gates.
    Unit,
    /// Four units: their rows in each of these parts, one part after another.
    Quad(&'static [Part]),
}

/// The rows of one gate of four units.
#[derive(Debug, PartialEq)]
pub struct Part {
    /// Which gate.
    pub gate: usize,
    /// What the rows see.
    pub sides: Sides,
}

/// What rows see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// The input, and in a recurrent layer the output of the step before.
    All,
    /// The input only.
    Input,
    /// The output of the step before only; the biases are the recurrent ones that stay apart.
    Recurrent,
}

impl Part {
    /// Rows of `gate` that see everything.
    pub const fn all(gate: usize) -> Self {
        Self { gate, sides: Sides::All }
    }
}

impl Panels {
    /// Rows of `gates`.
    pub const fn of(gates: &'static [usize]) -> Self {
        Self { gates, apart: false }
    }
}

impl PackedLayout {
    /// A layer without gates.
    pub const fn ungated(kind: Code) -> Self {
        Self {
            kind,
            gates: &[Role::Value],
            panels: const { &[Panels::of(&[0])] },
            blocks: const { &[Blocks::Quad(&[Part::all(0)])] },
        }
    }

    /// The activation of a gate.
    pub fn activation(&self, gate: usize, activations: Activations) -> Activation {
        match self.gates[gate] {
            Role::Gate => activations.recurrent,
            Role::Value => activations.value,
        }
    }

    /// Whether some of its gates let through.
    pub fn has_gates(&self) -> bool {
        self.gates.contains(&Role::Gate)
    }

    /// Whether this gate lets through.
    pub fn lets_through(&self, gate: usize) -> bool {
        self.gates.get(gate) == Some(&Role::Gate)
    }
}

/// A layer's activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activations {
    /// `activation`
    pub value: Activation,
    /// `recurrent_activation`; of no account in a layer without gates.
    pub recurrent: Activation,
}

/// Keras's defaults.
impl Default for Activations {
    fn default() -> Self {
        Self { value: Activation::Tanh, recurrent: Activation::Sigmoid }
    }
}

/// A layer's weights, the rows gate by gate: `gate * units + unit`.
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

/// A cell that can stand in a file.
pub trait Packable: Sized {
    /// All forms that it can take.
    const FORMS: &'static [PackedLayout];

    /// The form of this one.
    fn form(&self) -> &'static PackedLayout {
        &Self::FORMS[0]
    }

    /// Its activations.
    fn activations(&self) -> Activations;

    /// Its weights.
    fn weights(&self) -> Weights;

    /// The cell of these, read from a file in which it had `form`.
    fn from_file(form: &PackedLayout, weights: Weights, activations: Activations) -> Self;
}
