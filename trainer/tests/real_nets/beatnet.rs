//! BeatNet, a beat tracker, after its convolution: Dense 262 -> 150, two LSTM 150, Dense 150 -> 3 per 20 ms,
//! imported as a state dict. The package has it in a `.pt` file, from which the test makes the
//! `.safetensors` file that the importer reads.

use std::fs::File;
use std::io::Read;

use embedded_rnn::{Backend, F32};
use embedded_rnn_trainer::import::Imported;
use embedded_rnn_trainer::import::pytorch::{Options, read};
use embedded_rnn_trainer::pack::{ErrorTable, Quantized, quantize};
use safetensors::Dtype;
use safetensors::tensor::{TensorView, serialize};
use zip::ZipArchive;

use crate::files::{floats, halves, package};
use crate::layers::{assert_within, difference, exact, predict};

/// The tensors of the file, in the order of their values.
const TENSORS: [(&str, &[usize]); 14] = [
    ("conv1.weight", &[2, 1, 10]),
    ("conv1.bias", &[2]),
    ("linear0.weight", &[150, 262]),
    ("linear0.bias", &[150]),
    ("lstm.weight_ih_l0", &[600, 150]),
    ("lstm.weight_hh_l0", &[600, 150]),
    ("lstm.weight_ih_l1", &[600, 150]),
    ("lstm.weight_hh_l1", &[600, 150]),
    ("lstm.bias_ih_l0", &[600]),
    ("lstm.bias_hh_l0", &[600]),
    ("lstm.bias_ih_l1", &[600]),
    ("lstm.bias_hh_l1", &[600]),
    ("linear.weight", &[3, 150]),
    ("linear.bias", &[3]),
];

/// Returns the state dict as a `.safetensors` file. A `.pt` file is a zip archive with the values in storages
/// of their own.
fn safetensors() -> Option<Vec<u8>> {
    let file = package("beatnet", "BeatNet/models/model_1_weights.pt")?;
    let mut archive = ZipArchive::new(File::open(file).unwrap()).unwrap();
    let mut values = Vec::new();
    for storage in 0..7 {
        archive.by_name(&format!("archive/data/{storage}")).unwrap().read_to_end(&mut values).unwrap();
    }
    let (mut tensors, mut rest) = (Vec::new(), &values[..]);
    for (name, shape) in TENSORS {
        let (own, others) = rest.split_at(size_of::<f32>() * shape.iter().product::<usize>());
        tensors.push((name, TensorView::new(Dtype::F32, shape.to_vec(), own).unwrap()));
        rest = others;
    }
    assert!(rest.is_empty());
    Some(serialize(tensors, None).unwrap())
}

fn open() -> Option<Imported> {
    let without = vec!["conv1".to_owned()];
    let options = Options { without, return_sequences: true, ..Options::default() };
    Some(read(&safetensors()?, "beatnet", &options).unwrap())
}

#[test]
fn activations_match_pytorch() {
    let Some(imported) = open() else { return };
    let (frames, golden) = (halves("beatnet", "pooled.npy"), floats("beatnet", "activations.npy"));
    assert_eq!(golden.len(), 24 * 3);
    let exact = exact(&imported.network, &frames);
    assert_within(difference(&exact, &golden), 6.3e-7, "beatnet, f64 and PyTorch");
    let bytes = imported.write::<F32>().unwrap();
    for backend in Backend::all() {
        let what = format!("beatnet on {} and PyTorch", backend.name());
        assert_within(difference(&predict(&bytes, &frames, backend), &golden), 1.6e-6, &what);
    }
}

/// The model is calibrated on the first half.
#[test]
fn i8_activations_are_close() {
    let Some(Imported { network, meta, .. }) = open() else { return };
    let (frames, golden) = (halves("beatnet", "pooled.npy"), floats("beatnet", "activations.npy"));
    let Quantized { bytes, errors, .. } = quantize(&network, &meta, &[&frames[..frames.len() / 2]]).unwrap();
    println!("{}, {} bytes", ErrorTable(&errors), bytes.len());
    let int = predict(&bytes, &frames, Backend::portable());
    assert_within(difference(&int, &golden), 0.025, "beatnet, i8 and PyTorch");
}

/// Without options the convolution is rejected.
#[test]
fn the_convolution_is_rejected_by_name() {
    let Some(file) = safetensors() else { return };
    let error = read(&file, "beatnet", &Options::default()).unwrap_err();
    assert_eq!(format!("{error:#}"), "conv1.weight: a convolution with kernel size 10: only 1 is supported");
}
