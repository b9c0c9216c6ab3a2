//! Scores of an encoder-decoder, with teacher forcing and with autoregressive generation.

use anyhow::{Result, bail, ensure};
use rayon::prelude::*;

use super::{Criteria, Evaluation, NonFinite};
use crate::data::{Dataset, Targets};
use crate::loss::{BatchTargets, Score, argmax};
use crate::metrics::{Confusion, Transcripts};
use crate::net::Network;
use crate::tensor::Matrix;

/// An encoder-decoder, independent of what runs it.
pub trait EncoderDecoder: Sync {
    /// Returns the number of classes that it generates, including 0 for start and end.
    fn classes(&self) -> usize;

    /// Returns the probabilities of all classes at each step of `target` and at the end, with teacher
    /// forcing: `classes * (target.len() + 1)` values.
    fn predict_forced(&self, source: &[f32], target: &[f32]) -> Result<Vec<f32>>;

    /// Generates a sequence, the most probable class at each step: until class 0, which is left out, or for
    /// `most` steps.
    fn decode(&self, source: &[f32], most: usize) -> Result<Vec<u32>>;
}

impl EncoderDecoder for Network<f32> {
    fn classes(&self) -> usize {
        self.output_size()
    }

    fn predict_forced(&self, source: &[f32], target: &[f32]) -> Result<Vec<f32>> {
        Ok(Network::predict_forced(self, source, target))
    }

    fn decode(&self, source: &[f32], most: usize) -> Result<Vec<u32>> {
        Ok(Network::decode(self, source, most))
    }
}

/// The limit of the length of a generated sequence, as a multiple of the longest target: a sequence that does
/// not end is entirely wrong long before.
const LONGEST: usize = 2;

/// The outputs for one sequence.
struct Outputs {
    score: Score,
    /// The most probable class at each step, with teacher forcing.
    predicted: Vec<usize>,
    generated: Vec<u32>,
    non_finite: NonFinite,
}

/// Runs `model` over every sequence in both ways. Loss, accuracy and confusion are those of single classes,
/// the end included, with teacher forcing. `names` are the names of the classes.
pub fn evaluate_pairs(
    model: &impl EncoderDecoder,
    names: &[String],
    data: &Dataset,
    criteria: &Criteria,
) -> Result<Evaluation> {
    let objective = criteria.objective.unwrap_or_else(|| super::fitting(data, model.classes()));
    let (y, size) = (&data.targets_name, model.classes());
    let Targets::Sequences(targets) = &data.targets else {
        bail!("{y}: a model with a decoder needs sequences as targets, with their lengths in len_{y}")
    };
    let classes = data.width();
    ensure!(classes <= size, "{y}: classes up to {}, but the model has {size} outputs", classes - 1);
    let most = LONGEST * (0..targets.len()).map(|s| targets.steps(s)).max().unwrap_or(0);
    let run = |s: usize| -> Result<Outputs> {
        let source = data.sequences.get(s);
        let output = model.predict_forced(source, targets.get(s))?;
        let (found, expected) = (output.len() / size, data.target_count(s));
        ensure!(
            found == expected,
            "{y}: {expected} targets for sequence {s}, but the model has {found} outputs"
        );
        let labels = targets.get(s).iter().map(|&id| id as u32).chain([0]).collect();
        let non_finite = NonFinite::of(&output);
        let predicted = output.chunks_exact(size).map(argmax).collect();
        let weights = data.weights.as_ref().map(|weights| vec![weights[s]; found]);
        let output = Matrix::from_vec(size, found, output);
        let score = objective.score(&BatchTargets::Labels(labels), weights.as_deref(), &output);
        Ok(Outputs { score, predicted, generated: model.decode(source, most)?, non_finite })
    };
    let all: Vec<_> = (0..targets.len()).into_par_iter().map(run).collect::<Result<_>>()?;
    let (mut score, mut non_finite) = (Score::default(), NonFinite::default());
    let (mut confusion, mut transcripts) = (Confusion::new(names.to_vec()), Transcripts::default());
    for (s, outputs) in all.into_iter().enumerate() {
        score = score.plus(outputs.score);
        non_finite = non_finite.plus(outputs.non_finite);
        let labels: Vec<u32> = targets.get(s).iter().map(|&id| id as u32).collect();
        transcripts.count(&labels, &outputs.generated);
        let labels = labels.into_iter().chain([0]);
        labels.zip(outputs.predicted).for_each(|(label, class)| confusion.count(label as usize, class));
    }
    Ok(Evaluation {
        confusion: Some(confusion),
        perplexity: Some(score.mean_loss().exp()),
        transcripts: Some(transcripts),
        non_finite,
        ..Evaluation::new(objective.loss, score)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Array, Values};

    /// A model that is sure of class 1 at every step, and generates its source.
    struct Echo;

    impl EncoderDecoder for Echo {
        fn classes(&self) -> usize {
            3
        }

        fn predict_forced(&self, _: &[f32], target: &[f32]) -> Result<Vec<f32>> {
            Ok([0.25, 0.5, 0.25].repeat(target.len() + 1))
        }

        fn decode(&self, source: &[f32], most: usize) -> Result<Vec<u32>> {
            Ok(source.iter().take(most).map(|&id| id as u32).collect())
        }
    }

    fn integers(values: &[i64]) -> Array {
        Array { shape: vec![values.len()], values: Values::Integers(values.to_vec()) }
    }

    #[test]
    fn steps_and_transcripts_are_as_counted_by_hand() {
        let data = Dataset::from_pairs(
            integers(&[1, 2, 1, 1, 1, 1, 1, 1]),
            Some(integers(&[2, 6])),
            integers(&[1, 2, 1, 2]),
            integers(&[2, 2]),
            ["x", "y"],
        );
        let data = data.unwrap();
        let found = evaluate_pairs(&Echo, &["end".into()], &data, &Criteria::default()).unwrap();
        // The ones of 1 2 0 and 1 2 0 are correct; each step costs ln 2 or ln 4.
        assert_eq!((found.score.columns, found.score.metric), (6, 2.0));
        let loss = (2.0 * 2f64.ln() + 4.0 * 4f64.ln()) / 6.0;
        assert!((found.score.mean_loss() - loss).abs() < 1e-7);
        assert!((found.perplexity.unwrap() - loss.exp()).abs() < 1e-6);
        assert_eq!(found.confusion.as_ref().unwrap().get(0, 1), 2);
        // 1 2 is correct; 1 1 1 1, cut at twice the longest target, is three edits away from 1 2.
        assert_eq!(
            found.headline(),
            "loss: 1.1552 - accuracy: 0.3333 - perplexity: 3.1748 - token error rate: 0.7500 \
             - sequences correct: 0.5000"
        );
    }

    #[test]
    fn other_targets_are_rejected_by_name() {
        let once =
            Dataset::from_arrays(integers(&[1, 2]), Some(integers(&[1, 1])), integers(&[1, 2]), ["x", "y"]);
        let reason =
            |data: &Dataset| evaluate_pairs(&Echo, &[], data, &Criteria::default()).unwrap_err().to_string();
        assert!(reason(&once.unwrap()).starts_with("y: a model with a decoder needs sequences as targets"));
        let ids = || integers(&[3]);
        let four =
            Dataset::from_pairs(ids(), Some(integers(&[1])), ids(), integers(&[1]), ["x", "y"]).unwrap();
        assert_eq!(reason(&four), "y: classes up to 3, but the model has 3 outputs");
        let predict = |_: &[f32]| Ok(vec![0.0; 6]);
        let reason =
            super::super::evaluate(3, &[], predict, &four, &Criteria::default()).unwrap_err().to_string();
        assert_eq!(reason, "y: sequences with their own lengths, but the model has no decoder");
    }
}
