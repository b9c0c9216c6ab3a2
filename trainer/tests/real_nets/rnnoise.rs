//! RNNoise 0.1: six layers that form no chain, each a model of its own, connected by the test.
//!
//! ```text
//! features 42 -> input_dense 24 -> vad_gru 24 -> vad_output 1
//! input_dense, vad_gru, features       -> noise_gru 48
//! vad_gru, noise_gru, features         -> denoise_gru 96 -> denoise_output 22
//! ```

use std::fs;

use embedded_rnn::Backend;
use embedded_rnn_trainer::activation::Activation;
use embedded_rnn_trainer::layers::Kind;
use embedded_rnn_trainer::net::Network;

use crate::files::{floats, halves, numbers, package, source};
use crate::layers::{assert_within, dense, difference, exact, gru, network, run};
use crate::table::Table;

const FEATURES: usize = 42;
const GAINS: usize = 22;

/// The layers of `weights.rnn`, in its order.
struct Layers {
    input_dense: Network<f32>,
    vad_gru: Network<f32>,
    noise_gru: Network<f32>,
    denoise_gru: Network<f32>,
    denoise_output: Network<f32>,
    vad_output: Network<f32>,
}

/// The rest of the file.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Vec<f32> {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken.iter().map(|&byte| f32::from(byte as i8)).collect()
    }

    /// Reads the header of a layer: inputs, units, activation.
    fn header(&mut self) -> [usize; 3] {
        let header = self.take(3);
        [header[0] as usize, header[1] as usize, header[2] as usize]
    }

    fn dense(&mut self) -> Network<f32> {
        let [inputs, units, function] = self.header();
        let activation = [Activation::Tanh, Activation::Sigmoid, Activation::Relu][function];
        let (weights, bias) = (self.take(inputs * units), self.take(units));
        network(inputs, vec![dense(&weights, &bias, activation)])
    }

    fn gru(&mut self) -> Network<f32> {
        let [inputs, units, function] = self.header();
        assert_eq!(function, 2, "relu");
        let [weights, recurrent, bias] =
            [inputs * units, units * units, units].map(|count| self.take(3 * count));
        network(inputs, vec![gru(&weights, &recurrent, &bias)])
    }
}

fn open() -> Option<Layers> {
    let bytes = fs::read(package("rnnoise", "src/weights.rnn")?).unwrap();
    assert_eq!(bytes.len(), 87_521);
    let mut reader = Reader(&bytes);
    let layers = Layers {
        input_dense: reader.dense(),
        vad_gru: reader.gru(),
        noise_gru: reader.gru(),
        denoise_gru: reader.gru(),
        denoise_output: reader.dense(),
        vad_output: reader.dense(),
    };
    assert!(reader.0.is_empty());
    Some(layers)
}

/// Interleaves the frames of several sequences, so that their features lie side by side.
fn side_by_side<T: Copy>(parts: &[(&[T], usize)]) -> Vec<T> {
    let frames = parts[0].0.len() / parts[0].1;
    let frame = |k: usize| parts.iter().flat_map(move |(values, size)| values[k * size..][..*size].to_vec());
    (0..frames).flat_map(frame).collect()
}

impl Layers {
    /// Returns the gains and the probability of speech per frame. `run` runs a layer over all frames.
    fn outputs(&self, features: &[f32], run: impl Fn(&Network<f32>, &[f32]) -> Vec<f64>) -> Vec<f64> {
        // Layers pass f32 to each other, as in the engine.
        let run_32 = |layer, frames: &[f32]| {
            run(layer, frames).into_iter().map(|value| value as f32).collect::<Vec<_>>()
        };
        let dense = run_32(&self.input_dense, features);
        let vad = run_32(&self.vad_gru, &dense);
        let noise = run_32(&self.noise_gru, &side_by_side(&[(&dense, 24), (&vad, 24), (features, FEATURES)]));
        let denoise =
            run_32(&self.denoise_gru, &side_by_side(&[(&vad, 24), (&noise, 48), (features, FEATURES)]));
        let (gains, speech) = (run(&self.denoise_output, &denoise), run(&self.vad_output, &vad));
        side_by_side(&[(&gains, GAINS), (&speech, 1)])
    }
}

#[test]
fn gains_match_the_engine() {
    let Some(layers) = open() else { return };
    let table = numbers(&source("rnnoise", "src/util.rs").unwrap(), "TANSIG_TABLE", |_| unreachable!());
    let table = Table(table);
    let (features, golden) = (halves("rnnoise", "features.npy"), floats("rnnoise", "outputs.npy"));
    assert_eq!(golden.len(), 400 * (GAINS + 1));
    let widened = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
    let exact = layers.outputs(&features, exact);
    let tabled = layers.outputs(&features, |layer, frames| table.run(layer, frames));
    assert_within(difference(&tabled, &golden), 2.1e-6, "rnnoise, f64 with the engine's table and engine");
    assert_within(difference(&exact, &golden), 4.7e-6, "rnnoise, f64 and engine");
    for backend in Backend::all() {
        let found = layers.outputs(&features, |layer, frames| widened(run(layer, frames, backend)));
        let name = backend.name();
        assert_within(difference(&found, &exact), 2.3e-6, &format!("rnnoise, models on {name} and f64"));
        assert_within(difference(&found, &golden), 5.8e-6, &format!("rnnoise, models on {name} and engine"));
    }
    // Gains that are all alike would test little.
    let open = golden.iter().filter(|&&gain| gain > 0.5).count();
    assert!((1000..8200).contains(&open), "{open}");
}

/// The file has the known layers, and all hidden ones but the first are GRU.
#[test]
fn the_file_has_the_known_layers() {
    let Some(layers) = open() else { return };
    let sizes = |network: &Network<f32>| (network.input_size, network.output_size());
    let Layers { input_dense, vad_gru, noise_gru, denoise_gru, denoise_output, vad_output } = &layers;
    assert_eq!(
        [input_dense, vad_gru, noise_gru, denoise_gru, denoise_output, vad_output].map(sizes),
        [(42, 24), (24, 24), (90, 48), (114, 96), (96, 22), (24, 1)]
    );
    let is_gru = |network: &&Network<f32>| matches!(network.layers[0].kind, Kind::Recurrent(_));
    assert!([vad_gru, noise_gru, denoise_gru].iter().all(is_gru));
}
