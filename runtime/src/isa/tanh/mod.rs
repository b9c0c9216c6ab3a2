//! tanh, the one function that every gate needs: an operation of the instruction set, once for floats and once for integers.

pub mod float;
pub mod int;
