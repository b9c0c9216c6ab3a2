//! The figures of INTEGER.md, over all inputs.

use super::*;
use crate::isa::mulr;
use crate::isa::tanh::int::*;

/// Inputs that the table tells apart; beyond, the end's result holds.
fn inputs() -> core::ops::Range<i32> {
    -TANH_LIMIT..TANH_LIMIT
}

const ONE: f64 = (1u64 << 31) as f64;

/// Whether `found` is `stated` to the three digits given.
fn is(found: f64, stated: f64) -> bool {
    (found / stated - 1.0).abs() < 0.5e-2
}

#[test]
fn the_table_is_that_of_the_specification() {
    let bytes: Vec<u8> = TANH_TABLE.iter().flat_map(|entry| entry.to_le_bytes()).collect();
    assert_eq!(crate::format::crc32(&[&bytes]), 0xbe92_318f);
    assert_eq!([TANH_TABLE[0], TANH_TABLE[1], TANH_TABLE[511]], [0x0000_7ffd, 0x0200_7fed, 0x7fff_0000]);
    assert_eq!(TANH_TABLE.iter().map(|entry| entry & 0xffff).max(), Some(32_765));
}

/// How far `f`, of 31 fraction bits, is from `real` at most and on average.
fn errors(f: impl Fn(i32) -> i32, real: impl Fn(f64) -> f64) -> (f64, f64) {
    let error = |p: i32| (f64::from(f(p)) / ONE - real((f64::from(p) + 0.5) / 65536.0)).abs();
    let worst = inputs().map(error).fold(0f64, f64::max);
    (worst, inputs().map(error).sum::<f64>() / inputs().len() as f64)
}

#[test]
fn tanh_is_as_near_as_stated_and_odd() {
    let (worst, mean) = errors(tanh, f64::tanh);
    assert!(is(worst, 3.03e-5) && is(mean, 1.31e-5), "{worst:e} {mean:e}");
    inputs().for_each(|p| assert_eq!(tanh(!p), !tanh(p), "{p}"));
    for beyond in [TANH_LIMIT, TANH_LIMIT + 1, 1 << 20, 1 << 30, i32::MAX] {
        assert_eq!(tanh(beyond), tanh(TANH_LIMIT - 1), "{beyond}");
        assert_eq!(tanh(!beyond), tanh(-TANH_LIMIT), "{beyond}");
    }
}

#[test]
fn tanh_ends_where_stated_and_steps_back_between_intervals_only() {
    let largest = i32::MAX - 62_463;
    assert_eq!(inputs().map(tanh).max(), Some(largest));
    assert_eq!(inputs().map(tanh).min(), Some(!largest));
    assert_eq!(inputs().find(|&p| tanh(p) == largest), Some(351_231));
    let back = |p: i32| tanh(p) - tanh(p + 1);
    let inner = inputs().start..inputs().end - 1;
    assert_eq!(inner.clone().map(back).max(), Some(60_757));
    let width = 1 << INTERVAL_BITS;
    assert!(inner.filter(|p| (p + 1) % width != 0).all(|p| back(p) <= 0));
}

#[test]
fn sigmoid_is_as_near_as_stated() {
    let sigmoid = |p: i32| (1 << 30) + (tanh(p) >> 1);
    let (worst, _) = errors(sigmoid, |x| 0.5 + x.tanh() / 2.0);
    assert!(is(worst, 1.52e-5), "{worst:e}");
    assert_eq!(inputs().map(sigmoid).min(), Some(31_231));
    assert_eq!(inputs().map(sigmoid).max(), Some(i32::MAX - 31_231));
}

#[test]
fn mulr_is_to_the_nearest_and_halves_go_up() {
    let ends = [i32::MIN, i32::MIN + 1, -(1 << 30), -3, -2, -1, 0, 1, 2, 3, 1 << 16, 1 << 30, i32::MAX];
    for a in ends {
        for b in ends {
            let product = i128::from(a) * i128::from(b);
            assert_eq!(i128::from(mulr(a, b)), (2 * product + (1 << 32)).div_euclid(1 << 33), "{a} {b}");
        }
    }
    assert_eq!([mulr(1 << 30, 2), mulr(-(1 << 30), 2), mulr(1 << 30, -6)], [1, 0, -1]);
}

#[test]
fn powers_of_two_are_as_near_as_stated() {
    assert_eq!(EXP2, [7_339_192, -57_137_150, 257_086_653, -744_155_626, 1_073_739_719]);
    let relative =
        |t: u64| (f64::from(exp2_neg(t)) / ((1 << 30) as f64 * (-(t as f64) / 65536.0).exp2()) - 1.0).abs();
    let worst = (0..1 << 16).map(relative).fold(0f64, f64::max);
    assert!(worst < 3.55e-6, "{worst:e}");
    assert_eq!([exp2_neg(31 << 16), exp2_neg(u64::MAX), exp2_neg((30 << 16) + 1)], [0, 0, 0]);
}

#[test]
fn softmax_is_near_and_sums_to_one() {
    for seed in 0..1000i32 {
        let p: Vec<i32> = (0..46).map(|k| ((seed * 7919 + k * 104_729) % 1_000_003) - 500_000).collect();
        let mut out = p.clone();
        softmax(&mut out);
        let real: Vec<f64> = p.iter().map(|&p| (f64::from(p) / 65536.0).exp()).collect();
        let total: f64 = real.iter().sum();
        for (found, real) in out.iter().zip(&real) {
            assert!((f64::from(*found) - real / total * 65536.0).abs() < 1.0, "{found}");
        }
        assert!((out.iter().sum::<i32>() - 65536).abs() <= 23);
    }
}

#[test]
fn softmax_takes_extremes() {
    let of = |p: &[i32]| {
        let mut p = p.to_vec();
        softmax(&mut p);
        p
    };
    assert_eq!(of(&[i32::MIN, i32::MAX, 0]), [0, 65536, 0]);
    for end in [i32::MIN, 0, i32::MAX] {
        assert_eq!(of(&[end]), [65536]);
        assert_eq!(of(&[end; 4]), [16384; 4]);
        assert_eq!(of(&[end; 100_000]), [1; 100_000]);
    }
    assert_eq!(of(&[]), []);
}
