//! The kinds of numbers a model can be made of, as types.

use crate::format::DType;
use crate::isa::FloatWeight;
use crate::layers::{CELL_LIMIT, Dispatch, quads, to_nearest};
use bytemuck::Pod;
use half::f16;

/// A kind of numbers: [`F32`], [`F16`] or [`I8`]. `Model<N>` links the code of one kind only.
pub trait Number: Dispatch + Copy + 'static {
    /// A value of the input.
    type In: Pod;
    /// A value of the output.
    type Out: Pod + PartialOrd;
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

    /// The id that an input is; `None` if it is none.
    #[doc(hidden)]
    fn id(x: Self::Act) -> Option<usize>;
    /// An id as an input.
    #[doc(hidden)]
    fn of_id(id: u16) -> Self::In;
    /// Whether a time step is one that stands for none: every feature is `mask_value`.
    #[doc(hidden)]
    fn is_none(x: &[Self::In], mask_value: f32) -> bool;
    /// Words of memory that hold so many activations.
    #[doc(hidden)]
    fn frame_words(acts: usize) -> usize;
    /// Words of memory as activations.
    #[doc(hidden)]
    fn acts_of(words: &[Self::Word]) -> &[Self::Act];
    /// The same, to change.
    #[doc(hidden)]
    fn acts_of_mut(words: &mut [Self::Word]) -> &mut [Self::Act];
    /// A value of `h` as an activation of a layer whose unit is `scale`, and back.
    #[doc(hidden)]
    fn act_of_real(h: f32, scale: f32) -> Self::Act;
    #[doc(hidden)]
    fn real_of_act(h: Self::Act, scale: f32) -> f32;
    /// A value of a cell state as a word, `scale` being the real value of one, and back.
    #[doc(hidden)]
    fn cell_of_real(c: f32, scale: f32) -> Self::Word;
    #[doc(hidden)]
    fn real_of_cell(c: Self::Word, scale: f32) -> f32;
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
            #[inline(always)]
            fn id(x: f32) -> Option<usize> {
                let id = x as u32;
                (id as f32 == x && id < 1 << f32::MANTISSA_DIGITS).then_some(id as usize)
            }
            fn of_id(id: u16) -> f32 {
                id.into()
            }
            fn is_none(x: &[f32], mask_value: f32) -> bool {
                x.iter().all(|&x| x == mask_value)
            }
            #[inline(always)]
            fn frame_words(acts: usize) -> usize {
                acts
            }
            #[inline(always)]
            fn acts_of(words: &[f32]) -> &[f32] {
                words
            }
            #[inline(always)]
            fn acts_of_mut(words: &mut [f32]) -> &mut [f32] {
                words
            }
            fn act_of_real(h: f32, _scale: f32) -> f32 {
                h
            }
            fn real_of_act(h: f32, _scale: f32) -> f32 {
                h
            }
            fn cell_of_real(c: f32, _scale: f32) -> f32 {
                c
            }
            fn real_of_cell(c: f32, _scale: f32) -> f32 {
                c
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
    #[inline(always)]
    fn id(x: i16) -> Option<usize> {
        Some(usize::from(x as u16))
    }
    fn of_id(id: u16) -> i16 {
        id as i16
    }
    fn is_none(x: &[i16], _mask_value: f32) -> bool {
        x.iter().all(|&x| x == i16::MIN)
    }
    #[inline(always)]
    fn frame_words(acts: usize) -> usize {
        quads(acts) / 2
    }
    #[inline(always)]
    fn acts_of(words: &[i32]) -> &[i16] {
        bytemuck::try_cast_slice(words).unwrap_or_default()
    }
    #[inline(always)]
    fn acts_of_mut(words: &mut [i32]) -> &mut [i16] {
        bytemuck::try_cast_slice_mut(words).unwrap_or_default()
    }
    fn act_of_real(h: f32, scale: f32) -> i16 {
        to_nearest(h / scale).clamp(-(i16::MAX as i32), i16::MAX as i32) as i16
    }
    fn real_of_act(h: i16, scale: f32) -> f32 {
        f32::from(h) * scale
    }
    fn cell_of_real(c: f32, scale: f32) -> i32 {
        to_nearest(c / scale).clamp(-CELL_LIMIT, CELL_LIMIT - 1)
    }
    fn real_of_cell(c: i32, scale: f32) -> f32 {
        c as f32 * scale
    }
}
