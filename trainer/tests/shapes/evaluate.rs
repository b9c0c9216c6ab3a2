//! `ernn eval`.

use std::path::Path;

use crate::arrays::{integers, read_floats, write_frames, write_npz, write_padded};
use crate::common::error_line;
use crate::models::{
    CLASSIFIER, FILES, GENERATIVE, LABELS, MASKED, MASKED_IDS, WHOLE, encoder_decoder, floats, folder, ids,
    random, stdout,
};

/// Asserts that the model has accuracy 1 on `d.npz`.
fn is_right(folder: &Path, model: &str) {
    let text = stdout(folder, &["eval", model, "--data", "d.npz"]);
    assert!(text.contains(" - accuracy: 1.0000"), "{model}: {text}");
}

/// Returns the most probable class of each output of `classes` values.
fn likeliest(folder: &Path, model: &str, more: &[&str], classes: usize) -> Vec<i64> {
    let args = [&["predict", model, "--input", "x.npy", "--output", "y.npy"], more].concat();
    stdout(folder, &args);
    let best = |y: &[f32]| (0..classes).rev().max_by(|&a, &b| y[a].total_cmp(&y[b])).unwrap() as i64;
    read_floats(&folder.join("y.npy")).1.chunks(classes).map(best).collect()
}

#[test]
fn padded_ids_and_their_padded_targets() {
    let sequences = ids(&[4, 1, 6], 5);
    for (layers, every) in [(GENERATIVE, true), (CLASSIFIER, false)] {
        let net = random(layers, 1, 3);
        let folder = folder(&net, &[]);
        write_padded(folder.path(), &sequences);
        for model in FILES {
            let mut y = likeliest(folder.path(), model, &["--lengths", "len.npy"], net.0.output_size());
            let shape = if every { vec![3, 7] } else { vec![3] };
            let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
            let write = |y: &[i64]| {
                let arrays = [("x", read("x.npy")), ("len", read("len.npy")), ("y", integers(&shape, y))];
                write_npz(&folder.path().join("d.npz"), &arrays);
            };
            write(&y);
            is_right(folder.path(), model);
            y[0] = (y[0] + 1) % 3;
            write(&y);
            let text = stdout(folder.path(), &["eval", model, "--data", "d.npz"]);
            let right = if every { 10.0 / 11.0 } else { 2.0 / 3.0 };
            assert!(text.contains(&format!(" - accuracy: {right:.4}")), "{text}");
            assert_eq!(text.contains("perplexity"), every, "{text}");
        }
    }
}

/// The test part may be alone in its file, and is used if there is a training part too.
#[test]
fn test_parts_with_and_without_a_training_part() {
    let folder = folder(&random(CLASSIFIER, 1, 3), &[]);
    let sequences = ids(&[4, 1, 6], 5);
    write_padded(folder.path(), &sequences);
    let y = likeliest(folder.path(), "m.ernn", &["--lengths", "len.npy"], 3);
    let wrong: Vec<i64> = y.iter().map(|y| (y + 1) % 3).collect();
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let part = |y: &[i64], [x, len, name]: [&'static str; 3]| {
        vec![(x, read("x.npy")), (len, read("len.npy")), (name, integers(&[3], y))]
    };
    let test = part(&y, ["x_test", "len_test", "y_test"]);
    let train = part(&wrong, ["x_train", "len_train", "y_train"]);
    let write = |arrays: &[_]| write_npz(&folder.path().join("d.npz"), arrays);
    write(&test);
    is_right(folder.path(), "m.ernn");
    write(&[train.clone(), test.clone()].concat());
    is_right(folder.path(), "m.ernn");

    let eval = ["eval", "m.ernn", "--data", "d.npz"];
    write(&[test.clone(), vec![("y", read("len.npy"))]].concat());
    assert_eq!(error_line(folder.path(), &eval), "d.npz: y: not used beside x_test");
    write(&[test, vec![train[1].clone()]].concat());
    assert_eq!(error_line(folder.path(), &eval), "d.npz: len_train: not used without x_train");
    write(&[train[2].clone()]);
    assert_eq!(error_line(folder.path(), &eval), "d.npz: contains neither x_test nor x_train nor x");
}

#[test]
fn whole_and_masked_sequences() {
    let spots = vec![0.5, 0.5, 0.3, 0.5, 0.5, 0.5, 0.7, 0.5, -0.8, 0.1, 0.5, 0.5];
    let whole = random(WHOLE, 2, 3).1[..12].to_vec();
    let cases = [(WHOLE, 2, whole), (MASKED, 2, spots), (MASKED_IDS, 1, floats(&[0, 3, 0, 2, 5, 0]))];
    for (layers, features, frames) in cases {
        let folder = folder(&random(layers, features, 3), &[]);
        write_frames(folder.path(), &[1, 6, features], &frames);
        for model in FILES {
            let y = likeliest(folder.path(), model, &[], 3);
            let x = std::fs::read(folder.path().join("x.npy")).unwrap();
            write_npz(&folder.path().join("d.npz"), &[("x", x), ("y", integers(&[1, 6], &y))]);
            is_right(folder.path(), model);
        }
    }
}

#[test]
fn encoder_decoders_on_their_generated_sequences() {
    let pair = encoder_decoder(true, 185);
    let folder = folder(&pair, &LABELS);
    let generated = |ids: &[i64]| pair.0.decode(&floats(ids), 64);
    let mut sources = ids(&[5, 2, 3, 7, 4, 6, 2, 9, 1, 8], 6);
    sources.retain(|ids| (1..64).contains(&generated(ids).len()));
    assert!(sources.len() > 3, "sequences that are not empty and end");
    write_padded(folder.path(), &sources);
    let targets: Vec<Vec<i64>> =
        sources.iter().map(|ids| generated(ids).into_iter().map(i64::from).collect()).collect();
    let lengths: Vec<i64> = targets.iter().map(|target| target.len() as i64).collect();
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let arrays = [
        ("x", read("x.npy")),
        ("len", read("len.npy")),
        ("y", integers(&[targets.concat().len()], &targets.concat())),
        ("len_y", integers(&[lengths.len()], &lengths)),
    ];
    write_npz(&folder.path().join("d.npz"), &arrays);
    for model in &FILES[..2] {
        is_right(folder.path(), model);
        let text = stdout(folder.path(), &["eval", model, "--data", "d.npz"]);
        assert!(text.contains("token error rate: 0.0000 - sequences correct: 1.0000"), "{text}");
    }
}

#[test]
fn invalid_data_is_rejected_by_name() {
    let folder = folder(&random(MASKED_IDS, 1, 3), &[]);
    let folder = folder.path();
    let rejected = |x: &[i64], reason: &str| {
        let (x, y) = (integers(&[2, 2], x), integers(&[2, 2], &[0; 4]));
        write_npz(
            &folder.join("d.npz"),
            &[("x_train", x.clone()), ("y_train", y.clone()), ("x_test", x), ("y_test", y)],
        );
        for model in FILES {
            assert_eq!(
                error_line(folder, &["eval", model, "--data", "d.npz"]),
                format!("d.npz: x_test: {reason}")
            );
        }
    };
    rejected(&[1, 2, 6, 1], "6 at step 0 of sequence 1 is not an id: the Embedding has 0 to 5");
    rejected(&[1, 2, 0, 0], "nothing is left of sequence 1: every frame is masked");
}
