//! Metrics compared with scikit-learn: the cases of `metrics.json`, made by `make_metrics.py`.

use std::collections::BTreeMap;

use embedded_rnn_trainer::data::{Array, Dataset, Values};
use embedded_rnn_trainer::evaluate::{Criteria, Evaluation, evaluate};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    kind: String,
    size: usize,
    outputs: Vec<f32>,
    targets: Vec<f64>,
    accuracy: Option<f64>,
    averages: Option<BTreeMap<String, [f64; 3]>>,
    best_f1: Option<f64>,
    scores: BTreeMap<String, f64>,
}

impl Case {
    /// Evaluates a model with these outputs: the only value of a sequence is its number.
    fn evaluate(&self, threshold: f64) -> Evaluation {
        let n = self.outputs.len() / self.size;
        let x = (0..n).map(|s| s as f32).collect();
        let x = Array { shape: vec![n, 1, 1], values: Values::Floats(x) };
        let y = if self.kind == "values" {
            let values = self.targets.iter().map(|&value| value as f32).collect();
            Array { shape: vec![n, self.size], values: Values::Floats(values) }
        } else {
            let labels = self.targets.iter().map(|&class| class as i64).collect();
            Array { shape: vec![n], values: Values::Integers(labels) }
        };
        let data = Dataset::from_arrays(x, None, y, ["x", "y"]).unwrap();
        let predict =
            |frames: &[f32]| Ok(self.outputs[frames[0] as usize * self.size..][..self.size].to_vec());
        let criteria = Criteria { threshold, ..Criteria::default() };
        evaluate(self.size, &[], predict, &data, &criteria).unwrap()
    }
}

#[track_caller]
fn assert_close(found: f64, golden: f64, place: &str) {
    assert!((found - golden).abs() < 1e-12, "{place}: {found}, but scikit-learn has {golden}");
}

#[test]
fn scores_match_scikit_learn() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/trained/metrics.json");
    let cases: Vec<Case> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut compared = 0;
    for case in &cases {
        let found = case.evaluate(0.5);
        let details: BTreeMap<&str, f64> = found.details().into_iter().collect();
        for (name, &golden) in &case.scores {
            assert_close(details[name.as_str()], golden, &format!("{}, {name}", case.name));
            compared += 1;
        }
        let confusion = found.confusion.as_ref();
        for (name, golden) in case.averages.iter().flatten() {
            let averages = confusion.unwrap().averages();
            let (_, average) = averages.iter().find(|(other, _)| other == name).unwrap();
            let found = [average.precision, average.recall, average.f1];
            let place = format!("{}, {name}", case.name);
            found.into_iter().zip(golden).for_each(|(found, &golden)| assert_close(found, golden, &place));
        }
        if let Some(accuracy) = case.accuracy {
            assert_close(found.score.mean_metric(), accuracy, &case.name);
            assert_close(confusion.unwrap().accuracy(), accuracy, &case.name);
        }
        if let Some(best) = case.best_f1 {
            let threshold = found.ranking.unwrap().best_threshold().unwrap();
            let chosen = case.evaluate(threshold).confusion.unwrap();
            assert_close(chosen.class(1).f1, best, &case.name);
        }
    }
    assert_eq!((cases.len(), compared), (13, 56));
}
