//! The part of a layer that has to do with its model file: one method per question that packing, quantizing, folding,
//! reading back and `ernn inspect` ask.
//!
//! There are no default answers, so a new layer does not compile until it has given all of them.

use anyhow::Result;
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::LayerRecord;

use super::Layer;
use crate::activation::Activation;
use crate::export::{FloatWeights, IntLayer, PackedLayer, Site};
use crate::tensor::Matrix;

/// A layer that a model file can hold.
pub trait Export: Sized {
    /// Returns the kinds of records that the layer is read from; none if it is not in files.
    fn kinds() -> Vec<RecordKind>;

    /// Rejects options that the runtime does not have in any dtype.
    ///
    /// # Errors
    /// The option and its value.
    fn check_export(&self) -> Result<()>;

    /// Returns the records of the layer in floats, in file order.
    ///
    /// # Errors
    /// A weight that the dtype cannot hold.
    fn export_float<N: FloatWeights>(&self, name: &str) -> Result<Vec<PackedLayer<N::Weight>>>;

    /// Returns the layers that compute the same in integer arithmetic; one of them may take the name further, as `NAME/PART`.
    ///
    /// # Errors
    /// An option that integers do not have.
    fn integer_form(&self, name: &str) -> Result<Vec<Layer<f32>>>;

    /// Returns the part that the layer plays where real inputs become integers.
    ///
    /// # Errors
    /// Weights that integers do not hold.
    fn input_stage(&self, name: &str) -> Result<InputStage<'_>>;

    /// Returns the records of the layer in integers, in file order, where its inputs are integers.
    ///
    /// # Errors
    /// Weights or sums that integers do not hold; a layer that can only be the input stage.
    fn export_int(&self, name: &str, site: Site<'_>) -> Result<IntLayer>;

    /// Returns the number of gates whose pre-activations calibration has to observe; 0 for a layer without weighted rows.
    fn gates(&self) -> usize;

    /// Returns the function of the layer as far as a neighbor can take it into its weights.
    fn fold_role(&self) -> FoldRole;

    /// Takes the affine map `scale * x + offset` of the inputs into the weights; returns `false` if there are none to take it.
    fn absorb_before(&mut self, scale: &Matrix<f32>, offset: &Matrix<f32>) -> bool;

    /// Takes the function that follows the layer into its weights; returns `false` if that is not exact.
    fn absorb_after(&mut self, next: &FoldRole) -> bool;

    /// Reads the layer back from a file of floats. `before` holds the layers read so far.
    ///
    /// # Errors
    /// A record that no layer is packed into.
    fn read<N: FloatWeights>(stored: &Stored<'_, N>, before: &mut Vec<Layer<f32>>) -> Result<Self>;

    /// Returns the facts that `ernn inspect` shows of a record of the layer.
    fn summarize(record: &LayerRecord) -> RecordSummary;
}

/// The part of a layer where real inputs become integers, at the start of an integer model.
pub enum InputStage<'a> {
    /// Takes integers: the input stage ends before this layer.
    Inner,
    /// Marks masked time steps and leaves the inputs as they are: the input stage goes on after this record.
    Mask(PackedLayer<i32>),
    /// Maps the inputs to integers of the unit given: scales, then offsets, one per feature each.
    Affine(Box<dyn Fn(f64) -> Vec<f32> + 'a>),
    /// Maps ids to integers of this unit.
    Ids(PackedLayer<i32>, f64),
}

/// The function of a layer as far as a neighbor can take it into its weights.
#[derive(Clone, Debug, PartialEq)]
pub enum FoldRole {
    /// The identity, outside of training.
    TrainingOnly,
    /// `scale * x + offset`, one of each per feature.
    Affine {
        /// `[features x 1]`.
        scale: Matrix<f32>,
        /// `[features x 1]`.
        offset: Matrix<f32>,
    },
    /// An activation.
    Function(Activation),
    /// Any other function.
    Other,
}

/// A record of a file of floats, with its weights.
pub struct Stored<'a, N: FloatWeights> {
    /// The kind of the record.
    pub kind: RecordKind,
    /// The record.
    pub record: &'a LayerRecord,
    /// The weights in file order.
    pub weights: &'a [N::Weight],
}

impl<N: FloatWeights> Stored<'_, N> {
    /// Returns the weights of layers whose numbers are f32 in every file.
    pub fn f32s(&self) -> &[f32] {
        bytemuck::cast_slice(self.weights)
    }

    /// Returns the weights, widened to f32.
    pub fn widened(&self) -> Vec<f32> {
        N::to_f32(self.weights)
    }
}

/// The facts that `ernn inspect` shows of a record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordSummary {
    /// Keras's name of the layer.
    pub keras_name: &'static str,
    /// Keras's name of the activation; `None` in a layer without pre-activations.
    pub activation: Option<&'static str>,
    /// The same for the gates, where there are any.
    pub recurrent_activation: Option<&'static str>,
    /// Keras's name of the merge mode of a Bidirectional.
    pub merge_mode: Option<&'static str>,
    /// The number of ids of an Embedding.
    pub input_dim: Option<u32>,
    /// `true` if id 0 of an Embedding marks a masked time step.
    pub mask_zero: bool,
    /// `true` if time steps are masked by the value of their features.
    pub has_mask_value: bool,
    /// Trained numbers, as Keras counts them in a layer with biases.
    pub parameters: u64,
    /// Multiply-adds of inputs and state with weights per time step.
    pub macs: u64,
}
