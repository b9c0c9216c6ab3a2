//! The integer matrix-vector product over blocks of four units, and the activations of layers without gates.

use crate::activation::int::{LINEAR_FRAC, hard, narrowed, sigmoid_of_half};
use crate::format::{Activation, LayerRecord};
use crate::isa::{Int, Side};
use core::marker::PhantomData;

/// Rows of a block in layers without gates: four units.
pub const ROWS: usize = 4;

/// Words of a block: `rows` biases, then the sides.
pub fn stride(rows: usize, sides: &[usize]) -> Option<usize> {
    sides.iter().try_fold(rows, |sum, &acts| sum.checked_add(rows.checked_mul(1 + acts.div_ceil(4))?))
}

/// Words of weights of a layer without gates.
pub fn words(units: usize, sides: &[usize]) -> Option<usize> {
    units.div_ceil(ROWS).checked_mul(stride(ROWS, sides)?)
}

/// The next `count` of `rest`, or as many as there are.
///
/// Chunks would do the same, but zipped with others they are counted by a division that a compiler may leave to panic.
#[inline(always)]
pub fn take<'a, T>(rest: &mut &'a [T], count: usize) -> &'a [T] {
    let (now, later) = rest.split_at_checked(count.min(rest.len())).unwrap_or_default();
    *rest = later;
    now
}

/// The same, to change.
#[inline(always)]
pub fn take_mut<'a, T>(rest: &mut &'a mut [T], count: usize) -> &'a mut [T] {
    let all = core::mem::take(rest);
    let (now, later) = all.split_at_mut_checked(count.min(all.len())).unwrap_or_default();
    *rest = later;
    now
}

/// Activations as a side of rows.
#[inline(always)]
pub fn side(acts: &[i16], shift: u8) -> Side<'_> {
    // Activations lie in words of memory, whole quads of them: the cast cannot fail.
    Side { acts: bytemuck::try_cast_slice(acts).unwrap_or_default(), shift }
}

/// What a layer does with the pre-activations of [`Int::BLOCKS`] blocks; called once for each, first to last.
pub trait Update<S: Int, const R: usize> {
    /// What belongs to these blocks alone.
    type Place;
    /// Implementations are `#[inline(always)]`.
    fn update(&self, isa: S, p: [S::W; R], place: Self::Place);
}

/// Hands the pre-activations of all blocks of `R` rows to `layer`, with their places.
///
/// The iterators are zipped so that one counter does for all of them.
#[inline(always)]
pub fn for_each<S: Int, const R: usize, const SIDES: usize, U: Update<S, R>>(
    isa: S,
    weights: &[i32],
    sides: [(&[i16], u8); SIDES],
    places: impl Iterator<Item = U::Place>,
    layer: U,
) {
    let sides = sides.map(|(acts, shift)| side(acts, shift));
    let stride = sides.iter().fold(R, |stride, side| stride + side.words(R)).max(1);
    if S::BLOCKS == 1 {
        for (block, place) in weights.chunks_exact(stride).zip(places) {
            layer.update(isa, isa.rows(block, stride, 0, sides), place);
        }
    } else {
        for (blocks, place) in weights.chunks(stride * S::BLOCKS).zip(places) {
            layer.update(isa, isa.rows(blocks, stride, 0, sides), place);
        }
    }
}

/// The step of a layer without gates: pre-activations of its sides, activated, as `i16`.
#[inline(always)]
pub fn activate_into<S: Int, const SIDES: usize>(
    isa: S,
    record: &LayerRecord,
    weights: &[i32],
    sides: [(&[i16], u8); SIDES],
    out: &mut [i16],
) {
    let layer = Activate { activation: record.activation, out: PhantomData };
    for_each::<S, ROWS, SIDES, _>(isa, weights, sides, out.chunks_mut(ROWS * S::BLOCKS), layer);
}

struct Activate<'a> {
    activation: u8,
    out: PhantomData<&'a mut [i16]>,
}

impl<'a, S: Int> Update<S, ROWS> for Activate<'a> {
    type Place = &'a mut [i16];

    #[inline(always)]
    fn update(&self, isa: S, mut p: [S::W; ROWS], out: &'a mut [i16]) {
        for p in &mut p {
            *p = activate(isa, self.activation, *p);
        }
        isa.store_i16(p, out);
    }
}

/// A unit's own activation as an `i16` still in 32 bits: unit 2^-15 for tanh and sigmoid, the layer's own else.
#[inline(always)]
fn activate<S: Int>(isa: S, activation: u8, p: S::W) -> S::W {
    match Activation::from_code(activation) {
        Some(Activation::Tanh) => isa.shr_round::<16>(isa.tanh_i32(p)),
        Some(Activation::TanhWide) => isa.shr_round::<16>(isa.tanh_i32(narrowed(isa, p))),
        Some(Activation::Sigmoid) => to_i16(isa, sigmoid_of_half(isa, p)),
        Some(Activation::SigmoidWide) => to_i16(isa, sigmoid_of_half(isa, narrowed(isa, p))),
        Some(Activation::HardSigmoid | Activation::HardSigmoidKeras1) => to_i16(isa, hard_sigmoid(isa, p)),
        Some(Activation::Relu) => isa.clamp(isa.shr_round::<LINEAR_FRAC>(p), 0, i16::MAX as i32),
        _ => isa.clamp(isa.shr_round::<LINEAR_FRAC>(p), -(i16::MAX as i32), i16::MAX as i32),
    }
}

/// `1/2 + t/2` of a hard sigmoid with 31 fraction bits.
#[inline(always)]
pub fn hard_sigmoid<S: Int>(isa: S, p: S::W) -> S::W {
    isa.add_i32(isa.splat_i32(1 << 30), isa.half(hard(isa, p)))
}

/// A share of one with 31 fraction bits as an `i16`, moved down to where rounding cannot overflow.
#[inline(always)]
fn to_i16<S: Int>(isa: S, share: S::W) -> S::W {
    isa.shr_round::<16>(isa.clamp(share, 0, i32::MAX - (1 << 15)))
}
