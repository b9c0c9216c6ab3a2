//! Parts of a data set: its first sequences and the rest, or its frames without the masked ones.

use anyhow::{Context, Result, bail};

use super::{Dataset, Sequences, Targets, starts};

/// Returns `true` if a frame is masked: all of its features equal the mask value.
pub fn is_masked<T: PartialEq>(frame: &[T], mask_value: T) -> bool {
    frame.iter().all(|feature| *feature == mask_value)
}

impl Sequences {
    /// Splits off the sequences after the first `count`.
    fn split_at(self, count: usize) -> (Self, Self) {
        let (features, cut) = (self.features, self.start[count]);
        let mut first = self.frames;
        // `split_off` would keep the memory of all sequences for the first part.
        let rest = first[cut * features..].to_vec();
        first.truncate(cut * features);
        let part = |frames, start: &[usize]| Self {
            features,
            frames,
            start: start.iter().map(|s| s - start[0]).collect(),
        };
        (part(first, &self.start[..=count]), part(rest, &self.start[count..]))
    }

    /// Removes the frames whose features all equal `mask_value`. A masked time step does not change the
    /// state, so the other outputs stay the same.
    ///
    /// # Errors
    /// A sequence with no other frames.
    pub fn without_masked(self, mask_value: f32) -> Result<Self> {
        self.retained(&self.unmasked(mask_value))
    }

    /// Returns for each frame whether it is not masked.
    fn unmasked(&self, mask_value: f32) -> Vec<bool> {
        self.frames.chunks_exact(self.features).map(|frame| !is_masked(frame, mask_value)).collect()
    }

    /// Selects the frames for which `keep` is `true`.
    fn retained(&self, keep: &[bool]) -> Result<Self> {
        let left = |s: usize| keep[self.start[s]..self.start[s + 1]].iter().filter(|&&keep| keep).count();
        let steps: Vec<usize> = (0..self.len()).map(left).collect();
        if let Some(s) = steps.iter().position(|&left| left == 0) {
            bail!("nothing is left of sequence {s}: every frame is masked");
        }
        let frames = retained(&self.frames, self.features, keep);
        Ok(Self { features: self.features, frames, start: starts(&steps) })
    }
}

impl Sequences {
    /// Copies the sequences with these numbers, in this order.
    fn select(&self, numbers: &[usize]) -> Self {
        let steps: Vec<usize> = numbers.iter().map(|&s| self.steps(s)).collect();
        let frames = numbers.iter().flat_map(|&s| self.get(s)).copied().collect();
        Self { features: self.features, frames, start: starts(&steps) }
    }
}

impl Dataset {
    /// Copies the sequences with these numbers and their targets, in this order.
    pub fn select(&self, numbers: &[usize]) -> Self {
        let start = &self.sequences.start;
        let rows = |s: usize| if self.per_frame { start[s]..start[s + 1] } else { s..s + 1 };
        let rows = || numbers.iter().flat_map(|&s| rows(s));
        let targets = match &self.targets {
            Targets::Labels(labels) => Targets::Labels(rows().map(|row| labels[row]).collect()),
            Targets::Values { width, values } => {
                let values = rows().flat_map(|row| &values[row * width..][..*width]).copied().collect();
                Targets::Values { width: *width, values }
            }
            Targets::Sequences(y) => Targets::Sequences(y.select(numbers)),
        };
        let weights = self.weights.as_ref().map(|weights| rows().map(|row| weights[row]).collect());
        Self {
            sequences: self.sequences.select(numbers),
            targets,
            weights,
            groups: self.groups.as_ref().map(|groups| numbers.iter().map(|&s| groups[s]).collect()),
            per_frame: self.per_frame,
            frames_name: self.frames_name.clone(),
            targets_name: self.targets_name.clone(),
        }
    }

    /// Splits off the sequences after the first `count`.
    pub fn split_at(self, count: usize) -> (Self, Self) {
        let row = if self.per_frame { self.sequences.start[count] } else { count };
        let targets = match self.targets {
            Targets::Labels(mut labels) => {
                let rest = labels.split_off(row);
                (Targets::Labels(labels), Targets::Labels(rest))
            }
            Targets::Values { width, mut values } => {
                let rest = values.split_off(row * width);
                (Targets::Values { width, values }, Targets::Values { width, values: rest })
            }
            Targets::Sequences(y) => {
                let (first, rest) = y.split_at(count);
                (Targets::Sequences(first), Targets::Sequences(rest))
            }
        };
        let weights = self.weights.map(|mut weights| {
            let rest = weights.split_off(row);
            (weights, rest)
        });
        let weights = weights.unzip();
        let groups = self.groups.map(|mut groups| {
            let rest = groups.split_off(count);
            (groups, rest)
        });
        let groups = groups.unzip();
        let sequences = self.sequences.split_at(count);
        let dataset = |sequences, targets, weights, groups| Self {
            sequences,
            targets,
            weights,
            groups,
            per_frame: self.per_frame,
            frames_name: self.frames_name.clone(),
            targets_name: self.targets_name.clone(),
        };
        (
            dataset(sequences.0, targets.0, weights.0, groups.0),
            dataset(sequences.1, targets.1, weights.1, groups.1),
        )
    }

    /// Removes the masked frames as [`Sequences::without_masked`] does, and the targets of these frames.
    ///
    /// # Errors
    /// A sequence with no other frames.
    pub fn without_masked(self, mask_value: f32) -> Result<Self> {
        let keep = self.sequences.unmasked(mask_value);
        let sequences = self.sequences.retained(&keep).with_context(|| self.frames_name.clone())?;
        let targets = match self.targets {
            Targets::Labels(labels) if self.per_frame => Targets::Labels(retained(&labels, 1, &keep)),
            Targets::Values { width, values } if self.per_frame => {
                Targets::Values { width, values: retained(&values, width, &keep) }
            }
            once => once,
        };
        let weights = match self.weights {
            Some(weights) if self.per_frame => Some(retained(&weights, 1, &keep)),
            once => once,
        };
        Ok(Self { sequences, targets, weights, ..self })
    }
}

/// Selects the rows of `width` values for which `keep` is `true`.
fn retained<T: Copy>(values: &[T], width: usize, keep: &[bool]) -> Vec<T> {
    let rows = values.chunks_exact(width).zip(keep);
    rows.filter(|(_, keep)| **keep).flat_map(|(row, _)| row).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Array, Values};
    use super::*;

    fn floats(shape: &[usize], values: &[f32]) -> Array {
        Array { shape: shape.to_vec(), values: Values::Floats(values.to_vec()) }
    }

    /// Returns two sequences of three frames of two features; all values of a frame except the fourth may be
    /// 7.
    fn data(y: Array) -> Dataset {
        let x = floats(&[2, 3, 2], &[7.0, 7.0, 7.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 7.0, 7.0, 7.0]);
        Dataset::from_arrays(x, None, y, ["x", "y"]).unwrap()
    }

    #[test]
    fn masked_frames_go_with_their_targets() {
        let values = floats(&[2, 3, 1], &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
        let labels = Array { shape: vec![2, 3], values: Values::Integers(vec![1, 2, 3, 4, 5, 6]) };
        let unmasked = data(values).without_masked(7.0).unwrap();
        assert_eq!(unmasked.sequences.get(0), [7.0, 1.0, 2.0, 3.0]);
        assert_eq!((unmasked.sequences.get(1), unmasked.sequences.steps(1)), (&[4.0, 5.0][..], 1));
        assert_eq!(unmasked.targets, Targets::Values { width: 1, values: vec![0.2, 0.3, 0.4] });
        assert_eq!(data(labels).without_masked(7.0).unwrap().targets, Targets::Labels(vec![2, 3, 4]));
        let once = floats(&[2, 1], &[0.1, 0.2]);
        let unmasked = data(once).without_masked(7.0).unwrap();
        assert_eq!(unmasked.targets, Targets::Values { width: 1, values: vec![0.1, 0.2] });
    }

    #[test]
    fn a_fully_masked_sequence_is_rejected_by_its_number() {
        let x = floats(&[2, 2, 1], &[0.0, 1.0, 0.0, 0.0]);
        let data = Dataset::from_arrays(x, None, floats(&[2, 1], &[0.0, 1.0]), ["x_train", "y"]).unwrap();
        let reason = format!("{:#}", data.without_masked(0.0).unwrap_err());
        assert_eq!(reason, "x_train: nothing is left of sequence 1: every frame is masked");
    }
}
