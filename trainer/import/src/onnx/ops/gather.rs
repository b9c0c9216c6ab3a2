//! `Gather`: an embedding lookup, or one index along an axis.

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use crate::onnx::array::Array;
use crate::onnx::call::{Call, matrix};
use crate::onnx::context::{AxisRole, GraphContext};
use crate::onnx::directions::STEP_OF_BIDIRECTIONAL;
use crate::onnx::layer_graph::{Edge, Source, WHOLE};
use crate::onnx::value::{
    AxisFactor, Component, Data, Dim, PartPlace, Uniform, Value, axis_index, map_constants,
};
use crate::onnx::waiting::LayerName;
use embedded_rnn_nn::layers::{Embedding, Kind};
use embedded_rnn_nn::tensor::Matrix;

/// The maximum number of parts of an input: layers times directions.
pub const MAX_PARTS: usize = 256;

/// Evaluates `Gather`: an embedding if the indices are ids, known at run time only; otherwise one step, one
/// direction or one layer of run-time data, or any indices of a constant.
pub fn gather(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let axis = call.attributes.int("axis")?.unwrap_or(0);
    let indices = match call.value(1)?.clone() {
        Value::Ints(indices) => indices,
        Value::Data(ids) => {
            ensure!(axis == 0, "axis {axis}: ids can only select along axis 0");
            let weights = call.weights(0)?.context("no weights")?;
            context.spend(weights.values().len())?;
            let weight = matrix(&weights)?.transpose();
            return Ok(vec![Value::Data(embedding(context, call, ids, weight)?)]);
        }
        Value::Floats(_) | Value::Uniform(_) | Value::Repeated(_) => {
            bail!("indices: expected known integers")
        }
    };
    let value = call.value(0)?.clone();
    let axis = axis_index(axis, value.rank())?;
    let known: Option<Vec<i64>> = indices.values().iter().map(Dim::value).collect();
    let known = known.context("indices: lengths known at run time only")?;
    let indices = Array::new(indices.shape().to_vec(), known)?;
    Ok(vec![match value {
        Value::Data(data) if context.axis_role(&data.axes[axis]) == Some(AxisRole::Features) => {
            Value::Data(gather_features(context, call, &data, axis, &indices)?)
        }
        Value::Data(data) => Value::Data(gather_data(context, &data, axis, &indices)?),
        constant => gather_constant(context, constant, axis, &indices)?,
    }])
}

/// Returns the features at these indices; an index without an axis removes the axis.
fn gather_features(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    data: &Data,
    axis: usize,
    indices: &Array<i64>,
) -> Result<Data> {
    ensure!(indices.shape().len() <= 1, "indices: {} axes", indices.shape().len());
    let size = context.axis_size(&data.axes[axis], data).context("features whose number is not fixed")?;
    let selected = indices.values().iter().map(|&index| axis_index(index, size).context("indices"));
    let selected = selected.collect::<Result<Vec<_>>>()?;
    let mut data = context.selected_features(&LayerName::of(call), data, axis, &selected)?;
    if indices.shape().is_empty() {
        data.axes.remove(axis);
    }
    Ok(data)
}

/// Returns the run-time data at one index along an axis; an index without an axis removes the axis.
fn gather_data(
    context: &mut GraphContext<'_>,
    data: &Data,
    axis: usize,
    indices: &Array<i64>,
) -> Result<Data> {
    ensure!(indices.shape().len() <= 1, "indices: {} axes", indices.shape().len());
    let &[index] = indices.values() else { return gather_parts(context, data, axis, indices.values()) };
    let mut data = at_index(context, data, axis, index)?;
    if indices.shape().is_empty() {
        data.axes.remove(axis);
    }
    Ok(data)
}

/// Returns several parts of an input, or several directions or layers.
fn gather_parts(context: &GraphContext<'_>, data: &Data, axis: usize, indices: &[i64]) -> Result<Data> {
    let held = &data.axes[axis];
    let parts = match &data.components[..] {
        components if held[..] == [AxisFactor::Components] => components.to_vec(),
        [input] if is_input(input) && context.axis_role(held) != Some(AxisRole::Time) => {
            input_parts(input, context.axis_size(held, data).context("an axis whose length is not fixed")?)?
        }
        _ => bail!("indices {indices:?}: only one index is supported"),
    };
    ensure!((1..=MAX_PARTS).contains(&indices.len()), "{} indices", indices.len());
    let part = |&index: &i64| Ok(parts[axis_index(index, parts.len()).context("indices")?].clone());
    let components = indices.iter().map(part).collect::<Result<Vec<_>>>()?;
    let mut axes = data.axes.clone();
    axes[axis] = vec![AxisFactor::Components];
    Ok(Data { components, axes, ids: data.ids })
}

/// Returns a constant at these indices along an axis.
fn gather_constant(
    context: &mut GraphContext<'_>,
    constant: Value,
    axis: usize,
    indices: &Array<i64>,
) -> Result<Value> {
    let all = indices.values();
    map_constants!(constant, array => {
        let len = array.shape()[axis];
        let from_start = |&index: &i64| axis_index(index, len).with_context(|| format!("indices {all:?}"));
        let selected = all.iter().map(from_start).collect::<Result<Vec<_>>>()?;
        let shape = [&array.shape()[..axis], indices.shape(), &array.shape()[axis + 1..]].concat();
        context.spend((array.values().len() / len.max(1)).saturating_mul(selected.len()))?;
        array.taken(axis, &selected)?.reshaped(shape)?
    }, uniform => {
        let len = uniform.shape[axis].value().context("indices: an axis of a length known at run time only")?;
        all.iter().try_for_each(|&index| axis_index(index, len as usize).map(drop)).context("indices")?;
        let selected: Vec<Dim> = indices.shape().iter().map(|&len| Dim::known(len as i64)).collect();
        [&uniform.shape[..axis], &selected, &uniform.shape[axis + 1..]].concat()
    }, _data => bail!("indices: of run-time data"))
}

/// Evaluates `OneHot` of ids: an embedding whose vectors are constant.
pub fn one_hot(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(3)?;
    let ids = call.data(0)?;
    let rank = ids.axes.len() as i64;
    let axis = call.attributes.int("axis")?.unwrap_or(-1);
    ensure!(axis == -1 || axis == rank, "axis {axis}: only a last axis is supported");
    let depth = match call.value(1)? {
        Value::Ints(array) => array.single().and_then(Dim::value),
        Value::Floats(array) => array.single().map(|&depth| depth as i64),
        Value::Uniform(_) | Value::Repeated(_) | Value::Data(_) => None,
    };
    let depth = depth.and_then(|depth| usize::try_from(depth).ok()).filter(|&depth| depth > 0);
    let depth = depth.context("depth: expected one constant above 0")?;
    let (off, on) = match call.value(2)? {
        Value::Floats(values) if values.values().len() == 2 => (values.values()[0], values.values()[1]),
        _ => bail!("values: expected two constant floats"),
    };
    context.spend(depth.saturating_mul(depth))?;
    let weight = Matrix::from_fn(depth, depth, |row, column| if row == column { on } else { off });
    Ok(vec![Value::Data(embedding(context, call, ids, weight)?)])
}

/// Adds an embedding with a column per id.
fn embedding(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    mut ids: Data,
    weight: Matrix<f32>,
) -> Result<Data> {
    let [Component::Frames(Edge { source: Source::Input(input), span: WHOLE })] = ids.components[..] else {
        bail!("indices: ids must be an input of the network");
    };
    ensure!(ids.ids, "indices: expected integers");
    context.set_input_features(input, 1)?;
    let size = weight.nrows();
    let edge = Edge { source: Source::Input(input), span: WHOLE };
    let kind = Kind::Embedding(Embedding { weight, mask_zero: false });
    let edge = context.add_layer(&call.name, &call.origin, kind, &edge, size)?;
    ids.axes.push(Vec::new());
    let features = ids.axes.len() - 1;
    context.data_after(&ids, Some(features), edge)
}

/// Returns the data at one index along an axis, which then has length 1.
///
/// # Errors
/// An index that selects neither a component nor the step computed last.
pub fn at_index(context: &mut GraphContext<'_>, data: &Data, axis: usize, index: i64) -> Result<Data> {
    let held = &data.axes[axis];
    let name = context.axis_name(held);
    let size = context.axis_size(held, data);
    let is_last = index == -1 || size.is_some_and(|size| index == size as i64 - 1);
    let mut axes = data.axes.clone();
    axes[axis] = Vec::new();
    if held.is_empty() {
        ensure!(is_last, "index {index} of an axis of length 1");
        return Ok(Data { axes, ..data.clone() });
    }
    if held[..] == [AxisFactor::Components] {
        let index = axis_index(index, data.components.len()).with_context(|| format!("index {index}"))?;
        return Ok(Data { components: vec![data.components[index].clone()], axes, ids: data.ids });
    }
    if let [input] = &data.components[..]
        && is_input(input)
    {
        let size = size.with_context(|| format!("index {index} along {name}, whose length is not fixed"))?;
        let index = axis_index(index, size).with_context(|| format!("index {index}"))?;
        let mut parts = input_parts(input, size)?;
        return Ok(Data { components: vec![parts.swap_remove(index)], axes, ids: data.ids });
    }
    ensure!(
        context.axis_role(held) == Some(AxisRole::Time),
        "index {index} along {name}: only steps, directions and layers can be selected; \
         a recurrent layer that was exported step by step (torch.onnx.export of an nn.RNN, unless \
         dynamo=False) is not supported"
    );
    ensure!(is_last || index == 0, "step {index}: a model outputs all steps or the one computed last");
    let step = |component: &Component| {
        let edge = context.edge_of(component)?.clone();
        context.at_end(&edge, is_last).map(Component::Frames)
    };
    let steps = data.components.iter().map(step).collect::<Result<Vec<_>>>();
    let several = data.components.len() > 1;
    let steps = if steps.is_err() && several { Err(anyhow!(STEP_OF_BIDIRECTIONAL)) } else { steps };
    let components = steps.with_context(|| format!("step {index}"))?;
    Ok(Data { components, axes, ids: data.ids })
}

/// Returns whether this is an input of the graph, or a part of one.
pub fn is_input(component: &Component) -> bool {
    matches!(
        component,
        Component::Frames(Edge { source: Source::Input(_), .. }) | Component::InputPart { .. }
    )
}

/// Returns the parts of a graph input, or of a part of one, along an axis of this length.
///
/// # Errors
/// A component that is not an input, or too many parts.
pub fn input_parts(component: &Component, size: usize) -> Result<Vec<Component>> {
    let (input, divided) = match component {
        Component::Frames(Edge { source: Source::Input(input), span: WHOLE }) => (*input, &[][..]),
        Component::InputPart { input, places } => (*input, &places[..]),
        _ => bail!("a part of a tensor that is not an input"),
    };
    ensure!(size <= MAX_PARTS, "{size} parts: at most {MAX_PARTS} are supported");
    let part = |index| {
        let places = divided.iter().copied().chain([PartPlace { index, count: size }]).collect();
        Component::InputPart { input, places }
    };
    Ok((0..size).map(part).collect())
}
