//! Calls with invalid arguments are rejected and change nothing.

use bytemuck::Zeroable;
use embedded_rnn::{Backend, Error, F32, I8, Model, Number};

use crate::crafted::Place;
use crate::running::{Session, model, ram, run, save};
use crate::stacks::{self, STEPPING, Stack, WHOLE, everywhere};

/// Models over ids, with the number of ids: one that runs step by step, one that requires whole sequences,
/// and an encoder.
const OF_IDS: [(&Stack<'_>, u32); 3] = [(&STEPPING[2], 7), (&WHOLE[2], 7), (&STEPPING[5], 9)];

fn assert_ids_are_rejected<N: Session>(invalid: impl Fn(u32) -> Vec<N::In>, of: impl Fn(u16) -> N::In) {
    for (stack, input_dim) in OF_IDS {
        let (file, _) = stacks::file::<N>(stack, true);
        let model = model::<N>(&file, Backend::best());
        let mut ram = ram(&model, 4);
        let mut state = model.state(&mut ram).unwrap();
        let last = of(input_dim as u16 - 1);
        run(&model, &mut state, &[of(2), last]);
        let before = save(&model, &state);
        for (number, id) in invalid(input_dim).into_iter().enumerate() {
            let _place = Place((N::DTYPE, number));
            for index in 0..4 {
                let mut ids = [of(0), last, of(1), last];
                ids[index] = id;
                let mut out = vec![N::Out::zeroed(); model.run_output_len(4)];
                let rejected = Some(Error::Id { index, input_dim });
                assert_eq!(model.run(&mut state, &ids, &mut out).err(), rejected);
            }
            if !model.needs_whole_sequences() {
                assert_eq!(model.step(&mut state, &[id]).err(), Some(Error::Id { index: 0, input_dim }));
            }
        }
        assert_eq!(save(&model, &state), before);
    }
}

#[test]
fn ids_out_of_range_are_rejected() {
    let invalid = |ids: u32| {
        let past = [ids as f32, (ids + 1) as f32, 65_536.0, 16_777_216.0, f32::MAX, f32::INFINITY];
        let others = [-1.0, 0.5, 1.0 + f32::EPSILON, -f32::MIN_POSITIVE, f32::NAN, f32::NEG_INFINITY];
        [past, others].concat()
    };
    assert_ids_are_rejected::<F32>(invalid, f32::from);
    assert_ids_are_rejected::<I8>(
        |ids| vec![ids as i16, ids as i16 + 1, i16::MAX, i16::MIN, -1],
        |id| id as i16,
    );
}

#[test]
fn ids_are_inputs_of_an_integer_model_unchanged() {
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
            let rejected = Err(Error::Id { index: 0, input_dim });
            assert_eq!(model.quantize_input(&[x], &mut out), rejected, "{x}");
        }
        assert_eq!(out, [0]);
    }
}

/// A masked frame is quantized to a value that no other frame has.
#[test]
fn masked_frames_have_a_value_of_their_own() {
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

fn lengths_are_rejected<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let mut ram = ram(model, 3);
    let mut state = model.state(&mut ram).unwrap();
    let size = model.input_size();
    run(model, &mut state, &xs[2 * size..4 * size]);
    let before = save(model, &state);
    let expected = size;
    for found in [0, size - 1, size + 1, 2 * size].into_iter().filter(|&found| found != size) {
        let rejected = Some(Error::InputLength { expected, found });
        assert_eq!(model.step(&mut state, &xs[..found]).err(), rejected);
    }
    for found in [0, size - 1, 2 * size - 1, 2 * size + 1].into_iter().filter(|found| found % size != 0) {
        let rejected = Some(Error::InputLength { expected, found });
        assert_eq!(model.run(&mut state, &xs[..found], &mut []).err(), rejected);
    }
    let steps = 2;
    let expected = model.run_output_len(steps);
    for found in [0, 1, expected.wrapping_sub(1), expected + 1, expected * 2, model.output_size()] {
        if found != expected && found < 1000 {
            let mut out = vec![N::Out::zeroed(); found];
            let rejected = Some(Error::OutputLength { expected, found });
            assert_eq!(model.run(&mut state, &xs[..steps * size], &mut out).err(), rejected);
        }
    }
    assert_eq!(save(model, &state), before);
}

#[test]
fn inputs_and_outputs_of_other_lengths_are_rejected() {
    everywhere!(STEPPING, lengths_are_rejected);
    everywhere!(WHOLE, lengths_are_rejected);
}

/// Asserts that autoregressive generation is rejected, without calling the model, if the outputs cannot be
/// inputs.
fn generation_is_rejected<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let mut ram = ram(model, 2);
    let mut state = model.state(&mut ram).unwrap();
    let size = model.input_size();
    run(model, &mut state, &xs[2 * size..4 * size]);
    let before = save(model, &state);
    let first = &model.layers()[model.preamble().decoder_at as usize];
    let errors = |id: u16, state: &mut _| {
        let never = |_: &[N::Out]| -> Option<u16> { panic!("an output") };
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
            let rejected = Error::Id { index: 0, input_dim: first.input_dim };
            assert_eq!(errors(id, &mut state), [Some(rejected); 3]);
        }
    }
    assert_eq!(save(model, &state), before);
}

#[test]
fn generation_with_outputs_that_are_not_inputs_is_rejected() {
    everywhere!(STEPPING, generation_is_rejected);
    everywhere!(WHOLE, generation_is_rejected);
}
