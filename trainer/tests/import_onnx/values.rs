//! Values for which a layer has no finite output.

use embedded_rnn::{F16, F32};
use embedded_rnn_trainer::import::onnx::read;

use crate::build::*;
use crate::{imported, reason};

fn floats_of(name: &str, values: &[f32]) -> Vec<u8> {
    let raw = joined(values.iter().map(|value| value.to_le_bytes().to_vec()));
    tensor(name, &[values.len() as i64], 1, &raw)
}

/// Returns a GRU with its last step, `h [batch, 2]`.
fn last_step() -> Graph {
    with_weights(3)
        .initializer(indices("zero", &[0]))
        .node("GRU", &["X", "W", "R", "B"], &["Y", "H"], &[])
        .node("Squeeze", &["H", "zero"], &["h"], &[])
}

fn normalized(variances: [f32; 2], epsilon: f32) -> Vec<u8> {
    let ones = floats_of("one", &[1.0, 1.0]);
    last_step()
        .initializer(ones)
        .initializer(floats_of("var", &variances))
        .node("BatchNormalization", &["h", "one", "one", "one", "var"], &["y"], &[float("epsilon", epsilon)])
        .output("y")
        .file(22)
}

#[test]
fn variances_without_a_square_root_are_rejected() {
    for (variances, epsilon, expected) in [
        ([0.5, -1.0], 1e-3, "negative variance -1"),
        // The sum with epsilon is positive, but no variance is negative.
        ([-1e-4, 0.5], 1e-3, "negative variance -0.0001"),
        ([0.5, 0.0], 0.0, "variance 0 plus epsilon 0: not positive"),
        ([0.5, 0.0], -1e-3, "variance 0 plus epsilon -0.001: not positive"),
    ] {
        let file = normalized(variances, epsilon);
        assert_eq!(reason(&file), format!("BatchNormalization (node 2): input_var: {expected}"));
    }
    imported(&normalized([0.5, 0.0], 1e-3), "an epsilon");
    imported(&normalized([0.5, 0.25], 0.0), "variances");
}

/// Weights whose products exceed the range of f32, or which exceed that of f16.
#[test]
fn outputs_that_are_not_finite_are_rejected() {
    let head = |value: f32| {
        let graph = last_step().initializer(tensor("V", &[2, 2], 1, &matrix(value)));
        graph.node("MatMul", &["h", "V"], &["y"], &[])
    };
    let imported = |graph: Graph| read(&graph.file(22), "model").unwrap();
    let error = |error| format!("{error:#}");
    let exp = imported(head(3e38).node("Exp", &["y"], &["z"], &[]).output("z"));
    let expected = "Exp_3: the outputs for random input are not finite";
    assert_eq!(exp.write::<F32>().map_err(error), Err(expected.to_owned()));
    let large = imported(head(1e6).output("y"));
    large.write::<F32>().unwrap();
    let expected = "MatMul_2: a weight beyond 65,504, the largest of binary16";
    assert_eq!(large.write::<F16>().map_err(error), Err(expected.to_owned()));
}

/// Returns a matrix whose products have both signs.
fn matrix(value: f32) -> Vec<u8> {
    joined([value, -value, value, -value].map(|value| value.to_le_bytes().to_vec()))
}
