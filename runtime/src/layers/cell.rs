//! What cells with gates do to their sums: Keras's defaults, tanh and sigmoid, or what the record says.
//!
//! The two are told apart once a step, outside of all loops, and a build whose models have no others links the defaults
//! only.

use crate::activation::int::{LINEAR_FRAC, PRE_FRAC};
use crate::activation::{float, int};
use crate::format::features::OTHER_ACTIVATIONS;
use crate::format::{Activation, LayerRecord};
use crate::isa::{Float, Int};

/// What the value of a cell can go through, the candidate and in an LSTM the cell state, in integers.
pub const INT_VALUES: &[Activation] = &[
    Activation::Tanh,
    Activation::Relu,
    Activation::Linear,
    Activation::Sigmoid,
    Activation::TanhWide,
    Activation::SigmoidWide,
];
/// What its gates can go through in integers.
pub const INT_GATES: &[Activation] =
    &[Activation::Sigmoid, Activation::HardSigmoid, Activation::HardSigmoidKeras1, Activation::SigmoidWide];

/// The activations of a cell in a build of the features `F`; `OTHER` says whether they can be others than tanh and sigmoid.
#[derive(Clone, Copy)]
pub struct Activations<const F: u32, const OTHER: bool> {
    value: u8,
    gate: u8,
}

/// Whether the activations of a cell with gates are tanh and sigmoid.
#[inline(always)]
pub fn has_defaults(record: &LayerRecord) -> bool {
    let defaults = (Activation::Tanh as u8, Activation::Sigmoid as u8);
    (record.activation, record.recurrent_activation) == defaults
}

/// Whether the cell has other activations than tanh and sigmoid, in a build that has them.
#[inline(always)]
pub fn is_other<const F: u32>(record: &LayerRecord) -> bool {
    F & OTHER_ACTIVATIONS != 0 && !has_defaults(record)
}

impl<const F: u32, const OTHER: bool> Activations<F, OTHER> {
    /// Those that the record says.
    #[inline(always)]
    pub fn of(record: &LayerRecord) -> Self {
        Self { value: record.activation, gate: record.recurrent_activation }
    }

    /// A gate, given its folded pre-activation (FORMAT.md).
    #[inline(always)]
    pub fn gate<S: Float>(self, isa: S, v: S::V) -> S::V {
        if OTHER { float::activate::<S, F>(isa, self.gate, v) } else { float::sigmoid_of_half(isa, v) }
    }

    /// A candidate, given its folded pre-activation.
    #[inline(always)]
    pub fn value<S: Float>(self, isa: S, v: S::V) -> S::V {
        if OTHER { float::activate::<S, F>(isa, self.value, v) } else { isa.tanh(v) }
    }

    /// The activated cell state.
    #[inline(always)]
    pub fn of_state<S: Float>(self, isa: S, c: S::V) -> S::V {
        let folded = if OTHER { isa.mul(c, isa.splat(float::fold(self.value))) } else { c };
        self.value(isa, folded)
    }

    /// `t` of a gate `1/2 + t/2`, 31 fraction bits, given its pre-activation.
    #[inline(always)]
    pub fn gate_i32<S: Int>(self, isa: S, p: S::W) -> S::W {
        match Activation::from_code(self.gate) {
            Some(Activation::HardSigmoid | Activation::HardSigmoidKeras1) if OTHER => int::hard(isa, p),
            Some(Activation::SigmoidWide) if OTHER => isa.tanh_i32(int::narrowed(isa, p)),
            _ => isa.tanh_i32(p),
        }
    }

    /// A candidate given its pre-activation; 31 fraction bits of the cell's unit.
    #[inline(always)]
    pub fn value_i32<S: Int>(self, isa: S, p: S::W) -> S::W {
        match Activation::from_code(self.value) {
            Some(Activation::TanhWide | Activation::SigmoidWide) if OTHER => {
                self.of_argument(isa, int::narrowed(isa, p))
            }
            _ => self.of_argument(isa, p),
        }
    }

    /// The same of an argument that is not wide.
    #[inline(always)]
    fn of_argument<S: Int>(self, isa: S, p: S::W) -> S::W {
        match Activation::from_code(self.value) {
            Some(Activation::Relu) if OTHER => int::ranged(isa, p, 0),
            Some(Activation::Linear) if OTHER => int::ranged(isa, p, -int::RANGE),
            Some(Activation::Sigmoid | Activation::SigmoidWide) if OTHER => {
                isa.clamp(int::sigmoid_of_half(isa, p), 0, int::VALUE_LIMIT)
            }
            _ => isa.tanh_i32(p),
        }
    }

    /// The activated cell state of `frac` fraction bits, in the same unit.
    #[inline(always)]
    pub fn of_state_i32<S: Int>(self, isa: S, c: S::W, frac: u32) -> S::W {
        let kept = match Activation::from_code(self.value) {
            Some(Activation::Relu | Activation::Linear) if OTHER => int::UNIT_FRAC + LINEAR_FRAC,
            Some(Activation::Sigmoid | Activation::SigmoidWide) if OTHER => PRE_FRAC - 1,
            _ => PRE_FRAC,
        };
        self.of_argument(isa, isa.shr(c, frac.wrapping_sub(kept)))
    }
}

/// Calls `step` with its last parameters: the features, and what [`is_other`] says of the record.
macro_rules! by_activations {
    ($features:ident, $record:expr, $step:ident::<$($parameter:ident),+>($($argument:expr),+ $(,)?)) => {
        if $crate::layers::cell::is_other::<$features>($record) {
            $step::<$($parameter,)+ $features, true>($($argument),+)
        } else {
            $step::<$($parameter,)+ $features, false>($($argument),+)
        }
    };
}
pub(super) use by_activations;
