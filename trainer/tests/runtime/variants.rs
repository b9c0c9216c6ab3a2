//! The variants of layers that validation at load accepts: kinds, activations and merge modes.

use embedded_rnn::format::{Activation, LayerRecord, MergeMode};
use embedded_rnn::{ALL_FEATURES, DType, Error, F32, Kind, LayerFault, Model, Number};

use crate::files::{Layer, file, is_cell};

/// The fraction bits of activations in records of integers.
pub const FRAC: u8 = 12;

/// The fields of a record that select the function of its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variant {
    pub kind: u8,
    pub activation: u8,
    pub recurrent_activation: u8,
    pub merge_mode: u8,
}

impl Variant {
    pub fn of(record: &LayerRecord) -> Self {
        let LayerRecord { kind, activation, recurrent_activation, merge_mode, .. } = *record;
        Self { kind, activation, recurrent_activation, merge_mode }
    }

    /// Returns the variant of a kind with all other fields 0.
    pub fn of_kind(kind: Kind) -> Self {
        Self { kind: kind as u8, activation: 0, recurrent_activation: 0, merge_mode: 0 }
    }

    pub fn kind(self) -> Kind {
        Kind::from_code(self.kind, ALL_FEATURES).unwrap()
    }

    /// Returns a record of one unit over one input; in integers all activations have [`FRAC`] fraction bits.
    pub fn record<N: Number>(self) -> LayerRecord {
        let integers = N::DTYPE == DType::I8;
        let kinds = [Kind::Activation, Kind::BatchNormalization];
        let has_input_frac = integers && kinds.iter().any(|&kind| kind as u8 == self.kind);
        LayerRecord {
            kind: self.kind,
            activation: self.activation,
            recurrent_activation: self.recurrent_activation,
            merge_mode: self.merge_mode,
            input_size: 1,
            units: 1,
            frac: if integers { FRAC } else { 0 },
            input_frac: if has_input_frac { FRAC } else { 0 },
            output_scale: 1.0,
            ..bytemuck::Zeroable::zeroed()
        }
    }

    /// Returns whether the variant has an extended activation, or gates that are not between 0 and 1.
    pub fn is_extended(self) -> bool {
        let gates = [Activation::Linear, Activation::Relu, Activation::Tanh];
        let has_gates = matches!(self.kind(), Kind::Lstm | Kind::Gru | Kind::GruResetBefore);
        Activation::is_extended(self.activation)
            || Activation::is_extended(self.recurrent_activation)
            || (has_gates && gates.iter().any(|&gate| gate as u8 == self.recurrent_activation))
    }

    pub fn is_cell(self) -> bool {
        is_cell(&self.record::<F32>())
    }

    /// Returns whether the fields are valid in a record, regardless of its weights and place.
    fn is_known<N: Number>(self) -> bool {
        let accepts = |record| {
            let file = file::<N>(&[Layer { record, words: Vec::new() }], 0);
            let Err(Error::Layer { reason, .. }) = Model::<N>::new(&file) else { return true };
            !matches!(reason, LayerFault::Kind | LayerFault::Reserved | LayerFault::Activation)
        };
        // `input_dim` is reserved in all kinds but Embedding, which requires it.
        let record = LayerRecord { cell_frac: 29, ..self.record::<N>() };
        accepts(record) || accepts(LayerRecord { input_dim: 1, ..record })
    }
}

/// Returns every kind in the runtime's table.
pub fn kinds() -> impl Iterator<Item = Kind> {
    (0..=u8::MAX).filter_map(|code| Kind::from_code(code, ALL_FEATURES))
}

/// Returns every variant of every kind.
pub fn all<N: Number>() -> Vec<Variant> {
    let activations = || (0..=u8::MAX).filter(|&code| Activation::from_code(code).is_some());
    let modes: Vec<u8> = (0..=u8::MAX).filter(|&code| MergeMode::from_code(code).is_some()).collect();
    let mut all = Vec::new();
    for kind in kinds() {
        let variant = |activation, recurrent_activation, merge_mode| Variant {
            kind: kind as u8,
            activation,
            recurrent_activation,
            merge_mode,
        };
        let merges = variant(0, 0, modes[0]).is_known::<N>();
        for activation in activations() {
            for recurrent in activations() {
                for &mode in if merges { &modes[..] } else { &[0] } {
                    all.extend(Some(variant(activation, recurrent, mode)).filter(|v| v.is_known::<N>()));
                }
            }
        }
    }
    all
}
