//! tanh, sigmoid and softmax: once for floats, once for integers.

pub mod float;
pub mod int;
