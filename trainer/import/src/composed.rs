//! Functions of single values that the runtime does not have, composed of those that it has, to the last
//! rounding:
//!
//! ```text
//! max(x, low)          relu(x - low) + low
//! min(x, high)         high - relu(high - x)
//! clip(x, 0, high)     high/6 relu6(6/high x)
//! clip(x, low, high)   M hardtanh(x / M), M being the larger magnitude, and the other bound as above
//! celu(x)              alpha elu(x / alpha)
//! x, or a x below 0    with a slope a per feature: relu(x) - sign(a) relu(-|a| x), a Dense layer of twice
//!                      the units, and one that joins the halves
//! ```
//! The slopes are in the first Dense, where each row has a scale of its own in i8, so that the weights of the
//! other are of magnitude 1 and exact in 8 bits.

use anyhow::{Result, ensure};

use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::layers::{self, BatchNormalization, Dense, Kind};
use embedded_rnn_nn::tensor::Matrix;

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Elementwise {
    /// The product with a number.
    Scale(f32),
    /// The sum with a number.
    Offset(f32),
    /// A function of the runtime.
    Function(Activation),
}

use Elementwise::{Function, Offset, Scale};

impl Elementwise {
    /// Returns the function as a layer.
    pub fn kind(self, features: usize) -> Kind<f32> {
        let affine = |scale, offset| {
            let all = |value| Matrix::repeat(features, 1, value);
            Kind::BatchNormalization(BatchNormalization::affine(all(scale), all(offset)))
        };
        match self {
            Scale(factor) => affine(factor, 0.0),
            Offset(offset) => affine(1.0, offset),
            Function(function) => Kind::Activation(layers::Activation::new(features, function)),
        }
    }
}

/// Returns the functions that compute the larger of a value and a bound.
pub fn at_least(low: f32) -> Vec<Elementwise> {
    if low == 0.0 {
        return vec![Function(Activation::Relu)];
    }
    vec![Offset(-low), Function(Activation::Relu), Offset(low)]
}

/// Returns the functions that compute the smaller of a value and a bound.
pub fn at_most(high: f32) -> Vec<Elementwise> {
    vec![Offset(-high), Scale(-1.0), Function(Activation::Relu), Scale(-1.0), Offset(high)]
}

/// Returns the functions that limit a value to a range; a bound at the end of all floats is none.
///
/// # Errors
/// An empty range.
pub fn clip(low: f32, high: f32) -> Result<Vec<Elementwise>> {
    ensure!(low < high, "min {low}, max {high}: an empty range");
    let far = low.abs().max(high.abs());
    Ok(match (low > f32::MIN, high < f32::MAX) {
        (false, false) => Vec::new(),
        (true, false) => at_least(low),
        (false, true) => at_most(high),
        (true, true) if low == 0.0 => scaled(Activation::Relu6, high / 6.0),
        (true, true) => {
            let mut functions = scaled(Activation::HardTanh, far);
            if low > -far {
                functions.extend(at_least(low));
            } else if high < far {
                functions.extend(at_most(high));
            }
            functions
        }
    })
}

/// Returns the functions that compute `scale * function(x / scale)`.
pub fn scaled(function: Activation, scale: f32) -> Vec<Elementwise> {
    if scale == 1.0 {
        return vec![Function(function)];
    }
    vec![Scale(1.0 / scale), Function(function), Scale(scale)]
}

/// Returns the leaky relu of these slopes as a function of the runtime, if it is the same for all features.
pub fn one_leaky_relu(slopes: &[f32]) -> Option<Activation> {
    let (&first, others) = slopes.split_first()?;
    others.iter().all(|slope| *slope == first).then(|| Activation::leaky_relu(first)).flatten()
}

/// Returns the two Dense layers of a leaky relu with a slope per feature, behind a linear one of these
/// weights and biases.
pub fn leaky_relus(weight: &Matrix<f32>, bias: &Matrix<f32>, slopes: &[f32]) -> [Dense<f32>; 2] {
    let size = slopes.len();
    let halves = |matrix: &Matrix<f32>| {
        Matrix::from_fn(2 * size, matrix.ncols(), |row, column| match row.checked_sub(size) {
            Some(row) => -slopes[row].abs() * matrix[(row, column)],
            None => matrix[(row, column)],
        })
    };
    let joined = Matrix::from_fn(size, 2 * size, |row, column| match column.checked_sub(size) {
        Some(column) if row == column => -slopes[row].signum(),
        None if row == column => 1.0,
        _ => 0.0,
    });
    [
        Dense::from_weights(halves(weight), halves(bias), Activation::Relu),
        Dense::from_weights(joined, Matrix::zeros(size, 1), Activation::Linear),
    ]
}
