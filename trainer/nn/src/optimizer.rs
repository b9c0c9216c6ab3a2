//! Optimizers and gradient clipping; formulas and defaults are those of Keras 3.

use serde::{Deserialize, Serialize};

use crate::tensor::{Matrix, Real};

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-7;

/// The state of an optimizer: what it remembers of the gradients so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments<T: Real> {
    /// The number of updates made.
    pub updates: u64,
    /// The running mean of the gradient of every parameter, or its velocity.
    pub mean: Vec<Matrix<T>>,
    /// The running mean of the squared gradient of every parameter.
    pub square: Vec<Matrix<T>>,
}

/// The rule of an update of the parameters `w` from their gradients `g`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Adam (Kingma and Ba, 2015), as Keras 3 computes it:
    ///
    /// ```text
    /// a = rate * sqrt(1 - b2^t) / (1 - b1^t)
    /// m += (1 - b1) (g - m)        v += (1 - b2) (g^2 - v)        w -= a m / (sqrt(v) + 1e-7)
    /// ```
    Adam,
    /// Stochastic gradient descent:
    ///
    /// ```text
    /// m = momentum m - rate g      w += m, or with Nesterov's momentum w += momentum m - rate g
    /// ```
    Sgd {
        /// The share of the velocity that remains per update.
        momentum: f64,
        /// `true` for Nesterov's momentum.
        nesterov: bool,
    },
    /// RMSprop:
    ///
    /// ```text
    /// v = rho v + (1 - rho) g^2    m = momentum m + rate g / sqrt(v + 1e-7)    w -= m
    /// ```
    Rmsprop {
        /// The share of the mean square that remains per update.
        rho: f64,
        /// The share of the velocity that remains per update.
        momentum: f64,
    },
}

/// An update: a rule, and the decay of the weights before it, `w -= decay rate w`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Update {
    /// The rule.
    pub rule: Rule,
    /// The decay of the weights, 0 for none.
    pub weight_decay: f64,
}

/// A parameter with its gradient and its moments.
struct Slots<'a, T> {
    w: &'a mut [T],
    g: &'a [T],
    m: &'a mut [T],
    v: &'a mut [T],
}

impl<T: Real> Moments<T> {
    /// Creates the state for parameters of these shapes.
    pub fn new(parameters: &[&Matrix<T>]) -> Self {
        let zeros: Vec<_> = parameters.iter().map(|p| Matrix::zeros(p.nrows(), p.ncols())).collect();
        Self { updates: 0, mean: zeros.clone(), square: zeros }
    }
}

impl Update {
    /// Updates every parameter once.
    pub fn apply<T: Real>(
        &self,
        moments: &mut Moments<T>,
        parameters: Vec<&mut Matrix<T>>,
        gradients: &[Matrix<T>],
        rate: f64,
    ) {
        moments.updates += 1;
        let updates = moments.updates;
        let moments = moments.mean.iter_mut().zip(&mut moments.square);
        for ((parameter, gradient), (mean, square)) in parameters.into_iter().zip(gradients).zip(moments) {
            if self.weight_decay > 0.0 {
                *parameter *= T::of(1.0 - self.weight_decay * rate);
            }
            let slots = Slots {
                w: parameter.as_mut_slice(),
                g: gradient.as_slice(),
                m: mean.as_mut_slice(),
                v: square.as_mut_slice(),
            };
            match self.rule {
                Rule::Adam => slots.adam(rate, updates),
                Rule::Sgd { momentum, nesterov } => slots.sgd(rate, momentum, nesterov),
                Rule::Rmsprop { rho, momentum } => slots.rmsprop(rate, rho, momentum),
            }
        }
    }
}

impl<T: Real> Slots<'_, T> {
    fn each(self, update: impl Fn(&mut T, T, &mut T, &mut T)) {
        let moments = self.m.iter_mut().zip(self.v);
        self.w.iter_mut().zip(self.g).zip(moments).for_each(|((w, &g), (m, v))| update(w, g, m, v));
    }

    fn adam(self, rate: f64, updates: u64) {
        let power = updates as f64;
        let rate = T::of(rate * (1.0 - BETA_2.powf(power)).sqrt() / (1.0 - BETA_1.powf(power)));
        let [keep_mean, keep_square, epsilon] = [1.0 - BETA_1, 1.0 - BETA_2, EPSILON].map(T::of);
        self.each(|w, g, m, v| {
            *m += (g - *m) * keep_mean;
            *v += (g * g - *v) * keep_square;
            *w -= rate * *m / (v.sqrt() + epsilon);
        });
    }

    fn sgd(self, rate: f64, momentum: f64, nesterov: bool) {
        let [rate, momentum] = [rate, momentum].map(T::of);
        self.each(|w, g, m, _| {
            *m = momentum * *m - rate * g;
            *w += if nesterov { momentum * *m - rate * g } else { *m };
        });
    }

    fn rmsprop(self, rate: f64, rho: f64, momentum: f64) {
        let [rate, keep, rest, momentum, epsilon] = [rate, rho, 1.0 - rho, momentum, EPSILON].map(T::of);
        self.each(|w, g, m, v| {
            *v = keep * *v + rest * g * g;
            *m = momentum * *m + rate * g / (*v + epsilon).sqrt();
            *w -= *m;
        });
    }
}

/// Bounds on gradients; the names are Keras's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Clipping {
    /// The largest norm of the gradient of one parameter matrix.
    pub clipnorm: Option<f64>,
    /// The largest norm of all gradients together.
    pub global_clipnorm: Option<f64>,
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
mod tests;
