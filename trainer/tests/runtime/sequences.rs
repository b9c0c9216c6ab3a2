//! The outputs do not depend on how a sequence is split into calls, on masked time steps, or on earlier
//! sequences of a state that has been reset.

use embedded_rnn::format::LayerRecord;
use embedded_rnn::{Model, Number, State};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::files::is_recurrent;
use crate::running::{bits, ram, run, save, steps};
use crate::stacks::{STEPPING, Stack, TIME, WHOLE, everywhere};

/// Returns the outputs of the decoder for four ids; empty without a decoder.
pub fn decoder_outputs<N: Number>(model: &Model<'_, N>, state: &mut State<'_, N>) -> Vec<N::Out> {
    let ids: &[u16] = if model.has_decoder() { &[0, 3, 4, 0] } else { &[] };
    ids.iter().flat_map(|&id| model.decoder_step(state, id).unwrap().to_vec()).collect()
}

/// Asserts that `run` over random chunks has the outputs of single time steps.
fn chunks_have_no_effect<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let (size, out_size) = (model.input_size(), model.output_size());
    let mut ram = ram(model, 0);
    let mut state = model.state(&mut ram).unwrap();
    let every = steps(model, &mut state, xs);
    let end = save(model, &state);
    let outputs = decoder_outputs(model, &mut state);
    let mut all = every.chunks(out_size).chain(outputs.chunks(out_size));
    let first = all.next().unwrap();
    assert!(all.any(|y| bits(y) != bits(first)), "the outputs do not depend on the inputs");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..20 {
        state.reset();
        let mut at = 0;
        while at < TIME {
            let count = rng.random_range(1..=TIME - at);
            let out = run(model, &mut state, &xs[at * size..(at + count) * size]);
            at += count;
            let from = if model.returns_sequences() { at - count } else { at - 1 };
            let expected = if model.has_decoder() { &[] } else { &every[from * out_size..at * out_size] };
            assert_eq!(bits(&out), bits(expected), "{count} steps up to {at}");
        }
        assert_eq!(save(model, &state), end);
        assert_eq!(bits(&decoder_outputs(model, &mut state)), bits(&outputs));
    }
}

#[test]
fn steps_chunks_and_whole_sequences_have_the_same_outputs() {
    everywhere!(STEPPING, chunks_have_no_effect);
}

/// Asserts that a reset or a self-test restores the initial state, in both phases.
fn reset_restores_the_initial_state<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let mut rams = [ram(model, TIME), ram(model, TIME)];
    let [mut new, mut used] = rams.each_mut().map(|ram| model.state(ram).unwrap());
    let start = save(model, &new);
    let all = |state: &mut State<'_, N>| [run(model, state, xs), decoder_outputs(model, state)];
    let golden = all(&mut new);
    assert_eq!(save(model, &used), start);
    for count in 3..7 {
        run(model, &mut used, &xs[..count * model.input_size()]);
        decoder_outputs(model, &mut used);
        assert!(save(model, &used) != start || !model.layers().iter().any(is_recurrent));
        if count % 3 == 0 {
            model.self_test(&mut used).unwrap();
        } else {
            used.reset();
        }
        assert_eq!(save(model, &used), start);
        let found = all(&mut used);
        assert_eq!(
            found.each_ref().map(|y| bits(y)),
            golden.each_ref().map(|y| bits(y)),
            "reset after {count}"
        );
        used.reset();
    }
}

#[test]
fn reset_and_self_test_restore_the_initial_state() {
    everywhere!(STEPPING, reset_restores_the_initial_state);
    everywhere!(WHOLE, reset_restores_the_initial_state);
}

/// Asserts that outputs and states are those of the sequence without masked time steps.
fn masked_time_steps_are_skipped<N: Number>(stack: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let size = model.input_size();
    let unmasked: Vec<usize> = (0..TIME).filter(|&t| stack.is_unmasked(t)).collect();
    let without: Vec<N::In> = unmasked.iter().flat_map(|&t| xs[t * size..(t + 1) * size].to_vec()).collect();
    let mut rams = [ram(model, TIME), ram(model, TIME)];
    let [mut state, mut other] = rams.each_mut().map(|ram| model.state(ram).unwrap());
    // The outputs are in the order in which the last layer computes them.
    let reverses = |record: &&LayerRecord| record.go_backwards() && !record.is_direction();
    let reversed = model.layers().iter().filter(reverses).count() % 2 == 1;
    // The second run continues from the states of the first.
    for _ in 0..2 {
        let mut out = run(model, &mut state, xs);
        if model.returns_sequences() && !model.has_decoder() {
            let mut outputs: Vec<&[N::Out]> = out.chunks(model.output_size()).collect();
            if reversed {
                outputs.reverse();
            }
            let mut outputs: Vec<&[N::Out]> = unmasked.iter().map(|&t| outputs[t]).collect();
            if reversed {
                outputs.reverse();
            }
            out = outputs.concat();
        }
        assert_eq!(bits(&out), bits(&run(model, &mut other, &without)));
        assert_eq!(save(model, &state), save(model, &other));
        assert_eq!(bits(&decoder_outputs(model, &mut state)), bits(&decoder_outputs(model, &mut other)));
    }
}

#[test]
fn masked_time_steps_change_no_other_output() {
    everywhere!(STEPPING, masked_time_steps_are_skipped);
    everywhere!(WHOLE, masked_time_steps_are_skipped);
}

/// Asserts that a masked time step changes no state and repeats the output, in models with a state.
fn the_output_is_repeated<N: Number>(stack: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    if !model.layers().iter().any(is_recurrent) {
        return;
    }
    let mut ram = ram(model, 0);
    let mut state = model.state(&mut ram).unwrap();
    let mut last = None;
    for (t, x) in xs.chunks(model.input_size()).enumerate() {
        let before = save(model, &state);
        let y = model.step(&mut state, x).unwrap().to_vec();
        if !stack.is_unmasked(t) {
            assert_eq!(save(model, &state), before, "step {t}");
            assert!(last.is_none_or(|last: Vec<N::Out>| bits(&last) == bits(&y)), "step {t}");
        }
        last = Some(y);
    }
}

#[test]
fn a_masked_time_step_changes_nothing() {
    everywhere!(STEPPING, the_output_is_repeated);
}
