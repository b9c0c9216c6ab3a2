//! Gated recurrent units, with the reset gate applied after the recurrent product or before it.
//!
//! ```text
//! z = s(Wz x + Uz h + bz)   r = s(Wr x + Ur h + br)
//! after:   n = tanh(Wn x + bn + r (Un h + rbn))
//! before:  n = tanh(Wn x + bn + Un (r h))
//! h' = z h + (1 - z) n = n + z (h - n)
//! ```
//!
//! Gate order z, r, n. The rows of z and r hold half of their weights: s(v) = 1/2 + tanh(v/2)/2.

use super::blocks::{self, ROWS};
use super::{Layer, View, padded, panels, previous_and_next, quads, written};
use crate::activation::float::sigmoid_of_half;
use crate::format::{Activation, LayerRecord};
use crate::isa::{Float, Int, Isa, LANES};
use crate::number::{FloatNumber, I8};
use core::ops::Range;
use core::slice::{Iter, IterMut};

/// The reset gate after the recurrent product: the default of Keras and of PyTorch.
pub struct Gru;
/// The reset gate before it.
pub struct GruResetBefore;

const GATES: usize = 3;

impl<N: FloatNumber> Layer<N> for Gru {
    const ACTIVATIONS: &'static [Activation] = &[Activation::Tanh];
    const RECURRENT_ACTIVATIONS: &'static [Activation] = &[Activation::Sigmoid];
    const RECURRENT: bool = true;

    /// In a panel a second row of biases stands between the rows of x and those of h.
    fn weights(r: &LayerRecord) -> Option<usize> {
        panels::words(GATES, r.units(), r.input_size().checked_add(r.units())?.checked_add(1)?)
    }

    /// Two buffers of h.
    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        padded(r.units()).checked_mul(2)
    }

    fn state(r: &LayerRecord, phase: bool) -> [Range<usize>; 2] {
        [written(0, padded(r.units()), phase), 0..0]
    }

    #[inline(always)]
    fn step<'a, S: Isa>(
        isa: S,
        layer: View<'a, N>,
        x: &[f32],
        memory: &'a mut [f32],
        phase: bool,
    ) -> Option<&'a [f32]> {
        let units = layer.record.units();
        let (h, next) = previous_and_next(memory, phase)?;
        let update = FloatAfter {
            h: h.as_chunks::<LANES>().0.iter(),
            next: next.as_chunks_mut::<LANES>().0.iter_mut(),
        };
        panels::for_each(isa, layer.weights, x, h.get(..units)?, update);
        next.get(..units)
    }
}

/// The states of the panels still to come.
struct FloatAfter<'a> {
    h: Iter<'a, [f32; LANES]>,
    next: IterMut<'a, [f32; LANES]>,
}

impl<S: Float> panels::Update<S, GATES> for FloatAfter<'_> {
    const SPLIT: bool = true;

    #[inline(always)]
    fn update(&mut self, isa: S, [z, r, n_h]: &[S::Panel; GATES], n_x: &S::Panel) {
        let (Some(h), Some(next)) = (self.h.next(), self.next.next()) else { return };
        for at in (0..LANES).step_by(S::WIDTH) {
            let z = sigmoid_of_half(isa, isa.take(z, at));
            let r = sigmoid_of_half(isa, isa.take(r, at));
            let n = isa.tanh(isa.mul_add(r, isa.take(n_h, at), isa.take(n_x, at)));
            isa.store(blend(isa, z, isa.load(h, at), n), next, at);
        }
    }
}

/// `n + z (h - n)`
#[inline(always)]
fn blend<S: Float>(isa: S, z: S::V, h: S::V, n: S::V) -> S::V {
    isa.mul_add(z, isa.mul_add(n, isa.splat(-1.0), h), n)
}

impl<N: FloatNumber> Layer<N> for GruResetBefore {
    const ACTIVATIONS: &'static [Activation] = &[Activation::Tanh];
    const RECURRENT_ACTIVATIONS: &'static [Activation] = &[Activation::Sigmoid];
    const RECURRENT: bool = true;

    /// The panels of r, then those of z, then those of n.
    fn weights(r: &LayerRecord) -> Option<usize> {
        panels::words(1, r.units(), r.input_size().checked_add(r.units())?)?.checked_mul(GATES)
    }

    /// Two buffers of h, then r h.
    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        padded(r.units()).checked_mul(3)
    }

    fn state(r: &LayerRecord, phase: bool) -> [Range<usize>; 2] {
        [written(0, padded(r.units()), phase), 0..0]
    }

    #[inline(always)]
    fn step<'a, S: Isa>(
        isa: S,
        layer: View<'a, N>,
        x: &[f32],
        memory: &'a mut [f32],
        phase: bool,
    ) -> Option<&'a [f32]> {
        let units = layer.record.units();
        let (buffers, reset) = memory.split_at_mut_checked(2 * padded(units))?;
        let (h, next) = previous_and_next(buffers, phase)?;
        let (h, state) = (h.get(..units)?, h.as_chunks::<LANES>().0);
        let gate = layer.weights.len() / GATES;
        let (of_r, rest) = layer.weights.split_at_checked(gate)?;
        let (of_z, of_n) = rest.split_at_checked(gate)?;
        let out = reset.as_chunks_mut::<LANES>().0.iter_mut();
        panels::for_each(isa, of_r, x, h, FloatReset { h: state.iter(), out });
        let out = next.as_chunks_mut::<LANES>().0.iter_mut();
        panels::for_each(isa, of_z, x, h, panels::Activate { activation: Activation::Sigmoid as u8, out });
        let next_panels = next.as_chunks_mut::<LANES>().0.iter_mut();
        let update = FloatBefore { h: state.iter(), next: next_panels };
        panels::for_each(isa, of_n, x, reset.get(..units)?, update);
        next.get(..units)
    }
}

/// Leaves `r h`.
struct FloatReset<'a> {
    h: Iter<'a, [f32; LANES]>,
    out: IterMut<'a, [f32; LANES]>,
}

impl<S: Float> panels::Update<S, 1> for FloatReset<'_> {
    #[inline(always)]
    fn update(&mut self, isa: S, [r]: &[S::Panel; 1], _apart: &S::Panel) {
        let (Some(h), Some(out)) = (self.h.next(), self.out.next()) else { return };
        for at in (0..LANES).step_by(S::WIDTH) {
            let r = sigmoid_of_half(isa, isa.take(r, at));
            isa.store(isa.mul(r, isa.load(h, at)), out, at);
        }
    }
}

/// Takes z where h' comes.
struct FloatBefore<'a> {
    h: Iter<'a, [f32; LANES]>,
    next: IterMut<'a, [f32; LANES]>,
}

impl<S: Float> panels::Update<S, 1> for FloatBefore<'_> {
    #[inline(always)]
    fn update(&mut self, isa: S, [n]: &[S::Panel; 1], _apart: &S::Panel) {
        let (Some(h), Some(next)) = (self.h.next(), self.next.next()) else { return };
        for at in (0..LANES).step_by(S::WIDTH) {
            let n = isa.tanh(isa.take(n, at));
            isa.store(blend(isa, isa.load(next, at), isa.load(h, at), n), next, at);
        }
    }
}

/// Words of the rows of one gate of a block, with the sides of which `acts` are the sizes.
fn rows(sides: &[usize]) -> Option<usize> {
    blocks::stride(ROWS, sides)
}

impl Layer<I8> for Gru {
    const ACTIVATIONS: &'static [Activation] = &[Activation::Tanh];
    const RECURRENT_ACTIVATIONS: &'static [Activation] = &[Activation::Sigmoid];
    const RECURRENT: bool = true;

    /// A block is four units: their rows of z, of r, of n over x, of n over h.
    fn weights(r: &LayerRecord) -> Option<usize> {
        let (x, h) = (r.input_size(), r.units());
        let block = rows(&[x, h])?.checked_mul(2)?.checked_add(rows(&[x])?)?.checked_add(rows(&[h])?)?;
        r.units().div_ceil(ROWS).checked_mul(block)
    }

    /// Two buffers of h in `i16`.
    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(quads(r.units()))
    }

    fn state(r: &LayerRecord, phase: bool) -> [Range<usize>; 2] {
        [written(0, quads(r.units()) / 2, phase), 0..0]
    }

    #[inline(always)]
    fn step<'a, S: Isa>(
        isa: S,
        layer: View<'a, I8>,
        x: &[i16],
        memory: &'a mut [i32],
        phase: bool,
    ) -> Option<&'a [i16]> {
        let r = layer.record;
        let (h, next) = previous_and_next(bytemuck::try_cast_slice_mut(memory).ok()?, phase)?;
        let h = &*h;
        let (of_x, of_h) = (blocks::side(x, r.x_shift), blocks::side(h, r.h_shift));
        let (of_n_x, of_n_h) = (ROWS + of_x.words(ROWS), ROWS + of_h.words(ROWS));
        let gate = ROWS + of_x.words(ROWS) + of_h.words(ROWS);
        let stride = 2 * gate + of_n_x + of_n_h;
        let size = ROWS * S::BLOCKS;
        let places = h.get(..r.units())?.chunks(size).zip(next.get_mut(..r.units())?.chunks_mut(size));
        for (blocks, (h, next)) in layer.weights.chunks((stride * S::BLOCKS).max(1)).zip(places) {
            let z: [S::W; ROWS] = isa.rows(blocks, stride, 0, [of_x, of_h]);
            let r: [S::W; ROWS] = isa.rows(blocks, stride, gate, [of_x, of_h]);
            let n_x: [S::W; ROWS] = isa.rows(blocks, stride, 2 * gate, [of_x]);
            let n_h: [S::W; ROWS] = isa.rows(blocks, stride, 2 * gate + of_n_x, [of_h]);
            let mut out: [S::W; ROWS] = isa.load_i16(h);
            for k in 0..ROWS {
                let r = isa.tanh_i32(r[k]);
                // r n_h = n_h/2 + n_h tanh/2
                let gated = isa.add_i32(isa.half(n_h[k]), isa.mulr(n_h[k], r));
                out[k] = int_blend(isa, z[k], out[k], isa.add_i32(n_x[k], gated));
            }
            isa.store_i16(out, next);
        }
        Some(next)
    }
}

/// `n + z (h - n)` as an `i16` still in 32 bits: the pre-activations of z (halved) and n, and h with 31 fraction bits.
#[inline(always)]
fn int_blend<S: Int>(isa: S, p_z: S::W, h: S::W, p_n: S::W) -> S::W {
    let (z, n) = (isa.tanh_i32(p_z), isa.tanh_i32(p_n));
    let d = isa.sub_i32(isa.half(h), isa.half(n)); // (h - n)/2, 31 fraction bits
    let m = isa.mulr(d, z); // half of d tanh
    let out = isa.add_i32(isa.add_i32(n, d), isa.add_i32(m, m)); // z (h - n) = d + d tanh
    isa.shr_round::<16>(out)
}

impl Layer<I8> for GruResetBefore {
    const ACTIVATIONS: &'static [Activation] = &[Activation::Tanh];
    const RECURRENT_ACTIVATIONS: &'static [Activation] = &[Activation::Sigmoid];
    const RECURRENT: bool = true;

    /// The blocks of r, four units each; then blocks of four units with their rows of z and of n.
    fn weights(r: &LayerRecord) -> Option<usize> {
        let gate = rows(&[r.input_size(), r.units()])?;
        r.units().div_ceil(ROWS).checked_mul(gate.checked_mul(GATES)?)
    }

    /// Two buffers of h and r h, in `i16`.
    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        (quads(r.units()) / 2).checked_mul(3)
    }

    fn state(r: &LayerRecord, phase: bool) -> [Range<usize>; 2] {
        [written(0, quads(r.units()) / 2, phase), 0..0]
    }

    #[inline(always)]
    fn step<'a, S: Isa>(
        isa: S,
        layer: View<'a, I8>,
        x: &[i16],
        memory: &'a mut [i32],
        phase: bool,
    ) -> Option<&'a [i16]> {
        let r = layer.record;
        let (buffers, reset) = memory.split_at_mut_checked(quads(r.units()))?;
        let (h, next) = previous_and_next(bytemuck::try_cast_slice_mut(buffers).ok()?, phase)?;
        let h = &*h;
        let reset: &mut [i16] = bytemuck::try_cast_slice_mut(reset).ok()?;
        let (of_r, rest) = layer.weights.split_at_checked(layer.weights.len() / GATES)?;
        let size = ROWS * S::BLOCKS;
        let old = || h.get(..r.units()).unwrap_or_default().chunks(size);
        let (of_x, of_h) = (blocks::side(x, r.x_shift), blocks::side(h, r.h_shift));
        let gate = ROWS + of_x.words(ROWS) + of_h.words(ROWS);
        let places = old().zip(reset.get_mut(..r.units())?.chunks_mut(size));
        for (blocks, (h, out)) in of_r.chunks((gate * S::BLOCKS).max(1)).zip(places) {
            let mut r: [S::W; ROWS] = isa.rows(blocks, gate, 0, [of_x, of_h]);
            let h: [S::W; ROWS] = isa.load_i16(h);
            for (r, h) in r.iter_mut().zip(h) {
                let t = isa.tanh_i32(*r);
                *r = isa.shr_round::<16>(isa.add_i32(isa.half(h), isa.mulr(h, t))); // h/2 + h tanh/2
            }
            isa.store_i16(r, out);
        }
        let of_reset = blocks::side(reset, r.h_shift);
        let places = old().zip(next.get_mut(..r.units())?.chunks_mut(size));
        for (blocks, (h, next)) in rest.chunks((2 * gate * S::BLOCKS).max(1)).zip(places) {
            let z: [S::W; ROWS] = isa.rows(blocks, 2 * gate, 0, [of_x, of_h]);
            let n: [S::W; ROWS] = isa.rows(blocks, 2 * gate, gate, [of_x, of_reset]);
            let mut out: [S::W; ROWS] = isa.load_i16(h);
            for k in 0..ROWS {
                out[k] = int_blend(isa, z[k], out[k], n[k]);
            }
            isa.store_i16(out, next);
        }
        Some(next)
    }
}
