//! Weights of recurrent layers, from the gate orders of other frameworks to ours: i f g o; z r n.

use anyhow::{Context, Result, ensure};
use embedded_rnn::Kind as Code;

use crate::cells::AnyCell;
use crate::pack::form::{Activations, Weights};
use crate::pack::{cell_of, form_of};
use crate::tensor::Matrix;

/// Who wrote the weights, as far as the order of gates goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framework {
    /// LSTM i f c o, GRU z r h.
    Keras,
    /// LSTM i f g o, GRU r z n.
    PyTorch,
    /// LSTM i o f c, GRU z r h.
    Onnx,
}

/// Which cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// One sum, one activation.
    SimpleRnn,
    /// Four gates.
    Lstm,
    /// Three gates.
    Gru {
        /// Whether the reset gate comes after the recurrent product.
        reset_after: bool,
    },
}

impl CellKind {
    const AFTER: Self = Self::Gru { reset_after: true };

    /// Its code in a model file.
    const fn code(self) -> Code {
        match self {
            Self::SimpleRnn => Code::SimpleRnn,
            Self::Lstm => Code::Lstm,
            Self::Gru { reset_after: true } => Code::Gru,
            Self::Gru { reset_after: false } => Code::GruResetBefore,
        }
    }

    /// Number of gates.
    pub const fn gates(self) -> usize {
        match self {
            Self::SimpleRnn => 1,
            Self::Lstm => 4,
            Self::Gru { .. } => 3,
        }
    }

    /// For each gate of ours its place among theirs.
    const fn order(self, framework: Framework) -> &'static [usize] {
        match (self, framework) {
            (Self::SimpleRnn, _) => &[0],
            (Self::Lstm, Framework::Keras | Framework::PyTorch) => &[0, 1, 2, 3],
            (Self::Lstm, Framework::Onnx) => &[0, 2, 3, 1],
            (Self::Gru { .. }, Framework::Keras | Framework::Onnx) => &[0, 1, 2],
            (Self::Gru { .. }, Framework::PyTorch) => &[1, 0, 2],
        }
    }
}

/// A recurrent layer's weights, their gates in the order of the framework.
#[derive(Clone, Debug, PartialEq)]
pub struct CellWeights {
    /// `[gates * H x I]`.
    pub w_ih: Matrix<f32>,
    /// `[gates * H x H]`.
    pub w_hh: Matrix<f32>,
    /// `[gates * H x 1]`: added to the product with the input; none for zeros.
    pub bias: Option<Matrix<f32>>,
    /// `[gates * H x 1]`: added to the product with h; none for zeros.
    pub recurrent_bias: Option<Matrix<f32>>,
}

/// The cell of these weights.
///
/// # Errors
/// A matrix whose shape does not fit: its name, the shape found and the one expected.
pub fn cell(
    kind: CellKind,
    framework: Framework,
    weights: CellWeights,
    activations: Activations,
) -> Result<AnyCell<f32>> {
    let hidden = weights.w_hh.ncols();
    let rows = kind.gates() * hidden;
    let zeros = || Matrix::zeros(rows, 1);
    let [bias, recurrent_bias] = [weights.bias, weights.recurrent_bias].map(|b| b.unwrap_or_else(zeros));
    let inputs = weights.w_ih.ncols();
    ensure!(hidden > 0 && inputs > 0, "no weights");
    for (name, matrix, columns) in [
        ("input weights", &weights.w_ih, inputs),
        ("recurrent weights", &weights.w_hh, hidden),
        ("bias", &bias, 1),
        ("recurrent bias", &recurrent_bias, 1),
    ] {
        ensure!(
            matrix.shape() == (rows, columns),
            "{name}: {} x {}, expected {rows} x {columns}: {} gates of {hidden} units",
            matrix.nrows(),
            matrix.ncols(),
            kind.gates()
        );
    }
    let ours = |matrix: &Matrix<f32>| reordered(matrix, hidden, kind.order(framework));
    let (bias, recurrent_bias) = (ours(&bias), ours(&recurrent_bias));
    // But where the reset gate comes between them the two biases of a gate act as their sum.
    let (bias, recurrent_bias) =
        if kind == CellKind::AFTER { (bias, recurrent_bias) } else { (bias + recurrent_bias, zeros()) };
    let weights = Weights { w_ih: ours(&weights.w_ih), w_hh: ours(&weights.w_hh), bias, recurrent_bias };
    form_of(kind.code()).and_then(|form| cell_of(form, weights, activations)).context("no such cell")
}

/// The rows gate by gate in the order that names for each its place.
fn reordered(matrix: &Matrix<f32>, hidden: usize, order: &[usize]) -> Matrix<f32> {
    Matrix::from_fn(matrix.nrows(), matrix.ncols(), |row, column| {
        matrix[(order[row / hidden] * hidden + row % hidden, column)]
    })
}
