//! Adam and gradient clipping; formulas and defaults are those of Keras 3.

use serde::{Deserialize, Serialize};

use crate::tensor::{Matrix, Real};

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-7;

/// Adam (Kingma and Ba, 2015), as Keras 3 computes it:
///
/// ```text
/// a = rate * sqrt(1 - b2^t) / (1 - b1^t)
/// m += (1 - b1) (g - m)        v += (1 - b2) (g^2 - v)        w -= a m / (sqrt(v) + 1e-7)
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Adam<T: Real> {
    /// The number of updates made.
    pub updates: u64,
    /// The running mean of the gradient of every parameter.
    pub mean: Vec<Matrix<T>>,
    /// The running mean of the squared gradient of every parameter.
    pub square: Vec<Matrix<T>>,
}

/// Bounds on gradients; the names are Keras's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Clipping {
    /// The largest norm of the gradient of one parameter matrix.
    pub clipnorm: Option<f64>,
    /// The largest norm of all gradients together.
    pub global_clipnorm: Option<f64>,
}

impl<T: Real> Adam<T> {
    /// Creates the optimizer state for parameters of these shapes.
    pub fn new(parameters: &[&Matrix<T>]) -> Self {
        let zeros: Vec<_> = parameters.iter().map(|p| Matrix::zeros(p.nrows(), p.ncols())).collect();
        Self { updates: 0, mean: zeros.clone(), square: zeros }
    }

    /// Updates every parameter once.
    pub fn update(&mut self, parameters: Vec<&mut Matrix<T>>, gradients: &[Matrix<T>], rate: f64) {
        self.updates += 1;
        let power = self.updates as f64;
        let rate = T::of(rate * (1.0 - BETA_2.powf(power)).sqrt() / (1.0 - BETA_1.powf(power)));
        let [keep_mean, keep_square, epsilon] = [1.0 - BETA_1, 1.0 - BETA_2, EPSILON].map(T::of);
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((parameter, gradient), (mean, square)) in parameters.into_iter().zip(gradients).zip(moments) {
            let moments = mean.as_mut_slice().iter_mut().zip(square.as_mut_slice());
            let values = parameter.as_mut_slice().iter_mut().zip(gradient.as_slice());
            for ((w, &g), (m, v)) in values.zip(moments) {
                *m += (g - *m) * keep_mean;
                *v += (g * g - *v) * keep_square;
                *w -= rate * *m / (v.sqrt() + epsilon);
            }
        }
    }
}

impl Clipping {
    /// Scales down gradients whose norm exceeds a bound.
    pub fn apply<T: Real>(&self, gradients: &mut [Matrix<T>]) {
        if let Some(limit) = self.clipnorm {
            for gradient in gradients.iter_mut().map(std::slice::from_mut) {
                let factor = limit / global_norm(gradient);
                shorten(gradient, factor);
            }
        }
        if let Some(limit) = self.global_clipnorm {
            let factor = limit / global_norm(gradients);
            shorten(gradients, factor);
        }
    }
}

/// Returns the norm of all gradients together. Squares of f32 are exact in f64, and finite.
pub fn global_norm<T: Real>(gradients: &[Matrix<T>]) -> f64 {
    gradients.iter().map(|gradient| sum_of_squares(gradient.as_slice())).sum::<f64>().sqrt()
}

/// Sums squares in eight chains, as one chain would wait for every addition.
fn sum_of_squares<T: Real>(values: &[T]) -> f64 {
    let mut sums = [0.0; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value.to_f64() * value.to_f64();
        }
    }
    let rest: f64 = rest.iter().map(|value| value.to_f64() * value.to_f64()).sum();
    sums.iter().sum::<f64>() + rest
}

fn shorten<T: Real>(gradients: &mut [Matrix<T>], factor: f64) {
    if factor < 1.0 {
        gradients.iter_mut().for_each(|gradient| *gradient *= T::of(factor));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares with values by hand: at the first update the bias corrections cancel the weights of the
    /// moments, so the step is `rate * g / (|g| + epsilon / sqrt(1 - b2))`.
    #[test]
    fn first_updates_follow_keras() {
        let mut w = Matrix::from_vec(2, 1, vec![1.0f64, -2.0]);
        let mut adam = Adam::new(&[&w]);
        adam.update(vec![&mut w], &[Matrix::from_vec(2, 1, vec![0.5, -1e-6])], 0.1);
        let step = |g: f64| 0.1 * g / (g.abs() + 1e-7 / 0.001f64.sqrt());
        assert!((w[0] - (1.0 - step(0.5))).abs() < 1e-12);
        assert!((w[1] - (-2.0 - step(-1e-6))).abs() < 1e-12);
        adam.update(vec![&mut w], &[Matrix::from_vec(2, 1, vec![-0.25, 0.0])], 0.1);
        let (m, v): (f64, f64) = (0.9 * 0.05 - 0.025, 0.999 * 0.00025 + 0.001 * 0.0625);
        let second = 0.1 * (1.0 - 0.999f64.powi(2)).sqrt() / (1.0 - 0.81) * m / (v.sqrt() + 1e-7);
        assert!((w[0] - (1.0 - step(0.5) - second)).abs() < 1e-12);
    }

    #[test]
    fn clipping_shortens_to_the_limit_and_no_further() {
        let gradients =
            || vec![Matrix::from_vec(1, 2, vec![3.0f64, 4.0]), Matrix::from_vec(1, 1, vec![12.0])];
        let clipped = |clipping: Clipping| {
            let mut gradients = gradients();
            clipping.apply(&mut gradients);
            gradients
        };
        let each = clipped(Clipping { clipnorm: Some(10.0), ..Clipping::default() });
        assert_eq!((each[0][0], each[1][0]), (3.0, 10.0));
        let whole = clipped(Clipping { global_clipnorm: Some(6.5), ..Clipping::default() });
        assert_eq!((whole[0][0], whole[0][1], whole[1][0]), (1.5, 2.0, 6.0));
        assert_eq!(clipped(Clipping { global_clipnorm: Some(13.0), ..Clipping::default() }), gradients());
    }
}
