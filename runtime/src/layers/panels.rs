//! The float matrix-vector product: all gates of a panel of units in one pass over `[x, h]`.
//!
//! Nothing here takes a closure over vectors: a closure is compiled without the caller's instruction set, and one that
//! is not inlined turns every intrinsic in it into a call.

use crate::activation::float::activate;
use crate::isa::{Float, FloatWeight, LANES};

/// A row of weights: `G` gates of one panel for one input.
type Row<W, const G: usize> = [[W; LANES]; G];

/// What a layer does with the pre-activations of a panel; called once for each, first to last.
pub trait Update<S: Float, const G: usize> {
    /// Whether the last gate's sum over h begins anew, from a bias of its own, and what it was over x comes apart.
    const SPLIT: bool = false;
    /// `apart` is the last gate's sum over x if [`SPLIT`](Update::SPLIT). Implementations are `#[inline(always)]`.
    fn update(&mut self, isa: S, sums: &[S::Panel; G], apart: &S::Panel);
}

/// Weights of a layer of `G` gates: for each panel a row of biases, then a row for each input.
pub fn words(gates: usize, units: usize, inputs: usize) -> Option<usize> {
    units.div_ceil(LANES).checked_mul(LANES * gates)?.checked_mul(inputs.checked_add(1)?)
}

/// Hands the pre-activations of every panel to `layer`: `b + W x + U h`, added in this order.
#[inline(always)]
pub fn for_each<S: Float, W: FloatWeight, const G: usize>(
    isa: S,
    weights: &[W],
    x: &[f32],
    h: &[f32],
    mut layer: impl Update<S, G>,
) {
    let rows = rows(&layer, x, h);
    let mut rest = weights.as_chunks::<LANES>().0.as_chunks::<G>().0;
    while rest.len() >= rows {
        rest = match side_by_side::<S, G>(rest.len() / rows) {
            8 => group::<S, W, G, 8, _>(isa, rest, x, h, &mut layer),
            4 => group::<S, W, G, 4, _>(isa, rest, x, h, &mut layer),
            3 => group::<S, W, G, 3, _>(isa, rest, x, h, &mut layer),
            2 => group::<S, W, G, 2, _>(isa, rest, x, h, &mut layer),
            _ => group::<S, W, G, 1, _>(isa, rest, x, h, &mut layer),
        };
    }
}

/// Rows of a panel: biases, x, biases of h if it has its own, h.
#[inline(always)]
fn rows<S: Float, const G: usize, U: Update<S, G>>(_layer: &U, x: &[f32], h: &[f32]) -> usize {
    1 + x.len() + usize::from(U::SPLIT) + h.len()
}

/// How many of the `left` panels to take now: as many as the registers hold, but never so many that one is left alone.
#[inline(always)]
fn side_by_side<S: Float, const G: usize>(left: usize) -> usize {
    let fits = |p: usize| p * G <= S::SUMS;
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
fn group<'a, S: Float, W: FloatWeight, const G: usize, const P: usize, U: Update<S, G>>(
    isa: S,
    weights: &'a [Row<W, G>],
    x: &[f32],
    h: &[f32],
    layer: &mut U,
) -> &'a [Row<W, G>] {
    if P > 1 && P * G > S::SUMS {
        return &[]; // Never asked for; said here so that no code is made for it.
    }
    let Some((now, later)) = weights.split_at_checked(P * rows(layer, x, h)) else {
        return &[];
    };
    let mut sums = [[isa.panel(&[0.0; LANES]); G]; P];
    let mut apart = [isa.panel(&[0.0; LANES]); P];
    let none: [&[Row<W, G>]; P] = [&[]; P];
    let (mut of_x, mut of_h) = (none, none);
    let mut rest = now;
    for p in 0..P {
        let Some((bias, inputs)) = rest.split_first() else { return &[] };
        for g in 0..G {
            sums[p][g] = W::panel(isa, &bias[g]);
        }
        (of_x[p], rest) = inputs.split_at_checked(x.len()).unwrap_or_default();
        (of_h[p], rest) = rest.split_at_checked(h.len() + usize::from(U::SPLIT)).unwrap_or_default();
    }
    isa.accumulate(&mut sums, of_x, x);
    if U::SPLIT {
        for p in 0..P {
            let Some((bias, inputs)) = of_h[p].split_first() else { return &[] };
            apart[p] = core::mem::replace(&mut sums[p][G - 1], W::panel(isa, &bias[G - 1]));
            of_h[p] = inputs;
        }
    }
    isa.accumulate(&mut sums, of_h, h);
    for (sums, apart) in sums.iter().zip(&apart) {
        layer.update(isa, sums, apart);
    }
    later
}

/// A layer without gates: activates and stores. `F` is the set of features that the build has.
pub struct Activate<'a, const F: u32> {
    pub activation: u8,
    pub out: core::slice::IterMut<'a, [f32; LANES]>,
}

impl<S: Float, const F: u32> Update<S, 1> for Activate<'_, F> {
    #[inline(always)]
    fn update(&mut self, isa: S, [sums]: &[S::Panel; 1], _apart: &S::Panel) {
        let Some(out) = self.out.next() else { return };
        for at in (0..LANES).step_by(S::WIDTH) {
            isa.store(activate::<S, F>(isa, self.activation, isa.take(sums, at)), out, at);
        }
    }
}
