//! The table of CI's steps, cheap ones first.

use anyhow::Result;
use xtask::boards;
use xtask::cmd::{Cmd, Failed, root, target_dir, which};
use xtask::cross::{self, Choice, ThisMachine, Toolchain};
use xtask::instrument::Instrumentation;

use crate::commands::{browser, delegate, demo, fuzz, python, setup, wasm};
use crate::gates::{dependencies, function_docs, line_width, module_cycles, package, sources};
use crate::metadata;

/// A step: its name and its function.
pub type Step = (&'static str, fn() -> Result<Outcome>);

/// Outcome of a step that did not fail.
pub enum Outcome {
    /// The step ran; a remark on its extent.
    Passed(String),
    /// The step did not run; the reason.
    Skipped(String),
}

/// All steps, in their order.
pub const STEPS: &[Step] = &[
    ("fmt", fmt),
    ("module-cycles", || passed(module_cycles::check(&metadata::members()?)?)),
    ("function-docs", || passed(sources::check(&["."], function_docs::find)?)),
    ("line-width", || passed(sources::check(&["."], line_width::find)?)),
    ("deny", deny),
    ("setup", || run_all([setup::Setup::default().run()])),
    ("data", || run(delegate::run("xtask-data", "fetch"))),
    ("test", || run(Cmd::cargo().args(["test"]))),
    ("test-members", test_members),
    ("test-no-std", || {
        run(Cmd::cargo().args(["test", "--package", "embedded-rnn", "--no-default-features"]))
    }),
    ("test-32-bit", test_32_bit),
    ("test-aarch64", test_aarch64),
    ("benches", benches),
    ("fuzz", fuzz),
    ("address-sanitizer", address_sanitizer),
    ("valgrind", valgrind),
    ("clippy", || run(clippy())),
    ("clippy-firmware", clippy_firmware),
    ("clippy-fuzz", clippy_fuzz),
    ("clippy-python", clippy_python),
    ("msrv", msrv),
    ("doc", doc),
    ("package", || passed(package::check(&metadata::published()?)?)),
    ("python", python_package),
    ("cross", cross),
    ("wasm", || unless(wasm::missing(), wasm::check)),
    ("demo", || unless(demo::missing(), demo::check)),
    ("report", || unless(browser::missing(), browser::check_report)),
    ("panics", || run(delegate::run("xtask-boards", "panics"))),
    ("c", || run(delegate::run("xtask-c", "run"))),
    ("dist", || run(delegate::run("xtask-c", "dist"))),
    ("flash", flash),
    ("boards", || run(delegate::run("xtask-boards", "run").args(["--all"]))),
];

fn passed(remark: String) -> Result<Outcome> {
    Ok(Outcome::Passed(remark))
}

/// Runs a check unless something is missing for it.
fn unless(missing: Option<String>, check: fn() -> Result<()>) -> Result<Outcome> {
    match missing {
        Some(reason) => Ok(Outcome::Skipped(reason)),
        None => run_all([check()]),
    }
}

fn run(command: Cmd) -> Result<Outcome> {
    run_all([command.run()])
}

fn run_all(results: impl IntoIterator<Item = Result<()>>) -> Result<Outcome> {
    results.into_iter().collect::<Result<()>>()?;
    passed(String::new())
}

fn fmt() -> Result<Outcome> {
    let check = |folder: &str| Cmd::cargo().args(["fmt", "--all", "--check"]).dir(root().join(folder)).run();
    run_all(dependencies::WORKSPACES.map(check))
}

/// Runs cargo-deny, or the checks of `deny.toml` that need no advisory database where it is not installed.
fn deny() -> Result<Outcome> {
    if which("cargo-deny").is_none() {
        return passed(dependencies::check()? + "; no advisories: cargo-deny is not installed");
    }
    let deny = |folder: &str, checks: &[&str]| {
        let manifest = root().join(folder).join("Cargo.toml");
        let config = root().join("deny.toml");
        let deny = Cmd::cargo().args(["deny", "--manifest-path"]).args([manifest]);
        deny.args(["check", "--config"]).args([config]).args(checks)
    };
    for folder in dependencies::WORKSPACES {
        deny(folder, &["bans", "licenses", "sources"]).run()?;
    }
    match deny(".", &["advisories"]).run_captured()? {
        Ok(()) => passed("cargo-deny, advisories included".into()),
        Err(failed) if is_out_of_reach(&failed) => {
            passed("cargo-deny; no advisories: their database is out of reach".into())
        }
        Err(failed) => Err(failed.into()),
    }
}

fn is_out_of_reach(failed: &Failed) -> bool {
    ["failed to fetch", "failed to load advisory database"].iter().any(|text| failed.stderr.contains(text))
}

/// Tests the members that a plain `cargo test` leaves out.
fn test_members() -> Result<Outcome> {
    let members = metadata::members()?;
    let names =
        members.iter().filter(|member| !member.is_default).flat_map(|member| ["--package", &member.name]);
    run(Cmd::cargo().args(["test"]).args(names))
}

/// Tests the validation of models where a size has 32 bits, and overflow of a sum is a panic.
fn test_32_bit() -> Result<Outcome> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Ok(Outcome::Skipped("only x86-64 Linux runs its programs".into()));
    }
    test_on("i686-unknown-linux-musl", |tests| tests.args(["--test", "sizes"]))
}

/// Tests the runtime on AArch64, in an emulator of its programs.
fn test_aarch64() -> Result<Outcome> {
    const EMULATOR: &str = "qemu-aarch64";
    if !cfg!(target_os = "linux") || which(EMULATOR).is_none() {
        return Ok(Outcome::Skipped(format!("{EMULATOR} is not installed")));
    }
    let target = "aarch64-unknown-linux-musl";
    test_on(target, |tests| {
        tests
            .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld")
            .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER", EMULATOR)
    })
}

/// Runs the runtime's unit tests, and what `tests` adds to them, on another target.
fn test_on(target: &str, tests: impl FnOnce(Cmd) -> Cmd) -> Result<Outcome> {
    if Cmd::new("rustup").args(["target", "add", target]).run().is_err() {
        return Ok(Outcome::Skipped(format!("{target} cannot be installed")));
    }
    let lib = ["test", "--package", "embedded-rnn", "--features", "std", "--lib", "--target", target];
    run(tests(Cmd::cargo().args(lib)))
}

/// Runs every benchmark once, without a measurement, in the profile that the tests have built.
fn benches() -> Result<Outcome> {
    let bench = ["bench", "--profile", "dev", "--package", "embedded-rnn-benches", "--", "--test"];
    run(Cmd::cargo().args(bench))
}

/// Runs every fuzz target for a few seconds. `cargo xtask fuzz --hours 1` is for longer runs.
fn fuzz() -> Result<Outcome> {
    let toolchain = Instrumentation::look()?;
    match toolchain.missing_for_fuzzing() {
        Some(reason) => Ok(Outcome::Skipped(reason)),
        None => passed(fuzz::smoke(&toolchain, 3)?),
    }
}

/// Tests kernels and activations with AddressSanitizer; whole models run under it in the step `fuzz`.
fn address_sanitizer() -> Result<Outcome> {
    let toolchain = Instrumentation::look()?;
    if let Some(reason) = toolchain.missing_for_sanitizing() {
        return Ok(Outcome::Skipped(reason));
    }
    let tests = ["test", "--package", "embedded-rnn", "--features", "std", "--lib"];
    // Kernels of all backends, instrumented: the fewer optimizations, the sooner they are compiled.
    let level = ["--config", "profile.dev.package.embedded-rnn.opt-level=1"];
    let test =
        Cmd::cargo().args(tests).args(level).env("CARGO_TARGET_DIR", target_dir().join("address-sanitizer"));
    run(toolchain.sanitizing(test))
}

/// Runs models of all layers and dtypes under valgrind, where it is installed: their outputs, states and
/// generation. It finds reads of memory that nothing has written, which AddressSanitizer does not.
fn valgrind() -> Result<Outcome> {
    if which("valgrind").is_none() {
        return Ok(Outcome::Skipped("valgrind is not installed".into()));
    }
    let host = Instrumentation::look()?.host.to_uppercase().replace('-', "_");
    let test = Cmd::cargo().args(["test", "--test", "runtime", "--"]);
    let test = test.args(["stacks_agree", "saved_states", "sequences::", "generation"]);
    run(test.env(&format!("CARGO_TARGET_{host}_RUNNER"), "valgrind --quiet --error-exitcode=99"))
}

fn clippy() -> Cmd {
    let lints = ["-D", "warnings", "-D", "clippy::incompatible_msrv"];
    Cmd::cargo().args(["clippy", "--workspace", "--all-targets", "--"]).args(lints)
}

fn clippy_firmware() -> Result<Outcome> {
    let toolchain = cross::decide(&ThisMachine::look()?, &boards::targets(), Choice::Auto)?;
    if toolchain != Toolchain::Installed {
        return Ok(Outcome::Skipped(format!("no clippy in {}", toolchain.describe())));
    }
    run(delegate::run("xtask-boards", "clippy"))
}

fn clippy_fuzz() -> Result<Outcome> {
    let toolchain = Instrumentation::look()?;
    match toolchain.missing_for_fuzzing() {
        Some(reason) => Ok(Outcome::Skipped(reason)),
        None => run_all([fuzz::clippy(&toolchain)]),
    }
}

/// Lints the Python binding, a workspace of its own, with the target folder of its wheel.
fn clippy_python() -> Result<Outcome> {
    if which("python3").is_none() {
        return Ok(Outcome::Skipped("python3 is not installed".into()));
    }
    let clippy = Cmd::cargo().args(["clippy", "--locked", "--", "-D", "warnings"]);
    let folder = target_dir().join("python");
    run(clippy.dir(root().join("bindings/python")).env("CARGO_TARGET_DIR", folder))
}

/// Builds and tests the Python package.
fn python_package() -> Result<Outcome> {
    if let Some(reason) = python::missing() {
        return Ok(Outcome::Skipped(reason.into()));
    }
    match python::Environment::fresh() {
        Ok(environment) => passed(python::Python::default().run_in(&environment)?),
        Err(error) => Ok(Outcome::Skipped(format!("PyPI is out of reach: {error:#}"))),
    }
}

/// Builds the published crates with the oldest compiler that they claim, or lints them where it cannot be
/// installed.
fn msrv() -> Result<Outcome> {
    let members = metadata::published()?;
    let versions = members.iter().filter_map(|member| member.package["rust_version"].as_str());
    let version = versions.max().unwrap_or_default();
    if !has_toolchain(version) {
        clippy().run()?;
        return passed(format!("clippy::incompatible_msrv: Rust {version} cannot be installed"));
    }
    let names = members.iter().flat_map(|member| ["--package", &member.name]);
    let check = Cmd::new("rustup").args(["run", version, "cargo", "check", "--locked"]).args(names);
    // Cargo passes its own toolchain on to its children; this one is another.
    let check = check.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("RUSTC");
    check.env("CARGO_TARGET_DIR", target_dir().join("msrv")).run()?;
    passed(format!("built with Rust {version}"))
}

/// Returns whether rustup has the toolchain, or can install it.
fn has_toolchain(version: &str) -> bool {
    let list = Cmd::new("rustup").args(["toolchain", "list"]).output().unwrap_or_default();
    let install = ["toolchain", "install", version, "--profile", "minimal", "--no-self-update"];
    let has = list.lines().any(|line| line.starts_with(&format!("{version}-")));
    // A machine without a network fails at once instead of after many retries.
    has || which("rustup").is_some()
        && Cmd::new("rustup").args(install).env("RUSTUP_MAX_RETRIES", "0").run().is_ok()
}

fn doc() -> Result<Outcome> {
    let doc = Cmd::cargo().args(["doc", "--workspace", "--no-deps"]);
    run(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Builds the program of every real board, and runs it on the emulated board with the same core; builds it
/// with a model that is too large.
fn flash() -> Result<Outcome> {
    let model = ["--model", "runtime/tests/data/tiny.i8.ernn"];
    delegate::run("xtask-boards", "flash").args(["--all", "--dry-run"]).args(model).run()?;
    run(delegate::run("xtask-boards", "too-large"))
}

/// Builds the runtime alone for every board's target, as a user's firmware does.
fn cross() -> Result<Outcome> {
    let targets = boards::targets();
    let toolchain = cross::decide(&ThisMachine::look()?, &targets, Choice::Auto)?;
    run_all(targets.iter().map(|target| build_runtime(&toolchain, target)))
}

fn build_runtime(toolchain: &Toolchain, target: &str) -> Result<()> {
    let build = toolchain.cargo("build", target).args(["--release", "--package", "embedded-rnn"]);
    build.args(["--no-default-features", "--target-dir"]).args([toolchain.target_dir()]).run()
}
