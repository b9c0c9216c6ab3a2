//! Reset before the product: `n = act(Wn x + bn + Un (r*h))`. Two products per step, as the second needs r.

use super::{Gru, backward_unit, forward_unit};
use crate::packed::BatchSizes;
use crate::tensor::{Matrix, Real, add_product, affine, product};

/// Splits the recurrent weights into those of z and r, `[2H x H]`, and of n, `[H x H]`.
fn split<T: Real>(cell: &Gru<T>) -> (Matrix<T>, Matrix<T>) {
    let hidden = cell.w_hh.ncols();
    let rows = |from, count| cell.w_hh.rows(from, count).into_owned();
    (rows(0, 2 * hidden), rows(2 * hidden, hidden))
}

/// Saves the activated gates z r, `[2H x columns]`, n and r*h, `[H x columns]` each.
pub fn forward<T: Real>(
    cell: &Gru<T>,
    x: &Matrix<T>,
    steps: &BatchSizes,
    h: &mut Matrix<T>,
) -> Vec<Matrix<T>> {
    let hidden = cell.w_hh.ncols();
    let (u_zr, u_n) = split(cell);
    let pre_activations = affine(&cell.w_ih, x, &cell.bias);
    let mut zr = pre_activations.rows(0, 2 * hidden).into_owned();
    let mut candidate = pre_activations.rows(2 * hidden, hidden).into_owned();
    let mut reset = Matrix::zeros(hidden, steps.columns());
    for t in 0..steps.len() {
        let (before, after) = (steps.state_before(t).start, steps.state_after(t).start);
        add_product(&mut zr, steps.at(t), &u_zr, h, steps.state_before(t));
        for (number, column) in steps.at(t).enumerate() {
            let zr = &mut zr.as_mut_slice()[column * 2 * hidden..][..2 * hidden];
            cell.recurrent_activation.forward(zr);
            let h = &h.as_slice()[(before + number) * hidden..][..hidden];
            let reset = &mut reset.as_mut_slice()[column * hidden..][..hidden];
            (0..hidden).for_each(|k| reset[k] = zr[hidden + k] * h[k]);
        }
        add_product(&mut candidate, steps.at(t), &u_n, &reset, steps.at(t));
        let (h_before, h_after) = h.as_mut_slice().split_at_mut(after * hidden);
        for (number, column) in steps.at(t).enumerate() {
            let n = &mut candidate.as_mut_slice()[column * hidden..][..hidden];
            cell.activation.forward(n);
            let z = &zr.as_slice()[column * 2 * hidden..][..hidden];
            let h_before = &h_before[(before + number) * hidden..][..hidden];
            forward_unit([z, n, h_before], &mut h_after[number * hidden..][..hidden]);
        }
    }
    vec![zr, candidate, reset]
}

/// Computes the gradients of the input's share of the pre-activations, `[3H x columns]`, of `w_hh` and of the
/// recurrent bias, which is not used.
pub fn backward<T: Real>(
    cell: &Gru<T>,
    steps: &BatchSizes,
    h: &Matrix<T>,
    saved: &[Matrix<T>],
    d_h: &mut Matrix<T>,
) -> (Matrix<T>, Matrix<T>, Matrix<T>) {
    let hidden = cell.w_hh.ncols();
    let (u_zr, u_n) = split(cell);
    let (u_zr_transposed, u_n_transposed) = (u_zr.transpose(), u_n.transpose());
    let [zr, candidate, reset] = saved else { panic!("the saved activations are from another cell") };
    let mut d_zr = Matrix::zeros(2 * hidden, steps.columns());
    let mut d_n = Matrix::zeros(hidden, steps.columns());
    let mut d_reset = Matrix::zeros(hidden, steps.columns());
    for t in (0..steps.len()).rev() {
        let (before, after) = (steps.state_before(t).start, steps.state_after(t).start);
        let state = |number: usize| (before + number) * hidden..(before + number + 1) * hidden;
        let (d_before, d_after) = d_h.as_mut_slice().split_at_mut(after * hidden);
        for (number, column) in steps.at(t).enumerate() {
            let own = column * hidden..(column + 1) * hidden;
            let z = &zr.as_slice()[column * 2 * hidden..][..hidden];
            let (n, h) = (&candidate.as_slice()[own.clone()], &h.as_slice()[state(number)]);
            let d_z = &mut d_zr.as_mut_slice()[column * 2 * hidden..][..hidden];
            let d_n = &mut d_n.as_mut_slice()[own];
            let d_after = &d_after[number * hidden..][..hidden];
            backward_unit(cell, [z, n, h], d_after, &mut d_before[state(number)], [d_z, d_n]);
        }
        add_product(&mut d_reset, steps.at(t), &u_n_transposed, &d_n, steps.at(t));
        for (number, column) in steps.at(t).enumerate() {
            let r = &zr.as_slice()[column * 2 * hidden + hidden..][..hidden];
            let h = &h.as_slice()[state(number)];
            let d_r = &mut d_zr.as_mut_slice()[column * 2 * hidden + hidden..][..hidden];
            let d_reset = &d_reset.as_slice()[column * hidden..][..hidden];
            let d_h = &mut d_h.as_mut_slice()[state(number)];
            for k in 0..hidden {
                d_r[k] = d_reset[k] * h[k];
                d_h[k] += d_reset[k] * r[k];
            }
            cell.recurrent_activation.backward(r, d_r);
        }
        add_product(d_h, steps.state_before(t), &u_zr_transposed, &d_zr, steps.at(t));
    }
    let w_hh_zr = product(&d_zr, &steps.before_each(h).transpose());
    let w_hh_n = product(&d_n, &reset.transpose());
    (stack(&d_zr, &d_n), stack(&w_hh_zr, &w_hh_n), Matrix::zeros(3 * hidden, 1))
}

/// Stacks one matrix on top of another.
fn stack<T: Real>(top: &Matrix<T>, bottom: &Matrix<T>) -> Matrix<T> {
    let mut stacked = Matrix::zeros(top.nrows() + bottom.nrows(), top.ncols());
    stacked.rows_mut(0, top.nrows()).copy_from(top);
    stacked.rows_mut(top.nrows(), bottom.nrows()).copy_from(bottom);
    stacked
}
