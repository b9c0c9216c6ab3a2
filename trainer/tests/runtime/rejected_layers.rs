//! Each rule of FORMAT.md about the record of a layer, violated alone, has its own error.

use embedded_rnn::format::{
    DIRECTION, GO_BACKWARDS, INITIAL_STATE, LayerRecord, MASKS, RETURN_SEQUENCES, SEPARATE_SCALES,
};
use embedded_rnn::{DType, F16, F32, I8, Kind, LayerFault, Model, Number};

use crate::crafted::Place;
use crate::files::{Layer, file, is_cell};
use crate::parts::*;
use crate::running::Session;
use crate::stacks::Stack;
use crate::variants::{self, Variant};

/// Codes of activations or merge modes.
type Codes = &'static [u8];

/// The activations of single units.
const UNIT: Codes =
    &[0, 1, 2, 3, 5, 6, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];
/// All activations, with those over all units.
const ALL: Codes =
    &[0, 1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28];

/// The kinds in floats, with their activations and those of the gates.
const FLOAT: [(Kind, Codes, Codes); 6] = [
    (Kind::Dense, ALL, &[0]),
    (Kind::SimpleRnn, UNIT, &[0]),
    (Kind::Lstm, UNIT, UNIT),
    (Kind::Gru, UNIT, UNIT),
    (Kind::GruResetBefore, UNIT, UNIT),
    (Kind::Activation, ALL, &[0]),
];
/// The same in integers; 7 and 8 are the activations of wide pre-activations.
const INT: [(Kind, Codes, Codes); 6] = [
    (Kind::Dense, &[0, 1, 2, 3, 4, 5, 6, 7, 8], &[0]),
    (Kind::SimpleRnn, &[0, 1, 2, 3, 5, 6, 7, 8], &[0]),
    (Kind::Lstm, &[0, 1, 2, 3, 7, 8], &[3, 5, 6, 8]),
    (Kind::Gru, &[0, 1, 2, 3, 7, 8], &[3, 5, 6, 8]),
    (Kind::GruResetBefore, &[0, 1, 2, 3, 7, 8], &[3, 5, 6, 8]),
    (Kind::Activation, UNIT, &[0]),
];
/// The kinds that are alike in both, with their merge modes.
const OTHERS: [(Kind, Codes); 9] = [
    (Kind::Normalization, &[0]),
    (Kind::Embedding, &[0]),
    (Kind::Bidirectional, &[1, 2, 3, 4]),
    (Kind::BatchNormalization, &[0]),
    (Kind::LayerNormalization, &[0]),
    (Kind::Masking, &[0]),
    (Kind::GlobalMaxPooling1D, &[0]),
    (Kind::GlobalAveragePooling1D, &[0]),
    (Kind::Add, &[0]),
];

fn variants_are_those<N: Number>() {
    let mut expected = Vec::new();
    for (kind, activations, gates) in if N::DTYPE == DType::I8 { INT } else { FLOAT } {
        for &activation in activations {
            expected.extend(gates.iter().map(|&recurrent_activation| Variant {
                activation,
                recurrent_activation,
                ..Variant::of_kind(kind)
            }));
        }
    }
    for (kind, modes) in OTHERS {
        expected.extend(modes.iter().map(|&merge_mode| Variant { merge_mode, ..Variant::of_kind(kind) }));
    }
    let found = variants::all::<N>();
    let [missing, unknown] = [(&expected, &found), (&found, &expected)]
        .map(|(all, others)| all.iter().filter(|variant| !others.contains(variant)).collect::<Vec<_>>());
    assert!(missing.is_empty() && unknown.is_empty(), "{missing:?} missing, {unknown:?} unknown");
}

#[test]
fn every_kind_has_its_activations_and_no_others() {
    variants_are_those::<F32>();
    variants_are_those::<F16>();
    variants_are_those::<I8>();
}

/// Returns the flags that the record may have in this dtype.
fn flags<N: Number>(record: &LayerRecord) -> u8 {
    match record.kind {
        kind if kind == Kind::Masking as u8 || kind == Kind::Embedding as u8 => MASKS,
        _ if is_cell(record) => {
            let separate = if N::DTYPE == DType::I8 { SEPARATE_SCALES } else { 0 };
            RETURN_SEQUENCES | GO_BACKWARDS | DIRECTION | INITIAL_STATE | separate
        }
        _ => 0,
    }
}

fn others_fields_are_reserved<N: Session>(stack: &Stack<'_>) {
    let count = Parts::of::<N>(stack).layers.len();
    let rejected = |place, change: &dyn Fn(&mut LayerRecord)| {
        let mut parts = Parts::of::<N>(stack);
        change(parts.record(place));
        assert_eq!(parts.error::<N>(), Some(fault(place, LayerFault::Reserved)));
    };
    for place in 0..count {
        let _place = Place((N::DTYPE, place));
        let mut parts = Parts::of::<N>(stack);
        let record = *parts.record(place);
        let others = (0..8).map(|bit| 1u8 << bit).filter(|bit| flags::<N>(&record) & bit == 0);
        others.for_each(|bit| rejected(place, &|record| record.flags |= bit));
        for parameter in [f32::from_bits(1), -0.0, 0.5, f32::NAN] {
            rejected(place, &|record| record.activation_parameter = parameter);
        }
        if record.kind != Kind::Bidirectional as u8 {
            rejected(place, &|record| record.merge_mode = 1);
            rejected(place, &|record| record.merge_mode = 255);
        }
        if record.kind != Kind::Embedding as u8 {
            rejected(place, &|record| record.input_dim = 1);
        }
    }
}

#[test]
fn flags_and_fields_of_other_kinds_are_reserved() {
    for stack in [&CHAIN, &PAIR] {
        others_fields_are_reserved::<F32>(stack);
        others_fields_are_reserved::<F16>(stack);
        others_fields_are_reserved::<I8>(stack);
    }
}

#[test]
fn inconsistent_sizes_are_rejected() {
    use LayerFault::{InputSize, Size, Weights};
    assert_rejected_everywhere(
        &CHAIN,
        &[
            (|p| p.record(MASKING).units = 3, fault(MASKING, Size)),
            (|p| p.record(MASKING).flags = 0, fault(MASKING, Size)),
            (|p| p.layers[MASKING].words.push(0), fault(MASKING, Weights)),
            (|p| p.record(NORMALIZATION).units = 3, fault(NORMALIZATION, Size)),
            (|p| p.record(MERGE).merge_mode = 0, fault(MERGE, Size)),
            (|p| p.record(MERGE).merge_mode = 5, fault(MERGE, Size)),
            // The number of units is that of a concat.
            (|p| p.record(MERGE).merge_mode = 2, fault(MERGE, Size)),
            (|p| p.record(MERGE).units = 7, fault(MERGE, Size)),
            (|p| p.record(MERGE).input_size = 7, fault(MERGE, InputSize)),
            (|p| p.record(MERGE).input_size = 3, fault(MERGE, InputSize)),
            (|p| p.layers[MERGE].words.push(0), fault(MERGE, Weights)),
            // Without the words of the state.
            (|p| p.record(RNN).flags |= INITIAL_STATE, fault(RNN, Weights)),
            (|p| p.record(BACKWARD).flags |= INITIAL_STATE, fault(BACKWARD, Weights)),
            (|p| p.layers[LSTM].words.extend([0; 8]), fault(LSTM, Weights)),
            (|p| p.record(BACKWARD).input_size = 3, fault(BACKWARD, InputSize)),
            (|p| p.record(BACKWARD).units = 0, fault(BACKWARD, Size)),
            (|p| p.record(RNN).input_size = 3, fault(RNN, InputSize)),
            (|p| p.record(BATCH).units = 3, fault(BATCH, Size)),
            (|p| p.record(LAYER).units = 3, fault(LAYER, Size)),
            (|p| _ = p.layers[LAYER].words.pop(), fault(LAYER, Weights)),
            (|p| _ = p.layers[BATCH].words.pop(), fault(BATCH, Weights)),
        ],
    );
    assert_rejected_everywhere(
        &PAIR,
        &[
            (|p| p.record(0).input_dim = 0, fault(0, Size)),
            (|p| p.record(0).input_size = 2, fault(0, Size)),
            (|p| p.record(0).input_dim = 7, fault(0, Weights)),
            (|p| p.layers[0].words.push(0), fault(0, Weights)),
            (|p| p.record(DECODER_EMBEDDING).input_size = 2, fault(DECODER_EMBEDDING, Size)),
            (|p| p.record(DECODER_EMBEDDING).input_dim = 6, fault(DECODER_EMBEDDING, Weights)),
            (|p| p.record(DECODER_LSTM).input_size = 3, fault(DECODER_LSTM, InputSize)),
        ],
    );
    assert_rejected::<I8>(&PAIR, &[(|p| p.record(0).input_dim = 65_537, fault(0, LayerFault::Reserved))]);
}

/// Asserts the limit of features, above which the sum of their squares overflows.
fn assert_limit_of_features<N: Number>() {
    let framewise = |kind: Kind, features: u32, words: u32| {
        let record =
            LayerRecord { input_size: features, units: features, ..Variant::of_kind(kind).record::<N>() };
        Layer { record, words: vec![0; words as usize] }
    };
    let more = if N::DTYPE == DType::I8 { 2 } else { 1 };
    for features in [1 << 15, (1 << 15) + 1] {
        let layers = [
            framewise(Kind::Normalization, features, 2 * features),
            framewise(Kind::LayerNormalization, features, 2 * features + more),
        ];
        let error = Model::<N>::new(&file::<N>(&layers, 0)).err();
        assert_eq!(error, (features > 1 << 15).then_some(fault(1, LayerFault::Size)), "{features}");
    }
}

#[test]
fn a_layer_normalization_with_too_many_features_is_rejected() {
    assert_limit_of_features::<F32>();
    assert_limit_of_features::<I8>();
}

#[test]
fn scales_out_of_range_are_rejected_in_integers() {
    use LayerFault::Scale;
    assert_rejected_everywhere(
        &CHAIN,
        &[
            (|p| p.record(DENSE).frac = 16, fault(DENSE, Scale)),
            (|p| p.record(GRU).input_frac = 16, fault(GRU, Scale)),
        ],
    );
    let mut parts = Parts::of::<I8>(&CHAIN);
    for (activation, least) in [(0, 20), (1, 20), (2, 18), (3, 18)] {
        for cell_frac in 0..=u8::MAX {
            *parts.record(LSTM) = LayerRecord { activation, cell_frac, ..*parts.record(LSTM) };
            let expected = (!(least..=29).contains(&cell_frac)).then_some(fault(LSTM, Scale));
            assert_eq!(parts.error::<I8>(), expected, "activation {activation}, {cell_frac} bits");
        }
    }
}
