//! Activation functions: nodes of their own, or names in the attribute `activations` of a recurrent node.

use anyhow::{Context as _, Result, ensure};

use crate::composed::{self, Elementwise::Function};
use crate::onnx::call::Call;
use crate::onnx::context::{FrameInput, GraphContext};
use crate::onnx::value::{Component, Data, Value, axis_index};
use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::layers::{self, Kind};

/// The parameter alpha, and the second parameter: beta or gamma.
type Parameters = [Option<f32>; 2];

const NONE: Parameters = [None, None];

/// Alpha and gamma of Klambauer et al. (2017), as ONNX defines them.
const SELU: Parameters = [Some(1.673_263_2), Some(1.050_701)];

/// ONNX's name in lower case, parameters, and the Keras name of the function with these parameters, if the
/// runtime has it. The first row of a name has the default parameters.
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

/// Returns the default parameters of ONNX's function of this name; upper and lower case are equivalent.
///
/// # Errors
/// An unknown name.
pub fn defaults(name: &str) -> Result<Parameters> {
    let row = FUNCTIONS.iter().find(|(row, ..)| row.eq_ignore_ascii_case(name));
    Ok(row.with_context(|| format!("{name}: unknown activation"))?.1)
}

/// Returns the runtime's function for ONNX's function of this name with these parameters.
///
/// # Errors
/// A function that the runtime does not have.
pub fn runtime_activation(name: &str, parameters: Parameters) -> Result<Activation> {
    let matches = |(row, with, _): &&(&str, Parameters, Option<&str>)| {
        row.eq_ignore_ascii_case(name) && *with == parameters
    };
    let keras_name = FUNCTIONS.iter().find(matches).and_then(|(.., keras_name)| *keras_name);
    let shown: Vec<String> = parameters.iter().flatten().map(f32::to_string).collect();
    let shown = if shown.is_empty() { String::new() } else { format!(" with {}", shown.join(", ")) };
    by_keras_name(keras_name).with_context(|| format!("{name}{shown}: unsupported activation"))
}

fn by_keras_name(name: Option<&str>) -> Option<Activation> {
    Activation::from_keras_name(name?)
}

/// Evaluates `Relu`, `Tanh` and other functions of one value.
pub fn function(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let op = call.op;
    let mut parameters = defaults(op)?;
    let second = if op == "Selu" { "gamma" } else { "beta" };
    for (parameter, name) in parameters.iter_mut().zip(["alpha", second]) {
        if parameter.is_some() {
            *parameter = call.attributes.float(name)?.or(*parameter);
        }
    }
    let invalid = || format!("alpha {}: not finite", parameters[0].unwrap_or_default());
    let functions = match (op, parameters[0]) {
        ("LeakyRelu", Some(slope)) => vec![Function(Activation::leaky_relu(slope).with_context(invalid)?)],
        ("Elu", Some(alpha)) => vec![Function(Activation::elu(alpha).with_context(invalid)?)],
        ("Celu", Some(alpha)) if alpha > 0.0 && alpha.is_finite() => {
            let elu = by_keras_name(Some("elu")).context("unsupported activation")?;
            composed::scaled(elu, alpha)
        }
        _ => vec![Function(runtime_activation(op, parameters)?)],
    };
    context.elementwise(call, &call.data(0)?, &functions)
}

/// Evaluates `Gelu`.
pub fn gelu(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let approximate = call.attributes.text("approximate")?.unwrap_or("none");
    ensure!(approximate == "none", "approximate {approximate:?}: only the exact Gelu is supported");
    let function = by_keras_name(Some("gelu")).context("unsupported activation")?;
    context.elementwise(call, &call.data(0)?, &[Function(function)])
}

/// Evaluates `Clip`.
pub fn clip(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(3)?;
    let mut bounds = [None, None];
    for (k, (bound, name)) in bounds.iter_mut().zip(["min", "max"]).enumerate() {
        *bound = match call.floats(k + 1)? {
            Some(array) => Some(*array.single().with_context(|| format!("{name}: expected one value"))?),
            None if context.opset < 11 => call.attributes.float(name)?,
            None => None,
        };
    }
    let [low, high] = [bounds[0].unwrap_or(f32::MIN), bounds[1].unwrap_or(f32::MAX)];
    let functions = composed::clip(low, high)?;
    context.elementwise(call, &call.data(0)?, &functions)
}

/// Evaluates `Softmax` and `LogSoftmax` over the features.
pub fn softmax(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let data = call.data(0)?;
    let rank = data.axes.len();
    let axis = call.attributes.int("axis")?;
    let name = if call.op == "Softmax" { "softmax" } else { "log_softmax" };
    let function = by_keras_name(Some(name)).context("unsupported activation")?;
    // Up to version 12 the operator covers all axes from this one on.
    let old = context.opset < 13;
    let axis = axis_index(axis.unwrap_or(if old { 1 } else { -1 }), rank)?;
    ensure!(!old || axis + 1 == rank, "axis {axis}: spans more than the feature axis");
    ensure!(
        context.features_axis(&data).is_none_or(|features| features == axis),
        "axis {axis}: {} is not the feature axis",
        context.axis_name(&data.axes[axis])
    );
    let frames = context.frame_input(&data, Some(axis).filter(|&axis| !data.axes[axis].is_empty()))?;
    activation_layer(context, call, &data, Some(axis), frames, function)
}

/// Functions `f` for which the runtime has `x f(x)`.
const TIMES_INPUT: &[(&str, &str)] = &[("sigmoid", "silu"), ("hard_sigmoid", "hard_silu")];

/// Returns the product of the data and a function of it as one activation, if the runtime has it.
///
/// # Errors
/// Factors whose axes differ: a transposed gate, or one that is repeated along an axis.
pub fn times_input(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    a: &Data,
    b: &Data,
) -> Result<Option<Vec<Value>>> {
    for (data, other) in [(a, b), (b, a)] {
        let ([Component::Frames(edge)], [Component::Frames(activated)]) =
            (&data.components[..], &other.components[..])
        else {
            continue;
        };
        let Some(node) = activated.node().filter(|node| node.input.source.is(&edge.source)) else { continue };
        let Some(Kind::Activation(layer)) = node.framewise_kind() else { continue };
        let name = layer.function.keras_name();
        let product = TIMES_INPUT.iter().find(|(function, _)| *function == name).map(|(_, product)| *product);
        if let (Some(function), true) = (by_keras_name(product), edge.span == activated.span) {
            context.common_features_axis(data, other)?;
            let axis = context.elementwise_axis(data)?;
            let frames = context.frame_input(data, axis)?;
            return activation_layer(context, call, data, axis, frames, function).map(Some);
        }
    }
    Ok(None)
}

/// Adds an activation layer; one after a Dense layer is fused into it when the model is written.
fn activation_layer(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    data: &Data,
    axis: Option<usize>,
    FrameInput { edge, size }: FrameInput,
    function: Activation,
) -> Result<Vec<Value>> {
    let kind = Kind::Activation(layers::Activation::new(size, function));
    let edge = context.add_layer(&call.name, &call.origin, kind, &edge, size)?;
    Ok(vec![Value::Data(context.data_after(data, axis, edge)?)])
}
