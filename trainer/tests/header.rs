//! The names in a model file, which stay with their layers if the packer inserts an input layer.

use std::collections::BTreeMap;
use std::path::Path;

use embedded_rnn::{F32, I8, Model, Number};
use embedded_rnn_trainer::layers::{Kind, Layer, Normalization};
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::pack::{AlignedBytes, Meta, quantize, random_cell, read_float, write_float};
use embedded_rnn_trainer::session::Session;
use embedded_rnn_trainer::summary::Summary;
use embedded_rnn_trainer::tensor::Matrix;

/// Returns the name and the origin of every layer.
fn layers<N: Number>(bytes: &[u8]) -> Vec<(String, String)> {
    let bytes = AlignedBytes::new(bytes);
    let header = Model::<N>::new(&bytes).unwrap().header().unwrap();
    header.layers().map(|layer| (layer.name.to_owned(), layer.origin.to_owned())).collect()
}

fn meta() -> Meta {
    let origins = BTreeMap::from([("cell".to_owned(), "a.keras: /cell".to_owned())]);
    Meta { name: "mine".to_owned(), origins, labels: Vec::new() }
}

fn both(network: &Network<f32>, frames: &[f32]) -> [Vec<(String, String)>; 2] {
    let float = write_float::<F32>(network, &meta(), frames).unwrap();
    assert_eq!(read_float::<F32>(&AlignedBytes::new(&float)).unwrap().1, meta());
    [layers::<F32>(&float), layers::<I8>(&quantize(network, &meta(), &[frames]).unwrap().bytes)]
}

fn named(name: &str, origin: &str) -> (String, String) {
    (name.to_owned(), origin.to_owned())
}

#[test]
fn origins_stay_with_their_layers() {
    let (mut network, frames) = random_cell(("LSTM", ""), (2, 3), 5, 1).unwrap();
    let cell = named("cell", "a.keras: /cell");
    // Integers need an input layer, which this network lacks.
    assert_eq!(both(&network, &frames), [vec![cell.clone()], vec![named("input", ""), cell.clone()]]);

    let kind = Normalization { mean: Matrix::zeros(2, 1), variance: Matrix::repeat(2, 1, 1.0) };
    network.layers.insert(0, Layer { name: "norm".to_owned(), kind: Kind::Normalization(kind) });
    let whole = vec![named("norm", ""), cell];
    assert_eq!(both(&network, &frames), [whole.clone(), whole]);
}

#[test]
fn the_parameters_of_a_file_are_those_that_are_trained() {
    for cell in [("SimpleRNN", ""), ("LSTM", ""), ("GRU", ""), ("GRU", "reset_after = false")] {
        let (network, frames) = random_cell(cell, (2, 3), 5, 1).unwrap();
        let trained: usize = network.parameters().iter().map(|parameter| parameter.len()).sum();
        let bytes = write_float::<F32>(&network, &meta(), &frames).unwrap();
        let session = Session::new(Path::new("m"), &bytes).unwrap();
        assert_eq!(Summary::of(&session).parameters, trained as u64, "{cell:?}");
    }
}
