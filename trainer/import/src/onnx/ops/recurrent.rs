//! `LSTM`, `GRU` and `RNN`.

use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};

use super::initial_states::{DirectionState, StateShape, initial_states};
use super::recurrent_cells::{NodeWeights, activations};
use super::time::whole_length;
use crate::cells::CellKind;
use crate::onnx::call::Call;
use crate::onnx::context::{AxisRole, FrameInput, GraphContext};
use crate::onnx::layer_graph::{Edge, LayerNode, LayerOp, Source, TimeSpan, WHOLE};
use crate::onnx::value::{Axis, AxisFactor, Component, Data, Value};
use embedded_rnn_nn::tensor::Matrix;

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

/// The producer of files that PyTorch's exporters write.
const PYTORCH: &str = "pytorch";

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
    if context.producer == PYTORCH && !reset_after {
        context.notes.push(format!(
            "Warning: {}: a GRU of PyTorch without linear_before_reset: nn.GRU always resets after the \
             recurrent product, and the exporter of PyTorch 2.10 leaves the attribute out; the model \
             computes what the file states, as ONNX Runtime does",
            call.name
        ));
    }
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
    let layout = usize::try_from(layout).ok().and_then(|layout| LAYOUTS.get(layout));
    let layout = layout.context("layout: neither 0 nor 1")?;
    let reverses: &[bool] = match call.attributes.text("direction")?.unwrap_or("forward") {
        "forward" => &[false],
        "reverse" => &[true],
        "bidirectional" => &[false, true],
        other => bail!("direction {other:?}: unknown"),
    };
    let activations = activations(call, kind, reverses.len())?;
    let data = call.data(0).context("X")?;
    let (frames, axes) = frames_of(context, call, &data, layout)?;
    let weights = NodeWeights::read(context, call, kind, reverses.len(), frames.size)?;
    let hidden = weights.hidden();
    let cells = weights.cells(&activations)?;
    let TimeSpan::Whole { reversed } = frames.edge.span else {
        bail!("X: a single time step, expected a sequence")
    };
    let batch = context.axis_dim(&axes[1], &data)?;
    let shape = StateShape { directions: reverses.len(), directions_axis: layout.directions, batch, hidden };
    let initial = all_initial_states(context, call, kind, &shape)?;
    let mut nodes = Vec::new();
    for ((cell, &reverse), initial) in cells.into_iter().zip(reverses).zip(initial) {
        let op = LayerOp::Recurrent { cell: Rc::new(cell), backwards: reverse != reversed };
        let input = Edge { source: frames.edge.source.clone(), span: WHOLE };
        let node = LayerNode::new(&call.name, &call.origin, op, input, hidden)?;
        nodes.push(Rc::new(started(node, &initial, hidden)?));
    }
    Ok(outputs(context, call, &nodes, reverses, layout, axes))
}

/// Returns the initial states of each direction: of h, and of c for an LSTM.
fn all_initial_states(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    kind: CellKind,
    shape: &StateShape,
) -> Result<Vec<Vec<DirectionState>>> {
    let states: &[&'static str] = match kind {
        CellKind::Lstm => &["initial_h", "initial_c"],
        CellKind::SimpleRnn | CellKind::Gru { .. } => &["initial_h"],
    };
    let mut all = vec![Vec::new(); shape.directions];
    for (k, &state) in states.iter().enumerate() {
        let own = initial_states(context, call, 5 + k, state, shape).context(state)?;
        all.iter_mut().zip(own).for_each(|(all, own)| all.push(own));
    }
    Ok(all)
}

/// Returns the node of a direction with its initial states.
///
/// # Errors
/// A constant beside an input of the graph, which a caller sets together with the constant.
fn started(node: LayerNode, states: &[DirectionState], hidden: usize) -> Result<LayerNode> {
    let (mut inputs, mut constants, mut is_constant) = (Vec::new(), Vec::new(), false);
    for state in states {
        let (input, constant) = match state {
            DirectionState::Zeros => (None, None),
            DirectionState::Constant(values) => (None, Some(values.clone())),
            DirectionState::Input(input) => (Some(input.clone()), None),
        };
        is_constant |= constant.is_some();
        inputs.extend(input);
        constants.push(constant.unwrap_or_else(|| Matrix::zeros(hidden, 1)));
    }
    ensure!(
        inputs.is_empty() || !is_constant,
        "initial_h and initial_c: a constant and an input of the graph, expected two of a kind"
    );
    Ok(node.with_initial(inputs, if is_constant { constants } else { Vec::new() }))
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
    if let Some(&columns) = call.floats(1).context("W")?.as_ref().and_then(|w| w.shape().get(2)) {
        context.fix_size(&data.axes[2], columns);
    }
    Ok((context.frame_input(data, features).context("X")?, axes))
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
