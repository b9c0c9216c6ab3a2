//! Cases as model files: packs them, sets their initial states, and runs them.

use std::collections::BTreeMap;

use embedded_rnn::{Model, Number, State};
use embedded_rnn_trainer::data::is_masked;
use embedded_rnn_trainer::layers::Kind;
use embedded_rnn_trainer::net::States;
use embedded_rnn_trainer::pack::AlignedBytes;

use crate::case::{self, Case};
use crate::running::{Session, bits, ram, run, save, steps};
use crate::states::{begin, places};

/// An input sequence of a model, and the expected results.
pub struct Given {
    pub frames: Vec<f32>,
    /// Whether each of the frames is not masked.
    pub unmasked: Vec<bool>,
    pub initial: States<f32>,
    pub output: Vec<f32>,
    /// The states after the last frame; empty if those of inference differ from those of training.
    pub finals: States<f32>,
}

/// Returns every sequence of a case, and with its masked frames if the model has a mask.
pub fn given(case: &Case) -> Vec<Given> {
    let network = &case.network;
    let mask_value = match &network.layers[0].kind {
        Kind::Masking(layer) => Some(layer.mask_value),
        Kind::Embedding(layer) => layer.mask_zero.then_some(0.0),
        _ => None,
    };
    // A BatchNormalization computes something else in training.
    let finals = if network.statistics().is_empty() { &case.training.final_states[..] } else { &[] };
    let mut all = Vec::new();
    for (s, sequence) in case.sequences().enumerate() {
        let padded = mask_value.map(|_| case.padded[s].clone());
        for frames in [Some(sequence.frames.clone()), padded].into_iter().flatten() {
            let is_masked_frame = |frame| mask_value.is_some_and(|value| is_masked(frame, value));
            all.push(Given {
                unmasked: frames
                    .chunks_exact(network.input_size)
                    .map(|frame| !is_masked_frame(frame))
                    .collect(),
                frames,
                initial: sequence.initial.clone(),
                output: sequence.output.clone(),
                finals: finals
                    .iter()
                    .map(|layer| layer.iter().map(|state| state.select_columns(&[s])).collect())
                    .collect(),
            });
        }
    }
    all
}

/// Returns the states of all layers.
fn states<N: Number>(model: &Model<'_, N>, state: &State<'_, N>) -> Vec<Vec<f32>> {
    let mut all = Vec::new();
    for (place, states) in places(model) {
        let units = model.layers()[place].units();
        let (mut h, mut c) = (vec![0.0; units], vec![0.0; (states.len() - 1) * units]);
        model.layer_state(state, place, &mut h, &mut c).unwrap();
        all.push(h);
        all.extend((states.len() > 1).then_some(c));
    }
    all
}

/// The results of a sequence.
pub struct Found<N: Number> {
    /// The outputs of the unmasked time steps, concatenated.
    pub output: Vec<N::Out>,
    pub states: Vec<Vec<f32>>,
}

/// Runs a sequence, and again time step by time step, and asserts that both have the same bits.
pub fn found<N: Session>(model: &Model<'_, N>, given: &Given) -> Found<N> {
    let xs = N::inputs(model, &given.frames);
    let mut ram = ram(model, given.unmasked.len());
    let mut state = model.state(&mut ram).unwrap();
    begin(model, &mut state, &given.initial);
    let out = run(model, &mut state, &xs);
    let (end, found_states) = (save(model, &state), states(model, &state));
    if !model.needs_whole_sequences() {
        state.reset();
        begin(model, &mut state, &given.initial);
        let every = steps(model, &mut state, &xs);
        assert_eq!(bits(&every[every.len() - out.len()..]), bits(&out), "step by step");
        assert_eq!(save(model, &state), end, "step by step");
    }
    let outputs = out.chunks_exact(model.output_size());
    let finals = given.finals.iter().flatten().count();
    assert!(finals == 0 || finals == found_states.len(), "{finals} final states");
    let output = if model.returns_sequences() {
        let unmasked = outputs.zip(&given.unmasked).filter(|(_, unmasked)| **unmasked);
        unmasked.flat_map(|(y, _)| y.to_vec()).collect()
    } else {
        outputs.flatten().copied().collect()
    };
    Found { output, states: found_states }
}

/// Returns every case as a model file, and asserts that the packer rejects exactly the listed cases, each
/// with a reason that contains the listed text.
pub fn files<N: Session>(rejected: &[(&str, &str)]) -> Vec<(Case, AlignedBytes)> {
    let mut rejected: BTreeMap<&str, &str> = rejected.iter().copied().collect();
    let mut all = Vec::new();
    for case in case::all() {
        let sequences: Vec<_> = case.sequences().map(|sequence| sequence.frames).collect();
        let sequences: Vec<&[f32]> = sequences.iter().map(Vec::as_slice).collect();
        match (N::pack(&case.network, &sequences), rejected.remove(&case.name[..])) {
            (Ok(bytes), None) => all.push((case, AlignedBytes::new(&bytes))),
            (Err(error), Some(reason)) if format!("{error:#}").contains(reason) => {}
            (Ok(_), Some(reason)) => panic!("{}: packed, but listed as rejected: {reason}", case.name),
            (Err(error), _) => panic!("{}: {error:#}", case.name),
        }
    }
    assert!(rejected.is_empty(), "listed as rejected, but no case: {rejected:?}");
    all
}
