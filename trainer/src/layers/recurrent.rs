//! A cell over time.

use super::{Gradients, Trace};
use crate::cells::AnyCell;
use crate::tensor::{Flow, Matrix, Real, Steps};

/// A cell, and which of its outputs go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Recurrent<T: Real> {
    /// The cell and its weights.
    pub cell: AnyCell<T>,
    /// Whether the output of every step goes on, or only that of the last step of each sequence.
    pub return_sequences: bool,
}

impl<T: Real> Recurrent<T> {
    /// Starts every sequence from a state of zeros.
    pub(super) fn forward(&self, input: &Flow<T>) -> Trace<T> {
        let cell = self.cell.get();
        let (hidden, steps) = (cell.hidden_size(), &input.steps);
        let zeros = || Matrix::zeros(hidden, steps.sequences() + steps.columns());
        let mut states: Vec<_> = cell.states().iter().map(|_| zeros()).collect();
        let mut kept = cell.forward(&input.values, steps, &mut states);
        let output = self.output(&states[0], input);
        states.append(&mut kept);
        Trace { output, kept: states }
    }

    fn output(&self, h: &Matrix<T>, input: &Flow<T>) -> Flow<T> {
        let steps = &input.steps;
        let skip = steps.sequences();
        if self.return_sequences {
            return Flow {
                values: h.columns_range(skip..skip + steps.columns()).into_owned(),
                steps: steps.clone(),
            };
        }
        let last: Vec<usize> = steps.last().iter().map(|column| column + skip).collect();
        Flow { values: h.select_columns(&last), steps: Steps::single(last.len()) }
    }

    pub(super) fn backward(&self, input: &Flow<T>, trace: &Trace<T>, d_output: &Matrix<T>) -> Gradients<T> {
        let cell = self.cell.get();
        let steps = &input.steps;
        let (states, kept) = trace.kept.split_at(cell.states().len());
        let mut d_states: Vec<_> = states.iter().map(|s| Matrix::zeros(s.nrows(), s.ncols())).collect();
        let skip = steps.sequences();
        if self.return_sequences {
            d_states[0].columns_range_mut(skip..).copy_from(d_output);
        } else {
            for (column, d) in steps.last().into_iter().zip(d_output.column_iter()) {
                d_states[0].column_mut(skip + column).copy_from(&d);
            }
        }
        let gradients = cell.backward(&input.values, steps, states, kept, &mut d_states);
        Gradients { parameters: gradients.parameters, sums: gradients.input_sums }
    }

    pub(super) fn cast<U: Real>(&self) -> Recurrent<U> {
        Recurrent { cell: self.cell.cast(), return_sequences: self.return_sequences }
    }
}
