//! Builds of the static library.

use std::path::PathBuf;

use anyhow::Result;
use xtask::cmd::{Cmd, target_dir};
use xtask::cross::Toolchain;

use crate::cores::Core;

const PACKAGE: [&str; 2] = ["--package", "embedded-rnn-c"];

/// Builds the library for this machine, with the standard library, and returns its path.
pub fn build_for_host() -> Result<PathBuf> {
    // The profile of the tests, in which the runtime is optimized and built already.
    Cmd::cargo().args(["build", "--quiet"]).args(PACKAGE).run()?;
    Ok(target_dir().join("debug/libernn.a"))
}

/// Builds the library for a core, with all dtypes, and returns its path.
pub fn build(toolchain: &Toolchain, core: &Core) -> Result<PathBuf> {
    let folder = toolchain.target_dir().join("c").join(core.name);
    let mut flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    flags.extend(core.target_cpu.map(|cpu| format!(" -Ctarget-cpu={cpu}")));
    toolchain
        .cargo("build", core.target)
        .args(["--quiet", "--profile", "c", "--no-default-features", "--features", "f32,f16,i8"])
        .args(PACKAGE)
        .args(["--target-dir"])
        .args([&folder])
        .env("RUSTFLAGS", flags.trim())
        .run()?;
    Ok(folder.join(core.target).join("c/libernn.a"))
}
