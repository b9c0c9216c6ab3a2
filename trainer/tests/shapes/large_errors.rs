//! `ernn quantize` of models that lose much by quantization: `--max-error`, and the warning.

use embedded_rnn_trainer::net::Network;

use crate::arrays::write_frames;
use crate::common::{error_line, output};
use crate::models::{folder, random, stdout};

const QUANTIZE: [&str; 6] = ["quantize", "m.ernn", "--calibrate", "x.npy", "-o", "q.ernn"];

/// Returns a layer whose second feature is lost in 8 bits: its weight is a thousandth of that of the first,
/// but its values are a thousand times as large.
fn spread() -> (Network<f32>, Vec<f32>) {
    let (mut network, mut frames) = random("{ type = 'Dense', units = 1 }", 2, 1);
    network.parameters_mut()[0].copy_from_slice(&[1000.0, 1.0]);
    frames.chunks_exact_mut(2).for_each(|frame| frame[0] /= 1000.0);
    (network, frames)
}

#[test]
fn a_large_error_is_a_warning() {
    let (network, frames) = spread();
    let folder = folder(&(network, frames.clone()), &[]);
    write_frames(folder.path(), &[1, frames.len() / 2, 2], &frames);
    let found = output(folder.path(), &QUANTIZE);
    let error = String::from_utf8(found.stderr).unwrap();
    assert!(found.status.success() && folder.path().join("q.ernn").exists());
    assert!(error.starts_with("warning: q.ernn: dense: the rms error is "), "{error}");
    assert!(error.ends_with(" of the range, over 0.05\n") && error.lines().count() == 1, "{error}");
}

/// The second feature alone determines the class.
#[test]
fn another_class_is_counted_and_is_a_warning() {
    let (mut network, mut frames) = random("{ type = 'Dense', units = 2, activation = 'softmax' }", 2, 1);
    network.parameters_mut()[0].copy_from_slice(&[4000.0, 4000.0, 1.0, -1.0]);
    network.parameters_mut()[1].fill(0.0);
    frames.chunks_exact_mut(2).for_each(|frame| frame[0] = 1.0);
    let folder = folder(&(network, frames.clone()), &[]);
    write_frames(folder.path(), &[1, frames.len() / 2, 2], &frames);
    let found = output(folder.path(), &QUANTIZE);
    let [out, error] = [found.stdout, found.stderr].map(|text| String::from_utf8(text).unwrap());
    let changes = out.lines().find(|line| line.starts_with("the class differs ")).unwrap();
    assert!(changes.ends_with(&format!(" of {} outputs", frames.len() / 2)), "{out}");
    assert!(error.contains(&format!("warning: q.ernn: {changes}, over 0.05 of them\n")), "{error}");
    let error = error_line(folder.path(), &[&QUANTIZE[..], &["--force", "--max-error", "0.4"]].concat());
    assert_eq!(error, format!("m.ernn: {changes}, over 0.4 of them"));
}

#[test]
fn an_error_over_max_error_is_rejected_without_a_file() {
    let net = random("{ type = 'LSTM', units = 4 }", 2, 1);
    let folder = folder(&net, &[]);
    write_frames(folder.path(), &[1, net.1.len() / 2, 2], &net.1);
    let with = |share| [&QUANTIZE[..], &["--max-error", share]].concat();
    let error = error_line(folder.path(), &with("1e-6"));
    assert!(
        error.starts_with("m.ernn: lstm: the rms error is ") && error.ends_with(", over 0.000001"),
        "{error}"
    );
    assert!(!folder.path().join("q.ernn").exists());
    assert!(stdout(folder.path(), &with("0.05")).contains("\nWrote q.ernn, "));
    for share in ["-0.1", "NaN", "much"] {
        let error = error_line(folder.path(), &with(share));
        assert!(
            error.starts_with(&format!("invalid value '{share}' for '--max-error <SHARE>': ")),
            "{error}"
        );
    }
}
