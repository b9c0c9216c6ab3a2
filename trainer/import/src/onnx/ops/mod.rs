//! The table of operators: each is a function from the values of the inputs to those of the outputs.

mod activations;
mod arg_max;
mod arithmetic;
mod concat;
mod folding;
mod gather;
mod initial_states;
mod layout;
mod merging;
mod normalization;
mod pooling;
mod product;
mod recurrent;
mod recurrent_cells;
mod repeated;
mod residual;
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
    ("Gemm", product::gemm),
    ("MatMul", product::mat_mul),
    ("Conv", product::conv),
    ("Add", arithmetic::add),
    ("Sub", arithmetic::sub),
    ("Mul", arithmetic::mul),
    ("Div", arithmetic::div),
    ("Neg", arithmetic::neg),
    ("Max", arithmetic::max),
    ("Min", arithmetic::min),
    ("Mean", merging::mean_or_sum),
    ("Sum", merging::mean_or_sum),
    ("ReduceMean", merging::reduce),
    ("ReduceSum", merging::reduce),
    ("ReduceMax", pooling::reduce_max),
    ("GlobalMaxPool", pooling::global),
    ("GlobalAveragePool", pooling::global),
    ("Sqrt", folding::function),
    ("Reciprocal", folding::function),
    ("Abs", folding::function),
    ("Pow", folding::pow),
    ("DequantizeLinear", folding::dequantize),
    ("BatchNormalization", normalization::batch),
    ("LayerNormalization", normalization::layer),
    ("Relu", activations::function),
    ("Tanh", activations::function),
    ("Sigmoid", activations::function),
    ("Softplus", activations::function),
    ("Softsign", activations::function),
    ("Exp", activations::function),
    ("HardSwish", activations::function),
    ("Mish", activations::function),
    ("LeakyRelu", activations::function),
    ("PRelu", arithmetic::prelu),
    ("Elu", activations::function),
    ("Celu", activations::function),
    ("Selu", activations::function),
    ("HardSigmoid", activations::function),
    ("Gelu", activations::gelu),
    ("Clip", activations::clip),
    ("Softmax", activations::softmax),
    ("LogSoftmax", activations::softmax),
    ("ArgMax", arg_max::arg_max),
    ("Identity", layout::identity),
    ("Dropout", layout::dropout),
    ("Cast", layout::cast),
    ("Transpose", layout::transpose),
    ("Squeeze", layout::squeeze),
    ("Unsqueeze", layout::unsqueeze),
    ("Reshape", layout::reshape),
    ("Flatten", layout::flatten),
    ("Gather", gather::gather),
    ("OneHot", gather::one_hot),
    ("Slice", slice::slice),
    ("Split", slice::split),
    ("Concat", concat::concat),
    ("ReverseSequence", time::reverse_sequence),
    ("Constant", shapes::constant),
    ("ConstantOfShape", repeated::constant_of_shape),
    ("Expand", repeated::expand),
    ("Tile", repeated::tile),
    ("Equal", shapes::equal),
    ("Where", shapes::where_),
    ("Shape", shapes::shape),
    ("ReduceProd", shapes::reduce_prod),
];

/// Returns the operator of this name.
pub fn find(name: &str) -> Option<Operator> {
    OPERATORS.iter().find(|(op, _)| *op == name).map(|(_, operator)| *operator)
}
