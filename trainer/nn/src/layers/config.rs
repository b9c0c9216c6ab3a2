//! The layers of a config, by Keras's names.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::LayerSpec;
use crate::cells::{CellConfig, with_cells};

/// Declares [`LayerConfig`] from the rows of the table of cells, and the rows given here.
macro_rules! layer_configs {
    ($($keras:literal $module:ident $cell:ident $cell_config:ident,)*) => {
        layer_configs! {
            cells { $($keras $module $cell $cell_config,)* }
            layers {
                "Normalization" normalization Normalization NormalizationConfig,
                "Masking" masking Masking MaskingConfig,
                "Embedding" embedding Embedding EmbeddingConfig,
                "Bidirectional" bidirectional Bidirectional BidirectionalConfig,
                "Dense" dense Dense DenseConfig,
                "Activation" activation Activation ActivationConfig,
                "Dropout" dropout Dropout DropoutConfig,
                "BatchNormalization" batch_normalization BatchNormalization BatchNormalizationConfig,
                "LayerNormalization" layer_normalization LayerNormalization LayerNormalizationConfig,
                "GlobalMaxPooling1D" global_max_pooling1d GlobalMaxPooling1D GlobalMaxPooling1DConfig,
                "GlobalAveragePooling1D" global_average_pooling1d GlobalAveragePooling1D
                    GlobalAveragePooling1DConfig,
                "Add" add Add AddConfig,
            }
        }
    };
    (
        cells { $($cell_name:literal $cell_module:ident $cell:ident $cell_config:ident,)* }
        layers { $($name:literal $module:ident $layer:ident $config:ident,)* }
    ) => {
        /// A layer, by its Keras name.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type")]
        pub enum LayerConfig {
            $(
                #[doc = concat!("Keras's `", $cell_name, "`.")]
                #[serde(rename = $cell_name)]
                $cell(crate::cells::$cell_module::$cell_config),
            )*
            $(
                #[doc = concat!("Keras's `", $name, "`.")]
                #[serde(rename = $name)]
                $layer(super::$module::$config),
            )*
        }

        /// The names of all layers in a config.
        pub const NAMES: &[&str] = &[$($cell_name,)* $($name,)*];

        impl LayerConfig {
            /// Returns the interface that all layers share.
            pub fn get(&self) -> &dyn LayerSpec {
                match self {
                    $(Self::$cell(config) => config,)*
                    $(Self::$layer(config) => config,)*
                }
            }

            /// Returns the cell of a recurrent layer.
            pub fn cell(&self) -> Option<&dyn CellConfig> {
                match self {
                    $(Self::$cell(config) => Some(config),)*
                    $(Self::$layer(_) => None,)*
                }
            }

            /// Returns the default name of a layer.
            pub fn default_name(&self) -> &'static str {
                match self {
                    $(Self::$cell(_) => stringify!($cell_module),)*
                    $(Self::$layer(_) => stringify!($module),)*
                }
            }
        }
    };
}

with_cells!(layer_configs);

impl LayerConfig {
    /// Rejects a layer that cannot stand at its place, or has values that no layer can have.
    ///
    /// # Errors
    /// The key or the rule.
    pub fn check(&self, first: bool, sequences: bool) -> Result<()> {
        let spec = self.get();
        spec.check_units()?;
        ensure!(first || !spec.only_first(), "only the first layer can be of this type");
        ensure!(
            sequences || !spec.needs_time(),
            "expects sequences, but the recurrent layer before it returns its last output only: set \
             return_sequences = true there"
        );
        spec.check()
    }
}
