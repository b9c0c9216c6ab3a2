//! Losses, their options and the weights of targets: the cases of `losses.json`, made by `make_losses.py`.

use std::collections::BTreeMap;

use embedded_rnn_trainer::config::Config;
use embedded_rnn_trainer::data::{Array, Batch, Dataset, Values, pack};
use embedded_rnn_trainer::packed::PackedSequence;
use embedded_rnn_trainer::tensor::{Matrix, cast};
use serde::Deserialize;

use crate::{RNG_SEED, Worst, golden};

/// The worst value differs by 5.0e-8 and the worst gradient by 3.4e-8: rounding the golden numbers to f32
/// alone causes up to 6.0e-8.
const BOUND: f64 = 6e-8;

#[derive(Deserialize)]
struct Case {
    name: String,
    loss: String,
    label_smoothing: f64,
    delta: f64,
    activation: String,
    outputs: usize,
    classes: bool,
    per_frame: bool,
    x: Vec<f32>,
    lengths: Vec<i64>,
    y: Vec<f32>,
    sample_weight: Option<Vec<f32>>,
    class_weight: Option<BTreeMap<String, f64>>,
    kernel: Vec<f32>,
    bias: Vec<f32>,
    value: f32,
    kernel_gradient: Vec<f32>,
    bias_gradient: Vec<f32>,
}

const FEATURES: usize = 3;

impl Case {
    fn config(&self) -> Config {
        let Self { loss, activation, outputs, label_smoothing, delta, .. } = self;
        let option = match loss.as_str() {
            "huber" => format!("delta = {delta}"),
            _ if loss.ends_with("crossentropy") => format!("label_smoothing = {label_smoothing}"),
            _ => String::new(),
        };
        let weights = self.class_weight.iter().flatten();
        let weights: String =
            weights.map(|(class, weight)| format!("class_weight.{class} = {weight}\n")).collect();
        let text = format!(
            "name = 'keras'\ndata = {{ file = '', validation_split = 0 }}\n[[layers]]\ntype = 'Dense'\n\
             units = {outputs}\nactivation = '{activation}'\n[training]\nloss = '{loss}'\nepochs = 1\n\
             {option}\n{weights}"
        );
        let config: Config = toml::from_str(&text).unwrap();
        config.check().unwrap();
        config
    }

    fn data(&self) -> Dataset {
        let Self { x, y, lengths, per_frame, .. } = self;
        let n = lengths.len();
        let time = x.len() / n / FEATURES;
        let x = Array { shape: vec![n, time, FEATURES], values: Values::Floats(x.clone()) };
        let mut shape = if *per_frame { vec![n, time] } else { vec![n] };
        let y = if self.classes {
            Array { shape, values: Values::Integers(y.iter().map(|&class| class as i64).collect()) }
        } else {
            shape.push(self.outputs);
            Array { shape, values: Values::Floats(y.clone()) }
        };
        let steps = Array { shape: vec![n], values: Values::Integers(lengths.clone()) };
        let data = Dataset::from_arrays(x, Some(steps), y, ["x", "y"]).unwrap();
        let Some(weights) = &self.sample_weight else { return data };
        let shape = if *per_frame { vec![n, time] } else { vec![n] };
        data.with_weights(Array { shape, values: Values::Floats(weights.clone()) }).unwrap()
    }
}

#[test]
fn losses_and_weights_of_targets_match_keras() {
    let text = std::fs::read_to_string(golden::path("losses.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    let (mut values, mut gradients) = (Worst::default(), Worst::default());
    for case in &cases {
        let config = case.config();
        let mut train = case.data();
        config.weigh_classes(&mut train).unwrap();
        let mut network = config.network(&train, 0);
        let parameters = network.parameters_mut();
        let golden = [&case.kernel, &case.bias].map(|values| transposed(values, case.outputs));
        parameters.into_iter().zip(golden).for_each(|(parameter, golden)| *parameter = golden);

        let numbers: Vec<usize> = (0..case.lengths.len()).collect();
        let batch = pack(&train, &numbers);
        let columns = numbers.iter().map(|&s| train.target_count(s)).sum();
        let input = PackedSequence { values: cast(&batch.input.values), steps: batch.input.steps };
        let batch = Batch {
            input,
            teacher_forced: None,
            targets: batch.targets.cast(),
            weights: batch.weights.map(|weights| weights.into_iter().map(f64::from).collect()),
        };
        let found = network.cast::<f64>().gradients(&batch, &config.training.objective(), columns, RNG_SEED);
        values.compare(&[found.score.mean_loss()], &[case.value], &case.name);
        let [kernel, bias] = &found.parameters[..] else { panic!("two parameters") };
        gradients.compare(
            kernel.as_slice(),
            transposed(&case.kernel_gradient, case.outputs).as_slice(),
            &case.name,
        );
        gradients.compare(bias.as_slice(), &case.bias_gradient, &case.name);
    }
    assert_eq!(cases.len(), 96);
    values.assert_within(BOUND);
    gradients.assert_within(BOUND);
}

/// Returns Keras's kernel, `[features, outputs]`, in the layout of the trainer.
fn transposed(kernel: &[f32], outputs: usize) -> Matrix<f32> {
    Matrix::from_row_slice(kernel.len() / outputs, outputs, kernel).transpose()
}
