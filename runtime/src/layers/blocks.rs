//! The integer matrix-vector product over blocks of four units, and the activations of layers without gates.

use crate::format::{Activation, LayerRecord};
use crate::isa::{Int, Side};

/// Rows of a block in layers without gates: four units.
pub const ROWS: usize = 4;

/// Fraction bits of the pre-activation of a linear or relu unit beyond its output's unit (INTEGER.md).
pub const LINEAR_FRAC: u32 = 12;

/// Words of a block: `rows` biases, then the sides.
pub fn stride(rows: usize, sides: &[usize]) -> Option<usize> {
    sides.iter().try_fold(rows, |sum, &acts| sum.checked_add(rows.checked_mul(1 + acts.div_ceil(4))?))
}

/// Words of weights of a layer without gates.
pub fn words(units: usize, sides: &[usize]) -> Option<usize> {
    units.div_ceil(ROWS).checked_mul(stride(ROWS, sides)?)
}

/// What a layer does with the pre-activations of [`Int::BLOCKS`] blocks; called once for each, first to last.
pub trait Update<S: Int, const R: usize> {
    /// Implementations are `#[inline(always)]`.
    fn update(&mut self, isa: S, p: [S::W; R]);
}

/// Hands the pre-activations of all blocks of `R` rows to `layer`.
#[inline(always)]
pub fn for_each<S: Int, const R: usize, const SIDES: usize>(
    isa: S,
    weights: &[i32],
    sides: [(&[i16], u8); SIDES],
    mut layer: impl Update<S, R>,
) {
    let mut stride = R;
    let sides = sides.map(|(acts, shift)| {
        // Activations lie in words of memory, whole quads of them: the cast cannot fail.
        let acts = bytemuck::try_cast_slice(acts).unwrap_or_default();
        let side = Side { acts, shift, at: stride };
        stride += side.words(R);
        side
    });
    for blocks in weights.chunks((stride * S::BLOCKS).max(1)) {
        let mut p = isa.words(blocks, stride, 0);
        for side in sides {
            p = isa.rows(blocks, stride, side, p);
        }
        layer.update(isa, p);
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
    let layer = Activate { activation: record.activation, out: out.chunks_mut(ROWS * S::BLOCKS) };
    for_each::<S, ROWS, SIDES>(isa, weights, sides, layer);
}

struct Activate<'a> {
    activation: u8,
    out: core::slice::ChunksMut<'a, i16>,
}

impl<S: Int> Update<S, ROWS> for Activate<'_> {
    #[inline(always)]
    fn update(&mut self, isa: S, mut p: [S::W; ROWS]) {
        let Some(out) = self.out.next() else { return };
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
        // Moved down to where rounding cannot overflow: the largest `i16` it can give.
        Some(Activation::Sigmoid) => {
            isa.shr_round::<16>(isa.clamp(sigmoid_of_half(isa, p), 0, i32::MAX - (1 << 15)))
        }
        Some(Activation::Relu) => isa.clamp(isa.shr_round::<LINEAR_FRAC>(p), 0, i16::MAX as i32),
        _ => isa.clamp(isa.shr_round::<LINEAR_FRAC>(p), -(i16::MAX as i32), i16::MAX as i32),
    }
}

/// `1/2 + tanh/2` with 31 fraction bits, given half the pre-activation.
#[inline(always)]
pub fn sigmoid_of_half<S: Int>(isa: S, half_p: S::W) -> S::W {
    isa.add_i32(isa.splat_i32(1 << 30), isa.half(isa.tanh_i32(half_p)))
}
