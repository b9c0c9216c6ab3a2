//! How well an encoder-decoder does: told what should have come before, and writing by itself.

use anyhow::{Result, bail, ensure};
use rayon::prelude::*;

use super::Evaluation;
use crate::data::{Dataset, Targets};
use crate::loss::{BatchTargets, Loss, Score, argmax};
use crate::metrics::{Confusion, Transcripts};
use crate::net::Network;
use crate::tensor::Matrix;

/// An encoder-decoder, whatever it is that runs it.
pub trait EncoderDecoder: Sync {
    /// The number of classes that it writes, 0 for start and end among them.
    fn classes(&self) -> usize;

    /// The probabilities of all classes at each step of `target`, and at the end, the decoder being told what should have
    /// come before: `classes * (target.len() + 1)` values.
    fn predict_forced(&self, source: &[f32], target: &[f32]) -> Result<Vec<f32>>;

    /// What it writes by itself, the likeliest class at each step: until class 0, which is left out, or for `most` steps.
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

/// How long what is written may become, as a multiple of the longest target: what has no end is as wrong as it can be
/// long before.
const LONGEST: usize = 2;

/// What one sequence gave.
struct Answers {
    score: Score,
    /// The likeliest class at each step, told what should have come before.
    given: Vec<usize>,
    written: Vec<u32>,
}

/// Runs `model` over every sequence in both ways. Loss, accuracy and confusion are those of single classes, the end
/// included, when told what should have come before. Classes are called by their `names`.
pub fn evaluate_pairs(model: &impl EncoderDecoder, names: &[String], data: &Dataset) -> Result<Evaluation> {
    let (y, size) = (&data.targets_name, model.classes());
    let Targets::Sequences(targets) = &data.targets else {
        bail!("{y}: a model with a decoder needs sequences as targets, with their lengths in len_{y}")
    };
    let classes = data.width();
    ensure!(classes <= size, "{y}: classes up to {}, but the model has {size} outputs", classes - 1);
    let most = LONGEST * (0..targets.len()).map(|s| targets.steps(s)).max().unwrap_or(0);
    let run = |s: usize| -> Result<Answers> {
        let source = data.sequences.get(s);
        let output = model.predict_forced(source, targets.get(s))?;
        let (found, wanted) = (output.len() / size, data.target_count(s));
        ensure!(
            found == wanted,
            "{y}: {wanted} targets for sequence {s}, but the model answers {found} times"
        );
        let right = targets.get(s).iter().map(|&id| id as u32).chain([0]).collect();
        let given = output.chunks_exact(size).map(argmax).collect();
        let score = BatchTargets::Labels(right).score(&Matrix::from_vec(size, found, output));
        Ok(Answers { score, given, written: model.decode(source, most)? })
    };
    let all: Vec<_> = (0..targets.len()).into_par_iter().map(run).collect::<Result<_>>()?;
    let mut score = Score::default();
    let (mut confusion, mut transcripts) = (Confusion::new(names.to_vec()), Transcripts::default());
    for (s, answers) in all.into_iter().enumerate() {
        score = score.plus(answers.score);
        let right: Vec<u32> = targets.get(s).iter().map(|&id| id as u32).collect();
        transcripts.count(&right, &answers.written);
        let right = right.into_iter().chain([0]);
        right.zip(answers.given).for_each(|(right, given)| confusion.count(right as usize, given));
    }
    Ok(Evaluation {
        loss: Loss::CategoricalCrossentropy,
        score,
        confusion: Some(confusion),
        perplexity: Some(score.mean_loss().exp()),
        transcripts: Some(transcripts),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Array, Values};

    /// Is sure of class 1 at every step, and writes its source.
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
        let found = evaluate_pairs(&Echo, &["end".into()], &data).unwrap();
        // Of 1 2 0 and 1 2 0 the ones; each step costs ln 2 or ln 4.
        assert_eq!((found.score.columns, found.score.metric), (6, 2.0));
        let loss = (2.0 * 2f64.ln() + 4.0 * 4f64.ln()) / 6.0;
        assert!((found.score.mean_loss() - loss).abs() < 1e-7);
        assert!((found.perplexity.unwrap() - loss.exp()).abs() < 1e-6);
        assert_eq!(found.confusion.as_ref().unwrap().get(0, 1), 2);
        // 1 2 is right; 1 1 1 1, cut at twice the longest target, is three edits away from 1 2.
        assert_eq!(
            found.headline(),
            "loss: 1.1552 - accuracy: 0.3333 - perplexity: 3.1748 - token error rate: 0.7500 - sequences right: 0.5000"
        );
    }

    #[test]
    fn other_targets_are_refused_by_name() {
        let once =
            Dataset::from_arrays(integers(&[1, 2]), Some(integers(&[1, 1])), integers(&[1, 2]), ["x", "y"]);
        let reason = |data: &Dataset| evaluate_pairs(&Echo, &[], data).unwrap_err().to_string();
        assert!(reason(&once.unwrap()).starts_with("y: a model with a decoder needs sequences as targets"));
        let ids = || integers(&[3]);
        let four =
            Dataset::from_pairs(ids(), Some(integers(&[1])), ids(), integers(&[1]), ["x", "y"]).unwrap();
        assert_eq!(reason(&four), "y: classes up to 3, but the model has 3 outputs");
        let predict = |_: &[f32]| Ok(vec![0.0; 6]);
        let reason = super::super::evaluate(3, &[], predict, &four).unwrap_err().to_string();
        assert_eq!(reason, "y: sequences with lengths of their own, but the model has no decoder");
    }
}
