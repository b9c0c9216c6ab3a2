//! Activations in `f32`, over any instruction set.

mod extended;

use extended::extended;

use crate::format::feature_bits::EXTENDED_ACTIVATIONS;
use crate::format::{Activation, LANES, LayerRecord};
use crate::isa::Float;

/// Computes `sigmoid(x) = 1/2 + tanh(x/2)/2`, given `x/2`; never outside 0..=1; NaN stays NaN.
///
/// Worst absolute error over every `f32` 1.8e-7 fused, 2.2e-7 with separate roundings: half of tanh's, and
/// one more rounding. The relative error has no bound: sigmoid(-20) is 2e-9 and 0 here, as in every
/// implementation by tanh.
#[inline(always)]
pub fn sigmoid_of_half<S: Float>(isa: S, half_x: S::V) -> S::V {
    let half = isa.splat(0.5);
    isa.mul_add(isa.tanh(half_x), half, half)
}

/// Computes `clip(v + 1/2, 0, 1)`; NaN stays NaN.
#[inline(always)]
fn hard_sigmoid<S: Float>(isa: S, v: S::V) -> S::V {
    let one = isa.splat(1.0);
    isa.max(isa.splat(0.0), isa.min(one, isa.mul_add(v, one, isa.splat(0.5))))
}

/// Returns [`Activation::fold`] of the activation with this code.
#[inline(always)]
pub fn fold(activation: u8) -> f32 {
    Activation::from_code(activation).map_or(1.0, Activation::fold)
}

/// An activation of single units, with its parameter.
#[derive(Clone, Copy)]
pub struct Function {
    /// The code of the [`Activation`].
    pub code: u8,
    /// [`LayerRecord::activation_parameter`].
    parameter: f32,
}

impl Function {
    /// Returns the function that the record names as its activation.
    #[inline(always)]
    pub fn of(record: &LayerRecord) -> Self {
        Self { code: record.activation, parameter: record.activation_parameter }
    }

    /// Returns the function with this code and the default parameter.
    #[inline(always)]
    pub fn from_code(code: u8) -> Self {
        Self { code, parameter: 0.0 }
    }
}

/// Computes the activation of single units from folded pre-activations. A softmax, which is over all units,
/// comes after. `F` is the set of features that the build contains.
#[inline(always)]
pub fn activate<S: Float, const F: u32>(isa: S, function: Function, v: S::V) -> S::V {
    activate_each::<S, F, false>(isa, function, v)
}

/// Computes [`activate`] in a cell with gates, which contains it many times.
#[inline(always)]
pub fn activate_in_cell<S: Float, const F: u32>(isa: S, code: u8, v: S::V) -> S::V {
    activate_each::<S, F, true>(isa, Function::from_code(code), v)
}

#[inline(always)]
fn activate_each<S: Float, const F: u32, const IN_CELL: bool>(isa: S, function: Function, v: S::V) -> S::V {
    match Activation::from_code(function.code) {
        Some(Activation::Relu) => isa.max(isa.splat(0.0), v),
        Some(Activation::Tanh) => isa.tanh(v),
        Some(Activation::Sigmoid) => sigmoid_of_half(isa, v),
        Some(Activation::HardSigmoid | Activation::HardSigmoidKeras1) => hard_sigmoid(isa, v),
        Some(activation) if F & EXTENDED_ACTIVATIONS != 0 => {
            if IN_CELL {
                extended_apart(isa, activation, function.parameter, v)
            } else {
                each_extended(isa, activation, function.parameter, v)
            }
        }
        _ => v,
    }
}

/// Computes [`each_extended`]; a function on WebAssembly, where a module with all layers and dtypes is
/// fetched.
#[cfg_attr(target_arch = "wasm32", inline(never))]
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
fn extended_apart<S: Float>(isa: S, activation: Activation, parameter: f32, v: S::V) -> S::V {
    each_extended(isa, activation, parameter, v)
}

/// Computes an extended activation value by value.
#[inline(always)]
fn each_extended<S: Float>(isa: S, activation: Activation, parameter: f32, v: S::V) -> S::V {
    let mut values = [0.0; LANES];
    isa.store(v, &mut values, 0);
    for value in values.iter_mut().take(S::WIDTH) {
        *value = extended(activation, parameter, *value);
    }
    isa.load(&values, 0)
}

/// Computes an activation over all units of a layer, in place. `F` is the set of features that the build
/// contains.
#[inline(always)]
pub fn normalize<const F: u32>(activation: u8, x: &mut [f32]) {
    match Activation::from_code(activation) {
        Some(Activation::Softmax) => softmax(x),
        Some(Activation::LogSoftmax) if F & EXTENDED_ACTIVATIONS != 0 => log_softmax(x),
        _ => {}
    }
}

/// Returns the largest value; NaN is ignored.
fn max(x: &[f32]) -> f32 {
    x.iter().fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a })
}

/// Computes `x_i - max - log sum_j exp(x_j - max)` in place; the same bits on every target.
fn log_softmax(x: &mut [f32]) {
    let max = max(x);
    let sum = x.iter().fold(0.0, |sum, v| sum + libm::expf(v - max));
    let log = libm::logf(sum);
    x.iter_mut().for_each(|v| *v = *v - max - log);
}

/// Computes `exp(x_i - max) / sum_j exp(x_j - max)` in place; the same bits on every target.
pub fn softmax(x: &mut [f32]) {
    let max = max(x);
    let mut sum = 0.0;
    for v in x.iter_mut() {
        *v = libm::expf(*v - max);
        sum += *v;
    }
    for v in x.iter_mut() {
        *v /= sum;
    }
}

#[cfg(all(test, feature = "std"))]
mod tests;
