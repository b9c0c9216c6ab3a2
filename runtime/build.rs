//! Sets the `cfg` of a microcontroller's instruction set by the name of the target, for `src/isa`: `thumb`
//! with `armv7m`, `armv7em` with `armv7em_fpu` and `helium`, `rv32im` with `rv32im_fpu`, or `wasm128`;
//! `own_isa` where the build contains that one only; `neon` for AArch64; and `portable_fused` where it
//! contains the reference with fused multiply-adds, which WebAssembly has no instruction for.
//!
//! `cfg(target_feature = "dsp")` is visible on some compilers and hidden on others, so the target's name
//! decides: every ARMv7E-M core has the DSP instructions, and the `hf` targets have a single-precision FPU
//! with VFMA. On ARMv8-M the DSP instructions are an option, so there the core decides that the flag
//! `-C target-cpu` names; with them it takes the same code, and `armv8m` names its assembler's core.

/// Cores with ARMv8-M's DSP instructions.
const ARMV8M_DSP: [&str; 5] = ["cortex-m33", "cortex-m35p", "cortex-m55", "cortex-m85", "cortex-m52"];
/// Those with Helium, the vector instructions.
const HELIUM: [&str; 3] = ["cortex-m55", "cortex-m85", "cortex-m52"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    const CFGS: &str = "own_isa, thumb, armv7m, armv7em, armv7em_fpu, armv8m, helium, rv32im, rv32im_fpu";
    println!("cargo:rustc-check-cfg=cfg({CFGS})");
    println!("cargo:rustc-check-cfg=cfg(neon, wasm128, portable_fused)");
    let target = std::env::var("TARGET").unwrap_or_default();
    if std::env::var("CARGO_FEATURE_STD").is_ok() && !target.starts_with("wasm") {
        println!("cargo:rustc-cfg=portable_fused");
    }
    if has_neon() {
        println!("cargo:rustc-cfg=neon");
    }
    let Some(isa) = isa(&target) else { return };
    println!("cargo:rustc-cfg=own_isa");
    println!("cargo:rustc-cfg={isa}");
    let arch = target.split('-').next().unwrap_or_default();
    let has_fpu = match isa {
        "armv7em" => target.ends_with("hf"),
        _ => arch.strip_prefix("riscv32").is_some_and(|extensions| extensions.contains('f')),
    };
    if has_fpu {
        println!("cargo:rustc-cfg={isa}_fpu");
    }
    // The vectors are the registers of the FPU, which only programs of an `hf` target switch on.
    if isa == "armv7em" && has_fpu && cpu().is_some_and(|cpu| HELIUM.contains(&cpu.as_str())) {
        println!("cargo:rustc-cfg=helium");
    }
    if isa == "thumb" && (target.starts_with("thumbv7m-") || target.starts_with("thumbv8m.main-")) {
        println!("cargo:rustc-cfg=armv7m");
    }
    if target.starts_with("thumbv8m") {
        println!("cargo:rustc-cfg=armv8m");
    }
}

/// Returns the name of the instruction set that a build for this target contains instead of portable code.
fn isa(target: &str) -> Option<&'static str> {
    match target.split('-').next()? {
        "thumbv7em" => Some("armv7em"),
        "thumbv8m.main" if cpu_has_dsp() => Some("armv7em"),
        "thumbv6m" | "thumbv7m" | "thumbv8m.base" | "thumbv8m.main" => Some("thumb"),
        arch if arch.starts_with("riscv32im") => Some("rv32im"),
        "wasm32" if has_simd128() => Some("wasm128"),
        _ => None,
    }
}

/// Returns `true` if the build is for engines with vectors of 128 bits.
fn has_simd128() -> bool {
    has_feature("simd128")
}

/// Returns `true` if the target is AArch64 with NEON, which targets without an FPU lack. The order of lanes
/// in memory is that of little-endian targets.
fn has_neon() -> bool {
    let is = |variable, value| std::env::var(variable).is_ok_and(|found| found == value);
    is("CARGO_CFG_TARGET_ARCH", "aarch64") && is("CARGO_CFG_TARGET_ENDIAN", "little") && has_feature("neon")
}

/// Returns `true` if all CPUs of the build have this feature.
fn has_feature(name: &str) -> bool {
    let features = std::env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    features.split(',').any(|feature| feature == name)
}

/// Returns `true` if the compiler's flags name a core with DSP instructions.
fn cpu_has_dsp() -> bool {
    cpu().is_some_and(|cpu| ARMV8M_DSP.contains(&cpu.as_str()))
}

/// Returns the core that the compiler's flags name.
fn cpu() -> Option<String> {
    println!("cargo:rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").ok()?;
    let cpus = flags.split('\u{1f}').filter_map(|flag| flag.rsplit_once("target-cpu="));
    cpus.map(|(_, cpu)| cpu.to_owned()).next_back()
}
