//! The float matrix-vector product: all gates of a panel of units in one pass over `[x, h]`.
//!
//! # The data
//!
//! A panel is [`LANES`] = 8 units. The weights of a panel lie in rows, one row per input, and a row holds 8
//! weights of each gate. An Lstm of 12 units over 3 inputs has two panels; the second one is filled up with
//! zeros:
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
//! The file is read from its first to its last weight, each one once and in order: the next weight is always
//! the next in memory, in flash as in a cache line, and no core needs a stride, a transposition or a gather.
//!
//! # The loops
//!
//! ```text
//! for each group of P panels                               for_each, Group
//!     sums[p][g] = bias row                                P * G * 8 sums, in registers
//!     for each input: sums[p][g] += row[p][g] * input      Float::accumulate, the hot loop
//!     update(sums)                                         activations, c and h: the layer's own
//! ```
//!
//! The input is the inner dimension because then a sum never leaves its register, and the activations and the
//! update of the state follow while the pre-activations are still there: they never go through memory. The
//! order in which a sum adds its terms is that of the rows on every target, so that all instruction sets with
//! the same rounding give the same bits. That excludes splitting a sum over lanes; eight units side by side
//! make up for it.
//!
//! * AVX2: a gate of a panel is one register. Up to 12 of the 16 registers are sums, for an Lstm and a Gru 3
//!   panels at once, for a layer without gates 8: each sum waits some 4 cycles for its own last addition, and
//!   the others run in the meantime. A single panel left over would wait alone, hence the rule in
//!   `side_by_side`. A Gru's last gate takes two registers, as its sum over x stays separate while that over
//!   h is made; with four panels two sums went through memory in the hot loop, and a step took 1.4 times as
//!   long.
//! * AVX-512: two gates of a panel lie side by side in a row and share a register, 6 panels of an Lstm at
//!   once. The last of three gates is paired with that of the next panel. tanh is computed on the same pairs.
//! * Cortex-M4, M7 and M33 with FPU: two gates of a panel at once, 16 sums in `s0` to `s15`, a row of weights
//!   in `s16` to `s23`, four rows per round, in assembly, as stable Rust has no register class for floats
//!   there: 1.23 instructions per multiply-add. So is the update of a cell: a panel passed by value is copied
//!   at every call, which took 9 % of a step.
//! * Cortex-M55: the same with Helium, 0.56 instructions per multiply-add.
//! * NEON: two registers to a gate of a panel, 3 panels of an Lstm at once.
//! * Other targets: the sums of one panel, left to the compiler.
//!
//! Each size of a group is a function of its own ([`Float::call`]), so that the compiler keeps no constant of
//! one size in registers, or on the stack, for another: a step of an Lstm 1 -> 16 took 64 ns instead of 58.
//!
//! Nothing here takes a closure over vectors: a closure is compiled without the caller's instruction set, and
//! one that is not inlined turns every intrinsic in it into a call. The first version had them.

use crate::activation::float::{Function, activate};
use crate::format::LANES;
use crate::isa::{Float, FloatWeight, Part};
use core::marker::PhantomData;

/// A row of weights: `G` gates of one panel for one input.
type Row<W, const G: usize> = [[W; LANES]; G];

/// The update of a layer from the pre-activations of a panel; called once per panel, first to last.
pub trait Update<S: Float, const G: usize> {
    /// `true` if the last gate's sum over h starts from a separate recurrent bias, and its sum over x stays
    /// separate.
    const SEPARATE_RECURRENT_BIAS: bool = false;
    /// Updates the units of the next panel. `x_part` is the last gate's sum over x if
    /// [`SEPARATE_RECURRENT_BIAS`](Update::SEPARATE_RECURRENT_BIAS). Implementations are `#[inline(always)]`.
    fn update(&mut self, isa: S, sums: &[S::Panel; G], x_part: &S::Panel);
}

/// Returns the weights of a layer of `gates` gates: for each panel a row of biases, then one row per input.
pub fn words(gates: usize, units: usize, inputs: usize) -> Option<usize> {
    units.div_ceil(LANES).checked_mul(LANES * gates)?.checked_mul(inputs.checked_add(1)?)
}

/// Computes the pre-activations of every panel, `b + W x + U h`, added in this order, and calls the layer's
/// update.
#[inline(always)]
pub fn for_each<S: Float, W: FloatWeight, U: Update<S, G>, const G: usize>(
    isa: S,
    units: usize,
    weights: &[W],
    x: &[f32],
    h: &[f32],
    mut layer: U,
) {
    let most = const { most::<S, U, G>() };
    let rows = 1 + x.len() + usize::from(U::SEPARATE_RECURRENT_BIAS) + h.len();
    let mut rest: &[Row<W, G>] = weights.as_chunks().0.as_chunks().0;
    let mut left = units.div_ceil(LANES);
    while left > 0 {
        let now = side_by_side(left, most);
        let Some((weights, later)) = rest.split_at_checked(now * rows) else {
            debug_assert!(false, "more panels than weights");
            return;
        };
        let layer = &mut layer;
        match now {
            8 => isa.call::<Group<W, U, G, 8>>(weights, x, h, layer),
            7 => isa.call::<Group<W, U, G, 7>>(weights, x, h, layer),
            6 => isa.call::<Group<W, U, G, 6>>(weights, x, h, layer),
            5 => isa.call::<Group<W, U, G, 5>>(weights, x, h, layer),
            4 => isa.call::<Group<W, U, G, 4>>(weights, x, h, layer),
            3 => isa.call::<Group<W, U, G, 3>>(weights, x, h, layer),
            2 => isa.call::<Group<W, U, G, 2>>(weights, x, h, layer),
            _ => isa.call::<Group<W, U, G, 1>>(weights, x, h, layer),
        }
        rest = later;
        left -= now;
    }
    debug_assert!(rest.is_empty(), "weights of more units");
}

/// The most panels that a group has.
const MOST: usize = 8;

/// Returns how many panels the registers hold side by side: their sums, and the last gates' sums over x where
/// these stay separate.
const fn most<S: Float, U: Update<S, G>, const G: usize>() -> usize {
    match S::SUMS / (G + U::SEPARATE_RECURRENT_BIAS as usize) {
        0 => 1,
        fits if fits < MOST => fits,
        _ => MOST,
    }
}

/// Returns how many of the `left` panels to take now, given how many the registers hold: the last two groups
/// have the same size, so that no panel is left alone.
#[inline(always)]
fn side_by_side(left: usize, most: usize) -> usize {
    if left >= 2 * most {
        most
    } else if left > most {
        left.div_ceil(2)
    } else {
        left
    }
}

/// `P` panels.
struct Group<W, U, const G: usize, const P: usize>(PhantomData<(W, U)>);

impl<S: Float, W: FloatWeight, U: Update<S, G>, const G: usize, const P: usize> Part<S>
    for Group<W, U, G, P>
{
    type Weights = [Row<W, G>];
    type Layer = U;

    /// Computes the pre-activations and calls the layer's update.
    #[inline(always)]
    fn run(isa: S, weights: &[Row<W, G>], x: &[f32], h: &[f32], layer: &mut U) {
        if P > most::<S, U, G>() {
            return; // Never asked for by `side_by_side`; stated here so that no code is made for it.
        }
        let of_h_rows = h.len() + usize::from(U::SEPARATE_RECURRENT_BIAS);
        let rows = 1 + x.len() + of_h_rows;
        let mut rest = weights;
        let mut sums = [[isa.panel(&[0.0; LANES]); G]; P];
        let mut x_parts = [isa.panel(&[0.0; LANES]); P];
        let none: [&[Row<W, G>]; P] = [&[]; P];
        let (mut of_x, mut of_h) = (none, none);
        for p in 0..P {
            let Some((panel, others)) = rest.split_at_checked(rows) else {
                debug_assert!(false, "more panels than weights");
                return;
            };
            rest = others;
            let Some((bias, inputs)) = panel.split_first() else { return };
            for g in 0..G {
                sums[p][g] = W::panel(isa, &bias[g]);
            }
            (of_x[p], of_h[p]) = inputs.split_at_checked(x.len()).unwrap_or_default();
            debug_assert!(of_h[p].len() == of_h_rows, "a panel cut short");
        }
        isa.accumulate(&mut sums, of_x, x);
        if U::SEPARATE_RECURRENT_BIAS {
            for p in 0..P {
                let Some((bias, inputs)) = of_h[p].split_first() else {
                    debug_assert!(false, "a panel without separate recurrent biases");
                    return;
                };
                x_parts[p] = core::mem::replace(&mut sums[p][G - 1], W::panel(isa, &bias[G - 1]));
                of_h[p] = inputs;
            }
        }
        isa.accumulate(&mut sums, of_h, h);
        for (sums, x_part) in sums.iter().zip(&x_parts) {
            layer.update(isa, sums, x_part);
        }
    }
}

/// The update of a layer without gates: activates and stores. `F` is the set of features that the build
/// contains.
pub struct Activate<'a, const F: u32> {
    pub function: Function,
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
            isa.store(activate::<S, F>(isa, self.function, isa.take(sums, at)), out, at);
        }
    }
}
