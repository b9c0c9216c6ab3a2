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

use super::blocks::Operands;
use super::cell::{self, Activations, by_activations};
use super::{Layer, blocks, padded, panels, previous_and_next, written};
use crate::format::{Activation, BLOCK_ROWS as ROWS, LANES, LayerRecord, STATE_FRAC};
use crate::isa::{Float, Int, IntGru, Isa};
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
    fn update(&mut self, isa: S, sums: &[S::Panel; GATES], n_x: &S::Panel) {
        let (Some(h), Some(next)) = (self.h.next(), self.next.next()) else {
            debug_assert!(false, "a panel without room for its states");
            return;
        };
        if S::CELLS && !NON_DEFAULT {
            isa.gru_cell(sums, n_x, h, next);
            return;
        }
        let [z, r, n_h] = sums;
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

/// Returns the words of the state, which is finer than the activations: `i16`.
#[inline(always)]
pub fn state_words(r: &LayerRecord) -> usize {
    quads(r.units()) / 2
}

impl Layer<I8> for Gru {
    const ACTIVATIONS: &'static [Activation] = cell::INT_VALUES;
    const RECURRENT_ACTIVATIONS: &'static [Activation] = cell::INT_GATES;
    const RECURRENT: bool = true;

    // A block is four units: their rows of z, of r, of n over x, of n over h.
    fn weights(r: &LayerRecord) -> Option<usize> {
        let of_n = blocks::stride(&[r.input_size()])?.checked_add(blocks::stride(&[r.units()])?)?;
        let block = blocks::recurrent_stride(r)?.checked_mul(2)?.checked_add(of_n)?;
        r.units().div_ceil(ROWS).checked_mul(block)
    }

    // The state, then two buffers of h as activations, all in `i16`.
    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        state_words(r).checked_mul(3)
    }

    fn state(r: &LayerRecord, phase: bool) -> [Range<usize>; 2] {
        let len = state_words(r);
        [0..len, written(len, len, phase)]
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
    let (state, h) = memory.split_at_mut_checked(state_words(r))?;
    let state: &mut [i16] = bytemuck::try_cast_slice_mut(state).ok()?;
    let (h, next) = previous_and_next(bytemuck::try_cast_slice_mut(h).ok()?, phase)?;
    let (of_x, of_h) = (blocks::operand(x), blocks::operand(h));
    let operands = blocks::Recurrent::<F>::new(r, x, h);
    if S::GRU && !NON_DEFAULT && !operands.has_separate_scales() {
        let (x, h, frac) = (blocks::words(x), blocks::words(h), r.frac.into());
        let (state, units) = (state.get_mut(..r.units())?, next.get_mut(..r.units())?);
        isa.gru(IntGru { blocks: weights, x, h, state, next: units, frac });
        return Some(next);
    }
    let gate = operands.words();
    let of_n = 2 * gate + of_x.words(ROWS);
    let stride = of_n + of_h.words(ROWS);
    let size = ROWS * S::BLOCKS;
    let (mut weights, mut states, mut new) =
        (weights, state.get_mut(..r.units())?, next.get_mut(..r.units())?);
    while !new.is_empty() {
        let blocks = blocks::take_blocks::<S>(&mut weights, stride);
        let (state, next) = (blocks::take_mut(&mut states, size), blocks::take_mut(&mut new, size));
        let z: [S::W; ROWS] = operands.pre_activations::<S, ROWS, true>(isa, blocks, stride, 0);
        let r_gate: [S::W; ROWS] = operands.pre_activations::<S, ROWS, true>(isa, blocks, stride, gate);
        let n_x: [S::W; ROWS] = isa.units(blocks, stride, 2 * gate, &of_x);
        let n_h: [S::W; ROWS] = isa.units(blocks, stride, of_n, &of_h);
        let mut out: [S::W; ROWS] = isa.load_i16(state);
        for k in 0..ROWS {
            if !blocks::has_units::<S>(k, next.len()) {
                break;
            }
            let r_gate = activations.gate_i32(isa, r_gate[k]);
            // r n_h = n_h/2 + n_h t/2
            let gated = isa.add_i32(isa.half(n_h[k]), isa.mulr(n_h[k], r_gate));
            out[k] = int_blend(isa, activations, z[k], out[k], isa.add_i32(n_x[k], gated));
        }
        store_state(isa, out, r.frac.into(), state, next);
    }
    Some(next)
}

/// Stores states with 31 fraction bits, and as activations of `frac`.
#[inline(always)]
pub fn store_state<S: Int>(isa: S, h: [S::W; ROWS], frac: u32, state: &mut [i16], next: &mut [i16]) {
    isa.store_i16(h.map(|h| blocks::from_full_scale(isa, h, STATE_FRAC)), state);
    isa.store_i16(h.map(|h| blocks::from_full_scale(isa, h, frac)), next);
}

/// Computes `n + z (h - n)`, given the pre-activations of z and n; h and the result have 31 fraction bits.
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
    isa.add_i32(isa.add_i32(n, d), isa.add_i32(m, m)) // z (h - n) = d + d t
}
