//! The first network of DTLN, a noise suppressor: two LSTM 128, and a mask of 257 bands, imported from an
//! `.onnx` file whose states are one tensor.

use embedded_rnn::{Backend, F32};
use embedded_rnn_trainer::import::{Imported, read};
use embedded_rnn_trainer::pack::{ErrorTable, Quantized, quantize};

use crate::files::{floats, halves, package};
use crate::layers::{assert_within, difference, predict};

fn open() -> Option<Imported> {
    Some(read(&package("dtln", "livekit/plugins/dtln/models/model_1.onnx")?).unwrap())
}

#[test]
fn masks_match_onnx_runtime() {
    let Some(imported) = open() else { return };
    let (frames, golden) = (halves("dtln", "magnitudes.npy"), floats("dtln", "masks.npy"));
    assert_eq!(golden.len(), 20 * 257);
    let bytes = imported.write::<F32>().unwrap();
    for backend in Backend::all() {
        let what = format!("dtln on {} and ONNX Runtime", backend.name());
        assert_within(difference(&predict(&bytes, &frames, backend), &golden), 8e-7, &what);
    }
    let origin = &imported.meta.origins["lstm_5"];
    assert_eq!(origin, "ONNX LSTM lstm_5, initial_h input_3[1][0], initial_c input_3[1][1]");
}

/// The model is calibrated on the first half.
#[test]
fn i8_masks_are_close() {
    let Some(Imported { network, meta, .. }) = open() else { return };
    let (frames, golden) = (halves("dtln", "magnitudes.npy"), floats("dtln", "masks.npy"));
    let Quantized { bytes, errors, .. } = quantize(&network, &meta, &[&frames[..frames.len() / 2]]).unwrap();
    println!("{}, {} bytes", ErrorTable(&errors), bytes.len());
    let int = predict(&bytes, &frames, Backend::portable());
    assert_within(difference(&int, &golden), 0.033, "dtln, i8 and ONNX Runtime");
}
