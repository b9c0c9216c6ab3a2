//! The fully connected layer: `y = activation(W x + b)`.

use super::{Layer, blocks, padded, panels};
use crate::activation::float::{Function, normalize};
use crate::activation::int::{narrowed, sigmoid_of_half, softmax};
use crate::format::{Activation, BLOCK_ROWS as ROWS, LANES, LayerRecord, PRE_FRAC};
use crate::isa::{Int, Isa};
use crate::number::{FloatNumber, I8, Position, Step, quads};
use core::marker::PhantomData;

pub struct Dense;

const INT_ACTIVATIONS: &[Activation] = &[
    Activation::Linear,
    Activation::Relu,
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::HardSigmoid,
    Activation::HardSigmoidKeras1,
    Activation::Softmax,
    Activation::TanhWide,
    Activation::SigmoidWide,
];

impl<N: FloatNumber> Layer<N> for Dense {
    const ACTIVATIONS: &'static [Activation] = Activation::ELEMENTWISE;
    const OVER_UNITS: &'static [Activation] = &[Activation::Softmax, Activation::LogSoftmax];
    const ACTIVATION_PARAMETER: bool = true;
    const RECURRENT: bool = false;

    fn weights(r: &LayerRecord) -> Option<usize> {
        panels::words(1, r.units(), r.input_size())
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(padded(r.units()))
    }

    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        isa: S,
        step: Step<'a, N>,
        memory: &'a mut [f32],
    ) -> Option<&'a [f32]> {
        let Step { x, record, weights, .. } = step;
        let function = Function::of(record);
        let out = memory.as_chunks_mut::<LANES>().0.iter_mut();
        panels::for_each(isa, record.units(), weights, x, &[], panels::Activate::<F> { function, out });
        let out = memory.get_mut(..record.units())?;
        normalize::<F>(function.code, out);
        Some(out)
    }

    fn output_words(r: &LayerRecord) -> usize {
        padded(r.units())
    }

    // The output of a step is the model's.
    #[inline(always)]
    fn memory_at(r: &LayerRecord, _position: Position) -> Option<usize> {
        <Self as Layer<N>>::memory(r)
    }
}

impl Layer<I8> for Dense {
    const ACTIVATIONS: &'static [Activation] = INT_ACTIVATIONS;
    const RECURRENT: bool = false;

    fn weights(r: &LayerRecord) -> Option<usize> {
        r.units().div_ceil(ROWS).checked_mul(blocks::stride(&[r.input_size()])?)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(quads(r.units()) / 2)
    }

    // There is no softmax here: its results are no activations of a next layer.
    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        isa: S,
        step: Step<'a, I8>,
        memory: &'a mut [i32],
    ) -> Option<&'a [i16]> {
        let Step { x, record: r, weights, .. } = step;
        let acts: &mut [i16] = bytemuck::try_cast_slice_mut(memory).ok()?;
        blocks::activate_into(isa, r, weights, &blocks::operand(x), acts.get_mut(..r.units())?);
        Some(acts)
    }

    fn output_words(r: &LayerRecord) -> usize {
        r.units().next_multiple_of(ROWS)
    }

    #[inline(always)]
    fn memory_at(r: &LayerRecord, position: Position) -> Option<usize> {
        match position {
            Position::Inner => <Self as Layer<I8>>::memory(r),
            Position::Last => r.units().checked_next_multiple_of(ROWS),
        }
    }

    // The model's output keeps the pre-activation's 32 bits.
    #[inline(always)]
    fn forward_at<'a, S: Isa, const F: u32>(
        isa: S,
        step: Step<'a, I8>,
        memory: &'a mut [i32],
    ) -> Option<&'a [i16]> {
        if step.position == Position::Inner {
            return Self::forward::<S, F>(isa, step, memory);
        }
        let Step { x, record: r, weights, .. } = step;
        let head = Head { activation: r.activation, out: PhantomData };
        let out = memory.chunks_mut(ROWS * S::BLOCKS);
        blocks::for_each::<S, ROWS, _, _>(isa, weights, &blocks::operand(x), out, head);
        if r.activation == Activation::Softmax as u8 {
            softmax(memory.get_mut(..r.units())?);
        }
        Some(&[])
    }
}

/// The activation of a last layer, which writes words.
struct Head<'a> {
    activation: u8,
    out: PhantomData<&'a mut [i32]>,
}

impl<'a, S: Int> blocks::Update<S, ROWS> for Head<'a> {
    const UNITS: bool = true;
    type Target = &'a mut [i32];

    #[inline(always)]
    fn update(&self, isa: S, mut p: [S::W; ROWS], out: &'a mut [i32]) {
        for (k, p) in p.iter_mut().enumerate() {
            if blocks::has_units::<S>(k, out.len()) {
                *p = blocks::by_code(isa, *p, (self.activation, PRE_FRAC), activate_head::<S>);
            }
        }
        isa.store_i32(p, out);
    }
}

/// Computes an output with `frac` fraction bits, of linear and relu in the layer's own unit; a softmax comes
/// after it.
#[inline(always)]
fn activate_head<S: Int>(isa: S, activation: u8, frac: u32, p: S::W) -> S::W {
    let value = match Activation::from_code(activation) {
        Some(Activation::Relu) => return isa.clamp(p, 0, i32::MAX),
        Some(Activation::Tanh) => isa.tanh_i32(p),
        Some(Activation::TanhWide) => isa.tanh_i32(narrowed(isa, p)),
        Some(Activation::Sigmoid) => sigmoid_of_half(isa, p),
        Some(Activation::SigmoidWide) => sigmoid_of_half(isa, narrowed(isa, p)),
        Some(Activation::HardSigmoid | Activation::HardSigmoidKeras1) => blocks::hard_sigmoid(isa, p),
        _ => return p,
    };
    blocks::from_full_scale(isa, value, frac)
}
