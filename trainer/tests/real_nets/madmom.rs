//! madmom's onset detectors: sixteen networks of three SimpleRNN 25, eight of them bidirectional, and one
//! unit with a sigmoid per frame. The package has its own objects in pickled files, which no importer reads;
//! the arrays are taken out of them.

use std::fs;

use embedded_rnn::{Backend, F32};
use embedded_rnn_trainer::activation::Activation;
use embedded_rnn_trainer::cells::AnyCell;
use embedded_rnn_trainer::export::Activations;
use embedded_rnn_trainer::import::cells::{CellKind, CellWeights, Framework, cell};
use embedded_rnn_trainer::layers::{Bidirectional, Dense, Kind, MergeMode, Recurrent};
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::pack::{ErrorTable, Meta, Quantized, quantize, write_float};
use embedded_rnn_trainer::session::RunMode;
use embedded_rnn_trainer::tensor::Matrix;

use crate::files::{floats, halves, package};
use crate::layers::{assert_within, difference, exact, network, predict_in};

const UNITS: usize = 25;
const LAYERS: usize = 3;
const FRAMES: usize = 24;

/// One of the two families of networks.
struct Family {
    name: &'static str,
    input_size: usize,
    layer: fn(&mut Arrays, usize) -> Kind<f32>,
    units: usize,
}

const FAMILIES: [Family; 2] = [
    Family { name: "rnn", input_size: 236, layer: forwards, units: UNITS },
    Family { name: "brnn", input_size: 266, layer: both_ways, units: 2 * UNITS },
];

/// The arrays of f32 in a pickled file, in their order.
struct Arrays(std::vec::IntoIter<Vec<f32>>);

impl Arrays {
    /// Finds the arrays: the state of a NumPy array ends with `False`, as its rows are consecutive, and a
    /// string of its bytes.
    fn of(pickled: &[u8]) -> Self {
        const FALSE: u8 = 0x89;
        let (mut arrays, mut rest) = (Vec::new(), pickled);
        while let Some((_, tail)) = rest.split_first() {
            let (start, len) = match *rest {
                [FALSE, b'U', len, ..] => (3, usize::from(len)),
                [FALSE, b'T', a, b, c, d, ..] => (6, u32::from_le_bytes([a, b, c, d]) as usize),
                _ => {
                    rest = tail;
                    continue;
                }
            };
            let (bytes, after) = rest[start..].split_at(len);
            arrays.push(bytes.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect());
            rest = after;
        }
        Self(arrays.into_iter())
    }

    /// Takes the next array, whose weights are `[columns][rows]`.
    fn matrix(&mut self, rows: usize, columns: usize) -> Matrix<f32> {
        let values = self.0.next().unwrap();
        assert_eq!(values.len(), rows * columns);
        Matrix::from_column_slice(rows, columns, &values)
    }

    fn cell(&mut self, inputs: usize) -> AnyCell<f32> {
        let bias = Some(self.matrix(UNITS, 1));
        let (w_ih, w_hh) = (self.matrix(UNITS, inputs), self.matrix(UNITS, UNITS));
        let weights = CellWeights { w_ih, w_hh, bias, recurrent_bias: None };
        let activations = Activations { value: Activation::Tanh, recurrent: Activation::Sigmoid };
        cell(CellKind::SimpleRnn, Framework::Keras, weights, activations).unwrap()
    }
}

fn forwards(arrays: &mut Arrays, inputs: usize) -> Kind<f32> {
    Kind::Recurrent(Recurrent::new(arrays.cell(inputs), true))
}

/// The backward direction is the first in the file.
fn both_ways(arrays: &mut Arrays, inputs: usize) -> Kind<f32> {
    let backward = Recurrent { go_backwards: true, ..Recurrent::new(arrays.cell(inputs), true) };
    let forward = Recurrent::new(arrays.cell(inputs), true);
    Kind::Bidirectional(Bidirectional { forward, backward, merge_mode: MergeMode::Concat })
}

impl Family {
    fn open(&self, number: usize) -> Option<Network<f32>> {
        let file = format!("madmom/models/onsets/2013/onsets_{}_{number}.pkl", self.name);
        let mut arrays = Arrays::of(&fs::read(package("madmom", &file)?).unwrap());
        let inputs = |layer| if layer == 0 { self.input_size } else { self.units };
        let mut layers: Vec<_> = (0..LAYERS).map(|k| (self.layer)(&mut arrays, inputs(k))).collect();
        let bias = arrays.matrix(1, 1);
        let weights = arrays.matrix(1, self.units);
        layers.push(Kind::Dense(Dense::from_weights(weights, bias, Activation::Sigmoid)));
        assert!(arrays.0.next().is_none());
        Some(network(self.input_size, layers))
    }

    fn spectrograms(&self) -> Vec<f32> {
        halves("madmom", &format!("{}_spectrograms.npy", self.name))
    }

    /// Returns the outputs of the eight networks.
    fn golden(&self) -> Vec<f32> {
        let golden = floats("madmom", &format!("{}_onsets.npy", self.name));
        assert_eq!(golden.len(), 8 * FRAMES);
        golden
    }
}

#[test]
fn onsets_match_madmom() {
    for family in FAMILIES {
        let (frames, golden) = (family.spectrograms(), family.golden());
        for (number, golden) in (1..).zip(golden.chunks(FRAMES)) {
            let Some(network) = family.open(number) else { return };
            let name = format!("madmom {} {number}", family.name);
            let exact = exact(&network, &frames);
            assert_within(difference(&exact, golden), 3.2e-7, &format!("{name}, f64 and madmom"));
            let bytes = write_float::<F32>(&network, &Meta::default(), &frames).unwrap();
            for backend in Backend::all() {
                let found = predict_in(RunMode::Sequence, &bytes, &frames, backend);
                let what = format!("{name} on {} and madmom", backend.name());
                assert_within(difference(&found, golden), 7.6e-7, &what);
            }
        }
        // A network with constant outputs would match itself too.
        let onsets = golden.iter().filter(|&&p| p > 0.5).count();
        assert!((8..golden.len() / 2).contains(&onsets), "{onsets}");
    }
}

/// The models are calibrated on all frames, which are few.
#[test]
fn i8_onsets_are_close() {
    for family in FAMILIES {
        let (frames, golden) = (family.spectrograms(), family.golden());
        for (number, golden) in (1..).zip(golden.chunks(FRAMES)) {
            let Some(network) = family.open(number) else { return };
            let Quantized { bytes, errors, .. } = quantize(&network, &Meta::default(), &[&frames]).unwrap();
            println!("{}, {} bytes", ErrorTable(&errors), bytes.len());
            let int = predict_in(RunMode::Sequence, &bytes, &frames, Backend::portable());
            let what = format!("madmom {} {number}, i8 and madmom", family.name);
            assert_within(difference(&int, golden), 0.0111, &what);
        }
    }
}
