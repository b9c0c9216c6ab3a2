//! Pairs of sequences of different lengths: the inputs of an encoder and the targets of its decoder.

use anyhow::{Context, Result, bail, ensure};

use super::{Array, Dataset, Sequences, Targets, Values};

impl Dataset {
    /// Builds pairs from the arrays of [`Sequences::from_arrays`], and `y` and `steps_y` of the same form for
    /// the targets: classes from 1 on, as 0 marks start and end. `names` are those of `x` and `y` in errors.
    pub fn from_pairs(
        x: Array,
        steps: Option<Array>,
        y: Array,
        steps_y: Array,
        names: [&str; 2],
    ) -> Result<Self> {
        let sequences = Sequences::from_arrays(x, steps).with_context(|| names[0].to_owned())?;
        let read = || -> Result<Sequences> {
            let targets = target_sequences(y, steps_y)?;
            let (n, given) = (sequences.len(), targets.len());
            ensure!(given == n, "{given} target sequences, but there are {n} sequences");
            Ok(targets)
        };
        let targets = Targets::Sequences(read().with_context(|| names[1].to_owned())?);
        let [frames_name, targets_name] = names.map(str::to_owned);
        Ok(Self {
            sequences,
            targets,
            weights: None,
            groups: None,
            per_frame: false,
            frames_name,
            targets_name,
        })
    }
}

/// Reads target sequences from all ids one after another, `[ids]`, or padded, `[n, time]`.
fn target_sequences(mut y: Array, steps: Array) -> Result<Sequences> {
    let Values::Integers(ids) = &y.values else { bail!("floats are values; target sequences are integers") };
    ensure!(y.shape.len() <= 2, "its shape is {:?}, not [ids] or [n, time]", y.shape);
    if let Some(k) = ids.iter().position(|id| !(0..=i64::from(u16::MAX)).contains(id)) {
        bail!("label {} at {} is out of range", ids[k], y.index(k));
    }
    y.shape.push(1);
    let targets = Sequences::from_arrays(y, Some(steps))?;
    for s in 0..targets.len() {
        if let Some(t) = targets.get(s).iter().position(|&id| id == 0.0) {
            bail!("class 0 at step {t} of sequence {s}: it marks start and end, and is not allowed inside");
        }
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::super::pack;
    use super::*;
    use crate::loss::BatchTargets;

    fn integers(shape: &[usize], values: &[i64]) -> Array {
        Array { shape: shape.to_vec(), values: Values::Integers(values.to_vec()) }
    }

    /// Returns sources of 1, 3 and 2 frames with targets of 2, 1 and 3 ids.
    fn pairs(y: Array) -> Result<Dataset> {
        let x = integers(&[6], &[11, 21, 22, 23, 31, 32]);
        Dataset::from_pairs(x, Some(integers(&[3], &[1, 3, 2])), y, integers(&[3], &[2, 1, 3]), ["x", "y"])
    }

    #[test]
    fn decoder_inputs_are_the_previous_targets_longest_first() {
        let data = pairs(integers(&[6], &[1, 2, 3, 4, 5, 6])).unwrap();
        assert_eq!((data.width(), data.target_count(2)), (7, 4));
        let batch = pack(&data, &[0, 1, 2]);
        assert_eq!(batch.input.values.as_slice(), [21.0, 31.0, 11.0, 22.0, 32.0, 23.0]);
        let teacher_forced = batch.teacher_forced.unwrap();
        // Targets 4 5 6, 1 2, 3 are those of the second, the third and the first source of the batch.
        assert_eq!(teacher_forced.order, [1, 2, 0]);
        assert_eq!(teacher_forced.input.values.as_slice(), [0.0, 0.0, 0.0, 4.0, 1.0, 3.0, 5.0, 2.0, 6.0]);
        assert!(
            matches!(batch.targets, BatchTargets::Labels(labels) if labels == [4, 1, 3, 5, 2, 0, 6, 0, 0]),
            "each ends with 0"
        );
    }

    #[test]
    fn padded_targets_are_the_same_and_splitting_keeps_pairs_together() {
        let data = pairs(integers(&[3, 3], &[1, 2, 0, 3, 0, 0, 4, 5, 6])).unwrap();
        assert_eq!(data, pairs(integers(&[6], &[1, 2, 3, 4, 5, 6])).unwrap());
        let (first, rest) = data.split_at(2);
        let (Targets::Sequences(first_y), Targets::Sequences(rest_y)) = (&first.targets, &rest.targets)
        else {
            panic!("still pairs")
        };
        assert_eq!((first.sequences.get(1), first_y.get(1)), (&[21.0, 22.0, 23.0][..], &[3.0][..]));
        assert_eq!((rest.sequences.get(0), rest_y.get(0)), (&[31.0, 32.0][..], &[4.0, 5.0, 6.0][..]));
    }

    #[test]
    fn invalid_targets_are_rejected_by_name() {
        let reason = |y| format!("{:#}", pairs(y).unwrap_err());
        assert_eq!(
            reason(integers(&[6], &[1, 2, 3, 4, 0, 6])),
            "y: class 0 at step 1 of sequence 2: it marks start and end, and is not allowed inside"
        );
        assert_eq!(reason(integers(&[6], &[1, 2, 3, 4, -5, 6])), "y: label -5 at [4] is out of range");
        assert_eq!(
            reason(Array { shape: vec![6], values: Values::Floats(vec![1.0; 6]) }),
            "y: floats are values; target sequences are integers"
        );
        assert_eq!(
            reason(integers(&[5], &[1, 2, 3, 4, 5])),
            "y: holds 5 frames, but the lengths add up to 6"
        );
        let x = || integers(&[2], &[1, 1]);
        let counts =
            Dataset::from_pairs(x(), Some(x()), integers(&[1], &[1]), integers(&[1], &[1]), ["x", "y"]);
        assert_eq!(format!("{:#}", counts.unwrap_err()), "y: 1 target sequences, but there are 2 sequences");
    }
}
