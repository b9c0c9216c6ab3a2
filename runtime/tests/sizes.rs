//! Sizes that no memory holds end in an error, on targets of 32 bits too, where sums of them wrap.
#![cfg(feature = "std")]

use std::mem::offset_of;
use std::path::Path;

use embedded_rnn::format::{LayerRecord, PREAMBLE_LEN, RECORD_LEN};
use embedded_rnn::packing::seal;
use embedded_rnn::{AlignedBytes, F16, F32, I8, Model, QuantIo, ram_needed, ram_needed_for, saved_len};

const FILES: [&str; 6] = [
    "tiny.ernn",
    "tiny.f16.ernn",
    "tiny.i8.ernn",
    "letters.i8.ernn",
    "decoder.i8.ernn",
    "bidirectional.i8.ernn",
];

fn read(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

/// Validates a file as each dtype, and asks the functions that read a file without it.
fn load(bytes: &[u8]) -> bool {
    fn valid<N: QuantIo>(bytes: &[u8]) -> bool {
        Model::<N>::new(bytes).is_ok()
    }
    let _ = (ram_needed(bytes), ram_needed_for(bytes, usize::MAX), saved_len(bytes));
    valid::<F32>(bytes) || valid::<F16>(bytes) || valid::<I8>(bytes)
}

/// Values at which a size, its padding or the bytes of so many words wrap.
fn extremes() -> Vec<u32> {
    let bits = [2, 8, 16, 26, 27, 28, 29, 30, 31];
    let near = |bit: u32| [(1u32 << bit) - 1, 1 << bit, (1 << bit) + 1];
    [0, 1, u32::MAX, u32::MAX - 1, u32::MAX - 7].into_iter().chain(bits.into_iter().flat_map(near)).collect()
}

#[test]
fn every_field_with_any_size_ends_in_a_model_or_an_error() {
    for name in FILES {
        let file = read(name);
        let (layers, _) = file[PREAMBLE_LEN..].as_chunks::<RECORD_LEN>();
        // The length and the checksum are those of the bytes; a longer or shorter file is another matter.
        let preamble = (16..PREAMBLE_LEN).step_by(4);
        let records = PREAMBLE_LEN..PREAMBLE_LEN + RECORD_LEN * layers.len().min(8);
        let fields: Vec<usize> = preamble.chain(records.step_by(4)).collect();
        for (k, &first) in fields.iter().enumerate() {
            // Each field alone, and with the next ones: units and the memory that they need, for example.
            for second in std::iter::once(first).chain(fields[k + 1..].iter().copied().take(3)) {
                for a in extremes() {
                    let mut bytes = AlignedBytes::new(&file);
                    bytes[first..first + 4].copy_from_slice(&a.to_le_bytes());
                    bytes[second..second + 4].copy_from_slice(&a.to_le_bytes());
                    seal(&mut bytes);
                    load(&bytes);
                }
            }
        }
        assert!(load(&AlignedBytes::new(&file)), "{name} itself");
    }
}

// Layers without weights, whose sizes follow from nothing else in the file.
#[test]
fn every_kind_of_layer_with_any_size_ends_in_a_model_or_an_error() {
    let file = read("tiny.ernn");
    for (kind, activation) in (0..24u8).flat_map(|kind| [0, 1, 2].map(|activation| (kind, activation))) {
        for size in extremes() {
            let mut bytes = AlignedBytes::new(&file);
            let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
            let (size, zero) = (size.to_le_bytes(), [0; 4]);
            // input_size, output_size, one layer and no weights; then its record.
            [24, 28].into_iter().for_each(|at| put(at, &size));
            put(32, &1u32.to_le_bytes());
            put(40, &zero);
            put(PREAMBLE_LEN, &[0; RECORD_LEN]);
            put(PREAMBLE_LEN, &[kind, activation]);
            put(PREAMBLE_LEN + offset_of!(LayerRecord, input_size), &size);
            put(PREAMBLE_LEN + offset_of!(LayerRecord, units), &size);
            seal(&mut bytes);
            load(&bytes);
        }
    }
}

/// Changes one field of the preamble and returns whether the file is a model.
fn with_field(name: &str, at: usize, value: u32) -> bool {
    let mut bytes = AlignedBytes::new(&read(name));
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    seal(&mut bytes);
    load(&bytes)
}

#[test]
fn sections_that_overlap_are_rejected() {
    let file = read("tiny.ernn");
    let field = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let (weights_at, golden_at, header_at) = (36, 44, 52);
    for (at, before) in
        [(weights_at, PREAMBLE_LEN as u32), (golden_at, field(weights_at)), (header_at, field(golden_at))]
    {
        assert!(with_field("tiny.ernn", at, field(at)), "the file itself");
        assert!(!with_field("tiny.ernn", at, before), "the field at {at}");
    }
}

#[test]
fn a_golden_trace_of_too_many_steps_is_rejected() {
    let golden_steps = 48;
    assert!(!with_field("tiny.ernn", golden_steps, 65));
}
