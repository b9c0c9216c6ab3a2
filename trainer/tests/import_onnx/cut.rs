//! Parts of graphs: a cut network is the one of a file that contains nothing else.

use embedded_rnn_trainer::import::onnx::{Cut, read, read_part};

use crate::build::*;
use crate::unzipped;

/// Returns the network of the tests: a GRU over `x` whose initial state is `h0`, and a product.
fn network(graph: Graph, x: &str, h0: &str) -> Graph {
    graph
        .initializer(weights("W", &[1, 6, 3]))
        .initializer(weights("R", &[1, 6, 2]))
        .initializer(weights("V", &[2, 2]))
        .initializer(indices("one", &[1]))
        .node("GRU", &[x, "W", "R", "", "", h0], &["Y", "H"], &[])
        .node("Squeeze", &["Y", "one"], &["s"], &[])
        .node("MatMul", &["s", "V"], &["logits"], &[])
}

/// Returns the network between operators that are not supported, with a constant of an unsupported type.
fn surrounded() -> Graph {
    let before = Graph::default()
        .input("wave", &[0, 0])
        .initializer(tensor("window", &[2], 14, &[0; 16]))
        .node("STFT", &["wave", "window"], &["spectrum"], &[])
        .node("Abs", &["spectrum"], &["features"], &[])
        .node("Sin", &["wave"], &["state"], &[]);
    network(before, "features", "state")
        .node("TopK", &["logits", "H"], &["best", "which"], &[])
        .output("which")
}

fn cut(from: &[&str], to: Option<&str>) -> Cut {
    Cut { from: from.iter().map(|&name| name.to_owned()).collect(), to: to.map(str::to_owned) }
}

/// Appends the type of a tensor inside the graph.
fn with_type(mut graph: Graph, name: &str, shape: &[i64]) -> Graph {
    graph.fields.extend(Graph::value(13, name, 1, shape));
    graph
}

#[test]
fn a_part_is_the_network_of_its_own_file() {
    let own = Graph::default().input("features", &[0, 0, 3]).input("state", &[1, 0, 2]);
    let whole = read(&network(own, "features", "state").output("logits").file(22), "model").unwrap();
    let both = cut(&["features", "state"], Some("logits"));
    // By the types in the file, and by the axes that the GRU requires.
    let typed = with_type(with_type(surrounded(), "features", &[0, 0, 3]), "state", &[1, 0, 2]);
    for graph in [surrounded(), typed] {
        let part = read_part(&graph.file(22), "model", &both).unwrap();
        assert_eq!((&part.network, &part.meta), (&whole.network, &whole.meta));
        assert_eq!(
            part.notes,
            ["Part of the graph: from features, state, 3 values per time step, to logits"]
        );
    }
}

/// The zero states of exporters take the batch from the input of the whole graph.
#[test]
fn an_input_that_is_only_measured_is_left_out() {
    let zeros = Graph::default()
        .input("wave", &[0, 0])
        .initializer(indices("zero", &[0]))
        .initializer(indices("first", &[1]))
        .initializer(indices("two", &[2]))
        .node("Sin", &["wave"], &["features"], &[])
        .node("Shape", &["wave"], &["shape"], &[])
        .node("Gather", &["shape", "zero"], &["batch"], &[])
        .node("Concat", &["first", "batch", "two"], &["dims"], &[int("axis", 0)])
        .node("ConstantOfShape", &["dims"], &["h0"], &[]);
    let graph = network(zeros, "features", "h0").output("logits");
    let part = read_part(&graph.file(22), "model", &cut(&["features"], None)).unwrap();
    let own = Graph::default().input("features", &[0, 0, 3]);
    let whole = read(&network(own, "features", "").output("logits").file(22), "model").unwrap();
    assert_eq!(part.network.layers[0].kind, whole.network.layers[0].kind);
    assert_eq!(part.network.layers[1].kind, whole.network.layers[1].kind);
    assert_eq!(part.notes, ["Part of the graph: from features, 3 values per time step, to its output"]);
}

/// The outputs that a cut leaves out are no outputs of the model, and an exported file is cut as well.
#[test]
fn exported_networks_are_cut() {
    let files = unzipped("torch.zip");
    let file = &files["torch_script/lstm_states_both.onnx"];
    let part = read_part(file, "model", &cut(&[], Some("/rnn/LSTM_output_0"))).unwrap();
    let whole = read(file, "model").unwrap();
    assert_eq!(part.network.layers[..], whole.network.layers[..1]);
    assert_eq!(
        part.notes,
        ["Part of the graph: from its input, 3 values per time step, to /rnn/LSTM_output_0"]
    );
    let error = read_part(file, "model", &cut(&[], Some("/rnn/LSTM"))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "--to /rnn/LSTM: a node; its outputs are /rnn/LSTM_output_0, /rnn/LSTM_output_1, /rnn/LSTM_output_2"
    );
}

#[test]
fn unsuitable_names_are_rejected() {
    for (from, to, expected) in [
        (&["Features"][..], None, "--from Features: no such tensor; similar names are features"),
        (&["features"], Some("logit"), "--to logit: no such tensor; similar names are logits"),
        (
            &[],
            Some("softmax"),
            "--to softmax: no such tensor; the first are wave, spectrum, features, state, Y",
        ),
        (&["W"], None, "--from W: a constant, expected a tensor that is known at run time only"),
        (&["logits"], Some("Y"), "--to Y: does not depend on logits"),
        (&["features", "state"], Some("features"), "--from state: no output depends on it"),
        (
            &["spectrum"],
            Some("features"),
            "--from spectrum: the file does not state its shape; infer_shapes of the Python package onnx \
             adds the shapes of all tensors",
        ),
        (
            &[],
            Some("which"),
            "initializer window: element type 14: only floats, INT64, INT32, INT8, UINT8 and BOOL are \
             supported",
        ),
        (
            &["features"],
            Some("logits"),
            "Sin (node 0): unsupported operator; --from and --to import the part of a graph without it",
        ),
    ] {
        let error = read_part(&surrounded().file(22), "model", &cut(from, to)).expect_err(expected);
        assert_eq!(format!("{error:#}"), expected);
    }
}
