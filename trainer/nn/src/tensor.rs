//! Number types, matrices and their products.
//!
//! Matrices are nalgebra's, column-major, one column per frame: `[features x columns]`.

use std::ops::Range;

use nalgebra::DMatrix;

/// A matrix of the trainer.
pub type Matrix<T> = DMatrix<T>;

/// A number type for training: f32 for speed, f64 to check gradients.
pub trait Real: nalgebra::RealField + Copy {
    /// Rounds a value to the nearest number of this type.
    fn of(value: f64) -> Self;
    /// Returns the value, exactly.
    fn to_f64(self) -> f64;
    /// Replaces each value by its tanh.
    fn tanh_each(values: &mut [Self]);
    /// Replaces each value by its logistic sigmoid.
    fn sigmoid_each(values: &mut [Self]);
}

impl Real for f32 {
    fn of(value: f64) -> Self {
        value as f32
    }
    fn to_f64(self) -> f64 {
        self.into()
    }
    fn tanh_each(values: &mut [Self]) {
        values.iter_mut().for_each(|x| *x = tanh(*x));
    }
    fn sigmoid_each(values: &mut [Self]) {
        values.iter_mut().for_each(|x| *x = sigmoid(*x));
    }
}

impl Real for f64 {
    fn of(value: f64) -> Self {
        value
    }
    fn to_f64(self) -> f64 {
        self
    }
    fn tanh_each(values: &mut [Self]) {
        values.iter_mut().for_each(|x| *x = x.tanh());
    }
    fn sigmoid_each(values: &mut [Self]) {
        values.iter_mut().for_each(|x| *x = 1.0 / (1.0 + (-*x).exp()));
    }
}

/// Computes tanh as a rational function, which the compiler can vectorize.
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
    // At the ends of the fit, tanh is 1 to the last bit of f32.
    let x = x.clamp(-7.905_311, 7.905_311);
    let square = x * x;
    let p = P.iter().fold(0.0, |sum, &c| sum * square + c);
    let q = Q.iter().fold(0.0, |sum, &c| sum * square + c);
    (x * p / q).clamp(-1.0, 1.0)
}

/// Computes the logistic sigmoid as `sigmoid(x) = (1 + tanh(x / 2)) / 2`. Worst absolute error against f64:
/// 2.3e-7.
pub fn sigmoid(x: f32) -> f32 {
    0.5 + 0.5 * tanh(0.5 * x)
}

/// Converts the numbers to another type.
pub fn cast<T: Real, U: Real>(matrix: &Matrix<T>) -> Matrix<U> {
    matrix.map(|value| U::of(value.to_f64()))
}

/// Computes `a b`. Transposed operands are copies made by [`nalgebra::Matrix::transpose`]: nalgebra 0.35
/// reads past the end of a strided view in small products (`axcpy_uninit` uses the length of the span as that
/// of the vector).
pub fn product<T: Real>(a: &Matrix<T>, b: &Matrix<T>) -> Matrix<T> {
    let mut out = Matrix::zeros(a.nrows(), b.ncols());
    out.gemm(T::one(), a, b, T::zero());
    out
}

/// Adds `a * columns(from) of b` to `columns(to)` of `out`.
pub fn add_product<T: Real>(
    out: &mut Matrix<T>,
    to: Range<usize>,
    a: &Matrix<T>,
    b: &Matrix<T>,
    from: Range<usize>,
) {
    out.columns_range_mut(to).gemm(T::one(), a, &b.columns_range(from), T::one());
}

/// Computes `w x + bias` for every column of `x`: `[out x columns]` from `[out x in]`, `[in x columns]` and
/// `[out x 1]`.
pub fn affine<T: Real>(w: &Matrix<T>, x: &Matrix<T>, bias: &Matrix<T>) -> Matrix<T> {
    let mut out = Matrix::zeros(w.nrows(), x.ncols());
    out.column_iter_mut().for_each(|mut column| column.copy_from(&bias.column(0)));
    out.gemm(T::one(), w, x, T::one());
    out
}

/// Sums the columns, `[rows x 1]`: the gradient of a bias.
pub fn column_sum<T: Real>(matrix: &Matrix<T>) -> Matrix<T> {
    let mut sum = Matrix::zeros(matrix.nrows(), 1);
    for column in matrix.column_iter() {
        sum.column_mut(0).zip_apply(&column, |s, x| *s += x);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_equal_their_definitions_at_any_size() {
        for (m, k, n) in [(1, 1, 1), (2, 3, 4), (7, 9, 8), (6, 1, 6), (17, 33, 5)] {
            let a = Matrix::from_fn(m, k, |i, j| (i * 3 + j * 7) as f64 % 5.0 - 2.0);
            let b = Matrix::from_fn(k, n, |i, j| (i * 5 + j * 2) as f64 % 7.0 - 3.0);
            let ab = Matrix::from_fn(m, n, |i, j| (0..k).map(|l| a[(i, l)] * b[(l, j)]).sum());
            assert_eq!(product(&a, &b), ab);
            let mut sum = ab.clone();
            add_product(&mut sum, 0..n, &a, &b, 0..n);
            assert_eq!(sum, &ab * 2.0);
        }
    }

    /// Tests every 641st f32 of both signs, as all of them would take too long.
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
}
