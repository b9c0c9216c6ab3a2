//! The activations of cells with gates: Keras's defaults, tanh and sigmoid, or those that the record names.
//!
//! The two cases are distinguished once per step, outside of all loops, and a build whose models use the
//! defaults only links nothing else.

use crate::activation::float;
use crate::activation::int;
use crate::format::feature_bits::NON_DEFAULT_ACTIVATIONS;
use crate::format::{Activation, LINEAR_FRAC, LayerRecord, PRE_FRAC};
use crate::isa::{Float, Int};

/// Activations that the value of an integer cell can have: the candidate, and in an LSTM the cell state.
pub const INT_VALUES: &[Activation] = &[
    Activation::Tanh,
    Activation::Relu,
    Activation::Linear,
    Activation::Sigmoid,
    Activation::TanhWide,
    Activation::SigmoidWide,
];
/// Activations that the gates of an integer cell can have.
pub const INT_GATES: &[Activation] =
    &[Activation::Sigmoid, Activation::HardSigmoid, Activation::HardSigmoidKeras1, Activation::SigmoidWide];

/// The activations of a cell in a build of the features `F`; they are tanh and sigmoid unless `NON_DEFAULT`.
#[derive(Clone, Copy)]
pub struct Activations<const F: u32, const NON_DEFAULT: bool> {
    value: u8,
    gate: u8,
}

/// Returns `true` if the activations of a cell with gates are tanh and sigmoid.
#[inline(always)]
pub fn has_defaults(record: &LayerRecord) -> bool {
    let defaults = (Activation::Tanh as u8, Activation::Sigmoid as u8);
    (record.activation, record.recurrent_activation) == defaults
}

/// Returns `true` if the cell has other activations than tanh and sigmoid, in a build that contains them.
#[inline(always)]
pub fn has_non_default<const F: u32>(record: &LayerRecord) -> bool {
    F & NON_DEFAULT_ACTIVATIONS != 0 && !has_defaults(record)
}

impl<const F: u32, const NON_DEFAULT: bool> Activations<F, NON_DEFAULT> {
    /// Returns the activations that the record names.
    #[inline(always)]
    pub fn of(record: &LayerRecord) -> Self {
        Self { value: record.activation, gate: record.recurrent_activation }
    }

    /// Computes a gate, given its folded pre-activation (FORMAT.md).
    #[inline(always)]
    pub fn gate<S: Float>(self, isa: S, v: S::V) -> S::V {
        if NON_DEFAULT {
            float::activate_in_cell::<S, F>(isa, self.gate, v)
        } else {
            float::sigmoid_of_half(isa, v)
        }
    }

    /// Computes a candidate, given its folded pre-activation.
    #[inline(always)]
    pub fn value<S: Float>(self, isa: S, v: S::V) -> S::V {
        if NON_DEFAULT { float::activate_in_cell::<S, F>(isa, self.value, v) } else { isa.tanh(v) }
    }

    /// Computes two gates, given their folded pre-activations.
    #[inline(always)]
    pub fn two_gates<S: Float>(self, isa: S, a: S::V, b: S::V) -> (S::V, S::V) {
        if NON_DEFAULT {
            return (self.gate(isa, a), self.gate(isa, b));
        }
        let (half, (a, b)) = (isa.splat(0.5), isa.two_tanh(a, b));
        (isa.mul_add(a, half, half), isa.mul_add(b, half, half)) // sigmoid(v) = 1/2 + tanh(v/2)/2
    }

    /// Computes a candidate and a gate, given their folded pre-activations.
    #[inline(always)]
    pub fn value_and_gate<S: Float>(self, isa: S, value: S::V, gate: S::V) -> (S::V, S::V) {
        if NON_DEFAULT {
            return (self.value(isa, value), self.gate(isa, gate));
        }
        let (half, (value, gate)) = (isa.splat(0.5), isa.two_tanh(value, gate));
        (value, isa.mul_add(gate, half, half))
    }

    /// Computes the activated cell state.
    #[inline(always)]
    pub fn of_state<S: Float>(self, isa: S, c: S::V) -> S::V {
        let folded = if NON_DEFAULT { isa.mul(c, isa.splat(float::fold(self.value))) } else { c };
        self.value(isa, folded)
    }

    /// Computes `t` of a gate `1/2 + t/2`, 31 fraction bits, given its pre-activation.
    #[inline(always)]
    pub fn gate_i32<S: Int>(self, isa: S, p: S::W) -> S::W {
        match Activation::from_code(self.gate) {
            Some(Activation::HardSigmoid | Activation::HardSigmoidKeras1) if NON_DEFAULT => int::hard(isa, p),
            Some(Activation::SigmoidWide) if NON_DEFAULT => isa.tanh_i32(int::narrowed(isa, p)),
            _ => isa.tanh_i32(p),
        }
    }

    /// Computes [`gate_i32`](Self::gate_i32) of the first, second and last, and of the third
    /// [`value_i32`](Self::value_i32).
    #[inline(always)]
    pub fn lstm_i32<S: Int>(self, isa: S, [i, f, g, o]: [S::W; 4]) -> [S::W; 4] {
        if NON_DEFAULT {
            let (i, f, o) = (self.gate_i32(isa, i), self.gate_i32(isa, f), self.gate_i32(isa, o));
            [i, f, self.value_i32(isa, g), o]
        } else {
            isa.tanh_each_i32([i, f, g, o])
        }
    }

    /// Computes [`gate_i32`](Self::gate_i32) of the first and [`value_i32`](Self::value_i32) of the second.
    #[inline(always)]
    pub fn gate_and_value_i32<S: Int>(self, isa: S, [z, n]: [S::W; 2]) -> [S::W; 2] {
        if NON_DEFAULT { [self.gate_i32(isa, z), self.value_i32(isa, n)] } else { isa.tanh_each_i32([z, n]) }
    }

    /// Computes a candidate, given its pre-activation; 31 fraction bits of the cell's unit.
    #[inline(always)]
    pub fn value_i32<S: Int>(self, isa: S, p: S::W) -> S::W {
        match Activation::from_code(self.value) {
            Some(Activation::TanhWide | Activation::SigmoidWide) if NON_DEFAULT => {
                self.of_argument(isa, int::narrowed(isa, p))
            }
            _ => self.of_argument(isa, p),
        }
    }

    /// Computes a candidate, given its pre-activation with [`PRE_FRAC`] fraction bits.
    #[inline(always)]
    fn of_argument<S: Int>(self, isa: S, p: S::W) -> S::W {
        match Activation::from_code(self.value) {
            Some(Activation::Relu) if NON_DEFAULT => int::ranged(isa, p, 0),
            Some(Activation::Linear) if NON_DEFAULT => int::ranged(isa, p, -int::RANGE),
            Some(Activation::Sigmoid | Activation::SigmoidWide) if NON_DEFAULT => {
                isa.clamp(int::sigmoid_of_half(isa, p), 0, int::VALUE_LIMIT)
            }
            _ => isa.tanh_i32(p),
        }
    }

    /// Computes the activated cell state, given the state with `frac` fraction bits; in the unit of a
    /// candidate.
    #[inline(always)]
    pub fn of_state_i32<S: Int>(self, isa: S, c: S::W, frac: u32) -> S::W {
        let kept = match Activation::from_code(self.value) {
            Some(Activation::Relu | Activation::Linear) if NON_DEFAULT => LINEAR_FRAC,
            Some(Activation::Sigmoid | Activation::SigmoidWide) if NON_DEFAULT => PRE_FRAC - 1,
            _ => PRE_FRAC,
        };
        self.of_argument(isa, isa.shr(c, frac.wrapping_sub(kept)))
    }
}

/// Calls a function with two more parameters at the end: the features, and [`has_non_default`] of the record.
macro_rules! by_activations {
    ($features:ident, $record:expr, $forward:ident::<$($parameter:ident),+>($($argument:expr),+ $(,)?)) => {
        if $crate::layers::cell::has_non_default::<$features>($record) {
            $forward::<$($parameter,)+ $features, true>($($argument),+)
        } else {
            $forward::<$($parameter,)+ $features, false>($($argument),+)
        }
    };
}
pub(super) use by_activations;
