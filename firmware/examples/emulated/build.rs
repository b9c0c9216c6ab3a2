//! Passes the linker scripts of `cortex-m-rt` or `riscv-rt` and defmt. The memory map is memory.x, which the
//! build script of the common crate puts on the linker's path.

fn main() {
    println!("cargo::rustc-link-arg-bins=--nmagic");
    if std::env::var_os("CARGO_CFG_TARGET_ARCH").is_some_and(|arch| arch == "riscv32") {
        // The linker script of `cortex-m-rt` includes memory.x, that of `riscv-rt` does not.
        println!("cargo::rustc-link-arg-bins=-Tmemory.x");
    }
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-link-arg-bins=-Tdefmt.x");
    println!("cargo::rerun-if-changed=build.rs");
}
