//! The float matrix-vector product: all gates of a panel of units in one pass over `[x, h]`.
//!
//! # The data
//!
//! A panel is [`LANES`] = 8 units. The weights of a panel lie in rows, one row per input, and a row holds 8 weights of
//! each gate. An Lstm of 12 units over 3 inputs has two panels; the second one is filled up with zeros:
//!
//! ```text
//!                 gate i          gate f          gate g          gate o
//! panel 0  bias   u0 u1 .. u7     u0 u1 .. u7     u0 u1 .. u7     u0 u1 .. u7
//!          x[0]   u0 u1 .. u7     ...                             ...
//!          x[2]
//!          h[0]
//!          ...
//!          h[11]
//! panel 1  bias   u8 .. u11 0 ..  ...
//! ```
//!
//! The file is read from its first to its last weight, each one once and in order: the next weight is always the next in
//! memory, in flash as in a cache line, and no core needs a stride, a transposition or a gather.
//!
//! # The loops
//!
//! ```text
//! for each group of P panels                               for_each, group
//!     sums[p][g] = bias row                                P * G * 8 sums, in registers
//!     for each input: sums[p][g] += row[p][g] * input      Float::accumulate, the hot loop
//!     update(sums)                                         activations, c and h: the layer's own
//! ```
//!
//! The input is the inner dimension because then a sum never leaves its register, and the activations and the update of the
//! state follow while the pre-activations are still there: they never go through memory. The order in which a sum adds its
//! terms is that of the rows on every target, so that all instruction sets with the same rounding give the same bits. That
//! excludes splitting a sum over lanes; eight units side by side make up for it.
//!
//! * AVX2: a gate of a panel is one register. Up to 12 of the 16 registers are sums, for a Gru 4 panels at once, for an Lstm
//!   3, for a layer without gates 8: each sum waits some 4 cycles for its own last addition, and the others run in the
//!   meantime. A single panel left over would wait alone, hence the rule in `side_by_side`.
//! * Cortex-M4 and M7 with FPU: two gates of a panel at once, 16 sums in `s0` to `s15`, a row of weights in `s16` to `s23`,
//!   in inline assembly, as a compiler spills them. The panel is read once per pair of gates.
//! * Other targets: the sums of one panel, left to the compiler.
//!
//! Nothing here takes a closure over vectors: a closure is compiled without the caller's instruction set, and one that
//! is not inlined turns every intrinsic in it into a call. The first version had them.

use crate::activation::float::activate;
use crate::format::LANES;
use crate::isa::{Float, FloatWeight};

/// A row of weights: `G` gates of one panel for one input.
type Row<W, const G: usize> = [[W; LANES]; G];

/// The update of a layer from the pre-activations of a panel; called once per panel, first to last.
pub trait Update<S: Float, const G: usize> {
    /// `true` if the last gate's sum over h starts from a separate recurrent bias, and its sum over x stays separate.
    const SEPARATE_RECURRENT_BIAS: bool = false;
    /// Updates the units of the next panel. `x_part` is the last gate's sum over x if
    /// [`SEPARATE_RECURRENT_BIAS`](Update::SEPARATE_RECURRENT_BIAS). Implementations are `#[inline(always)]`.
    fn update(&mut self, isa: S, sums: &[S::Panel; G], x_part: &S::Panel);
}

/// Returns the weights of a layer of `gates` gates: for each panel a row of biases, then one row per input.
pub fn words(gates: usize, units: usize, inputs: usize) -> Option<usize> {
    units.div_ceil(LANES).checked_mul(LANES * gates)?.checked_mul(inputs.checked_add(1)?)
}

/// Computes the pre-activations of every panel, `b + W x + U h`, added in this order, and calls the layer's update.
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
    debug_assert!(rest.len().is_multiple_of(rows), "weights end within a panel");
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

/// Returns the rows of a panel: biases, x, the separate recurrent biases if there are any, h.
#[inline(always)]
fn rows<S: Float, const G: usize, U: Update<S, G>>(_layer: &U, x: &[f32], h: &[f32]) -> usize {
    1 + x.len() + usize::from(U::SEPARATE_RECURRENT_BIAS) + h.len()
}

/// Returns how many of the `left` panels to take now: as many as the registers hold, but never so many that one is left alone.
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

/// Computes the pre-activations of `P` panels and calls the layer's update for each; returns the weights that follow.
#[inline(always)]
fn group<'a, S: Float, W: FloatWeight, const G: usize, const P: usize, U: Update<S, G>>(
    isa: S,
    weights: &'a [Row<W, G>],
    x: &[f32],
    h: &[f32],
    layer: &mut U,
) -> &'a [Row<W, G>] {
    if P > 1 && P * G > S::SUMS {
        return &[]; // Never asked for by `side_by_side`; stated here so that no code is made for it.
    }
    let Some((now, later)) = weights.split_at_checked(P * rows(layer, x, h)) else {
        debug_assert!(false, "more panels than weights");
        return &[];
    };
    let mut sums = [[isa.panel(&[0.0; LANES]); G]; P];
    let mut x_parts = [isa.panel(&[0.0; LANES]); P];
    let none: [&[Row<W, G>]; P] = [&[]; P];
    let (mut of_x, mut of_h) = (none, none);
    let mut rest = now;
    for p in 0..P {
        let Some((bias, inputs)) = rest.split_first() else {
            debug_assert!(false, "a panel without biases");
            return &[];
        };
        for g in 0..G {
            sums[p][g] = W::panel(isa, &bias[g]);
        }
        (of_x[p], rest) = inputs.split_at_checked(x.len()).unwrap_or_default();
        let of_h_rows = h.len() + usize::from(U::SEPARATE_RECURRENT_BIAS);
        (of_h[p], rest) = rest.split_at_checked(of_h_rows).unwrap_or_default();
        debug_assert!(of_x[p].len() == x.len() && of_h[p].len() == of_h_rows, "a panel cut short");
    }
    isa.accumulate(&mut sums, of_x, x);
    if U::SEPARATE_RECURRENT_BIAS {
        for p in 0..P {
            let Some((bias, inputs)) = of_h[p].split_first() else {
                debug_assert!(false, "a panel without separate recurrent biases");
                return &[];
            };
            x_parts[p] = core::mem::replace(&mut sums[p][G - 1], W::panel(isa, &bias[G - 1]));
            of_h[p] = inputs;
        }
    }
    isa.accumulate(&mut sums, of_h, h);
    for (sums, x_part) in sums.iter().zip(&x_parts) {
        layer.update(isa, sums, x_part);
    }
    later
}

/// The update of a layer without gates: activates and stores. `F` is the set of features that the build contains.
pub struct Activate<'a, const F: u32> {
    pub activation: u8,
    pub out: core::slice::IterMut<'a, [f32; LANES]>,
}

impl<S: Float, const F: u32> Update<S, 1> for Activate<'_, F> {
    #[inline(always)]
    fn update(&mut self, isa: S, [sums]: &[S::Panel; 1], _x_part: &S::Panel) {
        let Some(out) = self.out.next() else {
            debug_assert!(false, "a panel without room for its output");
            return;
        };
        for at in (0..LANES).step_by(S::WIDTH) {
            isa.store(activate::<S, F>(isa, self.activation, isa.take(sums, at)), out, at);
        }
    }
}
