//! A state saved and restored: the same bits go on. Bytes that are none are refused and change nothing.

use embedded_rnn::{Backend, Error, F32, I8, Model, Number, State};

use crate::crafted::{self, Place, sealed};
use crate::running::{bits, model, quantized, ram, run, save};
use crate::sequences::{TIME, everywhere, files};

/// Saved at every step, restored into a new state and into ones used before, of either phase.
fn goes_on<N: Number>(model: &Model<'_, N>, xs: &[N::In]) {
    let size = model.input_size();
    let mut rams = [ram(model, 0), ram(model, 0), ram(model, 0), ram(model, 0)];
    let [mut state, mut new, mut odd, mut even] = rams.each_mut().map(|ram| model.state(ram).unwrap());
    run(model, &mut odd, &xs[..size]);
    run(model, &mut even, &xs[..2 * size]);
    for at in 0..TIME {
        let saved = save(model, &state);
        let mut golden = None;
        for other in [&mut new, &mut odd, &mut even] {
            other.restore(model, &saved).unwrap();
            assert_eq!(save(model, other), saved, "restored after {at} steps");
            let rest = run(model, other, &xs[at * size..]);
            let golden = golden.get_or_insert_with(|| {
                let mut ram = ram(model, 0);
                let out = run(model, &mut model.state(&mut ram).unwrap(), xs);
                let answers = out.len() / model.output_size();
                out[answers.saturating_sub(TIME - at).min(answers - 1) * model.output_size()..].to_vec()
            });
            assert_eq!(bits(&rest), bits(golden), "gone on after {at} steps");
        }
        run(model, &mut state, &xs[at * size..(at + 1) * size]);
    }
}

#[test]
fn a_restored_state_goes_on_with_the_same_bits() {
    everywhere!(goes_on);
}

/// Tries to restore, and sees that the state is as it was if that fails.
fn refused<N: Number>(model: &Model<'_, N>, state: &mut State<'_, N>, bytes: &[u8]) -> Error {
    let before = save(model, state);
    let error = state.restore(model, bytes).unwrap_err();
    assert_eq!(save(model, state), before, "changed by what was refused: {error}");
    error
}

fn bad_bytes_are_refused<N: Number>(model: &Model<'_, N>, xs: &[N::In]) {
    let size = model.input_size();
    let mut rams = [ram(model, 0), ram(model, 0)];
    let [mut state, mut other] = rams.each_mut().map(|ram| model.state(ram).unwrap());
    run(model, &mut state, &xs[..3 * size]);
    run(model, &mut other, &xs[3 * size..]);
    let saved = save(model, &other);
    let bad = |bytes: &[u8], state: &mut State<'_, N>| {
        let _place = Place(bytes.len());
        assert_eq!(refused(model, state, bytes), Error::BadSavedState);
    };
    for length in 0..saved.len() {
        bad(&saved[..length], &mut state);
        // The same with a CRC-32 that is right for what is left.
        bad(&sealed(saved[..length.saturating_sub(4)].to_vec()), &mut state);
    }
    for longer in [&[0u8][..], &[0; 4]] {
        bad(&[&saved, longer].concat(), &mut state);
        bad(&sealed([&saved[..saved.len() - 4], longer].concat()), &mut state);
    }
    for bit in 0..8 * saved.len() {
        let mut flipped = saved.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        bad(&flipped, &mut state);
    }
    let mut version = saved[..saved.len() - 4].to_vec();
    version[0] += 1;
    bad(&sealed(version), &mut state);
    // The bytes themselves were good.
    state.restore(model, &saved).unwrap();
    assert_eq!(save(model, &state), saved);
}

#[test]
fn damaged_short_and_long_saved_states_are_refused_and_change_nothing() {
    let (float, int, frames) = files(false);
    bad_bytes_are_refused(&model::<F32>(&float, Backend::best()), &frames);
    let int = model::<I8>(&int, Backend::best());
    bad_bytes_are_refused(&int, &quantized(&int, &frames));
}

/// A state of the model in `file` whose words count differently than the bytes say.
#[test]
fn a_count_of_words_that_is_not_the_models_is_refused() {
    let (_, file, _) = files(false);
    let model = model::<I8>(&file, Backend::best());
    let mut ram = ram(&model, 0);
    let mut state = model.state(&mut ram).unwrap();
    let words = vec![0; (model.saved_len() - 15) / 4];
    state.restore(&model, &crafted::saved(&file, &words)).unwrap();
    for count in [0, words.len() - 1, words.len() + 1, u32::MAX as usize] {
        let id = model.preamble().crc32;
        let mut bytes = postcard::to_allocvec(&(1u8, id, count as u32)).unwrap();
        bytes.extend_from_slice(bytemuck::cast_slice(&words));
        assert_eq!(refused(&model, &mut state, &sealed(bytes)), Error::BadSavedState);
    }
}

fn foreigners_are_refused<N: Number>(own: &Model<'_, N>, other: &Model<'_, N>, xs: &[N::In]) {
    let mut rams = [ram(own, 0), ram(other, 0)];
    let [own_ram, other_ram] = &mut rams;
    let (mut state, mut foreign) = (own.state(own_ram).unwrap(), other.state(other_ram).unwrap());
    run(own, &mut state, xs);
    run(other, &mut foreign, xs);
    let (saved, before) = (save(other, &foreign), save(own, &state));
    assert_eq!(refused(own, &mut state, &saved), Error::ForeignState);
    let x = &xs[..own.input_size()];
    let mut out = vec![bytemuck::Zeroable::zeroed(); own.output_size()];
    let mut buf = vec![0; own.saved_len() + other.saved_len()];
    assert_eq!(own.step(&mut foreign, x).err(), Some(Error::ForeignState));
    assert_eq!(own.run(&mut foreign, x, &mut out).err(), Some(Error::ForeignState));
    assert_eq!(own.self_test(&mut foreign).err(), Some(Error::ForeignState));
    assert_eq!(foreign.save(own, &mut buf).err(), Some(Error::ForeignState));
    assert_eq!(foreign.restore(own, &before).err(), Some(Error::ForeignState));
    assert_eq!(save(other, &foreign), saved);
}

/// The two differ in the last layer's flag only, so their states have the same size.
#[test]
fn the_state_of_another_model_is_refused_and_not_touched() {
    let ((float, int, frames), (other_float, other_int, _)) = (files(true), files(false));
    let best = Backend::best();
    // As many outputs as one step has, from either.
    let float_frames = &frames[..model::<F32>(&float, best).input_size()];
    foreigners_are_refused(&model::<F32>(&float, best), &model::<F32>(&other_float, best), float_frames);
    let int = model::<I8>(&int, best);
    let xs = quantized(&int, float_frames);
    foreigners_are_refused(&int, &model::<I8>(&other_int, best), &xs);
}

#[test]
fn a_buffer_too_small_is_refused() {
    let (file, ..) = files(false);
    let model = model::<F32>(&file, Backend::best());
    let mut ram = ram(&model, 0);
    let state = model.state(&mut ram).unwrap();
    let needed = save(&model, &state).len();
    assert!(needed <= model.saved_len());
    for found in 0..needed {
        let expected = model.saved_len();
        let error = state.save(&model, &mut vec![0; found]).unwrap_err();
        assert_eq!(error, Error::BufferTooSmall { expected, found });
    }
}
