//! The table of operators: each is a function from the values of the inputs to those of the outputs.

mod activations;
mod arithmetic;
mod concat;
mod gather;
mod initial_states;
mod layout;
mod normalization;
mod recurrent;
mod recurrent_cells;
mod shapes;
mod slice;
mod time;

use anyhow::Result;

use super::call::Call;
use super::context::GraphContext;
use super::value::Value;

pub use shapes::value_of;

/// The evaluation of a node.
pub type Operator = for<'a> fn(&mut GraphContext<'a>, &mut Call<'a>) -> Result<Vec<Value>>;

/// The supported operators of ONNX.
const OPERATORS: &[(&str, Operator)] = &[
    ("LSTM", recurrent::lstm),
    ("GRU", recurrent::gru),
    ("RNN", recurrent::rnn),
    ("Gemm", arithmetic::gemm),
    ("MatMul", arithmetic::mat_mul),
    ("Add", arithmetic::add),
    ("Sub", arithmetic::sub),
    ("Mul", arithmetic::mul),
    ("Div", arithmetic::div),
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
    ("Gather", gather::gather),
    ("Slice", slice::slice),
    ("Split", slice::split),
    ("Concat", concat::concat),
    ("ReverseSequence", time::reverse_sequence),
    ("Constant", shapes::constant),
    ("ConstantOfShape", shapes::constant_of_shape),
    ("Expand", shapes::expand),
    ("Shape", shapes::shape),
    ("ReduceProd", shapes::reduce_prod),
];

/// Returns the operator of this name.
pub fn find(name: &str) -> Option<Operator> {
    OPERATORS.iter().find(|(op, _)| *op == name).map(|(_, operator)| *operator)
}
