//! Sets the `cfg` of a microcontroller's instruction set by the name of the target, for `src/isa`: `armv6m`,
//! `armv7em` with `armv7em_fpu`, or `rv32im`; and `own_isa` where the build contains that one only.
//!
//! `cfg(target_feature = "dsp")` is visible on some compilers and hidden on others, so the target's name
//! decides: every ARMv7E-M core has the DSP instructions, and the `hf` targets have a single-precision FPU
//! with VFMA.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(own_isa, armv6m, armv7em, armv7em_fpu, rv32im)");
    let target = std::env::var("TARGET").unwrap_or_default();
    let families = [("thumbv6m-", "armv6m"), ("thumbv7em-", "armv7em"), ("riscv32im", "rv32im")];
    let Some((_, isa)) = families.into_iter().find(|(prefix, _)| target.starts_with(prefix)) else { return };
    println!("cargo:rustc-cfg=own_isa");
    println!("cargo:rustc-cfg={isa}");
    if isa == "armv7em" && target.ends_with("hf") {
        println!("cargo:rustc-cfg=armv7em_fpu");
    }
}
