//! Activation functions, forward and backward.

mod extended;
mod parameter;

pub use parameter::Parameter;

use embedded_rnn::format::Activation as ActivationCode;

use crate::tensor::{Matrix, Real};

macro_rules! activations {
    (@parameter $default:literal) => { Parameter };
    ($($(#[$doc:meta])* $activation:ident $(($default:literal))? $keras:literal,)*) => {
        /// The function that a layer applies to its pre-activations. The names are Keras's, and so are the
        /// default parameters.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum Activation { $($(#[$doc])* $activation $((activations!(@parameter $default)))?,)* }

        impl Activation {
            /// All activations, with their default parameters.
            pub const ALL: &'static [Self] = &[$(Self::$activation $((Parameter::of($default)))?,)*];
            /// The names of all activations.
            const NAMES: &'static [&'static str] = &[$($keras,)*];

            /// Returns the name in a config, Keras's where Keras has one, without the parameter.
            pub fn keras_name(self) -> &'static str {
                match self { $(Self::$activation { .. } => $keras,)* }
            }

            /// Returns the code in a model file.
            pub fn code(self) -> ActivationCode {
                match self { $(Self::$activation { .. } => ActivationCode::$activation,)* }
            }
        }
    };
}

activations! {
    /// `x`
    #[default]
    Linear "linear",
    /// `max(x, 0)`
    Relu "relu",
    /// `tanh(x)`
    Tanh "tanh",
    /// `1 / (1 + exp(-x))`
    Sigmoid "sigmoid",
    /// `relu6(x + 3) / 6`, which is Keras 3's and PyTorch's.
    HardSigmoid "hard_sigmoid",
    /// `clip(0.2 x + 0.5, 0, 1)`, as in Keras up to version 2 and in its early recurrent networks.
    HardSigmoidKeras1 "hard_sigmoid_keras1",
    /// `clip(x, 0, 6)`
    Relu6 "relu6",
    /// `x`, or below 0 its product with the parameter.
    LeakyRelu(0.2) "leaky_relu",
    /// `x`, or below 0 the product of `exp(x) - 1` with the parameter.
    Elu(1.0) "elu",
    /// `1.0507 x`, or `1.0507 * 1.67326 (exp(x) - 1)` below 0: Klambauer et al., 2017.
    Selu "selu",
    /// `exp(x)`
    Exponential "exponential",
    /// `log(1 + exp(x))`
    Softplus "softplus",
    /// `x / (1 + |x|)`
    Softsign "softsign",
    /// `x sigmoid(x)`, also called swish.
    Silu "silu",
    /// `x relu6(x + 3) / 6`
    HardSilu "hard_silu",
    /// `x Phi(x)`, Phi being the distribution function of the normal distribution (Hendrycks and Gimpel,
    /// 2016); not the approximation by tanh.
    Gelu "gelu",
    /// `x tanh(softplus(x))`: Misra, 2019.
    Mish "mish",
    /// `-softplus(-x)`
    LogSigmoid "log_sigmoid",
    /// `clip(x, -1, 1)`
    HardTanh "hard_tanh",
    /// `x`, or 0 within +-1/2.
    HardShrink "hard_shrink",
    /// `x` moved by 1/2 towards 0, or 0 within +-1/2.
    SoftShrink "soft_shrink",
    /// `x - tanh(x)`
    TanhShrink "tanh_shrink",
    /// `(x + sqrt(x^2 + 4)) / 2`
    Squareplus "squareplus",
    /// 0 below -1, `(x + 1)^2 / 4` up to 1, `x` beyond.
    SparsePlus "sparse_plus",
    /// `clip((x + 1) / 2, 0, 1)`
    SparseSigmoid "sparse_sigmoid",
    /// `exp(x_i) / sum_j exp(x_j)`
    Softmax "softmax",
    /// `x_i - log sum_j exp(x_j)`
    LogSoftmax "log_softmax",
}

/// Aliases in Keras of the same functions; its `celu` has an alpha of 1.
const ALIASES: [(&str, &str); 3] = [("swish", "silu"), ("hard_swish", "hard_silu"), ("celu", "elu")];

impl Activation {
    /// Returns the activation with this name in Keras, or one of its aliases, with the default parameter.
    pub fn from_keras_name(name: &str) -> Option<Self> {
        let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, own)| *own);
        let name = alias.unwrap_or(name);
        Self::ALL.iter().copied().find(|activation| activation.keras_name() == name)
    }

    /// Returns the activation with this code in a file, with the default parameter; the codes for wide
    /// pre-activations map to tanh and sigmoid.
    pub fn from_code(code: u8) -> Option<Self> {
        match ActivationCode::from_code(code)? {
            ActivationCode::TanhWide => Some(Self::Tanh),
            ActivationCode::SigmoidWide => Some(Self::Sigmoid),
            code => Self::ALL.iter().copied().find(|activation| activation.code() == code),
        }
    }

    /// Returns `true` if the function acts on each unit separately.
    pub fn is_elementwise(self) -> bool {
        !matches!(self, Self::Softmax | Self::LogSoftmax)
    }

    /// Returns `true` if the activation is an extended one, which 8-bit layers of weighted rows do not
    /// support.
    pub fn is_extended(self) -> bool {
        ActivationCode::is_extended(self.code() as u8)
    }

    /// Returns `true` if the slope cannot be computed from the output, because the function is not monotonic
    /// or too flat.
    pub fn needs_pre_activations(self) -> bool {
        match self {
            Self::LeakyRelu(parameter) | Self::Elu(parameter) => parameter.get() < 0.0,
            _ => matches!(self, Self::Silu | Self::HardSilu | Self::Gelu | Self::Mish | Self::TanhShrink),
        }
    }

    /// Applies the function to one column.
    pub fn forward<T: Real>(self, column: &mut [T]) {
        match self {
            Self::Linear => {}
            Self::Relu => column.iter_mut().for_each(|x| *x = x.max(T::zero())),
            Self::Tanh => T::tanh_each(column),
            Self::Sigmoid => T::sigmoid_each(column),
            Self::HardSigmoid => hard_sigmoid(column, 1.0 / 6.0),
            Self::HardSigmoidKeras1 => hard_sigmoid(column, 0.2),
            Self::Softmax => softmax(column),
            Self::LogSoftmax => log_softmax(column),
            Self::Relu6
            | Self::LeakyRelu(_)
            | Self::Elu(_)
            | Self::Selu
            | Self::Exponential
            | Self::Softplus
            | Self::Softsign
            | Self::Silu
            | Self::HardSilu
            | Self::Gelu
            | Self::Mish
            | Self::LogSigmoid
            | Self::HardTanh
            | Self::HardShrink
            | Self::SoftShrink
            | Self::TanhShrink
            | Self::Squareplus
            | Self::SparsePlus
            | Self::SparseSigmoid => column.iter_mut().for_each(|x| *x = extended::value(self, *x)),
        }
    }

    /// Applies the function to one value.
    pub fn of<T: Real>(self, x: T) -> T {
        let mut column = [x];
        self.forward(&mut column);
        column[0]
    }

    /// Applies the function to every column.
    pub fn forward_columns<T: Real>(self, values: &mut Matrix<T>) {
        let rows = values.nrows();
        values.as_mut_slice().chunks_exact_mut(rows).for_each(|column| self.forward(column));
    }

    /// Converts the gradient of the outputs of one column to the gradient of the pre-activations. `at` are
    /// the outputs, or the pre-activations if the activation [needs](Self::needs_pre_activations) them.
    pub fn backward<T: Real>(self, at: &[T], d: &mut [T]) {
        match self {
            Self::Linear => {}
            Self::Relu => times_slope(at, d, |y| if y > T::zero() { T::one() } else { T::zero() }),
            Self::Tanh => times_slope(at, d, |y| T::one() - y * y),
            Self::Sigmoid => times_slope(at, d, |y| y * (T::one() - y)),
            Self::HardSigmoid => times_slope(at, d, hard_slope(1.0 / 6.0)),
            Self::HardSigmoidKeras1 => times_slope(at, d, hard_slope(0.2)),
            Self::Softmax => {
                let mean = at.iter().zip(&*d).fold(T::zero(), |sum, (&y, &d)| sum + y * d);
                d.iter_mut().zip(at).for_each(|(d, &y)| *d = y * (*d - mean));
            }
            Self::LogSoftmax => {
                let sum = d.iter().fold(T::zero(), |sum, &d| sum + d);
                d.iter_mut().zip(at).for_each(|(d, &y)| *d -= y.exp() * sum);
            }
            Self::Relu6
            | Self::LeakyRelu(_)
            | Self::Elu(_)
            | Self::Selu
            | Self::Exponential
            | Self::Softplus
            | Self::Softsign
            | Self::Silu
            | Self::HardSilu
            | Self::Gelu
            | Self::Mish
            | Self::LogSigmoid
            | Self::HardTanh
            | Self::HardShrink
            | Self::SoftShrink
            | Self::TanhShrink
            | Self::Squareplus
            | Self::SparsePlus
            | Self::SparseSigmoid => times_slope(at, d, |at| extended::slope(self, at)),
        }
    }

    /// Applies [`Self::backward`] to every column.
    pub fn backward_columns<T: Real>(self, at: &Matrix<T>, d: &mut Matrix<T>) {
        let rows = at.nrows();
        let columns = at.as_slice().chunks_exact(rows).zip(d.as_mut_slice().chunks_exact_mut(rows));
        columns.for_each(|(at, d)| self.backward(at, d));
    }
}

/// Multiplies each gradient by the slope, for functions of one unit.
fn times_slope<T: Real>(at: &[T], d: &mut [T], slope: impl Fn(T) -> T) {
    d.iter_mut().zip(at).for_each(|(d, &at)| *d *= slope(at));
}

/// Applies `clip(slope x + 1/2, 0, 1)` to each value.
fn hard_sigmoid<T: Real>(column: &mut [T], slope: f64) {
    let (slope, half) = (T::of(slope), T::of(0.5));
    column.iter_mut().for_each(|x| *x = (slope * *x + half).max(T::zero()).min(T::one()));
}

fn hard_slope<T: Real>(slope: f64) -> impl Fn(T) -> T {
    let slope = T::of(slope);
    move |y| if y > T::zero() && y < T::one() { slope } else { T::zero() }
}

/// Applies log-softmax. The largest value is subtracted first so that nothing overflows.
fn log_softmax<T: Real>(column: &mut [T]) {
    let top = column.iter().copied().fold(column[0], T::max);
    let sum = column.iter().fold(T::zero(), |sum, &x| sum + (x - top).exp());
    let log = top + sum.ln();
    column.iter_mut().for_each(|x| *x -= log);
}

fn softmax<T: Real>(column: &mut [T]) {
    // The largest value is subtracted first so that nothing overflows.
    let top = column.iter().copied().fold(column[0], T::max);
    column.iter_mut().for_each(|x| *x = (*x - top).exp());
    let sum = column.iter().copied().fold(T::zero(), |a, b| a + b);
    column.iter_mut().for_each(|x| *x /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares every slope with a central difference in f64, away from corners.
    #[test]
    fn slopes_are_those_of_the_functions() {
        let others = ["leaky_relu(0.7)", "leaky_relu(-0.3)", "elu(0.4)", "elu(-1.3)"];
        let others = others.map(|text| Activation::parsed(text).unwrap());
        let elementwise = Activation::ALL.iter().filter(|activation| activation.is_elementwise());
        for &activation in elementwise.chain(&others) {
            for k in -40..40 {
                let x = 0.1003 * f64::from(k) + 0.0317;
                let y = activation.of(x);
                let mut d = [1.0];
                activation.backward(&[if activation.needs_pre_activations() { x } else { y }], &mut d);
                let difference = (activation.of(x + 1e-6) - activation.of(x - 1e-6)) / 2e-6;
                assert!((d[0] - difference).abs() < 1e-8, "{activation:?} at {x}: {}, {difference}", d[0]);
            }
        }
    }

    #[test]
    fn softmax_survives_large_values() {
        let mut column = [1000.0f32, 1000.0, -1000.0];
        Activation::Softmax.forward(&mut column);
        assert_eq!(column, [0.5, 0.5, 0.0]);
    }
}
