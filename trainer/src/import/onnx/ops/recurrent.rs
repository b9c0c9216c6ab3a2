//! `LSTM`, `GRU` and `RNN`.

use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};

use super::activations::{activation, defaults};
use super::states::{Expected, initial_states};
use super::time::whole_length;
use crate::activation::Activation;
use crate::import::cells::{CellKind, CellWeights, Framework, cell};
use crate::import::onnx::array::Array;
use crate::import::onnx::call::{Call, column, matrix};
use crate::import::onnx::chain::{ALWAYS, From, Link, Point, When, Work};
use crate::import::onnx::context::{Context, Frames, Role};
use crate::import::onnx::value::{Atom, Axis, Data, Part, Value};
use crate::pack::form::Activations;

/// Where things stand in `X` and `Y`, by the attribute `layout`.
struct Layout {
    time: usize,
    batch: usize,
    /// Of the directions in the initial and final states.
    directions: usize,
}

const LAYOUTS: [Layout; 2] =
    [Layout { time: 0, batch: 1, directions: 0 }, Layout { time: 1, batch: 0, directions: 1 }];

/// `LSTM`.
pub fn lstm(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.only("input_forget", 0)?;
    ensure!(call.given(7).is_none(), "P: peepholes, which the runtime has not");
    call.at_most(7)?;
    recurrent(context, call, CellKind::Lstm)
}

/// `GRU`.
pub fn gru(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    let reset_after = call.attributes.int("linear_before_reset")?.unwrap_or(0) != 0;
    call.at_most(6)?;
    recurrent(context, call, CellKind::Gru { reset_after })
}

/// `RNN`.
pub fn rnn(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(6)?;
    recurrent(context, call, CellKind::SimpleRnn)
}

fn recurrent(context: &mut Context<'_>, call: &mut Call<'_>, kind: CellKind) -> Result<Vec<Value>> {
    if let Some(clip) = call.attributes.float("clip")? {
        bail!("clip {clip}: sums that are clipped, which the runtime cannot");
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
        other => bail!("direction {other:?}: not one that is known"),
    };
    let activations = activations(call, kind, reverses.len())?;
    let data = call.data(0).context("X")?;
    let (frames, axes) = frames_of(context, call, &data, layout)?;
    let cells = cells(context, call, kind, &activations, frames.size)?;
    let hidden = cells[0].hidden;
    let When::Always { turned } = frames.link.when else {
        bail!("X: reads what has no time, but only a last step")
    };
    let batch = context.axis_dim(&axes[1], &data)?;
    let expected = Expected { directions: cells.len(), directions_axis: layout.directions, batch, hidden };
    let states: &[&'static str] =
        if kind == CellKind::Lstm { &["initial_h", "initial_c"] } else { &["initial_h"] };
    let mut initial = vec![Vec::new(); cells.len()];
    for (place, &state) in states.iter().enumerate() {
        let given = initial_states(context, call, 5 + place, state, &expected).context(state)?;
        initial.iter_mut().zip(given).for_each(|(initial, given)| initial.extend(given));
    }
    let mut points = Vec::new();
    for ((made, &reverse), initial) in cells.into_iter().zip(reverses).zip(initial) {
        let work = Work::Recurrent { cell: Rc::new(made.cell), backwards: reverse != turned };
        let input = Link { from: frames.link.from.clone(), when: ALWAYS };
        let point = Point::new(&call.name, &call.origin, work, input, hidden)?;
        points.push(Rc::new(point.beginning(initial)));
    }
    Ok(outputs(context, call, &points, reverses, layout, axes))
}

/// The frames that X holds, and its axes of time and batch.
fn frames_of(
    context: &mut Context<'_>,
    call: &Call<'_>,
    data: &Data,
    layout: &Layout,
) -> Result<(Frames, [Axis; 2])> {
    ensure!(data.axes.len() == 3, "X: {} axes, expected three", data.axes.len());
    let axes = [layout.time, layout.batch].map(|axis| data.axes[axis].clone());
    context.bind(&axes[0], Role::Time).context("X")?;
    context.bind(&axes[1], Role::Batch).context("X")?;
    whole_length(context, call, 4, data, layout.time)?;
    let features = if data.axes[2].is_empty() { None } else { Some(2) };
    Ok((context.frames(data, features).context("X")?, axes))
}

/// A cell, and its number of units.
struct Made {
    cell: crate::cells::AnyCell<f32>,
    hidden: usize,
}

/// The cell of each direction.
fn cells(
    context: &mut Context<'_>,
    call: &mut Call<'_>,
    kind: CellKind,
    activations: &[Activations],
    size: usize,
) -> Result<Vec<Made>> {
    let [w, r] = [(1, "W"), (2, "R")].map(|(place, name)| -> Result<Rc<Array<f32>>> {
        call.weights(place).context(name)?.with_context(|| format!("{name}: not given"))
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
    if let Some(said) = call.attributes.int("hidden_size")? {
        ensure!(said == hidden as i64, "hidden_size {said}: R is of {hidden} units");
    }
    ensure!(w.shape()[2] == size, "W: over {} features, but {size} come in", w.shape()[2]);
    let rows = kind.gates() * hidden;
    context.spend(w.values().len() + r.values().len())?;
    let of = |direction: usize| -> Result<Made> {
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
        Ok(Made { cell: cell(kind, Framework::Onnx, weights, activations[direction])?, hidden })
    };
    (0..directions).map(of).collect()
}

/// What each direction does to its sums, by the lists of names and parameters.
fn activations(call: &mut Call<'_>, kind: CellKind, directions: usize) -> Result<Vec<Activations>> {
    let usual: &[&str] = match kind {
        CellKind::SimpleRnn => &["Tanh"],
        CellKind::Gru { .. } => &["Sigmoid", "Tanh"],
        CellKind::Lstm => &["Sigmoid", "Tanh", "Tanh"],
    };
    let names = call.attributes.texts("activations")?.unwrap_or_else(|| usual.repeat(directions));
    ensure!(
        names.len() == usual.len() * directions,
        "activations {names:?}: {} of them, expected {}",
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
        // Those that have a parameter take it from the list, one after another.
        let mut parameters = defaults(name).context("activations")?;
        for (parameter, given) in parameters.iter_mut().zip(&mut given) {
            if parameter.is_some() {
                *parameter = given.pop().or(*parameter);
            }
        }
        functions.push(activation(name, parameters).context("activations")?);
    }
    let left = given.iter().any(|given| !given.is_empty());
    ensure!(!left, "activation_alpha, activation_beta: more values than the activations take");
    functions
        .chunks(usual.len())
        .map(|own| of_cell(own).with_context(|| format!("activations {names:?}")))
        .collect()
}

fn of_cell(functions: &[Activation]) -> Result<Activations> {
    Ok(match *functions {
        [value] => Activations { value, recurrent: Activation::Sigmoid },
        [gates, value] => Activations { value, recurrent: gates },
        [gates, value, output] => {
            ensure!(value == output, "candidate and cell state differ, which the runtime cannot");
            Activations { value, recurrent: gates }
        }
        _ => bail!("not as many as a cell has"),
    })
}

/// Y, Y_h and Y_c.
fn outputs(
    context: &mut Context<'_>,
    call: &Call<'_>,
    points: &[Rc<Point>],
    reverses: &[bool],
    layout: &Layout,
    [time, batch]: [Axis; 2],
) -> Vec<Value> {
    let hidden = points[0].size;
    let features =
        context.atom(Some(Role::Features), Some(hidden), format!("the {hidden} units of {}", call.name));
    let directions = if points.len() == 1 { Vec::new() } else { vec![Atom::Parts] };
    let features = vec![Atom::Numbered(features)];
    let link = |point: &Rc<Point>, when| Part::Made(Link { from: From::Point(point.clone()), when });
    // In ONNX Y has the order of X, whichever way it was read.
    let all = points.iter().zip(reverses).map(|(point, &turned)| link(point, When::Always { turned }));
    let mut axes = if layout.time == 0 {
        vec![time, directions.clone(), batch.clone()]
    } else {
        vec![batch.clone(), time, directions.clone()]
    };
    axes.push(features.clone());
    let mut values = vec![Value::Data(Data { parts: all.collect(), axes, ids: false })];
    let mut axes = vec![batch, features];
    axes.insert(layout.directions, directions);
    let last = points.iter().map(|point| link(point, When::Last)).collect();
    let cells = points.iter().map(|point| Part::Cell(point.clone())).collect();
    let states = [last, cells].map(|parts| Value::Data(Data { parts, axes: axes.clone(), ids: false }));
    values.extend(states.into_iter().take(if call.op == "LSTM" { 2 } else { 1 }));
    values
}
