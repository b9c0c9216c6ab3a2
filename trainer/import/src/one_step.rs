//! One time step of a bidirectional layer.
//!
//! A model outputs all steps, or the one that is computed last. The step of a direction that is computed
//! first is that of a cell without a state: an LSTM whose forget gate is closed and whose recurrent weights
//! are zeros, or an RNN without recurrent weights. The output of such a cell depends on the input of the same
//! step only, so that the cell may run in the other direction, and computes that step last.
//! So the last step of a bidirectional LSTM (`out[:, -1]`) consists of two cells that run forwards over the
//! same input, which are one cell of the units of both:
//!
//! ```text
//! w_ih: [forward]    w_hh: [forward   0]
//!       [alone  ]          [0         0]
//! ```
//! The update gate of a GRU keeps a share of the state that depends on the input, so a GRU has no such form.

use embedded_rnn::Kind as Code;

use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::cells::AnyCell;
use embedded_rnn_nn::export::Weights;
use embedded_rnn_nn::tensor::Matrix;

/// The pre-activation of a closed gate: its sigmoid is 2e-9, and its integer form needs no wider range.
const CLOSED: f32 = -20.0;
/// The forget gate of an LSTM, in the order of this crate.
const FORGET: usize = 1;

/// Returns the cell that computes a first step at every step; `None` if its type has no such form.
pub fn without_state(cell: &AnyCell<f32>) -> Option<AnyCell<f32>> {
    let (layout, mut weights, activations) = cell.packable();
    weights.w_hh.fill(0.0);
    match layout.kind {
        Code::SimpleRnn => {}
        Code::Lstm if activations.recurrent == Activation::Sigmoid => {
            let units = weights.w_hh.ncols();
            weights.w_ih.rows_mut(FORGET * units, units).fill(0.0);
            weights.bias.rows_mut(FORGET * units, units).fill(CLOSED);
        }
        _ => return None,
    }
    AnyCell::from_packed(layout, weights, activations)
}

/// Returns the cell of the units of both; `None` for cells of different types or activations.
pub fn side_by_side(a: &AnyCell<f32>, b: &AnyCell<f32>) -> Option<AnyCell<f32>> {
    let ((layout, a, activations), (other_layout, b, other_activations)) = (a.packable(), b.packable());
    if layout != other_layout || activations != other_activations {
        return None;
    }
    let units = [a.w_hh.ncols(), b.w_hh.ncols()];
    let total = units[0] + units[1];
    // The matrix of a row, and the row in it.
    let place = |row: usize| {
        let (gate, unit) = (row / total, row % total);
        match unit.checked_sub(units[0]) {
            None => (0, gate * units[0] + unit),
            Some(unit) => (1, gate * units[1] + unit),
        }
    };
    let rows = |a: &Matrix<f32>, b: &Matrix<f32>| {
        Matrix::from_fn(a.nrows() + b.nrows(), a.ncols(), |row, column| {
            let (which, row) = place(row);
            [a, b][which][(row, column)]
        })
    };
    let w_hh = Matrix::from_fn(a.w_hh.nrows() + b.w_hh.nrows(), total, |row, column| {
        let (which, row) = place(row);
        let own = column.checked_sub([0, units[0]][which]).filter(|&column| column < units[which]);
        own.map_or(0.0, |column| [&a, &b][which].w_hh[(row, column)])
    });
    let weights = Weights {
        w_ih: rows(&a.w_ih, &b.w_ih),
        w_hh,
        bias: rows(&a.bias, &b.bias),
        recurrent_bias: rows(&a.recurrent_bias, &b.recurrent_bias),
    };
    AnyCell::from_packed(layout, weights, activations)
}
