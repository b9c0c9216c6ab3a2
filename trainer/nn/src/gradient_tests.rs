//! Tests of complete networks against central differences, and of batches against single sequences.

use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::config::Config;
use crate::data::{Array, Batch, Dataset, Values};
use crate::initializers::{Purpose, stream};
use crate::layers::{LayerConfig, NAMES};
use crate::loss::{BatchTargets, Loss, Objective};
use crate::net::{Network, RngSeed, States};
use crate::packed::{BatchSizes, PackedSequence};
use crate::tensor::Matrix;

const LENGTHS: [usize; 3] = [4, 4, 2];
const FEATURES: usize = 2;
const DRAW: RngSeed = RngSeed { seed: 5, update: 3, shard: 1, layer: 0 };

fn random(rows: usize, columns: usize, rng: &mut ChaCha8Rng) -> Matrix<f64> {
    Matrix::from_fn(rows, columns, |_, _| rng.random_range(-1.0..1.0))
}

/// Parses the config of a network of these layers.
fn config_of(layers: &str) -> Config {
    toml::from_str(&format!(
        "name = 'test'\ndata.file = ''\nlayers = [{layers}]\ntraining = {{ loss = 'mse', epochs = 1 }}"
    ))
    .unwrap()
}

/// Builds a network of these layers; its weights and statistics are moved away from their regular initial
/// values.
fn network_of(layers: &str, rng: &mut ChaCha8Rng) -> Network<f64> {
    let config = config_of(layers);
    let frames = (0..6 * FEATURES).map(|k| (k * k % 7) as f32).collect();
    let x = Array { shape: vec![2, 3, FEATURES], values: Values::Floats(frames) };
    let y = Array { shape: vec![2], values: Values::Integers(vec![0, 1]) };
    let mut data = Dataset::from_arrays(x, None, y, ["x", "y"]).unwrap();
    if config.layers.iter().any(|layer| matches!(layer, LayerConfig::Embedding(_))) {
        data.sequences.features = 1;
    }
    let mut network = config.network(&data, 3).cast();
    for parameter in network.parameters_mut() {
        *parameter += random(parameter.nrows(), parameter.ncols(), rng) * 0.3;
    }
    for statistic in network.statistics_mut() {
        *statistic += random(statistic.nrows(), statistic.ncols(), rng) * 0.5;
    }
    network
}

/// Builds Normalization, LSTM(3), SimpleRNN(4), Dense(5, tanh), Dense(3, `end`).
fn network(return_sequences: bool, end: &str, rng: &mut ChaCha8Rng) -> Network<f64> {
    network_of(
        &format!(
            "{{ type = 'Normalization' }}, {{ type = 'LSTM', units = 3, return_sequences = true }}, \
             {{ type = 'SimpleRNN', units = 4, return_sequences = {return_sequences} }}, \
             {{ type = 'Dense', units = 5, activation = 'tanh' }}, \
             {{ type = 'Dense', units = 3, activation = '{end}' }}"
        ),
        rng,
    )
}

/// Stacks that contain every layer and option, each with a recurrent layer before and after.
const STACKS: &[&str] = &[
    "{ type = 'GRU', units = 3, go_backwards = true, return_sequences = true }, { type = 'GRU', units = 2 }",
    "{ type = 'SimpleRNN', units = 3, return_sequences = true }, \
     { type = 'LSTM', units = 2, go_backwards = true }",
    "{ type = 'Bidirectional', layer = { type = 'LSTM', units = 3, return_sequences = true } }, \
     { type = 'Bidirectional', merge_mode = 'sum', layer = { type = 'GRU', units = 2 } }",
    "{ type = 'Bidirectional', merge_mode = 'ave', \
       layer = { type = 'GRU', units = 3, return_sequences = true } }, \
     { type = 'Bidirectional', merge_mode = 'mul', layer = { type = 'SimpleRNN', units = 2 } }",
    "{ type = 'SimpleRNN', units = 3, return_sequences = true }, \
     { type = 'Bidirectional', merge_mode = 'mul', \
       layer = { type = 'LSTM', units = 2, return_sequences = true } }",
    "{ type = 'LSTM', units = 3, return_sequences = true, dropout = 0.3 }, { type = 'Dropout', rate = 0.4 }, \
     { type = 'Bidirectional', layer = { type = 'GRU', units = 2, dropout = 0.5 } }",
    "{ type = 'GRU', units = 3, return_sequences = true }, { type = 'BatchNormalization' }, \
     { type = 'LSTM', units = 2, return_sequences = true }, { type = 'LayerNormalization' }",
    "{ type = 'LSTM', units = 3, return_sequences = true }, { type = 'Activation', activation = 'softmax' }, \
     { type = 'GRU', units = 2 }",
    "{ type = 'LayerNormalization', epsilon = 0.1 }, { type = 'LSTM', units = 3 }, \
     { type = 'BatchNormalization', epsilon = 0.1 }, { type = 'Dense', units = 2, use_bias = false }",
    "{ type = 'Masking', mask_value = 9 }, { type = 'Normalization' }, \
     { type = 'GRU', units = 2, reset_after = false, go_backwards = true, return_sequences = true }",
    "{ type = 'Embedding', input_dim = 5, output_dim = 3 }, \
     { type = 'GRU', units = 2, return_sequences = true }",
    "{ type = 'LSTM', units = 3, return_sequences = true }, { type = 'GlobalMaxPooling1D' }, \
     { type = 'Dense', units = 2, activation = 'tanh' }",
    "{ type = 'GRU', units = 3, go_backwards = true, return_sequences = true }, \
     { type = 'GlobalAveragePooling1D' }, { type = 'Dense', units = 2, activation = 'tanh' }",
    "{ type = 'Dense', units = 2 }, { type = 'LSTM', units = 2, return_sequences = true }, \
     { type = 'Add', span = 2 }, { type = 'GRU', units = 2, return_sequences = true }, \
     { type = 'Dense', units = 2, activation = 'tanh' }, { type = 'Add', span = 2 }, \
     { type = 'Add', span = 3 }, { type = 'SimpleRNN', units = 2 }",
];

#[test]
fn every_layer_of_a_config_is_in_a_stack() {
    for name in NAMES {
        let key = format!("type = '{name}'");
        assert!(STACKS.iter().any(|stack| stack.contains(&key)), "{name}");
    }
}

/// Checks the sizes and the parameters that a config declares before its network is built; the size of a
/// network is limited by them.
#[test]
fn configs_declare_the_sizes_and_parameters_of_their_networks() {
    for stack in STACKS {
        let network = network_of(stack, &mut stream(23, Purpose::Weights, 0));
        let mut size = if stack.contains("Embedding") { 1 } else { FEATURES };
        for (config, layer) in config_of(stack).layers.iter().zip(&network.layers) {
            let (config, own) = (config.get(), layer.kind.get());
            let parameters: usize = own.parameters().iter().map(|(_, parameter)| parameter.len()).sum();
            assert!(config.parameters(size as u64) >= parameters as u64, "{stack}: {}", layer.name);
            size = config.units().map_or(size, |(_, units)| units);
            assert_eq!(size, own.output_size(), "{stack}: {}", layer.name);
        }
    }
}

/// Builds the network of one of the stacks, with initial states that are not zero.
struct Stack {
    network: Network<f64>,
    input: PackedSequence<f64>,
    initial: States<f64>,
    ids: bool,
}

impl Stack {
    fn all() -> Vec<Self> {
        let mut rng = stream(21, Purpose::Weights, 0);
        let stack = |layers: &&str| {
            let network = network_of(layers, &mut rng);
            let ids = layers.contains("Embedding");
            let mut input = batch(&mut rng);
            if ids {
                let columns = input.steps.columns();
                input.values = Matrix::from_fn(1, columns, |_, _| f64::from(rng.random_range(0..5)));
            }
            let initial = random_states(&network, &mut rng);
            Self { network, input, initial, ids }
        };
        STACKS.iter().map(stack).collect()
    }
}

/// Draws the states of every layer for a batch.
fn random_states(network: &Network<f64>, rng: &mut ChaCha8Rng) -> States<f64> {
    let states = network.layers.iter().map(|layer| layer.kind.get().states());
    states.map(|sizes| sizes.iter().map(|&size| random(size, LENGTHS.len(), rng)).collect()).collect()
}

/// Returns the rows and columns of the states of every layer.
fn shapes(states: &States<f64>) -> Vec<Vec<(usize, usize)>> {
    states.iter().map(|own| own.iter().map(Matrix::shape).collect()).collect()
}

/// Returns the weighted sum of all states.
fn dot(states: &States<f64>, weights: &States<f64>) -> f64 {
    states.iter().flatten().zip(weights.iter().flatten()).map(|(state, weight)| state.dot(weight)).sum()
}

/// Checks the gradients in training of a weighted sum of the outputs and the final states, by parameters,
/// initial states and frames.
#[test]
fn gradients_of_every_layer_equal_central_differences() {
    for (number, stack) in Stack::all().into_iter().enumerate() {
        let Stack { network, input, initial, ids } = stack;
        let caches = network.forward_caches(&input, &initial, Some(DRAW));
        assert_eq!(shapes(&network.final_states(&input, &caches)), shapes(&initial), "stack {number}");
        let output = &caches.last().unwrap().output.values;
        let mut rng = stream(22, Purpose::Weights, number as u64);
        let weights = random(output.nrows(), output.ncols(), &mut rng);
        let state_weights = random_states(&network, &mut rng);
        let loss = |network: &Network<f64>, input: &PackedSequence<f64>, initial: &States<f64>| {
            let caches = network.forward_caches(input, initial, Some(DRAW));
            let output = caches.last().unwrap().output.values.dot(&weights);
            output + dot(&network.final_states(input, &caches), &state_weights)
        };
        let found = network.backward(&input, &caches, weights.clone(), &state_weights);
        let compare = |what: &str, gradient: f64, moved: &dyn Fn(f64) -> f64| {
            let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            let error = (gradient - difference).abs();
            let place = format!("stack {number}, {what}");
            assert!(error < 2e-8 * difference.abs().max(1.0), "{place}: {gradient}, not {difference}");
        };
        for (p, gradient) in found.parameters.iter().enumerate() {
            for k in 0..gradient.len() {
                compare(&format!("parameter {p} number {k}"), gradient[k], &|by| {
                    let mut network = network.clone();
                    network.parameters_mut()[p][k] += by;
                    loss(&network, &input, &initial)
                });
            }
        }
        for (l, gradients) in found.initial.iter().enumerate() {
            assert_eq!(gradients.len(), initial[l].len());
            for (s, k) in gradients.iter().enumerate().flat_map(|(s, g)| (0..g.len()).map(move |k| (s, k))) {
                compare(&format!("layer {l} state {s} number {k}"), gradients[s][k], &|by| {
                    let mut initial = initial.clone();
                    initial[l][s][k] += by;
                    loss(&network, &input, &initial)
                });
            }
        }
        for k in 0..if ids { 0 } else { input.values.len() } {
            compare(&format!("input {k}"), found.input[k], &|by| {
                let mut input = input.clone();
                input.values[k] += by;
                loss(&network, &input, &initial)
            });
        }
    }
}

#[test]
fn every_layer_in_a_batch_equals_its_plain_loop() {
    for (number, stack) in Stack::all().into_iter().enumerate() {
        let Stack { network, input, initial, .. } = stack;
        let output = network.forward_from(&input, &initial);
        for (s, &length) in LENGTHS.iter().enumerate() {
            let columns: Vec<usize> = (0..length).map(|t| input.steps.column(t, s)).collect();
            let frames = input.values.select_columns(&columns);
            let own = |all: &Vec<Matrix<f64>>| all.iter().map(|m| m.select_columns(&[s])).collect();
            let reference = network.predict_from(frames.as_slice(), &initial.iter().map(own).collect());
            let from = if network.returns_sequences() { columns } else { vec![s] };
            let packed = output.select_columns(&from);
            assert_eq!(reference.len(), packed.len());
            for (a, b) in reference.iter().zip(packed.iter()) {
                assert!(
                    (a - b).abs() < 1e-12,
                    "stack {number} sequence {s}: {a} one by one, {b} in the batch"
                );
            }
        }
    }
}

fn batch(rng: &mut ChaCha8Rng) -> PackedSequence<f64> {
    let steps = BatchSizes::new(&LENGTHS);
    PackedSequence { values: random(FEATURES, steps.columns(), rng), steps }
}

/// The losses, each with the activation that it needs, if it needs one, and with options.
const OBJECTIVES: [(Objective, Option<&str>); 5] = {
    use Loss::{BinaryCrossentropy, CategoricalCrossentropy, Huber, Mae, Mse};
    const fn of(loss: Loss, label_smoothing: f64) -> Objective {
        Objective { loss, label_smoothing, delta: 0.7 }
    }
    [
        (of(CategoricalCrossentropy, 0.1), Some("softmax")),
        (of(BinaryCrossentropy, 0.2), Some("sigmoid")),
        (of(Mse, 0.0), None),
        (of(Mae, 0.0), None),
        (of(Huber, 0.0), None),
    ]
};

#[test]
fn gradients_equal_central_differences_for_all_losses_and_heads() {
    let mut rng = stream(11, Purpose::Weights, 0);
    for return_sequences in [false, true] {
        let input = batch(&mut rng);
        let columns = if return_sequences { input.values.ncols() } else { LENGTHS.len() };
        for (objective, needed) in OBJECTIVES {
            let plain = Objective { label_smoothing: 0.0, ..objective };
            let mut check = |end: &str, targets: &BatchTargets<f64>| {
                let network = network(return_sequences, end, &mut rng);
                let weights: Vec<f64> = (0..columns).map(|_| rng.random_range(0.0..3.0)).collect();
                check(&network, &batch_of(&input, targets, None), &plain);
                check(&network, &batch_of(&input, targets, Some(weights)), &objective);
            };
            match needed {
                Some("softmax") => {
                    check("softmax", &BatchTargets::Labels((0..columns as u32).map(|c| c % 3).collect()));
                }
                Some(end) => {
                    let probabilities =
                        Matrix::from_fn(3, columns, |row, c| ((row + 2 * c) % 5) as f64 / 4.0);
                    check(end, &BatchTargets::Values(probabilities));
                }
                None => ["linear", "relu", "sigmoid", "softmax"].iter().for_each(|end| {
                    let wide =
                        Matrix::from_fn(3, columns, |row, c| ((7 * row + 5 * c) % 11) as f64 / 3.7 - 1.3);
                    check(end, &BatchTargets::Values(wide));
                }),
            }
        }
    }
}

fn batch_of(
    input: &PackedSequence<f64>,
    targets: &BatchTargets<f64>,
    weights: Option<Vec<f64>>,
) -> Batch<f64> {
    Batch { input: input.clone(), teacher_forced: None, targets: targets.clone(), weights }
}

fn check(network: &Network<f64>, batch: &Batch<f64>, objective: &Objective) {
    let columns = network.forward(&batch.input).ncols();
    let gradients = network.gradients(batch, objective, columns, DRAW).parameters;
    assert_eq!(gradients.len(), network.parameters().len());
    for (p, gradient) in gradients.iter().enumerate() {
        for k in 0..gradient.len() {
            let moved = |by: f64| {
                let mut network = network.clone();
                network.parameters_mut()[p][k] += by;
                batch.score(objective, &network.forward(&batch.input)).mean_loss()
            };
            let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!(
                (gradient[k] - difference).abs() < 1e-8,
                "{objective:?}, parameter {p} number {k}: {} by backpropagation, {difference} by differences",
                gradient[k]
            );
        }
    }
}

#[test]
fn batch_equals_reference_one_by_one() {
    let mut rng = stream(12, Purpose::Weights, 0);
    for return_sequences in [false, true] {
        let network = network(return_sequences, "softmax", &mut rng);
        let input = batch(&mut rng);
        let output = network.forward(&input);
        for (s, &length) in LENGTHS.iter().enumerate() {
            let columns: Vec<usize> = (0..length).map(|t| input.steps.column(t, s)).collect();
            let frames = input.values.select_columns(&columns);
            let from = if return_sequences { columns } else { vec![s] };
            let reference = network.predict(frames.as_slice());
            let packed = output.select_columns(&from);
            assert_eq!(reference.len(), packed.len());
            for (a, b) in reference.iter().zip(packed.iter()) {
                assert!((a - b).abs() < 1e-13, "sequence {s}: {a} one by one, {b} in the batch");
            }
        }
    }
}

/// Checks that the gradients of sequences of different lengths do not depend on the batches they were in.
#[test]
fn gradients_of_a_batch_are_the_sum_of_those_of_its_sequences() {
    let mut rng = stream(13, Purpose::Weights, 0);
    let network = network(false, "softmax", &mut rng);
    let input = batch(&mut rng);
    let objective = Objective::new(Loss::CategoricalCrossentropy);
    let gradients = |input: &PackedSequence<f64>, labels| {
        let batch = batch_of(input, &BatchTargets::Labels(labels), None);
        network.gradients(&batch, &objective, 3, DRAW).parameters
    };
    let whole = gradients(&input, vec![2, 0, 1]);
    let mut sum: Vec<Matrix<f64>> = whole.iter().map(|g| Matrix::zeros(g.nrows(), g.ncols())).collect();
    for (s, label) in [(0, 2), (1, 0), (2, 1)] {
        let columns: Vec<usize> = (0..LENGTHS[s]).map(|t| input.steps.column(t, s)).collect();
        let steps: Arc<BatchSizes> = BatchSizes::new(&LENGTHS[s..=s]);
        let alone = PackedSequence { values: input.values.select_columns(&columns), steps };
        let part = gradients(&alone, vec![label]);
        sum.iter_mut().zip(&part).for_each(|(sum, part)| *sum += part);
    }
    for (whole, sum) in whole.iter().zip(&sum) {
        assert!((whole - sum).abs().max() < 1e-14);
    }
}
