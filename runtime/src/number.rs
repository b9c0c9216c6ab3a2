//! The kinds of numbers a model can be made of, as types.

use crate::format::DType;
use crate::isa::FloatWeight;
use crate::layers::Dispatch;
use bytemuck::Pod;
use half::f16;

/// A kind of numbers: [`F32`], [`F16`] or [`I8`]. `Model<N>` links the code of one kind only.
pub trait Number: Dispatch + Copy + 'static {
    /// A value of the input.
    type In: Pod;
    /// A value of the output.
    type Out: Pod + PartialEq;
    /// An activation between layers.
    type Act: Pod;
    /// A weight as it lies in the file; integer weights are words of four.
    type Weight: Pod;
    /// The word that memory is made of, four bytes.
    type Word: Pod;
    /// Its code in the file.
    const DTYPE: DType;

    /// Writes activations as outputs, as many as `out` has room for.
    #[doc(hidden)]
    fn widen(acts: &[Self::Act], out: &mut [Self::Word]);
    /// Words of memory as outputs.
    #[doc(hidden)]
    fn outputs(words: &[Self::Word]) -> &[Self::Out];
    /// Inputs as the first layer takes them.
    #[doc(hidden)]
    fn acts(input: &[Self::In]) -> &[Self::Act];
    /// Whether an output is the golden one, to within `tolerance`.
    #[doc(hidden)]
    fn agrees(found: Self::Out, golden: Self::Out, tolerance: f32) -> bool;
}

/// Weights, state and arithmetic in `f32`.
#[derive(Debug, Clone, Copy)]
pub struct F32;

/// Weights in IEEE 754 binary16, state and arithmetic in `f32`: half of the flash for an error of 2^-12 in each weight.
#[derive(Debug, Clone, Copy)]
pub struct F16;

/// Weights `i8` with a scale per row, activations `i16`, sums `i32`; no float in a step, the same bits everywhere.
#[derive(Debug, Clone, Copy)]
pub struct I8;

/// Numbers whose state and arithmetic are `f32`, whatever their weights are.
pub trait FloatNumber: Number<In = f32, Out = f32, Act = f32, Word = f32, Weight: FloatWeight> {}
impl<N: Number<In = f32, Out = f32, Act = f32, Word = f32, Weight: FloatWeight>> FloatNumber for N {}

macro_rules! float_number {
    ($number:ident, $weight:ty) => {
        impl Number for $number {
            type In = f32;
            type Out = f32;
            type Act = f32;
            type Weight = $weight;
            type Word = f32;
            const DTYPE: DType = DType::$number;

            #[inline(always)]
            fn widen(acts: &[f32], out: &mut [f32]) {
                for (out, &act) in out.iter_mut().zip(acts) {
                    *out = act;
                }
            }
            #[inline(always)]
            fn outputs(words: &[f32]) -> &[f32] {
                words
            }
            #[inline(always)]
            fn acts(input: &[f32]) -> &[f32] {
                input
            }
            fn agrees(found: f32, golden: f32, tolerance: f32) -> bool {
                (found - golden).abs() <= tolerance
            }
        }
    };
}
float_number!(F32, f32);
float_number!(F16, f16);

impl Number for I8 {
    type In = i16;
    type Out = i32;
    type Act = i16;
    type Weight = i32;
    type Word = i32;
    const DTYPE: DType = DType::I8;

    #[inline(always)]
    fn widen(acts: &[i16], out: &mut [i32]) {
        for (out, &act) in out.iter_mut().zip(acts) {
            *out = act.into();
        }
    }
    #[inline(always)]
    fn outputs(words: &[i32]) -> &[i32] {
        words
    }
    #[inline(always)]
    fn acts(input: &[i16]) -> &[i16] {
        input
    }
    fn agrees(found: i32, golden: i32, _tolerance: f32) -> bool {
        found == golden
    }
}
