//! The vanilla recurrent layer: `h' = activation(W x + U h + b)`.

use super::{Layer, blocks, padded, panels, previous_and_next, written};
use crate::activation::float::Function;
use crate::format::{Activation, BLOCK_ROWS, LANES, LayerRecord};
use crate::isa::Isa;
use crate::number::{FloatNumber, I8, Step, quads};
use core::ops::Range;

pub struct SimpleRnn;

const INT_ACTIVATIONS: &[Activation] = &[
    Activation::Tanh,
    Activation::Relu,
    Activation::Linear,
    Activation::Sigmoid,
    Activation::HardSigmoid,
    Activation::HardSigmoidKeras1,
    Activation::TanhWide,
    Activation::SigmoidWide,
];

impl<N: FloatNumber> Layer<N> for SimpleRnn {
    const ACTIVATIONS: &'static [Activation] = Activation::ELEMENTWISE;
    const RECURRENT: bool = true;

    fn weights(r: &LayerRecord) -> Option<usize> {
        panels::words(1, r.units(), r.input_size().checked_add(r.units())?)
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
        let Step { x, record, weights, phase, .. } = step;
        let units = record.units();
        let (h, next) = previous_and_next(memory, phase)?;
        let function = Function::of(record);
        let out = next.as_chunks_mut::<LANES>().0.iter_mut();
        let update = panels::Activate::<F> { function, out };
        panels::for_each(isa, units, weights, x, h.get(..units)?, update);
        next.get(..units)
    }
}

impl Layer<I8> for SimpleRnn {
    const ACTIVATIONS: &'static [Activation] = INT_ACTIVATIONS;
    const RECURRENT: bool = true;

    fn weights(r: &LayerRecord) -> Option<usize> {
        r.units().div_ceil(BLOCK_ROWS).checked_mul(blocks::recurrent_stride(r)?)
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
        let Step { x, record: r, weights, phase, .. } = step;
        let (h, next) = previous_and_next(bytemuck::try_cast_slice_mut(memory).ok()?, phase)?;
        let operands = blocks::Recurrent::<F>::new(r, x, h);
        blocks::activate_into(isa, r, weights, &operands, next.get_mut(..r.units())?);
        Some(next)
    }
}
