//! The errors of tanh and sigmoid: over a sample in every run, over every `f32` on request.

use super::sigmoid_of_half;
use crate::format::LANES;
use crate::isa::tanh::float::{TANH_LIMIT, tanh};
use crate::isa::{Backend, Isa, Operation};

/// The allowed errors of one arithmetic: the worst over every `f32`, rounded up to the next tenth.
///
/// A ULP is the distance of neighboring `f32` around the exact result (2^-149 for subnormal ones), which is
/// computed in `f64`. The sigmoid is measured in 2^-24, half a ULP of 1, as its relative error has no bound
/// where it is near 0.
struct Allowed {
    /// Error of tanh in ULP. The error of the fit itself is 2.1e-8, a third of a ULP of 1; the rest are the
    /// roundings of numerator and denominator, which no longer cancel near the end of the range.
    tanh: f64,
    /// Largest step back of tanh from one `f32` to the next, in ULP: the fit rises, its roundings go up and
    /// down.
    tanh_step_back: f64,
    /// Error of the sigmoid in units of 2^-24: half of tanh's error there, and half a unit for its own
    /// rounding near 1.
    sigmoid: f64,
}

/// The allowed errors of fused arithmetic, measured on AVX2; reached at 7.54, 7.78 and 7.52.
const FUSED: Allowed = Allowed { tanh: 5.6, tanh_step_back: 7.0, sigmoid: 3.0 };
/// The allowed errors with two roundings per step of Horner's rule; reached at 7.72, 3.61 and 6.52.
const UNFUSED: Allowed = Allowed { tanh: 6.4, tanh_step_back: 8.0, sigmoid: 3.7 };

/// The bit patterns per block; blocks overlap by one, so that no step between neighbors is missed.
const BLOCK: usize = 512 * LANES;
const INFINITY: u32 = f32::INFINITY.to_bits();

/// Both functions at `x`, on any instruction set.
struct Evaluate<'a> {
    x: &'a [[f32; LANES]],
    tanh: &'a mut [[f32; LANES]],
    sigmoid: &'a mut [[f32; LANES]],
}

impl Operation for Evaluate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        for ((x, t), s) in self.x.iter().zip(self.tanh).zip(self.sigmoid) {
            for at in (0..LANES).step_by(S::WIDTH) {
                isa.store(tanh(isa, isa.load(x, at)), t, at);
                isa.store(sigmoid_of_half(isa, isa.load(x, at)), s, at);
            }
        }
    }
}

/// Computes `(tanh(x), sigmoid_of_half(x))` for each `x`.
fn evaluate(backend: Backend, x: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let mut panels = vec![[0.0; LANES]; x.len().div_ceil(LANES)];
    panels.as_flattened_mut()[..x.len()].copy_from_slice(x);
    let (mut tanh, mut sigmoid) = (panels.clone(), panels.clone());
    backend.run(Evaluate { x: &panels, tanh: &mut tanh, sigmoid: &mut sigmoid });
    let cut = |values: Vec<[f32; LANES]>| values.into_iter().flatten().take(x.len()).collect();
    (cut(tanh), cut(sigmoid))
}

/// An error and its argument.
#[derive(Clone, Copy, Debug, Default)]
struct Worst {
    error: f64,
    at: f32,
}

impl Worst {
    fn note(&mut self, error: f64, at: f32) {
        if error > self.error {
            *self = Worst { error, at };
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Errors {
    tanh: Worst,
    tanh_step_back: Worst,
    sigmoid: Worst,
}

impl Errors {
    /// Returns the worse of both.
    fn join(mut self, other: Errors) -> Errors {
        self.tanh.note(other.tanh.error, other.tanh.at);
        self.tanh_step_back.note(other.tanh_step_back.error, other.tanh_step_back.at);
        self.sigmoid.note(other.sigmoid.error, other.sigmoid.at);
        self
    }

    fn assert(&self, allowed: &Allowed, backend: Backend) {
        let within = self.tanh.error <= allowed.tanh
            && self.tanh_step_back.error <= allowed.tanh_step_back
            && self.sigmoid.error <= allowed.sigmoid;
        assert!(within, "{}: {self:?}", backend.name());
    }
}

fn allowed(backend: Backend) -> &'static Allowed {
    if backend.is_fused() { &FUSED } else { &UNFUSED }
}

/// Returns the distance of neighboring `f32` around `exact`.
fn ulp(exact: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff << 52;
    let power = f64::from_bits(exact.to_bits() & EXPONENT);
    (power * 2f64.powi(-23)).max(2f64.powi(-149))
}

/// Measures ascending, not negative `x`, and their negatives; checks range and symmetry.
fn measure(backend: Backend, x: &[f32], exact: &[f64]) -> Errors {
    let mut errors = Errors::default();
    let negative: Vec<f32> = x.iter().map(|x| -x).collect();
    let ((t, s), (minus_t, minus_s)) = (evaluate(backend, x), evaluate(backend, &negative));
    let mut before = 0.0;
    for (k, (&x, &exact)) in x.iter().zip(exact).enumerate() {
        let (t, unit) = (t[k], ulp(exact));
        assert!((0.0..=1.0).contains(&t), "tanh({x:e}) = {t:e}");
        assert_eq!(minus_t[k].to_bits(), (-t).to_bits(), "tanh({x:e}) is not odd");
        errors.tanh.note((f64::from(t) - exact).abs() / unit, x);
        errors.tanh_step_back.note(f64::from(before - t) / unit, x);
        before = t;
        for (s, exact, x) in [(s[k], 0.5 + exact / 2.0, x), (minus_s[k], 0.5 - exact / 2.0, -x)] {
            assert!((0.0..=1.0).contains(&s), "sigmoid_of_half({x:e}) = {s:e}");
            errors.sigmoid.note((f64::from(s) - exact).abs() * 2f64.powi(24), x);
        }
    }
    errors
}

/// Measures all backends on the bit patterns `from..=from + count`, up to that of infinity.
fn measure_block(backends: &[Backend], from: u32, count: usize, errors: &mut [Errors]) {
    let last = INFINITY.min(from + count as u32);
    let x: Vec<f32> = (from..=last).map(f32::from_bits).collect();
    let exact: Vec<f64> = x.iter().map(|&x| f64::from(x).tanh()).collect();
    for (&backend, errors) in backends.iter().zip(errors) {
        *errors = errors.join(measure(backend, &x, &exact));
    }
}

/// Returns one backend per arithmetic: the first with separate roundings, and the fastest fused one.
fn both_arithmetics() -> Vec<Backend> {
    let separate = Backend::all().find(|backend| !backend.is_fused());
    let fused = Backend::all().filter(|backend| backend.is_fused()).last();
    separate.into_iter().chain(fused).collect()
}

#[test]
fn a_sample_of_all_floats_is_within_the_allowed_errors() {
    let backends: Vec<Backend> = Backend::all().collect();
    let mut errors = vec![Errors::default(); backends.len()];
    let limit = TANH_LIMIT.to_bits();
    let borders = [0, f32::MIN_POSITIVE.to_bits() - 4, 1f32.to_bits() - 4, limit - 4, INFINITY - 7];
    // A stride without a factor in common with the powers of two at which binades begin.
    for from in (0..INFINITY).step_by(49_999).chain(borders) {
        measure_block(&backends, from, LANES, &mut errors);
    }
    for (&backend, errors) in backends.iter().zip(&errors) {
        errors.assert(allowed(backend), backend);
    }
}

#[test]
#[ignore = "takes minutes: cargo test -p embedded-rnn --features std -- --ignored --nocapture every_float"]
fn every_float_is_within_the_allowed_errors() {
    const THREADS: usize = 2;
    let backends = both_arithmetics();
    let part = |thread: usize| {
        let mut errors = vec![Errors::default(); backends.len()];
        for from in (0..INFINITY).step_by(BLOCK).skip(thread).step_by(THREADS) {
            measure_block(&backends, from, BLOCK, &mut errors);
        }
        errors
    };
    let parts: Vec<Vec<Errors>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || part(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (k, &backend) in backends.iter().enumerate() {
        let errors = parts.iter().fold(Errors::default(), |sum, part| sum.join(part[k]));
        println!("{}: {errors:?}", backend.name());
        errors.assert(allowed(backend), backend);
    }
    every_nan_stays_nan(&backends);
}

/// Checks all 2^24 - 2 of them.
fn every_nan_stays_nan(backends: &[Backend]) {
    for sign in [0, 1 << 31] {
        for from in (INFINITY + 1..1 << 31).step_by(BLOCK) {
            let last = (from + BLOCK as u32 - 1).min(i32::MAX as u32);
            let x: Vec<f32> = (from..=last).map(|bits| f32::from_bits(bits | sign)).collect();
            for &backend in backends {
                let (tanh, sigmoid) = evaluate(backend, &x);
                assert!(
                    tanh.iter().chain(&sigmoid).all(|y| y.is_nan()),
                    "NaN {from:#x} on {}",
                    backend.name()
                );
            }
        }
    }
}

#[test]
fn zeros_keep_their_sign_and_ends_are_exact_and_nan_stays() {
    let nans = [f32::NAN, -f32::NAN, f32::from_bits(INFINITY + 1), f32::from_bits(u32::MAX)];
    for backend in Backend::all() {
        let x = [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, TANH_LIMIT, -TANH_LIMIT];
        let (tanh, sigmoid) = evaluate(backend, &x);
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&tanh), bits(&[0.0, -0.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0]), "{}", backend.name());
        assert_eq!(sigmoid, [0.5, 0.5, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0], "{}", backend.name());
        let (tanh, sigmoid) = evaluate(backend, &nans);
        assert!(tanh.iter().chain(&sigmoid).all(|y| y.is_nan()), "{}", backend.name());
    }
}

#[cfg(portable_fused)]
#[test]
fn the_same_arithmetic_gives_the_same_bits() {
    let x: Vec<f32> = (0..=u32::MAX).step_by(9_973).map(f32::from_bits).filter(|x| !x.is_nan()).collect();
    let fused = evaluate(Backend::portable_fused(), &x);
    for backend in Backend::all().filter(|backend| backend.is_fused()) {
        assert!(evaluate(backend, &x) == fused, "{}", backend.name());
    }
}
