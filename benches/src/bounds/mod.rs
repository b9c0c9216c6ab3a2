//! What one core of this machine allows, measured: no step can be faster than the slowest thing it must do.
//!
//! Three rates, each of the barest loop that does the thing:
//!
//! | rate | bounds | why |
//! |---|---|---|
//! | f32 multiply-adds on registers | f32, f16 | a step has one for each weight |
//! | reads of the model's own weights | all | a step reads each weight once; the same memory in the same cache level |
//! | i8 weights read, widened to i16, multiplied and added in pairs | i8 | 16-bit products are the narrowest that are exact |
//!
//! The third is the rate of that way of doing it: cheaper instructions for the same would raise it. A bound leaves out
//! what depends on the cell: activations, the state, the call. In small nets these are most of a step, in large ones
//! little.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;

use crate::nets::{Net, Numbers};
use crate::rounds::{Timed, Work};

/// Weights come in blocks of this many bytes: enough of them in flight to hide every latency.
const BLOCK: usize = 256;
type Block = [u8; BLOCK];

/// The instructions that the loops are made of.
#[derive(Clone, Copy)]
pub struct Machine(Choice);

#[derive(Clone, Copy)]
enum Choice {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
}

impl Machine {
    /// AVX2 where this CPU has it, else what the compiler makes of plain Rust.
    pub fn new() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = avx2::Avx2::new() {
            return Self(Choice::Avx2(avx2));
        }
        Self(Choice::Portable)
    }

    /// `avx2` or `portable`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Choice::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(_) => "avx2",
        }
    }

    /// Multiply-adds in f32 on registers, [`multiply_adds_at_once`](Self::multiply_adds_at_once) each time.
    pub fn multiply_adds(self) -> Work {
        match self.0 {
            Choice::Portable => Box::new(portable::multiply_adds),
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(avx2) => Box::new(move |times| avx2.multiply_adds(times)),
        }
    }

    /// How many multiply-adds one time is.
    pub fn multiply_adds_at_once(self) -> usize {
        match self.0 {
            Choice::Portable => portable::MULTIPLY_ADDS,
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(_) => avx2::MULTIPLY_ADDS,
        }
    }

    fn read(self, weights: &'static [Block]) -> Work {
        match self.0 {
            Choice::Portable => Box::new(move |times| portable::read(weights, times)),
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(avx2) => Box::new(move |times| avx2.read(weights, times)),
        }
    }

    fn widen(self, weights: &'static [Block]) -> Work {
        match self.0 {
            Choice::Portable => Box::new(move |times| portable::widen(weights, times)),
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(avx2) => Box::new(move |times| avx2.widen(weights, times)),
        }
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

/// Passes over the weights of one model, to be timed in turns with its steps.
pub struct Passes {
    bytes: usize,
    read: Timed,
    widen: Option<Timed>,
}

impl Passes {
    /// Passes over `weights`; what is behind the last whole block is left out, and not counted.
    pub fn new(machine: Machine, weights: &'static [u8], numbers: Numbers) -> Self {
        let (blocks, _) = weights.as_chunks();
        let widen = (numbers == Numbers::I8).then(|| Timed::new(machine.widen(blocks)));
        Self { bytes: size_of_val(blocks), read: Timed::new(machine.read(blocks)), widen }
    }

    /// What is to be timed.
    pub fn timed(&mut self) -> impl Iterator<Item = &mut Timed> {
        std::iter::once(&mut self.read).chain(&mut self.widen)
    }

    /// Bytes read in a ns, in the best round.
    pub fn read_rate(&self) -> f64 {
        self.bytes as f64 / self.read.min()
    }

    /// Weights of eight bits read, widened, multiplied and added in a ns, in the best round; `None` for floats.
    pub fn widen_rate(&self) -> Option<f64> {
        Some(self.bytes as f64 / self.widen.as_ref()?.min())
    }
}

/// A bound of a step.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// ns that a step takes at least.
    pub ns: f64,
    /// What takes them: `multiply-add`, `read` or `widen`.
    pub by: &'static str,
}

impl Bound {
    /// The bound of a step of `net`, given multiply-adds in f32 per ns and the timed passes over its weights.
    pub fn new(net: Net, numbers: Numbers, multiply_adds: f64, passes: &Passes) -> Self {
        let read = Self { ns: net.bytes(numbers) as f64 / passes.read_rate(), by: "read" };
        let work = net.multiply_adds() as f64;
        let arithmetic = match passes.widen_rate() {
            Some(rate) => Self { ns: work / rate, by: "widen" },
            None => Self { ns: work / multiply_adds, by: "multiply-add" },
        };
        if read.ns > arithmetic.ns { read } else { arithmetic }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::NETS;
    use crate::rounds::{Plan, run};

    static WEIGHTS: [u8; 2 * BLOCK + 1] = [3; 2 * BLOCK + 1];

    #[test]
    fn every_loop_runs_and_bounds_a_step() {
        for machine in [Machine::new(), Machine(Choice::Portable)] {
            let mut multiply_adds = Timed::new(machine.multiply_adds());
            run(&mut [&mut multiply_adds], Plan::TEST);
            let rate = machine.multiply_adds_at_once() as f64 / multiply_adds.min();
            for numbers in Numbers::ALL {
                let mut passes = Passes::new(machine, &WEIGHTS, numbers);
                assert_eq!(passes.bytes, 2 * BLOCK);
                run(&mut passes.timed().collect::<Vec<_>>(), Plan::TEST);
                let bound = Bound::new(NETS[0], numbers, rate, &passes);
                assert!(bound.ns > 0.0 && bound.ns.is_finite(), "{} {bound:?}", machine.name());
            }
        }
    }
}
