//! The weights of recurrent cells, converted from the gate orders of other frameworks to this crate's: LSTM i
//! f g o, GRU z r n.

use anyhow::{Context, Result, ensure};
use embedded_rnn::Kind as Code;

use embedded_rnn_nn::cells::{AnyCell, layout_of};
use embedded_rnn_nn::export::{Activations, Weights};
use embedded_rnn_nn::tensor::Matrix;

/// The framework whose gate order the weights have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framework {
    /// LSTM i f c o, GRU z r h.
    Keras,
    /// LSTM i f g o, GRU r z n.
    PyTorch,
    /// LSTM i o f c, GRU z r h.
    Onnx,
}

/// The kind of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// One pre-activation, one activation.
    SimpleRnn,
    /// Four gates.
    Lstm,
    /// Three gates.
    Gru {
        /// Whether the reset gate is applied after the recurrent product.
        reset_after: bool,
    },
}

impl CellKind {
    const GRU_RESET_AFTER: Self = Self::Gru { reset_after: true };

    /// Returns the code in a model file.
    const fn code(self) -> Code {
        match self {
            Self::SimpleRnn => Code::SimpleRnn,
            Self::Lstm => Code::Lstm,
            Self::Gru { reset_after: true } => Code::Gru,
            Self::Gru { reset_after: false } => Code::GruResetBefore,
        }
    }

    /// Returns the number of gates.
    pub const fn gates(self) -> usize {
        match self {
            Self::SimpleRnn => 1,
            Self::Lstm => 4,
            Self::Gru { .. } => 3,
        }
    }

    /// Returns for each gate of this crate its index in the order of the framework.
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

/// The weights of a cell, with gates in the order of the framework.
#[derive(Clone, Debug, PartialEq)]
pub struct CellWeights {
    /// `[gates * hidden_size x input_size]`.
    pub w_ih: Matrix<f32>,
    /// `[gates * hidden_size x hidden_size]`.
    pub w_hh: Matrix<f32>,
    /// `[gates * hidden_size x 1]`, added to the product with the input; `None` for zeros.
    pub bias: Option<Matrix<f32>>,
    /// `[gates * hidden_size x 1]`, added to the product with h; `None` for zeros.
    pub recurrent_bias: Option<Matrix<f32>>,
}

/// Creates the cell with these weights.
///
/// # Errors
/// A matrix of the wrong shape: its name, the shape found and the shape expected.
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
    let reordered = |matrix: &Matrix<f32>| reordered(matrix, hidden, kind.order(framework));
    let (bias, recurrent_bias) = (reordered(&bias), reordered(&recurrent_bias));
    // Only a reset gate between the two biases of a gate separates them; otherwise they act as their sum.
    let (bias, recurrent_bias) = if kind == CellKind::GRU_RESET_AFTER {
        (bias, recurrent_bias)
    } else {
        (bias + recurrent_bias, zeros())
    };
    let weights =
        Weights { w_ih: reordered(&weights.w_ih), w_hh: reordered(&weights.w_hh), bias, recurrent_bias };
    let layout = layout_of(kind.code()).context("no such cell")?;
    AnyCell::from_packed(layout, weights, activations).context("no such cell")
}

/// Returns the rows with their gates permuted: gate `k` of the result is gate `order[k]` of `matrix`.
fn reordered(matrix: &Matrix<f32>, hidden: usize, order: &[usize]) -> Matrix<f32> {
    Matrix::from_fn(matrix.nrows(), matrix.ncols(), |row, column| {
        matrix[(order[row / hidden] * hidden + row % hidden, column)]
    })
}
