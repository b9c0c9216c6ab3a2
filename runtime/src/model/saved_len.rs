//! The length of a saved state, computed from the bytes of the file while a program is built.

use super::saved::OVERHEAD;
use crate::format::{DType, LANES, dtype, facts};
use crate::layers::Kind;
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
    let mut words = 0;
    let mut layer = 0;
    while layer < facts::layer_count(bytes) {
        let (kind, units, _) = facts::layer(bytes, layer);
        words += state_words(kind, units, integers);
        layer += 1;
    }
    OVERHEAD + 4 * words
}

/// Counts the words of `h` and `c` that a layer leaves behind, as its `Layer::state` places them.
const fn state_words(kind: u8, units: usize, integers: bool) -> usize {
    const LSTM: u8 = Kind::Lstm as u8;
    const GRU: u8 = Kind::Gru as u8;
    const GRU_RESET_BEFORE: u8 = Kind::GruResetBefore as u8;
    const SIMPLE_RNN: u8 = Kind::SimpleRnn as u8;
    let (h, c) = if integers {
        (quads(units) / 2, units)
    } else {
        let padded = units.next_multiple_of(LANES);
        (padded, padded)
    };
    match kind {
        LSTM => h + c,
        GRU | GRU_RESET_BEFORE | SIMPLE_RNN => h,
        _ => 0,
    }
}
