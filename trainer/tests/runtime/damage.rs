//! Damaged model files are refused or harmless: they never panic, whatever a right CRC-32 vouches for.

use embedded_rnn::format::{PREAMBLE_LEN, RECORD_LEN};
use embedded_rnn::{Backend, Error, F32, I8, Model, Number};
use embedded_rnn_trainer::pack::AlignedBytes;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::crafted::Place;
use crate::files::seal;
use crate::refusals::{TINY_F32, TINY_I8};
use crate::running::{bits, ram, run, save, steps};

/// More RAM than any of these files may ask for.
const RAM_LIMIT: u32 = 1 << 16;
const STEPS: usize = 3;

/// What a kind of numbers adds to the trial.
trait Trial: Number {
    const TINY: &'static [u8];
    /// Inputs to run on, the wildest first.
    fn inputs(model: &Model<'_, Self>) -> Vec<Vec<Self::In>>;
}

impl Trial for F32 {
    const TINY: &'static [u8] = TINY_F32;
    fn inputs(model: &Model<'_, Self>) -> Vec<Vec<f32>> {
        let count = STEPS * model.input_size();
        vec![vec![f32::NAN; count], vec![f32::MAX; count], vec![0.5; count]]
    }
}

impl Trial for I8 {
    const TINY: &'static [u8] = TINY_I8;
    fn inputs(model: &Model<'_, Self>) -> Vec<Vec<i16>> {
        let size = model.input_size();
        let mut x = vec![0; size];
        for wild in [f32::NAN, f32::INFINITY, f32::MIN, 0.5] {
            model.quantize_input(&vec![wild; size], &mut x).unwrap();
        }
        vec![vec![i16::MIN; STEPS * size], vec![i16::MAX; STEPS * size], x.repeat(STEPS)]
    }
}

/// Uses a model in every way, on every backend; integer answers agree whatever the weights have become.
fn use_it<N: Trial>(bytes: &[u8], model: Model<'_, N>) {
    assert!(model.preamble().ram_needed < RAM_LIMIT);
    if let Some(header) = model.header() {
        let _ = (header.info(), header.layers().count(), header.labels().count());
    }
    let _ = (model.saved_len(), model.output_scale(), embedded_rnn::is_model(bytes));
    for xs in N::inputs(&model) {
        let on = |backend| {
            let model = model.with_backend(backend);
            let mut ram = ram(&model, 0);
            let mut state = model.state(&mut ram).unwrap();
            let tested = model.self_test(&mut state);
            assert!(matches!(tested, Ok(()) | Err(Error::SelfTest { .. })), "{tested:?}");
            let every = steps(&model, &mut state, &xs);
            let saved = save(&model, &state);
            state.restore(&model, &saved).unwrap();
            let out = run(&model, &mut state, &xs);
            [bits(&every), bits(&out), &saved].concat()
        };
        let portable = on(Backend::portable());
        for backend in Backend::all() {
            let same = on(backend) == portable;
            assert!(size_of::<N::In>() == 4 || same, "other bits on {}", backend.name());
        }
    }
}

/// Whether the file was taken, and then stood the trial.
fn taken<N: Trial>(bytes: &[u8]) -> bool {
    Model::<N>::new(bytes).map(|model| use_it(bytes, model)).is_ok()
}

fn truncated<N: Trial>() {
    for length in 0..N::TINY.len() {
        let _place = Place(length);
        let mut bytes = AlignedBytes::new(&N::TINY[..length]);
        let error = Model::<N>::new(&bytes).err().unwrap();
        let expected = if length < PREAMBLE_LEN { PREAMBLE_LEN } else { N::TINY.len() };
        let cut = Error::Truncated { expected, found: length };
        assert_eq!(error, if length < 4 { Error::NotAModel } else { cut });
        // A file that says so itself.
        if length >= PREAMBLE_LEN {
            bytes[8..12].copy_from_slice(&(length as u32).to_le_bytes());
            seal(&mut bytes);
            assert!(matches!(Model::<N>::new(&bytes).err().unwrap(), Error::Section { .. }));
        }
    }
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    truncated::<F32>();
    truncated::<I8>();
}

/// Every bit flipped: found by the CRC-32 or a check before it. Again with the CRC-32 of the flipped bytes: refused by
/// the checks behind it, or harmless.
fn flipped<N: Trial>() {
    let mut taken_bits = 0;
    for bit in 0..8 * N::TINY.len() {
        let _place = Place(("bit", bit));
        let mut bytes = AlignedBytes::new(N::TINY);
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Model::<N>::new(&bytes).is_err());
        seal(&mut bytes);
        taken_bits += usize::from(taken::<N>(&bytes));
    }
    // Weights, golden trace and header: most of the file is taken as it is.
    assert!(taken_bits > 8 * N::TINY.len() / 2, "{taken_bits}");
}

#[test]
fn every_flipped_bit_is_refused_or_harmless() {
    flipped::<F32>();
    flipped::<I8>();
}

/// Every word of preamble and records, one after another, set to what counts and offsets break on.
fn garbage_in_every_field<N: Trial>() {
    let len = N::TINY.len() as u32;
    let records = (N::TINY[32] as usize) * RECORD_LEN;
    for at in (0..PREAMBLE_LEN + records).step_by(4) {
        for value in
            [0, 1, 2, 3, 4, 79, 80, len - 4, len, len + 4, i32::MAX as u32, 1 << 31, u32::MAX - 3, u32::MAX]
        {
            let _place = Place((at, value));
            let mut bytes = AlignedBytes::new(N::TINY);
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            seal(&mut bytes);
            taken::<N>(&bytes);
        }
    }
}

/// Several bytes at once, anywhere in preamble, records and first weights.
fn random_garbage<N: Trial>() {
    for seed in 0..10_000 {
        let _place = Place(("seed", seed));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = AlignedBytes::new(N::TINY);
        for _ in 0..rng.random_range(1..=4) {
            let at = rng.random_range(8..200);
            bytes[at] = if rng.random() { rng.random() } else { rng.random_range(0..=4) };
        }
        seal(&mut bytes);
        taken::<N>(&bytes);
    }
}

#[test]
fn garbage_in_the_fields_is_refused_or_harmless() {
    garbage_in_every_field::<F32>();
    garbage_in_every_field::<I8>();
    random_garbage::<F32>();
    random_garbage::<I8>();
}
