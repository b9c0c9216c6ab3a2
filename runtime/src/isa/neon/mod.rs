//! AArch64 with NEON, which every CPU of the standard targets has: four lanes, fused multiply-adds. The CPU
//! is not asked at run time.
//!
//! Not used: `SDOT` and `I8MM` multiply bytes, and activations have up to 14 bits; splitting them into two
//! bytes takes two `SDOT` and a shift for what four `SMLAL` do, on CPUs that have it.

mod float;
mod int;

use super::Isa;

/// Proof that the target has NEON, by `cfg(neon)` of `build.rs`.
#[derive(Debug, Clone, Copy)]
pub struct Neon(());

impl Isa for Neon {
    const NAME: &'static str = "neon";
}

impl Neon {
    /// Returns the proof: this folder is only compiled for such targets.
    pub const fn new() -> Self {
        Neon(())
    }
}
