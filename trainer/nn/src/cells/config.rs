//! The config of a recurrent layer: Keras's options that all cells share, and the options of each cell.

use anyhow::{Result, ensure};
use rand_chacha::ChaCha8Rng;

use super::AnyCell;
use crate::activation::Activation;
use crate::export::PackedLayout;

/// The options that all recurrent layers share.
#[derive(Clone, Copy, Debug)]
pub struct SharedOptions<'a> {
    /// The configured name.
    pub name: Option<&'a String>,
    /// The number of units.
    pub units: usize,
    /// The activation of the candidate, and in some cells of the output.
    pub activation: Activation,
    /// `true` if the layer has biases.
    pub use_bias: bool,
    /// The share of the input features that training drops.
    pub dropout: f64,
    /// `true` if the layer returns the output of every time step, not only that of the last.
    pub return_sequences: bool,
    /// `true` if the layer runs backwards.
    pub go_backwards: bool,
}

/// The part of a cell's config that `cell_config!` generates.
pub trait WithSharedOptions {
    /// Returns the options that all recurrent layers share, with defaults filled in.
    fn shared(&self) -> SharedOptions<'_>;
}

/// The config of a recurrent layer.
pub trait CellConfig: WithSharedOptions {
    /// Returns the layout of the cell in a file, which follows from the options.
    fn layout(&self) -> &'static PackedLayout;

    /// Returns the activation of the gates, where it can be chosen.
    fn recurrent_activation(&self) -> Option<Activation> {
        None
    }

    /// Builds the cell with its initial weights.
    fn build(&self, input_size: usize, rng: &mut ChaCha8Rng) -> AnyCell<f32>;
}

/// Rejects options that no cell supports.
pub fn check(config: &dyn CellConfig) -> Result<()> {
    let SharedOptions { activation, dropout, .. } = config.shared();
    check_activation("activation", activation)?;
    config.recurrent_activation().map_or(Ok(()), |gates| check_activation("recurrent_activation", gates))?;
    ensure!((0.0..1.0).contains(&dropout), "dropout: {dropout} is not between 0 and 1");
    Ok(())
}

/// Rejects activations that cells cannot be trained with: they save their gates only after the activation.
fn check_activation(key: &str, activation: Activation) -> Result<()> {
    let name = activation.keras_name();
    ensure!(activation.is_elementwise(), "{key}: only Dense supports {name}");
    ensure!(
        activation.own_parameter().is_none(),
        "{key} {activation}: cells support {name} with its default parameter only"
    );
    ensure!(!activation.needs_pre_activations(), "{key}: cells cannot be trained with {name}");
    Ok(())
}

/// Declares the config of a recurrent layer: the options that all share, and those of the cell, all of them
/// optional.
macro_rules! cell_config {
    ($(#[$meta:meta])* $config:ident { $($(#[$doc:meta])* $option:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $config {
            /// The name of the layer.
            pub name: Option<String>,
            /// The number of units.
            pub units: usize,
            /// The activation; tanh by default.
            pub activation: Option<crate::activation::Activation>,
            $($(#[$doc])* pub $option: Option<$type>,)*
            /// `true` if the layer has biases, which is the default.
            pub use_bias: Option<bool>,
            /// The share of the input features that training drops, the same ones at all time steps of a
            /// sequence; 0 by default.
            pub dropout: Option<f64>,
            /// `true` if the layer returns the output of every time step, not only that of the last.
            #[serde(default)]
            pub return_sequences: bool,
            /// `true` if the layer runs backwards; its outputs then start with that of the last frame.
            #[serde(default)]
            pub go_backwards: bool,
        }

        impl super::WithSharedOptions for $config {
            fn shared(&self) -> super::SharedOptions<'_> {
                super::SharedOptions {
                    name: self.name.as_ref(),
                    units: self.units,
                    activation: self.activation.unwrap_or(crate::activation::Activation::Tanh),
                    use_bias: self.use_bias.unwrap_or(true),
                    dropout: self.dropout.unwrap_or(0.0),
                    return_sequences: self.return_sequences,
                    go_backwards: self.go_backwards,
                }
            }
        }
    };
}
