//! Reset after the product: `n = act(Wn x + bn + r*(Un h + rn))`. One product with h per step, for all gates.

use super::{Gru, backward_unit, forward_unit};
use crate::packed::BatchSizes;
use crate::tensor::{Matrix, Real, add_product, affine, column_sum, product};

/// Saves the activated gates z r n and the recurrent pre-activations `U h + rb`, `[3H x columns]` each.
pub fn forward<T: Real>(
    cell: &Gru<T>,
    x: &Matrix<T>,
    steps: &BatchSizes,
    h: &mut Matrix<T>,
) -> Vec<Matrix<T>> {
    let hidden = cell.w_hh.ncols();
    let mut gates = affine(&cell.w_ih, x, &cell.bias);
    let mut recurrent = Matrix::zeros(3 * hidden, steps.columns());
    recurrent.column_iter_mut().for_each(|mut column| column.copy_from(&cell.recurrent_bias.column(0)));
    for t in 0..steps.len() {
        add_product(&mut recurrent, steps.at(t), &cell.w_hh, h, steps.state_before(t));
        let (before, after) = (steps.state_before(t).start, steps.state_after(t).start);
        let (h_before, h_after) = h.as_mut_slice().split_at_mut(after * hidden);
        for (n, column) in steps.at(t).enumerate() {
            let gates = &mut gates.as_mut_slice()[column * 3 * hidden..][..3 * hidden];
            let (zr, candidate) = gates.split_at_mut(2 * hidden);
            let (recurrent_zr, recurrent_n) =
                recurrent.as_slice()[column * 3 * hidden..][..3 * hidden].split_at(2 * hidden);
            zr.iter_mut().zip(recurrent_zr).for_each(|(sum, &u)| *sum += u);
            cell.recurrent_activation.forward(zr);
            let (z, r) = zr.split_at(hidden);
            candidate.iter_mut().zip(r).zip(recurrent_n).for_each(|((sum, &r), &u)| *sum += r * u);
            cell.activation.forward(candidate);
            let h_before = &h_before[(before + n) * hidden..][..hidden];
            forward_unit([z, candidate, h_before], &mut h_after[n * hidden..][..hidden]);
        }
    }
    vec![gates, recurrent]
}

/// Computes the gradients of the input's share of the pre-activations, `[3H x columns]`, of `w_hh` and of the
/// recurrent bias.
pub fn backward<T: Real>(
    cell: &Gru<T>,
    steps: &BatchSizes,
    h: &Matrix<T>,
    saved: &[Matrix<T>],
    d_h: &mut Matrix<T>,
) -> (Matrix<T>, Matrix<T>, Matrix<T>) {
    let hidden = cell.w_hh.ncols();
    let w_hh_transposed = cell.w_hh.transpose();
    let mut d_pre = Matrix::zeros(3 * hidden, steps.columns());
    let mut d_recurrent = Matrix::zeros(3 * hidden, steps.columns());
    for t in (0..steps.len()).rev() {
        let (before, after) = (steps.state_before(t).start, steps.state_after(t).start);
        let (d_before, d_after) = d_h.as_mut_slice().split_at_mut(after * hidden);
        for (number, column) in steps.at(t).enumerate() {
            let own = column * 3 * hidden..(column + 1) * 3 * hidden;
            let state = (before + number) * hidden..(before + number + 1) * hidden;
            let [z, r, n] =
                [0, 1, 2].map(|gate| &saved[0].as_slice()[own.clone()][gate * hidden..][..hidden]);
            let recurrent_n = &saved[1].as_slice()[own.clone()][2 * hidden..];
            let d_pre = &mut d_pre.as_mut_slice()[own.clone()];
            let (d_z, rest) = d_pre.split_at_mut(hidden);
            let (d_r, d_n) = rest.split_at_mut(hidden);
            let d_after = &d_after[number * hidden..][..hidden];
            let h = &h.as_slice()[state.clone()];
            backward_unit(cell, [z, n, h], d_after, &mut d_before[state], [d_z, d_n]);
            (0..hidden).for_each(|k| d_r[k] = d_n[k] * recurrent_n[k]);
            cell.recurrent_activation.backward(r, d_r);
            let d_recurrent = &mut d_recurrent.as_mut_slice()[own];
            d_recurrent.copy_from_slice(d_pre);
            d_recurrent[2 * hidden..].iter_mut().zip(r).for_each(|(d, &r)| *d *= r);
        }
        add_product(d_h, steps.state_before(t), &w_hh_transposed, &d_recurrent, steps.at(t));
    }
    let w_hh = product(&d_recurrent, &steps.before_each(h).transpose());
    (d_pre, w_hh, column_sum(&d_recurrent))
}
