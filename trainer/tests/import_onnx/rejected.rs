//! Unsupported constructs: one line that names the node and the attribute.

use embedded_rnn_trainer::import::onnx::read;

use crate::build::*;
use crate::{reason, unzipped};

/// Returns a graph with a GRU over X, with these attributes.
fn gru(attributes: &[Vec<u8>]) -> Graph {
    with_weights(3).node("GRU", &["X", "W", "R", "B"], &["Y", "H"], attributes)
}

fn lstm(inputs: &[&str], attributes: &[Vec<u8>]) -> Graph {
    with_weights(4).node("LSTM", inputs, &["Y", "H", "C"], attributes)
}

/// Returns a graph with nodes after the last output of a GRU.
fn after(nodes: impl Fn(Graph) -> Graph) -> Graph {
    nodes(gru(&[]).initializer(indices("zero", &[0])).node("Squeeze", &["H", "zero"], &["h"], &[]))
}

fn assert_rejected(graph: &Graph, opset: i64, expected: &str) {
    assert_eq!(reason(&graph.file(opset)), expected);
}

#[test]
fn the_assembled_graphs_are_imported() {
    for graph in
        [gru(&[]).output("H"), gru(&[]).output("Y"), lstm(&["X", "W", "R", "B"], &[]).output("Y").output("H")]
    {
        read(&graph.file(22), "model").unwrap();
    }
}

#[test]
fn unsupported_recurrent_nodes() {
    let all = ["X", "W", "R", "B"];
    let with = |more: &[&'static str]| [&all[..], more].concat();
    for (graph, expected) in [
        (gru(&[float("clip", 5.0)]), "GRU (node 0): clip 5: clipping of pre-activations is not supported"),
        (gru(&[text("direction", "sideways")]), "GRU (node 0): direction \"sideways\": unknown"),
        (gru(&[int("layout", 2)]), "GRU (node 0): layout: neither 0 nor 1"),
        (gru(&[int("hidden_size", 3)]), "GRU (node 0): hidden_size 3: R has 2 units"),
        (gru(&[int("projection_size", 3)]), "GRU (node 0): projection_size 3: unsupported attribute"),
        (
            gru(&[texts("activations", &["Sigmoid", "ThresholdedRelu"])]),
            "GRU (node 0): activations: ThresholdedRelu with 1: unsupported activation",
        ),
        (
            gru(&[texts("activations", &["Sigmoid", "LeakyRelu"]), floats("activation_alpha", &[0.3])]),
            "GRU (node 0): activations: LeakyRelu with 0.3: unsupported activation",
        ),
        (
            gru(&[texts("activations", &["Sigmoid", "Sine"])]),
            "GRU (node 0): activations: Sine: unknown activation",
        ),
        (
            gru(&[texts("activations", &["Sigmoid"])]),
            "GRU (node 0): activations [\"Sigmoid\"]: 1 names, expected 2",
        ),
        (
            gru(&[floats("activation_alpha", &[0.3])]),
            "GRU (node 0): activation_alpha, activation_beta: more values than the activations take",
        ),
        (gru(&[text("direction", "bidirectional")]), "GRU (node 0): W: shape [1, 6, 3], expected 2 matrices"),
        (lstm(&all, &[int("input_forget", 1)]), "LSTM (node 0): input_forget 1: only 0 is supported"),
        (
            lstm(&all, &[texts("activations", &["Sigmoid", "Tanh", "Relu"])]),
            "LSTM (node 0): activations [\"Sigmoid\", \"Tanh\", \"Relu\"]: different candidate and cell \
             activations are not supported",
        ),
        (
            lstm(&with(&["", "", "", "P"]), &[]).initializer(weights("P", &[1, 6])),
            "LSTM (node 0): P: peepholes are not supported",
        ),
        (
            lstm(&with(&["", "h"]), &[]).initializer(weights("h", &[1, 2, 2])),
            "LSTM (node 0): initial_h: h: the sequences of a batch start from different states, a model from \
             one",
        ),
        (
            lstm(&with(&["", "h"]), &[]).initializer(tensor(
                "h",
                &[1, 1, 2],
                1,
                &[0, 0, 192, 127, 0, 0, 0, 0],
            )),
            "LSTM (node 0): initial_h: h: contains NaN",
        ),
        (
            lstm(&with(&["", "h", "C"]), &[]).initializer(weights("h", &[1, 1, 2])).input("C", &[1, 1, 2]),
            "LSTM (node 0): initial_h and initial_c: a constant and an input of the graph, expected two of a \
             kind",
        ),
        (
            lstm(&with(&["", "", "c"]), &[]).initializer(tensor("c", &[1, 1, 3], 1, &[0; 12])),
            "LSTM (node 0): initial_c: constants of the wrong shape, expected 1 x 2 units per sequence",
        ),
        (
            lstm(&with(&["lens"]), &[]).initializer(indices("lens", &[4, 5])),
            "LSTM (node 0): sequence_lens lens: only the full length of all sequences is supported",
        ),
        (lstm(&with(&["", "X"]), &[]), "LSTM (node 0): initial_h: 3 units, expected 2"),
    ] {
        assert_rejected(&graph.output("Y"), 22, expected);
    }
}

#[test]
fn axes_with_another_role() {
    let softmax =
        |axis| after(move |graph| graph.node("Softmax", &["h"], &["y"], &[int("axis", axis)])).output("y");
    assert_rejected(&softmax(0), 13, "Softmax (node 2): axis 0: axis 1 of input X is not the feature axis");
    assert_rejected(&softmax(0), 12, "Softmax (node 2): axis 0: spans more than the feature axis");
    let first = gru(&[])
        .initializer(indices("zero", &[0]))
        .node("Gather", &["Y", "zero"], &["y"], &[int("axis", 0)])
        .output("y");
    assert_rejected(
        &first,
        22,
        "Gather (node 1): step 0: the step computed first; a model outputs all steps or the one computed \
         last",
    );
    // The batch axis of one node is the time axis of the next.
    let crossed = gru(&[])
        .initializer(indices("one", &[1]))
        .initializer(weights("W2", &[1, 6, 2]))
        .node("Squeeze", &["Y", "one"], &["y"], &[])
        .node("Transpose", &["y"], &["t"], &[ints("perm", &[1, 0, 2])])
        .node("GRU", &["t", "W2", "R"], &["Z"], &[]);
    assert_rejected(
        &crossed.output("Z"),
        22,
        "GRU (node 3): X: axis 1 of input X: Time here, but Batch elsewhere",
    );
    // The feature axis becomes the time axis.
    let transposed = Graph::default()
        .input("X", &[0, 2, 3])
        .initializer(weights("V", &[3, 2]))
        .node("MatMul", &["X", "V"], &["x"], &[])
        .node("Transpose", &["x"], &["t"], &[ints("perm", &[0, 2, 1])])
        .initializer(weights("V2", &[2, 2]))
        .node("MatMul", &["t", "V2"], &["y"], &[]);
    assert_rejected(
        &transposed.output("y"),
        22,
        "MatMul (node 2): axis 1 of input X: not the feature axis, which is required here",
    );
    let spread = gru(&[]).initializer(weights("c", &[1, 1, 1, 1, 1])).node("Mul", &["Y", "c"], &["y"], &[]);
    assert_rejected(&spread.output("y"), 22, "Mul (node 1): the constant has more axes than the data");
    let flat = gru(&[])
        .initializer(indices("shape", &[2, -1]))
        .node("Reshape", &["Y", "shape"], &["y"], &[])
        .output("y");
    assert_rejected(
        &flat,
        22,
        "Reshape (node 1): shape: splits axis 0 of input X times axis 1 of input X times the 2 units of \
         GRU_0",
    );
}

#[test]
fn graphs_with_branches() {
    let all = ["X", "W", "R", "B"];
    let two = gru(&[])
        .initializer(weights("V", &[2, 2]))
        .node("MatMul", &["Y", "V"], &["y"], &[])
        .node("MatMul", &["Y", "V"], &["z"], &[])
        .output("y")
        .output("z");
    assert_rejected(&two, 22, "outputs y and z: a model has one output");
    let beside = after(|graph| graph.node("Add", &["h", "h"], &["y"], &[])).output("y");
    assert_rejected(
        &beside,
        22,
        "Add (node 2): unsupported branch: the two tensors are not the directions of one bidirectional layer",
    );
    let unused = gru(&[]).input("speed", &[1]).output("Y");
    assert_rejected(&unused, 22, "input speed: neither the input sequence nor an initial state of a layer");
    let mut foreign = with_weights(3);
    let node = joined([bytes_field(4, b"GRU"), bytes_field(7, b"com.microsoft")]);
    foreign.fields.extend(bytes_field(1, &node));
    assert_rejected(
        &foreign.output("Y"),
        22,
        "GRU (node 0): domain \"com.microsoft\": not a standard ONNX operator",
    );
    let missing = with_weights(3).node("GRU", &["Z", "W", "R", "B"], &["Y"], &[]).output("Y");
    assert_rejected(&missing, 22, "GRU (node 0): input Z: not produced by an earlier node");
    let none = Graph::default().input("X", &[0, 3]).initializer(weights("V", &[3, 2])).node(
        "MatMul",
        &["X", "V"],
        &["y"],
        &[],
    );
    assert_rejected(&none.output("y"), 22, "output y: no LSTM, GRU or RNN on its path");
    let class = |attributes: &[Vec<u8>]| gru(&[]).node("ArgMax", &["Y"], &["c"], attributes);
    let read = class(&[int("axis", 3)]).node("Shape", &["c"], &["d"], &[]).output("c");
    assert_rejected(
        &read,
        22,
        "ArgMax (node 1): unsupported operator; a model outputs what it selects from: --to Y",
    );
    let other = class(&[int("axis", 0)]).output("c");
    assert_rejected(&other, 22, "ArgMax (node 1): axis 0: axis 0 of input X is not the feature axis");
    let last = class(&[int("axis", 3), int("select_last_index", 1)]).output("c");
    assert_rejected(&last, 22, "ArgMax (node 1): select_last_index 1: only 0 is supported");
    let quantized = with_weights(3).node("DynamicQuantizeLinear", &["X"], &["q", "s", "z"], &[]).output("q");
    assert_rejected(
        &quantized,
        22,
        "DynamicQuantizeLinear (node 0): quantized in the graph: import the float model, and quantize it \
         with ernn quantize",
    );
    let cell = lstm(&all, &[])
        .initializer(weights("V", &[2, 2]))
        .node("MatMul", &["C", "V"], &["y"], &[])
        .output("y");
    assert_rejected(&cell, 22, "MatMul (node 1): the cell state of LSTM_0 cannot be the input of a layer");
    let unfixed = Graph::default().input("X", &[0, 0, 0]).node("Softmax", &["X"], &["Y"], &[]).output("Y");
    assert_rejected(&unfixed, 22, "Softmax (node 0): axis 2 of input X: the number of features is not fixed");
}

#[test]
fn computed_states_and_ids() {
    let second = |initial: &str| {
        gru(&[])
            .initializer(weights("W2", &[1, 6, 2]))
            .initializer(indices("one", &[1]))
            .node("Squeeze", &["Y", "one"], &["y"], &[])
            .node("GRU", &["y", "W2", "R", "", "", initial], &["Z"], &[])
    };
    let twice = second("h0").input("h0", &[1, 0, 2]).node("Squeeze", &["Z", "one"], &["z"], &[]).node(
        "GRU",
        &["z", "W2", "R", "", "", "h0"],
        &["Q"],
        &[],
    );
    assert_rejected(&twice.output("Q"), 22, "input h0: the initial state of two layers");
    assert_rejected(
        &second("H").output("Z"),
        22,
        "GRU (node 2): initial_h: computed by another layer; initial states are constants or inputs of the \
         graph",
    );
    let computed = Graph::default()
        .ids("X", &[0, 0])
        .initializer(weights("E", &[5, 3]))
        .initializer(indices("one", &[1]))
        .node("Add", &["X", "one"], &["x"], &[])
        .node("Gather", &["E", "x"], &["y"], &[]);
    assert_rejected(&computed.output("y"), 22, "Add (node 0): arithmetic on ids");
}

/// `h0.expand(-1, batch, -1)` of PyTorch, whose exporter computes the shape from comparisons.
#[test]
fn initial_states_that_are_repeated_in_other_ways() {
    let repeated = |h0: Vec<u8>| {
        with_weights(3)
            .initializer(h0)
            .initializer(indices("one", &[1]))
            .initializer(indices("kept", &[-1]))
            .initializer(indices("all_kept", &[-1, -1, -1]))
            .initializer(indices("ones", &[1, 1, 1]))
            .node("Shape", &["X"], &["shape"], &[])
            .node("Gather", &["shape", "one"], &["batch"], &[])
            .node("Concat", &["kept", "batch", "kept"], &["target"], &[int("axis", 0)])
            .node("Equal", &["target", "all_kept"], &["is_kept"], &[])
            .node("Where", &["is_kept", "ones", "target"], &["new"], &[])
            .node("Expand", &["h0", "new"], &["h"], &[])
    };
    let gru = |graph: Graph| graph.node("GRU", &["X", "W", "R", "B", "", "h"], &["Y"], &[]).output("Y");
    let zeros = gru(repeated(tensor("h0", &[1, 1, 2], 1, &[0; 8])));
    read(&zeros.file(22), "model").unwrap();
    assert_rejected(
        &gru(repeated(weights("h0", &[1, 2, 2]))),
        22,
        "Expand (node 5): shape: incompatible with the shape of the input",
    );
    let parts = repeated(weights("h0", &[1, 1, 2])).initializer(indices("flat", &[-1])).node(
        "Reshape",
        &["h", "flat"],
        &["f"],
        &[],
    );
    assert_rejected(
        &parts.output("f"),
        22,
        "Reshape (node 6): a constant that is repeated in parts of an axis",
    );
}

#[test]
fn unsupported_content_of_files() {
    let graph = gru(&[]).output("Y");
    let with = |field: Vec<u8>| {
        let mut more = graph.clone();
        more.fields.extend(field);
        reason(&more.file(22))
    };
    assert_eq!(
        with(bytes_field(14, b"")),
        "graph: quantization_annotation: quantized tensors are not supported"
    );
    assert_eq!(with(bytes_field(15, b"")), "graph: sparse_initializer: sparse weights are not supported");
    assert_eq!(with(bytes_field(99, b"")), "graph: field 99: unknown field");
    let far = joined([weights("far", &[1]), int_field(14, 1)]);
    assert_eq!(
        with(bytes_field(5, &far)),
        "graph: initializer: far: data_location: weights in another file are not supported"
    );
    let quantized = tensor("q", &[2], 4, &[1, 0, 2, 0]);
    assert_eq!(
        with(bytes_field(5, &quantized)),
        "initializer q: element type 4: only floats, INT64, INT32, INT8, UINT8 and BOOL are supported"
    );
    assert_eq!(with(bytes_field(5, &weights("W", &[1]))), "W: produced twice");
    let file = |field: Vec<u8>| reason(&joined([graph.file(22), field]));
    assert_eq!(file(bytes_field(20, b"")), "training_info: training graphs are not supported");
    assert_eq!(file(bytes_field(25, b"")), "functions: custom operators are not supported");
    assert_eq!(file(bytes_field(8, &int_field(2, 7))), "opset_import: 2 versions of the standard operators");
    assert_eq!(reason(&graph.file(6)), "opset_import 6: versions 7 to 27 are supported");
    assert_eq!(reason(&graph.file(99)), "opset_import 99: versions 7 to 27 are supported");
    assert_eq!(reason(b""), "no graph: not an ONNX file");
    let infinite = gru(&[]).initializer(tensor("V", &[2, 1], 1, &[0, 0, 128, 127, 0, 0, 0, 0])).node(
        "MatMul",
        &["Y", "V"],
        &["y"],
        &[],
    );
    assert_rejected(&infinite.output("y"), 22, "MatMul (node 1): input V: contains inf");
}

#[test]
fn exported_networks_that_are_not_supported() {
    let files = unzipped("torch.zip");
    for (name, expected) in [
        (
            "unrolled",
            "node_unbind_1: SplitToSequence: unsupported operator; --from and --to import the part of a \
             graph without it",
        ),
        (
            "last_step_of_both",
            "/Gather: Gather: step -1: one step of a bidirectional sequence, where only one direction has \
             processed \
             the whole sequence; a model outputs all steps or the final states of both directions (h_n)",
        ),
    ] {
        assert_eq!(reason(&files[&format!("refused/{name}.onnx")]), expected);
    }
}
