//! Models that require whole sequences: the memory per sequence, and the state from one sequence to the next.

use embedded_rnn::{Error, Model, Number, ram_needed, ram_needed_for};
use embedded_rnn_trainer::pack::AlignedBytes;

use crate::running::{bits, ram, run, save};
use crate::sequences::decoder_outputs;
use crate::stacks::{Stack, TIME, WHOLE, everywhere};

/// Asserts that a sequence continues from the states of the one before, in that state or in a restored one.
fn states_are_carried<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let mut rams = [0; 4].map(|_| ram(model, TIME));
    let [mut state, mut new, mut odd, mut even] = rams.each_mut().map(|ram| model.state(ram).unwrap());
    let size = model.input_size();
    run(model, &mut odd, &xs[2 * size..3 * size]);
    run(model, &mut even, &xs[2 * size..4 * size]);
    let mut firsts = Vec::new();
    // Sequences of even and odd lengths, some with a masked frame.
    for (at, count) in [(2, 3), (7, 6), (0, 9), (13, 10), (3, 1)] {
        let saved = save(model, &state);
        let xs = &xs[at * size..(at + count) * size];
        let out = run(model, &mut state, xs);
        let end = save(model, &state);
        let outputs = decoder_outputs(model, &mut state);
        for other in [&mut new, &mut odd, &mut even] {
            other.restore(model, &saved).unwrap();
            assert_eq!(save(model, other), saved);
            assert_eq!(bits(&run(model, other, xs)), bits(&out), "{count} steps");
            assert_eq!(save(model, other), end, "{count} steps");
            assert_eq!(bits(&decoder_outputs(model, other)), bits(&outputs), "{count} steps");
        }
        firsts.push(end);
    }
    assert!(firsts.is_sorted_by(|a, b| a != b), "a state that does not change");
}

#[test]
fn a_sequence_continues_from_the_states_of_the_one_before() {
    everywhere!(WHOLE, states_are_carried);
}

/// Asserts the limit of the sequence length for a given memory, to the byte.
fn memory_limits_the_length<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let size = model.input_size();
    let preamble = model.preamble();
    let room = |steps| (preamble.ram_needed + preamble.ram_per_step * steps as u32) as usize;
    for steps in [1, 2, 9, TIME] {
        let xs = &xs[..steps * size];
        let mut golden = None;
        // Exactly enough memory, up to a time step more, and far more.
        for more in [0, 1, 4, preamble.ram_per_step.saturating_sub(1) as usize, 1000] {
            let mut memory = AlignedBytes::zeroed(room(steps) + more);
            memory.fill(0xff);
            let mut state = model.state(&mut memory).unwrap();
            let out = run(model, &mut state, xs);
            let found = [bits(&out), &save(model, &state)].concat();
            assert_eq!(golden.get_or_insert_with(|| found.clone()), &found, "{more} bytes more");
        }
        // A word less than required.
        let mut memory = AlignedBytes::zeroed(room(steps) - 1);
        if preamble.ram_per_step == 0 {
            let rejected = Error::RamTooSmall { expected: room(0), found: room(0) - 1 };
            assert_eq!(model.state(&mut memory).err(), Some(rejected));
            continue;
        }
        let mut state = model.state(&mut memory).unwrap();
        let before = save(model, &state);
        let mut out = vec![bytemuck::Zeroable::zeroed(); model.run_output_len(steps)];
        let error = model.run(&mut state, xs, &mut out).unwrap_err();
        assert_eq!(error, Error::RamTooSmall { expected: room(steps), found: room(steps) - 4 });
        assert_eq!(save(model, &state), before);
        // A sequence that fits.
        if steps > 1 {
            run(model, &mut state, &xs[size..]);
        }
    }
}

#[test]
fn the_memory_limits_the_sequence_length() {
    everywhere!(WHOLE, memory_limits_the_length);
}

fn needs_are_in_the_file<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let preamble = model.preamble();
    let file = bytemuck::bytes_of(preamble);
    assert_eq!(ram_needed(file), preamble.ram_needed as usize);
    assert_eq!(ram_needed_for(file, 0), ram_needed(file));
    assert_eq!(ram_needed_for(file, 5), ram_needed(file) + 5 * preamble.ram_per_step as usize);
    assert_eq!(
        ram_needed_for(file, usize::MAX),
        if preamble.ram_per_step == 0 { ram_needed(file) } else { usize::MAX }
    );
    assert!(model.needs_whole_sequences());
    let mut ram = ram(model, TIME);
    let mut state = model.state(&mut ram).unwrap();
    let before = save(model, &state);
    assert_eq!(model.step(&mut state, &xs[..model.input_size()]).err(), Some(Error::WholeSequence));
    if !model.has_decoder() {
        let error = model.decoder_step(&mut state, 0).err();
        let takes_ids = model.layers()[0].input_dim > 0;
        assert_eq!(error, Some(if takes_ids { Error::WholeSequence } else { Error::NoFeedback }));
    }
    assert_eq!(save(model, &state), before);
    // The golden trace requires memory for its time steps, too.
    let mut least = AlignedBytes::zeroed(ram_needed(file));
    let tested = model.self_test(&mut model.state(&mut least).unwrap());
    let expected = ram_needed_for(file, preamble.golden_steps as usize);
    let found = ram_needed(file);
    assert_eq!(tested.err(), (found < expected).then_some(Error::RamTooSmall { expected, found }));
}

#[test]
fn single_time_steps_are_rejected() {
    everywhere!(WHOLE, needs_are_in_the_file);
}
