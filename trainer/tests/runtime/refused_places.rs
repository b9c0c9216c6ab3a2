//! Each rule in FORMAT.md about what may stand where, broken alone, gives its own error.

use embedded_rnn::format::{
    DIRECTION, GO_BACKWARDS, LayerRecord, MASKS, PREAMBLE_LEN, Preamble, RETURN_SEQUENCES,
};
use embedded_rnn::{F16, F32, I8, LayerFault, Model};

use crate::crafted::Place;
use crate::files::{file, seal};
use crate::parts::*;
use crate::running::Session;
use crate::stacks::Stack;

#[test]
fn directions_without_each_other_are_refused() {
    use LayerFault::Place;
    are_refused_everywhere(
        &PLAIN,
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
fn layers_where_they_cannot_stand_are_refused() {
    use LayerFault::Place;
    are_refused_everywhere(
        &PLAIN,
        &[
            (|p| p.layers.swap(MASKING, NORMALIZATION), fault(1, Place)),
            (|p| p.layers.insert(NORMALIZATION, p.layers[MASKING].clone()), fault(1, Place)),
            // What has an output for every step behind what has one for all.
            (|p| p.record(RNN).flags = 0, fault(LSTM, Place)),
            (|p| p.record(LSTM).flags = 0, fault(GRU, Place)),
        ],
    );
    are_refused::<I8>(
        &PLAIN,
        &[
            (|p| _ = p.layers.remove(NORMALIZATION), fault(1, Place)),
            (|p| _ = p.layers.drain(..=NORMALIZATION), fault(0, Place)),
            (|p| p.layers.insert(FORWARD, p.layers[NORMALIZATION].clone()), fault(FORWARD, Place)),
            (|p| p.layers.truncate(1), fault(0, Place)),
            (|p| p.layers.truncate(2), fault(1, Place)),
            (|p| p.layers = vec![p.layers[NORMALIZATION].clone()], fault(0, Place)),
        ],
    );
    are_refused_everywhere(
        &PAIR,
        &[
            (|p| p.record(WRITTEN).flags |= MASKS, fault(WRITTEN, Place)),
            (|p| p.record(ITS_GRU).flags |= GO_BACKWARDS, fault(ITS_GRU, Place)),
            (|p| p.record(ITS_LSTM).flags &= !RETURN_SEQUENCES, fault(ITS_LSTM, Place)),
            (|p| p.record(ITS_GRU).flags &= !RETURN_SEQUENCES, fault(ITS_GRU, Place)),
            // Without a decoder its layers stand in the middle.
            (|p| p.decoder_at = 0, fault(WRITTEN, LayerFault::InputSize)),
        ],
    );
}

#[test]
fn a_softmax_inside_an_integer_model_is_refused() {
    let mut parts = Parts::of::<I8>(&PAIR);
    let mut head = parts.layers[HEAD].clone();
    head.record.input_size = 4;
    parts.layers.push(head);
    assert_eq!(parts.error::<I8>(), Some(fault(HEAD, LayerFault::Place)));
    parts.record(HEAD).activation = 0;
    assert_eq!(parts.error::<I8>(), None);
}

/// An encoder in front of a decoder, each as a model of its own has them.
fn joined<N: Session>(encoder: &str, decoder: &str) -> Parts {
    let mut parts = Parts::of::<N>(&Stack::of(1, encoder));
    parts.decoder_at = parts.layers.len();
    parts.layers.append(&mut Parts::of::<N>(&Stack::of(1, decoder)).layers);
    parts
}

fn decoders_are_refused<N: Session>() {
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
    let refused = Some(section("decoder"));
    // It ends without a state, has none, or reads both ways.
    let ends = format!("{ENCODER}, {{ type = 'Dense', units = 3 }}");
    assert_eq!(found(&ends, &[WORDS, LSTM, GRU, DENSE]), refused);
    assert_eq!(found(WORDS, &[WORDS, DENSE]), refused);
    let both = "{ type = 'Embedding', input_dim = 5, output_dim = 2 },
        { type = 'Bidirectional', layer = { type = 'LSTM', units = 2, return_sequences = true } },
        { type = 'GRU', units = 3 }";
    assert_eq!(found(both, &[WORDS, LSTM, LSTM, GRU, DENSE]), refused);
    // Other states, or not as many.
    assert_eq!(found(ENCODER, &[WORDS, GRU, LSTM, DENSE]), refused);
    assert_eq!(found(ENCODER, &[WORDS, LSTM, DENSE]), refused);
    assert_eq!(found(ENCODER, &[WORDS, LSTM, GRU, GRU, DENSE]), refused);
    let other = GRU.replace("units = 3", "units = 4");
    assert_eq!(found(ENCODER, &[WORDS, LSTM, &other, DENSE]), refused);
    let other = GRU.replace("'GRU'", "'SimpleRNN'");
    assert_eq!(found(ENCODER, &[WORDS, LSTM, &other, DENSE]), refused);
    let other = GRU.replace("units = 3", "units = 3, reset_after = false");
    assert_eq!(found(ENCODER, &[WORDS, LSTM, &other, DENSE]), refused);
    // Its answers are not what it takes.
    assert_eq!(found(ENCODER, &[DENSE, LSTM, GRU, DENSE]), refused);
    assert_eq!(found(ENCODER, &[WORDS, LSTM, GRU]), refused);
    assert_eq!(found(ENCODER, &[WORDS, LSTM, GRU, "{ type = 'Dense', units = 5 }"]), refused);
    // States in other units.
    for change in [(|record| record.output_scale *= 2.0) as fn(&mut LayerRecord), |record| {
        record.output_scale = f32::NAN
    }] {
        let mut parts = Parts::of::<N>(&PAIR);
        change(parts.record(ITS_LSTM));
        assert_eq!(parts.error::<N>(), refused);
    }
    // As many layers as there are, and more.
    for decoder_at in [HEAD + 1, HEAD + 2, usize::MAX] {
        let mut file = file::<N>(&Parts::of::<N>(&PAIR).layers, WRITTEN);
        let preamble: &mut Preamble = bytemuck::from_bytes_mut(&mut file[..PREAMBLE_LEN]);
        preamble.decoder_at = decoder_at as u32;
        seal(&mut file);
        // Walked as one chain.
        assert_eq!(Model::<N>::new(&file).err(), Some(fault(WRITTEN, LayerFault::InputSize)));
    }
}

#[test]
fn decoders_that_cannot_go_on_are_refused() {
    decoders_are_refused::<F32>();
    decoders_are_refused::<F16>();
    decoders_are_refused::<I8>();
    let other_frac = |p: &mut Parts| p.record(ITS_LSTM).cell_frac ^= 1;
    are_refused::<I8>(&PAIR, &[(other_frac, section("decoder"))]);
}
