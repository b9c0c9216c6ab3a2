//! WebAssembly with 128-bit vectors, where the compiler's flags enable `simd128`: four lanes. A module with
//! such instructions is validated as a whole, so the CPU is not asked at run time.
//!
//! Relaxed instructions are not used: whether they fuse multiplication and addition depends on the engine.

mod float;
mod int;

use super::Isa;

/// Proof that the build is for engines with `simd128`.
#[derive(Debug, Clone, Copy)]
pub struct Wasm128(());

impl Isa for Wasm128 {
    const NAME: &'static str = "wasm128";
}

impl Wasm128 {
    /// Returns the proof: this folder is only compiled for such engines.
    pub const fn new() -> Self {
        Wasm128(())
    }
}
