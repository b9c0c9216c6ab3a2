//! Each rule of FORMAT.md's "What `Model::new` checks", violated alone and with a valid CRC-32, has its own
//! error.

use embedded_rnn::format::{
    LayerRecord, MAX_SIZE, PREAMBLE_LEN, Preamble, RECORD_LEN, RETURN_SEQUENCES, SEPARATE_SCALES,
};
use embedded_rnn::packing::seal;
use embedded_rnn::{ALL_FEATURES, DType, Error, F16, F32, I8, LayerFault, Model, Number, features};
use embedded_rnn_trainer::pack::AlignedBytes;

use crate::crafted::Place;
use crate::files::{Layer, file};
use crate::parts::{CHAIN, PAIR};
use crate::running::Session;
use crate::stacks::{self, STEPPING, Stack, WHOLE};
use crate::variants::Variant;

/// An LSTM of input size 2 and 3 units, as in the runtime's own tests; the integer model begins with a
/// Normalization.
pub const TINY_F32: &[u8] = include_bytes!("../../../runtime/tests/data/tiny.ernn");
pub const TINY_I8: &[u8] = include_bytes!("../../../runtime/tests/data/tiny.i8.ernn");

/// Returns the error for these bytes, if they are rejected.
fn error<N: Number>(bytes: &[u8]) -> Option<Error> {
    Model::<N>::new(bytes).err()
}

/// Returns the error for `tiny` with its preamble changed.
fn preamble<N: Number>(tiny: &[u8], change: impl Fn(&mut Preamble)) -> Option<Error> {
    let mut bytes = AlignedBytes::new(tiny);
    change(bytemuck::from_bytes_mut(&mut bytes[..PREAMBLE_LEN]));
    seal(&mut bytes);
    error::<N>(&bytes)
}

/// Returns the fault of layer `index` of `tiny` with its record changed.
fn record<N: Number>(tiny: &[u8], index: usize, change: impl Fn(&mut LayerRecord)) -> Option<LayerFault> {
    let mut bytes = AlignedBytes::new(tiny);
    let at = PREAMBLE_LEN + index * RECORD_LEN;
    change(bytemuck::from_bytes_mut(&mut bytes[at..at + RECORD_LEN]));
    seal(&mut bytes);
    fault(error::<N>(&bytes), index)
}

fn fault(error: Option<Error>, place: usize) -> Option<LayerFault> {
    match error? {
        Error::Layer { index, reason } if usize::from(index) == place => Some(reason),
        other => panic!("another error: {other}"),
    }
}

#[test]
fn bytes_without_a_model_of_the_dtype_are_rejected() {
    for bytes in [&b""[..], b"E", b"ERN", b"ERNM", &[0; 200], &[0xff; 200]] {
        assert_eq!(error::<F32>(bytes), Some(Error::NotAModel));
    }
    let truncated = Error::Truncated { expected: PREAMBLE_LEN, found: 4 };
    assert_eq!(error::<F32>(b"ERNN"), Some(truncated));
    for (version, tiny) in [(0, TINY_F32), (1, TINY_F32), (0xffff, TINY_F32), (256, TINY_I8)] {
        let found = preamble::<F32>(tiny, |p| p.version = version);
        assert_eq!(found, Some(Error::Version { found: version }));
    }
    let wrong = |expected, found| Some(Error::WrongDType { expected, found });
    assert_eq!(error::<I8>(&AlignedBytes::new(TINY_F32)), wrong(DType::I8, 0));
    assert_eq!(error::<F32>(&AlignedBytes::new(TINY_I8)), wrong(DType::F32, 2));
    for code in [1, 3, 255] {
        assert_eq!(preamble::<F32>(TINY_F32, |p| p.dtype = code), wrong(DType::F32, code));
        assert_eq!(preamble::<I8>(TINY_I8, |p| p.dtype = code), wrong(DType::I8, code));
    }
    // The bytes of an integer model with the dtype f32, and vice versa.
    assert_eq!(
        preamble::<F32>(TINY_I8, |p| p.dtype = 0),
        Some(Error::Layer { index: 0, reason: LayerFault::Scale })
    );
    assert_eq!(
        preamble::<I8>(TINY_F32, |p| p.dtype = 2),
        Some(Error::Layer { index: 0, reason: LayerFault::Scale })
    );
}

#[test]
fn bytes_must_be_aligned_to_four_and_may_have_a_tail() {
    for tiny in [TINY_F32, TINY_I8] {
        for shift in 0..9 {
            let mut bytes = AlignedBytes::zeroed(shift + tiny.len() + 5);
            bytes[shift..shift + tiny.len()].copy_from_slice(tiny);
            let found =
                if tiny == TINY_F32 { error::<F32>(&bytes[shift..]) } else { error::<I8>(&bytes[shift..]) };
            assert_eq!(found, (shift % 4 != 0).then_some(Error::Misaligned), "{shift}");
        }
    }
}

/// Sections outside of the file, or inconsistent with another part of it.
#[test]
fn inconsistent_sections_are_rejected_by_name() {
    const OUTSIDE: [u32; 5] = [1 << 20, 1 << 31, u32::MAX - 3, u32::MAX - 79, u32::MAX];
    type Field = fn(&mut Preamble) -> &mut u32;
    let outside: [(&str, Field); 6] = [
        ("layers", |p| &mut p.layer_count),
        ("weights", |p| &mut p.weights_at),
        ("header", |p| &mut p.header_at),
        ("header", |p| &mut p.header_len),
        ("golden", |p| &mut p.golden_at),
        ("golden", |p| &mut p.golden_steps),
    ];
    for (name, field) in outside {
        for value in OUTSIDE {
            let _place = Place((name, value));
            let expected = Some(Error::Section { name });
            assert_eq!(preamble::<F32>(TINY_F32, |p| *field(p) = value), expected);
            assert_eq!(preamble::<I8>(TINY_I8, |p| *field(p) = value), expected);
        }
    }
    let section = |name| Some(Error::Section { name });
    let float = |change: fn(&mut Preamble)| preamble::<F32>(TINY_F32, change);
    assert_eq!(float(|p| p.weights_len = u32::MAX - 3), section("weights"));
    assert_eq!(float(|p| p.weights_len = u32::MAX), section("preamble"));
    assert_eq!(float(|p| p.weights_len -= 1), section("preamble"));
    assert_eq!(float(|p| p.flags = 2), section("preamble"));
    assert_eq!(float(|p| p.weights_at += 2), Some(Error::Misaligned));
    assert_eq!(float(|p| p.golden_at -= 2), Some(Error::Misaligned));
    assert_eq!(float(|p| p.golden_steps = 0), section("golden"));
    assert_eq!(float(|p| p.layer_count = 0), section("layers"));
    assert_eq!(float(|p| p.features = 0), section("layers"));
    assert_eq!(float(|p| p.features |= 1), section("layers"));
    assert_eq!(float(|p| p.output_size += 1), section("outputs"));
    assert_eq!(float(|p| p.flags ^= 1), section("outputs"));
    assert_eq!(float(|p| p.weights_len -= 4), section("weights"));
    assert_eq!(float(|p| p.ram_needed += 4), section("memory"));
    assert_eq!(float(|p| p.ram_needed = 0), section("memory"));
    assert_eq!(float(|p| p.ram_per_step = 4), section("memory"));
    // A decoder without an Embedding, and one that begins outside of the file.
    assert_eq!(float(|p| p.decoder_at = 1), section("layers"));
    assert_eq!(float(|p| p.decoder_at = u32::MAX), section("layers"));
    let int = |change: fn(&mut Preamble)| preamble::<I8>(TINY_I8, change);
    // The inputs are aligned to 2 bytes, but the output is not aligned to 4.
    assert_eq!(int(|p| p.golden_at -= 2), Some(Error::Misaligned));
    assert_eq!(int(|p| p.golden_at -= 1), Some(Error::Misaligned));
}

#[test]
fn layers_that_violate_a_rule_are_rejected_by_it() {
    use LayerFault::{Activation, InputSize, Kind, Reserved, Scale, Size, Weights};
    let float = |change: fn(&mut LayerRecord)| record::<F32>(TINY_F32, 0, change);
    let int = |index, change: fn(&mut LayerRecord)| record::<I8>(TINY_I8, index, change);
    let unused = |code: &u8| embedded_rnn::Kind::from_code(*code, ALL_FEATURES).is_none();
    let next = (1..=u8::MAX).find(unused).unwrap();
    for code in [0, next, 31, 32, 33, 37, 255] {
        assert_eq!(record::<F32>(TINY_F32, 0, |r| r.kind = code), Some(Kind), "{code}");
    }
    assert_eq!(float(|r| r.flags |= 8), Some(Reserved));
    assert_eq!(float(|r| r.flags |= 0x80), Some(Reserved));
    assert_eq!(float(|r| r.activation_parameter = -0.0), Some(Reserved));
    assert_eq!(float(|r| r.merge_mode = 1), Some(Reserved));
    assert_eq!(float(|r| r.input_dim = 1), Some(Reserved));
    assert_eq!(float(|r| r.frac = 12), Some(Scale));
    assert_eq!(float(|r| r.input_frac = 12), Some(Scale));
    assert_eq!(float(|r| r.flags |= 32), Some(Reserved));
    assert_eq!(int(0, |r| r.frac = 16), Some(Scale));
    assert_eq!(int(1, |r| r.frac = 0), Some(Scale));
    assert_eq!(int(1, |r| r.frac = 7), Some(Scale));
    assert_eq!(int(1, |r| r.frac = 15), Some(Scale));
    assert_eq!(int(1, |r| r.input_frac = 12), Some(Scale));
    assert_eq!(int(1, |r| r.cell_frac = 17), Some(Scale));
    assert_eq!(int(1, |r| r.cell_frac = 30), Some(Scale));
    for code in [4, 7, 8, 28, 29, 255] {
        assert_eq!(record::<F32>(TINY_F32, 0, |r| r.activation = code), Some(Activation), "{code}");
    }
    assert_eq!(float(|r| r.recurrent_activation = 4), Some(Activation));
    assert_eq!(int(0, |r| r.recurrent_activation = 3), Some(Activation));
    assert_eq!(float(|r| r.input_size = 0), Some(Size));
    assert_eq!(float(|r| r.units = 0), Some(Size));
    assert_eq!(float(|r| r.input_size = 1), Some(InputSize));
    assert_eq!(float(|r| r.input_size = MAX_SIZE), Some(InputSize));
    assert_eq!(float(|r| r.input_size = MAX_SIZE + 1), Some(Size));
    assert_eq!(float(|r| r.input_size = u32::MAX), Some(Size));
    assert_eq!(int(1, |r| r.input_size += 1), Some(InputSize));
    assert_eq!(int(0, |r| r.units += 1), Some(Size));
    assert_eq!(float(|r| r.units = 9), Some(Weights));
    assert_eq!(float(|r| r.weights_len += 4), Some(Weights));
    assert_eq!(float(|r| r.weights_len = 0), Some(Weights));
    for units in [u32::MAX, u32::MAX - 7, 1 << 31, 1 << 30, MAX_SIZE + 1] {
        assert_eq!(record::<F32>(TINY_F32, 0, |r| r.units = units), Some(Size), "{units}");
        assert_eq!(record::<I8>(TINY_I8, 1, |r| r.units = units), Some(Size), "{units}");
    }
}

/// Returns the errors of builds that lack one of these features each.
macro_rules! without {
    ($number:ident, $file:expr, $($bit:literal)*) => {
        [$(($bit, Model::<$number, { ALL_FEATURES & !(1 << $bit) }>::new($file).err()),)*]
    };
}

fn assert_missing_features_are_rejected(bytes: &[u8], without: [(u32, Option<Error>); 22]) {
    let features = features(bytes);
    assert_eq!(without.iter().fold(0, |all, (bit, _)| all | 1 << bit), ALL_FEATURES);
    for (bit, error) in without {
        let _place = Place(bit);
        let rejected = matches!(error, Some(Error::Layer { reason: LayerFault::Kind, .. }));
        assert!(if features >> bit & 1 == 1 { rejected } else { error.is_none() }, "{error:?}");
    }
}

/// Returns a model of one SimpleRNN whose input and state have separate scales: two parts of start values,
/// one word of four rows, and multipliers.
fn with_separate_scales() -> AlignedBytes {
    let record = |kind| Variant::of_kind(kind).record::<I8>();
    let flags = RETURN_SEQUENCES | SEPARATE_SCALES;
    let rnn = LayerRecord { flags, activation: 2, ..record(embedded_rnn::Kind::SimpleRnn) };
    let input = Layer { record: record(embedded_rnn::Kind::Normalization), words: vec![0; 2] };
    file::<I8>(&[input, Layer { record: rnn, words: vec![0; 2 * 12] }], 0)
}

#[test]
fn a_build_without_a_required_feature_rejects_the_model() {
    let mut covered = 0;
    for stack in STEPPING.iter().chain(&WHOLE).chain([&CHAIN, &PAIR]) {
        let (bytes, _) = stacks::file::<F32>(stack, false);
        covered |= features(&bytes);
        let found = without!(F32, &bytes, 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 25 26 27 28 29 30 31);
        assert_missing_features_are_rejected(&bytes, found);
        let (bytes, _) = stacks::file::<I8>(stack, false);
        let found = without!(I8, &bytes, 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 25 26 27 28 29 30 31);
        assert_missing_features_are_rejected(&bytes, found);
    }
    let bytes = with_separate_scales();
    covered |= features(&bytes);
    let found = without!(I8, &bytes, 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 25 26 27 28 29 30 31);
    assert_missing_features_are_rejected(&bytes, found);
    assert_eq!(covered, ALL_FEATURES);
}

/// Asserts that a preamble that contradicts the layers is rejected.
fn assert_other_needs_are_rejected<N: Session>(stack: &Stack<'_>) {
    let (bytes, _) = stacks::file::<N>(stack, false);
    let section = |name| Some(Error::Section { name });
    for bit in 0..32 {
        assert_eq!(preamble::<N>(&bytes, |p| p.features ^= 1 << bit), section("layers"), "{bit}");
    }
    for words in [1, 2, u32::MAX / 4] {
        assert_eq!(
            preamble::<N>(&bytes, |p| p.ram_needed = p.ram_needed.wrapping_add(4 * words)),
            section("memory")
        );
        assert_eq!(
            preamble::<N>(&bytes, |p| p.ram_per_step = p.ram_per_step.wrapping_sub(4 * words)),
            section("memory")
        );
    }
    assert_eq!(preamble::<N>(&bytes, |p| p.flags ^= 1), section("outputs"));
    assert_eq!(preamble::<N>(&bytes, |p| p.output_size += 1), section("outputs"));
}

#[test]
fn a_preamble_that_contradicts_the_layers_is_rejected() {
    for stack in [&CHAIN, &PAIR] {
        assert_other_needs_are_rejected::<F32>(stack);
        assert_other_needs_are_rejected::<F16>(stack);
        assert_other_needs_are_rejected::<I8>(stack);
    }
}
