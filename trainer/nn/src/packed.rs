//! Batches of sequences of different lengths, packed without padding.
//!
//! The sequences of a batch are sorted by length, longest first, and the columns of its matrix follow in the
//! order of time steps. At step `t` only the first `n_t` sequences are still running, so nothing is padded,
//! and the sequences that continue are always the first columns of the previous block:
//!
//! ```text
//! sequences of 3, 2, 2 frames     step   0       1       2
//!                                 column 0 1 2   3 4 5   6
//!                                 of     A B C   A B C   A
//! ```

use std::ops::Range;
use std::sync::Arc;

use crate::tensor::{Matrix, Real};

/// The number of sequences at each time step of a packed batch, and the position of their columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchSizes {
    /// `start[t]..start[t + 1]` are the columns of step `t`.
    start: Vec<usize>,
}

impl BatchSizes {
    /// Builds the batch sizes from the lengths of the sequences, longest first, none of them zero.
    pub fn new(lengths: &[usize]) -> Arc<Self> {
        assert!(lengths.is_sorted_by(|a, b| a >= b), "longest first");
        assert!(lengths.last().is_none_or(|&shortest| shortest > 0), "no empty sequence");
        let mut start = vec![0];
        let mut active = lengths.len();
        for t in 0..lengths.first().copied().unwrap_or(0) {
            while lengths[active - 1] <= t {
                active -= 1;
            }
            start.push(start[t] + active);
        }
        Arc::new(Self { start })
    }

    /// Builds the batch sizes of `count` independent frames: a single time step.
    pub fn single(count: usize) -> Arc<Self> {
        Arc::new(Self { start: vec![0, count] })
    }

    /// Returns the number of time steps.
    pub fn len(&self) -> usize {
        self.start.len() - 1
    }

    /// Returns `true` if there are no time steps.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of sequences.
    pub fn sequences(&self) -> usize {
        self.start.get(1).copied().unwrap_or(0)
    }

    /// Returns the number of frames, which is the number of columns.
    pub fn columns(&self) -> usize {
        self.start[self.len()]
    }

    /// Returns the columns of step `t`.
    pub fn at(&self, t: usize) -> Range<usize> {
        self.start[t]..self.start[t + 1]
    }

    /// Returns the column of step `t` of sequence `s`, counted from the longest.
    pub fn column(&self, t: usize, s: usize) -> usize {
        self.start[t] + s
    }

    /// Returns the column of the last frame of every sequence.
    pub fn last(&self) -> Vec<usize> {
        let mut last = vec![0; self.sequences()];
        for t in 0..self.len() {
            for (s, column) in self.at(t).enumerate() {
                last[s] = column;
            }
        }
        last
    }

    /// Returns the columns of the states after the last step of every sequence, in a matrix of states.
    pub fn final_states(&self) -> Vec<usize> {
        self.last().iter().map(|column| column + self.sequences()).collect()
    }

    /// Returns the sequence of every column, counted from the longest.
    pub fn sequence_of_each(&self) -> Vec<usize> {
        (0..self.len()).flat_map(|t| 0..self.at(t).len()).collect()
    }

    /// Returns the columns of every sequence, counted from the longest, in the order of time.
    pub fn columns_of_each(&self) -> Vec<Vec<usize>> {
        let mut columns = vec![Vec::new(); self.sequences()];
        for (column, sequence) in self.sequence_of_each().into_iter().enumerate() {
            columns[sequence].push(column);
        }
        columns
    }

    /// Returns for every column the column that replaces it when each sequence is reversed in time. Applying
    /// the permutation twice restores the original order.
    pub fn reversed(&self) -> Vec<usize> {
        let mut lengths = vec![0; self.sequences()];
        (0..self.len()).for_each(|t| lengths[..self.at(t).len()].fill(t + 1));
        let positions = |t: usize| (0..self.at(t).len()).map(move |s| (t, s));
        (0..self.len()).flat_map(positions).map(|(t, s)| self.column(lengths[s] - 1 - t, s)).collect()
    }

    /// Returns the columns of the states after step `t` in a matrix of states,
    /// `[hidden x (sequences + columns)]`, which starts with the initial state of every sequence.
    pub fn state_after(&self, t: usize) -> Range<usize> {
        let skip = self.sequences();
        self.start[t] + skip..self.start[t + 1] + skip
    }

    /// Returns the columns of the states before step `t`, for the sequences that reach step `t`.
    pub fn state_before(&self, t: usize) -> Range<usize> {
        let from = if t == 0 { 0 } else { self.sequences() + self.start[t - 1] };
        from..from + self.at(t).len()
    }

    /// Gathers the states before each step, `[hidden x columns]`, from a matrix of states.
    pub fn before_each<T: Real>(&self, states: &Matrix<T>) -> Matrix<T> {
        let mut before = Matrix::zeros(states.nrows(), self.columns());
        for t in 0..self.len() {
            before.columns_range_mut(self.at(t)).copy_from(&states.columns_range(self.state_before(t)));
        }
        before
    }
}

/// A batch between two layers: the frames of packed sequences. After a layer that drops the time axis it has
/// one step.
#[derive(Clone, Debug)]
pub struct PackedSequence<T: Real> {
    /// `[features x columns]`.
    pub values: Matrix<T>,
    /// The assignment of columns to steps and sequences.
    pub steps: Arc<BatchSizes>,
}

impl<T: Real> PackedSequence<T> {
    /// Returns frames of the features of both, those of `other` last.
    pub fn beside(&self, other: &Self) -> Self {
        let (own, others) = (self.values.nrows(), other.values.nrows());
        let mut values = Matrix::zeros(own + others, self.values.ncols());
        values.rows_mut(0, own).copy_from(&self.values);
        values.rows_mut(own, others).copy_from(&other.values);
        Self { values, steps: self.steps.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_follow_from_the_lengths() {
        let steps = BatchSizes::new(&[3, 2, 2]);
        assert_eq!((0..3).map(|t| steps.at(t)).collect::<Vec<_>>(), [0..3, 3..6, 6..7]);
        assert_eq!((steps.len(), steps.sequences(), steps.columns()), (3, 3, 7));
        assert_eq!(steps.last(), [6, 4, 5]);
        assert_eq!((steps.state_before(0), steps.state_before(1), steps.state_before(2)), (0..3, 3..6, 6..7));
        assert_eq!(steps.state_after(2), 9..10);
        assert_eq!(steps.final_states(), [9, 7, 8]);
        assert_eq!(steps.sequence_of_each(), [0, 1, 2, 0, 1, 2, 0]);
        assert_eq!(steps.columns_of_each(), [vec![0, 3, 6], vec![1, 4], vec![2, 5]]);
        assert_eq!(steps.reversed(), [6, 4, 5, 3, 1, 2, 0]);
    }
}
