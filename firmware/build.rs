//! Hands the linker the board's memory map and the images their network. Both come from `cargo xtask board`,
//! in variables, so that a board or a net is never a change of this crate.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let out = PathBuf::from(variable("OUT_DIR"));
    let map = variable("BOARD_MEMORY_X");
    println!("cargo::rerun-if-changed={map}");
    fs::copy(&map, out.join("memory.x")).unwrap_or_else(|error| panic!("copying {map}: {error}"));
    let network = network();
    fs::write(out.join("network.rs"), network).expect("OUT_DIR is writable");
    println!("cargo::rustc-link-search={}", out.display());
    if variable("CARGO_CFG_TARGET_ARCH") == "riscv32" {
        // `cortex-m-rt` reads memory.x of itself, `riscv-rt` leaves that to us.
        println!("cargo::rustc-link-arg-bins=-Tmemory.x");
    }
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-link-arg-bin=check=-Tdefmt.x");
    println!("cargo::rerun-if-changed=build.rs");
}

/// The items that depend on the network: see `src/network.rs`, which includes them.
fn network() -> String {
    let model = variable("BOARD_MODEL");
    let number = match variable("BOARD_DTYPE").as_str() {
        "i8" => "I8",
        "f16" => "F16",
        "f32" => "F32",
        other => panic!("BOARD_DTYPE is {other}, not i8, f16 or f32"),
    };
    println!("cargo::rerun-if-changed={model}");
    format!(
        "/// The kind of its numbers.\n\
         pub type Number = embedded_rnn::{number};\n\
         /// The file, in flash.\n\
         pub static MODEL: &[u8] = embedded_rnn::include_model!({model:?});\n\
         /// Values in a step's input.\n\
         pub const INPUT_SIZE: usize = {};\n\
         /// Time steps that it is given at once; 0 if it is given one after another.\n\
         pub const STEPS: usize = {};\n\
         /// Values that it answers to these.\n\
         pub const OUTPUT_LEN: usize = {};\n",
        variable("BOARD_INPUT_SIZE"),
        variable("BOARD_STEPS"),
        variable("BOARD_OUTPUT_LEN")
    )
}

fn variable(name: &str) -> String {
    println!("cargo::rerun-if-env-changed={name}");
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: build the images with `cargo xtask board`"))
}
