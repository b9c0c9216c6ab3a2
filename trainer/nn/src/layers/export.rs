//! The interface between a layer and its model file, with one method for each need of packing, quantizing,
//! folding, reading back and `ernn inspect`.
//!
//! There are no default methods, so a new layer compiles only once it implements all of them.

use anyhow::Result;
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::LayerRecord;

use super::{Affine, Layer};
use crate::activation::Activation;
use crate::export::{FloatWeights, IntLayer, PackedLayer, Site};

/// A layer that can be stored in a model file.
pub trait Export: Sized {
    /// Returns the kinds of records that the layer is read from; empty if it is not stored in files.
    fn kinds() -> Vec<RecordKind>;

    /// Rejects options that the runtime does not support in any dtype.
    ///
    /// # Errors
    /// The option and its value.
    fn check_export(&self) -> Result<()>;

    /// Returns the records of the layer in floats, in file order.
    ///
    /// # Errors
    /// A weight that the dtype cannot represent.
    fn export_float<N: FloatWeights>(&self, name: &str) -> Result<Vec<PackedLayer<N::Weight>>>;

    /// Returns the layers that compute the same in integer arithmetic; one of them may extend the name, as
    /// `NAME/PART`.
    ///
    /// # Errors
    /// An option that integers do not support.
    fn integer_form(&self, name: &str) -> Result<Vec<Layer<f32>>>;

    /// Returns the role of the layer in the input stage, where real inputs become integers.
    ///
    /// # Errors
    /// Weights that integers cannot represent.
    fn input_stage(&self, name: &str) -> Result<InputStage<'_>>;

    /// Returns the records of the layer in integers, in file order, where its inputs are integers.
    ///
    /// # Errors
    /// Weights or pre-activations that integers cannot represent; a layer that can only be the input stage.
    fn export_int(&self, name: &str, site: Site<'_>) -> Result<IntLayer>;

    /// Returns the number of gates whose pre-activations calibration observes; 0 for a layer without weighted
    /// rows.
    fn gates(&self) -> usize;

    /// Returns the function of the layer as far as it can be folded into the weights of a neighbor.
    fn fold_role(&self) -> FoldRole;

    /// Folds the affine map of the inputs into the weights; returns `false` if the layer has no such weights.
    fn absorb_before(&mut self, affine: &Affine) -> bool;

    /// Folds the function that follows the layer into its weights; returns `false` if that is not exact.
    fn absorb_after(&mut self, next: &FoldRole) -> bool;

    /// Reads the layer back from a file of floats. `before` holds the layers read so far.
    ///
    /// # Errors
    /// A record that no layer is packed into.
    fn read<N: FloatWeights>(stored: &Stored<'_, N>, before: &mut Vec<Layer<f32>>) -> Result<Self>;

    /// Returns the facts that `ernn inspect` prints for a record of the layer.
    fn summarize(record: &LayerRecord) -> RecordSummary;
}

/// The role of a layer in the input stage, where real inputs become integers, at the start of an integer
/// model.
pub enum InputStage<'a> {
    /// The layer has integer inputs: the input stage ends before it.
    Inner,
    /// The layer marks masked time steps and leaves the inputs unchanged: the input stage continues after it.
    Mask(PackedLayer<i32>),
    /// The layer maps the inputs to integers of the given unit: scales, then offsets, one per feature each.
    Affine(Box<dyn Fn(f64) -> Vec<f32> + 'a>),
    /// The layer maps ids to integers: its record for the given fraction bits, and their unit.
    Ids(Box<dyn Fn(u32) -> (PackedLayer<i32>, f64) + 'a>),
}

/// The function of a layer as far as it can be folded into the weights of a neighbor.
#[derive(Clone, Debug, PartialEq)]
pub enum FoldRole {
    /// The identity, outside of training.
    TrainingOnly,
    /// `scale * x + offset`, one of each per feature.
    Affine(Affine),
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

/// The facts that `ernn inspect` prints for a record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordSummary {
    /// Keras's name of the layer.
    pub keras_name: &'static str,
    /// Keras's name of the activation; `None` in a layer without pre-activations.
    pub activation: Option<&'static str>,
    /// Keras's name of the gate activation, where there are gates.
    pub recurrent_activation: Option<&'static str>,
    /// Keras's name of the merge mode of a Bidirectional.
    pub merge_mode: Option<&'static str>,
    /// The number of ids of an Embedding.
    pub input_dim: Option<u32>,
    /// `true` if id 0 of an Embedding marks a masked time step.
    pub mask_zero: bool,
    /// `true` if time steps are masked by the value of their features.
    pub has_mask_value: bool,
    /// The number of trained values, as Keras counts them in a layer with biases.
    pub parameters: u64,
    /// Multiply-adds of inputs and state with weights per time step.
    pub macs: u64,
}
