//! Labels as one-hot rows: a 1 for the class and 0 for all others, as Keras's `to_categorical` writes them.

use super::{Array, Dataset, Targets, Values};

/// Returns integers as labels where their last axis has one entry, or one-hot rows. `time` is the number of
/// steps of padded frames: `[n, time]` is a label per step.
pub(super) fn labels(y: Array, time: Option<usize>) -> Array {
    let Array { mut shape, values } = y;
    let per_step = shape.len() == 2 && shape.last().copied() == time;
    match (values, shape.last().copied()) {
        (Values::Integers(values), Some(width @ 1..)) if shape.len() >= 2 && !per_step => {
            let rows = values.chunks_exact(width);
            let classes = if width == 1 { Some(values.clone()) } else { rows.map(class).collect() };
            match classes {
                Some(classes) => {
                    shape.pop();
                    Array { shape, values: Values::Integers(classes) }
                }
                None => Array { shape, values: Values::Integers(values) },
            }
        }
        (values, _) => Array { shape, values },
    }
}

/// Returns the class of a one-hot row.
fn class<T: PartialEq + From<bool>>(row: &[T]) -> Option<i64> {
    let (zero, one) = (T::from(false), T::from(true));
    let class = row.iter().position(|value| *value == one)?;
    row.iter().enumerate().all(|(k, value)| k == class || *value == zero).then_some(class as i64)
}

impl Dataset {
    /// Returns values that are one-hot rows as labels.
    #[must_use]
    pub fn with_labels(self) -> Self {
        let Targets::Values { width: width @ 2.., values } = &self.targets else { return self };
        let rows = values.chunks_exact(*width).map(|row| class(row).map(|class| class as u32));
        match rows.collect() {
            Some(labels) => Self { targets: Targets::Labels(labels), ..self },
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integers(shape: &[usize], values: &[i64]) -> Array {
        Array { shape: shape.to_vec(), values: Values::Integers(values.to_vec()) }
    }

    #[test]
    fn one_hot_rows_and_columns_of_labels_are_labels() {
        let rows = || integers(&[2, 3], &[0, 0, 1, 1, 0, 0]);
        assert_eq!(labels(rows(), Some(5)), integers(&[2], &[2, 0]));
        assert_eq!(labels(rows(), None), integers(&[2], &[2, 0]));
        // A label per step.
        assert_eq!(labels(rows(), Some(3)), rows());
        assert_eq!(labels(integers(&[1, 2, 3], &[0, 0, 1, 1, 0, 0]), Some(2)), integers(&[1, 2], &[2, 0]));
        assert_eq!(labels(integers(&[2, 1], &[7, 4]), Some(3)), integers(&[2], &[7, 4]));
        for other in [&[0, 0, 1, 1, 1, 0][..], &[0, 0, 1, 0, 0, 0], &[0, 0, 1, 2, 0, 0]] {
            assert_eq!(labels(integers(&[2, 3], other), None), integers(&[2, 3], other));
        }
    }

    #[test]
    fn values_that_are_no_one_hot_rows_stay_values() {
        let read = |values: &[f32]| {
            let x = Array { shape: vec![2, 1, 1], values: Values::Floats(vec![0.5, 0.25]) };
            let y = Array { shape: vec![2, 2], values: Values::Floats(values.to_vec()) };
            Dataset::from_arrays(x, None, y, ["x", "y"]).unwrap().with_labels().targets
        };
        assert_eq!(read(&[0.0, 1.0, 1.0, 0.0]), Targets::Labels(vec![1, 0]));
        let values = vec![0.0, 1.0, 0.5, 0.5];
        assert_eq!(read(&values), Targets::Values { width: 2, values });
    }
}
