//! Tests of encoder-decoders against central differences, and of batches against single pairs.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::config::Config;
use crate::data::{Array, Dataset, Targets, Values, pack};
use crate::initializers::{Purpose, stream};
use crate::loss::{BatchTargets, Loss, argmax};
use crate::tensor::cast;

/// The lengths of sources and of targets; those with the longest sources have neither the longest targets nor
/// the shortest.
const LENGTHS: [[usize; 5]; 2] = [[4, 2, 4, 1, 3], [2, 4, 1, 3, 3]];
const CLASSES: usize = 4;
const DRAW: RngSeed = RngSeed { seed: 5, update: 3, shard: 1, layer: 0 };

/// Encoders and decoders of each cell and option with a state, one and two recurrent layers deep, over ids
/// and over values, with layers between that have no state, and with dropout.
const NETS: &[(&str, &str)] = &[
    (
        "{ type = 'Embedding', input_dim = 6, output_dim = 3 }, { type = 'LSTM', units = 3 }",
        "{ type = 'LSTM', units = 3, return_sequences = true }",
    ),
    (
        "{ type = 'Embedding', input_dim = 6, output_dim = 2 }, \
         { type = 'LSTM', units = 3, return_sequences = true }, { type = 'LSTM', units = 2 }",
        "{ type = 'LSTM', units = 3, return_sequences = true }, \
         { type = 'LSTM', units = 2, return_sequences = true }",
    ),
    (
        "{ type = 'Normalization' }, { type = 'GRU', units = 3, return_sequences = true }, \
         { type = 'GRU', units = 3, return_sequences = true, go_backwards = true }",
        "{ type = 'GRU', units = 3, return_sequences = true }, \
         { type = 'GRU', units = 3, return_sequences = true, reset_after = false }",
    ),
    (
        "{ type = 'Dense', units = 3, activation = 'tanh' }, \
         { type = 'SimpleRNN', units = 3, return_sequences = true }, \
         { type = 'LayerNormalization' }, { type = 'SimpleRNN', units = 2, go_backwards = true }",
        "{ type = 'SimpleRNN', units = 3, return_sequences = true }, \
         { type = 'Dense', units = 3, activation = 'tanh' }, \
         { type = 'SimpleRNN', units = 2, return_sequences = true }",
    ),
    (
        "{ type = 'Embedding', input_dim = 6, output_dim = 3 }, { type = 'BatchNormalization' }, \
         { type = 'GRU', units = 3, dropout = 0.3 }",
        "{ type = 'Dropout', rate = 0.3 }, \
         { type = 'GRU', units = 3, dropout = 0.3, return_sequences = true }, \
         { type = 'BatchNormalization' }",
    ),
    (
        "{ type = 'LSTM', units = 3, return_sequences = true, dropout = 0.4 }, \
         { type = 'LSTM', units = 3, go_backwards = true }",
        "{ type = 'LSTM', units = 3, return_sequences = true, dropout = 0.4 }, \
         { type = 'LSTM', units = 3, return_sequences = true }",
    ),
];

fn array(shape: Vec<usize>, values: Values) -> Array {
    Array { shape, values }
}

fn lengths(lengths: [usize; 5]) -> Array {
    array(vec![5], Values::Integers(lengths.map(|length| length as i64).to_vec()))
}

/// Draws pairs of the lengths above; sources are ids, or two values per frame.
fn pairs(ids: bool, rng: &mut ChaCha8Rng) -> Dataset {
    let [frames, classes] = LENGTHS.map(|lengths| lengths.iter().sum::<usize>());
    let x = if ids {
        array(vec![frames, 1], Values::Integers((0..frames).map(|_| rng.random_range(0..6)).collect()))
    } else {
        let values = (0..2 * frames).map(|_| rng.random_range(-1.0..1.0)).collect();
        array(vec![frames, 2], Values::Floats(values))
    };
    let y = (0..classes).map(|_| rng.random_range(1..CLASSES as i64)).collect();
    let y = array(vec![classes], Values::Integers(y));
    Dataset::from_pairs(x, Some(lengths(LENGTHS[0])), y, lengths(LENGTHS[1]), ["x", "y"]).unwrap()
}

fn random(rows: usize, columns: usize, rng: &mut ChaCha8Rng) -> Matrix<f64> {
    Matrix::from_fn(rows, columns, |_, _| rng.random_range(-1.0..1.0))
}

/// A network, and pairs that fit it.
struct Case {
    network: Network<f64>,
    data: Dataset,
}

impl Case {
    fn all() -> Vec<Self> {
        let mut rng = stream(31, Purpose::Weights, 0);
        NETS.iter().map(|(encoder, decoder)| Self::new(encoder, decoder, &mut rng)).collect()
    }

    fn new(encoder: &str, decoder: &str, rng: &mut ChaCha8Rng) -> Self {
        let config: Config = toml::from_str(&format!(
            "name = 'test'\ndata.file = ''\nencoder = [{encoder}]\nlayers = [\
             {{ type = 'Embedding', input_dim = {CLASSES}, output_dim = 3 }}, {decoder}, \
             {{ type = 'Dense', units = {CLASSES}, activation = 'softmax' }}]\n\
             training = {{ loss = 'categorical_crossentropy', epochs = 1 }}"
        ))
        .unwrap();
        config.check().unwrap();
        let weights = array(vec![5], Values::Floats(vec![0.5, 1.0, 0.75, 0.25, 1.25]));
        let data = pairs(encoder.contains("Embedding"), rng).with_weights(weights).unwrap();
        let data = config.admit(data).unwrap();
        let mut network: Network<f64> = config.network(&data, 3).cast();
        let moved = network.parameters_mut().into_iter();
        moved.for_each(|parameter| *parameter += random(parameter.nrows(), parameter.ncols(), rng) * 0.3);
        let moved = network.statistics_mut().into_iter();
        moved.for_each(|statistic| {
            *statistic += random(statistic.nrows(), statistic.ncols(), rng).abs() * 0.5
        });
        Self { network, data }
    }

    fn batch(&self, numbers: &[usize]) -> Batch<f64> {
        let batch = pack(&self.data, numbers);
        let flow =
            |flow: PackedSequence<f32>| PackedSequence { values: cast(&flow.values), steps: flow.steps };
        let BatchTargets::Labels(labels) = batch.targets else { panic!("classes") };
        let teacher_forced = batch
            .teacher_forced
            .map(|TeacherForced { input, order }| TeacherForced { input: flow(input), order });
        let targets = BatchTargets::Labels(labels);
        let weights = batch.weights.map(|weights| weights.into_iter().map(f64::from).collect());
        Batch { input: flow(batch.input), teacher_forced, targets, weights }
    }

    fn all_columns(&self) -> usize {
        (0..self.data.sequences.len()).map(|s| self.data.target_count(s)).sum()
    }
}

const ALL: [usize; 5] = [3, 0, 4, 1, 2];

fn gradients(network: &Network<f64>, batch: &Batch<f64>, columns: usize) -> Vec<Matrix<f64>> {
    network.gradients(batch, &objective(), columns, DRAW).parameters
}

fn objective() -> Objective {
    Objective { label_smoothing: 0.1, ..Objective::new(Loss::CategoricalCrossentropy) }
}

#[test]
fn gradients_equal_central_differences_for_every_parameter() {
    for (number, case) in Case::all().into_iter().enumerate() {
        let (batch, columns) = (case.batch(&ALL), case.all_columns());
        let found = gradients(&case.network, &batch, columns);
        assert_eq!(found.len(), case.network.parameters().len());
        let loss = |network: &Network<f64>| {
            let pair = network.pair(&batch).unwrap();
            let output = pair.forward_caches(Some(DRAW)).decoder.pop().unwrap().output.values;
            batch.score(&objective(), &output).mean_loss()
        };
        for (p, gradient) in found.iter().enumerate() {
            // Moves of the encoder's parameters have an effect unless a path is cut; ids that do not occur
            // have none.
            assert!(gradient.iter().any(|&g| g != 0.0), "net {number}, parameter {p}");
            for k in 0..gradient.len() {
                let moved = |by: f64| {
                    let mut network = case.network.clone();
                    network.parameters_mut()[p][k] += by;
                    loss(&network)
                };
                let (gradient, difference) = (gradient[k], (moved(1e-5) - moved(-1e-5)) / 2e-5);
                assert!(
                    (gradient - difference).abs() < 1e-8,
                    "net {number}, parameter {p} number {k}: {gradient} by backpropagation, \
                     {difference} by differences"
                );
            }
        }
    }
}

#[test]
fn batch_equals_pairs_one_by_one() {
    for (number, case) in Case::all().into_iter().enumerate() {
        let Targets::Sequences(targets) = &case.data.targets else { panic!("pairs") };
        let batch = case.batch(&ALL);
        let output = case.network.output(&batch);
        let teacher_forced = batch.teacher_forced.unwrap();
        for (k, &from) in teacher_forced.order.iter().enumerate() {
            // The batch has the longest sources first, those of equal length in the given order.
            let s = [0, 2, 4, 1, 3][from];
            let of = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
            let (source, target) = (of(case.data.sequences.get(s)), of(targets.get(s)));
            let columns: Vec<usize> =
                (0..=target.len()).map(|t| teacher_forced.input.steps.column(t, k)).collect();
            let reference = case.network.predict_forced(&source, &target);
            let packed = output.select_columns(&columns);
            assert_eq!(reference.len(), packed.len());
            for (a, b) in reference.iter().zip(packed.iter()) {
                assert!((a - b).abs() < 1e-13, "net {number} pair {s}: {a} one by one, {b} in the batch");
            }
        }
    }
}

/// Checks that neither the batches nor the order of the pairs matter.
#[test]
fn gradients_of_a_batch_are_the_sum_of_those_of_its_pairs() {
    for case in Case::all().into_iter().take(4) {
        let columns = case.all_columns();
        let whole = gradients(&case.network, &case.batch(&ALL), columns);
        let mut sum: Vec<Matrix<f64>> = whole.iter().map(|g| Matrix::zeros(g.nrows(), g.ncols())).collect();
        for s in 0..5 {
            let part = gradients(&case.network, &case.batch(&[s]), columns);
            sum.iter_mut().zip(&part).for_each(|(sum, part)| *sum += part);
        }
        for (whole, sum) in whole.iter().zip(&sum) {
            assert!((whole - sum).abs().max() < 1e-14);
        }
    }
}

/// Checks that autoregressive generation agrees with teacher forcing on the generated sequence.
#[test]
fn decoding_follows_the_likeliest_class_and_ends_at_class_0() {
    let mut lengths = Vec::new();
    for case in Case::all() {
        let source: Vec<f64> = case.data.sequences.get(0).iter().map(|&value| value.into()).collect();
        let generated = case.network.decode(&source, 9);
        let target: Vec<f64> = generated.iter().map(|&class| class.into()).collect();
        let outputs = case.network.predict_forced(&source, &target);
        let classes: Vec<usize> = outputs.chunks_exact(CLASSES).map(argmax).collect();
        let (end, own) = classes.split_last().unwrap();
        assert!(own.iter().zip(&generated).all(|(&best, &class)| best == class as usize && class > 0));
        assert!(*end == 0 || generated.len() == 9, "an end too early");
        assert!(case.network.decode(&source, 0).is_empty());
        lengths.push(generated.len());
    }
    // Both ways to end occur.
    assert!(lengths.contains(&9) && lengths.iter().any(|&length| length < 9), "{lengths:?}");
}

/// Checks that calibration observes every layer of both chains, the decoder's after the encoder's, at every
/// time step.
#[test]
fn observers_see_both_chains() {
    use crate::layers::Signal;
    let case = &Case::all()[1];
    let (mut outputs, mut states) = ([0; 7], [0; 7]);
    let mut observe = |layer: usize, signal: Signal, values: &[f64]| match signal {
        Signal::Output => outputs[layer] += 1,
        Signal::State(k) => {
            assert!(k < 2 && values.iter().all(|value| value.is_finite()));
            states[layer] += 1;
        }
        _ => {}
    };
    case.network.predict_observed(&[1.0, 2.0, 0.0], &[3.0, 1.0], &mut observe);
    // Three steps of Embedding and LSTM and the last one of the second LSTM; then 0 3 1 through all of the
    // decoder.
    assert_eq!(outputs, [3, 3, 1, 3, 3, 3, 3]);
    assert_eq!(states, [0, 6, 6, 0, 6, 6, 0]);
}
