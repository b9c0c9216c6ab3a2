//! Tests of each cell with each of its variants against central differences and against its reference time
//! step.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::initializers::{Purpose, stream};
use crate::layers::LayerConfig;

const INPUT: usize = 3;
const HIDDEN: usize = 4;
const LENGTHS: [usize; 4] = [5, 3, 3, 1];

/// Returns every row of the table of cells, with each of its variants.
fn all(rng: &mut ChaCha8Rng) -> Vec<AnyCell<f64>> {
    let mut cells = Vec::new();
    for (name, options) in VARIANTS.iter().flat_map(|(name, all)| all.iter().map(move |o| (name, o))) {
        let config: LayerConfig =
            toml::from_str(&format!("type = '{name}'\nunits = {HIDDEN}\n{options}")).unwrap();
        cells.push(config.cell().unwrap().build(INPUT, rng).cast());
    }
    // The initial values are too regular: biases of zero, orthogonal columns.
    for parameter in cells.iter_mut().flat_map(|cell: &mut AnyCell<f64>| cell.get_mut().parameters_mut()) {
        *parameter += random(parameter.nrows(), parameter.ncols(), rng) * 0.5;
    }
    cells
}

fn random(rows: usize, columns: usize, rng: &mut ChaCha8Rng) -> Matrix<f64> {
    Matrix::from_fn(rows, columns, |_, _| rng.random_range(-1.0..1.0))
}

/// A test case: a cell, its frames and initial states, and a loss, the weighted sum of every state after
/// every step.
#[derive(Clone)]
struct Case {
    cell: AnyCell<f64>,
    x: Matrix<f64>,
    initial: Vec<Matrix<f64>>,
    weights: Vec<Matrix<f64>>,
}

impl Case {
    fn all() -> Vec<Self> {
        let mut rng = stream(7, Purpose::Weights, 0);
        let steps = BatchSizes::new(&LENGTHS);
        let mut case = |cell: AnyCell<f64>| Self {
            x: random(INPUT, steps.columns(), &mut rng),
            initial: (0..cell.get().states().len())
                .map(|_| random(HIDDEN, LENGTHS.len(), &mut rng))
                .collect(),
            weights: (0..cell.get().states().len())
                .map(|_| random(HIDDEN, steps.columns(), &mut rng))
                .collect(),
            cell,
        };
        all(&mut stream(7, Purpose::Weights, 1)).into_iter().map(&mut case).collect()
    }

    fn forward(&self) -> (Vec<Matrix<f64>>, Vec<Matrix<f64>>) {
        let steps = BatchSizes::new(&LENGTHS);
        let mut states: Vec<_> = self
            .initial
            .iter()
            .map(|s| s.clone().resize_horizontally(LENGTHS.len() + steps.columns(), 0.0))
            .collect();
        let saved = self.cell.get().forward(&self.x, &steps, &mut states);
        (states, saved)
    }

    fn loss(&self) -> f64 {
        let after = LENGTHS.len()..;
        self.forward().0.iter().zip(&self.weights).map(|(s, w)| s.columns_range(after.clone()).dot(w)).sum()
    }

    /// Computes the gradients by backpropagation: parameters, frames, initial states.
    fn gradients(&self) -> Vec<Matrix<f64>> {
        let steps = BatchSizes::new(&LENGTHS);
        let (states, saved) = self.forward();
        let skip = Matrix::zeros(HIDDEN, LENGTHS.len());
        let reach = |w: &Matrix<f64>| {
            Matrix::from_columns(&skip.column_iter().chain(w.column_iter()).collect::<Vec<_>>())
        };
        let mut d_states: Vec<_> = self.weights.iter().map(reach).collect();
        let found = self.cell.get().backward(&self.x, &steps, &states, &saved, &mut d_states);
        let x = self.cell.get().w_ih().transpose() * &found.pre_activations;
        let initial = d_states.iter().map(|d| d.columns_range(..LENGTHS.len()).into_owned());
        found.parameters.into_iter().chain([x]).chain(initial).collect()
    }

    /// Returns all values that have a gradient, in the same order.
    fn variables(&mut self) -> Vec<&mut Matrix<f64>> {
        let parameters = self.cell.get_mut().parameters_mut();
        parameters.into_iter().chain([&mut self.x]).chain(&mut self.initial).collect()
    }
}

#[test]
fn gradients_equal_central_differences() {
    for case in Case::all() {
        for (v, gradient) in case.gradients().iter().enumerate() {
            for k in 0..gradient.len() {
                let moved = |by: f64| {
                    let mut case = case.clone();
                    case.variables()[v][k] += by;
                    case.loss()
                };
                let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                let error = (gradient[k] - difference).abs();
                assert!(
                    error < 1e-8 * difference.abs().max(1.0),
                    "{} variable {v} number {k}: {} by backpropagation, {difference} by differences",
                    case.cell.keras_name(),
                    gradient[k]
                );
            }
        }
    }
}

#[test]
fn packed_batch_equals_the_plain_step_one_by_one() {
    let steps = BatchSizes::new(&LENGTHS);
    for case in Case::all() {
        let packed = case.forward().0;
        for (s, &length) in LENGTHS.iter().enumerate() {
            let mut states: Vec<Vec<f64>> =
                case.initial.iter().map(|m| m.column(s).iter().copied().collect()).collect();
            for t in 0..length {
                let column = steps.column(t, s);
                case.cell.get().step(case.x.column(column).as_slice(), &mut states);
                for (reference, packed) in states.iter().zip(&packed) {
                    let packed = packed.column(LENGTHS.len() + column);
                    let worst =
                        reference.iter().zip(packed.iter()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                    assert!(worst < 1e-13, "{} sequence {s} step {t}: {worst:e}", case.cell.keras_name());
                }
            }
        }
    }
}
