//! Hostile files: they end in an error, in little memory and time.

use embedded_rnn::F32;
use embedded_rnn_trainer::import::MAX_BYTES;
use embedded_rnn_trainer::import::onnx::read;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::build::*;
use crate::{reason, unzipped};

/// Returns small files of each kind.
fn samples() -> Vec<Vec<u8>> {
    let mut samples = vec![
        with_weights(3).node("GRU", &["X", "W", "R", "B"], &["Y", "H"], &[]).output("Y").output("H").file(22),
    ];
    let (torch, keras) = (unzipped("torch.zip"), unzipped("keras.zip"));
    for name in ["torch_dynamo/lstm_states_both.onnx", "torch_script/gru_ids.onnx", "nodes/lstm_hard.onnx"] {
        samples.push(torch[name].clone());
    }
    let operators = unzipped("operators.zip");
    for name in ["leaky_relu_of_dense", "input_functions", "packed_states", "dequantized", "flipped_layers"] {
        samples.push(operators[&format!("operators/{name}.onnx")].clone());
    }
    samples.extend(["keras/lstm_backwards.onnx", "keras/old_both_sum.onnx"].map(|name| keras[name].clone()));
    samples
}

/// Imports a file; whatever is imported can be written, or is rejected then.
fn try_all(bytes: &[u8]) {
    if let Ok(imported) = read(bytes, "model") {
        drop(imported.write::<F32>());
    }
}

#[test]
fn truncated_files_are_rejected() {
    for sample in samples() {
        (0..sample.len()).for_each(|len| try_all(&sample[..len]));
    }
}

/// Every copy of a file has some changed bytes, more often small numbers and single bits than random bytes.
#[test]
fn changed_files_are_rejected_or_imported() {
    let rounds = std::env::var("ERNN_FUZZ_ROUNDS").map_or(4000, |rounds| rounds.parse().unwrap());
    let mut rng = ChaCha8Rng::seed_from_u64(rounds);
    for sample in samples() {
        for _ in 0..rounds {
            let mut bytes = sample.clone();
            for _ in 0..rng.random_range(1..4) {
                let index = rng.random_range(0..bytes.len());
                match rng.random_range(0..4) {
                    0 => bytes[index] ^= 1 << rng.random_range(0..8),
                    1 => bytes[index] = rng.random_range(0..16),
                    2 => bytes[index] = rng.random(),
                    _ => drop(bytes.remove(index)),
                }
            }
            try_all(&bytes);
        }
    }
}

fn gru() -> Graph {
    with_weights(3).node("GRU", &["X", "W", "R", "B"], &["Y", "H"], &[])
}

#[test]
fn sizes_beyond_the_memory_limit() {
    let huge = |shape: &[i64]| {
        reason(&gru().initializer(joined([tensor("huge", shape, 1, &[])])).output("Y").file(22))
    };
    assert_eq!(huge(&[1 << 62, 1 << 62]), "initializer huge: shape too large");
    assert_eq!(huge(&[1 << 40]), "initializer huge: more than 268435456 bytes of tensor data");
    assert_eq!(huge(&[1 << 20]), "initializer huge: raw_data: 0 values, expected 1048576");
    assert_eq!(huge(&[-1]), "graph: initializer: an axis of -1");
    // A list of ones that is doubled again and again.
    let mut doubled = gru().initializer(indices("p0", &[1, 1]));
    for k in 0..40 {
        let [from, to] = [format!("p{k}"), format!("p{}", k + 1)];
        doubled = doubled.node("Concat", &[&from, &from], &[&to], &[int("axis", 0)]);
    }
    let error = reason(&doubled.output("Y").file(22));
    assert!(error.ends_with("more than 268435456 bytes of tensor data"), "{error}");
    let spread = gru()
        .initializer(indices("shape", &[1 << 30, 1 << 30]))
        .initializer(indices("one", &[1]))
        .node("Expand", &["one", "shape"], &["many"], &[]);
    assert!(reason(&spread.output("Y").file(22)).contains("more than 268435456 bytes"));
    // Lengths that are squared again and again.
    let mut product = gru().node("Shape", &["X"], &["s0"], &[]);
    for k in 0..40 {
        let [from, to] = [format!("s{k}"), format!("s{}", k + 1)];
        product = product.node("Mul", &[&from, &from], &[&to], &[]);
    }
    let error = reason(&product.output("Y").file(22));
    assert!(error.ends_with("a product of too many lengths"), "{error}");
    // A Dense layer of as many units as the input has features.
    let wide = Graph::default()
        .input("X", &[0, 0, 1 << 16])
        .initializer(weights("W", &[1, 6, 3]))
        .initializer(weights("R", &[1, 6, 2]))
        .initializer(weights("slopes", &[1 << 16]))
        .node("PRelu", &["X", "slopes"], &["x"], &[])
        .node("GRU", &["x", "W", "R"], &["Y"], &[]);
    let error = reason(&wide.output("Y").file(22));
    assert!(error.ends_with(&format!("more than {MAX_BYTES} bytes of tensor data")), "{error}");
    let mut many = Graph::default().input("X", &[0, 0, 3]);
    for k in 0..100 {
        let from = if k == 0 { "X".to_owned() } else { format!("n{k}") };
        many = many.node("Neg", &[&from], &[&format!("n{}", k + 1)], &[]);
    }
    let error = reason(&many.output("n100").file(22));
    assert_eq!(error, "Neg (node 64): more than 64 functions of an input");
}

#[test]
fn cyclic_and_huge_graphs() {
    let cycle = with_weights(3)
        .node("Relu", &["b"], &["a"], &[])
        .node("Relu", &["a"], &["b"], &[])
        .node("GRU", &["X", "W", "R", "B"], &["Y"], &[])
        .output("Y");
    assert_eq!(reason(&cycle.file(22)), "Relu (node 0): input b: not produced by an earlier node");
    let mut deep = gru();
    for k in 0..9000 {
        let [from, to] = [if k == 0 { "Y".to_owned() } else { format!("t{k}") }, format!("t{}", k + 1)];
        deep = deep.node("Relu", &[&from], &[&to], &[]);
    }
    assert_eq!(reason(&deep.output("t9000").file(22)), "Relu (node 256): more than 256 layers");
    let many = (0..20_000).fold(gru(), |graph, _| graph.node("", &[], &[], &[]));
    assert_eq!(
        reason(&many.output("Y").file(22)),
        "graph: more than 10000 nodes, initializers, inputs or outputs"
    );
    // A graph in an attribute of a node in a graph in an attribute, and so on.
    let mut nested = Vec::new();
    for _ in 0..2000 {
        nested = bytes_field(1, &attribute("body", bytes_field(6, &nested)));
    }
    let inside =
        gru().node("Relu", &["Y"], &["y"], &[attribute("body", bytes_field(6, &nested))]).output("y");
    assert_eq!(reason(&inside.file(22)), "Relu (node 1): body: unsupported attribute");
    let twice = gru().node("GRU", &["X", "W", "R", "B"], &["Y"], &[]).output("Y");
    assert_eq!(reason(&twice.file(22)), "GRU (node 1): Y: produced twice");
}
