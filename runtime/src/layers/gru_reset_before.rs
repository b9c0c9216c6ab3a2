//! Gated recurrent unit, the reset gate applied before the recurrent product: `n = act(Wn x + bn + Un (r
//! h))`, and everything else as in [`super::gru`].

use super::blocks::Operands;
use super::cell::{self, Activations, by_activations};
use super::gru::{blend, int_blend, state_words, store_state};
use super::{Layer, blocks, padded, panels, previous_and_next, written};
use crate::format::{Activation, BLOCK_ROWS as ROWS, LANES, LayerRecord};
use crate::isa::{Float, Isa};
use crate::number::{FloatNumber, I8, Step, quads};
use core::ops::Range;
use core::slice::{Iter, IterMut};

/// The reset gate before the recurrent product: the paper's first form (Cho et al., 2014), ONNX's default,
/// and Keras 1's.
pub struct GruResetBefore;

const GATES: usize = 3;

impl<N: FloatNumber> Layer<N> for GruResetBefore {
    const ACTIVATIONS: &'static [Activation] = Activation::ELEMENTWISE;
    const RECURRENT_ACTIVATIONS: &'static [Activation] = Activation::ELEMENTWISE;
    const RECURRENT: bool = true;

    // The panels of r, then those of z, then those of n.
    fn weights(r: &LayerRecord) -> Option<usize> {
        panels::words(1, r.units(), r.input_size().checked_add(r.units())?)?.checked_mul(GATES)
    }

    // Two buffers of h, then r h.
    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        padded(r.units()).checked_mul(3)
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
    let activations = Activations::<F, NON_DEFAULT>::of(record);
    let (buffers, reset) = memory.split_at_mut_checked(2 * padded(units))?;
    let (h, next) = previous_and_next(buffers, phase)?;
    let (h, state) = (h.get(..units)?, h.as_chunks::<LANES>().0);
    let gate = weights.len() / GATES;
    let (of_r, rest) = weights.split_at_checked(gate)?;
    let (of_z, of_n) = rest.split_at_checked(gate)?;
    let out = reset.as_chunks_mut::<LANES>().0.iter_mut();
    panels::for_each(isa, units, of_r, x, h, FloatReset { activations, h: state.iter(), out });
    let out = next.as_chunks_mut::<LANES>().0.iter_mut();
    panels::for_each(isa, units, of_z, x, h, FloatGate { activations, out });
    let next_panels = next.as_chunks_mut::<LANES>().0.iter_mut();
    let update = FloatUpdate { activations, h: state.iter(), next: next_panels };
    panels::for_each(isa, units, of_n, x, reset.get(..units)?, update);
    next.get(..units)
}

/// Writes `r h`.
struct FloatReset<'a, const F: u32, const NON_DEFAULT: bool> {
    activations: Activations<F, NON_DEFAULT>,
    h: Iter<'a, [f32; LANES]>,
    out: IterMut<'a, [f32; LANES]>,
}

impl<S: Float, const F: u32, const NON_DEFAULT: bool> panels::Update<S, 1>
    for FloatReset<'_, F, NON_DEFAULT>
{
    #[inline(always)]
    fn update(&mut self, isa: S, [r]: &[S::Panel; 1], _x_part: &S::Panel) {
        let (Some(h), Some(out)) = (self.h.next(), self.out.next()) else {
            debug_assert!(false, "a panel without room for its states");
            return;
        };
        for at in (0..LANES).step_by(S::WIDTH) {
            let r = self.activations.gate(isa, isa.take(r, at));
            isa.store(isa.mul(r, isa.load(h, at)), out, at);
        }
    }
}

/// Writes z to the room for h'.
struct FloatGate<'a, const F: u32, const NON_DEFAULT: bool> {
    activations: Activations<F, NON_DEFAULT>,
    out: IterMut<'a, [f32; LANES]>,
}

impl<S: Float, const F: u32, const NON_DEFAULT: bool> panels::Update<S, 1> for FloatGate<'_, F, NON_DEFAULT> {
    #[inline(always)]
    fn update(&mut self, isa: S, [z]: &[S::Panel; 1], _x_part: &S::Panel) {
        let Some(out) = self.out.next() else {
            debug_assert!(false, "a panel without room for its gate");
            return;
        };
        for at in (0..LANES).step_by(S::WIDTH) {
            isa.store(self.activations.gate(isa, isa.take(z, at)), out, at);
        }
    }
}

/// Reads z from the room for h', and writes h' there.
struct FloatUpdate<'a, const F: u32, const NON_DEFAULT: bool> {
    activations: Activations<F, NON_DEFAULT>,
    h: Iter<'a, [f32; LANES]>,
    next: IterMut<'a, [f32; LANES]>,
}

impl<S: Float, const F: u32, const NON_DEFAULT: bool> panels::Update<S, 1>
    for FloatUpdate<'_, F, NON_DEFAULT>
{
    #[inline(always)]
    fn update(&mut self, isa: S, [n]: &[S::Panel; 1], _x_part: &S::Panel) {
        let (Some(h), Some(next)) = (self.h.next(), self.next.next()) else {
            debug_assert!(false, "a panel without room for its states");
            return;
        };
        for at in (0..LANES).step_by(S::WIDTH) {
            let n = self.activations.value(isa, isa.take(n, at));
            isa.store(blend(isa, isa.load(next, at), isa.load(h, at), n), next, at);
        }
    }
}

impl Layer<I8> for GruResetBefore {
    const ACTIVATIONS: &'static [Activation] = cell::INT_VALUES;
    const RECURRENT_ACTIVATIONS: &'static [Activation] = cell::INT_GATES;
    const RECURRENT: bool = true;

    // The blocks of r, four units each; then blocks of four units with their rows of z and of n.
    fn weights(r: &LayerRecord) -> Option<usize> {
        r.units().div_ceil(ROWS).checked_mul(blocks::recurrent_stride(r)?.checked_mul(GATES)?)
    }

    // The state, two buffers of h as activations, and r h, all in `i16`.
    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        state_words(r).checked_mul(4)
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
    let (activations, frac) = (Activations::<F, NON_DEFAULT>::of(r), u32::from(r.frac));
    let (state, rest) = memory.split_at_mut_checked(state_words(r))?;
    let (buffers, reset) = rest.split_at_mut_checked(quads(r.units()))?;
    let state: &mut [i16] = bytemuck::try_cast_slice_mut(state).ok()?;
    let (h, next) = previous_and_next(bytemuck::try_cast_slice_mut(buffers).ok()?, phase)?;
    let reset: &mut [i16] = bytemuck::try_cast_slice_mut(reset).ok()?;
    let (mut of_r, mut rest) = weights.split_at_checked(weights.len() / GATES)?;
    let size = ROWS * S::BLOCKS;
    let operands = blocks::Recurrent::<F>::new(r, x, h);
    let gate = operands.words();
    let (mut old, mut new) = (state.get(..r.units())?, reset.get_mut(..r.units())?);
    while !old.is_empty() {
        let blocks = blocks::take_blocks::<S>(&mut of_r, gate);
        let (state, out) = (blocks::take(&mut old, size), blocks::take_mut(&mut new, size));
        let mut r: [S::W; ROWS] = operands.pre_activations::<S, ROWS, true>(isa, blocks, gate, 0);
        let h: [S::W; ROWS] = isa.load_i16(state);
        for k in 0..ROWS {
            if !blocks::has_units::<S>(k, out.len()) {
                break;
            }
            let t = activations.gate_i32(isa, r[k]);
            let gated = isa.add_i32(isa.half(h[k]), isa.mulr(h[k], t)); // h/2 + h t/2
            r[k] = blocks::from_full_scale(isa, gated, frac);
        }
        isa.store_i16(r, out);
    }
    let of_reset = blocks::Recurrent::<F>::new(r, x, reset);
    let (mut states, mut new) = (state.get_mut(..r.units())?, next.get_mut(..r.units())?);
    while !new.is_empty() {
        let blocks = blocks::take_blocks::<S>(&mut rest, 2 * gate);
        let (state, next) = (blocks::take_mut(&mut states, size), blocks::take_mut(&mut new, size));
        let z: [S::W; ROWS] = operands.pre_activations::<S, ROWS, true>(isa, blocks, 2 * gate, 0);
        let n: [S::W; ROWS] = of_reset.pre_activations::<S, ROWS, true>(isa, blocks, 2 * gate, gate);
        let mut out: [S::W; ROWS] = isa.load_i16(state);
        for k in 0..ROWS {
            if !blocks::has_units::<S>(k, next.len()) {
                break;
            }
            out[k] = int_blend(isa, activations, z[k], out[k], n[k]);
        }
        store_state(isa, out, frac, state, next);
    }
    Some(next)
}
