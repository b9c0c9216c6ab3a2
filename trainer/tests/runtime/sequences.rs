//! What must not change an answer: how a sequence is cut into calls, frames that do not count, and what a state was used for
//! before.

use embedded_rnn::format::LayerRecord;
use embedded_rnn::{Model, Number, State};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::files::is_recurrent;
use crate::running::{bits, ram, run, save, steps};
use crate::stacks::{STEPPING, Stack, TIME, WHOLE, everywhere};

/// What a decoder answers when it is told what it wrote; nothing without one.
pub fn told<N: Number>(model: &Model<'_, N>, state: &mut State<'_, N>) -> Vec<N::Out> {
    let ids: &[u16] = if model.has_decoder() { &[0, 3, 4, 0] } else { &[] };
    ids.iter().flat_map(|&id| model.decoder_step(state, id).unwrap().to_vec()).collect()
}

/// `steps` cuts it into single steps: the answers after every one. Any other way must give those of them it asks for.
fn chunks_do_not_matter<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let (size, out_size) = (model.input_size(), model.output_size());
    let mut ram = ram(model, 0);
    let mut state = model.state(&mut ram).unwrap();
    let every = steps(model, &mut state, xs);
    let end = save(model, &state);
    let answers = told(model, &mut state);
    let mut all = every.chunks(out_size).chain(answers.chunks(out_size));
    let first = all.next().unwrap();
    assert!(all.any(|y| bits(y) != bits(first)), "a model that answers to what it is given");
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
        assert_eq!(bits(&told(model, &mut state)), bits(&answers));
    }
}

#[test]
fn step_is_chunk_is_whole_sequence() {
    everywhere!(STEPPING, chunks_do_not_matter);
}

/// A state after a few steps, or a self test, and a reset is a new one, in both phases.
fn reset_forgets<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let mut rams = [ram(model, TIME), ram(model, TIME)];
    let [mut new, mut used] = rams.each_mut().map(|ram| model.state(ram).unwrap());
    let start = save(model, &new);
    let all = |state: &mut State<'_, N>| [run(model, state, xs), told(model, state)];
    let golden = all(&mut new);
    assert_eq!(save(model, &used), start);
    for count in 3..7 {
        run(model, &mut used, &xs[..count * model.input_size()]);
        told(model, &mut used);
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
fn reset_and_self_test_lead_back_to_the_start() {
    everywhere!(STEPPING, reset_forgets);
    everywhere!(WHOLE, reset_forgets);
}

/// The same answers and states as without them.
fn masked_frames_are_none<N: Number>(stack: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let size = model.input_size();
    let counting: Vec<usize> = (0..TIME).filter(|&t| stack.counts(t)).collect();
    let kept: Vec<N::In> = counting.iter().flat_map(|&t| xs[t * size..(t + 1) * size].to_vec()).collect();
    let mut rams = [ram(model, TIME), ram(model, TIME)];
    let [mut state, mut other] = rams.each_mut().map(|ram| model.state(ram).unwrap());
    // Outputs come in the order in which the last layer makes them.
    let turns = |record: &&LayerRecord| record.go_backwards() && !record.is_direction();
    let turned = model.layers().iter().filter(turns).count() % 2 == 1;
    // A second time from where the first has led.
    for _ in 0..2 {
        let mut out = run(model, &mut state, xs);
        if model.returns_sequences() && !model.has_decoder() {
            let mut answers: Vec<&[N::Out]> = out.chunks(model.output_size()).collect();
            if turned {
                answers.reverse();
            }
            let mut answers: Vec<&[N::Out]> = counting.iter().map(|&t| answers[t]).collect();
            if turned {
                answers.reverse();
            }
            out = answers.concat();
        }
        assert_eq!(bits(&out), bits(&run(model, &mut other, &kept)));
        assert_eq!(save(model, &state), save(model, &other));
        assert_eq!(bits(&told(model, &mut state)), bits(&told(model, &mut other)));
    }
}

#[test]
fn frames_that_do_not_count_change_no_other_answer() {
    everywhere!(STEPPING, masked_frames_are_none);
    everywhere!(WHOLE, masked_frames_are_none);
}

/// What a model with a state answers to them is what it answered last.
fn the_answer_stays<N: Number>(stack: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    if !model.layers().iter().any(is_recurrent) {
        return;
    }
    let mut ram = ram(model, 0);
    let mut state = model.state(&mut ram).unwrap();
    let mut last = None;
    for (t, x) in xs.chunks(model.input_size()).enumerate() {
        let before = save(model, &state);
        let y = model.step(&mut state, x).unwrap().to_vec();
        if !stack.counts(t) {
            assert_eq!(save(model, &state), before, "step {t}");
            assert!(last.is_none_or(|last: Vec<N::Out>| bits(&last) == bits(&y)), "step {t}");
        }
        last = Some(y);
    }
}

#[test]
fn a_step_that_is_none_leaves_everything_as_it_is() {
    everywhere!(STEPPING, the_answer_stays);
}
