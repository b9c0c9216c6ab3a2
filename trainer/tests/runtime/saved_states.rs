//! A restored state continues with the same bits. Invalid bytes are rejected and change nothing.

use embedded_rnn::{Backend, Error, F32, I8, Model, Number, State};

use crate::crafted::{self, Place, sealed};
use crate::running::{Session, bits, model, ram, run, save};
use crate::sequences::decoder_outputs;
use crate::stacks::{STEPPING, Stack, TIME, WHOLE, everywhere, file};

/// Saves at every time step, and restores into a new state and into used ones of either phase.
fn restored_states_continue<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let size = model.input_size();
    let mut rams = [0; 5].map(|_| ram(model, 0));
    let [mut state, mut whole, mut new, mut odd, mut even] =
        rams.each_mut().map(|ram| model.state(ram).unwrap());
    let golden = run(model, &mut whole, xs);
    let outputs = decoder_outputs(model, &mut whole);
    // These frames are not masked.
    run(model, &mut odd, &xs[2 * size..3 * size]);
    run(model, &mut even, &xs[2 * size..4 * size]);
    for at in 0..TIME {
        let saved = save(model, &state);
        let skipped =
            if model.returns_sequences() && !model.has_decoder() { at * model.output_size() } else { 0 };
        for other in [&mut new, &mut odd, &mut even] {
            other.restore(model, &saved).unwrap();
            assert_eq!(save(model, other), saved, "restored after {at} steps");
            assert_eq!(
                bits(&run(model, other, &xs[at * size..])),
                bits(&golden[skipped..]),
                "continued after {at} steps"
            );
            assert_eq!(bits(&decoder_outputs(model, other)), bits(&outputs), "continued after {at} steps");
        }
        run(model, &mut state, &xs[at * size..(at + 1) * size]);
    }
}

#[test]
fn a_restored_state_continues_with_the_same_bits() {
    everywhere!(STEPPING, restored_states_continue);
}

/// Saves between an encoder and its decoder, and while the decoder generates.
fn restored_decoders_generate<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    if !model.has_decoder() {
        return;
    }
    let mut rams = [0; 4].map(|_| ram(model, TIME));
    let [mut state, mut new, mut odd, mut even] = rams.each_mut().map(|ram| model.state(ram).unwrap());
    let size = model.input_size();
    run(model, &mut odd, &xs[2 * size..3 * size]);
    run(model, &mut even, &xs[2 * size..4 * size]);
    decoder_outputs(model, &mut even);
    run(model, &mut state, xs);
    for generated in 0..4 {
        let saved = save(model, &state);
        let ids = [2, 0, 3];
        let outputs = |state: &mut State<'_, N>| {
            let mut buf = [0; 3];
            let scores = ids.map(|id| model.decoder_step(state, id).unwrap().to_vec()).concat();
            (bits(&scores).to_vec(), model.greedy(state, 1, 0, &mut buf).unwrap().to_vec())
        };
        let mut golden = None;
        for other in [&mut new, &mut odd, &mut even] {
            other.restore(model, &saved).unwrap();
            assert_eq!(save(model, other), saved, "restored after {generated} ids");
            let found = outputs(other);
            assert_eq!(
                golden.get_or_insert_with(|| found.clone()),
                &found,
                "continued after {generated} ids"
            );
        }
        if generated == 3 {
            assert_eq!(Some(outputs(&mut state)), golden, "continued without a restore");
        }
        model.decoder_step(&mut state, generated).unwrap();
    }
}

#[test]
fn a_restored_decoder_generates_the_same_ids() {
    everywhere!(STEPPING, restored_decoders_generate);
    everywhere!(WHOLE, restored_decoders_generate);
}

/// Restores invalid bytes, asserts that the state does not change, and returns the error.
fn restore_error<N: Number>(model: &Model<'_, N>, state: &mut State<'_, N>, bytes: &[u8]) -> Error {
    let before = save(model, state);
    let error = state.restore(model, bytes).unwrap_err();
    assert_eq!(save(model, state), before, "changed by rejected bytes: {error}");
    error
}

fn assert_invalid_bytes_are_rejected<N: Number>(model: &Model<'_, N>, xs: &[N::In]) {
    let size = model.input_size();
    let mut rams = [ram(model, 0), ram(model, 0)];
    let [mut state, mut other] = rams.each_mut().map(|ram| model.state(ram).unwrap());
    run(model, &mut state, &xs[..3 * size]);
    run(model, &mut other, &xs[3 * size..]);
    let saved = save(model, &other);
    let bad = |bytes: &[u8], state: &mut State<'_, N>| {
        let _place = Place(bytes.len());
        assert_eq!(restore_error(model, state, bytes), Error::BadSavedState);
    };
    for length in 0..saved.len() {
        bad(&saved[..length], &mut state);
        // The truncated bytes with a valid CRC-32.
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
    // The unmodified bytes are valid.
    state.restore(model, &saved).unwrap();
    assert_eq!(save(model, &state), saved);
}

#[test]
fn damaged_short_and_long_saved_states_are_rejected_and_change_nothing() {
    let (bytes, frames) = file::<F32>(&STEPPING[0], false);
    assert_invalid_bytes_are_rejected(&model::<F32>(&bytes, Backend::best()), &frames);
    let (bytes, frames) = file::<I8>(&STEPPING[4], false);
    let int = model::<I8>(&bytes, Backend::best());
    assert_invalid_bytes_are_rejected(&int, &I8::inputs(&int, &frames));
}

/// The count of words in the saved state differs from the number of words.
#[test]
fn another_count_of_words_is_rejected() {
    let (bytes, _) = file::<I8>(&STEPPING[0], false);
    let model = model::<I8>(&bytes, Backend::best());
    let mut ram = ram(&model, 0);
    let mut state = model.state(&mut ram).unwrap();
    let words = vec![0; (model.saved_len() - 15) / 4];
    state.restore(&model, &crafted::saved(&bytes, &words)).unwrap();
    for count in [0, words.len() - 1, words.len() + 1, u32::MAX as usize] {
        let id = model.preamble().crc32;
        let mut bytes = postcard::to_allocvec(&(1u8, id, count as u32)).unwrap();
        bytes.extend_from_slice(bytemuck::cast_slice(&words));
        assert_eq!(restore_error(&model, &mut state, &sealed(bytes)), Error::BadSavedState);
    }
}

fn assert_foreign_states_are_rejected<N: Session>(stack: &Stack<'_>) {
    let ((own, frames), (other, _)) = (file::<N>(stack, true), file::<N>(stack, false));
    let (own, other) = (model::<N>(&own, Backend::best()), model::<N>(&other, Backend::best()));
    let xs = N::inputs(&own, &frames[2 * own.input_size()..4 * own.input_size()]);
    let mut rams = [ram(&own, 2), ram(&other, 2)];
    let [own_ram, other_ram] = &mut rams;
    let (mut state, mut foreign) = (own.state(own_ram).unwrap(), other.state(other_ram).unwrap());
    run(&own, &mut state, &xs);
    run(&other, &mut foreign, &xs);
    let (saved, before) = (save(&other, &foreign), save(&own, &state));
    assert_eq!(restore_error(&own, &mut state, &saved), Error::ForeignState);
    let mut out = vec![bytemuck::Zeroable::zeroed(); own.run_output_len(2)];
    let mut buf = vec![0; own.saved_len() + other.saved_len()];
    let rejected = Some(Error::ForeignState);
    if !own.needs_whole_sequences() {
        assert_eq!(own.step(&mut foreign, &xs[..own.input_size()]).err(), rejected);
    }
    assert_eq!(own.run(&mut foreign, &xs, &mut out).err(), rejected);
    assert_eq!(own.self_test(&mut foreign).err(), rejected);
    assert_eq!(own.decoder_step(&mut foreign, 0).err(), rejected);
    assert_eq!(own.greedy(&mut foreign, 0, 0, &mut [0; 3]).err(), rejected);
    assert_eq!(own.set_layer_state(&mut foreign, 1, &[], &[]).err(), rejected);
    assert_eq!(own.layer_state(&foreign, 1, &mut [], &mut []).err(), rejected);
    assert_eq!(foreign.save(&own, &mut buf).err(), rejected);
    assert_eq!(foreign.restore(&own, &before).err(), rejected);
    assert_eq!(save(&other, &foreign), saved);
}

/// The two models differ in a flag of the last layer only, so their states have the same size.
#[test]
fn the_state_of_another_model_is_rejected_and_does_not_change() {
    for stack in [&STEPPING[0], &STEPPING[4], &WHOLE[0], &WHOLE[4]] {
        assert_foreign_states_are_rejected::<F32>(stack);
        assert_foreign_states_are_rejected::<I8>(stack);
    }
}

#[test]
fn a_buffer_too_small_is_rejected() {
    for stack in [&STEPPING[0], &STEPPING[4], &WHOLE[1]] {
        let (bytes, _) = file::<F32>(stack, false);
        let model = model::<F32>(&bytes, Backend::best());
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
}

#[test]
fn the_bytes_of_a_file_declare_the_length() {
    fn agrees<N: Session>(stack: &Stack<'_>) {
        let (bytes, _) = file::<N>(stack, false);
        assert_eq!(embedded_rnn::saved_len(&bytes), model::<N>(&bytes, Backend::best()).saved_len());
    }
    for stack in STEPPING.iter().chain(&WHOLE) {
        agrees::<F32>(stack);
        agrees::<I8>(stack);
    }
}
