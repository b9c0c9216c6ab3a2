//! Each integer operation on every backend compared with its definition in INTEGER.md.

use super::tanh::int;
use super::{Backend, Int, Isa, Operation, binary16};
use crate::format::LANES;

/// One operation over `a` and `b`, a vector at a time.
struct Each<'a, O> {
    operation: O,
    a: &'a [i32],
    b: &'a [i32],
    out: &'a mut [i32],
}

/// An operation of two numbers, on vectors and in words of INTEGER.md.
trait Binary: Copy {
    fn vector<S: Int>(self, isa: S, a: S::W, b: S::W) -> S::W;
    fn defined(self, a: i32, b: i32) -> i32;
}

impl<O: Binary> Operation for Each<'_, O> {
    type Output = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let inputs = self.a.chunks(S::BLOCKS).zip(self.b.chunks(S::BLOCKS));
        for ((a, b), out) in inputs.zip(self.out.chunks_mut(S::BLOCKS)) {
            isa.store_i32([self.operation.vector(isa, isa.load_i32(a), isa.load_i32(b))], out);
        }
    }
}

macro_rules! binary {
    ($name:ident, |$isa:ident, $a:ident, $b:ident| $vector:expr, $defined:expr) => {
        #[derive(Clone, Copy)]
        struct $name;
        impl Binary for $name {
            #[inline(always)]
            fn vector<S: Int>(self, $isa: S, $a: S::W, $b: S::W) -> S::W {
                $vector
            }
            fn defined(self, $a: i32, $b: i32) -> i32 {
                let defined: fn(i64, i64) -> i64 = $defined;
                defined($a.into(), $b.into()) as i32
            }
        }
    };
}

binary!(Add, |isa, a, b| isa.add_i32(a, b), |a, b| a + b);
binary!(Half, |isa, a, _b| isa.half(a), |a, _| a.div_euclid(2));
binary!(Mulr, |isa, a, b| isa.mulr(a, b), |a, b| (a * b + (1 << 31)).div_euclid(1 << 32));
binary!(Clamp, |isa, a, _b| isa.clamp(a, -(1 << 30), (1 << 30) - 1), |a, _| a
    .clamp(-(1 << 30), (1 << 30) - 1));
binary!(Tanh, |isa, a, _b| isa.tanh_i32(a), |a, _| int::tanh(a as i32).into());
binary!(Round16, |isa, a, _b| isa.shr_round(a, 16), |a, _| (a + (1 << 15)) >> 16);
binary!(Round12, |isa, a, _b| isa.shr_round(a, 12), |a, _| (a + (1 << 11)) >> 12);
binary!(Round2, |isa, a, _b| isa.shr_round(a, 2), |a, _| (a + 2) >> 2);

fn check<O: Binary>(operation: O, a: &[i32], b: &[i32]) {
    for backend in Backend::all() {
        let mut out = vec![0; a.len()];
        backend.run(Each { operation, a, b, out: &mut out });
        for ((&a, &b), found) in a.iter().zip(b).zip(out) {
            assert_eq!(found, operation.defined(a, b), "{a} and {b} on {}", backend.name());
        }
    }
}

/// Returns the limits of everything, each with each, and numbers of all lengths.
fn pairs() -> (Vec<i32>, Vec<i32>) {
    let mut values = vec![0, 1, -1, i32::MAX, i32::MIN, i32::MAX - 1, i32::MIN + 1];
    for bit in 1..31 {
        values.extend([1 << bit, -(1 << bit), (1 << bit) - 1, -(1 << bit) - 1]);
    }
    let mut bits = 1u32;
    for length in (0..320).map(|k| k % 32) {
        bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        values.push(bits as i32 >> length);
    }
    values.iter().flat_map(|&a| values.iter().map(move |&b| (a, b))).unzip()
}

#[test]
fn operations_are_those_of_the_specification() {
    let (a, b) = pairs();
    check(Add, &a, &b);
    check(Half, &a, &b);
    check(Mulr, &a, &b);
    check(Clamp, &a, &b);
    check(Tanh, &a, &b);
    check(Round16, &a, &b);
    check(Round12, &a, &b);
    check(Round2, &a, &b);
}

// Some more inputs than the table has, and an odd number of them.
#[test]
fn tanh_of_every_input_is_that_of_the_specification() {
    let p: Vec<i32> = (-(1 << 19) - 8..(1 << 19) + 9).collect();
    check(Tanh, &p, &p);
}

struct Narrow<'a> {
    rows: &'a [[i32; 8]; 4],
    one: &'a mut [i16],
    four: &'a mut [i16],
}

impl Operation for Narrow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        for (k, out) in self.one.chunks_mut(S::BLOCKS).enumerate() {
            isa.store_i16([isa.load_i32(&self.rows[0][k * S::BLOCKS..])], out);
        }
        for (k, out) in self.four.chunks_mut(4 * S::BLOCKS).enumerate() {
            let mut vectors = [isa.splat_i32(0); 4];
            let values = self.rows.as_flattened().get(4 * k * S::BLOCKS..).unwrap_or_default();
            for (vector, values) in vectors.iter_mut().zip(values.chunks(S::BLOCKS)) {
                *vector = isa.load_i32(values);
            }
            isa.store_i16(vectors, out);
        }
    }
}

// Vector by vector, saturated, and nothing behind the end of the room.
#[test]
fn stores_saturate_to_i16_and_end_where_the_room_ends() {
    let rows: [[i32; 8]; 4] = std::array::from_fn(|r| {
        std::array::from_fn(|b| [i32::MIN, -32_769, -32_768, -1, 1, 32_767, 32_768, i32::MAX][b] ^ r as i32)
    });
    let narrow = |v: i32| v.clamp(-32_768, 32_767) as i16;
    let one: Vec<i16> = rows[0].map(narrow).to_vec();
    let four: Vec<i16> = rows.as_flattened().iter().copied().map(narrow).collect();
    for backend in Backend::all() {
        for room in 1..=32 {
            let (mut a, mut b) = ([77i16; 40], [77i16; 40]);
            let few = room.min(8);
            backend.run(Narrow { rows: &rows, one: &mut a[..few], four: &mut b[..room] });
            assert_eq!((&a[..few], &b[..room]), (&one[..few], &four[..room]), "{room} on {}", backend.name());
            assert!(a[few..].iter().chain(&b[room..]).all(|&v| v == 77), "{room} on {}", backend.name());
        }
    }
}

/// The values of a panel of binary16 weights.
struct Widen<'a> {
    weights: &'a [u16; LANES],
    out: &'a mut [f32; LANES],
}

impl Operation for Widen<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let panel = isa.panel_binary16(self.weights);
        for at in (0..LANES).step_by(S::WIDTH) {
            isa.store(isa.take(&panel, at), self.out, at);
        }
    }
}

// All values; processors and engines may make a signaling NaN quiet.
#[test]
fn binary16_weights_are_converted_exactly() {
    let all: Vec<u16> = (0..=u16::MAX).collect();
    for backend in Backend::all() {
        for weights in all.as_chunks().0 {
            let mut out = [0.0; LANES];
            backend.run(Widen { weights, out: &mut out });
            for (&bits, found) in weights.iter().zip(out) {
                let expected = binary16::to_f32(bits);
                let same = found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
                assert!(same, "{bits:#06x} on {}", backend.name());
            }
        }
    }
}
