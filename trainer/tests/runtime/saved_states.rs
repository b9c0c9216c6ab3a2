//! A state saved and restored: the same bits go on. Bytes that are none are refused and change nothing.

use embedded_rnn::{Backend, Error, F32, I8, Model, Number, State};

use crate::crafted::{self, Place, sealed};
use crate::running::{Session, bits, model, ram, run, save};
use crate::sequences::told;
use crate::stacks::{STEPPING, Stack, TIME, WHOLE, everywhere, file};

/// Saved at every step, restored into a new state and into ones used before, of either phase.
fn goes_on<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let size = model.input_size();
    let mut rams = [0; 5].map(|_| ram(model, 0));
    let [mut state, mut whole, mut new, mut odd, mut even] =
        rams.each_mut().map(|ram| model.state(ram).unwrap());
    let golden = run(model, &mut whole, xs);
    let answers = told(model, &mut whole);
    // Frames that count.
    run(model, &mut odd, &xs[2 * size..3 * size]);
    run(model, &mut even, &xs[2 * size..4 * size]);
    for at in 0..TIME {
        let saved = save(model, &state);
        let gone =
            if model.returns_sequences() && !model.has_decoder() { at * model.output_size() } else { 0 };
        for other in [&mut new, &mut odd, &mut even] {
            other.restore(model, &saved).unwrap();
            assert_eq!(save(model, other), saved, "restored after {at} steps");
            assert_eq!(
                bits(&run(model, other, &xs[at * size..])),
                bits(&golden[gone..]),
                "gone on after {at} steps"
            );
            assert_eq!(bits(&told(model, other)), bits(&answers), "gone on after {at} steps");
        }
        run(model, &mut state, &xs[at * size..(at + 1) * size]);
    }
}

#[test]
fn a_restored_state_goes_on_with_the_same_bits() {
    everywhere!(STEPPING, goes_on);
}

/// Between an encoder and its decoder, and while the decoder writes.
fn writes_on<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    if !model.has_decoder() {
        return;
    }
    let mut rams = [0; 4].map(|_| ram(model, TIME));
    let [mut state, mut new, mut odd, mut even] = rams.each_mut().map(|ram| model.state(ram).unwrap());
    let size = model.input_size();
    run(model, &mut odd, &xs[2 * size..3 * size]);
    run(model, &mut even, &xs[2 * size..4 * size]);
    told(model, &mut even);
    run(model, &mut state, xs);
    for written in 0..4 {
        let saved = save(model, &state);
        let ids = [2, 0, 3];
        let answers = |state: &mut State<'_, N>| {
            let mut buf = [0; 3];
            let told = ids.map(|id| model.decoder_step(state, id).unwrap().to_vec()).concat();
            (bits(&told).to_vec(), model.greedy(state, 1, 0, &mut buf).unwrap().to_vec())
        };
        let mut golden = None;
        for other in [&mut new, &mut odd, &mut even] {
            other.restore(model, &saved).unwrap();
            assert_eq!(save(model, other), saved, "restored after {written} ids");
            let found = answers(other);
            assert_eq!(golden.get_or_insert_with(|| found.clone()), &found, "gone on after {written} ids");
        }
        if written == 3 {
            assert_eq!(Some(answers(&mut state)), golden, "gone on without being saved");
        }
        model.decoder_step(&mut state, written).unwrap();
    }
}

#[test]
fn a_restored_decoder_writes_on() {
    everywhere!(STEPPING, writes_on);
    everywhere!(WHOLE, writes_on);
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
    let (bytes, frames) = file::<F32>(&STEPPING[0], false);
    bad_bytes_are_refused(&model::<F32>(&bytes, Backend::best()), &frames);
    let (bytes, frames) = file::<I8>(&STEPPING[4], false);
    let int = model::<I8>(&bytes, Backend::best());
    bad_bytes_are_refused(&int, &I8::inputs(&int, &frames));
}

/// A state of the model in `bytes` whose words count differently than the bytes say.
#[test]
fn a_count_of_words_that_is_not_the_models_is_refused() {
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
        assert_eq!(refused(&model, &mut state, &sealed(bytes)), Error::BadSavedState);
    }
}

fn foreigners_are_refused<N: Session>(stack: &Stack<'_>) {
    let ((own, frames), (other, _)) = (file::<N>(stack, true), file::<N>(stack, false));
    let (own, other) = (model::<N>(&own, Backend::best()), model::<N>(&other, Backend::best()));
    let xs = N::inputs(&own, &frames[2 * own.input_size()..4 * own.input_size()]);
    let mut rams = [ram(&own, 2), ram(&other, 2)];
    let [own_ram, other_ram] = &mut rams;
    let (mut state, mut foreign) = (own.state(own_ram).unwrap(), other.state(other_ram).unwrap());
    run(&own, &mut state, &xs);
    run(&other, &mut foreign, &xs);
    let (saved, before) = (save(&other, &foreign), save(&own, &state));
    assert_eq!(refused(&own, &mut state, &saved), Error::ForeignState);
    let mut out = vec![bytemuck::Zeroable::zeroed(); own.run_output_len(2)];
    let mut buf = vec![0; own.saved_len() + other.saved_len()];
    let refused = Some(Error::ForeignState);
    if !own.needs_whole_sequences() {
        assert_eq!(own.step(&mut foreign, &xs[..own.input_size()]).err(), refused);
    }
    assert_eq!(own.run(&mut foreign, &xs, &mut out).err(), refused);
    assert_eq!(own.self_test(&mut foreign).err(), refused);
    assert_eq!(own.decoder_step(&mut foreign, 0).err(), refused);
    assert_eq!(own.greedy(&mut foreign, 0, 0, &mut [0; 3]).err(), refused);
    assert_eq!(own.set_layer_state(&mut foreign, 1, &[], &[]).err(), refused);
    assert_eq!(own.layer_state(&foreign, 1, &mut [], &mut []).err(), refused);
    assert_eq!(foreign.save(&own, &mut buf).err(), refused);
    assert_eq!(foreign.restore(&own, &before).err(), refused);
    assert_eq!(save(&other, &foreign), saved);
}

/// The two differ in the last layer's flag only, so their states have the same size.
#[test]
fn the_state_of_another_model_is_refused_and_not_touched() {
    for stack in [&STEPPING[0], &STEPPING[4], &WHOLE[0], &WHOLE[4]] {
        foreigners_are_refused::<F32>(stack);
        foreigners_are_refused::<I8>(stack);
    }
}

#[test]
fn a_buffer_too_small_is_refused() {
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
