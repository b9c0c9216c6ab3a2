//! `LSTM`, `GRU` and `RNN`.

use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};

use super::activations::{defaults, runtime_activation};
use super::initial_states::{StateShape, initial_states};
use super::time::whole_length;
use crate::activation::Activation;
use crate::import::cells::{CellKind, CellWeights, Framework, cell};
use crate::import::onnx::array::Array;
use crate::import::onnx::call::{Call, column, matrix};
use crate::import::onnx::context::{AxisRole, FrameInput, GraphContext};
use crate::import::onnx::layer_graph::{Edge, LayerNode, LayerOp, Source, TimeSpan, WHOLE};
use crate::import::onnx::value::{Axis, AxisFactor, Component, Data, Value};
use crate::pack::form::Activations;

/// The positions of the axes of `X` and `Y`, by the attribute `layout`.
struct SequenceLayout {
    time: usize,
    batch: usize,
    /// The axis of the directions in the initial and final states.
    directions: usize,
}

const LAYOUTS: [SequenceLayout; 2] = [
    SequenceLayout { time: 0, batch: 1, directions: 0 },
    SequenceLayout { time: 1, batch: 0, directions: 1 },
];

/// Evaluates `LSTM`.
pub fn lstm(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.only("input_forget", 0)?;
    ensure!(call.input(7).is_none(), "P: peepholes are not supported");
    call.at_most(7)?;
    recurrent(context, call, CellKind::Lstm)
}

/// Evaluates `GRU`.
pub fn gru(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    let reset_after = call.attributes.int("linear_before_reset")?.unwrap_or(0) != 0;
    call.at_most(6)?;
    recurrent(context, call, CellKind::Gru { reset_after })
}

/// Evaluates `RNN`.
pub fn rnn(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(6)?;
    recurrent(context, call, CellKind::SimpleRnn)
}

fn recurrent(context: &mut GraphContext<'_>, call: &mut Call<'_>, kind: CellKind) -> Result<Vec<Value>> {
    if let Some(clip) = call.attributes.float("clip")? {
        bail!("clip {clip}: clipping of pre-activations is not supported");
    }
    let layout = call.attributes.int("layout")?.unwrap_or(0);
    let layout = usize::try_from(layout)
        .ok()
        .and_then(|layout| LAYOUTS.get(layout))
        .context("layout: neither 0 nor 1")?;
    let reverses: &[bool] = match call.attributes.text("direction")?.unwrap_or("forward") {
        "forward" => &[false],
        "reverse" => &[true],
        "bidirectional" => &[false, true],
        other => bail!("direction {other:?}: unknown"),
    };
    let activations = activations(call, kind, reverses.len())?;
    let data = call.data(0).context("X")?;
    let (frames, axes) = frames_of(context, call, &data, layout)?;
    let cells = cells(context, call, kind, &activations, frames.size)?;
    let hidden = cells[0].hidden;
    let TimeSpan::Whole { reversed } = frames.edge.span else {
        bail!("X: a single time step, expected a sequence")
    };
    let batch = context.axis_dim(&axes[1], &data)?;
    let expected = StateShape { directions: cells.len(), directions_axis: layout.directions, batch, hidden };
    let states: &[&'static str] =
        if kind == CellKind::Lstm { &["initial_h", "initial_c"] } else { &["initial_h"] };
    let mut initial = vec![Vec::new(); cells.len()];
    for (k, &state) in states.iter().enumerate() {
        let given = initial_states(context, call, 5 + k, state, &expected).context(state)?;
        initial.iter_mut().zip(given).for_each(|(initial, given)| initial.extend(given));
    }
    let mut nodes = Vec::new();
    for ((made, &reverse), initial) in cells.into_iter().zip(reverses).zip(initial) {
        let op = LayerOp::Recurrent { cell: Rc::new(made.cell), backwards: reverse != reversed };
        let input = Edge { source: frames.edge.source.clone(), span: WHOLE };
        let node = LayerNode::new(&call.name, &call.origin, op, input, hidden)?;
        nodes.push(Rc::new(node.with_initial(initial)));
    }
    Ok(outputs(context, call, &nodes, reverses, layout, axes))
}

/// Returns the frames that X contains, and its axes of time and batch.
fn frames_of(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    data: &Data,
    layout: &SequenceLayout,
) -> Result<(FrameInput, [Axis; 2])> {
    ensure!(data.axes.len() == 3, "X: {} axes, expected three", data.axes.len());
    let axes = [layout.time, layout.batch].map(|axis| data.axes[axis].clone());
    context.bind_role(&axes[0], AxisRole::Time).context("X")?;
    context.bind_role(&axes[1], AxisRole::Batch).context("X")?;
    whole_length(context, call, 4, data, layout.time)?;
    let features = if data.axes[2].is_empty() { None } else { Some(2) };
    Ok((context.frame_input(data, features).context("X")?, axes))
}

/// The cell of one direction, and its number of units.
struct DirectionCell {
    cell: crate::cells::AnyCell<f32>,
    hidden: usize,
}

/// Creates the cell of each direction.
fn cells(
    context: &mut GraphContext<'_>,
    call: &mut Call<'_>,
    kind: CellKind,
    activations: &[Activations],
    size: usize,
) -> Result<Vec<DirectionCell>> {
    let [w, r] = [(1, "W"), (2, "R")].map(|(index, name)| -> Result<Rc<Array<f32>>> {
        call.weights(index).context(name)?.with_context(|| format!("{name}: missing"))
    });
    let (w, r, b) = (w?, r?, call.weights(3).context("B")?);
    let directions = activations.len();
    for (name, array) in [("W", &w), ("R", &r)] {
        let shape = array.shape();
        ensure!(
            shape.len() == 3 && shape[0] == directions,
            "{name}: shape {shape:?}, expected {directions} matrices"
        );
    }
    let hidden = r.shape()[2];
    if let Some(given) = call.attributes.int("hidden_size")? {
        ensure!(given == hidden as i64, "hidden_size {given}: R has {hidden} units");
    }
    ensure!(w.shape()[2] == size, "W: {} input features, but X has {size}", w.shape()[2]);
    let rows = kind.gates() * hidden;
    context.spend(w.values().len() + r.values().len())?;
    let direction_cell = |direction: usize| -> Result<DirectionCell> {
        let matrix_of = |array: &Array<f32>| {
            matrix(&array.taken(0, &[direction])?.reshaped(array.shape()[1..].to_vec())?)
        };
        let biases = match &b {
            Some(b) => {
                ensure!(
                    b.shape() == [directions, 2 * rows],
                    "B: shape {:?}, expected [{directions}, {}]",
                    b.shape(),
                    2 * rows
                );
                let (w, r) = b.values()[direction * 2 * rows..][..2 * rows].split_at(rows);
                [Some(w), Some(r)]
            }
            None => [None, None],
        };
        let [bias, recurrent_bias] =
            biases.map(|bias| bias.map(|values| column(&Array::vector(values.to_vec()), rows)).transpose());
        let weights = CellWeights {
            w_ih: matrix_of(&w)?,
            w_hh: matrix_of(&r)?,
            bias: bias?,
            recurrent_bias: recurrent_bias?,
        };
        Ok(DirectionCell { cell: cell(kind, Framework::Onnx, weights, activations[direction])?, hidden })
    };
    (0..directions).map(direction_cell).collect()
}

/// Returns the activations of each direction, from the lists of names and parameters.
fn activations(call: &mut Call<'_>, kind: CellKind, directions: usize) -> Result<Vec<Activations>> {
    let usual: &[&str] = match kind {
        CellKind::SimpleRnn => &["Tanh"],
        CellKind::Gru { .. } => &["Sigmoid", "Tanh"],
        CellKind::Lstm => &["Sigmoid", "Tanh", "Tanh"],
    };
    let names = call.attributes.texts("activations")?.unwrap_or_else(|| usual.repeat(directions));
    ensure!(
        names.len() == usual.len() * directions,
        "activations {names:?}: {} names, expected {}",
        names.len(),
        usual.len() * directions
    );
    let mut given = [Vec::new(), Vec::new()];
    for (given, name) in given.iter_mut().zip(["activation_alpha", "activation_beta"]) {
        *given = call.attributes.floats(name)?.unwrap_or_default();
        given.reverse();
    }
    let mut functions = Vec::new();
    for name in &names {
        // Functions with parameters take them from the lists in order.
        let mut parameters = defaults(name).context("activations")?;
        for (parameter, given) in parameters.iter_mut().zip(&mut given) {
            if parameter.is_some() {
                *parameter = given.pop().or(*parameter);
            }
        }
        functions.push(runtime_activation(name, parameters).context("activations")?);
    }
    let left = given.iter().any(|given| !given.is_empty());
    ensure!(!left, "activation_alpha, activation_beta: more values than the activations take");
    functions
        .chunks(usual.len())
        .map(|own| cell_activations(own).with_context(|| format!("activations {names:?}")))
        .collect()
}

fn cell_activations(functions: &[Activation]) -> Result<Activations> {
    Ok(match *functions {
        [value] => Activations { value, recurrent: Activation::Sigmoid },
        [gates, value] => Activations { value, recurrent: gates },
        [gates, value, output] => {
            ensure!(value == output, "different candidate and cell activations are not supported");
            Activations { value, recurrent: gates }
        }
        _ => bail!("not the number of activations of a cell"),
    })
}

/// Returns Y, Y_h and Y_c.
fn outputs(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    nodes: &[Rc<LayerNode>],
    reverses: &[bool],
    layout: &SequenceLayout,
    [time, batch]: [Axis; 2],
) -> Vec<Value> {
    let hidden = nodes[0].size;
    let features = context.add_factor(
        Some(AxisRole::Features),
        Some(hidden),
        format!("the {hidden} units of {}", call.name),
    );
    let directions = if nodes.len() == 1 { Vec::new() } else { vec![AxisFactor::Components] };
    let features = vec![AxisFactor::Indexed(features)];
    let frames =
        |node: &Rc<LayerNode>, span| Component::Frames(Edge { source: Source::Node(node.clone()), span });
    // Y has the order of X in time, whatever the direction of the cell.
    let all = nodes.iter().zip(reverses).map(|(node, &reversed)| frames(node, TimeSpan::Whole { reversed }));
    let mut axes = if layout.time == 0 {
        vec![time, directions.clone(), batch.clone()]
    } else {
        vec![batch.clone(), time, directions.clone()]
    };
    axes.push(features.clone());
    let mut values = vec![Value::Data(Data { components: all.collect(), axes, ids: false })];
    let mut axes = vec![batch, features];
    axes.insert(layout.directions, directions);
    let last = nodes.iter().map(|node| frames(node, TimeSpan::Last)).collect();
    let cells = nodes.iter().map(|node| Component::CellState(node.clone())).collect();
    let states =
        [last, cells].map(|components| Value::Data(Data { components, axes: axes.clone(), ids: false }));
    values.extend(states.into_iter().take(if call.op == "LSTM" { 2 } else { 1 }));
    values
}
