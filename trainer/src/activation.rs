//! Activation functions, forward and backward.

use serde::{Deserialize, Serialize};

use crate::tensor::{Matrix, Real};

/// tanh as a rational function, for the compiler to turn into vector code.
///
/// The fit is Eigen's (`generic_fast_tanh_float`, a minimax fit of degree 13 over 6 on +-7.9053).
/// Worst absolute error against f64: 3.6e-7; the result never leaves [-1, 1].
pub fn tanh(x: f32) -> f32 {
    const P: [f32; 7] = [
        -2.760_768_4e-16,
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297_3e-8,
        1.485_722_4e-5,
        6.372_619_4e-4,
        4.893_524_6e-3,
    ];
    const Q: [f32; 4] = [1.198_258_4e-6, 1.185_347_1e-4, 2.268_434_7e-3, 4.893_525_3e-3];
    // Where the fit ends, tanh is 1 to the last bit of f32.
    let x = x.clamp(-7.905_311, 7.905_311);
    let square = x * x;
    let p = P.iter().fold(0.0, |sum, &c| sum * square + c);
    let q = Q.iter().fold(0.0, |sum, &c| sum * square + c);
    (x * p / q).clamp(-1.0, 1.0)
}

/// The logistic sigmoid, by `sigmoid(x) = (1 + tanh(x / 2)) / 2`. Worst absolute error against f64: 2.3e-7.
pub fn sigmoid(x: f32) -> f32 {
    0.5 + 0.5 * tanh(0.5 * x)
}

/// What a layer does to its weighted sums. The names are Keras's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x`
    #[default]
    Linear,
    /// `max(x, 0)`
    Relu,
    /// `tanh(x)`
    Tanh,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// `relu6(x + 3) / 6`, which is Keras 3's and PyTorch's.
    HardSigmoid,
    /// `clip(0.2 x + 0.5, 0, 1)`, which was Keras's up to version 2 and is that of its old recurrent nets.
    #[serde(rename = "hard_sigmoid_keras1")]
    HardSigmoidKeras1,
    /// `exp(x_i) / sum_j exp(x_j)`
    Softmax,
}

impl Activation {
    /// Its name in a config, Keras's where Keras has one.
    pub fn keras_name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::HardSigmoid => "hard_sigmoid",
            Self::HardSigmoidKeras1 => "hard_sigmoid_keras1",
            Self::Softmax => "softmax",
        }
    }

    /// Applies it to one column.
    pub fn forward<T: Real>(self, column: &mut [T]) {
        match self {
            Self::Linear => {}
            Self::Relu => column.iter_mut().for_each(|x| *x = x.max(T::zero())),
            Self::Tanh => T::tanh_each(column),
            Self::Sigmoid => T::sigmoid_each(column),
            Self::HardSigmoid => hard_sigmoid(column, 1.0 / 6.0),
            Self::HardSigmoidKeras1 => hard_sigmoid(column, 0.2),
            Self::Softmax => softmax(column),
        }
    }

    /// Applies it to one value.
    pub fn of<T: Real>(self, x: T) -> T {
        let mut column = [x];
        self.forward(&mut column);
        column[0]
    }

    /// Applies it to every column.
    pub fn forward_columns<T: Real>(self, values: &mut Matrix<T>) {
        let rows = values.nrows();
        values.as_mut_slice().chunks_exact_mut(rows).for_each(|column| self.forward(column));
    }

    /// Turns the gradient of the outputs `y` of one column into the gradient of the weighted sums.
    pub fn backward<T: Real>(self, y: &[T], d: &mut [T]) {
        match self {
            Self::Linear => {}
            Self::Relu => times_slope(y, d, |y| if y > T::zero() { T::one() } else { T::zero() }),
            Self::Tanh => times_slope(y, d, |y| T::one() - y * y),
            Self::Sigmoid => times_slope(y, d, |y| y * (T::one() - y)),
            Self::HardSigmoid => times_slope(y, d, hard_slope(1.0 / 6.0)),
            Self::HardSigmoidKeras1 => times_slope(y, d, hard_slope(0.2)),
            Self::Softmax => {
                let mean = y.iter().zip(&*d).fold(T::zero(), |sum, (&y, &d)| sum + y * d);
                d.iter_mut().zip(y).for_each(|(d, &y)| *d = y * (*d - mean));
            }
        }
    }

    /// [`Self::backward`] for every column.
    pub fn backward_columns<T: Real>(self, y: &Matrix<T>, d: &mut Matrix<T>) {
        let rows = y.nrows();
        let columns = y.as_slice().chunks_exact(rows).zip(d.as_mut_slice().chunks_exact_mut(rows));
        columns.for_each(|(y, d)| self.backward(y, d));
    }
}

/// The slope where the output is `y` is all that these need to know.
fn times_slope<T: Real>(y: &[T], d: &mut [T], slope: impl Fn(T) -> T) {
    d.iter_mut().zip(y).for_each(|(d, &y)| *d *= slope(y));
}

/// `clip(slope x + 1/2, 0, 1)`.
fn hard_sigmoid<T: Real>(column: &mut [T], slope: f64) {
    let (slope, half) = (T::of(slope), T::of(0.5));
    column.iter_mut().for_each(|x| *x = (slope * *x + half).max(T::zero()).min(T::one()));
}

fn hard_slope<T: Real>(slope: f64) -> impl Fn(T) -> T {
    let slope = T::of(slope);
    move |y| if y > T::zero() && y < T::one() { slope } else { T::zero() }
}

fn softmax<T: Real>(column: &mut [T]) {
    // The largest is taken off so that nothing overflows.
    let top = column.iter().copied().fold(column[0], T::max);
    column.iter_mut().for_each(|x| *x = (*x - top).exp());
    let sum = column.iter().copied().fold(T::zero(), |a, b| a + b);
    column.iter_mut().for_each(|x| *x /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every 641st f32, both signs: all of them would take too long in the normal run.
    #[test]
    fn tanh_and_sigmoid_hold_their_bounds() {
        let (mut worst_tanh, mut worst_sigmoid) = (0.0f64, 0.0f64);
        for bits in (0..=f32::INFINITY.to_bits()).step_by(641) {
            for x in [f32::from_bits(bits), -f32::from_bits(bits)] {
                let (t, s) = (tanh(x), sigmoid(x));
                assert!((-1.0..=1.0).contains(&t) && (0.0..=1.0).contains(&s), "at {x}");
                worst_tanh = worst_tanh.max((f64::from(t) - f64::from(x).tanh()).abs());
                worst_sigmoid = worst_sigmoid.max((f64::from(s) - 1.0 / (1.0 + (-f64::from(x)).exp())).abs());
            }
        }
        assert!(worst_tanh < 3.6e-7, "{worst_tanh:e}");
        assert!(worst_sigmoid < 2.3e-7, "{worst_sigmoid:e}");
    }

    #[test]
    fn softmax_survives_large_values() {
        let mut column = [1000.0f32, 1000.0, -1000.0];
        Activation::Softmax.forward(&mut column);
        assert_eq!(column, [0.5, 0.5, 0.0]);
    }
}
