//! The weights of targets in the loss, Keras's `sample_weight` and `class_weight`.

use anyhow::{Result, bail, ensure};

use super::{Array, Dataset, Targets, keep_valid};

impl Dataset {
    /// Sets the weights of the targets from `[n]`, one per sequence; of targets per frame also from
    /// `[n, time]`, or `[frames]` if the frames are stored one after another.
    ///
    /// # Errors
    /// Another shape; a weight that is negative; weights that are all 0.
    pub fn with_weights(self, weights: Array) -> Result<Self> {
        let x = &self.sequences;
        let shape = weights.shape.clone();
        let weights = weights.into_floats();
        if let Some(k) = weights.iter().position(|&weight| weight < 0.0) {
            bail!("{} at [{k}] is negative", weights[k]);
        }
        ensure!(weights.iter().any(|&weight| weight > 0.0), "no weight is above 0");
        let steps: Vec<usize> = (0..x.len()).map(|s| x.steps(s)).collect();
        let (n, frames) = (x.len(), steps.iter().sum::<usize>());
        let weights = match shape[..] {
            [rows] if rows == n && self.per_frame => {
                let each = weights.iter().zip(&steps);
                each.flat_map(|(&weight, &steps)| std::iter::repeat_n(weight, steps)).collect()
            }
            [rows] if rows == n || (rows == frames && self.per_frame) => weights,
            [rows, time] if rows == n && self.per_frame && steps.iter().all(|&steps| steps <= time) => {
                keep_valid(&weights, &steps, time, 1)
            }
            _ => bail!("its shape is {shape:?}, but there are {n} sequences of {frames} frames in all"),
        };
        Ok(Self { weights: Some(weights), ..self })
    }

    /// Multiplies the weight of each target by that of its class.
    pub fn weigh_classes(&mut self, classes: &[f64]) {
        let Targets::Labels(labels) = &self.targets else { return };
        let own = self.weights.take().unwrap_or_else(|| vec![1.0; labels.len()]);
        let weight = |label: u32| classes.get(label as usize).map_or(1.0, |&weight| weight as f32);
        self.weights = Some(own.into_iter().zip(labels).map(|(own, &label)| own * weight(label)).collect());
    }

    /// Returns the number of targets of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.width()];
        if let Targets::Labels(labels) = &self.targets {
            labels.iter().for_each(|&label| counts[label as usize] += 1);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Values, pack};
    use super::*;

    fn floats(shape: &[usize], values: &[f32]) -> Array {
        Array { shape: shape.to_vec(), values: Values::Floats(values.to_vec()) }
    }

    /// Returns sequences of 1 and 3 steps, with a class each or one per step.
    fn data(per_frame: bool) -> Dataset {
        let integers = |shape: &[usize], values: &[i64]| Array {
            shape: shape.to_vec(),
            values: Values::Integers(values.to_vec()),
        };
        let x = floats(&[2, 3, 1], &[1.0, 0.0, 0.0, 2.0, 3.0, 4.0]);
        let y = if per_frame { integers(&[2, 3], &[1, 9, 9, 0, 1, 0]) } else { integers(&[2], &[1, 0]) };
        Dataset::from_arrays(x, Some(integers(&[2], &[1, 3])), y, ["x", "y"]).unwrap()
    }

    fn packed(data: &Dataset) -> Vec<f32> {
        pack(data, &[0, 1]).weights.unwrap()
    }

    #[test]
    fn weights_go_with_their_targets_into_batches_and_parts() {
        let once = data(false).with_weights(floats(&[2], &[0.5, 2.0])).unwrap();
        // The longer sequence is first in a batch.
        assert_eq!(packed(&once), [2.0, 0.5]);
        assert_eq!(once.select(&[1]).weights, Some(vec![2.0]));
        let padded = floats(&[2, 3], &[0.1, 9.0, 9.0, 0.2, 0.3, 0.4]);
        for weights in [padded, floats(&[4], &[0.1, 0.2, 0.3, 0.4])] {
            let every = data(true).with_weights(weights).unwrap();
            assert_eq!(packed(&every), [0.2, 0.1, 0.3, 0.4]);
            assert_eq!(every.clone().split_at(1).1.weights, Some(vec![0.2, 0.3, 0.4]));
            assert_eq!(every.without_masked(3.0).unwrap().weights, Some(vec![0.1, 0.2, 0.4]));
        }
        let spread = data(true).with_weights(floats(&[2], &[0.5, 2.0])).unwrap();
        assert_eq!(spread.weights, Some(vec![0.5, 2.0, 2.0, 2.0]));
    }

    #[test]
    fn weights_of_classes_multiply_those_of_targets() {
        let mut data = data(true).with_weights(floats(&[4], &[0.5, 0.25, 0.75, 1.5])).unwrap();
        assert_eq!(data.class_counts(), [2, 2]);
        data.weigh_classes(&[10.0, 100.0]);
        assert_eq!(data.weights, Some(vec![50.0, 2.5, 75.0, 15.0]));
    }

    #[test]
    fn weights_that_do_not_fit_are_rejected() {
        let reason = |weights| data(false).with_weights(weights).unwrap_err().to_string();
        let shape = "its shape is [4], but there are 2 sequences of 4 frames in all";
        assert_eq!(reason(floats(&[4], &[1.0; 4])), shape);
        assert_eq!(reason(floats(&[2], &[1.0, -0.5])), "-0.5 at [1] is negative");
        assert_eq!(reason(floats(&[2], &[0.0, 0.0])), "no weight is above 0");
    }
}
