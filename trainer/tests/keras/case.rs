//! The cases of `cases.toml` with the results of Keras: networks, inputs, initial states, outputs and
//! gradients.

use std::collections::BTreeMap;

use embedded_rnn_trainer::config::Config;
use embedded_rnn_trainer::data::{self, Dataset, Values};
use embedded_rnn_trainer::layers::Kind;
use embedded_rnn_trainer::layers::LayerConfig;
use embedded_rnn_trainer::loss::BatchTargets;
use embedded_rnn_trainer::net::{InputGradients, Network, States};
use embedded_rnn_trainer::packed::{BatchSizes, PackedSequence};
use embedded_rnn_trainer::tensor::Matrix;
use serde::Deserialize;

use crate::golden::{self, Array, Record};

/// A network with its inputs and expected results. All weights, inputs and initial states are exact in f32.
pub struct Case {
    /// The name in `cases.toml`.
    pub name: String,
    /// The network with the weights of Keras.
    pub network: Network<f32>,
    /// The valid frames as a packed sequence.
    pub input: PackedSequence<f32>,
    /// The initial states, not zero.
    pub initial: States<f32>,
    /// The output in inference, `[out x columns]`.
    pub output: Matrix<f32>,
    /// The results of a training pass.
    pub training: Training,
    /// The sequences with their masked or padded frames.
    pub padded: Vec<Vec<f32>>,
}

/// The results of a training pass.
pub struct Training {
    /// The output, `[out x columns]`.
    pub output: Matrix<f32>,
    /// The states after the last frames.
    pub final_states: States<f32>,
    /// The weights of the outputs in the scalar whose gradients are taken.
    pub weights: Matrix<f32>,
    /// The weights of the final states in this scalar.
    pub final_weights: States<f32>,
    /// The gradients of the scalar.
    pub gradients: InputGradients<f32>,
    /// The statistics after the pass.
    pub statistics: Vec<Matrix<f32>>,
}

/// A sequence of a case.
pub struct Sequence {
    /// The valid frames, concatenated.
    pub frames: Vec<f32>,
    /// The initial states, `[hidden x 1]` each.
    pub initial: States<f32>,
    /// The output in inference, concatenated.
    pub output: Vec<f32>,
}

/// A part of `cases.toml`.
#[derive(Deserialize)]
struct Section {
    frames: Vec<String>,
    cases: BTreeMap<String, Vec<LayerConfig>>,
}

/// Returns all cases. Panics unless each has a record in `golden.npz`, each record has a case, and each array
/// of a record is compared.
pub fn all() -> Vec<Case> {
    let text = std::fs::read_to_string(golden::path("cases.toml")).unwrap();
    let sections: BTreeMap<String, Section> = toml::from_str(&text).unwrap();
    let mut records = golden::read();
    let mut cases = Vec::with_capacity(records.len());
    for Section { frames, cases: layers } in sections.into_values() {
        let valid: Vec<Vec<usize>> = frames.iter().map(|row| positions(row)).collect();
        for (name, layers) in layers {
            let record = records.remove(&name).unwrap_or_else(|| panic!("{name} is not in golden.npz"));
            cases.push(case(name, layers, record, &valid));
        }
    }
    let rest: Vec<_> = records.keys().collect();
    assert!(rest.is_empty(), "in golden.npz, but not in cases.toml: {rest:?}");
    cases
}

/// Returns the positions of the valid frames of a sequence.
fn positions(row: &str) -> Vec<usize> {
    row.bytes().enumerate().filter(|&(_, mark)| mark == b'#').map(|(t, _)| t).collect()
}

fn case(name: String, layers: Vec<LayerConfig>, mut record: Record, valid: &[Vec<usize>]) -> Case {
    let steps = BatchSizes::new(&valid.iter().map(Vec::len).collect::<Vec<_>>());
    // The sequence and the position of the frame of every column.
    let places: Vec<(usize, usize)> = (0..steps.len())
        .flat_map(|k| (0..steps.at(k).len()).map(move |s| (s, k)))
        .map(|(s, k)| (s, valid[s][k]))
        .collect();
    let x = record.get("x");
    let [values, d_x] = [0, 1].map(|plane| gather(x, plane, &places));
    let padded = x.plane(0).chunks_exact(x.plane(0).len() / valid.len()).map(<[f32]>::to_vec).collect();
    let x = array(x);
    let y = record.get("y");
    let [output, in_training, weights] = [0, 1, 2].map(|plane| gather(y, plane, &places));
    let (config, data) = read(layers, x, array(y), valid);
    let batch = data::pack(&data, &Vec::from_iter(0..valid.len()));
    let BatchTargets::Values(targets) = batch.targets else { unreachable!("floats") };
    // Keras masks the frames that the trainer removes when it reads data.
    assert_eq!((&batch.input.values, &targets, &batch.input.steps), (&values, &output, &steps), "{name}");
    let mut network = config.network(&data, 0);
    let parameters = put_parameters(&mut network, &mut record);
    let statistics = put_statistics(&mut network, &mut record);
    let [initial, d_initial, final_states, final_weights] = states(&network, &mut record, valid.len());
    record.finish();
    let gradients = InputGradients { parameters, initial: d_initial, input: d_x };
    let training =
        Training { output: in_training, final_states, weights, final_weights, gradients, statistics };
    Case { name, network, input: batch.input, initial, output, training, padded }
}

/// Returns the columns of a packed batch from `[sequences, time, features]`, or one column per sequence from
/// `[sequences, features]`.
fn gather(array: &Array, plane: usize, places: &[(usize, usize)]) -> Matrix<f32> {
    let (values, features) = (array.plane(plane), array.shape[array.shape.len() - 1]);
    let &[_, _, time, _] = &array.shape[..] else {
        return Matrix::from_column_slice(features, array.shape[1], values);
    };
    let frame = |&(s, t): &(usize, usize)| &values[(s * time + t) * features..][..features];
    Matrix::from_vec(features, places.len(), places.iter().flat_map(frame).copied().collect())
}

/// Returns the first plane as an array of a data file.
fn array(array: &Array) -> data::Array {
    data::Array { shape: array.shape[1..].to_vec(), values: Values::Floats(array.plane(0).to_vec()) }
}

/// Returns the config of these layers and the data as it admits them, with the outputs as targets. Without a
/// masking layer, the invalid frames are padding at the end.
fn read(layers: Vec<LayerConfig>, x: data::Array, y: data::Array, valid: &[Vec<usize>]) -> (Config, Dataset) {
    let text = "name = 'keras'\ndata.file = ''\nlayers = []\ntraining = { loss = 'mse', epochs = 1 }";
    let config = Config { layers, ..toml::from_str(text).unwrap() };
    let lengths = valid.iter().map(|positions| positions.len() as i64).collect();
    let lengths = data::Array { shape: vec![valid.len()], values: Values::Integers(lengths) };
    let masks = config.layers[0].get().mask_value().is_some();
    let data = Dataset::from_arrays(x, (!masks).then_some(lengths), y, ["x", "y"]).unwrap();
    let data = config.admit(data).unwrap();
    (config, data)
}

/// Returns the name in Keras of a parameter of the trainer.
fn keras_name(kind: &Kind<f32>, parameter: &'static str) -> &'static str {
    match (kind, parameter) {
        (Kind::Embedding(_), "weight") => "embeddings",
        (_, "weight" | "w_ih") => "kernel",
        (_, "w_hh") => "recurrent_kernel",
        // In a GRU that resets after, this is the second row of Keras's bias.
        (_, "recurrent_bias") => "bias",
        (_, same) => same,
    }
}

/// Prepends the direction to the names of a Bidirectional: the first half is of the forward layer, the second
/// of the backward layer.
fn in_directions(kind: &Kind<f32>, names: Vec<&str>) -> Vec<String> {
    let Kind::Bidirectional(_) = kind else { return names.into_iter().map(str::to_owned).collect() };
    let (forward, backward) = names.split_at(names.len() / 2);
    let of = |direction: &'static str| move |name: &&str| format!("{direction}/{name}");
    forward.iter().map(of("forward")).chain(backward.iter().map(of("backward"))).collect()
}

/// Sets the weights of the network from the record, and returns their gradients, in the order of
/// [`Network::parameters`].
fn put_parameters(network: &mut Network<f32>, record: &mut Record) -> Vec<Matrix<f32>> {
    let mut gradients = Vec::new();
    for (k, layer) in network.layers.iter_mut().enumerate() {
        let names =
            layer.kind.get().parameters().iter().map(|(name, _)| keras_name(&layer.kind, name)).collect();
        let names = in_directions(&layer.kind, names);
        for (number, parameter) in layer.kind.get_mut().parameters_mut().into_iter().enumerate() {
            let name = &names[number];
            // Two parameters of the trainer may be rows of one array.
            let [part, parts] =
                [&names[..number], &names].map(|names| names.iter().filter(|&other| other == name).count());
            let array = record.get(&format!("{k}/{name}"));
            let plane = |plane| array.matrix(plane, [part, parts], parameter.nrows(), parameter.ncols());
            gradients.push(plane(1));
            *parameter = plane(0);
        }
    }
    gradients
}

/// Sets the statistics of the network from the record, and returns those after the training pass, in the
/// order of [`Network::statistics`].
fn put_statistics(network: &mut Network<f32>, record: &mut Record) -> Vec<Matrix<f32>> {
    let mut after = Vec::new();
    for (k, layer) in network.layers.iter_mut().enumerate() {
        let statistics = layer.kind.get_mut().statistics_mut();
        for (name, statistic) in ["moving_mean", "moving_variance"].into_iter().zip(statistics) {
            let array = record.get(&format!("{k}/{name}"));
            let plane = |plane| array.matrix(plane, [0, 1], statistic.nrows(), 1);
            after.push(plane(1));
            *statistic = plane(0);
        }
    }
    after
}

/// Returns the initial states and their gradients, the final states and their weights.
fn states(network: &Network<f32>, record: &mut Record, sequences: usize) -> [States<f32>; 4] {
    let mut read = |k: usize, kind: &Kind<f32>, plane: usize| -> Vec<Matrix<f32>> {
        let names = match kind {
            Kind::Recurrent(layer) => layer.cell.get().states().to_vec(),
            Kind::Bidirectional(layer) => [layer.forward.cell.get().states(); 2].concat(),
            _ => Vec::new(),
        };
        let state = |(name, &size): (&String, &usize)| {
            record.get(&format!("{k}/{name}")).matrix(plane, [0, 1], size, sequences)
        };
        in_directions(kind, names).iter().zip(&kind.get().states()).map(state).collect()
    };
    [0, 1, 2, 3].map(|plane| {
        network.layers.iter().enumerate().map(|(k, layer)| read(k, &layer.kind, plane)).collect()
    })
}

impl Case {
    /// Iterates over the sequences, the longest first.
    pub fn sequences(&self) -> impl Iterator<Item = Sequence> {
        (0..self.input.steps.sequences()).map(|s| self.sequence(s))
    }

    fn sequence(&self, s: usize) -> Sequence {
        let steps = &self.input.steps;
        let running = (0..steps.len()).filter(|&t| s < steps.at(t).len());
        let columns: Vec<usize> = running.map(|t| steps.column(t, s)).collect();
        let flat =
            |matrix: &Matrix<f32>, columns: &[usize]| matrix.select_columns(columns).as_slice().to_vec();
        let own = |states: &Vec<Matrix<f32>>| states.iter().map(|state| state.select_columns(&[s])).collect();
        let output = if self.network.returns_sequences() { &columns[..] } else { &[s] };
        Sequence {
            frames: flat(&self.input.values, &columns),
            initial: self.initial.iter().map(own).collect(),
            output: flat(&self.output, output),
        }
    }
}
