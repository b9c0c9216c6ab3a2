//! The sum of the output of the layer before and the input of an earlier layer: a residual connection.
//!
//! `input_dim` of the record is the number of layers that the connection spans. A walk over the layers keeps
//! the inputs of the last ones; `load` copies the earlier one into the memory of the layer, which then adds
//! its own input to it.

use super::Layer;
use super::batch_normalization::linear;
use crate::format::{Activation, LayerRecord, MAX_SPAN};
use crate::isa::{Isa, mulr};
use crate::number::{FloatNumber, I8, Number, Step, quads};

pub struct Add;

/// The length of the ring of inputs, a power of two.
const KEPT: usize = MAX_SPAN as usize + 1;

/// The inputs of the last layers of a walk.
pub struct Inputs<'a, N: Number> {
    ring: [&'a [N::Act]; KEPT],
    count: usize,
}

impl<'a, N: Number> Inputs<'a, N> {
    /// Starts before the first layer.
    #[inline(always)]
    pub fn new() -> Self {
        Self { ring: [&[]; KEPT], count: 0 }
    }

    /// Adds the input of the next layer.
    #[inline(always)]
    pub fn push(&mut self, x: &'a [N::Act]) {
        self.count = self.count.wrapping_add(1);
        if let Some(slot) = self.ring.get_mut(self.count % KEPT) {
            *slot = x;
        }
    }

    /// Returns the input of the layer `span` layers before the current one.
    #[inline(always)]
    fn earlier(&self, span: u32) -> Option<&'a [N::Act]> {
        self.ring.get(self.count.wrapping_sub(span as usize) % KEPT).copied()
    }
}

/// Returns `true` if the record has a span, and no field of another kind.
fn fields_fit(r: &LayerRecord) -> bool {
    r.merge_mode == 0 && (1..=MAX_SPAN).contains(&r.input_dim)
}

impl<N: FloatNumber> Layer<N> for Add {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = false;

    fn fields_fit(r: &LayerRecord) -> bool {
        fields_fit(r)
    }

    fn weights(r: &LayerRecord) -> Option<usize> {
        (r.input_size == r.units).then_some(0)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(r.units())
    }

    #[inline(always)]
    fn load(r: &LayerRecord, inputs: &Inputs<'_, N>, memory: &mut [f32]) -> Option<()> {
        for (to, &from) in memory.iter_mut().zip(inputs.earlier(r.input_dim)?.get(..r.units())?) {
            *to = from;
        }
        Some(())
    }

    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        _isa: S,
        step: Step<'a, N>,
        memory: &'a mut [f32],
    ) -> Option<&'a [f32]> {
        for (sum, &x) in memory.iter_mut().zip(step.x) {
            *sum += x;
        }
        Some(memory)
    }
}

impl Layer<I8> for Add {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = false;

    fn fields_fit(r: &LayerRecord) -> bool {
        fields_fit(r)
    }

    // A multiplier per operand.
    fn weights(r: &LayerRecord) -> Option<usize> {
        (r.input_size == r.units).then_some(2)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(quads(r.units()) / 2)
    }

    #[inline(always)]
    fn load(r: &LayerRecord, inputs: &Inputs<'_, I8>, memory: &mut [i32]) -> Option<()> {
        let acts: &mut [i16] = bytemuck::try_cast_slice_mut(memory).ok()?;
        for (to, &from) in acts.iter_mut().zip(inputs.earlier(r.input_dim)?.get(..r.units())?) {
            *to = from;
        }
        Some(())
    }

    // `mulr(x << 16, m) + mulr(e << 16, n)`, rounded as linear units are.
    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        _isa: S,
        step: Step<'a, I8>,
        memory: &'a mut [i32],
    ) -> Option<&'a [i16]> {
        let Step { x, record, weights, .. } = step;
        let &[own, earlier] = weights else { return None };
        let acts: &mut [i16] = bytemuck::try_cast_slice_mut(memory).ok()?;
        for (act, &x) in acts.get_mut(..record.units())?.iter_mut().zip(x) {
            let sum = mulr(i32::from(x) << 16, own).wrapping_add(mulr(i32::from(*act) << 16, earlier));
            *act = linear(sum, record.frac);
        }
        Some(acts)
    }
}
