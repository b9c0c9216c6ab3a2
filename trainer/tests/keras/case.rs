//! The cases of `cases.toml` with what Keras made of them: networks, inputs, initial states, outputs and gradients.

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

/// A network, what it is given, and what should come out. All numbers that go in are exact in f32.
pub struct Case {
    /// Its name in `cases.toml`.
    pub name: String,
    /// With the weights that Keras had.
    pub network: Network<f32>,
    /// The frames that count, packed.
    pub input: PackedSequence<f32>,
    /// Not zeros.
    pub initial: States<f32>,
    /// What comes out in use, `[out x columns]`.
    pub output: Matrix<f32>,
    /// What a pass of training finds.
    pub training: Training,
    /// Every sequence with the frames that do not count.
    pub padded: Vec<Vec<f32>>,
}

/// What a pass of training finds.
pub struct Training {
    /// What comes out, `[out x columns]`.
    pub output: Matrix<f32>,
    /// The states after the last frames.
    pub final_states: States<f32>,
    /// What the outputs are multiplied by before they are summed up.
    pub weights: Matrix<f32>,
    /// What the final states are multiplied by, and added to that sum.
    pub final_weights: States<f32>,
    /// The gradients of the sum.
    pub gradients: InputGradients<f32>,
    /// What the statistics become.
    pub statistics: Vec<Matrix<f32>>,
}

/// A sequence of a case.
pub struct Sequence {
    /// The frames that count, one after another.
    pub frames: Vec<f32>,
    /// `[hidden x 1]` each.
    pub initial: States<f32>,
    /// What comes out in use, one frame after another.
    pub output: Vec<f32>,
}

/// A part of `cases.toml`.
#[derive(Deserialize)]
struct Section {
    frames: Vec<String>,
    cases: BTreeMap<String, Vec<LayerConfig>>,
}

/// All cases. Each has a record in `golden.npz`, each record has a case, and nothing in a record is left over.
pub fn all() -> Vec<Case> {
    let text = std::fs::read_to_string(golden::path("cases.toml")).unwrap();
    let sections: BTreeMap<String, Section> = toml::from_str(&text).unwrap();
    let mut records = golden::read();
    let mut cases = Vec::with_capacity(records.len());
    for Section { frames, cases: layers } in sections.into_values() {
        let counts: Vec<Vec<usize>> = frames.iter().map(|row| positions(row)).collect();
        for (name, layers) in layers {
            let record = records.remove(&name).unwrap_or_else(|| panic!("{name} is not in golden.npz"));
            cases.push(case(name, layers, record, &counts));
        }
    }
    let rest: Vec<_> = records.keys().collect();
    assert!(rest.is_empty(), "in golden.npz, but not in cases.toml: {rest:?}");
    cases
}

/// Which frames of a sequence count.
fn positions(row: &str) -> Vec<usize> {
    row.bytes().enumerate().filter(|&(_, mark)| mark == b'#').map(|(t, _)| t).collect()
}

fn case(name: String, layers: Vec<LayerConfig>, mut record: Record, counts: &[Vec<usize>]) -> Case {
    let steps = BatchSizes::new(&counts.iter().map(Vec::len).collect::<Vec<_>>());
    // The sequence of every column, and the place of its frame.
    let places: Vec<(usize, usize)> = (0..steps.len())
        .flat_map(|k| (0..steps.at(k).len()).map(move |s| (s, k)))
        .map(|(s, k)| (s, counts[s][k]))
        .collect();
    let x = record.get("x");
    let [values, d_x] = [0, 1].map(|plane| gather(x, plane, &places));
    let padded = x.plane(0).chunks_exact(x.plane(0).len() / counts.len()).map(<[f32]>::to_vec).collect();
    let x = array(x);
    let y = record.get("y");
    let [output, in_training, weights] = [0, 1, 2].map(|plane| gather(y, plane, &places));
    let (config, data) = read(layers, x, array(y), counts);
    let batch = data::pack(&data, &Vec::from_iter(0..counts.len()));
    let BatchTargets::Values(targets) = batch.targets else { unreachable!("floats") };
    // What Keras masks is what the trainer leaves out when it reads.
    assert_eq!((&batch.input.values, &targets, &batch.input.steps), (&values, &output, &steps), "{name}");
    let mut network = config.network(&data, 0);
    let parameters = put_parameters(&mut network, &mut record);
    let statistics = put_statistics(&mut network, &mut record);
    let [initial, d_initial, final_states, final_weights] = states(&network, &mut record, counts.len());
    record.finish();
    let gradients = InputGradients { parameters, initial: d_initial, input: d_x };
    let training =
        Training { output: in_training, final_states, weights, final_weights, gradients, statistics };
    Case { name, network, input: batch.input, initial, output, training, padded }
}

/// The columns of a packed batch, from `[sequences, time, features]`; from `[sequences, features]` a column a sequence.
fn gather(array: &Array, plane: usize, places: &[(usize, usize)]) -> Matrix<f32> {
    let (values, features) = (array.plane(plane), array.shape[array.shape.len() - 1]);
    let &[_, _, time, _] = &array.shape[..] else {
        return Matrix::from_column_slice(features, array.shape[1], values);
    };
    let frame = |&(s, t): &(usize, usize)| &values[(s * time + t) * features..][..features];
    Matrix::from_vec(features, places.len(), places.iter().flat_map(frame).copied().collect())
}

/// The first plane, as an array of a data file.
fn array(array: &Array) -> data::Array {
    data::Array { shape: array.shape[1..].to_vec(), values: Values::Floats(array.plane(0).to_vec()) }
}

/// The config of these layers, and sequences as it admits them, with what comes out as targets. Where no layer masks, the
/// frames that do not count are at the end.
fn read(
    layers: Vec<LayerConfig>,
    x: data::Array,
    y: data::Array,
    counts: &[Vec<usize>],
) -> (Config, Dataset) {
    let text = "name = 'keras'\ndata.file = ''\nlayers = []\ntraining = { loss = 'mse', epochs = 1 }";
    let config = Config { layers, ..toml::from_str(text).unwrap() };
    let lengths = counts.iter().map(|counts| counts.len() as i64).collect();
    let lengths = data::Array { shape: vec![counts.len()], values: Values::Integers(lengths) };
    let masks = config.layers[0].get().mask_value().is_some();
    let data = Dataset::from_arrays(x, (!masks).then_some(lengths), y, ["x", "y"]).unwrap();
    let data = config.admit(data).unwrap();
    (config, data)
}

/// What Keras calls a parameter of the trainer.
fn keras_name(kind: &Kind<f32>, parameter: &'static str) -> &'static str {
    match (kind, parameter) {
        (Kind::Embedding(_), "weight") => "embeddings",
        (_, "weight" | "w_ih") => "kernel",
        (_, "w_hh") => "recurrent_kernel",
        // Of a GRU that resets after: the second row of Keras's biases.
        (_, "recurrent_bias") => "bias",
        (_, same) => same,
    }
}

/// Names that begin with the direction, where a layer has two: all of the forward one, then all of the backward one.
fn in_directions(kind: &Kind<f32>, names: Vec<&str>) -> Vec<String> {
    let Kind::Bidirectional(_) = kind else { return names.into_iter().map(str::to_owned).collect() };
    let (forward, backward) = names.split_at(names.len() / 2);
    let of = |direction: &'static str| move |name: &&str| format!("{direction}/{name}");
    forward.iter().map(of("forward")).chain(backward.iter().map(of("backward"))).collect()
}

/// Gives the network the weights of the record; returns their gradients, in the order of [`Network::parameters`].
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

/// Gives the network the statistics of the record; returns what they become, in the order of [`Network::statistics`].
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

/// The initial states and their gradients, the final states and their weights.
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
    /// Its sequences one by one, the longest first.
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
