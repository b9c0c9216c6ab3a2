//! What a config says of a recurrent layer: Keras's options that all cells share, and the cell's own.

use anyhow::{Result, ensure};
use rand_chacha::ChaCha8Rng;

use super::AnyCell;
use crate::activation::Activation;
use crate::export::PackedLayout;

/// The options that all recurrent layers share.
#[derive(Clone, Copy, Debug)]
pub struct SharedOptions<'a> {
    /// The name given.
    pub name: Option<&'a String>,
    /// The number of units.
    pub units: usize,
    /// What makes the candidate of the sums, and for some cells the output of the state.
    pub activation: Activation,
    /// Whether there are biases.
    pub use_bias: bool,
    /// The share of the input's features that training leaves out.
    pub dropout: f64,
    /// Whether the output of every step goes on, or only that of the last.
    pub return_sequences: bool,
    /// Whether sequences are read from their ends.
    pub go_backwards: bool,
}

/// The part of a cell's config that `cell_config!` writes.
pub trait WithSharedOptions {
    /// The options that all recurrent layers share, defaults filled in.
    fn shared(&self) -> SharedOptions<'_>;
}

/// What a config says of a recurrent layer.
pub trait CellConfig: WithSharedOptions {
    /// Returns the layout of the cell in a file, which follows from the options.
    fn layout(&self) -> &'static PackedLayout;

    /// What the gates do to their sums, where that can be chosen.
    fn recurrent_activation(&self) -> Option<Activation> {
        None
    }

    /// The cell to start from.
    fn build(&self, input_size: usize, rng: &mut ChaCha8Rng) -> AnyCell<f32>;
}

/// Refuses what no cell can do.
pub fn check(config: &dyn CellConfig) -> Result<()> {
    let SharedOptions { activation, dropout, .. } = config.shared();
    check_activation("activation", activation)?;
    config.recurrent_activation().map_or(Ok(()), |gates| check_activation("recurrent_activation", gates))?;
    ensure!((0.0..1.0).contains(&dropout), "dropout: {dropout} is not between 0 and 1");
    Ok(())
}

/// Refuses what cells cannot be trained with: they keep their gates as they are after the activation.
fn check_activation(key: &str, activation: Activation) -> Result<()> {
    let name = activation.keras_name();
    ensure!(activation.is_elementwise(), "{key}: {name} is for Dense");
    ensure!(!activation.needs_pre_activations(), "{key}: cells are not trained with {name}");
    Ok(())
}

/// Declares the config of a recurrent layer: the options that all share, and the cell's own, all of them optional.
macro_rules! cell_config {
    ($(#[$meta:meta])* $config:ident { $($(#[$doc:meta])* $option:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $config {
            /// Its name.
            pub name: Option<String>,
            /// The number of units.
            pub units: usize,
            /// tanh unless said otherwise.
            pub activation: Option<crate::activation::Activation>,
            $($(#[$doc])* pub $option: Option<$type>,)*
            /// Whether there are biases; there are unless said otherwise.
            pub use_bias: Option<bool>,
            /// The share of the input's features that training leaves out, the same ones at all steps of a sequence; 0
            /// unless said otherwise.
            pub dropout: Option<f64>,
            /// Whether the output of every step goes on, or only that of the last.
            #[serde(default)]
            pub return_sequences: bool,
            /// Whether sequences are read from their ends; outputs then come in the order in which they are made.
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
