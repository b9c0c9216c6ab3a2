//! `y = activation(x)`, every value for itself or all of a time step together: Keras's Activation where no
//! layer with pre-activations before it applies the function itself.

use super::{Layer, padded};
use crate::activation::float::{Function, activate, fold, normalize};
use crate::format::{
    Activation as Code, LANES, LayerRecord, MAX_INPUT_FRAC, TABLE_INTERVAL_BITS as INTERVAL_BITS, TABLE_WORDS,
};
use crate::isa::Isa;
use crate::number::{FloatNumber, I8, Step, quads};

pub struct Activation;

impl<N: FloatNumber> Layer<N> for Activation {
    const ACTIVATIONS: &'static [Code] = Code::ELEMENTWISE;
    const OVER_UNITS: &'static [Code] = &[Code::Softmax, Code::LogSoftmax];
    const ACTIVATION_PARAMETER: bool = true;
    const RECURRENT: bool = false;

    fn weights(r: &LayerRecord) -> Option<usize> {
        (r.units == r.input_size).then_some(0)
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
        let Step { x, record, .. } = step;
        let (function, units) = (Function::of(record), record.units());
        for (y, &x) in memory.iter_mut().zip(x.get(..units)?) {
            *y = x;
        }
        let fold = isa.splat(fold(function.code));
        for panel in memory.as_chunks_mut::<LANES>().0 {
            for at in (0..LANES).step_by(S::WIDTH) {
                let v = isa.mul(isa.load(panel, at), fold);
                isa.store(activate::<S, F>(isa, function, v), panel, at);
            }
        }
        let y = memory.get_mut(..units)?;
        normalize::<F>(function.code, y);
        Some(y)
    }
}

impl Layer<I8> for Activation {
    // The table holds the function; code and parameter in the record are for readers of the file.
    const ACTIVATIONS: &'static [Code] = Code::ELEMENTWISE;
    const ACTIVATION_PARAMETER: bool = true;
    const RECURRENT: bool = false;
    const HAS_INPUT_FRAC: bool = true;

    // Values at the ends of the intervals, two `i16` to a word, the first in the low half; the last half is
    // not used.
    fn weights(r: &LayerRecord) -> Option<usize> {
        (r.units == r.input_size).then_some(TABLE_WORDS)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(quads(r.units()) / 2)
    }

    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        _isa: S,
        step: Step<'a, I8>,
        memory: &'a mut [i32],
    ) -> Option<&'a [i16]> {
        let Step { x, record, weights, .. } = step;
        let acts: &mut [i16] = bytemuck::try_cast_slice_mut(memory).ok()?;
        let table: &[i16] = bytemuck::try_cast_slice(weights).ok()?;
        let shift = MAX_INPUT_FRAC.wrapping_sub(record.input_frac.into());
        let end = 1i32.wrapping_shl(record.input_frac.into());
        for (act, &x) in acts.iter_mut().zip(x.get(..record.units())?) {
            let x = i32::from(x).max(end.wrapping_neg()).min(end);
            let index = x.wrapping_shl(shift).wrapping_add(1 << MAX_INPUT_FRAC) as usize;
            let (interval, part) = (index >> INTERVAL_BITS, (index & ((1 << INTERVAL_BITS) - 1)) as i32);
            let &[from, to] = table.get(interval..)?.first_chunk::<2>()?;
            *act = between(from.into(), to.into(), part) as i16;
        }
        Some(acts)
    }
}

/// Returns `from + (to - from) part / 2^7`, to the nearest, halves up: a value between the two.
#[inline(always)]
fn between(from: i32, to: i32, part: i32) -> i32 {
    from + (((to - from) * part + (1 << (INTERVAL_BITS - 1))) >> INTERVAL_BITS)
}
