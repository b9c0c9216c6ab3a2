use rand::RngExt;

use super::*;
use crate::config::Config;
use crate::data::{Array, Dataset, Values};
use crate::initializers::{Purpose, stream};
use crate::loss::{BatchTargets, Loss, Objective};
use crate::packed::{BatchSizes, PackedSequence};
use crate::tensor::Matrix;

const FEATURES: usize = 2;
const OUTPUTS: usize = 2;
const SEED: RngSeed = RngSeed { seed: 5, update: 3, shard: 1, layer: 0 };

/// Builds a network of this recurrent layer and a Dense, with initial weights as in training.
fn network(recurrent: &str) -> Network<f64> {
    let config: Config = toml::from_str(&format!(
        "name = 'test'\ndata.file = ''\ntraining = {{ loss = 'mse', epochs = 1 }}\n\
         layers = [{{ {recurrent} }}, {{ type = 'Dense', units = {OUTPUTS}, activation = 'tanh' }}]"
    ))
    .unwrap();
    let x = Array { shape: vec![1, 1, FEATURES], values: Values::Floats(vec![0.0; FEATURES]) };
    let y = Array { shape: vec![1], values: Values::Integers(vec![0]) };
    config.network(&Dataset::from_arrays(x, None, y, ["x", "y"]).unwrap(), 3).cast()
}

/// Draws a batch of sequences of these lengths, with one target each.
fn batch(lengths: &[usize]) -> Batch<f64> {
    let mut rng = stream(31, Purpose::Weights, 0);
    let mut random = |rows, columns| Matrix::from_fn(rows, columns, |_, _| rng.random_range(-1.0..1.0));
    let steps = BatchSizes::new(lengths);
    let input = PackedSequence { values: random(FEATURES, steps.columns()), steps };
    let targets = BatchTargets::Values(random(OUTPUTS, lengths.len()));
    Batch { input, teacher_forced: None, targets, weights: None }
}

/// Returns one sequence of a batch as a batch of its own.
fn single(batch: &Batch<f64>, s: usize) -> Batch<f64> {
    let columns = &batch.input.steps.columns_of_each()[s];
    let BatchTargets::Values(targets) = &batch.targets else { panic!("the targets are values") };
    Batch {
        input: frames(&batch.input, columns),
        teacher_forced: None,
        targets: BatchTargets::Values(targets.select_columns(&[s])),
        weights: None,
    }
}

/// Returns some columns as one sequence.
fn frames(input: &PackedSequence<f64>, columns: &[usize]) -> PackedSequence<f64> {
    let values = input.values.select_columns(columns);
    PackedSequence { values, steps: BatchSizes::new(&[columns.len()]) }
}

fn per_step(network: &Network<f64>, batch: &Batch<f64>) -> Vec<f64> {
    let [norms] = &network.gradient_norms(batch, &Objective::new(Loss::Mse), SEED).unwrap()[..] else {
        panic!("one recurrent layer")
    };
    norms.per_step.clone()
}

/// Returns the loss if `h` after step `t` has moved by `by` in unit `k`, and all else at that step has not.
fn loss_moved(network: &Network<f64>, batch: &Batch<f64>, (t, k, by): (usize, usize, f64)) -> f64 {
    let columns: Vec<usize> = (0..batch.input.steps.len()).collect();
    let (before, after) = columns.split_at(t + 1);
    let before = frames(&batch.input, before);
    let mut states = network.final_states(&before, &network.forward_caches(&before, &States::new(), None));
    states[0][0][k] += by;
    let output = if after.is_empty() {
        let values = states[0][0].clone();
        let head = Network::new(values.nrows(), network.layers[1..].to_vec());
        head.forward(&PackedSequence { values, steps: BatchSizes::single(1) })
    } else {
        network.forward_from(&frames(&batch.input, after), &states)
    };
    batch.score(&Objective::new(Loss::Mse), &output).mean_loss()
}

#[test]
fn norms_equal_those_of_central_differences() {
    let batch = batch(&[5]);
    for layer in [
        "type = 'SimpleRNN', units = 3",
        "type = 'SimpleRNN', units = 3, activation = 'sigmoid'",
        "type = 'LSTM', units = 3",
        "type = 'GRU', units = 3",
        "type = 'GRU', units = 3, reset_after = false",
    ] {
        let network = network(layer);
        for (t, found) in per_step(&network, &batch).into_iter().enumerate() {
            let moved = |k, by| loss_moved(&network, &batch, (t, k, by));
            let differences: Vec<f64> = (0..3).map(|k| (moved(k, 1e-5) - moved(k, -1e-5)) / 2e-5).collect();
            let expected = norm(differences.iter());
            assert!(expected > 1e-6, "{layer}: nothing to compare at step {t}");
            assert!((found - expected).abs() < 1e-9, "{layer}, step {t}: {found}, not {expected}");
        }
    }
}

/// Checks the norms against the equation: an orthogonal matrix keeps the norm, and the slope of the
/// activation scales it.
#[test]
fn gradients_of_an_orthogonal_matrix_stay_with_a_linear_activation_and_vanish_with_a_sigmoid() {
    let batch = batch(&[20]);
    let of = |activation| {
        per_step(&network(&format!("type = 'SimpleRNN', units = 8, activation = '{activation}'")), &batch)
    };
    let linear = of("linear");
    assert!(linear.windows(2).all(|pair| (pair[0] / pair[1] - 1.0).abs() < 1e-5), "{linear:?}");
    let sigmoid = of("sigmoid");
    assert!(sigmoid.windows(2).all(|pair| pair[0] < 0.25001 * pair[1]), "{sigmoid:?}");
    let tanh = of("tanh");
    assert!(tanh[0] / tanh[19] > 1e3 * sigmoid[0] / sigmoid[19], "{tanh:?}, {sigmoid:?}");
}

#[test]
fn a_batch_adds_the_squares_of_its_sequences() {
    let (network, batch) = (network("type = 'GRU', units = 3"), batch(&[5, 3]));
    let both = per_step(&network, &batch);
    let [long, short] = [0, 1].map(|s| per_step(&network, &single(&batch, s)));
    for (t, found) in both.into_iter().enumerate() {
        // The loss of the batch is the mean of two.
        let expected = long[t].hypot(short.get(t).copied().unwrap_or(0.0)) / 2.0;
        assert!((found - expected).abs() < 1e-12, "step {t}: {found}, not {expected}");
    }
}

#[test]
fn each_direction_has_norms_of_its_own() {
    let mut network = network("type = 'Bidirectional', layer = { type = 'SimpleRNN', units = 3 }");
    // Without recurrent weights, only the last state of the forward direction reaches the output.
    network.parameters_mut()[1].fill(0.0);
    let [forward, backward] =
        &network.gradient_norms(&batch(&[4]), &Objective::new(Loss::Mse), SEED).unwrap()[..]
    else {
        panic!("two directions")
    };
    let name = &network.layers[0].name;
    assert_eq!([&forward.name, &backward.name], [&format!("{name}/forward"), &format!("{name}/backward")]);
    assert_eq!(forward.per_step[..3], [0.0; 3]);
    assert!(forward.per_step[3] > 0.0 && backward.per_step.iter().all(|&norm| norm > 0.0));
}
