//! The integer matrix-vector product over blocks of four rows, and the activations of layers without gates.
//!
//! # The data
//!
//! A block is four rows ([`BLOCK_ROWS`]): the gates i, f, g, o of one unit of an Lstm, or one gate of four
//! units in every other layer. All of a block is 32-bit words, one after another, in the order in which they
//! are used:
//!
//! ```text
//! start[0..4]                                  start values of the four sums
//! weights, by four inputs of x, then of h:     row a: a0 a2 a1 a3      one word, four bytes
//!                                              row b: b0 b2 b1 b3
//!                                              row c, row d
//!          ...
//! multiplier[0..4]                             scale of each row's sum
//! ```
//!
//! A row has one scale for all of its operands, the layer's input and its own output of the step before;
//! where these are too far apart, each has a part of its own (`SEPARATE_SCALES`). Activations are `i16`, two
//! to a word, filled up with zeros to whole quads, so that a word of weights never ends within an input.
//!
//! A word is multiplied as it is: its halves, with the lower byte as a part of the weight, times two
//! activations, and shifted left by a byte times two others. The packer rounds each byte knowing the one
//! below, so this costs no accuracy (INTEGER.md); what it costs is eight bits of the sum, which is why
//! activations have 14 bits or less.
//!
//! # The loops
//!
//! ```text
//! for each group of S::BLOCKS blocks                            for_each
//!     sums[r] += w[r][k] * acts[k]                              Int::rows, the hot loop
//!     p[r]     = mulh(sums[r], multiplier[r])
//!     update(p)                                                 activations, c and h: the layer's own
//! ```
//!
//! Four rows share every load of activations, and four sums with their scales are all that a Cortex-M has
//! registers for. With the four gates of a unit as the rows of an Lstm's block, its cell is updated at once,
//! and no pre-activation goes through memory.
//!
//! * Cortex-M4, M7, M33: `SMLAD`, `LSL`, `SMLAD` for four multiply-adds; 14 instructions for 16 with the
//!   loads, and a loop of four times as many. One call computes all sides of a block, and in an Lstm with
//!   tanh and sigmoid the step of all units ([`Int::lstm`]).
//! * Cortex-M55: the same with Helium, 19 instructions for 64 multiply-adds.
//! * AVX2: eight blocks at once. The products run block by block, two quads in a register (`vpmaddwd`). In an
//!   Lstm the sums are then transposed, so that activations and cell have one unit per lane; in other layers
//!   the rows of two blocks are eight units as they are.
//! * AVX-512 with VNNI: the same with sixteen blocks, four quads in a register, `vpdpwssd`.
//! * Cortex-M0, M3 and RISC-V: four rows in assembly, with the sums in registers; isa/thumb and isa/rv32im.
//! * WebAssembly with vectors: four blocks at once, one quad in a register (`i32x4.dot_i16x8_s`).
//! * NEON: the same with two sums per row (`SMLAL`), 29 instructions for 64 multiply-adds.
//! * Other cores: one block at a time in plain Rust, which is the specification.
//!
//! A Gru's block has its four units gate by gate, so that the same four-row product serves it as it is.

use crate::activation::int::{hard, narrowed, sigmoid_of_half};
use crate::format::feature_bits::SEPARATE_SCALES;
use crate::format::{Activation, BLOCK_ROWS, LINEAR_FRAC, LayerRecord, WEIGHTS_PER_WORD};
use crate::isa::{Int, Sides};
use core::marker::PhantomData;

/// Returns the words of four rows over operands of so many activations each: start values, weights,
/// multipliers.
pub fn stride(operands: &[usize]) -> Option<usize> {
    let words = |acts: usize| BLOCK_ROWS.checked_mul(acts.div_ceil(WEIGHTS_PER_WORD));
    operands.iter().try_fold(2 * BLOCK_ROWS, |sum, &acts| sum.checked_add(words(acts)?))
}

/// Returns the words of four rows of a recurrent layer over its input and its state.
pub fn recurrent_stride(r: &LayerRecord) -> Option<usize> {
    let (x, h) = (r.input_size(), r.units());
    if r.has_separate_scales() { stride(&[x])?.checked_add(stride(&[h])?) } else { stride(&[x, h]) }
}

/// Takes the next `count` values of `rest`, or as many as there are.
#[inline(always)]
pub fn take<'a, T>(rest: &mut &'a [T], count: usize) -> &'a [T] {
    let (now, later) = rest.split_at_checked(count.min(rest.len())).unwrap_or_default();
    *rest = later;
    now
}

/// Takes the next [`Int::BLOCKS`] blocks, or as many as there are; a single block is taken whole or not at
/// all, which is less code.
#[inline(always)]
pub fn take_blocks<'a, S: Int>(weights: &mut &'a [i32], stride: usize) -> &'a [i32] {
    if S::BLOCKS > 1 {
        return take(weights, stride * S::BLOCKS);
    }
    let (block, rest) = weights.split_at_checked(stride).unwrap_or_default();
    *weights = rest;
    block
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

/// Returns activations as words.
#[inline(always)]
pub fn words(acts: &[i16]) -> &[i32] {
    // Activations lie in words of memory, whole quads of them; a model's inputs pass a layer without rows
    // first.
    let words = bytemuck::try_cast_slice(acts);
    debug_assert!(words.is_ok(), "activations in whole words");
    words.unwrap_or_default()
}

/// Returns activations as the only operand of rows.
#[inline(always)]
pub fn operand(acts: &[i16]) -> Sides<'_, 1> {
    Sides::new([words(acts)])
}

/// The operands of rows.
pub trait Operands {
    /// Returns the words of four rows.
    fn words(&self) -> usize;
    /// Computes the pre-activations of the rows at word `at` of each block, as [`Int::rows`] does; with
    /// `UNITS` as [`Int::units`].
    fn pre_activations<S: Int, const R: usize, const UNITS: bool>(
        &self,
        isa: S,
        blocks: &[i32],
        stride: usize,
        at: usize,
    ) -> [S::W; R];
}

impl<const N: usize> Operands for Sides<'_, N> {
    #[inline(always)]
    fn words(&self) -> usize {
        self.words(BLOCK_ROWS)
    }

    #[inline(always)]
    fn pre_activations<S: Int, const R: usize, const UNITS: bool>(
        &self,
        isa: S,
        blocks: &[i32],
        stride: usize,
        at: usize,
    ) -> [S::W; R] {
        if UNITS { isa.units(blocks, stride, at, self) } else { isa.rows(blocks, stride, at, self) }
    }
}

/// The operands of a recurrent layer's rows: its input, and its state as activations.
pub struct Recurrent<'a, const F: u32> {
    both: Sides<'a, 2>,
    /// The operands of rows with separate scales.
    apart: [Sides<'a, 1>; 2],
    separate: bool,
}

impl<'a, const F: u32> Recurrent<'a, F> {
    /// Takes the operands of the rows of a layer.
    #[inline(always)]
    pub fn new(record: &LayerRecord, x: &'a [i16], h: &'a [i16]) -> Self {
        Self {
            both: Sides::new([words(x), words(h)]),
            apart: [operand(x), operand(h)],
            separate: F & SEPARATE_SCALES != 0 && record.has_separate_scales(),
        }
    }

    /// Returns `true` if the rows have a scale for each operand.
    #[inline(always)]
    pub fn has_separate_scales(&self) -> bool {
        F & SEPARATE_SCALES != 0 && self.separate
    }
}

impl<const F: u32> Operands for Recurrent<'_, F> {
    #[inline(always)]
    fn words(&self) -> usize {
        let [x, h] = &self.apart;
        if self.has_separate_scales() {
            x.words(BLOCK_ROWS) + h.words(BLOCK_ROWS)
        } else {
            self.both.words(BLOCK_ROWS)
        }
    }

    #[inline(always)]
    fn pre_activations<S: Int, const R: usize, const UNITS: bool>(
        &self,
        isa: S,
        blocks: &[i32],
        stride: usize,
        at: usize,
    ) -> [S::W; R] {
        if self.has_separate_scales() {
            sum_of_two::<S, R, UNITS>(isa, &self.apart, blocks, stride, at)
        } else {
            self.both.pre_activations::<S, R, UNITS>(isa, blocks, stride, at)
        }
    }
}

/// Computes the pre-activations of rows with a scale for each operand; a function on WebAssembly, where a
/// module with all cells, each with several products, is fetched.
#[cfg_attr(target_arch = "wasm32", inline(never))]
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
fn sum_of_two<S: Int, const R: usize, const UNITS: bool>(
    isa: S,
    [x, h]: &[Sides<'_, 1>; 2],
    blocks: &[i32],
    stride: usize,
    at: usize,
) -> [S::W; R] {
    let mut p = x.pre_activations::<S, R, UNITS>(isa, blocks, stride, at);
    let of_h = h.pre_activations::<S, R, UNITS>(isa, blocks, stride, at + x.words(BLOCK_ROWS));
    for (p, of_h) in p.iter_mut().zip(of_h) {
        *p = isa.add_i32(*p, of_h);
    }
    p
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
#[inline(always)]
pub fn for_each<S: Int, const R: usize, O: Operands, U: Update<S, R>>(
    isa: S,
    mut weights: &[i32],
    operands: &O,
    targets: impl Iterator<Item = U::Target>,
    layer: U,
) {
    let stride = operands.words();
    for target in targets {
        let blocks = take_blocks::<S>(&mut weights, stride);
        let p = if U::UNITS {
            operands.pre_activations::<S, R, true>(isa, blocks, stride, 0)
        } else {
            operands.pre_activations::<S, R, false>(isa, blocks, stride, 0)
        };
        layer.update(isa, p, target);
    }
}

/// Computes the step of a layer without gates: pre-activations of its operands, activated, as `i16`.
#[inline(always)]
pub fn activate_into<S: Int, O: Operands>(
    isa: S,
    record: &LayerRecord,
    weights: &[i32],
    operands: &O,
    out: &mut [i16],
) {
    let layer = Activate { activation: record.activation, frac: record.frac.into(), out: PhantomData };
    for_each::<S, BLOCK_ROWS, O, _>(isa, weights, operands, out.chunks_mut(BLOCK_ROWS * S::BLOCKS), layer);
}

struct Activate<'a> {
    activation: u8,
    frac: u32,
    out: PhantomData<&'a mut [i16]>,
}

impl<'a, S: Int> Update<S, BLOCK_ROWS> for Activate<'a> {
    const UNITS: bool = true;
    type Target = &'a mut [i16];

    #[inline(always)]
    fn update(&self, isa: S, mut p: [S::W; BLOCK_ROWS], out: &'a mut [i16]) {
        activate(isa, self.activation, self.frac, &mut p, out.len());
        isa.store_i16(p, out);
    }
}

/// Computes the activations of a group of `units` units in place. For tanh the choice of the function, once
/// per group, is worth its code: once per unit, it took 13 instructions of each on a Cortex-M4.
#[inline(always)]
fn activate<S: Int>(isa: S, activation: u8, frac: u32, p: &mut [S::W; BLOCK_ROWS], units: usize) {
    if activation == Activation::Tanh as u8 {
        if has_units::<S>(BLOCK_ROWS / 2, units) {
            *p = isa.tanh_each_i32(*p);
        } else {
            [p[0], p[1]] = isa.tanh_each_i32([p[0], p[1]]);
        }
        for p in p {
            *p = from_full_scale(isa, *p, frac);
        }
        return;
    }
    for (k, p) in p.iter_mut().enumerate() {
        if has_units::<S>(k, units) {
            *p = by_code::<S>(isa, *p, (activation, frac), activate_unit::<S>);
        }
    }
}

/// Computes a function of a vector that the code of an activation selects. Where a vector is one value, it
/// stays a function of its own, which is called: all activations take more code than the rest of a layer.
#[inline(always)]
pub fn by_code<S: Int>(
    isa: S,
    p: S::W,
    (activation, frac): (u8, u32),
    function: impl Fn(S, u8, u32, S::W) -> S::W,
) -> S::W {
    #[inline(never)]
    fn apart<S: Int>(
        isa: S,
        p: S::W,
        (activation, frac): (u8, u32),
        function: impl Fn(S, u8, u32, S::W) -> S::W,
    ) -> S::W {
        function(isa, activation, frac, p)
    }
    if S::BLOCKS == 1 {
        apart(isa, p, (activation, frac), function)
    } else {
        function(isa, activation, frac, p)
    }
}

/// Rounds a value of 31 fraction bits to an activation of `frac`.
#[inline(always)]
pub fn from_full_scale<S: Int>(isa: S, value: S::W, frac: u32) -> S::W {
    isa.shr_round(value, 31u32.wrapping_sub(frac))
}

/// Computes an activation of `frac` fraction bits, still in 32 bits.
#[inline(always)]
fn activate_unit<S: Int>(isa: S, activation: u8, frac: u32, p: S::W) -> S::W {
    let value = match Activation::from_code(activation) {
        Some(Activation::Tanh) => isa.tanh_i32(p),
        Some(Activation::TanhWide) => isa.tanh_i32(narrowed(isa, p)),
        Some(Activation::Sigmoid) => sigmoid_of_half(isa, p),
        Some(Activation::SigmoidWide) => sigmoid_of_half(isa, narrowed(isa, p)),
        Some(Activation::HardSigmoid | Activation::HardSigmoidKeras1) => hard_sigmoid(isa, p),
        Some(Activation::Relu) => return linear(isa, p, frac, 0),
        _ => return linear(isa, p, frac, -1),
    };
    from_full_scale(isa, value, frac)
}

/// Rounds a pre-activation of a linear unit to an activation, which is not below `least` full scales.
#[inline(always)]
pub fn linear<S: Int>(isa: S, p: S::W, frac: u32, least: i32) -> S::W {
    let end = 1i32.wrapping_shl(frac);
    isa.clamp(isa.shr_round(p, LINEAR_FRAC.wrapping_sub(frac)), least.wrapping_mul(end), end)
}

/// Computes `1/2 + t/2` of a hard sigmoid with 31 fraction bits.
#[inline(always)]
pub fn hard_sigmoid<S: Int>(isa: S, p: S::W) -> S::W {
    isa.add_i32(isa.splat_i32(1 << 30), isa.half(hard(isa, p)))
}
