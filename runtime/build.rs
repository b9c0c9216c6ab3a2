//! Sets `cfg(armv7em)` and `cfg(armv7em_fpu)` by the name of the target, for `src/isa`.
//!
//! `cfg(target_feature = "dsp")` is visible on some compilers and hidden on others, so the target's name
//! decides: every ARMv7E-M core has the DSP instructions, and the `hf` targets have a single-precision FPU
//! with VFMA.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(armv7em, armv7em_fpu)");
    let target = std::env::var("TARGET").unwrap_or_default();
    if target.starts_with("thumbv7em-") {
        println!("cargo:rustc-cfg=armv7em");
        if target.ends_with("hf") {
            println!("cargo:rustc-cfg=armv7em_fpu");
        }
    }
}
