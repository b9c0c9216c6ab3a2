//! The class that an output stands for.

/// Returns the index of the largest value, the lowest of equals; 0 of none.
///
/// ```
/// assert_eq!(embedded_rnn::argmax(&[0.1, 0.7, 0.2]), 1);
/// ```
#[inline]
pub fn argmax<T: PartialOrd>(values: &[T]) -> usize {
    let mut best = 0;
    let mut largest = values.first();
    for (k, value) in values.iter().enumerate() {
        if largest.is_none_or(|largest| value > largest) {
            (best, largest) = (k, Some(value));
        }
    }
    best
}
