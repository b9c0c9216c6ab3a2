//! Choice of the toolchain that builds for the boards: the first of these that works, decided once per run.
//!
//! 1. the targets are installed in the default toolchain;
//! 2. `rustup target add` installs them;
//! 3. a toolchain with the library's source builds `core` itself: the default one with the component
//!    `rust-src`, or Debian's packages rustc-web, cargo-web and rust-web-src;
//! 4. one line that names the packages to install.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::cmd::{Cmd, target_dir};

/// Source of the core library for the boards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// Targets installed in the default toolchain.
    Installed,
    /// Default toolchain, which builds `core` from its component `rust-src`.
    RustSrc,
    /// Debian's compiler, which builds `core`. It has no linker for the boards, so the default toolchain's is
    /// used.
    Debian {
        /// Linker for bare metal.
        linker: PathBuf,
    },
}

/// Toolchains that may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// The first that works.
    Auto,
    /// Only installed targets.
    Installed,
    /// Only a core library built from source.
    Source,
}

/// Queries of the machine; a trait, so that the decision is tested without one.
pub trait Machine {
    /// Returns whether the default toolchain has the target's library.
    fn has_target(&self, target: &str) -> bool;
    /// Runs `rustup target add` and returns whether it succeeded.
    fn add_targets(&self, targets: &[&str]) -> bool;
    /// Returns whether the default toolchain has the library's source.
    fn has_rust_src(&self) -> bool;
    /// Returns a linker for Debian's compiler if that is installed with its source.
    fn debian(&self) -> Option<PathBuf>;
}

/// Decides which toolchain builds for `targets`.
pub fn decide(machine: &impl Machine, targets: &[&str], choice: Choice) -> Result<Toolchain> {
    if choice != Choice::Source {
        let missing: Vec<&str> =
            targets.iter().copied().filter(|target| !machine.has_target(target)).collect();
        if missing.is_empty() || (choice == Choice::Auto && machine.add_targets(&missing)) {
            return Ok(Toolchain::Installed);
        }
        if choice == Choice::Installed {
            bail!("not installed: {}; try `rustup target add {}`", missing.join(", "), missing.join(" "));
        }
    }
    if machine.has_rust_src() {
        return Ok(Toolchain::RustSrc);
    }
    if let Some(linker) = machine.debian() {
        return Ok(Toolchain::Debian { linker });
    }
    bail!(
        "no toolchain builds for {}: `rustup target add {}`, or `rustup component add rust-src`, \
         or on Debian `cargo xtask setup`",
        targets.join(", "),
        targets.join(" ")
    )
}

impl Toolchain {
    /// Returns a description for the log.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Installed => "the targets installed in the default toolchain",
            Self::RustSrc => "the default toolchain, core built from its rust-src",
            Self::Debian { .. } => "Debian's rustc-web, core built from rust-web-src",
        }
    }

    /// Returns the target folder. Two compilers in one folder would rebuild everything at each change.
    pub fn target_dir(&self) -> PathBuf {
        target_dir().join(match self {
            Self::Installed => "firmware",
            Self::RustSrc | Self::Debian { .. } => "firmware-from-source",
        })
    }

    /// Creates the command `cargo SUBCOMMAND --target TARGET` of this toolchain.
    pub fn cargo(&self, subcommand: &str, target: &str) -> Cmd {
        let args = [subcommand, "--target", target];
        match self {
            Self::Installed => Cmd::cargo().args(args),
            Self::RustSrc => {
                Cmd::cargo().args(args).args(["-Z", "build-std=core"]).env("RUSTC_BOOTSTRAP", "1")
            }
            Self::Debian { linker } => Cmd::new(DEBIAN_CARGO)
                .args(args)
                .args(["-Z", "build-std=core"])
                .env("RUSTC_BOOTSTRAP", "1")
                .env("RUSTC", DEBIAN_RUSTC)
                .env(&linker_variable(target), linker)
                // Cargo passes its own toolchain on to its children; this one is another.
                .env_remove("RUSTUP_TOOLCHAIN")
                .env_remove("CARGO"),
        }
    }

    /// Returns the version line of the compiler.
    pub fn rustc_version(&self) -> String {
        let rustc = if let Self::Debian { .. } = self { DEBIAN_RUSTC } else { "rustc" };
        Cmd::new(rustc).args(["--version"]).output().unwrap_or_else(|| "unknown".into())
    }
}

fn linker_variable(target: &str) -> String {
    format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"))
}

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// The machine that runs this program.
pub struct ThisMachine {
    sysroot: PathBuf,
    host: String,
}

impl ThisMachine {
    /// Queries the default compiler for the folder of its library.
    pub fn look() -> Result<Self> {
        let rustc = |args: &[&str]| Cmd::new("rustc").args(args).output();
        let (Some(sysroot), Some(version)) = (rustc(&["--print", "sysroot"]), rustc(&["-vV"])) else {
            bail!("no `rustc` on the PATH: install Rust from https://rustup.rs");
        };
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        Ok(Self { sysroot: sysroot.into(), host: host.to_owned() })
    }

    fn rustlib(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib")
    }
}

impl Machine for ThisMachine {
    fn has_target(&self, target: &str) -> bool {
        let lib = self.rustlib().join(target).join("lib");
        std::fs::read_dir(lib).is_ok_and(|mut files| files.next().is_some())
    }

    fn add_targets(&self, targets: &[&str]) -> bool {
        // A machine without a network fails at once instead of after many retries.
        let rustup = Cmd::new("rustup").args(["target", "add"]).args(targets).env("RUSTUP_MAX_RETRIES", "0");
        crate::cmd::which("rustup").is_some() && rustup.run().is_ok()
    }

    fn has_rust_src(&self) -> bool {
        has_library_source(&self.sysroot)
    }

    fn debian(&self) -> Option<PathBuf> {
        let sysroot = Cmd::new(DEBIAN_RUSTC).args(["--print", "sysroot"]).output()?;
        if !Path::new(DEBIAN_CARGO).is_file() || !has_library_source(Path::new(&sysroot)) {
            return None;
        }
        let own = self.rustlib().join(&self.host).join("bin/rust-lld");
        if own.is_file() { Some(own) } else { crate::cmd::which("rust-lld") }
    }
}

fn has_library_source(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib/src/rust/library/core/Cargo.toml").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[derive(Default)]
    struct Fake {
        targets: &'static [&'static str],
        rustup: bool,
        rust_src: bool,
        debian: bool,
        added: Cell<usize>,
    }

    impl Machine for Fake {
        fn has_target(&self, target: &str) -> bool {
            self.targets.contains(&target)
        }
        fn add_targets(&self, targets: &[&str]) -> bool {
            self.added.set(targets.len());
            self.rustup
        }
        fn has_rust_src(&self) -> bool {
            self.rust_src
        }
        fn debian(&self) -> Option<PathBuf> {
            self.debian.then(|| "rust-lld".into())
        }
    }

    const TARGETS: &[&str] = &["m4", "m0"];

    #[test]
    fn installed_targets_are_used_and_nothing_else_is_tried() {
        let machine = Fake { targets: &["m0", "m4"], rustup: true, ..Fake::default() };
        assert_eq!(decide(&machine, TARGETS, Choice::Auto).unwrap(), Toolchain::Installed);
        assert_eq!(machine.added.get(), 0);
    }

    #[test]
    fn only_missing_targets_are_added() {
        let machine = Fake { targets: &["m4"], rustup: true, ..Fake::default() };
        assert_eq!(decide(&machine, TARGETS, Choice::Auto).unwrap(), Toolchain::Installed);
        assert_eq!(machine.added.get(), 1);
    }

    #[test]
    fn source_comes_next_and_the_default_toolchain_first() {
        let both = Fake { rust_src: true, debian: true, ..Fake::default() };
        assert_eq!(decide(&both, TARGETS, Choice::Auto).unwrap(), Toolchain::RustSrc);
        let debian = Fake { debian: true, ..Fake::default() };
        assert!(matches!(decide(&debian, TARGETS, Choice::Auto).unwrap(), Toolchain::Debian { .. }));
    }

    #[test]
    fn choices_restrict_the_toolchains() {
        let all = Fake { targets: &["m0", "m4"], rustup: true, debian: true, ..Fake::default() };
        assert!(matches!(decide(&all, TARGETS, Choice::Source).unwrap(), Toolchain::Debian { .. }));
        let none = Fake { rustup: true, debian: true, ..Fake::default() };
        assert!(decide(&none, TARGETS, Choice::Installed).is_err());
        assert_eq!(none.added.get(), 0);
    }

    #[test]
    fn the_error_names_the_packages_to_install() {
        let error = decide(&Fake::default(), TARGETS, Choice::Auto).unwrap_err().to_string();
        assert!(error.contains("rustup target add m4 m0"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }

    #[test]
    fn debian_is_called_with_the_linker_of_the_default_toolchain() {
        let line =
            Toolchain::Debian { linker: "/x/rust-lld".into() }.cargo("build", "thumbv6m-none-eabi").line();
        assert!(line.contains("CARGO_TARGET_THUMBV6M_NONE_EABI_LINKER=/x/rust-lld"), "{line}");
        assert!(line.ends_with("cargo build --target thumbv6m-none-eabi -Z build-std=core"), "{line}");
    }
}
