//! Long short-term memory.
//!
//! ```text
//! i = s(Wi x + Ui h + bi)   f = s(Wf x + Uf h + bf)   g = act(Wg x + Ug h + bg)   o = s(Wo x + Uo h + bo)
//! c' = f c + i g            h' = o act(c')
//! ```
//!
//! s is sigmoid and act tanh, unless the record says otherwise. Gate order i, f, g, o. The rows of a sigmoid hold half of
//! their weights: s(v) = 1/2 + tanh(v/2)/2.

use super::cell::{self, Activations, by_activations};
use super::{Layer, View, blocks, padded, panels, previous_and_next, quads, written};
use crate::activation::int::{LINEAR_FRAC, PRE_FRAC, UNIT_FRAC};
use crate::format::{Activation, LayerRecord};
use crate::isa::{Float, Int, Isa, LANES};
use crate::number::{FloatNumber, I8};
use core::marker::PhantomData;
use core::ops::Range;
use core::slice::IterMut;

pub struct Lstm;
const GATES: usize = 4;

impl<N: FloatNumber> Layer<N> for Lstm {
    const ACTIVATIONS: &'static [Activation] = Activation::ELEMENTWISE;
    const RECURRENT_ACTIVATIONS: &'static [Activation] = Activation::ELEMENTWISE;
    const RECURRENT: bool = true;

    fn weights(r: &LayerRecord) -> Option<usize> {
        panels::words(GATES, r.units(), r.input_size().checked_add(r.units())?)
    }

    /// c, then two buffers of h.
    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        padded(r.units()).checked_mul(3)
    }

    fn state(r: &LayerRecord, phase: bool) -> [Range<usize>; 2] {
        let len = padded(r.units());
        [0..len, written(len, len, phase)]
    }

    #[inline(always)]
    fn step<'a, S: Isa, const F: u32>(
        isa: S,
        layer: View<'a, N>,
        x: &[f32],
        memory: &'a mut [f32],
        phase: bool,
    ) -> Option<&'a [f32]> {
        by_activations!(F, layer.record, float_step::<N, S>(isa, layer, x, memory, phase))
    }
}

#[inline(always)]
fn float_step<'a, N: FloatNumber, S: Isa, const F: u32, const OTHER: bool>(
    isa: S,
    layer: View<'a, N>,
    x: &[f32],
    memory: &'a mut [f32],
    phase: bool,
) -> Option<&'a [f32]> {
    let units = layer.record.units();
    let (c, h) = memory.split_at_mut_checked(padded(units))?;
    let (h, next) = previous_and_next(h, phase)?;
    let update = FloatUpdate {
        activations: Activations::<F, OTHER>::of(layer.record),
        c: c.as_chunks_mut::<LANES>().0.iter_mut(),
        h: next.as_chunks_mut::<LANES>().0.iter_mut(),
    };
    panels::for_each(isa, layer.weights, x, h.get(..units)?, update);
    next.get(..units)
}

/// The states of the panels still to come.
struct FloatUpdate<'a, const F: u32, const OTHER: bool> {
    activations: Activations<F, OTHER>,
    c: IterMut<'a, [f32; LANES]>,
    h: IterMut<'a, [f32; LANES]>,
}

impl<S: Float, const F: u32, const OTHER: bool> panels::Update<S, GATES> for FloatUpdate<'_, F, OTHER> {
    #[inline(always)]
    fn update(&mut self, isa: S, [i, f, g, o]: &[S::Panel; GATES], _apart: &S::Panel) {
        let (Some(c), Some(h)) = (self.c.next(), self.h.next()) else { return };
        for at in (0..LANES).step_by(S::WIDTH) {
            let i = self.activations.gate(isa, isa.take(i, at));
            let f = self.activations.gate(isa, isa.take(f, at));
            let g = self.activations.value(isa, isa.take(g, at));
            let o = self.activations.gate(isa, isa.take(o, at));
            let new = isa.mul_add(f, isa.load(c, at), isa.mul(i, g));
            isa.store(new, c, at);
            isa.store(isa.mul(o, self.activations.of_state(isa, new)), h, at);
        }
    }
}

/// Least fraction bits of an integer cell state, those of its activation's argument; a range of +-4096 for tanh.
fn least_frac(activation: u8) -> u32 {
    match Activation::from_code(activation) {
        Some(Activation::Relu | Activation::Linear) => UNIT_FRAC + LINEAR_FRAC + 1,
        _ => PRE_FRAC + 2,
    }
}
/// Most fraction bits of an integer cell state: a range of +-2.
const MOST_FRAC: u32 = 29;
/// The cell state saturates here, so that `f c + i g` cannot overflow.
pub const CELL_LIMIT: i32 = 1 << 30;

impl Layer<I8> for Lstm {
    const ACTIVATIONS: &'static [Activation] = cell::INT_VALUES;
    const RECURRENT_ACTIVATIONS: &'static [Activation] = cell::INT_GATES;
    const RECURRENT: bool = true;

    fn scales_fit(r: &LayerRecord) -> bool {
        (least_frac(r.activation)..=MOST_FRAC).contains(&r.cell_frac.into())
    }

    fn weights(r: &LayerRecord) -> Option<usize> {
        blocks::stride(GATES, &[r.input_size(), r.units()])?.checked_mul(r.units())
    }

    /// c in `i32`, then two buffers of h in `i16`.
    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        r.units().checked_add(quads(r.units()))
    }

    fn state(r: &LayerRecord, phase: bool) -> [Range<usize>; 2] {
        [0..r.units(), written(r.units(), quads(r.units()) / 2, phase)]
    }

    #[inline(always)]
    fn step<'a, S: Isa, const F: u32>(
        isa: S,
        layer: View<'a, I8>,
        x: &[i16],
        memory: &'a mut [i32],
        phase: bool,
    ) -> Option<&'a [i16]> {
        by_activations!(F, layer.record, int_step::<S>(isa, layer, x, memory, phase))
    }
}

#[inline(always)]
fn int_step<'a, S: Isa, const F: u32, const OTHER: bool>(
    isa: S,
    layer: View<'a, I8>,
    x: &[i16],
    memory: &'a mut [i32],
    phase: bool,
) -> Option<&'a [i16]> {
    let r = layer.record;
    let (c, h) = memory.split_at_mut_checked(r.units())?;
    let (h, next) = previous_and_next(bytemuck::try_cast_slice_mut(h).ok()?, phase)?;
    let activations = Activations::<F, OTHER>::of(r);
    let update = IntUpdate { activations, frac: u32::from(r.cell_frac) & 31, places: PhantomData };
    let sides = [(x, r.x_shift), (&*h, r.h_shift)];
    let places = S::places(c).zip(S::places(next.get_mut(..r.units())?));
    blocks::for_each::<S, GATES, 2, _>(isa, layer.weights, sides, places, update);
    Some(next)
}

/// The step of a few units; their places are those of c and of the next h.
struct IntUpdate<'a, const F: u32, const OTHER: bool> {
    activations: Activations<F, OTHER>,
    frac: u32,
    places: PhantomData<&'a mut [i32]>,
}

impl<'a, S: Int, const F: u32, const OTHER: bool> blocks::Update<S, GATES> for IntUpdate<'a, F, OTHER> {
    type Place = (&'a mut [i32], &'a mut [i16]);

    #[inline(always)]
    fn update(&self, isa: S, [i, f, g, o]: [S::W; GATES], (c, h): Self::Place) {
        // Brings i*g (31 fraction bits) to c's unit.
        let into_c = isa.splat_i32(1i32.wrapping_shl(self.frac + 1));
        let i = self.activations.gate_i32(isa, i);
        let f = self.activations.gate_i32(isa, f);
        let g = self.activations.value_i32(isa, g);
        let o = self.activations.gate_i32(isa, o);
        let old = isa.load_i32(c);
        let kept = isa.add_i32(isa.half(old), isa.mulr(old, f)); // f c = c/2 + c t/2
        let gained = isa.add_i32(isa.half(g), isa.mulr(g, i)); // i g, 31 fraction bits
        let new = isa.add_i32(kept, isa.mulr(gained, into_c));
        let new = isa.clamp(new, -CELL_LIMIT, CELL_LIMIT - 1);
        isa.store_rows([new], c);
        let t = self.activations.of_state_i32(isa, new, self.frac);
        let out = isa.add_i32(isa.half(t), isa.mulr(t, o));
        isa.store_i16([isa.shr_round::<16>(out)], h);
    }
}
