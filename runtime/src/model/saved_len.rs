//! The length of a saved state, computed from the bytes of the file while a program is built.

use super::saved::OVERHEAD;
use crate::format::{DType, LANES, MAX_SIZE, dtype, facts};
use crate::layers::{ALL_FEATURES, Kind};
use crate::number::quads;

/// Computes the most bytes that a saved state of this model has: the length of the buffer for
/// [`State::save`](crate::State::save).
///
/// ```
/// use embedded_rnn::{F32, Model, Ram, include_model, ram_needed, saved_len};
///
/// static MODEL: &[u8] = include_model!("../../tests/data/tiny.ernn");
///
/// let model = Model::<F32>::new(MODEL)?;
/// let mut ram = Ram::<{ ram_needed(MODEL) }>::new();
/// let mut state = model.state(&mut ram)?;
/// model.step(&mut state, &[0.5, -0.25])?;
///
/// let mut buffer = [0; saved_len(MODEL)];
/// let saved = state.save(&model, &mut buffer)?;
/// state.reset();
/// state.restore(&model, saved)?; // the sequence goes on where it was
/// # Ok::<(), embedded_rnn::Error>(())
/// ```
pub const fn saved_len(bytes: &[u8]) -> usize {
    let integers = matches!(dtype(bytes), Some(DType::I8));
    let mut words: usize = 0;
    let mut layer = 0;
    while layer < facts::layer_count(bytes) {
        let (kind, units, _) = facts::layer(bytes, layer);
        words = words.saturating_add(state_words(kind, units, integers));
        layer += 1;
    }
    words.saturating_mul(4).saturating_add(OVERHEAD)
}

/// Counts the words that a layer leaves behind, `h` and `c` of a cell, as its `Layer::state` places them.
/// There is no arm for all other kinds, so that a new one has to state what it saves.
const fn state_words(kind: u8, units: usize, integers: bool) -> usize {
    let units = if units > MAX_SIZE as usize { MAX_SIZE as usize } else { units }; // No model has more.
    let (acts, h, c) = if integers {
        (quads(units) / 2, quads(units) / 2, units)
    } else {
        let padded = units.next_multiple_of(LANES);
        (units, padded, padded)
    };
    let Some(kind) = Kind::from_code(kind, ALL_FEATURES) else { return 0 };
    match kind {
        Kind::Lstm => h + c,
        // Integers have a state that is finer than the activations.
        Kind::Gru | Kind::GruResetBefore if integers => 2 * h,
        Kind::Gru | Kind::GruResetBefore | Kind::SimpleRnn => h,
        Kind::GlobalMaxPooling1D => 1 + acts,
        Kind::GlobalAveragePooling1D if integers => 1 + units + acts,
        Kind::GlobalAveragePooling1D => 1 + 2 * units + acts,
        Kind::Normalization
        | Kind::Dense
        | Kind::Embedding
        | Kind::Bidirectional
        | Kind::BatchNormalization
        | Kind::LayerNormalization
        | Kind::Masking
        | Kind::Activation
        | Kind::Add => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::LayerRecord;
    use crate::number::{Dispatch, F16, F32, I8, Number};

    fn check<N: Number>() {
        for kind in (0..=u8::MAX).filter_map(|code| Kind::from_code(code, ALL_FEATURES)) {
            for units in 1..20 {
                let sizes = bytemuck::Zeroable::zeroed();
                let record = LayerRecord { kind: kind as u8, input_size: 3, units, ..sizes };
                for phase in [false, true] {
                    let state = <N as Dispatch>::state::<ALL_FEATURES>(&record, phase);
                    let words: usize = state.map(|range| range.len()).iter().sum();
                    let counted = state_words(record.kind, record.units(), N::DTYPE == DType::I8);
                    assert_eq!(words, counted, "{kind:?} of {units} units");
                    assert_eq!(words > 0, N::is_recurrent::<ALL_FEATURES>(&record), "{kind:?}");
                    assert_eq!(words > 0, kind.is_recurrent(), "{kind:?}");
                }
            }
        }
    }

    #[test]
    fn the_words_counted_are_those_of_the_state_of_every_kind() {
        check::<F32>();
        check::<F16>();
        check::<I8>();
    }
}
