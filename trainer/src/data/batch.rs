//! Packing sequences into batches.

use super::{Dataset, Truth};
use crate::loss::Targets;
use crate::tensor::{Flow, Matrix, Steps};

/// A packed batch, and what should come out of it, column by column.
pub struct Batch {
    /// What goes in.
    pub input: Flow<f32>,
    /// What is to come out.
    pub targets: Targets<f32>,
}

/// Packs the sequences with these numbers, longest first (equals in the order given).
pub fn pack(data: &Dataset, numbers: &[usize]) -> Batch {
    let x = &data.sequences;
    let mut order = numbers.to_vec();
    order.sort_by_key(|&s| std::cmp::Reverse(x.steps(s)));
    let steps = Steps::new(&order.iter().map(|&s| x.steps(s)).collect::<Vec<_>>());
    // The frame in every column, counted over the whole data set.
    let frames: Vec<usize> = (0..steps.len())
        .flat_map(|t| order[..steps.at(t).len()].iter().map(move |&s| x.start[s] + t))
        .collect();
    let values = frames.iter().flat_map(|f| &x.frames[f * x.features..][..x.features]).copied().collect();
    let rows = if data.per_frame { &frames } else { &order };
    let targets = match &data.truth {
        Truth::Labels(labels) => Targets::Labels(rows.iter().map(|&row| labels[row]).collect()),
        Truth::Values { width, values } => {
            let picked = rows.iter().flat_map(|row| &values[row * width..][..*width]).copied().collect();
            Targets::Values(Matrix::from_vec(*width, rows.len(), picked))
        }
    };
    Batch { input: Flow { values: Matrix::from_vec(x.features, frames.len(), values), steps }, targets }
}
