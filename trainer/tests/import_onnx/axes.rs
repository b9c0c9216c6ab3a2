//! Operators that join two tensors compare their axes, in order.

use crate::build::*;
use crate::reports::report;
use crate::{imported, reason};

/// Returns the frames `y [time, batch, features]` of a GRU over X, and `g`, their sigmoid.
fn gated() -> Graph {
    with_weights(3)
        .initializer(indices("one", &[1]))
        .initializer(indices("last", &[-1]))
        .node("GRU", &["X", "W", "R", "B"], &["Y"], &[])
        .node("Squeeze", &["Y", "one"], &["y"], &[])
        .node("Sigmoid", &["y"], &["g"], &[])
}

/// Returns the outcome of a product of `y` and what these nodes make of `g`.
fn product(node: impl Fn(Graph) -> Graph, first: &str, second: &str) -> Result<(), String> {
    let graph = node(gated()).node("Mul", &[first, second], &["z"], &[]).output("z");
    let file = graph.file(22);
    if embedded_rnn_trainer::import::onnx::read(&file, "model").is_ok() { Ok(()) } else { Err(reason(&file)) }
}

#[test]
fn a_gate_of_other_axes_is_no_silu() {
    let transposed = |order: &'static [i64]| {
        move |graph: Graph| graph.node("Transpose", &["g"], &["t"], &[ints("perm", order)])
    };
    let error = |number: usize| Err(format!("Mul (node {number}): tensors of different axes"));
    let spread = |axis: &'static str| {
        move |graph: Graph| {
            graph.initializer(indices("two", &[2])).initializer(indices("zero", &[0])).node(
                "Unsqueeze",
                &["g", axis],
                &["u"],
                &[],
            )
        }
    };
    assert_eq!(product(|graph| graph, "y", "g"), Ok(()));
    assert_eq!(product(|graph| graph, "g", "y"), Ok(()));
    assert_eq!(product(transposed(&[0, 1, 2]), "y", "t"), Ok(()));
    // Batch and time swapped; a transposed gate; features in the place of time.
    for order in [&[1, 0, 2][..], &[0, 2, 1], &[2, 1, 0], &[1, 2, 0]] {
        assert_eq!(product(transposed(order), "y", "t"), error(4), "{order:?}");
    }
    // Outer products: y [time, batch, features] and [time, 1, batch, features] or [time, batch, 1, features].
    for axis in ["one", "two", "zero"] {
        assert_eq!(product(spread(axis), "y", "u"), error(4), "{axis}");
    }
    let flat = |graph: Graph| {
        graph.initializer(indices("shape", &[0, -1])).node("Reshape", &["y", "shape"], &["a"], &[]).node(
            "Reshape",
            &["g", "shape"],
            &["b"],
            &[],
        )
    };
    assert_eq!(product(flat, "a", "b"), error(5));
    assert_eq!(reason(&report("silu.onnx")), "Mul (node 4): tensors of different axes");
}

/// Directions whose outputs have the batch and the features on one axis, in another order.
#[test]
fn directions_of_other_axes_are_not_merged() {
    let directions = |order: &'static [i64], join: fn(Graph) -> Graph| {
        let direction = |graph: Graph, name: &str, way: &str| {
            let (out, squeezed) = (format!("Y{name}"), format!("y{name}"));
            graph.node("GRU", &["X", "W", "R", "B"], &[&out], &[text("direction", way)]).node(
                "Squeeze",
                &[&out, "one"],
                &[&squeezed],
                &[],
            )
        };
        let graph = with_weights(3).initializer(indices("one", &[1])).initializer(indices("shape", &[0, -1]));
        let graph = direction(direction(graph, "f", "forward"), "b", "reverse");
        join(graph.node("Transpose", &["yb"], &["t"], &[ints("perm", order)])).output("z").file(22)
    };
    let sum = |graph: Graph| graph.node("Add", &["yf", "t"], &["z"], &[]);
    let flat = |graph: Graph| {
        graph
            .node("Reshape", &["yf", "shape"], &["a"], &[])
            .node("Reshape", &["t", "shape"], &["b"], &[])
            .node("Add", &["a", "b"], &["z"], &[])
    };
    let concat = |graph: Graph| graph.node("Concat", &["yf", "t"], &["z"], &[int("axis", 2)]);
    let concat_flat = |graph: Graph| {
        graph
            .initializer(indices("three", &[0, 1, -1]))
            .node("Reshape", &["yf", "three"], &["a"], &[])
            .node("Reshape", &["t", "three"], &["b"], &[])
            .node("Concat", &["a", "b"], &["z"], &[int("axis", 1)])
    };
    imported(&directions(&[0, 1, 2], sum), "sum");
    imported(&directions(&[0, 1, 2], concat), "concat");
    for (order, join, expected) in [
        (&[1, 0, 2][..], sum as fn(Graph) -> Graph, "Add (node 5): tensors of different axes"),
        (&[0, 2, 1], sum, "Add (node 5): tensors of different axes"),
        (&[0, 2, 1], flat, "Add (node 7): tensors of different axes"),
        (&[0, 1, 2], flat, "Add (node 7): tensors of different axes"),
        (&[1, 0, 2], concat, "Concat (node 5): tensors of different axes"),
        (&[1, 0, 2], concat_flat, "Concat (node 7): tensors of different axes"),
    ] {
        assert_eq!(reason(&directions(order, join)), expected);
    }
}
