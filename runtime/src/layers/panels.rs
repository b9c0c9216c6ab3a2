//! The float matrix-vector product: all gates of a panel of units in one pass over `[x, h]`.

use crate::activation::float::{sigmoid_of_half, softmax, tanh};
use crate::format::Activation;
use crate::isa::{Float, LANES};

/// A row of weights: `G` gates of one panel for one input.
type Row<const G: usize> = [[f32; LANES]; G];

/// Words of weights of a layer of `G` gates: for each panel a row of biases, then a row for each input.
pub fn words(gates: usize, units: usize, inputs: usize) -> Option<usize> {
    units.div_ceil(LANES).checked_mul(LANES * gates)?.checked_mul(inputs.checked_add(1)?)
}

/// Calls `f` with the pre-activations of every panel, first to last: `b + W x + U h`, added in this order.
#[inline(always)]
pub fn for_each<S: Float, const G: usize>(
    isa: S,
    weights: &[f32],
    x: &[f32],
    h: &[f32],
    mut f: impl FnMut([S::Panel; G]),
) {
    let rows = 1 + x.len() + h.len();
    let mut rest = weights.as_chunks::<LANES>().0.as_chunks::<G>().0;
    while rest.len() >= rows {
        rest = match side_by_side::<S, G>(rest.len() / rows) {
            8 => group::<S, G, 8>(isa, rest, x, h, &mut f),
            4 => group::<S, G, 4>(isa, rest, x, h, &mut f),
            3 => group::<S, G, 3>(isa, rest, x, h, &mut f),
            2 => group::<S, G, 2>(isa, rest, x, h, &mut f),
            _ => group::<S, G, 1>(isa, rest, x, h, &mut f),
        };
    }
}

/// How many of the `left` panels to take now: as many as the registers hold, but never so many that one is left alone.
#[inline(always)]
fn side_by_side<S: Float, const G: usize>(left: usize) -> usize {
    let fits = |p: usize| p == 1 || p * G <= S::PANELS;
    if fits(8) && left >= 8 {
        8
    } else if fits(4) && left >= 4 {
        4
    } else if fits(3) && left >= 3 && left != 4 {
        3
    } else if fits(2) && left >= 2 {
        2
    } else {
        1
    }
}

#[inline(always)]
fn group<'a, S: Float, const G: usize, const P: usize>(
    isa: S,
    weights: &'a [Row<G>],
    x: &[f32],
    h: &[f32],
    f: &mut impl FnMut([S::Panel; G]),
) -> &'a [Row<G>] {
    if P > 1 && P * G > S::PANELS {
        return &[]; // Never asked for; said here so that no code is made for it.
    }
    let rows = 1 + x.len() + h.len();
    let Some((now, later)) = weights.split_at_checked(P * rows) else {
        return &[];
    };
    let panel = |p: usize, row: usize| now.get(p * rows + row..(p + 1) * rows).unwrap_or_default();
    let biases = core::array::from_fn(|p| {
        let row = panel(p, 0).first().unwrap_or(&[[0.0; LANES]; G]);
        core::array::from_fn(|g| isa.panel(&row[g]))
    });
    let sums = isa.accumulate(biases, core::array::from_fn::<_, P, _>(|p| panel(p, 1)), x);
    let sums = isa.accumulate(sums, core::array::from_fn::<_, P, _>(|p| panel(p, 1 + x.len())), h);
    for panel in sums {
        f(panel);
    }
    later
}

/// A unit's own activation; rows of a sigmoid hold half of their weights (FORMAT.md), softmax comes after.
#[inline(always)]
pub fn activate<S: Float>(isa: S, activation: u8, v: S::V) -> S::V {
    match Activation::from_code(activation) {
        Some(Activation::Relu) => isa.max(isa.splat(0.0), v),
        Some(Activation::Tanh) => tanh(isa, v),
        Some(Activation::Sigmoid) => sigmoid_of_half(isa, v),
        _ => v,
    }
}

/// Softmax where the activation is one.
#[inline(always)]
pub fn normalize(activation: u8, out: &mut [f32]) {
    if activation == Activation::Softmax as u8 {
        softmax(out);
    }
}
