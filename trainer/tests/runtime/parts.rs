//! Model files decomposed into layers, modified, and assembled again with a valid CRC-32.

use embedded_rnn::format::LayerRecord;
use embedded_rnn::{Backend, Error, F16, F32, I8, LayerFault, Model, Number};

use crate::crafted::Place;
use crate::files::{Layer, file, layers_of};
use crate::running::{Session, model};
use crate::stacks::{self, Stack};

/// A stack of every kind except Embedding, with the same layer indices in every dtype.
pub const CHAIN: Stack<'static> = Stack::of(
    2,
    "{ type = 'Masking' }, { type = 'Normalization' },
     { type = 'Bidirectional', layer = { type = 'GRU', units = 3, return_sequences = true } },
     { type = 'SimpleRNN', units = 2, return_sequences = true },
     { type = 'LSTM', units = 2, return_sequences = true },
     { type = 'BatchNormalization' }, { type = 'LayerNormalization' },
     { type = 'GRU', units = 2, reset_after = false }, { type = 'Dense', units = 3 }",
);
pub const MASKING: usize = 0;
pub const NORMALIZATION: usize = 1;
pub const FORWARD: usize = 2;
pub const BACKWARD: usize = 3;
pub const MERGE: usize = 4;
pub const RNN: usize = 5;
pub const LSTM: usize = 6;
pub const BATCH: usize = 7;
pub const LAYER: usize = 8;
pub const GRU: usize = 9;
pub const DENSE: usize = 10;

/// An encoder and a decoder.
pub const PAIR: Stack<'static> = Stack::of(
    1,
    "{ type = 'Embedding', input_dim = 5, output_dim = 2, mask_zero = true },
     { type = 'LSTM', units = 2, return_sequences = true }, { type = 'GRU', units = 3 }",
)
.with_decoder(
    "{ type = 'Embedding', input_dim = 4, output_dim = 2 },
     { type = 'LSTM', units = 2, return_sequences = true },
     { type = 'GRU', units = 3, return_sequences = true },
     { type = 'Dense', units = 4, activation = 'softmax' }",
);
pub const DECODER_EMBEDDING: usize = 3;
pub const DECODER_LSTM: usize = 4;
pub const DECODER_GRU: usize = 5;
pub const HEAD: usize = 6;

/// The layers of a file, which a test modifies.
pub struct Parts {
    pub layers: Vec<Layer>,
    pub decoder_at: usize,
}

impl Parts {
    pub fn of<N: Session>(stack: &Stack<'_>) -> Self {
        let (file, _) = stacks::file::<N>(stack, false);
        let decoder_at = model::<N>(&file, Backend::portable()).preamble().decoder_at as usize;
        Self { layers: layers_of::<N>(&file), decoder_at }
    }

    pub fn record(&mut self, place: usize) -> &mut LayerRecord {
        &mut self.layers[place].record
    }

    pub fn error<N: Number>(&self) -> Option<Error> {
        Model::<N>::new(&file::<N>(&self.layers, self.decoder_at)).err()
    }
}

/// A modification that violates one rule, and the expected error.
pub type Violation = (fn(&mut Parts), Error);

pub fn fault(index: usize, reason: LayerFault) -> Error {
    Error::Layer { index: index as u16, reason }
}

pub fn section(name: &'static str) -> Error {
    Error::Section { name }
}

/// Asserts that each violation is rejected with its error.
pub fn assert_rejected<N: Session>(stack: &Stack<'_>, violations: &[Violation]) {
    assert_eq!(Parts::of::<N>(stack).error::<N>(), None);
    for (number, (change, expected)) in violations.iter().enumerate() {
        let _place = Place((N::DTYPE, "number", number, expected));
        let mut parts = Parts::of::<N>(stack);
        change(&mut parts);
        assert_eq!(parts.error::<N>(), Some(*expected));
    }
}

/// Asserts that each violation is rejected with its error, in every dtype.
pub fn assert_rejected_everywhere(stack: &Stack<'_>, violations: &[Violation]) {
    assert_rejected::<F32>(stack, violations);
    assert_rejected::<F16>(stack, violations);
    assert_rejected::<I8>(stack, violations);
}
