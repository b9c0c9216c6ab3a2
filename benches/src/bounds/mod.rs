//! The measured bounds of one core of this machine: no step can be faster than its slowest required
//! operation.
//!
//! Three rates, each of the smallest loop with that operation:
//!
//! | rate | bounds | why |
//! |---|---|---|
//! | f32 multiply-adds on registers | f32, f16 | a step has one per weight |
//! | reads of the model's own weights | all | a step reads each weight once, from the same cache level |
//! | words of i8 weights read, multiplied by i16 twice, once shifted | i8 | narrower products are not exact |
//!
//! The third is the rate of these instructions: cheaper ones for the same result would raise it. A bound
//! leaves out everything that depends on the cell: activations, the state, the call. These are most of a step
//! in small networks and little in large ones.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use crate::nets::{DType, Net};
use crate::rounds::{Task, Timed};

/// Bytes per block of weights: enough loads in flight to hide every latency.
const BLOCK: usize = 256;
type Block = [u8; BLOCK];

/// The instructions of the loops.
#[derive(Clone, Copy)]
pub struct Machine(Choice);

#[derive(Clone, Copy)]
enum Choice {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
}

impl Machine {
    /// Selects the widest instructions that this CPU has.
    pub fn new() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx512) = avx512::Avx512::new() {
            return Self(Choice::Avx512(avx512));
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = avx2::Avx2::new() {
            return Self(Choice::Avx2(avx2));
        }
        Self(Choice::Portable)
    }

    /// Returns `avx512`, `avx2` or `portable`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Choice::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Choice::Avx512(_) => "avx512",
        }
    }

    /// Returns a loop of f32 multiply-adds on registers, with
    /// [`multiply_adds_per_round`](Self::multiply_adds_per_round) of them per round.
    pub fn multiply_adds(self) -> Task {
        match self.0 {
            Choice::Portable => Box::new(portable::multiply_adds),
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(avx2) => Box::new(move |times| avx2.multiply_adds(times)),
            #[cfg(target_arch = "x86_64")]
            Choice::Avx512(avx512) => Box::new(move |times| avx512.multiply_adds(times)),
        }
    }

    /// Returns the number of multiply-adds per round of the loop.
    pub fn multiply_adds_per_round(self) -> usize {
        match self.0 {
            Choice::Portable => portable::MULTIPLY_ADDS,
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(_) => avx2::MULTIPLY_ADDS,
            #[cfg(target_arch = "x86_64")]
            Choice::Avx512(_) => avx512::MULTIPLY_ADDS,
        }
    }

    fn read(self, weights: &'static [Block]) -> Task {
        match self.0 {
            Choice::Portable => Box::new(move |times| portable::read(weights, times)),
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(avx2) => Box::new(move |times| avx2.read(weights, times)),
            #[cfg(target_arch = "x86_64")]
            Choice::Avx512(avx512) => Box::new(move |times| avx512.read(weights, times)),
        }
    }

    fn widen(self, weights: &'static [Block]) -> Task {
        match self.0 {
            Choice::Portable => Box::new(move |times| portable::widen(weights, times)),
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(avx2) => Box::new(move |times| avx2.widen(weights, times)),
            #[cfg(target_arch = "x86_64")]
            Choice::Avx512(avx512) => Box::new(move |times| avx512.widen(weights, times)),
        }
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

/// Passes over the weights of one model, timed in turns with its steps.
pub struct Passes {
    bytes: usize,
    read: Timed,
    widen: Option<Timed>,
}

impl Passes {
    /// Creates passes over the whole blocks of `weights`; the rest is neither read nor counted.
    pub fn new(machine: Machine, weights: &'static [u8], dtype: DType) -> Self {
        let (blocks, _) = weights.as_chunks();
        let widen = (dtype == DType::I8).then(|| Timed::new(machine.widen(blocks)));
        Self { bytes: size_of_val(blocks), read: Timed::new(machine.read(blocks)), widen }
    }

    /// Returns the passes to be timed.
    pub fn timed(&mut self) -> impl Iterator<Item = &mut Timed> {
        std::iter::once(&mut self.read).chain(&mut self.widen)
    }

    /// Returns the bytes read per ns, in the best round.
    pub fn read_rate(&self) -> f64 {
        self.bytes as f64 / self.read.min()
    }

    /// Returns the i8 weights read, widened, multiplied and added per ns, in the best round; `None` for
    /// floats.
    pub fn widen_rate(&self) -> Option<f64> {
        Some(self.bytes as f64 / self.widen.as_ref()?.min())
    }
}

/// Bound of a step.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Least time of a step, in ns.
    pub ns: f64,
    /// Operation that takes this time: `multiply-add`, `read` or `widen`.
    pub by: &'static str,
}

impl Bound {
    /// Computes the bound of a step of `net` from the f32 multiply-adds per ns and the timed passes over its
    /// weights.
    pub fn new(net: Net, dtype: DType, multiply_adds: f64, passes: &Passes) -> Self {
        let read = Self { ns: net.bytes(dtype) as f64 / passes.read_rate(), by: "read" };
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
            let rate = machine.multiply_adds_per_round() as f64 / multiply_adds.min();
            for dtype in DType::ALL {
                let mut passes = Passes::new(machine, &WEIGHTS, dtype);
                assert_eq!(passes.bytes, 2 * BLOCK);
                run(&mut passes.timed().collect::<Vec<_>>(), Plan::TEST);
                let bound = Bound::new(NETS[0], dtype, rate, &passes);
                assert!(bound.ns > 0.0 && bound.ns.is_finite(), "{} {bound:?}", machine.name());
            }
        }
    }
}
