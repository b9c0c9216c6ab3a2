//! Silero's voice detector: the layers after its convolutions, imported from its state dict. LSTM 128, relu,
//! Conv1d 128 -> 1 of kernel size 1, sigmoid, per 32 ms.

use embedded_rnn::{Backend, F32};
use embedded_rnn_trainer::activation::Activation;
use embedded_rnn_trainer::import::pytorch::{Options, PyTorch};
use embedded_rnn_trainer::import::{Imported, Importers, read};
use embedded_rnn_trainer::pack::{ErrorTable, Quantized, quantize};

use crate::files::{floats, halves, package};
use crate::layers::{assert_within, difference, exact, predict};

const STATE_DICT: &str = "silero_vad/data/silero_vad_16k.safetensors";

fn open() -> Option<Imported> {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let options = Options {
        without: owned(&["stft_conv", "conv1", "conv2", "conv3", "conv4"]),
        activations: vec![
            ("lstm_cell".to_owned(), Activation::Relu),
            ("final_conv".to_owned(), Activation::Sigmoid),
        ],
        return_sequences: true,
        ..Options::default()
    };
    let importers = Importers { pytorch: PyTorch { options }, ..Importers::default() };
    Some(importers.read(&package("silero_vad", STATE_DICT)?).unwrap())
}

#[test]
fn probabilities_match_pytorch() {
    let Some(imported) = open() else { return };
    let (frames, golden) = (halves("silero_vad", "features.npy"), floats("silero_vad", "probabilities.npy"));
    assert_eq!(golden.len(), 140);
    let exact = exact(&imported.network, &frames);
    assert_within(difference(&exact, &golden), 3.5e-8, "silero_vad, f64 and PyTorch");
    let bytes = imported.write::<F32>().unwrap();
    for backend in Backend::all() {
        let found = predict(&bytes, &frames, backend);
        assert_within(
            difference(&found, &golden),
            3.6e-7,
            &format!("silero_vad, model on {} and PyTorch", backend.name()),
        );
    }
    let speech = golden.iter().filter(|&&p| p > 0.5).count();
    assert!((70..130).contains(&speech), "{speech}");
}

/// The model is calibrated on the first half.
#[test]
fn i8_probabilities_are_close() {
    let Some(Imported { network, meta, .. }) = open() else { return };
    let (frames, golden) = (halves("silero_vad", "features.npy"), floats("silero_vad", "probabilities.npy"));
    let Quantized { bytes, errors, .. } = quantize(&network, &meta, &[&frames[..frames.len() / 2]]).unwrap();
    println!("{}, {} bytes", ErrorTable(&errors), bytes.len());
    let int = predict(&bytes, &frames, Backend::portable());
    assert_within(difference(&int, &golden), 0.0069, "silero_vad, i8 and PyTorch");
}

/// Without options the convolutions are rejected.
#[test]
fn convolutions_are_rejected_by_name() {
    let Some(path) = package("silero_vad", STATE_DICT) else { return };
    let error = read(&path).unwrap_err();
    assert_eq!(format!("{error:#}"), "conv1.weight: a convolution with kernel size 3: only 1 is supported");
}
