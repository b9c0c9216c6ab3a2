//! `ernn predict`.

use std::path::Path;

use embedded_rnn_trainer::session::{RunMode, Session};

use crate::arrays::{read_floats, write_frames, write_integers, write_padded};
use crate::common::error_line;
use crate::models::{
    CLASSIFIER, FILES, GENERATIVE, LABELS, MASKED, MASKED_IDS, WHOLE, encoder_decoder, floats, folder, ids,
    random, stdout, worst,
};

/// Bounds of the difference between the outputs of a model, which are probabilities, and those of its
/// network. The worst are 6.0e-8 in f32, on every backend, and 4.2e-4 in i8.
const TOLERANCES: [(&str, f32); 2] = [("m.ernn", 7.2e-8), ("m.i8.ernn", 5e-4)];

fn predict(folder: &Path, model: &str, more: &[&str]) -> (Vec<usize>, Vec<f32>) {
    stdout(folder, &[&["predict", model, "--input", "x.npy", "--output", "y.npy"], more].concat());
    read_floats(&folder.join("y.npy"))
}

#[test]
fn padded_ids_have_outputs_at_valid_time_steps() {
    let sequences = ids(&[4, 1, 6], 5);
    for (layers, every) in [(GENERATIVE, true), (CLASSIFIER, false)] {
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

/// The rows of `x.npy` are sequences if there are as many as lengths, and frames if there are as many as the
/// lengths add up to. If all lengths are 1, both hold.
#[test]
fn sequences_of_ids_may_be_concatenated() {
    let folder = folder(&random(GENERATIVE, 1, 3), &[]);
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
fn models_of_whole_sequences_reject_stream() {
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
        assert_eq!(error_line(folder.path(), &stream), reason);
        assert!(!folder.path().join("z.npy").exists());
    }
}

/// At a masked time step, the output of the step before is repeated; it has no effect on the others.
#[test]
fn masked_time_steps_repeat_the_output() {
    let masked: Vec<f32> = [0.5, 0.5, 0.3, 0.5, 0.5, 0.5, 0.5, 0.5, -0.8, 0.1, 0.5, 0.5].to_vec();
    let cases = [
        (MASKED, 2, masked, [false, true, false, false, true, false]),
        (MASKED_IDS, 1, floats(&[0, 3, 0, 0, 5, 0]), [false, true, false, false, true, false]),
    ];
    for (layers, features, frames, unmasked) in cases {
        let net = random(layers, features, 3);
        let folder = folder(&net, &[]);
        write_frames(folder.path(), &[1, 6, features], &frames);
        for (model, tolerance) in TOLERANCES {
            let (shape, values) = predict(folder.path(), model, &[]);
            assert_eq!(shape, [1, 6, 3]);
            let outputs: Vec<&[f32]> = values.chunks(3).collect();
            let found: Vec<f32> = outputs
                .iter()
                .zip(unmasked)
                .filter(|(_, unmasked)| *unmasked)
                .flat_map(|(a, _)| a.to_vec())
                .collect();
            let found = worst(&found, &net.0.predict(&frames));
            assert!(found < tolerance, "{model}: {found:e}");
            if features == 2 {
                assert_eq!(outputs[2], outputs[1]);
                assert_eq!((outputs[3], outputs[5]), (outputs[1], outputs[4]));
                assert_eq!(predict(folder.path(), model, &["--stream"]).1, values);
            }
        }
    }
}

#[test]
fn encoder_decoders_predict_generated_sequences_padded_with_the_end() {
    let pair = encoder_decoder(true, 185);
    let folder = folder(&pair, &LABELS);
    let sources = ids(&[5, 2, 3, 7, 4, 6], 6);
    write_padded(folder.path(), &sources);
    let lengths = ["--lengths", "len.npy"];
    let generated: Vec<Vec<u32>> = sources.iter().map(|ids| pair.0.decode(&floats(ids), 64)).collect();
    let (shape, values) = predict(folder.path(), "m.ernn", &lengths);
    let longest = generated.iter().map(Vec::len).max().unwrap();
    assert_eq!(shape, [6, longest]);
    for (row, right) in values.chunks(longest).zip(&generated) {
        assert!(row.iter().map(|&id| id as u32).eq(right.iter().copied().chain([0; 64]).take(longest)));
    }
    assert!(generated.iter().any(|right| right.len() < longest), "{generated:?}");
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
fn an_encoder_that_runs_backwards_rejects_stream_and_may_generate_nothing() {
    let mut pair = encoder_decoder(false, 210);
    let decoder = pair.0.decoder.as_mut().unwrap();
    // The bias makes the end the most probable class for every source.
    decoder.layers[2].kind.get_mut().parameters_mut()[1][0] = 100.0;
    let folder = folder(&pair, &[]);
    write_frames(folder.path(), &[2, 6, 2], &pair.1);
    assert_eq!(predict(folder.path(), "m.ernn", &[]), (vec![2, 1], vec![0.0, 0.0]));
    let stream = ["predict", "m.ernn", "--input", "x.npy", "--output", "z.npy", "--stream"];
    assert!(
        error_line(folder.path(), &stream)
            .starts_with("m.ernn: --stream: the model requires whole sequences")
    );
}

#[test]
fn invalid_arrays_are_rejected_by_name() {
    let folder = folder(&random(GENERATIVE, 1, 3), &[]);
    let folder = folder.path();
    let rejected = |reason: &str, more: &[&str]| {
        let args = [&["predict", "m.i8.ernn", "--input", "x.npy", "--output", "z"], more].concat();
        assert_eq!(error_line(folder, &args), reason);
        let args = [&["quantize", "m.ernn", "--calibrate", "x.npy", "-o", "z"], more].concat();
        assert_eq!(error_line(folder, &args), reason);
        assert!(!folder.join("z").exists());
    };
    let x = folder.join("x.npy");
    for id in [5, -1, i64::from(u16::MAX) + 2, i64::MAX] {
        write_integers(&x, &[2, 3], &[0, 1, 2, 3, id, 0]);
        let id = id as f32;
        rejected(&format!("x.npy: {id} at step 1 of sequence 1 is not an id: the Embedding has 0 to 4"), &[]);
    }
    write_integers(&folder.join("len.npy"), &[2], &[3, 1]);
    stdout(folder, &["predict", "m.ernn", "--input", "x.npy", "--output", "y", "--lengths", "len.npy"]);
    write_integers(&folder.join("len.npy"), &[2], &[4, 1]);
    rejected("x.npy: has 3 steps, but sequence 0 has length 4", &["--lengths", "len.npy"]);
    write_integers(&folder.join("len.npy"), &[3], &[1, 1, 1]);
    rejected("x.npy: holds 2 frames, but the lengths add up to 3", &["--lengths", "len.npy"]);
    write_frames(folder, &[1, 2, 1], &[1.0, 2.5]);
    rejected("x.npy: 2.5 at step 1 of sequence 0 is not an id: the Embedding has 0 to 4", &[]);
    write_frames(folder, &[1, 2, 3], &[0.0; 6]);
    rejected("x.npy: 3 features per frame, but an Embedding expects one id", &[]);
    let steps = ["predict", "m.ernn", "--input", "x.npy", "--output", "z", "--steps", "3"];
    assert_eq!(error_line(folder, &steps), "m.ernn: --steps: the model is no encoder-decoder");
    assert!(
        error_line(folder, &[&steps[..7], &["0"]].concat()).starts_with("invalid value '0' for '--steps")
    );
}

/// The command allocates memory for sequences of any length.
#[test]
fn whole_sequences_may_have_any_length() {
    let net = random(WHOLE, 2, 3);
    let folder = folder(&net, &[]);
    let model = Session::read(&folder.path().join("m.ernn")).unwrap();
    let frames = net.1.repeat(100);
    let found = model.predict(&frames, RunMode::Sequence).unwrap();
    assert!(worst(&found, &net.0.predict(&frames)) < TOLERANCES[0].1);
}
