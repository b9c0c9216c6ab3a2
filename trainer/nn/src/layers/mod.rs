//! Layers: what they hold, and their way forward and back over a packed batch.

pub mod activation;
pub mod batch_normalization;
pub mod bidirectional;
mod config;
pub mod dense;
pub mod dropout;
pub mod embedding;
mod export;
pub mod layer_normalization;
pub mod masking;
pub mod normalization;
mod observer;
mod recurrent;
mod rows;
mod spec;

pub use config::LayerConfig;
#[cfg(test)]
pub use config::NAMES;
pub use export::{Export, FoldRole, InputStage, RecordSummary, Stored};
pub use observer::{NetworkObserver, Observer, Signal};
pub use spec::{LayerSpec, check_epsilon};

pub use activation::Activation;
pub use batch_normalization::BatchNormalization;
pub use bidirectional::{Bidirectional, MergeMode};
pub use dense::Dense;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use layer_normalization::LayerNormalization;
pub use masking::Masking;
pub use normalization::Normalization;
pub use recurrent::Recurrent;

use anyhow::{Result, bail};
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::LayerRecord;
use rand_chacha::ChaCha8Rng;

use crate::export::{FloatWeights, IntLayer, PackedLayer, Site};
use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real, column_sum};

/// What a layer is told of a pass over a batch, beside the batch.
pub struct Pass<'a, T: Real> {
    /// The initial states, `[hidden x sequences]`, in the order of [`Module::states`]; none for zeros.
    pub initial: &'a [Matrix<T>],
    /// What is random in training; `None` when the network is used.
    pub training: Option<ChaCha8Rng>,
}

/// What a layer did with a batch.
pub struct ForwardCache<T: Real> {
    /// What it gave.
    pub output: PackedSequence<T>,
    /// What the statistics of the layer become by this batch, in their order.
    pub statistics: Vec<Matrix<T>>,
    /// What only the layer itself reads, on the way back.
    saved: Vec<Matrix<T>>,
    /// What the layers inside it did.
    inner: Vec<ForwardCache<T>>,
}

impl<T: Real> ForwardCache<T> {
    /// Of a layer that does something to every frame, and has no statistics.
    fn framewise(input: &PackedSequence<T>, values: Matrix<T>, saved: Vec<Matrix<T>>) -> Self {
        let output = PackedSequence { values, steps: input.steps.clone() };
        Self { output, statistics: Vec::new(), saved, inner: Vec::new() }
    }
}

/// What a backward pass through a layer found.
pub struct Gradients<T: Real> {
    /// Of the layer's parameters, in their order.
    pub parameters: Vec<Matrix<T>>,
    /// Of the initial states, in their order.
    pub initial: Vec<Matrix<T>>,
    /// Of the sums that the layer takes over its input, `[sums x columns]`: the way on to the input's own
    /// gradient, which a first layer does not need.
    sums: Vec<Matrix<T>>,
}

impl<T: Real> Gradients<T> {
    /// Of a layer without states.
    fn stateless(parameters: Vec<Matrix<T>>, sums: Matrix<T>) -> Self {
        Self { parameters, initial: Vec::new(), sums: vec![sums] }
    }
}

/// What all layers share.
pub trait Module<T: Real> {
    /// Features out.
    fn output_size(&self) -> usize;

    /// Everything that is trained, by name, in a fixed order.
    fn parameters(&self) -> Vec<(&'static str, &Matrix<T>)> {
        Vec::new()
    }

    /// The same, to change.
    fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        Vec::new()
    }

    /// What training learns without gradients, in a fixed order. A layer that has any wants to see whole batches.
    fn statistics(&self) -> Vec<&Matrix<T>> {
        Vec::new()
    }

    /// The same, to change.
    fn statistics_mut(&mut self) -> Vec<&mut Matrix<T>> {
        Vec::new()
    }

    /// The sizes of its states.
    fn states(&self) -> Vec<usize> {
        Vec::new()
    }

    /// Returns `true` if a sequence in gives a sequence out.
    fn keeps_time(&self) -> bool {
        true
    }

    /// Returns the value that all features of a masked frame have, if the layer masks frames.
    fn mask_value(&self) -> Option<T> {
        None
    }

    /// Runs over a batch.
    fn forward(&self, input: &PackedSequence<T>, pass: Pass<'_, T>) -> ForwardCache<T>;

    /// The states after the last step of each sequence, `[hidden x sequences]`, in the order of [`Self::states`].
    fn final_states(&self, _input: &PackedSequence<T>, _trace: &ForwardCache<T>) -> Vec<Matrix<T>> {
        Vec::new()
    }

    /// Goes back: from the gradients of the output and of the final states to those of the parameters. `d_final` holds
    /// those of [`Self::final_states`], or nothing for zeros.
    fn backward(
        &self,
        input: &PackedSequence<T>,
        cache: &ForwardCache<T>,
        d_output: Matrix<T>,
        d_final: &[Matrix<T>],
    ) -> Gradients<T>;

    /// Returns the gradients from those of the pre-activations, `[units x columns]`, for a loss whose gradient includes the slope
    /// of the activation; `None` in a layer without an activation of its own.
    fn backward_pre_activations(&self, input: &PackedSequence<T>, d: Matrix<T>) -> Option<Gradients<T>>;

    /// And on to the gradient of the input, `[in x columns]`.
    fn input_gradient(
        &self,
        input: &PackedSequence<T>,
        cache: &ForwardCache<T>,
        gradients: &Gradients<T>,
    ) -> Matrix<T>;

    /// The frames of one sequence in plain loops: what [`Self::forward`] means. `states`, in the order of
    /// [`Self::states`], come as the initial ones and end as the final ones; `observe` hears the numbers inside.
    fn forward_reference(
        &self,
        frames: Vec<Vec<T>>,
        states: &mut [Vec<T>],
        observe: Observer<'_, T>,
    ) -> Vec<Vec<T>>;
}

/// A layer and its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer<T: Real> {
    /// Unique in its network.
    pub name: String,
    /// What it is.
    pub kind: Kind<T>,
}

/// The table of layers: a layer is a file beside this one, a row here, and a row of `config.rs`. Dispatch has no default arm.
macro_rules! kinds {
    ($($(#[$doc:meta])* $layer:ident,)*) => {
        /// The kind of a layer, with its weights.
        #[derive(Clone, Debug, PartialEq)]
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

            /// Returns the name in a config; of a recurrent layer that of the cell.
            pub fn keras_name(&self) -> &'static str {
                match self {
                    Self::Recurrent(layer) => layer.cell.keras_name(),
                    $(#[allow(unreachable_patterns)] Self::$layer(_) => stringify!($layer),)*
                }
            }
        }

        /// [`Export`] of the layer at hand.
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
            pub fn absorb_before(&mut self, scale: &Matrix<f32>, offset: &Matrix<f32>) -> bool {
                match self { $(Self::$layer(layer) => layer.absorb_before(scale, offset),)* }
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

        /// The kinds of records that each layer is read from.
        #[cfg(test)]
        fn kinds_of_all() -> Vec<Vec<RecordKind>> {
            vec![$(<$layer<f32> as Export>::kinds(),)*]
        }
    };
}

kinds! {
    /// Brings every feature to mean 0 and variance 1.
    Normalization,
    /// Says which frames are none.
    Masking,
    /// A vector for every id.
    Embedding,
    /// Runs a cell over time.
    Recurrent,
    /// Runs a cell over time in both directions.
    Bidirectional,
    /// Weighted sums of every frame, and an activation.
    Dense,
    /// A function of every frame.
    Activation,
    /// Leaves out values in training.
    Dropout,
    /// Brings every feature to mean 0 and variance 1 over the batch.
    BatchNormalization,
    /// Brings every frame to mean 0 and variance 1 over its features.
    LayerNormalization,
}

/// `gamma * column + beta`, in place.
fn scale_and_shift<T: Real>(values: &mut Matrix<T>, gamma: &Matrix<T>, beta: &Matrix<T>) {
    for mut column in values.column_iter_mut() {
        column.component_mul_assign(&gamma.column(0));
        column += beta.column(0);
    }
}

/// The gradients of gamma and beta.
fn scale_and_shift_gradients<T: Real>(normalized: &Matrix<T>, d_output: &Matrix<T>) -> Vec<Matrix<T>> {
    vec![column_sum(&normalized.component_mul(d_output)), column_sum(d_output)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packing, reading back and the summary find exactly one layer for every kind that the runtime has.
    #[test]
    fn every_kind_of_the_runtime_belongs_to_one_layer() {
        let all = kinds_of_all().concat();
        for kind in (0..=u8::MAX).filter_map(|code| RecordKind::from_code(code, embedded_rnn::ALL_FEATURES)) {
            assert_eq!(all.iter().filter(|own| **own == kind).count(), 1, "{kind:?}");
        }
    }
}
