//! Calls with what a model does not take: refused, and nothing is changed.

use bytemuck::Zeroable;
use embedded_rnn::{Backend, Error, F32, I8, Model, Number};

use crate::crafted::Place;
use crate::running::{Session, model, ram, run, save};
use crate::stacks::{self, STEPPING, Stack, WHOLE, everywhere};

/// Embeddings of 7 ids, one that goes step by step, one that reads sequences whole, and an encoder of 9 ids.
const OF_IDS: [(&Stack<'_>, u32); 3] = [(&STEPPING[2], 7), (&WHOLE[2], 7), (&STEPPING[5], 9)];

fn ids_are_refused<N: Session>(none: impl Fn(u32) -> Vec<N::In>, of: impl Fn(u16) -> N::In) {
    for (stack, input_dim) in OF_IDS {
        let (file, _) = stacks::file::<N>(stack, true);
        let model = model::<N>(&file, Backend::best());
        let mut ram = ram(&model, 4);
        let mut state = model.state(&mut ram).unwrap();
        let last = of(input_dim as u16 - 1);
        run(&model, &mut state, &[of(2), last]);
        let before = save(&model, &state);
        for (number, id) in none(input_dim).into_iter().enumerate() {
            let _place = Place((N::DTYPE, number));
            for index in 0..4 {
                let mut ids = [of(0), last, of(1), last];
                ids[index] = id;
                let mut out = vec![N::Out::zeroed(); model.run_output_len(4)];
                let refused = Some(Error::Id { index, input_dim });
                assert_eq!(model.run(&mut state, &ids, &mut out).err(), refused);
            }
            if !model.needs_whole_sequences() {
                assert_eq!(model.step(&mut state, &[id]).err(), Some(Error::Id { index: 0, input_dim }));
            }
        }
        assert_eq!(save(&model, &state), before);
    }
}

#[test]
fn ids_that_an_embedding_does_not_have_are_refused() {
    let none = |ids: u32| {
        let past = [ids as f32, (ids + 1) as f32, 65_536.0, 16_777_216.0, f32::MAX, f32::INFINITY];
        let others = [-1.0, 0.5, 1.0 + f32::EPSILON, -f32::MIN_POSITIVE, f32::NAN, f32::NEG_INFINITY];
        [past, others].concat()
    };
    ids_are_refused::<F32>(none, f32::from);
    ids_are_refused::<I8>(|ids| vec![ids as i16, ids as i16 + 1, i16::MAX, i16::MIN, -1], |id| id as i16);
}

#[test]
fn ids_become_inputs_of_an_integer_model_as_they_are() {
    for (stack, input_dim) in OF_IDS {
        let (file, _) = stacks::file::<I8>(stack, true);
        let model = model::<I8>(&file, Backend::best());
        let mut out = [-1];
        for id in 0..input_dim as u16 {
            model.quantize_input(&[id.into()], &mut out).unwrap();
            assert_eq!(out, [id as i16]);
        }
        model.quantize_input(&[-0.0], &mut out).unwrap();
        assert_eq!(out, [0]);
        for x in [input_dim as f32, 65_535.0, 65_536.0, 1e9, -1.0, 0.5, f32::NAN, f32::INFINITY] {
            let refused = Err(Error::Id { index: 0, input_dim });
            assert_eq!(model.quantize_input(&[x], &mut out), refused, "{x}");
        }
        assert_eq!(out, [0]);
    }
}

/// A masked frame is one that no real input becomes.
#[test]
fn masked_frames_become_what_no_frame_does() {
    let (file, _) = stacks::file::<I8>(&STEPPING[1], true);
    let model = model::<I8>(&file, Backend::best());
    let quantized = |x: [f32; 3]| {
        let mut out = [1; 3];
        model.quantize_input(&x, &mut out).unwrap();
        out
    };
    assert_eq!(quantized([0.25; 3]), [i16::MIN; 3]);
    for x in
        [[0.25, 0.25, 0.5], [f32::MIN; 3], [f32::NEG_INFINITY; 3], [f32::NAN; 3], [0.25 + f32::EPSILON; 3]]
    {
        assert!(quantized(x).iter().all(|&q| q > i16::MIN), "{x:?}");
    }
}

fn lengths_are_refused<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let mut ram = ram(model, 3);
    let mut state = model.state(&mut ram).unwrap();
    let size = model.input_size();
    run(model, &mut state, &xs[2 * size..4 * size]);
    let before = save(model, &state);
    let expected = size;
    for found in [0, size - 1, size + 1, 2 * size].into_iter().filter(|&found| found != size) {
        let refused = Some(Error::InputLength { expected, found });
        assert_eq!(model.step(&mut state, &xs[..found]).err(), refused);
    }
    for found in [0, size - 1, 2 * size - 1, 2 * size + 1].into_iter().filter(|found| found % size != 0) {
        let refused = Some(Error::InputLength { expected, found });
        assert_eq!(model.run(&mut state, &xs[..found], &mut []).err(), refused);
    }
    let steps = 2;
    let expected = model.run_output_len(steps);
    for found in [0, 1, expected.wrapping_sub(1), expected + 1, expected * 2, model.output_size()] {
        if found != expected && found < 1000 {
            let mut out = vec![N::Out::zeroed(); found];
            let refused = Some(Error::OutputLength { expected, found });
            assert_eq!(model.run(&mut state, &xs[..steps * size], &mut out).err(), refused);
        }
    }
    assert_eq!(save(model, &state), before);
}

#[test]
fn inputs_and_outputs_of_other_lengths_are_refused() {
    everywhere!(STEPPING, lengths_are_refused);
    everywhere!(WHOLE, lengths_are_refused);
}

/// Nothing that a model answers can be its input, if it takes none of its own.
fn feedback_is_refused<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let mut ram = ram(model, 2);
    let mut state = model.state(&mut ram).unwrap();
    let size = model.input_size();
    run(model, &mut state, &xs[2 * size..4 * size]);
    let before = save(model, &state);
    let first = &model.layers()[model.preamble().decoder_at as usize];
    let errors = |id: u16, state: &mut _| {
        let never = |_: &[N::Out]| -> Option<u16> { panic!("an answer") };
        let mut out = [7; 3];
        let errors = [
            model.decoder_step(state, id).err(),
            model.generate(state, id, never).err(),
            model.greedy(state, id, 0, &mut out).err(),
        ];
        assert_eq!(out, [7; 3]);
        errors
    };
    if first.input_dim == 0 {
        assert_eq!(errors(0, &mut state), [Some(Error::NoFeedback); 3]);
    } else if model.needs_whole_sequences() && !model.has_decoder() {
        assert_eq!(errors(0, &mut state), [Some(Error::WholeSequence); 3]);
    } else {
        for id in [first.input_dim as u16, u16::MAX] {
            let refused = Error::Id { index: 0, input_dim: first.input_dim };
            assert_eq!(errors(id, &mut state), [Some(refused); 3]);
        }
    }
    assert_eq!(save(model, &state), before);
}

#[test]
fn answers_that_cannot_be_fed_back_are_refused() {
    everywhere!(STEPPING, feedback_is_refused);
    everywhere!(WHOLE, feedback_is_refused);
}
