//! The activations over any instruction set: once for floats, once for integers.

pub mod float;
pub mod int;
