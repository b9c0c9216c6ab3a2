//! Activation functions: nodes of their own, or names in the list of a recurrent node.

use anyhow::{Context as _, Result, ensure};

use crate::activation::Activation;
use crate::import::onnx::call::Call;
use crate::import::onnx::context::{Context, Frames};
use crate::import::onnx::value::{Data, Part, Value, axis_of};
use crate::layers::{self, Kind};

/// alpha, and the second parameter: beta, or gamma.
type Parameters = [Option<f32>; 2];

const NONE: Parameters = [None, None];

/// alpha and gamma of Klambauer et al. (2017), as ONNX gives them.
const SELU: Parameters = [Some(1.673_263_2), Some(1.050_701)];

/// ONNX's name in lower case, parameters, and our name (Keras's) of the function with these, if we have it. The first row of a
/// name has the parameters that hold where a file gives none.
const FUNCTIONS: &[(&str, Parameters, Option<&str>)] = &[
    ("relu", NONE, Some("relu")),
    ("tanh", NONE, Some("tanh")),
    ("sigmoid", NONE, Some("sigmoid")),
    ("softplus", NONE, Some("softplus")),
    ("softsign", NONE, Some("softsign")),
    ("exp", NONE, Some("exponential")),
    ("hardswish", NONE, Some("hard_silu")),
    ("mish", NONE, Some("mish")),
    ("leakyrelu", [Some(0.01), None], None),
    ("leakyrelu", [Some(0.2), None], Some("leaky_relu")),
    ("elu", [Some(1.0), None], Some("elu")),
    ("celu", [Some(1.0), None], Some("celu")),
    ("selu", SELU, Some("selu")),
    ("hardsigmoid", [Some(0.2), Some(0.5)], Some("hard_sigmoid_keras1")),
    ("hardsigmoid", [Some(1.0 / 6.0), Some(0.5)], Some("hard_sigmoid")),
    ("affine", [Some(1.0), Some(0.0)], Some("linear")),
    ("scaledtanh", [Some(1.0), Some(1.0)], Some("tanh")),
    ("thresholdedrelu", [Some(1.0), None], None),
];

/// The parameters that ONNX's function of this name has, where none are given. Upper and lower case are the same.
pub fn defaults(name: &str) -> Result<Parameters> {
    let row = FUNCTIONS.iter().find(|(row, ..)| row.eq_ignore_ascii_case(name));
    Ok(row.with_context(|| format!("{name}: not an activation that is read"))?.1)
}

/// Our function for ONNX's function of this name with these parameters.
pub fn activation(name: &str, parameters: Parameters) -> Result<Activation> {
    let is = |(row, with, _): &&(&str, Parameters, Option<&str>)| {
        row.eq_ignore_ascii_case(name) && *with == parameters
    };
    let ours = FUNCTIONS.iter().find(is).and_then(|(.., ours)| *ours);
    let shown: Vec<String> = parameters.iter().flatten().map(f32::to_string).collect();
    let shown = if shown.is_empty() { String::new() } else { format!(" with {}", shown.join(", ")) };
    of_keras(ours).with_context(|| format!("{name}{shown}: not an activation that the runtime has"))
}

fn of_keras(name: Option<&str>) -> Option<Activation> {
    Activation::from_keras_name(name?)
}

/// `Relu`, `Tanh` and others that do something to every value.
pub fn elementwise(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let op = call.op;
    let mut parameters = defaults(op)?;
    let second = if op == "Selu" { "gamma" } else { "beta" };
    for (parameter, name) in parameters.iter_mut().zip(["alpha", second]) {
        if parameter.is_some() {
            *parameter = call.attributes.float(name)?.or(*parameter);
        }
    }
    let function = activation(op, parameters)?;
    of_every_value(context, call, function)
}

/// `Gelu`.
pub fn gelu(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let approximate = call.attributes.text("approximate")?.unwrap_or("none");
    ensure!(approximate == "none", "approximate {approximate:?}: only the exact Gelu is read");
    let function = of_keras(Some("gelu")).context("not an activation that the runtime has")?;
    of_every_value(context, call, function)
}

/// `Clip`, between bounds that make it one of ours.
pub fn clip(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(3)?;
    let mut bounds = [None, None];
    for (place, (bound, name)) in bounds.iter_mut().zip(["min", "max"]).enumerate() {
        *bound = match call.floats(place + 1)? {
            Some(array) => Some(*array.single().with_context(|| format!("{name}: not one value"))?),
            None if context.opset < 11 => call.attributes.float(name)?,
            None => None,
        };
    }
    let [low, high] = [bounds[0].unwrap_or(f32::MIN), bounds[1].unwrap_or(f32::MAX)];
    let data = call.data(0)?;
    let function = match (low, high) {
        (low, high) if low <= f32::MIN && high >= f32::MAX => Some("linear"),
        (0.0, high) if high >= f32::MAX => Some("relu"),
        (0.0, 6.0) => Some("relu6"),
        (-1.0, 1.0) => Some("hard_tanh"),
        _ => None,
    };
    let function = of_keras(function)
        .with_context(|| format!("min {low}, max {high}: not an activation that the runtime has"))?;
    if function == Activation::Linear {
        return Ok(vec![Value::Data(data)]);
    }
    of_every_value(context, call, function)
}

/// `Softmax` and `LogSoftmax` over the features.
pub fn softmax(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let data = call.data(0)?;
    let rank = data.axes.len();
    let axis = call.attributes.int("axis")?;
    let name = if call.op == "Softmax" { "softmax" } else { "log_softmax" };
    let function = of_keras(Some(name)).context("not an activation that the runtime has")?;
    // Up to version 12 it went over all axes from this one on.
    let old = context.opset < 13;
    let axis = axis_of(axis.unwrap_or(if old { 1 } else { -1 }), rank)?;
    ensure!(!old || axis + 1 == rank, "axis {axis}: over more axes than the features");
    ensure!(
        context.features_axis(&data).is_none_or(|features| features == axis),
        "axis {axis}: {}, which are not the features",
        context.axis_name(&data.axes[axis])
    );
    let frames = context.frames(&data, Some(axis).filter(|&axis| !data.axes[axis].is_empty()))?;
    applied(context, call, &data, Some(axis), frames, function)
}

/// `x sigmoid(x)` and the like: the product of a tensor and a function of it.
const TIMES_ITSELF: &[(&str, &str)] = &[("sigmoid", "silu"), ("hard_sigmoid", "hard_silu")];

/// The data times a function of it, if these are that and the runtime has the product.
pub fn times_itself(
    context: &mut Context<'_>,
    call: &Call<'_>,
    a: &Data,
    b: &Data,
) -> Result<Option<Vec<Value>>> {
    for (data, other) in [(a, b), (b, a)] {
        let ([Part::Made(link)], [Part::Made(changed)]) = (&data.parts[..], &other.parts[..]) else {
            continue;
        };
        let Some(point) = changed.point().filter(|point| point.input.from.is(&link.from)) else { continue };
        let Some(Kind::Activation(layer)) = point.frames() else { continue };
        let name = layer.function.keras_name();
        let product =
            TIMES_ITSELF.iter().find(|(function, _)| *function == name).map(|(_, product)| *product);
        if let (Some(function), true) = (of_keras(product), link.when == changed.when) {
            let axis = context.every_feature(data)?;
            let frames = context.frames(data, axis)?;
            return applied(context, call, data, axis, frames, function).map(Some);
        }
    }
    Ok(None)
}

fn of_every_value(context: &mut Context<'_>, call: &Call<'_>, function: Activation) -> Result<Vec<Value>> {
    let data = call.data(0)?;
    let axis = context.every_feature(&data)?;
    let frames = context.frames(&data, axis)?;
    applied(context, call, &data, axis, frames, function)
}

/// An activation by itself; one after a Dense becomes that of the Dense when the model is written.
fn applied(
    context: &mut Context<'_>,
    call: &Call<'_>,
    data: &Data,
    axis: Option<usize>,
    Frames { link, size }: Frames,
    function: Activation,
) -> Result<Vec<Value>> {
    let kind = Kind::Activation(layers::Activation::new(size, function));
    let link = context.layer(&call.name, &call.origin, kind, &link, size)?;
    Ok(vec![Value::Data(context.after(data, axis, link)?)])
}
