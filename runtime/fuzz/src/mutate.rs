//! Mutations that know the structure of a model file.

use embedded_rnn::Kind;
use embedded_rnn::format::{
    DIRECTION, GO_BACKWARDS, INITIAL_STATE, LayerRecord, MASKS, PREAMBLE_LEN, RECORD_LEN, RETURN_SEQUENCES,
    SEPARATE_SCALES,
};
use embedded_rnn::packing::seal;
use libfuzzer_sys::fuzzer_mutate;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::parts::Parts;

/// Words that are critical for counts, offsets, fixed-point numbers and floats.
const WORDS: [u32; 22] = [
    0,
    1,
    2,
    3,
    4,
    79,
    80,
    112,
    0x7fff,
    0x8000,
    0xffff,
    1 << 30,
    i32::MAX as u32,
    1 << 31,
    u32::MAX - 3,
    u32::MAX,
    0x3f80_0000,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    0x7f7f_ffff,
    0x0000_8000,
];

/// Mutates the file of `size` bytes at the start of `data` in place, to at most `max_size` bytes, and returns
/// its new size. Its checksum is repaired.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut rng = ChaCha8Rng::seed_from_u64(seed.into());
    if let Some(mut parts) = Parts::of(&data[..size]).filter(|_| rng.random_range(0..4) > 0) {
        for _ in 0..rng.random_range(1..=3) {
            change(&mut parts, &mut rng);
        }
        if rng.random_range(0..8) > 0 {
            parts.connect();
        }
        if let Some(file) = parts.file().filter(|file| file.len() <= max_size) {
            data[..file.len()].copy_from_slice(&file);
            return file.len();
        }
    }
    let size = if rng.random::<bool>() {
        fuzzer_mutate(data, size, max_size)
    } else {
        garbage(data, size, &mut rng)
    };
    seal(&mut data[..size]);
    size
}

/// Sets a word of the preamble or of a record to a critical value.
fn garbage(data: &mut [u8], size: usize, rng: &mut ChaCha8Rng) -> usize {
    let end = size.min(PREAMBLE_LEN + 4 * RECORD_LEN) / 4;
    if end > 2 {
        let at = 4 * rng.random_range(1..end);
        let word: u32 = if rng.random::<bool>() {
            *WORDS.choose(rng).expect("not empty")
        } else {
            rng.random_range(0..300)
        };
        data[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }
    size
}

/// Changes one part.
fn change(parts: &mut Parts, rng: &mut ChaCha8Rng) {
    match rng.random_range(0..12) {
        0..4 => {
            let any = rng.random_range(0..parts.records.len().max(1));
            if let Some(record) = parts.records.get_mut(any) {
                field(record, rng);
            }
        }
        4..6 => order(&mut parts.records, rng),
        6..8 => words(&mut parts.weights, rng),
        8 => freely(&mut parts.weights),
        9 => freely(&mut parts.tail),
        10 => freely(&mut parts.header),
        _ => preamble(parts, rng),
    }
}

/// Changes a field of the preamble that does not follow from the layers.
fn preamble(parts: &mut Parts, rng: &mut ChaCha8Rng) {
    let layers = parts.records.len() as u32;
    let preamble = &mut parts.preamble;
    match rng.random_range(0..6) {
        0 => preamble.flags ^= 1,
        1 => preamble.dtype = rng.random_range(0..3),
        2 => preamble.golden_steps = rng.random_range(0..70),
        3 => preamble.decoder_at = rng.random_range(0..=layers),
        4 => preamble.golden_tolerance = f32::from_bits(rng.random()),
        _ => preamble.output_scale = f32::from_bits(rng.random()),
    }
}

/// Changes a field of a layer to any value that it can have.
fn field(record: &mut LayerRecord, rng: &mut ChaCha8Rng) {
    match rng.random_range(0..13) {
        0 => record.kind = rng.random_range(1..=12),
        1 => record.activation = rng.random_range(0..=28),
        2 => record.recurrent_activation = rng.random_range(0..=28),
        3 => {
            let flags = [RETURN_SEQUENCES, GO_BACKWARDS, DIRECTION, MASKS, INITIAL_STATE, SEPARATE_SCALES];
            record.flags ^= flags.choose(rng).expect("not empty")
        }
        4 => record.units = rng.random_range(0..40),
        5 => record.input_size = rng.random_range(0..40),
        6 => record.frac = rng.random_range(7..=16),
        7 => record.input_frac = rng.random_range(7..=16),
        8 => record.cell_frac = rng.random_range(18..=29),
        9 => record.merge_mode = rng.random_range(0..=4),
        10 => record.output_scale = f32::from_bits(rng.random()),
        11 => record.activation_parameter = f32::from_bits(rng.random()),
        _ => record.input_dim = rng.random_range(0..40),
    }
}

/// Adds, removes or moves layers.
fn order(records: &mut Vec<LayerRecord>, rng: &mut ChaCha8Rng) {
    let Some(&any) = records.choose(rng) else { return };
    let at = rng.random_range(0..records.len());
    match rng.random_range(0..4) {
        0 => drop(records.remove(at)),
        1 => records.insert(at, LayerRecord { flags: any.flags & !MASKS, ..any }),
        2 => records.swap(0, at),
        _ => bidirectional(records, at),
    }
}

/// Replaces a layer by the three records of a Bidirectional of it.
fn bidirectional(records: &mut Vec<LayerRecord>, at: usize) {
    let direction = LayerRecord { flags: RETURN_SEQUENCES | DIRECTION, ..records[at] };
    let backwards = LayerRecord { flags: direction.flags | GO_BACKWARDS, ..direction };
    let merge = LayerRecord {
        kind: Kind::Bidirectional as u8,
        merge_mode: 1,
        input_size: direction.units.saturating_mul(2),
        units: direction.units.saturating_mul(2),
        output_scale: direction.output_scale,
        ..bytemuck::Zeroable::zeroed()
    };
    records.splice(at..=at, [direction, backwards, merge]);
}

/// Sets words to critical or random values.
fn words(bytes: &mut [u8], rng: &mut ChaCha8Rng) {
    let count = bytes.len() / 4;
    for _ in 0..if count == 0 { 0 } else { rng.random_range(1..=8) } {
        let at = 4 * rng.random_range(0..count);
        let word = if rng.random::<bool>() { *WORDS.choose(rng).expect("not empty") } else { rng.random() };
        bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }
}

/// Applies a mutation of libFuzzer.
fn freely(bytes: &mut Vec<u8>) {
    let size = bytes.len();
    bytes.resize(size + 64, 0);
    let size = fuzzer_mutate(bytes, size, size + 64);
    bytes.truncate(size);
}
