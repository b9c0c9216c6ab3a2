//! Each rule of FORMAT.md about the order of layers, violated alone, has its own error.

use embedded_rnn::format::{
    DIRECTION, GO_BACKWARDS, INITIAL_STATE, LayerRecord, MASKS, PREAMBLE_LEN, Preamble, RETURN_SEQUENCES,
};
use embedded_rnn::packing::seal;
use embedded_rnn::{DType, F16, F32, I8, LayerFault, Model};

use crate::crafted::Place;
use crate::files::file;
use crate::parts::*;
use crate::running::Session;
use crate::stacks::Stack;
use crate::variants::FRAC;

#[test]
fn incomplete_bidirectional_layers_are_rejected() {
    use LayerFault::Place;
    assert_rejected_everywhere(
        &CHAIN,
        &[
            (|p| p.layers.swap(FORWARD, BACKWARD), fault(FORWARD, Place)),
            (|p| p.layers.swap(BACKWARD, MERGE), fault(BACKWARD, Place)),
            (|p| _ = p.layers.remove(FORWARD), fault(FORWARD, Place)),
            (|p| _ = p.layers.remove(BACKWARD), fault(BACKWARD, Place)),
            (|p| _ = p.layers.remove(MERGE), fault(MERGE, Place)),
            (|p| p.layers.insert(MERGE, p.layers[BACKWARD].clone()), fault(MERGE, Place)),
            (|p| p.layers.insert(RNN, p.layers[MERGE].clone()), fault(RNN, Place)),
            (|p| p.layers.insert(BACKWARD, p.layers[LAYER].clone()), fault(BACKWARD, Place)),
            (|p| p.layers.truncate(MERGE), section("layers")),
            (|p| p.layers.truncate(BACKWARD), section("layers")),
            (|p| p.record(FORWARD).flags |= GO_BACKWARDS, fault(FORWARD, Place)),
            (|p| p.record(BACKWARD).flags &= !GO_BACKWARDS, fault(BACKWARD, Place)),
            (|p| p.record(FORWARD).flags &= !DIRECTION, fault(BACKWARD, Place)),
            (|p| p.record(BACKWARD).flags &= !DIRECTION, fault(BACKWARD, Place)),
            (|p| p.record(FORWARD).flags &= !RETURN_SEQUENCES, fault(BACKWARD, Place)),
            (|p| p.record(BACKWARD).flags &= !RETURN_SEQUENCES, fault(BACKWARD, Place)),
            (|p| p.record(BACKWARD).units = 4, fault(BACKWARD, Place)),
            (|p| p.record(RNN).flags |= DIRECTION, fault(LSTM, Place)),
        ],
    );
}

#[test]
fn layers_at_invalid_places_are_rejected() {
    use LayerFault::Place;
    assert_rejected_everywhere(
        &CHAIN,
        &[
            (|p| p.layers.swap(MASKING, NORMALIZATION), fault(1, Place)),
            (|p| p.layers.insert(NORMALIZATION, p.layers[MASKING].clone()), fault(1, Place)),
            // A layer with an output per time step after one with an output per sequence.
            (|p| p.record(RNN).flags = 0, fault(LSTM, Place)),
            (|p| p.record(LSTM).flags = 0, fault(GRU, Place)),
        ],
    );
    assert_rejected::<I8>(
        &CHAIN,
        &[
            (|p| _ = p.layers.remove(NORMALIZATION), fault(1, Place)),
            (|p| _ = p.layers.drain(..=NORMALIZATION), fault(0, Place)),
            (|p| p.layers.insert(FORWARD, p.layers[NORMALIZATION].clone()), fault(FORWARD, Place)),
            (|p| p.layers.truncate(1), fault(0, Place)),
            (|p| p.layers.truncate(2), fault(1, Place)),
            (|p| p.layers = vec![p.layers[NORMALIZATION].clone()], fault(0, Place)),
        ],
    );
    assert_rejected_everywhere(
        &PAIR,
        &[
            (|p| p.record(DECODER_EMBEDDING).flags |= MASKS, fault(DECODER_EMBEDDING, Place)),
            (|p| p.record(DECODER_GRU).flags |= GO_BACKWARDS, fault(DECODER_GRU, Place)),
            (|p| p.record(DECODER_GRU).flags |= INITIAL_STATE, fault(DECODER_GRU, Place)),
            (|p| p.record(DECODER_LSTM).flags &= !RETURN_SEQUENCES, fault(DECODER_LSTM, Place)),
            (|p| p.record(DECODER_GRU).flags &= !RETURN_SEQUENCES, fault(DECODER_GRU, Place)),
            // Without a decoder its layers are part of one chain.
            (|p| p.decoder_at = 0, fault(DECODER_EMBEDDING, LayerFault::InputSize)),
        ],
    );
}

#[test]
fn a_softmax_inside_an_integer_model_is_rejected() {
    let mut parts = Parts::of::<I8>(&PAIR);
    let mut head = parts.layers[HEAD].clone();
    head.record.input_size = 4;
    parts.layers.push(head);
    assert_eq!(parts.error::<I8>(), Some(fault(HEAD, LayerFault::Place)));
    parts.record(HEAD).activation = 0;
    assert_eq!(parts.error::<I8>(), None);
}

/// Joins an encoder and a decoder, each with the layers of a model of its own; in integers all activations
/// get equal units.
fn joined<N: Session>(encoder: &str, decoder: &str) -> Parts {
    let mut parts = Parts::of::<N>(&Stack::of(1, encoder));
    parts.decoder_at = parts.layers.len();
    parts.layers.append(&mut Parts::of::<N>(&Stack::of(1, decoder)).layers);
    if N::DTYPE == DType::I8 {
        for layer in &mut parts.layers {
            (layer.record.frac, layer.record.output_scale) = (FRAC, 1.0);
        }
    }
    parts
}

fn assert_decoders_are_rejected<N: Session>() {
    const ENCODER: &str = "{ type = 'Embedding', input_dim = 5, output_dim = 2 },
        { type = 'LSTM', units = 2, return_sequences = true }, { type = 'GRU', units = 3 }";
    const WORDS: &str = "{ type = 'Embedding', input_dim = 4, output_dim = 2 }";
    const LSTM: &str = "{ type = 'LSTM', units = 2, return_sequences = true }";
    const GRU: &str = "{ type = 'GRU', units = 3, return_sequences = true }";
    const DENSE: &str = "{ type = 'Dense', units = 4 }";
    let found = |encoder: &str, decoder: &[&str]| {
        let _place = Place((N::DTYPE, encoder.to_owned(), decoder.join(", ")));
        joined::<N>(encoder, &decoder.join(", ")).error::<N>()
    };
    assert_eq!(found(ENCODER, &[WORDS, LSTM, GRU, DENSE]), None);
    let rejected = Some(section("decoder"));
    // The encoder ends with a layer without state, has no state, or is bidirectional.
    let ends = format!("{ENCODER}, {{ type = 'Dense', units = 3 }}");
    assert_eq!(found(&ends, &[WORDS, LSTM, GRU, DENSE]), rejected);
    assert_eq!(found(WORDS, &[WORDS, DENSE]), rejected);
    let both = "{ type = 'Embedding', input_dim = 5, output_dim = 2 },
        { type = 'Bidirectional', layer = { type = 'LSTM', units = 2, return_sequences = true } },
        { type = 'GRU', units = 3 }";
    assert_eq!(found(both, &[WORDS, LSTM, LSTM, GRU, DENSE]), rejected);
    // The decoder has other states, or another number of them.
    assert_eq!(found(ENCODER, &[WORDS, GRU, LSTM, DENSE]), rejected);
    assert_eq!(found(ENCODER, &[WORDS, LSTM, DENSE]), rejected);
    assert_eq!(found(ENCODER, &[WORDS, LSTM, GRU, GRU, DENSE]), rejected);
    let other = GRU.replace("units = 3", "units = 4");
    assert_eq!(found(ENCODER, &[WORDS, LSTM, &other, DENSE]), rejected);
    let other = GRU.replace("'GRU'", "'SimpleRNN'");
    assert_eq!(found(ENCODER, &[WORDS, LSTM, &other, DENSE]), rejected);
    let other = GRU.replace("units = 3", "units = 3, reset_after = false");
    assert_eq!(found(ENCODER, &[WORDS, LSTM, &other, DENSE]), rejected);
    // The outputs of the decoder are not scores of its ids.
    assert_eq!(found(ENCODER, &[DENSE, LSTM, GRU, DENSE]), rejected);
    assert_eq!(found(ENCODER, &[WORDS, LSTM, GRU]), rejected);
    assert_eq!(found(ENCODER, &[WORDS, LSTM, GRU, "{ type = 'Dense', units = 5 }"]), rejected);
    // The units of the states differ.
    for change in [(|record| record.output_scale *= 2.0) as fn(&mut LayerRecord), |record| {
        record.output_scale = f32::NAN
    }] {
        let mut parts = Parts::of::<N>(&PAIR);
        change(parts.record(DECODER_LSTM));
        assert_eq!(parts.error::<N>(), rejected);
    }
    // The decoder begins after the last layer.
    for decoder_at in [HEAD + 1, HEAD + 2, usize::MAX] {
        let mut file = file::<N>(&Parts::of::<N>(&PAIR).layers, DECODER_EMBEDDING);
        let preamble: &mut Preamble = bytemuck::from_bytes_mut(&mut file[..PREAMBLE_LEN]);
        preamble.decoder_at = decoder_at as u32;
        seal(&mut file);
        // The layers are checked as one chain.
        assert_eq!(Model::<N>::new(&file).err(), Some(fault(DECODER_EMBEDDING, LayerFault::InputSize)));
    }
}

#[test]
fn decoders_that_cannot_copy_the_encoder_state_are_rejected() {
    assert_decoders_are_rejected::<F32>();
    assert_decoders_are_rejected::<F16>();
    assert_decoders_are_rejected::<I8>();
    let other_frac = |p: &mut Parts| p.record(DECODER_LSTM).cell_frac ^= 1;
    assert_rejected::<I8>(&PAIR, &[(other_frac, section("decoder"))]);
}

/// A residual connection around two layers.
const RESIDUAL: Stack<'static> = Stack::of(
    3,
    "{ type = 'Normalization' }, { type = 'LSTM', units = 3, return_sequences = true },
     { type = 'Dense', units = 3 }, { type = 'Add', span = 2 }",
);

#[test]
fn residual_connections_around_other_layers_are_rejected() {
    use LayerFault::{InputSize, Place, Reserved};
    assert_rejected_everywhere(
        &RESIDUAL,
        &[
            (|p| p.record(3).input_dim = 0, fault(3, Reserved)),
            (|p| p.record(3).input_dim = 16, fault(3, Reserved)),
            (|p| p.record(3).input_dim = 4, fault(3, Place)),
            (|p| p.record(3).input_dim = 15, fault(3, Place)),
            (|p| p.record(1).flags = 0, fault(3, Place)),
            (|p| p.record(1).flags |= GO_BACKWARDS, fault(3, Place)),
            (|p| p.record(3).input_size = 2, fault(3, InputSize)),
        ],
    );
    // Real inputs are no integers.
    assert_rejected::<I8>(&RESIDUAL, &[(|p| p.record(3).input_dim = 3, fault(3, Place))]);
    let mut parts = Parts::of::<F32>(&RESIDUAL);
    parts.record(3).input_dim = 3;
    assert_eq!(parts.error::<F32>(), None);
}
