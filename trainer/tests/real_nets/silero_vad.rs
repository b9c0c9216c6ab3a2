//! Silero's voice detector: what comes after its convolutions, imported from its state dict. LSTM 128, relu, Conv1d 128 -> 1 with
//! a kernel of 1, sigmoid, over 32 ms each.

use embedded_rnn::{Backend, F32};
use embedded_rnn_trainer::activation::Activation;
use embedded_rnn_trainer::import::pytorch::Options;
use embedded_rnn_trainer::import::{Imported, read_with};
use embedded_rnn_trainer::pack::{ErrorTable, Quantized, quantize};

use crate::files::{floats, halves, package};
use crate::layers::{assert_within, difference, exact, predict};

const STATE_DICT: &str = "silero_vad/data/silero_vad_16k.safetensors";

fn open() -> Option<Imported> {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let options = Options {
        without: owned(&["stft_conv", "conv1", "conv2", "conv3", "conv4"]),
        activation: vec![
            ("lstm_cell".to_owned(), Activation::Relu),
            ("final_conv".to_owned(), Activation::Sigmoid),
        ],
        return_sequences: true,
        ..Options::default()
    };
    Some(read_with(&package("silero_vad", STATE_DICT)?, &options).unwrap())
}

#[test]
fn it_hears_speech_as_pytorch_does() {
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

/// Calibrated on the first half.
#[test]
fn in_8_bits_it_hears_nearly_the_same() {
    let Some(Imported { network, meta }) = open() else { return };
    let (frames, golden) = (halves("silero_vad", "features.npy"), floats("silero_vad", "probabilities.npy"));
    let Quantized { bytes, errors } = quantize(&network, &meta, &[&frames[..frames.len() / 2]]).unwrap();
    println!("{}, {} bytes", ErrorTable(&errors), bytes.len());
    let int = predict(&bytes, &frames, Backend::portable());
    assert_within(difference(&int, &golden), 0.0069, "silero_vad, i8 and PyTorch");
}

/// Without a word of them the convolutions are refused.
#[test]
fn its_convolutions_are_refused_by_name() {
    let Some(path) = package("silero_vad", STATE_DICT) else { return };
    let refusal = read_with(&path, &Options::default()).unwrap_err();
    assert_eq!(format!("{refusal:#}"), "conv1.weight: a convolution with a kernel of 3: only 1 is read");
}
