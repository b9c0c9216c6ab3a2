//! The largest value of every feature over time.

use embedded_rnn::Kind as RecordKind;

use super::Kind;
use super::pooling::{Mode, Pooling, PoolingConfig};
use crate::tensor::Real;

/// The maximum over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maximum;

/// The maximum over time of every feature.
pub type GlobalMaxPooling1D<T> = Pooling<T, Maximum>;

/// A `GlobalMaxPooling1D` layer in a config.
pub type GlobalMaxPooling1DConfig = PoolingConfig<Maximum>;

impl Mode for Maximum {
    const KIND: RecordKind = RecordKind::GlobalMaxPooling1D;

    fn kind<T: Real>(layer: Pooling<T, Self>) -> Kind<T> {
        Kind::GlobalMaxPooling1D(layer)
    }

    fn pool<T: Real>(values: &[T]) -> T {
        values[first_largest(values)]
    }

    /// Returns 1 for the first of the largest values.
    fn derivatives<T: Real>(values: &[T]) -> Vec<T> {
        let mut derivatives = vec![T::zero(); values.len()];
        derivatives[first_largest(values)] = T::one();
        derivatives
    }
}

fn first_largest<T: Real>(values: &[T]) -> usize {
    (1..values.len()).fold(0, |largest, k| if values[k] > values[largest] { k } else { largest })
}
