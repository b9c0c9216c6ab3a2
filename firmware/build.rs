//! Passes the memory map of the board to the linker. `cargo xtask board` passes its path in an environment
//! variable, so that another board needs no change of this crate; `src/network.rs` gets the network likewise.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let out = PathBuf::from(variable("OUT_DIR"));
    let map = variable("BOARD_MEMORY_X");
    println!("cargo::rerun-if-changed={map}");
    fs::copy(&map, out.join("memory.x")).unwrap_or_else(|error| panic!("copying {map}: {error}"));
    println!("cargo::rustc-link-search={}", out.display());
    if variable("CARGO_CFG_TARGET_ARCH") == "riscv32" {
        // The linker script of `cortex-m-rt` includes memory.x, that of `riscv-rt` does not.
        println!("cargo::rustc-link-arg-bins=-Tmemory.x");
    }
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-link-arg-bin=check=-Tdefmt.x");
    println!("cargo::rerun-if-changed=build.rs");
}

fn variable(name: &str) -> String {
    println!("cargo::rerun-if-env-changed={name}");
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: build the images with `cargo xtask board`"))
}
