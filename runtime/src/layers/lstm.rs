//! Long short-term memory.
//!
//! ```text
//! i = s(Wi x + Ui h + bi)   f = s(Wf x + Uf h + bf)   g = act(Wg x + Ug h + bg)   o = s(Wo x + Uo h + bo)
//! c' = f c + i g            h' = o act(c')
//! ```
//!
//! s is sigmoid and act tanh, unless the record names others. Gate order i, f, g, o. The rows of a sigmoid
//! hold half of their weights: s(v) = 1/2 + tanh(v/2)/2.

use super::cell::{self, Activations, by_activations};
use super::{Layer, blocks, padded, panels, previous_and_next, written};
use crate::format::{Activation, BLOCK_ROWS, CELL_LIMIT, LANES, LayerRecord, MAX_CELL_FRAC, min_cell_frac};
use crate::isa::{Float, Int, IntLstm, Isa};
use crate::number::{FloatNumber, I8, Step, quads};
use core::marker::PhantomData;
use core::ops::Range;
use core::slice::IterMut;

pub struct Lstm;

/// The gates i, f, g, o: the rows of an integer block.
const GATES: usize = BLOCK_ROWS;

impl<N: FloatNumber> Layer<N> for Lstm {
    const ACTIVATIONS: &'static [Activation] = Activation::ELEMENTWISE;
    const RECURRENT_ACTIVATIONS: &'static [Activation] = Activation::ELEMENTWISE;
    const RECURRENT: bool = true;

    fn weights(r: &LayerRecord) -> Option<usize> {
        panels::words(GATES, r.units(), r.input_size().checked_add(r.units())?)
    }

    // c, then two buffers of h.
    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        padded(r.units()).checked_mul(3)
    }

    fn state(r: &LayerRecord, phase: bool) -> [Range<usize>; 2] {
        let len = padded(r.units());
        [0..len, written(len, len, phase)]
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
    let (c, h) = memory.split_at_mut_checked(padded(units))?;
    let (h, next) = previous_and_next(h, phase)?;
    let update = FloatUpdate {
        activations: Activations::<F, NON_DEFAULT>::of(record),
        c: c.as_chunks_mut::<LANES>().0.iter_mut(),
        h: next.as_chunks_mut::<LANES>().0.iter_mut(),
    };
    panels::for_each(isa, units, weights, x, h.get(..units)?, update);
    next.get(..units)
}

/// The states of the panels still to come.
struct FloatUpdate<'a, const F: u32, const NON_DEFAULT: bool> {
    activations: Activations<F, NON_DEFAULT>,
    c: IterMut<'a, [f32; LANES]>,
    h: IterMut<'a, [f32; LANES]>,
}

impl<S: Float, const F: u32, const NON_DEFAULT: bool> panels::Update<S, GATES>
    for FloatUpdate<'_, F, NON_DEFAULT>
{
    #[inline(always)]
    fn update(&mut self, isa: S, sums: &[S::Panel; GATES], _x_part: &S::Panel) {
        let (Some(c), Some(h)) = (self.c.next(), self.h.next()) else {
            debug_assert!(false, "a panel without room for its states");
            return;
        };
        if S::CELLS && !NON_DEFAULT {
            isa.lstm_cell(sums, c, h);
            return;
        }
        let [i, f, g, o] = sums;
        for at in (0..LANES).step_by(S::WIDTH) {
            let (i, f) = self.activations.two_gates(isa, isa.take(i, at), isa.take(f, at));
            let (g, o) = self.activations.value_and_gate(isa, isa.take(g, at), isa.take(o, at));
            let new = isa.mul_add(f, isa.load(c, at), isa.mul(i, g));
            isa.store(new, c, at);
            isa.store(isa.mul(o, self.activations.of_state(isa, new)), h, at);
        }
    }
}

impl Layer<I8> for Lstm {
    const ACTIVATIONS: &'static [Activation] = cell::INT_VALUES;
    const RECURRENT_ACTIVATIONS: &'static [Activation] = cell::INT_GATES;
    const RECURRENT: bool = true;

    fn scales_fit(r: &LayerRecord) -> bool {
        (min_cell_frac(r.activation)..=MAX_CELL_FRAC).contains(&r.cell_frac.into())
    }

    fn weights(r: &LayerRecord) -> Option<usize> {
        blocks::recurrent_stride(r)?.checked_mul(r.units())
    }

    // c in `i32`, then two buffers of h in `i16`.
    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        r.units().checked_add(quads(r.units()))
    }

    fn state(r: &LayerRecord, phase: bool) -> [Range<usize>; 2] {
        [0..r.units(), written(r.units(), quads(r.units()) / 2, phase)]
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
    let (c, h) = memory.split_at_mut_checked(r.units())?;
    let (h, next) = previous_and_next(bytemuck::try_cast_slice_mut(h).ok()?, phase)?;
    let activations = Activations::<F, NON_DEFAULT>::of(r);
    let (cell_frac, frac) = (u32::from(r.cell_frac) & 31, u32::from(r.frac));
    let operands = blocks::Recurrent::<F>::new(r, x, h);
    if S::LSTM && !NON_DEFAULT && !operands.has_separate_scales() {
        let (x, h) = (blocks::words(x), blocks::words(h));
        let next_units = next.get_mut(..r.units())?;
        isa.lstm(IntLstm { blocks: weights, x, h, c, next: next_units, cell_frac, frac });
        return Some(next);
    }
    let update = IntUpdate { activations, cell_frac, frac, targets: PhantomData };
    let targets = S::groups(c).zip(S::groups(next.get_mut(..r.units())?));
    blocks::for_each::<S, GATES, _, _>(isa, weights, &operands, targets, update);
    Some(next)
}

/// The update of the units of [`Int::BLOCKS`] blocks; the targets are their c and their next h.
struct IntUpdate<'a, const F: u32, const NON_DEFAULT: bool> {
    activations: Activations<F, NON_DEFAULT>,
    cell_frac: u32,
    frac: u32,
    targets: PhantomData<&'a mut [i32]>,
}

impl<'a, S: Int, const F: u32, const NON_DEFAULT: bool> blocks::Update<S, GATES>
    for IntUpdate<'a, F, NON_DEFAULT>
{
    const UNITS: bool = false;
    type Target = (&'a mut [i32], &'a mut [i16]);

    #[inline(always)]
    fn update(&self, isa: S, p: [S::W; GATES], (c, h): Self::Target) {
        let [i, f, g, o] = self.activations.lstm_i32(isa, p);
        let old = isa.load_i32(c);
        let kept = isa.add_i32(isa.half(old), isa.mulr(old, f)); // f c = c/2 + c t/2
        let gained = isa.add_i32(isa.half(g), isa.mulr(g, i)); // i g, 31 fraction bits
        let new = isa.add_rounded(kept, gained, 31u32.wrapping_sub(self.cell_frac));
        let new = isa.clamp(new, -CELL_LIMIT, CELL_LIMIT - 1);
        isa.store_i32([new], c);
        let t = self.activations.of_state_i32(isa, new, self.cell_frac);
        let out = isa.add_i32(isa.half(t), isa.mulr(t, o));
        isa.store_i16([blocks::from_full_scale(isa, out, self.frac)], h);
    }
}
