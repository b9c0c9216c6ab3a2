//! RIANN, which estimates the attitude from an accelerometer and a gyroscope: a scale and an offset, two GRU
//! 200, and a convolution of kernel 1 to a quaternion. The package's `.onnx` file then scales the quaternion
//! to norm 1, which no layer does, so that a part of the graph is imported.

use std::fs;

use embedded_rnn::{Backend, F32};
use embedded_rnn_trainer::import::Imported;
use embedded_rnn_trainer::import::onnx::{Cut, read, read_part};

use crate::files::{floats, halves, package};
use crate::layers::{assert_within, difference, exact, predict};

/// The tensor in front of the scale to norm 1.
const QUATERNION: &str = "143";

fn file() -> Option<Vec<u8>> {
    Some(fs::read(package("riann", "riann/riann.onnx")?).unwrap())
}

fn open() -> Option<Imported> {
    let cut = Cut { from: Vec::new(), to: Some(QUATERNION.to_owned()) };
    Some(read_part(&file()?, "riann", &cut).unwrap())
}

/// Returns quaternions of norm 1.
fn of_norm_1<T: Copy + Into<f64>>(quaternions: &[T]) -> Vec<f64> {
    let of_norm_1 = |quaternion: &[T]| {
        let values: Vec<f64> = quaternion.iter().map(|&value| value.into()).collect();
        let norm = values.iter().map(|value| value * value).sum::<f64>().sqrt();
        values.into_iter().map(move |value| value / norm)
    };
    quaternions.chunks_exact(4).flat_map(of_norm_1).collect()
}

#[test]
fn quaternions_match_onnx_runtime() {
    let Some(imported) = open() else { return };
    let (frames, golden) = (halves("riann", "motion.npy"), floats("riann", "quaternions.npy"));
    assert_eq!(golden.len(), 200 * 4);
    let bytes = imported.write::<F32>().unwrap();
    for backend in Backend::all() {
        let found = of_norm_1(&predict(&bytes, &frames, backend));
        let what = format!("riann on {} and ONNX Runtime", backend.name());
        assert_within(difference(&found, &golden), 8e-7, &what);
    }
    let exact = of_norm_1(&exact(&imported.network, &frames));
    assert_within(difference(&exact, &golden), 3.3e-7, "riann, f64 and ONNX Runtime");
}

#[test]
fn the_scale_to_norm_1_is_rejected_by_name() {
    let Some(file) = file() else { return };
    let error = read(&file, "riann").unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "Mul_16: Mul: unsupported branch: the two tensors are not the directions of one bidirectional layer"
    );
}
