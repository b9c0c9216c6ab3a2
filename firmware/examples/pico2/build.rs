//! Passes the linker scripts of `cortex-m-rt` and defmt. The memory map is memory.x, which the build script
//! of the common crate puts on the linker's path.

fn main() {
    println!("cargo::rustc-link-arg-bins=--nmagic");
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-link-arg-bins=-Tdefmt.x");
    println!("cargo::rerun-if-changed=build.rs");
}
