//! Dtypes as types: what a model's weights, activations and state are made of.

mod dispatch;

pub use dispatch::{Dispatch, Position, Step, Steps};

use crate::format::{CELL_LIMIT, DType, MAX_FLOAT_IDS};
use crate::isa::FloatWeight;
use bytemuck::Pod;

/// A dtype: [`F32`], [`F16`] or [`I8`]. `Model<N>` links the code of one dtype only.
pub trait Number: Dispatch + Copy + 'static {
    /// An input value.
    type In: Pod;
    /// An output value.
    type Out: Pod + PartialOrd;
    /// An activation between layers.
    type Act: Pod;
    /// A weight as it lies in the file: `f32`, the bits of a binary16 as `u16`, or four `i8` to a word.
    type Weight: Pod;
    /// A word of memory, four bytes.
    type Word: Pod;
    /// The code of the dtype in the file.
    const DTYPE: DType;

    /// Writes activations as outputs, as many as `out` has room for.
    #[doc(hidden)]
    fn widen(acts: &[Self::Act], out: &mut [Self::Word]);
    /// Returns words of memory as outputs.
    #[doc(hidden)]
    fn outputs(words: &[Self::Word]) -> &[Self::Out];
    /// Returns inputs as the activations that the first layer takes.
    #[doc(hidden)]
    fn acts(input: &[Self::In]) -> &[Self::Act];
    /// Returns `true` if an output equals the golden one, to within `tolerance`.
    #[doc(hidden)]
    fn agrees(found: Self::Out, golden: Self::Out, tolerance: f32) -> bool;

    /// Returns the id that an input stands for; `None` if it is not a whole number.
    #[doc(hidden)]
    fn id(x: Self::Act) -> Option<usize>;
    /// Returns an id as an input.
    #[doc(hidden)]
    fn of_id(id: u16) -> Self::In;
    /// Returns `true` if the time step `x` is masked: every value is `mask_value`.
    #[doc(hidden)]
    fn is_masked(x: &[Self::In], mask_value: f32) -> bool;
    /// Returns the words of memory that hold so many activations.
    #[doc(hidden)]
    fn frame_words(acts: usize) -> usize;
    /// Returns words of memory as activations.
    #[doc(hidden)]
    fn acts_of(words: &[Self::Word]) -> &[Self::Act];
    /// Returns words of memory as activations to write.
    #[doc(hidden)]
    fn acts_of_mut(words: &mut [Self::Word]) -> &mut [Self::Act];
    /// Converts a real value of `h` to an activation whose unit is `scale`, of at most `most` units.
    #[doc(hidden)]
    fn act_of_real(h: f32, scale: f32, most: i32) -> Self::Act;
    /// Converts an activation whose unit is `scale` to its real value.
    #[doc(hidden)]
    fn real_of_act(h: Self::Act, scale: f32) -> f32;
    /// Converts a real value of a cell state to a word whose unit is `scale`.
    #[doc(hidden)]
    fn cell_of_real(c: f32, scale: f32) -> Self::Word;
    /// Converts a word of a cell state whose unit is `scale` to its real value.
    #[doc(hidden)]
    fn real_of_cell(c: Self::Word, scale: f32) -> f32;
}

/// Weights, state and arithmetic in `f32`.
#[derive(Debug, Clone, Copy)]
pub struct F32;

/// Weights in IEEE 754 binary16, state and arithmetic in `f32`: half of the flash for a relative error of up
/// to 2^-12 per weight.
#[derive(Debug, Clone, Copy)]
pub struct F16;

/// Weights `i8` with a scale per row, activations `i16`, pre-activations `i32`; no float in a step, the same
/// bits on every target.
#[derive(Debug, Clone, Copy)]
pub struct I8;

/// A dtype whose state and arithmetic are `f32`, whatever its weights are.
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
                (id as f32 == x && id < MAX_FLOAT_IDS).then_some(id as usize)
            }
            fn of_id(id: u16) -> f32 {
                id.into()
            }
            fn is_masked(x: &[f32], mask_value: f32) -> bool {
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
            fn act_of_real(h: f32, _scale: f32, _most: i32) -> f32 {
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
float_number!(F16, u16);

impl Number for I8 {
    type In = i16;
    type Out = i32;
    type Act = i16;
    type Weight = i32;
    type Word = i32;
    const DTYPE: DType = DType::I8;

    #[inline(always)]
    fn widen(acts: &[i16], out: &mut [i32]) {
        // Only a last layer has room for them.
        if !out.is_empty() {
            widen(acts, out);
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
    fn is_masked(x: &[i16], _mask_value: f32) -> bool {
        x.iter().all(|&x| x == i16::MIN)
    }
    #[inline(always)]
    fn frame_words(acts: usize) -> usize {
        quads(acts) / 2
    }
    #[inline(always)]
    fn acts_of(words: &[i32]) -> &[i16] {
        let acts = bytemuck::try_cast_slice(words);
        debug_assert!(acts.is_ok(), "words are aligned for half-words");
        acts.unwrap_or_default()
    }
    #[inline(always)]
    fn acts_of_mut(words: &mut [i32]) -> &mut [i16] {
        let acts = bytemuck::try_cast_slice_mut(words);
        debug_assert!(acts.is_ok(), "words are aligned for half-words");
        acts.unwrap_or_default()
    }
    fn act_of_real(h: f32, scale: f32, most: i32) -> i16 {
        to_nearest(h / scale).max(most.wrapping_neg()).min(most) as i16
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

/// Writes integers as words. On a microcontroller all layers share one copy of the code: the compiler unrolls
/// it to 400 bytes.
#[cfg_attr(own_isa, inline(never))]
#[cfg_attr(not(own_isa), inline(always))]
fn widen(acts: &[i16], out: &mut [i32]) {
    for (out, &act) in out.iter_mut().zip(acts) {
        *out = act.into();
    }
}

/// Returns the number of `i16` activations that memory holds for `n`: `n` rounded up to a multiple of 4, as
/// the blocks of an integer layer read four at a time.
#[inline(always)]
pub const fn quads(n: usize) -> usize {
    n.div_ceil(4) * 4
}

/// Rounds to the nearest, halves away from zero, saturating; NaN becomes 0.
pub fn to_nearest(v: f32) -> i32 {
    (if v < 0.0 { v - 0.5 } else { v + 0.5 }) as i32
}
