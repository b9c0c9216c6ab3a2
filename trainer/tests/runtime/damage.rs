//! Damaged model files are rejected or harmless: no bytes with a valid CRC-32 cause a panic.

use bytemuck::Zeroable;
use embedded_rnn::format::{PREAMBLE_LEN, RECORD_LEN};
use embedded_rnn::packing::seal;
use embedded_rnn::{Backend, DType, Error, F16, F32, I8, Kind, Model};
use embedded_rnn_trainer::pack::AlignedBytes;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::crafted::Place;
use crate::files::is_cell;
use crate::running::{Session, bits, ram, save};
use crate::stacks::{self, Stack};

/// Small models that together contain all layer kinds.
const SMALL: [Stack<'static>; 3] = [
    Stack::of(
        2,
        "{ type = 'Masking' }, { type = 'LSTM', units = 2, return_sequences = true },
         { type = 'BatchNormalization' }, { type = 'LayerNormalization' }, { type = 'SimpleRNN', units = 1 }",
    ),
    Stack::of(
        1,
        "{ type = 'Normalization' },
         { type = 'Bidirectional',
           layer = { type = 'LSTM', units = 1, activation = 'relu', return_sequences = true } },
         { type = 'GRU', units = 1, reset_after = false, recurrent_activation = 'hard_sigmoid' },
         { type = 'Dense', units = 2, activation = 'softmax' }",
    ),
    Stack::of(
        1,
        "{ type = 'Embedding', input_dim = 3, output_dim = 1, mask_zero = true },
         { type = 'GRU', units = 1, go_backwards = true }",
    )
    .with_decoder(
        "{ type = 'Embedding', input_dim = 2, output_dim = 1 },
         { type = 'GRU', units = 1, activation = 'sigmoid', return_sequences = true },
         { type = 'Dense', units = 2 }",
    ),
];

/// A bound of the RAM that any of these files may require.
const RAM_LIMIT: u32 = 1 << 16;
const STEPS: usize = 3;

/// A dtype with its extreme inputs.
trait Extremes: Session {
    const EXTREMES: &'static [Self::In];

    fn small() -> Vec<AlignedBytes> {
        SMALL.iter().map(|stack| stacks::file::<Self>(stack, false).0).collect()
    }
}

impl Extremes for F32 {
    const EXTREMES: &'static [f32] = &[f32::NAN, f32::MAX, 1.0];
}

impl Extremes for F16 {
    const EXTREMES: &'static [f32] = F32::EXTREMES;
}

impl Extremes for I8 {
    const EXTREMES: &'static [i16] = &[i16::MIN, i16::MAX, 1];
}

/// Calls every function of a model on inputs `x` and 0, and returns the outputs and saved states.
fn used<N: Extremes>(model: &Model<'_, N>, x: N::In) -> Vec<u8> {
    let mut found = Vec::new();
    let mut ram = ram(model, STEPS.max(model.preamble().golden_steps as usize));
    let mut state = model.state(&mut ram).unwrap();
    let tested = model.self_test(&mut state);
    assert!(matches!(tested, Ok(()) | Err(Error::SelfTest { .. } | Error::Id { .. })), "{tested:?}");
    let mut xs = vec![x; STEPS * model.input_size()];
    xs[model.input_size()..2 * model.input_size()].fill(N::In::zeroed());
    let mut out = vec![N::Out::zeroed(); model.run_output_len(STEPS)];
    for _ in 0..2 {
        let run = model.run(&mut state, &xs, &mut out);
        assert!(matches!(run, Ok(()) | Err(Error::Id { .. })), "{run:?}");
        found.extend_from_slice(bits(&out));
        match model.step(&mut state, &xs[..model.input_size()]) {
            Ok(y) => found.extend_from_slice(bits(y)),
            Err(error) => assert!(matches!(error, Error::WholeSequence | Error::Id { .. }), "{error}"),
        }
        let saved = save(model, &state);
        state.restore(model, &saved).unwrap();
        found.extend(saved);
        match model.greedy(&mut state, 0, 1, &mut [0; STEPS]) {
            Ok(generated) => found.extend_from_slice(bits(generated)),
            Err(error) => {
                let expected = matches!(error, Error::NoFeedback | Error::WholeSequence | Error::Id { .. });
                assert!(expected, "{error}");
            }
        }
    }
    for (layer, record) in model.layers().iter().enumerate().filter(|(_, record)| is_cell(record)) {
        let mut h = vec![0.0; record.units()];
        let mut c = if record.kind == Kind::Lstm as u8 { h.clone() } else { Vec::new() };
        model.layer_state(&state, layer, &mut h, &mut c).unwrap();
        model.set_layer_state(&mut state, layer, &h, &c).unwrap();
    }
    found
}

/// Calls every function of a model on the portable and on the fastest backend. Integer outputs have the same
/// bits on both, for arbitrary weights.
fn use_it<N: Extremes>(bytes: &[u8], model: Model<'_, N>) {
    assert!(model.preamble().ram_needed < RAM_LIMIT && model.preamble().ram_per_step < RAM_LIMIT);
    if let Some(header) = model.header() {
        let _ = (header.info(), header.layers().count(), header.labels().count());
    }
    let _ = (model.saved_len(), model.output_scale(), embedded_rnn::is_model(bytes));
    for &x in N::EXTREMES {
        let [portable, best] =
            [Backend::portable(), Backend::best()].map(|backend| used(&model.with_backend(backend), x));
        assert!(N::DTYPE != DType::I8 || portable == best, "other bits on {}", Backend::best().name());
    }
}

/// Returns whether the file is accepted as a model; if so, all its functions are called.
fn accepted<N: Extremes>(bytes: &[u8]) -> bool {
    Model::<N>::new(bytes).map(|model| use_it(bytes, model)).is_ok()
}

/// Calls a check for each file of each dtype.
macro_rules! each {
    ($check:ident) => {
        F32::small().iter().for_each(|file| $check::<F32>(file));
        F16::small().iter().for_each(|file| $check::<F16>(file));
        I8::small().iter().for_each(|file| $check::<I8>(file));
    };
}

fn truncated<N: Extremes>(file: &[u8]) {
    assert!(accepted::<N>(file));
    for length in 0..file.len() {
        let _place = Place((N::DTYPE, length));
        let mut bytes = AlignedBytes::new(&file[..length]);
        let error = Model::<N>::new(&bytes).err().unwrap();
        let expected = if length < PREAMBLE_LEN { PREAMBLE_LEN } else { file.len() };
        let cut = Error::Truncated { expected, found: length };
        assert_eq!(error, if length < 4 { Error::NotAModel } else { cut });
        // The same with the length in the preamble adjusted.
        if length >= PREAMBLE_LEN {
            bytes[8..12].copy_from_slice(&(length as u32).to_le_bytes());
            seal(&mut bytes);
            assert!(matches!(Model::<N>::new(&bytes).err().unwrap(), Error::Section { .. }));
        }
    }
}

#[test]
fn a_file_truncated_anywhere_is_rejected() {
    each!(truncated);
}

/// Flips every bit: the CRC-32 or a check before it rejects the file. With the CRC-32 of the flipped bytes,
/// the checks after it reject the file, or it is harmless.
fn flipped<N: Extremes>(file: &[u8]) {
    let mut accepted_bits = 0;
    for bit in 0..8 * file.len() {
        let _place = Place((N::DTYPE, "bit", bit));
        let mut bytes = AlignedBytes::new(file);
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Model::<N>::new(&bytes).is_err());
        seal(&mut bytes);
        accepted_bits += usize::from(accepted::<N>(&bytes));
    }
    // Weights, golden trace and header, most of the file, have no invalid values.
    assert!(accepted_bits > 8 * file.len() / 2, "{accepted_bits}");
}

#[test]
fn every_flipped_bit_is_rejected_or_harmless() {
    each!(flipped);
}

/// Sets every word of the preamble and the records to values that are critical for counts and offsets.
fn garbage_in_every_field<N: Extremes>(file: &[u8]) {
    let len = file.len() as u32;
    let records = (file[32] as usize) * RECORD_LEN;
    for at in (0..PREAMBLE_LEN + records).step_by(4) {
        for value in
            [0, 1, 2, 3, 4, 79, 80, len - 4, len, len + 4, i32::MAX as u32, 1 << 31, u32::MAX - 3, u32::MAX]
        {
            let _place = Place((N::DTYPE, at, value));
            let mut bytes = AlignedBytes::new(file);
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            seal(&mut bytes);
            accepted::<N>(&bytes);
        }
    }
}

/// Sets up to four random bytes in the preamble, the records and the first weights.
fn random_garbage<N: Extremes>(file: &[u8]) {
    let records = (file[32] as usize) * RECORD_LEN;
    for seed in 0..3_000 {
        let _place = Place((N::DTYPE, "seed", seed));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = AlignedBytes::new(file);
        for _ in 0..rng.random_range(1..=4) {
            let at = rng.random_range(8..PREAMBLE_LEN + records + 20);
            bytes[at] = if rng.random() { rng.random() } else { rng.random_range(0..=12) };
        }
        seal(&mut bytes);
        accepted::<N>(&bytes);
    }
}

#[test]
fn garbage_in_the_fields_is_rejected_or_harmless() {
    each!(garbage_in_every_field);
    each!(random_garbage);
}
