//! The mean of every feature over time.

use embedded_rnn::Kind as RecordKind;

use super::Kind;
use super::pooling::{Mode, Pooling, PoolingConfig};
use crate::tensor::Real;

/// The mean over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mean;

/// The mean over time of every feature.
pub type GlobalAveragePooling1D<T> = Pooling<T, Mean>;

/// A `GlobalAveragePooling1D` layer in a config.
pub type GlobalAveragePooling1DConfig = PoolingConfig<Mean>;

impl Mode for Mean {
    const KIND: RecordKind = RecordKind::GlobalAveragePooling1D;

    fn kind<T: Real>(layer: Pooling<T, Self>) -> Kind<T> {
        Kind::GlobalAveragePooling1D(layer)
    }

    fn pool<T: Real>(values: &[T]) -> T {
        let sum: f64 = values.iter().map(|value| value.to_f64()).sum();
        T::of(sum / values.len() as f64)
    }

    fn derivatives<T: Real>(values: &[T]) -> Vec<T> {
        vec![T::of(1.0 / values.len() as f64); values.len()]
    }
}
