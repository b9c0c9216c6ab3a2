//! The integer matrix-vector product over blocks of four rows, and the activations of layers without gates.
//!
//! # The data
//!
//! A block is four rows ([`BLOCK_ROWS`]): the gates i, f, g, o of one unit of an Lstm, or one gate of four
//! units in every other layer. All of a block is 32-bit words, one after another, in the order in which they
//! are used:
//!
//! ```text
//! bias[0..4]                                   start values of the four pre-activations
//! side x:  multiplier[0..4]                    scale of each row's sum
//!          weights of x, by eight inputs:      row a: a0 a2 a1 a3 | a4 a6 a5 a7
//!                                              row b: ...           (two words per row, four i8 each)
//!                                              row c, row d
//!          ...                                 a last group of four inputs: one word per row
//! side h:  multiplier[0..4]
//!          weights of h, the same
//! ```
//!
//! A side is the activations that a part of each row is multiplied with: the layer's input, or its own output
//! of the step before. Each side has scales of its own, as the two are in different units. Activations are
//! `i16`, two to a word, filled up with zeros to whole quads, so that a group of weights never ends within an
//! input.
//!
//! Bytes 0 2 1 3: a core that widens the even and the odd bytes of a word with one instruction each
//! (`SXTB16`, and the same rotated by 8) gets the weights of the inputs 0, 1 and 2, 3, in the order of the
//! activations' words. Cores without such an instruction read bytes one by one, in any order; AVX2 shuffles
//! the activations, once per group and four blocks.
//!
//! # The loops
//!
//! ```text
//! for each group of S::BLOCKS blocks                            for_each
//!     for each side: sums[r] += w[r][k] * acts[k]               Int::rows, the hot loop: i8 x i16 -> i32
//!                    p[r]    += mulr(sums[r] << shift, multiplier[r])
//!     update(p)                                                 activations, c and h: the layer's own
//! ```
//!
//! Four rows share every load of activations, and four sums with their scales are all that a Cortex-M has
//! registers for. With the four gates of a unit as the rows of an Lstm's block, its cell is updated at once,
//! and no pre-activation goes through memory.
//!
//! * Cortex-M4, M7: `SXTB16`, `SMLAD`; eight activations per round, 39 instructions for 32 multiply-adds; one
//!   call computes all sides of a block. A call per side, a counter per iterator and a saturating shift were
//!   tried first: 15,911 instructions per step of an Lstm 10 -> 32, 11,267 without them.
//! * AVX2: eight blocks at once. The products run block by block (`vpmaddwd`), four blocks side by side. In
//!   an Lstm the sums are then transposed, so that activations and cell have one unit per lane; in other
//!   layers the rows of two blocks are eight units as they are.
//! * AVX-512 with VNNI: the same with sixteen blocks, `vpdpwssd`, and the rows of four blocks in a vector.
//! * Cortex-M0: 65 instructions for 16 multiply-adds (4.1 each), with the sums in high registers. As the
//!   compiler arranges the plain Rust code, a quarter of its loop moves values to and from the stack: 62,581
//!   instructions per step of an Lstm 10 -> 32, 44,453 with the loop in assembly.
//! * Cortex-M3: 41 for 16 (2.6 each), as it widens any byte and adds a product in one instruction each;
//!   29,460 and 23,010.
//! * RISC-V: a load, a multiplication and an addition per product, 3.3 instructions each; 43,065 and 27,691.
//! * Other cores: one block at a time in plain Rust, which is the specification.
//!
//! A Gru's block has its four units gate by gate, so that the same four-row product serves it as it is.
//!
//! Loops that take several things by the block (`take`) replace zipped chunks in the GRUs: those are counted
//! by a division whose divisor a compiler may fail to prove nonzero, and then a panic is linked.

use crate::activation::int::{hard, narrowed, sigmoid_of_half};
use crate::format::{Activation, BLOCK_ROWS, LINEAR_FRAC, LayerRecord, WEIGHTS_PER_WORD};
use crate::isa::{Int, Side};
use core::marker::PhantomData;

/// Returns the words of a block of `rows` rows: biases, then the sides, given their numbers of activations.
pub fn stride(rows: usize, sides: &[usize]) -> Option<usize> {
    let words = |acts: usize| rows.checked_mul(1 + acts.div_ceil(WEIGHTS_PER_WORD));
    sides.iter().try_fold(rows, |sum, &acts| sum.checked_add(words(acts)?))
}

/// Returns the words of weights of a layer without gates.
pub fn words(units: usize, sides: &[usize]) -> Option<usize> {
    units.div_ceil(BLOCK_ROWS).checked_mul(stride(BLOCK_ROWS, sides)?)
}

/// Takes the next `count` values of `rest`, or as many as there are.
#[inline(always)]
pub fn take<'a, T>(rest: &mut &'a [T], count: usize) -> &'a [T] {
    let (now, later) = rest.split_at_checked(count.min(rest.len())).unwrap_or_default();
    *rest = later;
    now
}

/// Takes the next `count` values of `rest` to write, or as many as there are.
#[inline(always)]
pub fn take_mut<'a, T>(rest: &mut &'a mut [T], count: usize) -> &'a mut [T] {
    let all = core::mem::take(rest);
    let (now, later) = all.split_at_mut_checked(count.min(all.len())).unwrap_or_default();
    *rest = later;
    now
}

/// Returns `true` if vector `k` of a group that has `units` units holds any of them. One block at a time is
/// always computed whole.
#[inline(always)]
pub fn has_units<S: Int>(k: usize, units: usize) -> bool {
    S::BLOCKS == 1 || k * S::BLOCKS < units
}

/// Returns activations as a side of rows.
#[inline(always)]
pub fn side(acts: &[i16], shift: u8) -> Side<'_> {
    // Activations lie in words of memory, whole quads of them; a model's inputs pass a layer without rows
    // first.
    let acts = bytemuck::try_cast_slice(acts);
    debug_assert!(acts.is_ok(), "activations in whole words");
    Side { acts: acts.unwrap_or_default(), shift }
}

/// The update of a layer from the pre-activations of [`Int::BLOCKS`] blocks; called once for each, first to
/// last.
pub trait Update<S: Int, const R: usize> {
    /// `true` if each row is a unit, whose pre-activations are then in the order of the units.
    const UNITS: bool;
    /// The memory that belongs to these blocks alone.
    type Target;
    /// Updates the units of these blocks. Implementations are `#[inline(always)]`.
    fn update(&self, isa: S, p: [S::W; R], target: Self::Target);
}

/// Computes the pre-activations of all blocks of `R` rows and calls the layer's update, each with its target.
///
/// The iterators are zipped so that one counter serves all of them.
#[inline(always)]
pub fn for_each<S: Int, const R: usize, const SIDES: usize, U: Update<S, R>>(
    isa: S,
    weights: &[i32],
    sides: [(&[i16], u8); SIDES],
    targets: impl Iterator<Item = U::Target>,
    layer: U,
) {
    let sides = sides.map(|(acts, shift)| side(acts, shift));
    let stride = sides.iter().fold(R, |stride, side| stride + side.words(R)).max(1);
    debug_assert!(weights.len().is_multiple_of(stride), "weights end within a block");
    if S::BLOCKS == 1 {
        for (block, target) in weights.chunks_exact(stride).zip(targets) {
            let p =
                if U::UNITS { isa.units(block, stride, 0, sides) } else { isa.rows(block, stride, 0, sides) };
            layer.update(isa, p, target);
        }
    } else {
        let mut weights = weights;
        for target in targets {
            let blocks = take(&mut weights, stride * S::BLOCKS);
            let p = if U::UNITS {
                isa.units(blocks, stride, 0, sides)
            } else {
                isa.rows(blocks, stride, 0, sides)
            };
            layer.update(isa, p, target);
        }
    }
}

/// Computes the step of a layer without gates: pre-activations of its sides, activated, as `i16`.
#[inline(always)]
pub fn activate_into<S: Int, const SIDES: usize>(
    isa: S,
    record: &LayerRecord,
    weights: &[i32],
    sides: [(&[i16], u8); SIDES],
    out: &mut [i16],
) {
    let layer = Activate { activation: record.activation, out: PhantomData };
    for_each::<S, BLOCK_ROWS, SIDES, _>(isa, weights, sides, out.chunks_mut(BLOCK_ROWS * S::BLOCKS), layer);
}

struct Activate<'a> {
    activation: u8,
    out: PhantomData<&'a mut [i16]>,
}

impl<'a, S: Int> Update<S, BLOCK_ROWS> for Activate<'a> {
    const UNITS: bool = true;
    type Target = &'a mut [i16];

    #[inline(always)]
    fn update(&self, isa: S, mut p: [S::W; BLOCK_ROWS], out: &'a mut [i16]) {
        activate(isa, self.activation, &mut p, out.len());
        isa.store_i16(p, out);
    }
}

/// Computes the activations of a group of `units` units in place. For tanh the choice of the function, once
/// per group, is worth its code: once per unit, it took 13 instructions of each on a Cortex-M4.
#[inline(always)]
fn activate<S: Int>(isa: S, activation: u8, p: &mut [S::W; BLOCK_ROWS], units: usize) {
    if activation == Activation::Tanh as u8 {
        if has_units::<S>(BLOCK_ROWS / 2, units) {
            *p = isa.tanh_each_i32(*p);
        } else {
            [p[0], p[1]] = isa.tanh_each_i32([p[0], p[1]]);
        }
        for p in p {
            *p = isa.shr_round::<16>(*p);
        }
        return;
    }
    for (k, p) in p.iter_mut().enumerate() {
        if has_units::<S>(k, units) {
            *p = activate_unit(isa, activation, *p);
        }
    }
}

/// Computes an activation as an `i16` still in 32 bits, in units of 2^-15 for tanh and sigmoids, else in the
/// layer's.
#[inline(always)]
fn activate_unit<S: Int>(isa: S, activation: u8, p: S::W) -> S::W {
    match Activation::from_code(activation) {
        Some(Activation::Tanh) => isa.shr_round::<16>(isa.tanh_i32(p)),
        Some(Activation::TanhWide) => isa.shr_round::<16>(isa.tanh_i32(narrowed(isa, p))),
        Some(Activation::Sigmoid) => to_i16(isa, sigmoid_of_half(isa, p)),
        Some(Activation::SigmoidWide) => to_i16(isa, sigmoid_of_half(isa, narrowed(isa, p))),
        Some(Activation::HardSigmoid | Activation::HardSigmoidKeras1) => to_i16(isa, hard_sigmoid(isa, p)),
        Some(Activation::Relu) => isa.clamp(isa.shr_round::<LINEAR_FRAC>(p), 0, i16::MAX as i32),
        _ => isa.clamp(isa.shr_round::<LINEAR_FRAC>(p), -(i16::MAX as i32), i16::MAX as i32),
    }
}

/// Computes `1/2 + t/2` of a hard sigmoid with 31 fraction bits.
#[inline(always)]
pub fn hard_sigmoid<S: Int>(isa: S, p: S::W) -> S::W {
    isa.add_i32(isa.splat_i32(1 << 30), isa.half(hard(isa, p)))
}

/// Rounds a value of 0 to 1 with 31 fraction bits to an `i16`, after a clamp to where rounding cannot
/// overflow.
#[inline(always)]
fn to_i16<S: Int>(isa: S, share: S::W) -> S::W {
    isa.shr_round::<16>(isa.clamp(share, 0, i32::MAX - (1 << 15)))
}
