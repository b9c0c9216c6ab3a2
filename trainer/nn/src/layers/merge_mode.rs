//! The merge of the outputs of the two directions of a Bidirectional.

use embedded_rnn::format::MergeMode as MergeCode;
use serde::{Deserialize, Serialize};

use crate::tensor::{Matrix, Real};

/// The merge of the outputs of the two directions; the names are Keras's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MergeMode {
    /// The features of the backward direction after those of the forward direction.
    #[default]
    Concat,
    /// `f + b`
    Sum,
    /// `(f + b) / 2`
    Ave,
    /// `f * b`
    Mul,
}

impl MergeMode {
    /// Returns the code in a model file.
    pub fn code(self) -> MergeCode {
        match self {
            Self::Concat => MergeCode::Concat,
            Self::Sum => MergeCode::Sum,
            Self::Ave => MergeCode::Ave,
            Self::Mul => MergeCode::Mul,
        }
    }

    /// Returns the name in a config, which is Keras's.
    pub fn keras_name(self) -> &'static str {
        match self {
            Self::Concat => "concat",
            Self::Sum => "sum",
            Self::Ave => "ave",
            Self::Mul => "mul",
        }
    }

    /// All modes.
    pub const ALL: [Self; 4] = [Self::Concat, Self::Sum, Self::Ave, Self::Mul];

    /// Returns the mode with this code.
    pub fn of(code: MergeCode) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.code() == code)
    }

    /// Returns the unit of the result of merging integers of `unit`, whose full scale is `2^frac` units
    /// (runtime/INTEGER.md).
    pub fn unit(self, unit: f64, frac: u32) -> f64 {
        match self {
            Self::Concat | Self::Ave => unit,
            Self::Sum => 2.0 * unit,
            Self::Mul => unit * unit * 2f64.powi(frac as i32),
        }
    }

    /// Merges the outputs of the two directions, `[hidden x columns]` each.
    pub(super) fn merge<T: Real>(self, f: &Matrix<T>, b: &Matrix<T>) -> Matrix<T> {
        match self {
            Self::Concat => {
                let mut both = Matrix::zeros(2 * f.nrows(), f.ncols());
                both.rows_mut(0, f.nrows()).copy_from(f);
                both.rows_mut(f.nrows(), f.nrows()).copy_from(b);
                both
            }
            Self::Sum => f + b,
            Self::Ave => (f + b) * T::of(0.5),
            Self::Mul => f.component_mul(b),
        }
    }

    /// Splits the gradient of the merged output into those of both outputs.
    pub(super) fn split_gradient<T: Real>(
        self,
        f: &Matrix<T>,
        b: &Matrix<T>,
        d: &Matrix<T>,
    ) -> [Matrix<T>; 2] {
        let hidden = f.nrows();
        match self {
            Self::Concat => [d.rows(0, hidden).into_owned(), d.rows(hidden, hidden).into_owned()],
            Self::Sum => [d.clone(), d.clone()],
            Self::Ave => [d * T::of(0.5), d * T::of(0.5)],
            Self::Mul => [d.component_mul(b), d.component_mul(f)],
        }
    }
}
