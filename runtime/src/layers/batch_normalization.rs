//! `y = x * scale + offset` per feature, between other layers; the packer has folded statistics, gamma and
//! beta.

use super::Layer;
use super::normalization::Normalization;
use crate::format::{Activation, LINEAR_FRAC, LayerRecord};
use crate::isa::{Isa, mulr, shr_round};
use crate::number::{FloatNumber, I8, Step, quads};

pub struct BatchNormalization;

impl<N: FloatNumber> Layer<N> for BatchNormalization {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = false;

    fn weights(r: &LayerRecord) -> Option<usize> {
        <Normalization as Layer<N>>::weights(r)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(r.units())
    }

    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        isa: S,
        step: Step<'a, N>,
        memory: &'a mut [f32],
    ) -> Option<&'a [f32]> {
        <Normalization as Layer<N>>::forward::<S, F>(isa, step, memory)
    }
}

/// Converts the pre-activation of a linear unit to an activation of `frac` fraction bits.
#[inline(always)]
pub fn linear(p: i32, frac: u8) -> i16 {
    let end = 1i32.wrapping_shl(frac.into());
    shr_round(p, LINEAR_FRAC.wrapping_sub(frac.into())).max(end.wrapping_neg()).min(end) as i16
}

impl Layer<I8> for BatchNormalization {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = false;
    const HAS_INPUT_FRAC: bool = true;

    // Multipliers, then offsets.
    fn weights(r: &LayerRecord) -> Option<usize> {
        <Normalization as Layer<I8>>::weights(r)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(quads(r.units()) / 2)
    }

    // `mulr(x << (30 - input_frac), multiplier) + offset`, rounded as linear units are.
    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        _isa: S,
        step: Step<'a, I8>,
        memory: &'a mut [i32],
    ) -> Option<&'a [i16]> {
        let Step { x, record, weights, .. } = step;
        let acts: &mut [i16] = bytemuck::try_cast_slice_mut(memory).ok()?;
        let (multipliers, offsets) = weights.split_at_checked(record.units())?;
        let shift = 30u32.wrapping_sub(record.input_frac.into());
        for (((act, &x), &multiplier), &offset) in acts.iter_mut().zip(x).zip(multipliers).zip(offsets) {
            *act =
                linear(mulr(i32::from(x).wrapping_shl(shift), multiplier).wrapping_add(offset), record.frac);
        }
        Some(acts)
    }
}
