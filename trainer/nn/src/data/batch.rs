//! Packing sequences into batches.

use super::{Dataset, Sequences, Targets};
use crate::loss::{BatchTargets, LossGradient, Objective, Score};
use crate::packed::{BatchSizes, PackedSequence};
use crate::tensor::{Matrix, Real};

/// A packed batch and its targets, column by column.
pub struct Batch<T: Real> {
    /// The inputs.
    pub input: PackedSequence<T>,
    /// The inputs of the decoder, where the targets are sequences.
    pub teacher_forced: Option<TeacherForced<T>>,
    /// The targets, of the decoder if there is one.
    pub targets: BatchTargets<T>,
    /// The weights of the targets in the loss, by default 1.
    pub weights: Option<Vec<T>>,
}

impl<T: Real> Batch<T> {
    /// Scores the output of a network for this batch.
    pub fn score(&self, objective: &Objective, output: &Matrix<T>) -> Score {
        objective.score(&self.targets, self.weights.as_deref(), output)
    }

    /// Returns the gradient of the mean loss over `columns` columns, of which this batch may be a part.
    pub fn gradient(&self, objective: &Objective, output: &Matrix<T>, columns: usize) -> LossGradient<T> {
        objective.gradient(&self.targets, self.weights.as_deref(), output, columns)
    }
}

/// The teacher-forced inputs of a decoder: at each time step the previous target class, and class 0 at the
/// first.
pub struct TeacherForced<T: Real> {
    /// The inputs, packed by the lengths of the targets: with other steps and in another order than the
    /// batch.
    pub input: PackedSequence<T>,
    /// For each of these sequences, its index among those of the batch.
    pub order: Vec<usize>,
}

/// Packs the sequences with these indices, longest first (those of equal length in the given order).
pub fn pack(data: &Dataset, numbers: &[usize]) -> Batch<f32> {
    let x = &data.sequences;
    let mut order = numbers.to_vec();
    order.sort_by_key(|&s| std::cmp::Reverse(x.steps(s)));
    let steps = BatchSizes::new(&order.iter().map(|&s| x.steps(s)).collect::<Vec<_>>());
    // The frame in every column, counted over the whole data set.
    let frames: Vec<usize> = (0..steps.len())
        .flat_map(|t| order[..steps.at(t).len()].iter().map(move |&s| x.start[s] + t))
        .collect();
    let values = frames.iter().flat_map(|f| &x.frames[f * x.features..][..x.features]).copied().collect();
    let rows = if data.per_frame { &frames } else { &order };
    let (teacher_forced, targets) = match &data.targets {
        Targets::Labels(labels) => {
            (None, BatchTargets::Labels(rows.iter().map(|&row| labels[row]).collect()))
        }
        Targets::Values { width, values } => {
            let picked = rows.iter().flat_map(|row| &values[row * width..][..*width]).copied().collect();
            (None, BatchTargets::Values(Matrix::from_vec(*width, rows.len(), picked)))
        }
        Targets::Sequences(y) => {
            let (teacher_forced, labels) = force(y, &order);
            (Some(teacher_forced), BatchTargets::Labels(labels))
        }
    };
    let weights = data.weights.as_ref().map(|weights| match &teacher_forced {
        None => rows.iter().map(|&row| weights[row]).collect(),
        Some(TeacherForced { input, order: sources }) => {
            let at = |t| sources[..input.steps.at(t).len()].iter().map(|&k| weights[order[k]]);
            (0..input.steps.len()).flat_map(at).collect()
        }
    });
    let input = PackedSequence { values: Matrix::from_vec(x.features, frames.len(), values), steps };
    Batch { input, teacher_forced, targets, weights }
}

/// Returns the teacher-forced inputs and the labels of a decoder, for the targets `y` of the sequences
/// `numbers`.
fn force(y: &Sequences, numbers: &[usize]) -> (TeacherForced<f32>, Vec<u32>) {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by_key(|&k| std::cmp::Reverse(y.steps(numbers[k])));
    // One step more, for the end.
    let steps = BatchSizes::new(&order.iter().map(|&k| y.steps(numbers[k]) + 1).collect::<Vec<_>>());
    let (mut inputs, mut labels) = (Vec::new(), Vec::new());
    for t in 0..steps.len() {
        for &k in &order[..steps.at(t).len()] {
            let target = y.get(numbers[k]);
            inputs.push(if t == 0 { 0.0 } else { target[t - 1] });
            labels.push(target.get(t).map_or(0, |&id| id as u32));
        }
    }
    let input = PackedSequence { values: Matrix::from_vec(1, inputs.len(), inputs), steps };
    (TeacherForced { input, order }, labels)
}
