//! Several runs of one config: with several seeds, or with the folds of a cross-validation.

use std::path::Path;

use anyhow::Result;
use embedded_rnn_nn::output::write_atomically;
use embedded_rnn_nn::training::Fold;
use serde_json::json;

use super::lines::Lines;

/// One of the runs.
pub struct Plan {
    /// The name of its folder inside the output directory, and of its row in the summary; empty for a single
    /// run, which has the directory for itself.
    pub name: String,
    /// The seed of everything random.
    pub seed: u64,
    /// The fold that is held back for validation.
    pub fold: Option<Fold>,
}

/// The scores of the models of a run, on the part of the data that they are scored on.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The name of the run.
    pub run: String,
    /// The names of the scores, each with its value.
    pub scores: Vec<(String, f64)>,
}

/// A file beside the folders of the runs.
const SUMMARY: &str = "summary.csv";

/// Returns the runs: `seeds` seeds from `seed` on, or `folds` folds.
pub fn plans(seed: u64, seeds: Option<u64>, folds: Option<usize>) -> Vec<Plan> {
    match (seeds, folds) {
        (Some(seeds), _) => {
            let plan = |seed| Plan { name: format!("seed-{seed}"), seed, fold: None };
            (0..seeds).map(|k| plan(seed.wrapping_add(k))).collect()
        }
        (None, Some(of)) => {
            let plan =
                |number| Plan { name: format!("fold-{}", number + 1), seed, fold: Some(Fold { number, of }) };
            (0..of).map(plan).collect()
        }
        (None, None) => vec![Plan { name: String::new(), seed, fold: None }],
    }
}

/// Returns the mean and the standard deviation of a sample; 0 for a single value.
fn mean_and_spread(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0).max(1.0)).sqrt())
}

/// Prints the scores of all runs with their mean and spread, and writes them into the output directory.
pub fn summarize(outcomes: &[Outcome], out: &Path, lines: Lines) -> Result<()> {
    let Some(first) = outcomes.first() else { return Ok(()) };
    let names: Vec<&str> = first.scores.iter().map(|(name, _)| name.as_str()).collect();
    let column = |k: usize| outcomes.iter().filter_map(|o| o.scores.get(k)).map(|score| score.1).collect();
    let columns: Vec<Vec<f64>> = (0..names.len()).map(column).collect();
    let (means, spreads): (Vec<f64>, Vec<f64>) = columns.iter().map(|c| mean_and_spread(c)).unzip();
    let runs = outcomes.iter().map(|o| (o.run.as_str(), o.scores.iter().map(|s| s.1).collect()));
    let rows: Vec<(&str, Vec<f64>)> = runs.chain([("mean", means), ("spread", spreads)]).collect();

    let mut text = format!("run,{}\n", names.join(","));
    for (run, values) in &rows {
        text += &format!("{run},{}\n", values.iter().map(f64::to_string).collect::<Vec<_>>().join(","));
    }
    write_atomically(&out.join(SUMMARY), |file| file.write_all(text.as_bytes()))?;

    let width = |name: &str| name.len().max(8);
    let head: String = names.iter().map(|name| format!("  {name:>0$}", width(name))).collect();
    lines.text(&format!("{:<10}{head}", "run"))?;
    for (run, values) in &rows {
        let cells = names.iter().zip(values).map(|(name, value)| format!("  {value:>0$.4}", width(name)));
        lines.text(&format!("{run:<10}{}", cells.collect::<String>()))?;
        let scores: serde_json::Map<_, _> =
            names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        lines.object(&json!({ "event": "summary", "run": run, "scores": scores }))?;
    }
    lines
        .text(&format!("Wrote {}; spread is the standard deviation of the runs", out.join(SUMMARY).display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_spread_are_those_of_a_sample() {
        assert_eq!(mean_and_spread(&[2.0, 4.0, 9.0]), (5.0, 13.0f64.sqrt()));
        assert_eq!(mean_and_spread(&[0.5]), (0.5, 0.0));
    }

    #[test]
    fn runs_have_their_own_seeds_or_folds() {
        let names =
            |plans: Vec<Plan>| plans.into_iter().map(|plan| (plan.name, plan.seed)).collect::<Vec<_>>();
        assert_eq!(names(plans(7, Some(2), None)), [("seed-7".to_owned(), 7), ("seed-8".to_owned(), 8)]);
        assert_eq!(names(plans(7, None, None)), [(String::new(), 7)]);
        let folds: Vec<_> = plans(7, None, Some(2)).into_iter().map(|plan| plan.fold.unwrap()).collect();
        assert_eq!(folds, [Fold { number: 0, of: 2 }, Fold { number: 1, of: 2 }]);
    }
}
