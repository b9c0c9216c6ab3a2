//! `ernn quantize`.

use std::fs;
use std::path::Path;

use embedded_rnn::F32;
use embedded_rnn_trainer::pack::{AlignedBytes, quantize, read_float};

use crate::arrays::{integers, write_frames, write_integers, write_npz, write_padded};
use crate::common::error_line;
use crate::models::{
    GENERATIVE, MASKED, MASKED_IDS, WHOLE, encoder_decoder, floats, folder, ids, random, stdout,
};

/// Quantizes `m.ernn`; returns the standard output, and the file.
fn quantized(folder: &Path, more: &[&str]) -> (String, Vec<u8>) {
    let args = [&["quantize", "m.ernn", "-o", "q.ernn"], more].concat();
    (stdout(folder, &args), fs::read(folder.join("q.ernn")).unwrap())
}

/// Quantizes the same file with the library, on these sequences.
fn expected(folder: &Path, sequences: &[Vec<f32>]) -> Vec<u8> {
    let file = AlignedBytes::new(&fs::read(folder.join("m.ernn")).unwrap());
    let (network, meta) = read_float::<F32>(&file).unwrap();
    let sequences: Vec<&[f32]> = sequences.iter().map(Vec::as_slice).collect();
    quantize(&network, &meta, &sequences).unwrap().bytes
}

#[test]
fn models_over_ids_are_calibrated_on_ids_without_targets() {
    let (sequences, lengths) = (ids(&[4, 1, 6], 5), [4, 1, 6]);
    let as_floats: Vec<Vec<f32>> = sequences.iter().map(|ids| floats(ids)).collect();
    for (net, layers) in [
        (random(GENERATIVE, 1, 3), vec!["embedding", "gru", "dense"]),
        (encoder_decoder(true, 185), vec!["embedding", "gru", "dense_1"]),
    ] {
        let folder = folder(&net, &[]);
        write_padded(folder.path(), &sequences);
        let more = ["--calibrate", "x.npy", "--lengths", "len.npy"];
        let (text, bytes) = quantized(folder.path(), &more);
        assert_eq!(bytes, expected(folder.path(), &as_floats));
        assert!(layers.iter().all(|layer| text.contains(&format!("\n{layer} "))), "{text}");
        let half = quantized(folder.path(), &[&more[..], &["--weights", "f16"]].concat()).1;
        fs::write(folder.path().join("h.ernn"), half).unwrap();
        let inspected = stdout(folder.path(), &["inspect", "h.ernn"]);
        assert!(
            inspected.starts_with("mine: f16, ") && inspected.contains("self-test: passed"),
            "{inspected}"
        );
        write_integers(&folder.path().join("x.npy"), &[11], &sequences.concat());
        assert_eq!(quantized(folder.path(), &more).1, bytes, "concatenated");
        let x = integers(&[11, 1], &sequences.concat());
        let y = integers(&[3], &[0, 1, 2]);
        let len = integers(&[3], &lengths);
        write_npz(&folder.path().join("d.npz"), &[("x_train", x), ("len_train", len), ("y_train", y)]);
        assert_eq!(quantized(folder.path(), &["--calibrate", "d.npz"]).1, bytes, "a data set");
    }
}

#[test]
fn models_of_whole_sequences_are_calibrated() {
    let net = random(WHOLE, 2, 3);
    let folder = folder(&net, &[]);
    write_frames(folder.path(), &[2, 6, 2], &net.1);
    let (text, bytes) = quantized(folder.path(), &["--calibrate", "x.npy"]);
    let halves: Vec<Vec<f32>> = net.1.chunks(12).map(<[f32]>::to_vec).collect();
    assert_eq!(bytes, expected(folder.path(), &halves));
    assert!(text.contains("\nbidirectional ") && text.contains("\ngru "), "{text}");
}

#[test]
fn masked_time_steps_do_not_affect_calibration() {
    for (layers, features, mask) in [(MASKED, 2, 0.5), (MASKED_IDS, 1, 0.0)] {
        let mut net = random(layers, features, 3);
        net.1.iter_mut().filter(|value| **value == mask).for_each(|value| *value += 1.0);
        let folder = folder(&net, &[]);
        let path = folder.path();
        let steps = net.1.len() / features;
        write_frames(path, &[1, steps, features], &net.1);
        let clear = quantized(path, &["--calibrate", "x.npy"]).1;
        let masked = vec![mask; features];
        let padded: Vec<f32> =
            net.1.chunks(features).flat_map(|x| [&masked[..], x, &masked[..]].concat()).collect();
        write_frames(path, &[1, 3 * steps, features], &padded);
        assert_eq!(quantized(path, &["--calibrate", "x.npy"]).1, clear);
        write_frames(path, &[2, 2, features], &[&net.1[..2 * features], &masked, &masked].concat());
        let args = ["quantize", "m.ernn", "--calibrate", "x.npy", "-o", "z.ernn"];
        let reason = "x.npy: nothing is left of sequence 1: every frame is masked";
        assert_eq!(error_line(path, &args), reason);
        assert!(!path.join("z.ernn").exists());
    }
}

#[test]
fn invalid_ids_of_a_data_set_are_rejected_by_name() {
    let folder = folder(&random(GENERATIVE, 1, 3), &[]);
    let (x, y) = (integers(&[1, 3], &[1, 5, 0]), integers(&[1, 3], &[0, 0, 0]));
    write_npz(&folder.path().join("d.npz"), &[("x_train", x), ("y_train", y)]);
    let args = ["quantize", "m.ernn", "--calibrate", "d.npz", "-o", "z.ernn"];
    let reason = "d.npz: x_train: 5 at step 1 of sequence 0 is not an id: the Embedding has 0 to 4";
    assert_eq!(error_line(folder.path(), &args), reason);
}
