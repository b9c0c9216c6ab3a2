//! The table of operators: each is a function that knows what becomes of its inputs, or refuses.

mod activations;
mod join;
mod layout;
mod normalization;
mod recurrent;
mod select;
mod shapes;
mod states;
mod sums;
mod time;

use anyhow::Result;

use super::call::Call;
use super::context::Context;
use super::value::Value;

pub use shapes::value_of;

/// What an operator does with a node.
pub type Op = for<'a> fn(&mut Context<'a>, &mut Call<'a>) -> Result<Vec<Value>>;

/// Operators of ONNX by their names.
const OPS: &[(&str, Op)] = &[
    ("LSTM", recurrent::lstm),
    ("GRU", recurrent::gru),
    ("RNN", recurrent::rnn),
    ("Gemm", sums::gemm),
    ("MatMul", sums::mat_mul),
    ("Add", sums::add),
    ("Sub", sums::sub),
    ("Mul", sums::mul),
    ("Div", sums::div),
    ("BatchNormalization", normalization::batch),
    ("LayerNormalization", normalization::layer),
    ("Relu", activations::elementwise),
    ("Tanh", activations::elementwise),
    ("Sigmoid", activations::elementwise),
    ("Softplus", activations::elementwise),
    ("Softsign", activations::elementwise),
    ("Exp", activations::elementwise),
    ("HardSwish", activations::elementwise),
    ("Mish", activations::elementwise),
    ("LeakyRelu", activations::elementwise),
    ("Elu", activations::elementwise),
    ("Celu", activations::elementwise),
    ("Selu", activations::elementwise),
    ("HardSigmoid", activations::elementwise),
    ("Gelu", activations::gelu),
    ("Clip", activations::clip),
    ("Softmax", activations::softmax),
    ("LogSoftmax", activations::softmax),
    ("Identity", layout::identity),
    ("Dropout", layout::dropout),
    ("Cast", layout::cast),
    ("Transpose", layout::transpose),
    ("Squeeze", layout::squeeze),
    ("Unsqueeze", layout::unsqueeze),
    ("Reshape", layout::reshape),
    ("Flatten", layout::flatten),
    ("Gather", select::gather),
    ("Slice", select::slice),
    ("Split", select::split),
    ("Concat", join::concat),
    ("ReverseSequence", time::reverse_sequence),
    ("Constant", shapes::constant),
    ("ConstantOfShape", shapes::constant_of_shape),
    ("Expand", shapes::expand),
    ("Shape", shapes::shape),
    ("ReduceProd", shapes::reduce_prod),
];

/// The operator of this name.
pub fn find(name: &str) -> Option<Op> {
    OPS.iter().find(|(op, _)| *op == name).map(|(_, op)| *op)
}
