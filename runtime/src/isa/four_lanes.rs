//! What the instruction sets with vectors of four 32-bit lanes share: two vectors to a float panel, four
//! integer blocks at once, and groups of fewer than four values.

use super::{Arithmetic, Float, FloatWeight};
use crate::format::LANES;

/// The lanes of a vector.
pub const WIDTH: usize = 4;

/// Computes [`Float::accumulate`].
#[inline(always)]
pub fn add_products<S, V: Copy, W: FloatWeight, const G: usize, const P: usize>(
    isa: S,
    sums: &mut [[[V; 2]; G]; P],
    rows: [&[[[W; LANES]; G]]; P],
    x: &[f32],
) where
    S: Arithmetic<V = V> + Float<Panel = [V; 2]>,
{
    let mut own = *sums; // A copy that nothing else can see, so that it stays in registers.
    let shortest = rows.iter().fold(x.len(), |n, rows| n.min(rows.len()));
    for k in 0..shortest {
        // SAFETY: k < shortest <= x.len().
        let x = isa.splat(unsafe { *x.get_unchecked(k) });
        for p in 0..P {
            // SAFETY: k < shortest <= rows[p].len().
            let row = unsafe { rows[p].get_unchecked(k) };
            for g in 0..G {
                let [low, high] = W::panel(isa, &row[g]);
                let [sum_low, sum_high] = own[p][g];
                own[p][g] = [isa.mul_add(low, x, sum_low), isa.mul_add(high, x, sum_high)];
            }
        }
    }
    *sums = own;
}

/// Defines the items of [`Float`] that only move values, for vectors `$V`. `$load` and `$store` take four
/// floats.
macro_rules! four_lanes_float {
    ($V:ty, $load:path, $store:path) => {
        type Panel = [$V; LANES / WIDTH];
        const WIDTH: usize = WIDTH;

        #[inline(always)]
        fn panel(self, values: &[f32; LANES]) -> [$V; 2] {
            [self.load(values, 0), self.load(values, WIDTH)]
        }

        #[inline(always)]
        fn take(self, panel: &[$V; 2], at: usize) -> $V {
            panel[at / WIDTH % 2]
        }
        #[inline(always)]
        fn load(self, values: &[f32; LANES], at: usize) -> $V {
            $load(&values.as_chunks::<WIDTH>().0[at / WIDTH % 2])
        }
        #[inline(always)]
        fn store(self, v: $V, out: &mut [f32; LANES], at: usize) {
            $store(v, &mut out.as_chunks_mut::<WIDTH>().0[at / WIDTH % 2]);
        }
    };
}
pub(super) use four_lanes_float;

/// Defines the items of [`Int`](super::Int) that only move values, for vectors `$V`. `$load` takes four
/// words, `$repeat` one for all lanes, `$lanes` returns them, `$transpose` exchanges rows and lanes of four
/// vectors, and `$Sums` are the four sums of a block: `start(words)`, `add(words of weights, both words of a
/// quad)`, `scale(multipliers)`.
macro_rules! four_lanes_int {
    ($V:ty, $Sums:ty, $load:path, $repeat:path, $lanes:path, $transpose:path) => {
        type W = $V;
        const BLOCKS: usize = WIDTH;

        #[inline(always)]
        fn rows<const R: usize, const SIDES: usize>(
            self,
            blocks: &[i32],
            stride: usize,
            at: usize,
            sides: &Sides<'_, SIDES>,
        ) -> [$V; R] {
            $transpose(self.units::<WIDTH, SIDES>(blocks, stride, at, sides)).as_chunks::<R>().0[0]
        }

        #[inline(always)]
        fn units<const R: usize, const SIDES: usize>(
            self,
            blocks: &[i32],
            stride: usize,
            at: usize,
            sides: &Sides<'_, SIDES>,
        ) -> [$V; R] {
            const { assert!(R == WIDTH) };
            let missing = blocks.get(at..).unwrap_or_default();
            // The result of a missing block is not used: it is computed from the first one.
            let block = |j: usize| {
                let block = blocks.get(j * stride + at..).filter(|block| !block.is_empty());
                block.unwrap_or(missing).as_chunks::<WIDTH>().0
            };
            let mut words = [block(0), block(1), block(2), block(3)];
            let mut sums = words.map(|words| <$Sums>::start(words.first().unwrap_or(&[0; WIDTH])));
            words = words.map(|words| words.get(1..).unwrap_or_default());
            for side in sides.iter() {
                let [a, b, c, d] = words;
                for ((((quad, a), b), c), d) in side.quads().iter().zip(a).zip(b).zip(c).zip(d) {
                    let acts = quad.each_ref().map($repeat);
                    for (sum, words) in sums.iter_mut().zip([a, b, c, d]) {
                        sum.add(words, acts);
                    }
                }
                words = words.map(|words| words.get(side.quads().len()..).unwrap_or_default());
            }
            core::array::from_fn(|j| {
                let j = j % WIDTH;
                debug_assert!(!words[j].is_empty(), "a block shorter than its rows");
                sums[j].scale(words[j].first().unwrap_or(&[0; WIDTH]))
            })
        }

        #[inline(always)]
        fn groups<'a, T: 'a>(values: &'a mut [T]) -> impl Iterator<Item = &'a mut [T]> {
            values.chunks_mut(WIDTH)
        }

        #[inline(always)]
        fn load_i32(self, values: &[i32]) -> $V {
            if let Some(whole) = values.first_chunk() {
                return $load(whole);
            }
            let mut few = [0; WIDTH];
            few.iter_mut().zip(values).for_each(|(few, &v)| *few = v);
            $load(&few)
        }

        #[inline(always)]
        fn load_i16<const R: usize>(self, values: &[i16]) -> [$V; R] {
            let mut vectors = [self.splat_i32(0); R];
            for (vector, values) in vectors.iter_mut().zip(values.chunks(WIDTH)) {
                let mut four = [0; WIDTH];
                four.iter_mut().zip(values).for_each(|(four, &v)| *four = i32::from(v) << 16);
                *vector = $load(&four);
            }
            vectors
        }

        #[inline(always)]
        fn store_i32<const R: usize>(self, v: [$V; R], out: &mut [i32]) {
            for (out, v) in out.chunks_mut(WIDTH).zip(v) {
                match out.first_chunk_mut() {
                    Some(whole) => *whole = $lanes(v),
                    None => out.iter_mut().zip($lanes(v)).for_each(|(out, v)| *out = v),
                }
            }
        }

        #[inline(always)]
        fn store_i16<const R: usize>(self, v: [$V; R], out: &mut [i16]) {
            for (out, v) in out.chunks_mut(WIDTH).zip(v) {
                let v = $lanes(self.clamp(v, i16::MIN.into(), i16::MAX.into())).map(|v| v as i16);
                match out.first_chunk_mut() {
                    Some(whole) => *whole = v,
                    None => out.iter_mut().zip(v).for_each(|(out, v)| *out = v),
                }
            }
        }
    };
}
pub(super) use four_lanes_int;
