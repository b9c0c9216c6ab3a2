//! Functions of single values, and an input of the graph behind such functions.
//!
//! `x / 255` is the same whatever the axes of x are. So an operator on an input whose feature axis is still
//! unknown waits until a layer determines the axis.

use std::cell::OnceCell;

use anyhow::{Context as _, Result};

use super::layer_graph::Edge;
use crate::composed::Elementwise;
use embedded_rnn_nn::activation::Activation;

/// A function with a parameter, which is one for all values or one per feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameterized {
    /// The product with the parameter.
    Scale,
    /// The sum with the parameter.
    Offset,
    /// The value, or below 0 its product with the parameter.
    LeakyRelu,
}

impl Parameterized {
    /// Returns the function with one parameter for all values.
    ///
    /// # Errors
    /// A slope that is not finite.
    pub fn with(self, parameter: f32) -> Result<Elementwise> {
        Ok(match self {
            Self::Scale => Elementwise::Scale(parameter),
            Self::Offset => Elementwise::Offset(parameter),
            Self::LeakyRelu => Elementwise::Function(
                Activation::leaky_relu(parameter).context("a slope that is not finite")?,
            ),
        })
    }
}

/// The name and the origin of a new layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerName {
    /// The name.
    pub name: String,
    /// The description of the node.
    pub origin: String,
}

/// An input of the graph behind functions that wait for its feature axis.
#[derive(Debug)]
pub struct WaitingInput {
    /// The index of the input.
    pub input: usize,
    /// The functions, each with the name of its layers.
    pub functions: Vec<(LayerName, Elementwise)>,
    /// The last of their layers, once there are any.
    pub edge: OnceCell<Edge>,
}
