//! `y = activation(x)`, every value for itself or all of a time step together: Keras's Activation where no layer of sums
//! before it has the function as its own.

use super::{Layer, View, padded, quads};
use crate::activation::float::{activate, fold, normalize};
use crate::format::{Activation as Function, LayerRecord};
use crate::isa::{Isa, LANES};
use crate::number::{FloatNumber, I8};

pub struct Activation;

impl<N: FloatNumber> Layer<N> for Activation {
    const ACTIVATIONS: &'static [Function] = Function::ELEMENTWISE;
    const OVER_UNITS: &'static [Function] = &[Function::Softmax, Function::LogSoftmax];

    fn weights(r: &LayerRecord) -> Option<usize> {
        (r.units == r.input_size).then_some(0)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(padded(r.units()))
    }

    #[inline(always)]
    fn step<'a, S: Isa, const F: u32>(
        isa: S,
        layer: View<'a, N>,
        x: &[f32],
        memory: &'a mut [f32],
        _phase: bool,
    ) -> Option<&'a [f32]> {
        let (function, units) = (layer.record.activation, layer.record.units());
        for (y, &x) in memory.iter_mut().zip(x.get(..units)?) {
            *y = x;
        }
        let fold = isa.splat(fold(function));
        for panel in memory.as_chunks_mut::<LANES>().0 {
            for at in (0..LANES).step_by(S::WIDTH) {
                let v = isa.mul(isa.load(panel, at), fold);
                isa.store(activate::<S, F>(isa, function, v), panel, at);
            }
        }
        let y = memory.get_mut(..units)?;
        normalize::<F>(function, y);
        Some(y)
    }
}

/// Bits of an interval's width: 512 of them over all inputs.
const INTERVAL_BITS: u32 = 7;
/// Words of the table: 513 values, two to a word.
const TABLE_WORDS: usize = (1 << (16 - INTERVAL_BITS)) / 2 + 1;

impl Layer<I8> for Activation {
    /// Which function it is says the table; the code is there for those who read the file.
    const ACTIVATIONS: &'static [Function] = Function::ELEMENTWISE;

    /// Values at the ends of the intervals, two `i16` to a word, the first in the low half; the last half is not used.
    fn weights(r: &LayerRecord) -> Option<usize> {
        (r.units == r.input_size).then_some(TABLE_WORDS)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(quads(r.units()) / 2)
    }

    #[inline(always)]
    fn step<'a, S: Isa, const F: u32>(
        _isa: S,
        layer: View<'a, I8>,
        x: &[i16],
        memory: &'a mut [i32],
        _phase: bool,
    ) -> Option<&'a [i16]> {
        let acts: &mut [i16] = bytemuck::try_cast_slice_mut(memory).ok()?;
        let table: &[i16] = bytemuck::try_cast_slice(layer.weights).ok()?;
        for (act, &x) in acts.iter_mut().zip(x.get(..layer.record.units())?) {
            let place = (i32::from(x) + (1 << 15)) as usize;
            let (interval, part) = (place >> INTERVAL_BITS, (place & ((1 << INTERVAL_BITS) - 1)) as i32);
            let &[from, to] = table.get(interval..)?.first_chunk::<2>()?;
            *act = between(from.into(), to.into(), part) as i16;
        }
        Some(acts)
    }
}

/// `from + (to - from) part / 2^7`, to the nearest, halves up: between the two.
#[inline(always)]
fn between(from: i32, to: i32, part: i32) -> i32 {
    from + (((to - from) * part + (1 << (INTERVAL_BITS - 1))) >> INTERVAL_BITS)
}
