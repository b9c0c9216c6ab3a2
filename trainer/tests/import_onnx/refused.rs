//! What is not understood: one line that names the node and the attribute.

use embedded_rnn_trainer::import::onnx::read;

use crate::build::*;
use crate::{reason, unzipped};

/// A GRU that reads X, made to say more, and its last output.
fn gru(says: &[Vec<u8>]) -> Graph {
    given(3).node("GRU", &["X", "W", "R", "B"], &["Y", "H"], says)
}

fn lstm(inputs: &[&str], says: &[Vec<u8>]) -> Graph {
    given(4).node("LSTM", inputs, &["Y", "H", "C"], says)
}

/// A GRU's last output, and nodes after it.
fn after(nodes: impl Fn(Graph) -> Graph) -> Graph {
    nodes(gru(&[]).initializer(places("zero", &[0])).node("Squeeze", &["H", "zero"], &["h"], &[]))
}

fn assert_refused(graph: &Graph, opset: i64, expected: &str) {
    assert_eq!(reason(&graph.file(opset)), expected);
}

#[test]
fn what_is_put_together_here_is_read() {
    for graph in
        [gru(&[]).output("H"), gru(&[]).output("Y"), lstm(&["X", "W", "R", "B"], &[]).output("Y").output("H")]
    {
        read(&graph.file(22), "model").unwrap();
    }
}

#[test]
fn recurrent_nodes_that_the_runtime_has_not() {
    let all = ["X", "W", "R", "B"];
    let with = |more: &[&'static str]| [&all[..], more].concat();
    for (graph, expected) in [
        (gru(&[float("clip", 5.0)]), "GRU (node 0): clip 5: sums that are clipped, which the runtime cannot"),
        (
            gru(&[text("direction", "sideways")]),
            "GRU (node 0): direction \"sideways\": not one that is known",
        ),
        (gru(&[int("layout", 2)]), "GRU (node 0): layout: neither 0 nor 1"),
        (gru(&[int("hidden_size", 3)]), "GRU (node 0): hidden_size 3: R is of 2 units"),
        (gru(&[int("projection_size", 3)]), "GRU (node 0): projection_size 3: not an attribute that is read"),
        (
            gru(&[texts("activations", &["Sigmoid", "ThresholdedRelu"])]),
            "GRU (node 0): activations: ThresholdedRelu with 1: not an activation that the runtime has",
        ),
        (
            gru(&[texts("activations", &["Sigmoid", "LeakyRelu"]), floats("activation_alpha", &[0.3])]),
            "GRU (node 0): activations: LeakyRelu with 0.3: not an activation that the runtime has",
        ),
        (
            gru(&[texts("activations", &["Sigmoid", "Sine"])]),
            "GRU (node 0): activations: Sine: not an activation that is read",
        ),
        (
            gru(&[texts("activations", &["Sigmoid"])]),
            "GRU (node 0): activations [\"Sigmoid\"]: 1 of them, expected 2",
        ),
        (
            gru(&[floats("activation_alpha", &[0.3])]),
            "GRU (node 0): activation_alpha, activation_beta: more values than the activations take",
        ),
        (gru(&[text("direction", "bidirectional")]), "GRU (node 0): W: shape [1, 6, 3], expected 2 matrices"),
        (lstm(&all, &[int("input_forget", 1)]), "LSTM (node 0): input_forget 1: only 0 is read"),
        (
            lstm(&all, &[texts("activations", &["Sigmoid", "Tanh", "Relu"])]),
            "LSTM (node 0): activations [\"Sigmoid\", \"Tanh\", \"Relu\"]: candidate and cell state differ, which the \
             runtime cannot",
        ),
        (
            lstm(&with(&["", "", "", "P"]), &[]).initializer(weights("P", &[1, 6])),
            "LSTM (node 0): P: peepholes, which the runtime has not",
        ),
        (
            lstm(&with(&["", "h"]), &[]).initializer(weights("h", &[1, 1, 2])),
            "LSTM (node 0): initial_h: h: a constant other than zeros; a model begins with zeros, or with what it is given",
        ),
        (
            lstm(&with(&["", "", "c"]), &[]).initializer(tensor("c", &[1, 1, 3], 1, &[0; 12])),
            "LSTM (node 0): initial_c: zeros of another shape than 1 times 2 units for each sequence",
        ),
        (
            lstm(&with(&["lens"]), &[]).initializer(places("lens", &[4, 5])),
            "LSTM (node 0): sequence_lens lens: not the length of all sequences",
        ),
        (lstm(&with(&["", "X"]), &[]), "LSTM (node 0): initial_h: 3 units, expected 2"),
    ] {
        assert_refused(&graph.output("Y"), 22, expected);
    }
}

#[test]
fn axes_that_mean_something_else() {
    let all = ["X", "W", "R", "B"];
    let softmax =
        |axis| after(move |graph| graph.node("Softmax", &["h"], &["y"], &[int("axis", axis)])).output("y");
    assert_refused(
        &softmax(0),
        13,
        "Softmax (node 2): axis 0: axis 1 of input X, which are not the features",
    );
    assert_refused(&softmax(0), 12, "Softmax (node 2): axis 0: over more axes than the features");
    let first = gru(&[])
        .initializer(places("zero", &[0]))
        .node("Gather", &["Y", "zero"], &["y"], &[int("axis", 0)])
        .output("y");
    assert_refused(
        &first,
        22,
        "Gather (node 1): step 0: the step that is made first: a model gives all steps, or the one that is made last",
    );
    // The batch of one node is the time of the next.
    let crossed = gru(&[])
        .initializer(places("one", &[1]))
        .initializer(weights("W2", &[1, 6, 2]))
        .node("Squeeze", &["Y", "one"], &["y"], &[])
        .node("Transpose", &["y"], &["t"], &[ints("perm", &[1, 0, 2])])
        .node("GRU", &["t", "W2", "R"], &["Z"], &[]);
    assert_refused(
        &crossed.output("Z"),
        22,
        "GRU (node 3): X: axis 1 of input X: Time here, but Batch elsewhere",
    );
    let reverse = given(3).node("GRU", &all, &["Y"], &[text("direction", "reverse")]).output("Y");
    assert_refused(
        &reverse,
        22,
        "output Y: comes out last step first, or is one that reads backwards and gives all steps",
    );
    // Features become time.
    let turned = Graph::default()
        .input("X", &[0, 2, 3])
        .initializer(weights("V", &[3, 2]))
        .node("MatMul", &["X", "V"], &["x"], &[])
        .node("Transpose", &["x"], &["t"], &[ints("perm", &[0, 2, 1])])
        .initializer(weights("V2", &[2, 2]))
        .node("MatMul", &["t", "V2"], &["y"], &[]);
    assert_refused(
        &turned.output("y"),
        22,
        "MatMul (node 2): axis 1 of input X: not the features, but they are asked for",
    );
    let spread = gru(&[]).initializer(weights("c", &[1, 1, 1, 1, 1])).node("Mul", &["Y", "c"], &["y"], &[]);
    assert_refused(&spread.output("y"), 22, "Mul (node 1): a constant of more axes than the data");
    let flat = gru(&[])
        .initializer(places("shape", &[2, -1]))
        .node("Reshape", &["Y", "shape"], &["y"], &[])
        .output("y");
    assert_refused(
        &flat,
        22,
        "Reshape (node 1): shape: parts axis 0 of input X times axis 1 of input X times the 2 units of GRU_0",
    );
    let squeezed = gru(&[]).node("Squeeze", &["Y"], &["y"], &[]).output("y");
    assert_refused(&squeezed, 22, "Squeeze (node 1): axes: not given, and lengths come at run time");
}

#[test]
fn graphs_that_are_no_chain() {
    let all = ["X", "W", "R", "B"];
    let two = gru(&[])
        .initializer(weights("V", &[2, 2]))
        .node("MatMul", &["Y", "V"], &["y"], &[])
        .node("MatMul", &["Y", "V"], &["z"], &[])
        .output("y")
        .output("z");
    assert_refused(&two, 22, "outputs y and z: a model gives one answer");
    let beside = after(|graph| graph.node("Add", &["h", "h"], &["y"], &[])).output("y");
    assert_refused(
        &beside,
        22,
        "Add (node 2): a branch beside the chain: two tensors that are not the directions of one bidirectional layer",
    );
    let unused = gru(&[]).input("speed", &[1]).output("Y");
    assert_refused(&unused, 22, "input speed: neither the frames nor the initial state of a layer");
    let mut foreign = given(3);
    let node = joined([bytes_field(4, b"GRU"), bytes_field(7, b"com.microsoft")]);
    foreign.fields.extend(bytes_field(1, &node));
    assert_refused(
        &foreign.output("Y"),
        22,
        "GRU (node 0): domain \"com.microsoft\": not an operator of ONNX's own",
    );
    let missing = given(3).node("GRU", &["Z", "W", "R", "B"], &["Y"], &[]).output("Y");
    assert_refused(&missing, 22, "GRU (node 0): input Z: not made by a node before this one");
    let none = Graph::default().input("X", &[0, 3]).initializer(weights("V", &[3, 2])).node(
        "MatMul",
        &["X", "V"],
        &["y"],
        &[],
    );
    assert_refused(&none.output("y"), 22, "output y: no LSTM, GRU or RNN leads there");
    let cell = lstm(&all, &[])
        .initializer(weights("V", &[2, 2]))
        .node("MatMul", &["C", "V"], &["y"], &[])
        .output("y");
    assert_refused(&cell, 22, "MatMul (node 1): the cell state of LSTM_0, which no layer can read");
    let unfixed = Graph::default()
        .input("X", &[0, 0, 0])
        .initializer(weights("W", &[1, 6, 3]))
        .initializer(weights("R", &[1, 6, 2]))
        .node("GRU", &["X", "W", "R"], &["Y"], &[])
        .output("Y");
    assert_refused(
        &unfixed,
        22,
        "GRU (node 0): X: axis 2 of input X: how many features there are is not fixed",
    );
}

#[test]
fn states_and_ids_that_are_made_inside() {
    let second = |initial: &str| {
        gru(&[])
            .initializer(weights("W2", &[1, 6, 2]))
            .initializer(places("one", &[1]))
            .node("Squeeze", &["Y", "one"], &["y"], &[])
            .node("GRU", &["y", "W2", "R", "", "", initial], &["Z"], &[])
    };
    let twice = second("h0").input("h0", &[1, 0, 2]).node("Squeeze", &["Z", "one"], &["z"], &[]).node(
        "GRU",
        &["z", "W2", "R", "", "", "h0"],
        &["Q"],
        &[],
    );
    assert_refused(&twice.output("Q"), 22, "input h0: the initial state of two layers");
    assert_refused(
        &second("H").output("Z"),
        22,
        "GRU (node 2): initial_h: made by another layer; a model begins with zeros, or with what it is given",
    );
    let computed = Graph::default()
        .ids("X", &[0, 0])
        .initializer(weights("E", &[5, 3]))
        .initializer(places("one", &[1]))
        .node("Add", &["X", "one"], &["x"], &[])
        .node("Gather", &["E", "x"], &["y"], &[]);
    assert_refused(&computed.output("y"), 22, "Add (node 0): arithmetic with ids");
}

#[test]
fn files_that_say_more_than_a_chain() {
    let graph = gru(&[]).output("Y");
    let with = |field: Vec<u8>| {
        let mut more = graph.clone();
        more.fields.extend(field);
        reason(&more.file(22))
    };
    assert_eq!(with(bytes_field(14, b"")), "graph: quantization_annotation: quantized tensors");
    assert_eq!(with(bytes_field(15, b"")), "graph: sparse_initializer: sparse weights");
    assert_eq!(with(bytes_field(99, b"")), "graph: field 99: no such field is known");
    let far = joined([weights("far", &[1]), int_field(14, 1)]);
    assert_eq!(with(bytes_field(5, &far)), "graph: initializer: far: data_location: weights in another file");
    let quantized = tensor("q", &[2], 3, &[1, 2]);
    assert_eq!(
        with(bytes_field(5, &quantized)),
        "initializer q: numbers of type 3: neither floats nor INT64, INT32 or BOOL"
    );
    assert_eq!(with(bytes_field(5, &weights("W", &[1]))), "W: made twice");
    let file = |field: Vec<u8>| reason(&joined([graph.file(22), field]));
    assert_eq!(file(bytes_field(20, b"")), "training_info: a graph for training");
    assert_eq!(file(bytes_field(25, b"")), "functions: operators of the file's own");
    assert_eq!(file(bytes_field(8, &int_field(2, 7))), "opset_import: 2 versions of ONNX's operators");
    assert_eq!(reason(&graph.file(6)), "opset_import 6: versions 7 to 27 are read");
    assert_eq!(reason(&graph.file(99)), "opset_import 99: versions 7 to 27 are read");
    assert_eq!(reason(b""), "no graph: not an ONNX file");
    let infinite = gru(&[]).initializer(tensor("V", &[2, 1], 1, &[0, 0, 128, 127, 0, 0, 0, 0])).node(
        "MatMul",
        &["Y", "V"],
        &["y"],
        &[],
    );
    assert_refused(&infinite.output("y"), 22, "MatMul (node 1): input V: holds inf");
}

#[test]
fn what_exporters_write_and_no_chain_can_do() {
    let files = unzipped("torch.zip");
    for (name, expected) in [
        ("unrolled", "node_unbind_1: SplitToSequence: not an operator that is read"),
        (
            "last_step_of_both",
            "/Gather: Gather: step -1: one step of a bidirectional sequence: there one direction has read all, the other \
             next to nothing; a model gives all steps, or the final states of both (h_n)",
        ),
    ] {
        assert_eq!(reason(&files[&format!("refused/{name}.onnx")]), expected);
    }
}
