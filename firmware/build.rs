//! Passes the board's memory map to the linker. It comes from `cargo xtask board`, in a variable, so that a
//! board is never a change of this crate; so does the network, which `src/network.rs` includes.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let out = PathBuf::from(variable("OUT_DIR"));
    let map = variable("BOARD_MEMORY_X");
    println!("cargo::rerun-if-changed={map}");
    fs::copy(&map, out.join("memory.x")).unwrap_or_else(|error| panic!("copying {map}: {error}"));
    println!("cargo::rustc-link-search={}", out.display());
    if variable("CARGO_CFG_TARGET_ARCH") == "riscv32" {
        // `cortex-m-rt` reads memory.x of itself, `riscv-rt` leaves that to us.
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
