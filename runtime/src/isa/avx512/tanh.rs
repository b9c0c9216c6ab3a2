//! tanh in integers, its table in registers: a gather of sixteen entries takes as long as looking up 32
//! values in all of the table by permutations.

use super::{Avx512, avx512};
use crate::isa::Int;
use crate::isa::tanh::int::{INTERVAL_BITS, TANH_TABLE};
use core::arch::x86_64::*;

/// The intervals before the table's end, where its entries are all the same.
const INTERVALS: usize = 448;
/// The entries that one permutation looks up, in two registers.
const STEP: usize = 64;

/// Half a table entry for each interval.
#[repr(align(64))]
struct Halves([[[u16; STEP / 2]; 2]; INTERVALS / STEP]);

/// The high halves of the entries: the start values.
static STARTS: Halves = halves(16);
/// The low halves: the slopes.
static SLOPES: Halves = halves(0);

const fn halves(shift: u32) -> Halves {
    let mut halves = [[[0; STEP / 2]; 2]; INTERVALS / STEP];
    let mut i = 0;
    while i < TANH_TABLE.len() {
        if i < INTERVALS {
            halves[i / STEP][i % STEP / (STEP / 2)][i % (STEP / 2)] = (TANH_TABLE[i] >> shift) as u16;
        }
        // So that an argument beyond INTERVALS can be clamped to the last one.
        assert!(i < INTERVALS - 1 || TANH_TABLE[i] == 0x7fff_0000);
        i += 1;
    }
    Halves(halves)
}

/// Computes [`tanh`](crate::isa::tanh::int::tanh) of two vectors.
#[inline(always)]
pub fn two(isa: Avx512, p: [__m512i; 2]) -> [__m512i; 2] {
    const LIMIT: i32 = (INTERVALS as i32) << INTERVAL_BITS;
    let [a, b] = p;
    avx512!({
        let (sign_a, sign_b) = (_mm512_srai_epi32::<31>(a), _mm512_srai_epi32::<31>(b));
        let a = _mm512_xor_si512(isa.clamp(a, -LIMIT, LIMIT - 1), sign_a);
        let b = _mm512_xor_si512(isa.clamp(b, -LIMIT, LIMIT - 1), sign_b);
        let (i, j) = (_mm512_srli_epi32::<INTERVAL_BITS>(a), _mm512_srli_epi32::<INTERVAL_BITS>(b));
        let interval = _mm512_packus_epi32(i, j); // in each quarter four of `a`, four of `b`
        let mut start = look_up(&STARTS, 0, interval);
        let mut slope = look_up(&SLOPES, 0, interval);
        for k in 1..INTERVALS / STEP {
            let beyond = _mm512_cmpge_epu16_mask(interval, _mm512_set1_epi16((k * STEP) as i16));
            start = _mm512_mask_mov_epi16(start, beyond, look_up(&STARTS, k, interval));
            slope = _mm512_mask_mov_epi16(slope, beyond, look_up(&SLOPES, k, interval));
        }
        let entry_a = _mm512_unpacklo_epi16(slope, start);
        let entry_b = _mm512_unpackhi_epi16(slope, start);
        let mask = _mm512_set1_epi32((1 << INTERVAL_BITS) - 1);
        // The high half of a fraction is 0, so that the start value adds nothing to the product.
        let y = _mm512_madd_epi16(entry_a, _mm512_and_si512(a, mask));
        let z = _mm512_madd_epi16(entry_b, _mm512_and_si512(b, mask));
        [
            _mm512_xor_si512(_mm512_add_epi32(entry_a, y), sign_a),
            _mm512_xor_si512(_mm512_add_epi32(entry_b, z), sign_b),
        ]
    })
}

/// Looks up the low six bits of each interval in part `k` of a table.
///
/// # Safety
/// The CPU has AVX-512BW.
#[inline(always)]
unsafe fn look_up(table: &'static Halves, k: usize, interval: __m512i) -> __m512i {
    let [low, high] = &table.0[k % (INTERVALS / STEP)];
    // SAFETY: 64 bytes lie behind each reference; the CPU has the instructions, by the caller's promise.
    unsafe {
        let low = _mm512_load_si512(low.as_ptr().cast());
        _mm512_permutex2var_epi16(low, interval, _mm512_load_si512(high.as_ptr().cast()))
    }
}
