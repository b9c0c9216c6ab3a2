//! The kinds of layers, and the dispatch to them.

use anyhow::{Result, bail};
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::LayerRecord;

use super::{
    Activation, Add, Affine, BatchNormalization, Bidirectional, Dense, Dropout, Embedding, Export, FoldRole,
    GlobalAveragePooling1D, GlobalMaxPooling1D, InputStage, Layer, LayerNormalization, Masking, Module,
    Normalization, RecordSummary, Recurrent, Stored,
};
use crate::export::{FloatWeights, IntLayer, PackedLayer, Site};
use crate::tensor::Real;

/// The table of layers: a layer is a file in this folder, a row here, and a row of `config.rs`. Dispatch has
/// no default arm.
macro_rules! kinds {
    ($($(#[$doc:meta])* $layer:ident,)*) => {
        /// The kind of a layer, with its weights.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(clippy::large_enum_variant, reason = "a network has few layers")]
        pub enum Kind<T: Real> {
            $($(#[$doc])* $layer($layer<T>),)*
        }

        impl<T: Real> Kind<T> {
            /// Returns the interface that all layers share.
            pub fn get(&self) -> &dyn Module<T> {
                match self { $(Self::$layer(layer) => layer,)* }
            }

            /// Returns the interface that all layers share, to change the layer.
            pub fn get_mut(&mut self) -> &mut dyn Module<T> {
                match self { $(Self::$layer(layer) => layer,)* }
            }

            /// Converts the layer to another number type.
            pub fn cast<U: Real>(&self) -> Kind<U> {
                match self { $(Self::$layer(layer) => Kind::$layer(layer.cast()),)* }
            }

            /// Returns the number of layers before the layer that it spans, if it is a residual connection.
            pub fn span(&self) -> Option<usize> {
                if let Self::Add(add) = self { Some(add.span) } else { None }
            }

            /// Returns the name in a config; for a recurrent layer the name of the cell.
            pub fn keras_name(&self) -> &'static str {
                match self {
                    Self::Recurrent(layer) => layer.cell.keras_name(),
                    $(#[allow(unreachable_patterns)] Self::$layer(_) => stringify!($layer),)*
                }
            }
        }

        /// Calls of the [`Export`] methods of the layer.
        impl Kind<f32> {
            /// Calls [`Export::check_export`].
            pub fn check_export(&self) -> Result<()> {
                match self { $(Self::$layer(layer) => layer.check_export(),)* }
            }

            /// Calls [`Export::export_float`].
            pub fn export_float<N: FloatWeights>(&self, name: &str) -> Result<Vec<PackedLayer<N::Weight>>> {
                match self { $(Self::$layer(layer) => layer.export_float::<N>(name),)* }
            }

            /// Calls [`Export::integer_form`].
            pub fn integer_form(&self, name: &str) -> Result<Vec<Layer<f32>>> {
                match self { $(Self::$layer(layer) => layer.integer_form(name),)* }
            }

            /// Calls [`Export::input_stage`].
            pub fn input_stage(&self, name: &str) -> Result<InputStage<'_>> {
                match self { $(Self::$layer(layer) => layer.input_stage(name),)* }
            }

            /// Calls [`Export::export_int`].
            pub fn export_int(&self, name: &str, site: Site<'_>) -> Result<IntLayer> {
                match self { $(Self::$layer(layer) => layer.export_int(name, site),)* }
            }

            /// Calls [`Export::gates`].
            pub fn gates(&self) -> usize {
                match self { $(Self::$layer(layer) => layer.gates(),)* }
            }

            /// Calls [`Export::fold_role`].
            pub fn fold_role(&self) -> FoldRole {
                match self { $(Self::$layer(layer) => layer.fold_role(),)* }
            }

            /// Calls [`Export::absorb_before`].
            pub fn absorb_before(&mut self, affine: &Affine) -> bool {
                match self { $(Self::$layer(layer) => layer.absorb_before(affine),)* }
            }

            /// Calls [`Export::absorb_after`].
            pub fn absorb_after(&mut self, next: &FoldRole) -> bool {
                match self { $(Self::$layer(layer) => layer.absorb_after(next),)* }
            }

            /// Reads a layer back from a file of floats by its kind; see [`Export::read`].
            ///
            /// # Errors
            /// A record that no layer is packed into.
            pub fn read<N: FloatWeights>(
                stored: &Stored<'_, N>,
                before: &mut Vec<Layer<f32>>,
            ) -> Result<Self> {
                $(
                    if <$layer<f32> as Export>::kinds().contains(&stored.kind) {
                        return Ok(Self::$layer(Export::read(stored, before)?));
                    }
                )*
                bail!("kind {} cannot be read back", stored.record.kind)
            }

            /// Summarizes a record by its kind; `None` if no layer is packed into it.
            pub fn summarize(kind: RecordKind, record: &LayerRecord) -> Option<RecordSummary> {
                $(
                    if <$layer<f32> as Export>::kinds().contains(&kind) {
                        return Some(<$layer<f32> as Export>::summarize(record));
                    }
                )*
                None
            }
        }

        /// Returns the kinds of records that each layer is read from.
        #[cfg(test)]
        fn kinds_of_all() -> Vec<Vec<RecordKind>> {
            vec![$(<$layer<f32> as Export>::kinds(),)*]
        }

        /// The types of all layers.
        #[cfg(test)]
        const TYPES: &[&str] = &[$(stringify!($layer),)*];
    };
}

kinds! {
    /// Normalizes every feature to mean 0 and variance 1.
    Normalization,
    /// Marks masked time steps.
    Masking,
    /// A vector per id.
    Embedding,
    /// A cell that runs over time.
    Recurrent,
    /// A cell that runs over time in both directions.
    Bidirectional,
    /// A dense layer over every frame, with an activation.
    Dense,
    /// A function of every frame.
    Activation,
    /// Drops values in training.
    Dropout,
    /// Normalizes every feature to mean 0 and variance 1 over the batch.
    BatchNormalization,
    /// Normalizes every frame to mean 0 and variance 1 over its features.
    LayerNormalization,
    /// The largest value of every feature over time.
    GlobalMaxPooling1D,
    /// The mean of every feature over time.
    GlobalAveragePooling1D,
    /// The sum of a frame and the frame that entered an earlier layer.
    Add,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::NAMES;

    /// Checks that packing, reading back and the summary find exactly one layer for every kind of record of
    /// the runtime.
    #[test]
    fn every_kind_of_the_runtime_belongs_to_one_layer() {
        let all = kinds_of_all().concat();
        for kind in (0..=u8::MAX).filter_map(|code| RecordKind::from_code(code, embedded_rnn::ALL_FEATURES)) {
            assert_eq!(all.iter().filter(|own| **own == kind).count(), 1, "{kind:?}");
        }
    }

    /// Checks that every layer has a row in `config.rs`; a [`Recurrent`] has one for each of its cells.
    #[test]
    fn every_layer_has_a_config() {
        for layer in TYPES.iter().filter(|layer| **layer != "Recurrent") {
            assert!(NAMES.contains(layer), "{layer} has no row in config.rs");
        }
    }
}
