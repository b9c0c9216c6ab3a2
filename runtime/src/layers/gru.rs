//! Gated recurrent unit, the reset gate applied after the recurrent product.
//!
//! ```text
//! z = s(Wz x + Uz h + bz)   r = s(Wr x + Ur h + br)
//! n = act(Wn x + bn + r (Un h + rbn))
//! h' = z h + (1 - z) n = n + z (h - n)
//! ```
//!
//! s is sigmoid and act tanh, unless the record names others. Gate order z, r, n. The rows of a sigmoid hold
//! half of their weights: s(v) = 1/2 + tanh(v/2)/2.

use super::cell::{self, Activations, by_activations};
use super::{Layer, blocks, padded, panels, previous_and_next, written};
use crate::format::{Activation, BLOCK_ROWS as ROWS, LANES, LayerRecord};
use crate::isa::{Float, Int, Isa};
use crate::number::{FloatNumber, I8, Step, quads};
use core::ops::Range;
use core::slice::{Iter, IterMut};

/// The reset gate after the recurrent product: the default of Keras and of PyTorch.
pub struct Gru;

const GATES: usize = 3;

impl<N: FloatNumber> Layer<N> for Gru {
    const ACTIVATIONS: &'static [Activation] = Activation::ELEMENTWISE;
    const RECURRENT_ACTIVATIONS: &'static [Activation] = Activation::ELEMENTWISE;
    const RECURRENT: bool = true;

    // In a panel a second row of biases stands between the rows of x and those of h.
    fn weights(r: &LayerRecord) -> Option<usize> {
        panels::words(GATES, r.units(), r.input_size().checked_add(r.units())?.checked_add(1)?)
    }

    // Two buffers of h.
    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        padded(r.units()).checked_mul(2)
    }

    fn state(r: &LayerRecord, phase: bool) -> [Range<usize>; 2] {
        [written(0, padded(r.units()), phase), 0..0]
    }

    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        isa: S,
        step: Step<'a, N>,
        memory: &'a mut [f32],
    ) -> Option<&'a [f32]> {
        by_activations!(F, step.record, forward_float::<N, S>(isa, step, memory))
    }
}

#[inline(always)]
fn forward_float<'a, N: FloatNumber, S: Isa, const F: u32, const NON_DEFAULT: bool>(
    isa: S,
    step: Step<'a, N>,
    memory: &'a mut [f32],
) -> Option<&'a [f32]> {
    let Step { x, record, weights, phase, .. } = step;
    let units = record.units();
    let (h, next) = previous_and_next(memory, phase)?;
    let update = FloatUpdate {
        activations: Activations::<F, NON_DEFAULT>::of(record),
        h: h.as_chunks::<LANES>().0.iter(),
        next: next.as_chunks_mut::<LANES>().0.iter_mut(),
    };
    panels::for_each(isa, units, weights, x, h.get(..units)?, update);
    next.get(..units)
}

/// The states of the panels still to come.
struct FloatUpdate<'a, const F: u32, const NON_DEFAULT: bool> {
    activations: Activations<F, NON_DEFAULT>,
    h: Iter<'a, [f32; LANES]>,
    next: IterMut<'a, [f32; LANES]>,
}

impl<S: Float, const F: u32, const NON_DEFAULT: bool> panels::Update<S, GATES>
    for FloatUpdate<'_, F, NON_DEFAULT>
{
    const SEPARATE_RECURRENT_BIAS: bool = true;

    #[inline(always)]
    fn update(&mut self, isa: S, [z, r, n_h]: &[S::Panel; GATES], n_x: &S::Panel) {
        let (Some(h), Some(next)) = (self.h.next(), self.next.next()) else {
            debug_assert!(false, "a panel without room for its states");
            return;
        };
        for at in (0..LANES).step_by(S::WIDTH) {
            let (z, r) = self.activations.two_gates(isa, isa.take(z, at), isa.take(r, at));
            let n = isa.mul_add(r, isa.take(n_h, at), isa.take(n_x, at));
            let n = self.activations.value(isa, n);
            isa.store(blend(isa, z, isa.load(h, at), n), next, at);
        }
    }
}

/// Computes `n + z (h - n)`.
#[inline(always)]
pub fn blend<S: Float>(isa: S, z: S::V, h: S::V, n: S::V) -> S::V {
    isa.mul_add(z, isa.mul_add(n, isa.splat(-1.0), h), n)
}

/// Returns the words of the rows of one gate of a block, given the sizes of its sides.
pub fn rows(sides: &[usize]) -> Option<usize> {
    blocks::stride(ROWS, sides)
}

impl Layer<I8> for Gru {
    const ACTIVATIONS: &'static [Activation] = cell::INT_VALUES;
    const RECURRENT_ACTIVATIONS: &'static [Activation] = cell::INT_GATES;
    const RECURRENT: bool = true;

    // A block is four units: their rows of z, of r, of n over x, of n over h.
    fn weights(r: &LayerRecord) -> Option<usize> {
        let (x, h) = (r.input_size(), r.units());
        let block = rows(&[x, h])?.checked_mul(2)?.checked_add(rows(&[x])?)?.checked_add(rows(&[h])?)?;
        r.units().div_ceil(ROWS).checked_mul(block)
    }

    // Two buffers of h in `i16`.
    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(quads(r.units()))
    }

    fn state(r: &LayerRecord, phase: bool) -> [Range<usize>; 2] {
        [written(0, quads(r.units()) / 2, phase), 0..0]
    }

    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        isa: S,
        step: Step<'a, I8>,
        memory: &'a mut [i32],
    ) -> Option<&'a [i16]> {
        by_activations!(F, step.record, forward_int::<S>(isa, step, memory))
    }
}

#[inline(always)]
fn forward_int<'a, S: Isa, const F: u32, const NON_DEFAULT: bool>(
    isa: S,
    step: Step<'a, I8>,
    memory: &'a mut [i32],
) -> Option<&'a [i16]> {
    let Step { x, record: r, weights, phase, .. } = step;
    let activations = Activations::<F, NON_DEFAULT>::of(r);
    let (h, next) = previous_and_next(bytemuck::try_cast_slice_mut(memory).ok()?, phase)?;
    let h = &*h;
    let (of_x, of_h) = (blocks::side(x, r.x_shift), blocks::side(h, r.h_shift));
    let (of_n_x, of_n_h) = (ROWS + of_x.words(ROWS), ROWS + of_h.words(ROWS));
    let gate = ROWS + of_x.words(ROWS) + of_h.words(ROWS);
    let stride = 2 * gate + of_n_x + of_n_h;
    let size = ROWS * S::BLOCKS;
    let (mut weights, mut old, mut new) = (weights, h.get(..r.units())?, next.get_mut(..r.units())?);
    while !old.is_empty() {
        let blocks = blocks::take(&mut weights, stride * S::BLOCKS);
        let (h, next) = (blocks::take(&mut old, size), blocks::take_mut(&mut new, size));
        let z: [S::W; ROWS] = isa.units(blocks, stride, 0, [of_x, of_h]);
        let r: [S::W; ROWS] = isa.units(blocks, stride, gate, [of_x, of_h]);
        let n_x: [S::W; ROWS] = isa.units(blocks, stride, 2 * gate, [of_x]);
        let n_h: [S::W; ROWS] = isa.units(blocks, stride, 2 * gate + of_n_x, [of_h]);
        let mut out: [S::W; ROWS] = isa.load_i16(h);
        for k in 0..ROWS {
            if !blocks::has_units::<S>(k, h.len()) {
                break;
            }
            let r = activations.gate_i32(isa, r[k]);
            // r n_h = n_h/2 + n_h t/2
            let gated = isa.add_i32(isa.half(n_h[k]), isa.mulr(n_h[k], r));
            out[k] = int_blend(isa, activations, z[k], out[k], isa.add_i32(n_x[k], gated));
        }
        isa.store_i16(out, next);
    }
    Some(next)
}

/// Computes `n + z (h - n)` as an `i16` still in 32 bits, given the pre-activations of z and n, and h with 31
/// fraction bits.
#[inline(always)]
pub fn int_blend<S: Int, const F: u32, const NON_DEFAULT: bool>(
    isa: S,
    activations: Activations<F, NON_DEFAULT>,
    p_z: S::W,
    h: S::W,
    p_n: S::W,
) -> S::W {
    let [z, n] = activations.gate_and_value_i32(isa, [p_z, p_n]);
    let d = isa.sub_i32(isa.half(h), isa.half(n)); // (h - n)/2, 31 fraction bits
    let m = isa.mulr(d, z); // half of d t
    let out = isa.add_i32(isa.add_i32(n, d), isa.add_i32(m, m)); // z (h - n) = d + d t
    isa.shr_round::<16>(out)
}
