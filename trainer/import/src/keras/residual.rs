//! Residual connections of a Functional model: the sum of the output so far and an earlier one.
//!
//! Keras writes `layers.add([x, y])` as a layer `Add` with two inputs, `x + y` as an operation `Add`, and
//! Keras 2 as a `TFOpLambda` with the name of the function.

use anyhow::{Context, Result, ensure};

use super::builder::LayerBuilder;
use super::layer_config::LayerConfig;
use embedded_rnn_nn::layers::{Add, Kind};

/// Returns whether the layer adds its inputs.
pub fn is_sum(layer: &LayerConfig) -> bool {
    let function = layer.options.clone().take("function");
    match layer.class.as_str() {
        "Add" => true,
        "TFOpLambda" => {
            function.is_some_and(|function| function == "math.add" || function == "__operators__.add")
        }
        _ => false,
    }
}

impl LayerBuilder {
    /// Reads the sum of the output so far and of an earlier layer.
    ///
    /// # Errors
    /// Tensors of different shapes, or a mask.
    pub fn residual(&mut self, sum: &mut LayerConfig) -> Result<Kind<f32>> {
        sum.options.ignore_training()?;
        sum.options.ignore(&["function"]);
        sum.options.clone().finish()?;
        self.info.check_unmasked(&sum.class)?;
        let other = sum.other.as_deref().unwrap_or_default();
        let earlier = self.outputs.get(other);
        let earlier = earlier.with_context(|| format!("inbound_nodes {other}: not supported in a sum"))?;
        ensure!(earlier.axes == self.info.axes(), "inbound_nodes {other}: another shape");
        let span = self.stack.layers().len() - earlier.layers;
        ensure!(span > 0, "inbound_nodes {other}: the sum of an output with itself is not supported");
        Ok(Kind::Add(Add::new(self.info.features, span)))
    }
}
