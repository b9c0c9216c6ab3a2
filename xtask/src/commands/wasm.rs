//! The command `cargo xtask wasm`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use xtask::cmd::{Cmd, root, target_dir, which};

use super::delegate;

const TARGET: &str = "wasm32-unknown-unknown";
/// The target of the library's own tests, which print and have a `main`.
const TEST_TARGET: &str = "wasm32-wasip1";
/// The builds of the module: name and compiler flags.
const BUILDS: [(&str, &str); 2] = [("plain", ""), ("simd", "-C target-feature=+simd128")];
/// Files of the package that are not compiled.
const FILES: [&str; 3] = ["embedded_rnn.js", "embedded_rnn.d.ts", "package.json"];
/// The page with the example that runs.
const PAGE: &str = "docs/wasm.md";

/// Builds the package for browsers and node, and tests it in node
#[derive(Args)]
#[command(after_help = "Example:\n  cargo xtask wasm")]
pub struct Wasm {
    /// Only build the package, in target/wasm/node_modules/embedded-rnn
    #[arg(long)]
    build: bool,
}

impl Wasm {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let package = package()?;
        println!("package: {}", package.display());
        if self.build { Ok(()) } else { test(&package) }
    }
}

/// Returns the reason why this machine cannot test the package; `None` if it can.
pub fn missing() -> Option<String> {
    if which("node").is_none() {
        return Some("node is not installed".into());
    }
    let added = Cmd::new("rustup").args(["target", "add", TARGET, TEST_TARGET]).run_captured();
    let is_added = added.is_ok_and(|added| added.is_ok());
    (!is_added).then(|| format!("{TARGET} and {TEST_TARGET} cannot be installed"))
}

/// Builds and tests the package, as a step of CI.
pub fn check() -> Result<()> {
    test(&package()?)
}

/// Builds the package where node finds it, and returns its folder.
fn package() -> Result<PathBuf> {
    let package = folder().join("node_modules/embedded-rnn");
    build(&package)?;
    Ok(package)
}

/// Builds the package in a folder.
pub fn build(package: &Path) -> Result<()> {
    fs::create_dir_all(package)?;
    for (name, flags) in BUILDS {
        copy(&compile(name, flags)?, &package.join(format!("{name}.wasm")))?;
    }
    for file in FILES {
        copy(&root().join("bindings/wasm/js").join(file), &package.join(file))?;
    }
    Ok(())
}

/// Compiles the module with these flags and returns its file.
fn compile(name: &str, flags: &str) -> Result<PathBuf> {
    let target_dir = folder().join("build").join(name);
    let build = Cmd::cargo().args(["build", "--release", "--locked", "--target", TARGET]);
    // Panics name their files: without the path of this folder.
    let flags = format!("{flags} --remap-path-prefix={}=", root().display());
    build
        .dir(root().join("bindings/wasm"))
        .env("RUSTFLAGS", flags.trim())
        .env("CARGO_TARGET_DIR", &target_dir)
        .run()?;
    Ok(target_dir.join(TARGET).join("release/embedded_rnn_wasm.wasm"))
}

/// Runs the tests of kernels and activations on the backend with vectors.
fn test_library(tests: &Path) -> Result<()> {
    let (_, flags) = BUILDS[1];
    let runner = format!("node --no-warnings {}", tests.join("wasi.mjs").display());
    let test = ["test", "--package", "embedded-rnn", "--features", "std", "--lib", "--target", TEST_TARGET];
    Cmd::cargo()
        .args(test)
        .env("RUSTFLAGS", flags)
        .env("CARGO_TARGET_WASM32_WASIP1_RUNNER", &runner)
        .env("CARGO_TARGET_DIR", folder().join("build/library"))
        .run()
}

/// Tests the library and the class, replays the vectors of the boards, and runs the example of the
/// documentation.
fn test(package: &Path) -> Result<()> {
    let tests = root().join("bindings/wasm/test");
    test_library(&tests)?;
    let api = Cmd::new("node").args(["--test".into(), tests.join("api.mjs")]);
    api.env("PACKAGE", package).env("ROOT", root()).run()?;
    delegate::run("xtask-boards", "vectors").run()?;
    let vectors = root().join("target/conformance");
    Cmd::new("node").args([&tests.join("conformance.mjs"), package, &vectors]).run()?;
    let page = fs::read_to_string(root().join(PAGE)).context(PAGE)?;
    let example = folder().join("example.mjs");
    fs::write(&example, program(&page).with_context(|| format!("{PAGE}: no block of js"))?)?;
    Cmd::new("node").args([&example]).dir(root()).run()
}

/// Returns the first program of a page.
fn program(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("```js\n")?;
    Some(rest.split_once("\n```")?.0)
}

/// Returns the folder of everything that is built for WebAssembly.
pub fn folder() -> PathBuf {
    target_dir().join("wasm")
}

/// Copies a file.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("{} to {}", from.display(), to.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_program_of_a_page_is_found() {
        assert_eq!(
            program("text\n```sh\nls\n```\n```js\na();\nb();\n```\nmore\n```js\nc();\n```"),
            Some("a();\nb();")
        );
        assert_eq!(program("```sh\nls\n```"), None);
    }

    #[test]
    fn the_documentation_has_a_program() {
        assert!(program(&fs::read_to_string(root().join(PAGE)).unwrap()).is_some());
    }
}
