//! `ernn predict`.

use std::path::Path;

use embedded_rnn_trainer::session::{RunMode, Session};

use crate::arrays::{read_floats, write_frames, write_integers, write_padded};
use crate::common::refusal;
use crate::models::{
    CLASSIFIES, FILES, LABELS, MASKED, MASKED_IDS, WHOLE, WRITES, encoder_decoder, floats, folder, ids,
    random, said, worst,
};

/// Largest difference of a model's answers, all of them probabilities, from those of its network. The worst met here is 6.0e-8 in
/// f32, on every backend, and 4.2e-4 in i8.
const TOLERANCES: [(&str, f32); 2] = [("m.ernn", 7.2e-8), ("m.i8.ernn", 5e-4)];

fn predict(folder: &Path, model: &str, more: &[&str]) -> (Vec<usize>, Vec<f32>) {
    said(folder, &[&["predict", model, "--input", "x.npy", "--output", "y.npy"], more].concat());
    read_floats(&folder.join("y.npy"))
}

#[test]
fn padded_ids_are_answered_where_they_count() {
    let sequences = ids(&[4, 1, 6], 5);
    for (layers, every) in [(WRITES, true), (CLASSIFIES, false)] {
        let net = random(layers, 1, 3);
        let folder = folder(&net, &[]);
        write_padded(folder.path(), &sequences);
        let out = net.0.output_size();
        for (model, tolerance) in TOLERANCES {
            let (shape, values) = predict(folder.path(), model, &["--lengths", "len.npy"]);
            assert_eq!(shape, if every { vec![3, 7, out] } else { vec![3, out] });
            for (row, ids) in values.chunks(values.len() / 3).zip(&sequences) {
                let right = net.0.predict(&floats(ids));
                let found = worst(&row[..right.len()], &right);
                assert!(found < tolerance, "{model}: {found:e}");
                assert!(row[right.len()..].iter().all(|&value| value == 0.0));
            }
            let stream = predict(folder.path(), model, &["--lengths", "len.npy", "--stream"]);
            assert_eq!(stream, (shape, values));
        }
    }
}

/// As many rows as lengths are sequences, as many as these add up to frames; both, if all lengths are 1.
#[test]
fn ids_may_stand_one_after_another() {
    let folder = folder(&random(WRITES, 1, 3), &[]);
    let sequences = ids(&[2, 3], 5);
    write_padded(folder.path(), &sequences);
    let padded = predict(folder.path(), "m.ernn", &["--lengths", "len.npy"]).1;
    let rows = [&padded[..10], &padded[20..35]].concat();
    for shape in [&[5, 1][..], &[5]] {
        write_integers(&folder.path().join("x.npy"), shape, &sequences.concat());
        assert_eq!(predict(folder.path(), "m.ernn", &["--lengths", "len.npy"]), (vec![5, 5], rows.clone()));
    }
    write_integers(&folder.path().join("len.npy"), &[2], &[1, 1]);
    write_integers(&folder.path().join("x.npy"), &[2, 3], &[3, 0, 0, 1, 0, 0]);
    let (shape, single) = predict(folder.path(), "m.ernn", &["--lengths", "len.npy"]);
    assert_eq!(shape, [2, 3, 5]);
    assert!(single[5..15].iter().chain(&single[20..]).all(|&value| value == 0.0));
}

#[test]
fn whole_sequences_are_answered_whole_and_not_as_a_stream() {
    let net = random(WHOLE, 2, 3);
    let folder = folder(&net, &[]);
    write_frames(folder.path(), &[2, 6, 2], &net.1);
    for (model, tolerance) in TOLERANCES {
        let (shape, values) = predict(folder.path(), model, &[]);
        assert_eq!(shape, [2, 6, 3]);
        let right: Vec<f32> = net.1.chunks(12).flat_map(|frames| net.0.predict(frames)).collect();
        let found = worst(&values, &right);
        assert!(found < tolerance, "{model}: {found:e}");
        let stream = ["predict", model, "--input", "x.npy", "--output", "z.npy", "--stream"];
        let rule =
            "the model requires whole sequences, as a layer runs backwards: it cannot run step by step";
        let reason = format!("{model}: --stream: {rule}");
        assert_eq!(refusal(folder.path(), &stream), reason);
        assert!(!folder.path().join("z.npy").exists());
    }
}

/// Where time steps are none, the answer is that to the step before; the others are as if those were not there.
#[test]
fn masked_steps_are_answered_too() {
    let masked: Vec<f32> = [0.5, 0.5, 0.3, 0.5, 0.5, 0.5, 0.5, 0.5, -0.8, 0.1, 0.5, 0.5].to_vec();
    let cases = [
        (MASKED, 2, masked, [false, true, false, false, true, false]),
        (MASKED_IDS, 1, floats(&[0, 3, 0, 0, 5, 0]), [false, true, false, false, true, false]),
    ];
    for (layers, features, frames, counts) in cases {
        let net = random(layers, features, 3);
        let folder = folder(&net, &[]);
        write_frames(folder.path(), &[1, 6, features], &frames);
        for (model, tolerance) in TOLERANCES {
            let (shape, values) = predict(folder.path(), model, &[]);
            assert_eq!(shape, [1, 6, 3]);
            let answers: Vec<&[f32]> = values.chunks(3).collect();
            let kept: Vec<f32> = answers
                .iter()
                .zip(counts)
                .filter(|(_, counts)| *counts)
                .flat_map(|(a, _)| a.to_vec())
                .collect();
            let found = worst(&kept, &net.0.predict(&frames));
            assert!(found < tolerance, "{model}: {found:e}");
            if features == 2 {
                assert_eq!(answers[2], answers[1]);
                assert_eq!((answers[3], answers[5]), (answers[1], answers[4]));
                assert_eq!(predict(folder.path(), model, &["--stream"]).1, values);
            }
        }
    }
}

#[test]
fn encoder_decoders_give_what_they_write_with_the_end_behind() {
    let pair = encoder_decoder(true, 185);
    let folder = folder(&pair, &LABELS);
    let sources = ids(&[5, 2, 3, 7, 4, 6], 6);
    write_padded(folder.path(), &sources);
    let lengths = ["--lengths", "len.npy"];
    let written: Vec<Vec<u32>> = sources.iter().map(|ids| pair.0.decode(&floats(ids), 64)).collect();
    let (shape, values) = predict(folder.path(), "m.ernn", &lengths);
    let longest = written.iter().map(Vec::len).max().unwrap();
    assert_eq!(shape, [6, longest]);
    for (row, right) in values.chunks(longest).zip(&written) {
        assert!(row.iter().map(|&id| id as u32).eq(right.iter().copied().chain([0; 64]).take(longest)));
    }
    assert!(written.iter().any(|right| right.len() < longest), "{written:?}");
    for model in FILES {
        let whole = predict(folder.path(), model, &lengths);
        assert_eq!(predict(folder.path(), model, &["--lengths", "len.npy", "--stream"]), whole);
        let short = predict(folder.path(), model, &["--lengths", "len.npy", "--steps", "2"]);
        assert_eq!(short.0, [6, 2]);
        let rows = short.1.chunks(2).zip(whole.1.chunks(whole.0[1]));
        rows.for_each(|(short, whole)| assert_eq!(short, &whole[..2]));
    }
}

#[test]
fn an_encoder_that_reads_from_the_end_is_no_stream_and_may_write_nothing() {
    let mut pair = encoder_decoder(false, 210);
    let decoder = pair.0.decoder.as_mut().unwrap();
    // The end, whatever it has read.
    decoder.layers[2].kind.get_mut().parameters_mut()[1][0] = 100.0;
    let folder = folder(&pair, &[]);
    write_frames(folder.path(), &[2, 6, 2], &pair.1);
    assert_eq!(predict(folder.path(), "m.ernn", &[]), (vec![2, 1], vec![0.0, 0.0]));
    let stream = ["predict", "m.ernn", "--input", "x.npy", "--output", "z.npy", "--stream"];
    assert!(
        refusal(folder.path(), &stream).starts_with("m.ernn: --stream: the model requires whole sequences")
    );
}

#[test]
fn arrays_that_cannot_be_meant_are_refused_by_name() {
    let folder = folder(&random(WRITES, 1, 3), &[]);
    let folder = folder.path();
    let refused = |reason: &str, more: &[&str]| {
        let args = [&["predict", "m.i8.ernn", "--input", "x.npy", "--output", "z"], more].concat();
        assert_eq!(refusal(folder, &args), reason);
        let args = [&["quantize", "m.ernn", "--calibrate", "x.npy", "-o", "z"], more].concat();
        assert_eq!(refusal(folder, &args), reason);
        assert!(!folder.join("z").exists());
    };
    let x = folder.join("x.npy");
    for id in [5, -1, i64::from(u16::MAX) + 2, i64::MAX] {
        write_integers(&x, &[2, 3], &[0, 1, 2, 3, id, 0]);
        let id = id as f32;
        refused(&format!("x.npy: {id} at step 1 of sequence 1 is no id: the Embedding has 0 to 4"), &[]);
    }
    write_integers(&folder.join("len.npy"), &[2], &[3, 1]);
    said(folder, &["predict", "m.ernn", "--input", "x.npy", "--output", "y", "--lengths", "len.npy"]);
    write_integers(&folder.join("len.npy"), &[2], &[4, 1]);
    refused("x.npy: has 3 steps, but sequence 0 has length 4", &["--lengths", "len.npy"]);
    write_integers(&folder.join("len.npy"), &[3], &[1, 1, 1]);
    refused("x.npy: holds 2 frames, but the lengths add up to 3", &["--lengths", "len.npy"]);
    write_frames(folder, &[1, 2, 1], &[1.0, 2.5]);
    refused("x.npy: 2.5 at step 1 of sequence 0 is no id: the Embedding has 0 to 4", &[]);
    write_frames(folder, &[1, 2, 3], &[0.0; 6]);
    refused("x.npy: 3 features a frame, but an Embedding takes one id", &[]);
    let steps = ["predict", "m.ernn", "--input", "x.npy", "--output", "z", "--steps", "3"];
    assert_eq!(refusal(folder, &steps), "m.ernn: --steps: the model is no encoder-decoder");
    assert!(refusal(folder, &[&steps[..7], &["0"]].concat()).starts_with("invalid value '0' for '--steps"));
}

/// A sequence that the state's memory has no room for is the command's to make room for.
#[test]
fn whole_sequences_of_any_length_are_read() {
    let net = random(WHOLE, 2, 3);
    let folder = folder(&net, &[]);
    let model = Session::read(&folder.path().join("m.ernn")).unwrap();
    let frames = net.1.repeat(100);
    let found = model.predict(&frames, RunMode::Sequence).unwrap();
    assert!(worst(&found, &net.0.predict(&frames)) < TOLERANCES[0].1);
}
