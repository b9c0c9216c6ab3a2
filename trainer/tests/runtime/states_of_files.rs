//! Initial states in a file: a model that has some computes what the same model without them does after a
//! caller has set its states.

use embedded_rnn::format::INITIAL_STATE;
use embedded_rnn::{Backend, F16, F32, I8, Kind, Model, Number, State};
use embedded_rnn_trainer::pack::AlignedBytes;

use crate::crafted::Place;
use crate::files::{self, layers_of};
use crate::running::{Session, bits, model, ram, run};
use crate::sequences::decoder_outputs;
use crate::stacks::{STEPPING, Stack, TIME, WHOLE, file};

/// Returns the index of each layer with an initial state, its h and its c.
fn states<N: Number>(model: &Model<'_, N>, state: &State<'_, N>) -> Vec<(usize, Vec<f32>, Vec<f32>)> {
    let layers = model.layers().iter().enumerate().filter(|(_, record)| record.has_initial_state());
    let read = layers.map(|(index, record)| {
        let cells = if record.kind == Kind::Lstm as u8 { record.units() } else { 0 };
        let (mut h, mut c) = (vec![f32::NAN; record.units()], vec![f32::NAN; cells]);
        model.layer_state(state, index, &mut h, &mut c).unwrap();
        (index, h, c)
    });
    read.collect()
}

/// Returns the same model without its initial states.
fn stripped<N: Session>(stack: &Stack<'_>, return_sequences: bool) -> AlignedBytes {
    let (with, _) = file::<N>(stack, return_sequences);
    let (without, _) = file::<N>(&stack.without_initial_states(), return_sequences);
    let mut layers = layers_of::<N>(&with);
    for (layer, plain) in layers.iter_mut().zip(layers_of::<N>(&without)) {
        layer.words.truncate(plain.words.len());
        layer.record.flags &= !INITIAL_STATE;
    }
    files::file::<N>(&layers, model::<N>(&with, Backend::portable()).preamble().decoder_at as usize)
}

fn assert_states_are_those_that_a_caller_sets<N: Session>(stack: &Stack<'_>, return_sequences: bool) {
    let (with, frames) = file::<N>(stack, return_sequences);
    let without = stripped::<N>(stack, return_sequences);
    for backend in Backend::all() {
        let _place = Place((N::DTYPE, backend, return_sequences, stack.layers));
        let (started, set) = (model::<N>(&with, backend), model::<N>(&without, backend));
        let xs = N::inputs(&started, &frames);
        let mut rams = [ram(&started, TIME), ram(&set, TIME)];
        let [first, second] = &mut rams;
        let (mut own, mut callers) = (started.state(first).unwrap(), set.state(second).unwrap());
        for _ in 0..2 {
            let initial = states(&started, &own);
            assert!(initial.iter().all(|(_, h, _)| h.iter().all(|h| h.is_finite() && *h != 0.0)));
            assert_ne!(initial.len(), 0);
            for (layer, h, c) in &initial {
                set.set_layer_state(&mut callers, *layer, h, c).unwrap();
            }
            // The second call continues from the states of the first.
            for _ in 0..2 {
                let [found, golden] = [run(&started, &mut own, &xs), run(&set, &mut callers, &xs)];
                assert_eq!(bits(&found), bits(&golden));
                let outputs = decoder_outputs(&started, &mut own);
                assert_eq!(bits(&outputs), bits(&decoder_outputs(&set, &mut callers)));
            }
            own.reset();
            callers.reset();
        }
    }
}

#[test]
fn states_of_a_file_are_those_that_a_caller_sets() {
    for stack in STEPPING.iter().chain(&WHOLE).filter(|stack| stack.has_initial_states) {
        for return_sequences in [false, true] {
            assert_states_are_those_that_a_caller_sets::<F32>(stack, return_sequences);
            assert_states_are_those_that_a_caller_sets::<F16>(stack, return_sequences);
            assert_states_are_those_that_a_caller_sets::<I8>(stack, return_sequences);
        }
    }
}
