//! A data set in words: what was understood of its arrays, and what may be wrong with them.

use super::{Dataset, Sequences, Targets};

impl Dataset {
    /// Describes the sequences and their targets: `270 sequences of 7 to 26 steps of 12 features, 9 classes`.
    pub fn describe(&self) -> String {
        let every = if self.per_frame { " per step" } else { "" };
        let targets = match &self.targets {
            Targets::Labels(_) => format!("{}{every}", count(self.width(), "class")),
            Targets::Values { width, .. } => format!("{}{every}", count(*width, "value")),
            Targets::Sequences(y) => format!("targets of {} of {} classes", y.lengths(), self.width()),
        };
        let x = &self.sequences;
        let (sequences, features) = (count(x.len(), "sequence"), count(x.features, "feature"));
        format!("{sequences} of {} of {features}, {targets}", x.lengths())
    }

    /// Returns the suspicion that the axes of the frames are transposed: more features than steps, and
    /// neighboring features that are much more alike than neighboring steps.
    pub fn transposed(&self) -> Option<String> {
        let x = &self.sequences;
        let (steps, features) = (x.steps(0), x.features);
        let equal = (0..x.len()).all(|s| x.steps(s) == steps);
        if !equal || steps < 2 || features <= steps {
            return None;
        }
        let (mut between_steps, mut between_features) = (0.0, 0.0);
        for s in 0..x.len() {
            let frames = x.get(s);
            let pairs = |distance: usize| frames.iter().zip(&frames[distance..]);
            between_steps += mean(pairs(features).map(difference));
            let inside = |&(k, _): &(usize, f64)| (k + 1) % features != 0;
            let neighbors = pairs(1).map(difference).enumerate().filter(inside);
            between_features += mean(neighbors.map(|(_, difference)| difference));
        }
        (between_features < ALIKE * between_steps).then(|| {
            format!(
                "{} looks transposed: {steps} steps of {features} features, of which neighboring ones are \
                 much more alike than neighboring steps; its axes are [n, time, features]",
                self.frames_name
            )
        })
    }
}

/// The share of the mean difference between steps below which features are suspected to be steps.
const ALIKE: f64 = 0.5;

fn difference((a, b): (&f32, &f32)) -> f64 {
    f64::from((a - b).abs())
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0usize), |(sum, count), value| (sum + value, count + 1));
    sum / count.max(1) as f64
}

impl Sequences {
    /// Describes the numbers of steps: `7 to 26 steps`.
    fn lengths(&self) -> String {
        let steps = || (0..self.len()).map(|s| self.steps(s));
        let (shortest, longest) = (steps().min().unwrap_or(0), steps().max().unwrap_or(0));
        if shortest == longest { count(longest, "step") } else { format!("{shortest} to {longest} steps") }
    }
}

fn count(number: usize, noun: &str) -> String {
    let end = match (number, noun.ends_with('s')) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{number} {noun}{end}")
}

#[cfg(test)]
mod tests {
    use super::super::{Array, Values};
    use super::*;

    fn floats(shape: &[usize], value: impl Fn(usize) -> f32) -> Array {
        Array {
            shape: shape.to_vec(),
            values: Values::Floats((0..shape.iter().product()).map(value).collect()),
        }
    }

    fn integers(shape: &[usize], values: &[i64]) -> Array {
        Array { shape: shape.to_vec(), values: Values::Integers(values.to_vec()) }
    }

    #[test]
    fn arrays_are_described_in_words() {
        let x = || floats(&[2, 3, 1], |k| k as f32);
        let describe = |x, steps, y| Dataset::from_arrays(x, steps, y, ["x", "y"]).unwrap().describe();
        let lengths = || Some(integers(&[2], &[1, 3]));
        let classes = describe(x(), lengths(), integers(&[2], &[0, 8]));
        assert_eq!(classes, "2 sequences of 1 to 3 steps of 1 feature, 9 classes");
        let every = describe(floats(&[1, 3, 2], |k| k as f32), None, floats(&[1, 3, 1], |k| k as f32));
        assert_eq!(every, "1 sequence of 3 steps of 2 features, 1 value per step");
        let y = integers(&[3], &[1, 2, 1]);
        let pairs = Dataset::from_pairs(x(), lengths(), y, integers(&[2], &[1, 2]), ["x", "y"]).unwrap();
        assert_eq!(
            pairs.describe(),
            "2 sequences of 1 to 3 steps of 1 feature, targets of 1 to 2 steps of 3 classes"
        );
    }

    #[test]
    fn waves_along_the_features_are_suspected() {
        let data = |shape: [usize; 3], value: &dyn Fn(usize, usize) -> f32| {
            let x = floats(&shape, |k| value(k / shape[2] % shape[1], k % shape[2]));
            let y = integers(&[shape[0]], &vec![0; shape[0]]);
            Dataset::from_arrays(x, None, y, ["x_train", "y"]).unwrap().transposed()
        };
        let wave = |channel: usize, t: usize| (t as f32 * 0.2 + channel as f32).sin() + 2.0 * channel as f32;
        let reason = data([4, 6, 50], &wave).unwrap();
        assert!(reason.starts_with("x_train looks transposed: 6 steps of 50 features, of which"), "{reason}");
        assert_eq!(data([4, 50, 6], &|t, channel| wave(channel, t)), None);
        assert_eq!(data([4, 6, 50], &|t, channel| wave(channel, t)), None);
    }
}
