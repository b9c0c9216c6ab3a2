//! Passes the memory map of the board to the linker. `cargo xtask board` passes its path in an environment
//! variable, so that another board needs no change of this crate; `src/network.rs` gets the network likewise.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_ESP32C3").is_some() {
        return;
    }
    let out = PathBuf::from(variable("OUT_DIR"));
    let map = variable("BOARD_MEMORY_X");
    println!("cargo::rerun-if-changed={map}");
    fs::copy(&map, out.join("memory.x")).unwrap_or_else(|error| panic!("copying {map}: {error}"));
    println!("cargo::rustc-link-search={}", out.display());
    let arch = variable("CARGO_CFG_TARGET_ARCH");
    if arch != "arm" {
        // The linker script of `cortex-m-rt` includes memory.x, the others do not.
        println!("cargo::rustc-link-arg-bins=-Tmemory.x");
    }
    if arch == "aarch64" {
        let copied = fs::copy("aarch64.x", out.join("link.x"));
        copied.unwrap_or_else(|error| panic!("copying aarch64.x: {error}"));
        println!("cargo::rerun-if-changed=aarch64.x");
    }
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-link-arg-bin=check=-Tdefmt.x");
}

fn variable(name: &str) -> String {
    println!("cargo::rerun-if-env-changed={name}");
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: build the images with `cargo xtask board`"))
}
