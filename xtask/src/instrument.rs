//! Builds with instrumentation: coverage counters for libFuzzer, and AddressSanitizer.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::cmd::{Cmd, which};

/// Counters of edges and compared values, as libFuzzer reads them. They need no nightly compiler.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                        -Cllvm-args=-sanitizer-coverage-pc-table \
                        -Cllvm-args=-sanitizer-coverage-trace-compares";
const ADDRESS: &str = "-Zsanitizer=address";
/// The C++ compilers that the build of libFuzzer finds.
const COMPILERS: [&str; 3] = ["c++", "g++", "clang++"];

/// The toolchain as far as instrumentation is concerned.
pub struct Instrumentation {
    /// The target triple of this machine. Builds name it, so that build scripts are not instrumented.
    pub host: String,
    has_address_sanitizer: bool,
}

impl Instrumentation {
    /// Looks at the toolchain.
    ///
    /// # Errors
    /// A compiler that does not run.
    pub fn look() -> Result<Self> {
        let rustc = |args: &[&str]| Cmd::new("rustc").args(args).output().context("rustc does not run");
        let version = rustc(&["-vV"])?;
        let host =
            version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc has no host")?;
        let libraries = rustc(&["--print", "target-libdir"])?;
        let has_address_sanitizer = has_sanitizer(Path::new(&libraries));
        Ok(Self { host: host.to_owned(), has_address_sanitizer })
    }

    /// Returns the reason why libFuzzer cannot be built, if there is one.
    pub fn missing_for_fuzzing(&self) -> Option<String> {
        let no_compiler = COMPILERS.iter().all(|compiler| which(compiler).is_none());
        no_compiler.then(|| format!("no C++ compiler for libFuzzer: {}", COMPILERS.join(", ")))
    }

    /// Returns the reason why AddressSanitizer cannot be used, if there is one.
    pub fn missing_for_sanitizing(&self) -> Option<String> {
        (!self.has_address_sanitizer)
            .then(|| format!("no AddressSanitizer in the toolchain of {}", self.host))
    }

    /// Adds coverage counters to a build, and AddressSanitizer if it is asked for and there.
    pub fn fuzzing(&self, command: Cmd, is_sanitized: bool) -> Cmd {
        if is_sanitized && self.has_address_sanitizer {
            return self.with_flags(command, &format!("{COVERAGE} {ADDRESS}")).env("RUSTC_BOOTSTRAP", "1");
        }
        self.with_flags(command, COVERAGE)
    }

    /// Adds AddressSanitizer to a build.
    pub fn sanitizing(&self, command: Cmd) -> Cmd {
        // The flag is not stable, and no other compiler is needed for it.
        self.with_flags(command, ADDRESS).env("RUSTC_BOOTSTRAP", "1")
    }

    fn with_flags(&self, command: Cmd, flags: &str) -> Cmd {
        command.args(["--target", &self.host]).env("RUSTFLAGS", flags)
    }
}

/// Returns whether the folder of a target's libraries has the runtime of AddressSanitizer.
fn has_sanitizer(libraries: &Path) -> bool {
    let names = fs::read_dir(libraries).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.into_iter().any(|name| name.to_string_lossy().contains("rt.asan"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_target_are_in_the_line_of_the_command() {
        let toolchain = |has_address_sanitizer| Instrumentation { host: "x".into(), has_address_sanitizer };
        let line = |has, asked| toolchain(has).fuzzing(Cmd::new("cargo"), asked).line();
        assert!(line(true, true).contains("sancov") && line(true, true).contains(ADDRESS));
        assert!(line(true, true).contains("RUSTC_BOOTSTRAP=1") && line(true, true).ends_with("--target x"));
        for line in [line(false, true), line(true, false)] {
            assert!(line.contains("sancov") && !line.contains(ADDRESS) && !line.contains("BOOTSTRAP"));
        }
        assert_eq!(toolchain(true).missing_for_sanitizing(), None);
        assert!(toolchain(false).missing_for_sanitizing().is_some());
    }
}
