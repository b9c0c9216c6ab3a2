//! Layers: their weights, and their forward and backward passes over packed batches.

pub mod activation;
pub mod add;
mod affine;
pub mod batch_normalization;
pub mod bidirectional;
mod config;
pub mod dense;
pub mod dropout;
pub mod embedding;
mod export;
pub mod global_average_pooling1d;
pub mod global_max_pooling1d;
mod kind;
pub mod layer_normalization;
pub mod masking;
mod merge_mode;
pub mod normalization;
mod observer;
pub mod pooling;
mod recurrent;
mod rows;
mod spec;

pub use affine::Affine;
pub use config::{LayerConfig, NAMES};
pub use export::{Export, FoldRole, InputStage, RecordSummary, Stored};
pub use kind::Kind;
pub use observer::{NetworkObserver, Observer, Signal};
pub use spec::{LayerSpec, check_epsilon};

pub use activation::Activation;
pub use add::Add;
pub use batch_normalization::BatchNormalization;
pub use bidirectional::Bidirectional;
pub use dense::Dense;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use global_average_pooling1d::GlobalAveragePooling1D;
pub use global_max_pooling1d::GlobalMaxPooling1D;
pub use layer_normalization::LayerNormalization;
pub use masking::Masking;
pub use merge_mode::MergeMode;
pub use normalization::Normalization;
pub use recurrent::Recurrent;

use rand_chacha::ChaCha8Rng;

use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real, column_sum};

/// The context of a forward pass of a layer, in addition to the batch.
pub struct Pass<'a, T: Real> {
    /// The initial states, `[hidden x sequences]`, in the order of [`Module::states`]; empty for those of the
    /// layer itself.
    pub initial: &'a [Matrix<T>],
    /// The random numbers of training; `None` in inference.
    pub training: Option<ChaCha8Rng>,
}

/// The results of a forward pass of a layer.
pub struct ForwardCache<T: Real> {
    /// The output.
    pub output: PackedSequence<T>,
    /// The new values of the layer's statistics, in their order.
    pub statistics: Vec<Matrix<T>>,
    /// The saved activations, which only the layer itself reads in the backward pass.
    saved: Vec<Matrix<T>>,
    /// The caches of the layers inside it.
    inner: Vec<ForwardCache<T>>,
}

impl<T: Real> ForwardCache<T> {
    /// Creates the cache of a layer that maps each frame separately, and has no statistics.
    fn framewise(input: &PackedSequence<T>, values: Matrix<T>, saved: Vec<Matrix<T>>) -> Self {
        let output = PackedSequence { values, steps: input.steps.clone() };
        Self { output, statistics: Vec::new(), saved, inner: Vec::new() }
    }
}

/// The gradients of a backward pass through a layer.
pub struct Gradients<T: Real> {
    /// The gradients of the layer's parameters, in their order.
    pub parameters: Vec<Matrix<T>>,
    /// The gradients of the initial states, in their order.
    pub initial: Vec<Matrix<T>>,
    /// The gradients of the state `h` of a recurrent layer, `[hidden x (sequences + columns)]` as the states
    /// themselves; one matrix per direction, and none without recurrence.
    pub h: Vec<Matrix<T>>,
    /// The gradients of the input's share of the pre-activations, `[rows x columns]`, from which
    /// [`Module::input_gradient`] computes the gradient of the input; the first trained layer does not need
    /// that.
    pre_activations: Vec<Matrix<T>>,
}

impl<T: Real> Gradients<T> {
    /// Creates the gradients of a layer without states.
    fn stateless(parameters: Vec<Matrix<T>>, pre_activations: Matrix<T>) -> Self {
        Self { parameters, initial: Vec::new(), h: Vec::new(), pre_activations: vec![pre_activations] }
    }
}

/// The interface that all layers share.
pub trait Module<T: Real> {
    /// Returns the number of output features.
    fn output_size(&self) -> usize;

    /// Returns all trained parameters by name, in a fixed order.
    fn parameters(&self) -> Vec<(&'static str, &Matrix<T>)> {
        Vec::new()
    }

    /// Returns mutable references to all trained parameters, in the same order.
    fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        Vec::new()
    }

    /// Returns the statistics that training updates without gradients, in a fixed order. A layer with
    /// statistics requires whole batches.
    fn statistics(&self) -> Vec<&Matrix<T>> {
        Vec::new()
    }

    /// Returns mutable references to all statistics, in the same order.
    fn statistics_mut(&mut self) -> Vec<&mut Matrix<T>> {
        Vec::new()
    }

    /// Returns the sizes of the states.
    fn states(&self) -> Vec<usize> {
        Vec::new()
    }

    /// Returns the initial states of a sequence, in the order of [`Self::states`].
    fn initial_states(&self) -> Vec<Vec<T>> {
        self.states().into_iter().map(|size| vec![T::zero(); size]).collect()
    }

    /// Returns `true` if a sequence of inputs results in a sequence of outputs.
    fn keeps_time(&self) -> bool {
        true
    }

    /// Returns the value that all features of a masked frame have, if the layer masks frames.
    fn mask_value(&self) -> Option<T> {
        None
    }

    /// Runs the forward pass over a batch.
    fn forward(&self, input: &PackedSequence<T>, pass: Pass<'_, T>) -> ForwardCache<T>;

    /// Returns the states after the last step of each sequence, `[hidden x sequences]`, in the order of
    /// [`Self::states`].
    fn final_states(&self, _input: &PackedSequence<T>, _cache: &ForwardCache<T>) -> Vec<Matrix<T>> {
        Vec::new()
    }

    /// Runs the backward pass: computes the gradients of the parameters from those of the output and of the
    /// final states. `d_final` holds those of [`Self::final_states`], or is empty for zeros.
    fn backward(
        &self,
        input: &PackedSequence<T>,
        cache: &ForwardCache<T>,
        d_output: Matrix<T>,
        d_final: &[Matrix<T>],
    ) -> Gradients<T>;

    /// Returns the gradients from those of the pre-activations, `[units x columns]`, for a loss whose
    /// gradient includes the slope of the activation; `None` in a layer without an activation of its own.
    fn backward_pre_activations(&self, input: &PackedSequence<T>, d: Matrix<T>) -> Option<Gradients<T>>;

    /// Computes the gradient of the input, `[in x columns]`, from the gradients of the layer.
    fn input_gradient(
        &self,
        input: &PackedSequence<T>,
        cache: &ForwardCache<T>,
        gradients: &Gradients<T>,
    ) -> Matrix<T>;

    /// Runs the reference forward pass over the frames of one sequence, which defines the result of
    /// [`Self::forward`]. `states`, in the order of [`Self::states`], are the initial ones and on return the
    /// final ones; `observe` receives the values inside.
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
    /// The name, unique in its network.
    pub name: String,
    /// The kind of the layer, with its weights.
    pub kind: Kind<T>,
}

/// Computes `gamma * column + beta`, in place.
fn scale_and_shift<T: Real>(values: &mut Matrix<T>, gamma: &Matrix<T>, beta: &Matrix<T>) {
    for mut column in values.column_iter_mut() {
        column.component_mul_assign(&gamma.column(0));
        column += beta.column(0);
    }
}

/// Returns the gradients of gamma and beta.
fn scale_and_shift_gradients<T: Real>(normalized: &Matrix<T>, d_output: &Matrix<T>) -> Vec<Matrix<T>> {
    vec![column_sum(&normalized.component_mul(d_output)), column_sum(d_output)]
}
