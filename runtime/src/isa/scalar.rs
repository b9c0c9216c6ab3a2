//! One value at a time: the two halves of an instruction set in plain Rust, as macros over the type that
//! stands for it and over the one operation that differs.

/// Implements [`Float`](super::Float) and its arithmetic on single values; `$mul_add` is its multiply-add.
#[cfg(not(armv7em_fpu))]
macro_rules! scalar_float {
    ($isa:ty, fused $fused:literal, $mul_add:expr) => {
        impl Arithmetic for $isa {
            type V = f32;
            const FUSED: bool = $fused;

            #[inline(always)]
            fn splat(self, value: f32) -> f32 {
                value
            }
            #[inline(always)]
            fn mul(self, a: f32, b: f32) -> f32 {
                a * b
            }
            #[inline(always)]
            fn div(self, a: f32, b: f32) -> f32 {
                a / b
            }
            #[inline(always)]
            fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
                $mul_add(a, b, c)
            }
            #[inline(always)]
            fn min(self, a: f32, b: f32) -> f32 {
                if a < b { a } else { b }
            }
            #[inline(always)]
            fn max(self, a: f32, b: f32) -> f32 {
                if a > b { a } else { b }
            }
        }

        impl Float for $isa {
            type Panel = [f32; LANES];
            const WIDTH: usize = 1;
            const SUMS: usize = 1;

            #[inline(always)]
            fn panel(self, values: &[f32; LANES]) -> [f32; LANES] {
                *values
            }

            #[inline(always)]
            fn panel_binary16(self, values: &[u16; LANES]) -> [f32; LANES] {
                values.map(FloatWeight::to_f32)
            }

            #[inline(always)]
            fn accumulate<W: FloatWeight, const G: usize, const P: usize>(
                self,
                sums: &mut [[[f32; LANES]; G]; P],
                rows: [&[[[W; LANES]; G]]; P],
                x: &[f32],
            ) {
                for (sums, rows) in sums.iter_mut().zip(rows) {
                    for (row, &x) in rows.iter().zip(x) {
                        for (sums, weights) in sums.iter_mut().zip(row) {
                            for (sum, w) in sums.iter_mut().zip(W::panel(self, weights)) {
                                *sum = $mul_add(w, x, *sum);
                            }
                        }
                    }
                }
            }

            #[inline(always)]
            fn take(self, panel: &[f32; LANES], at: usize) -> f32 {
                panel[at % LANES]
            }
            #[inline(always)]
            fn load(self, values: &[f32; LANES], at: usize) -> f32 {
                values[at % LANES]
            }
            #[inline(always)]
            fn store(self, v: f32, out: &mut [f32; LANES], at: usize) {
                out[at % LANES] = v;
            }
        }
    };
}

#[cfg(not(armv7em_fpu))]
pub(super) use scalar_float;

/// [`Int::rows`](super::Int::rows) of a block in assembly: reads its start values, a word of each row for
/// each quad of the sides, which end where one begins and ends at the same address, and its multipliers.
#[cfg(any(thumb, rv32im))]
pub type FourRows = unsafe extern "C" fn(block: *const i32, sides: *const (), p: *mut i32);

/// Computes [`Int::rows`](super::Int::rows) of one block, which always has four rows.
#[cfg(any(thumb, rv32im))]
#[inline(always)]
pub fn rows<const R: usize, const SIDES: usize>(
    block: &[i32],
    sides: &super::Sides<'_, SIDES>,
    four_rows: FourRows,
) -> [i32; R] {
    const { assert!(R == 4) };
    let mut p = [0; R];
    if block.len() >= sides.words(R) {
        // SAFETY: the block is as long as its sides need, these end as required, and `p` is four words.
        unsafe { four_rows(block.as_ptr(), core::ptr::from_ref(sides).cast(), p.as_mut_ptr()) };
    }
    p
}

/// Implements [`Int`](super::Int) on one block at a time; `$rows` computes its pre-activations, `$mulr` is
/// the multiplication, and `$other` are methods that the instruction set has a better form of.
macro_rules! scalar_int {
    ($isa:ty, $rows:path, $mulr:path $(; $($other:item)*)?) => {
        impl Int for $isa {
            $($($other)*)?
            type W = i32;
            const BLOCKS: usize = 1;

            #[inline(always)]
            fn rows<const R: usize, const SIDES: usize>(
                self,
                blocks: &[i32],
                _stride: usize,
                at: usize,
                sides: &Sides<'_, SIDES>,
            ) -> [i32; R] {
                $rows(blocks.get(at..).unwrap_or_default(), sides)
            }

            #[inline(always)]
            fn groups<'a, T: 'a>(values: &'a mut [T]) -> impl Iterator<Item = &'a mut [T]> {
                values.iter_mut().map(core::slice::from_mut)
            }
            #[inline(always)]
            fn load_i32(self, values: &[i32]) -> i32 {
                values.first().copied().unwrap_or(0)
            }
            #[inline(always)]
            fn load_i16<const R: usize>(self, values: &[i16]) -> [i32; R] {
                core::array::from_fn(|r| i32::from(values.get(r).copied().unwrap_or(0)) << 16)
            }
            #[inline(always)]
            fn store_i32<const R: usize>(self, v: [i32; R], out: &mut [i32]) {
                for (out, v) in out.iter_mut().zip(v) {
                    *out = v;
                }
            }
            #[inline(always)]
            fn store_i16<const R: usize>(self, v: [i32; R], out: &mut [i16]) {
                for (out, v) in out.iter_mut().zip(v) {
                    *out = v.clamp(i16::MIN as i32, i16::MAX as i32) as i16;
                }
            }
            #[inline(always)]
            fn splat_i32(self, value: i32) -> i32 {
                value
            }
            #[inline(always)]
            fn add_i32(self, a: i32, b: i32) -> i32 {
                a.wrapping_add(b)
            }
            #[inline(always)]
            fn sub_i32(self, a: i32, b: i32) -> i32 {
                a.wrapping_sub(b)
            }
            #[inline(always)]
            fn half(self, a: i32) -> i32 {
                a >> 1
            }
            #[inline(always)]
            fn mulr(self, a: i32, b: i32) -> i32 {
                $mulr(a, b)
            }
            #[inline(always)]
            fn shr(self, a: i32, by: u32) -> i32 {
                a.wrapping_shr(by)
            }
            #[inline(always)]
            fn shl(self, a: i32, by: u32) -> i32 {
                a.wrapping_shl(by)
            }
            #[inline(always)]
            fn clamp(self, a: i32, low: i32, high: i32) -> i32 {
                a.max(low).min(high)
            }
            #[inline(always)]
            fn tanh_i32(self, a: i32) -> i32 {
                $crate::isa::tanh::int::tanh(a)
            }
        }
    };
}
pub(super) use scalar_int;
