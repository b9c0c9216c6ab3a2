use super::*;

const EPSILON: f64 = 1e-7;

fn values(rows: usize, columns: usize, values: &[f64]) -> BatchTargets<f64> {
    BatchTargets::Values(Matrix::from_row_slice(rows, columns, values))
}

#[test]
fn cross_entropy_and_accuracy_by_hand() {
    let output = Matrix::from_vec(2, 3, vec![0.25f64, 0.75, 0.5, 0.5, 1.0, 0.0]);
    let objective = Objective::new(Loss::CategoricalCrossentropy);
    let score = objective.score(&BatchTargets::Labels(vec![1, 1, 1]), None, &output);
    // A tie goes to the first class; a probability of 0 is raised to the bound.
    let lifted = -EPSILON.ln();
    assert!((score.mean_loss() - (-(0.75f64.ln()) - 0.5f64.ln() + lifted) / 3.0).abs() < 1e-12);
    assert_eq!((score.metric, score.columns), (1.0, 3));
}

#[test]
fn a_probability_that_is_no_number_shows_in_the_loss_and_is_not_correct() {
    let output = Matrix::from_vec(2, 2, vec![f32::NAN, f32::NAN, 0.5, 0.5]);
    let objective = Objective::new(Loss::CategoricalCrossentropy);
    let score = objective.score(&BatchTargets::Labels(vec![0, 0]), None, &output);
    assert!(score.loss.is_nan());
    assert_eq!(score.metric, 1.0);
    let single = Matrix::from_vec(1, 2, vec![f32::NAN, 0.4]);
    let score =
        Objective::new(Loss::BinaryCrossentropy).score(&BatchTargets::Labels(vec![0, 0]), None, &single);
    assert!(score.loss.is_nan());
    assert_eq!(score.metric, 1.0);
}

#[test]
fn squared_and_absolute_errors_by_hand() {
    let output = Matrix::from_row_slice(2, 2, &[1.0f64, 3.0, 2.0, 4.0]);
    let targets = values(2, 2, &[1.0, 4.0, 0.0, 4.0]);
    let mean = |loss| {
        let score = Objective::new(loss).score(&targets, None, &output);
        (score.mean_loss(), score.mean_metric())
    };
    assert_eq!(mean(Loss::Mse), ((2.0 + 0.5) / 2.0, (1.0 + 0.5) / 2.0));
    assert_eq!(mean(Loss::Mae), (0.75, 0.75));
    // Of the errors 0, 2, 1 and 0, the second is beyond the default delta of 1: 2 - 0.5.
    assert_eq!(mean(Loss::Huber), ((1.5 + 0.5) / 4.0, 0.75));
}

#[test]
fn a_single_probability_is_compared_with_the_threshold() {
    let output = Matrix::from_vec(1, 4, vec![0.5f64, 0.75, 0.0, 0.25]);
    let objective = Objective::new(Loss::BinaryCrossentropy);
    let score = objective.score(&BatchTargets::Labels(vec![0, 1, 1, 1]), None, &output);
    let sum = -(0.5f64.ln()) - 0.75f64.ln() - EPSILON.ln() - 0.25f64.ln();
    assert!((score.loss - sum).abs() < 1e-12, "{}", score.loss);
    assert_eq!(score.metric, 2.0);
}

#[test]
fn weights_change_the_loss_and_not_the_metric() {
    let output = Matrix::from_vec(1, 2, vec![1.0f64, 5.0]);
    let score = Objective::new(Loss::Mse).score(&values(1, 2, &[0.0, 3.0]), Some(&[3.0, 0.5]), &output);
    // The sum is divided by the number of columns, not by the sum of their weights.
    assert_eq!((score.mean_loss(), score.mean_metric()), ((3.0 + 2.0) / 2.0, 1.5));
}
