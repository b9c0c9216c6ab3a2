//! Which toolchain builds for the boards: the first rung of a ladder that carries, decided once a run.
//!
//! 1. the targets are installed in the default toolchain;
//! 2. `rustup target add` installs them;
//! 3. a toolchain with the library's source builds `core` itself: the default one with the component
//!    `rust-src`, or Debian's packages rustc-web, cargo-web and rust-web-src;
//! 4. one line that says what to install.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::cmd::Cmd;

/// Where the library for a board comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The default toolchain has the targets.
    Installed,
    /// The default toolchain builds `core` from its component `rust-src`.
    RustSrc,
    /// Debian's compiler builds `core`; it has no linker for the boards, the default toolchain lends its own.
    Debian {
        /// A linker for bare metal.
        linker: PathBuf,
    },
}

/// Which rungs may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// The first that carries.
    Auto,
    /// Only installed targets.
    Installed,
    /// Only a library built from source.
    Source,
}

/// What can be asked of the machine; a trait, so that the decision is tested without one.
pub trait Machine {
    /// The default toolchain has the target's library.
    fn has_target(&self, target: &str) -> bool;
    /// `rustup target add` did it.
    fn add_targets(&self, targets: &[&str]) -> bool;
    /// The default toolchain has the library's source.
    fn has_rust_src(&self) -> bool;
    /// Debian's compiler with its source is there, and this is a linker for it.
    fn debian(&self) -> Option<PathBuf>;
}

/// Climbs the ladder.
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
    /// What was chosen, for the log.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Installed => "the targets installed in the default toolchain",
            Self::RustSrc => "the default toolchain, core built from its rust-src",
            Self::Debian { .. } => "Debian's rustc-web, core built from rust-web-src",
        }
    }

    /// Name of the folder it builds in: two compilers in one would rebuild everything at each change.
    pub fn target_folder(&self) -> &'static str {
        match self {
            Self::Installed => "firmware",
            Self::RustSrc | Self::Debian { .. } => "firmware-from-source",
        }
    }

    /// `cargo SUBCOMMAND --target TARGET` with this toolchain.
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
                // Cargo hands its own toolchain down to its children; this one is another.
                .env_remove("RUSTUP_TOOLCHAIN")
                .env_remove("CARGO"),
        }
    }

    /// The compiler's own line about its version.
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

/// This machine.
pub struct ThisMachine {
    sysroot: PathBuf,
    host: String,
}

impl ThisMachine {
    /// Asks the default compiler where its library lies.
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
        // A machine without a network should learn that at once.
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

    const WANTED: &[&str] = &["m4", "m0"];

    #[test]
    fn installed_targets_are_taken_and_nothing_else_is_tried() {
        let machine = Fake { targets: &["m0", "m4"], rustup: true, ..Fake::default() };
        assert_eq!(decide(&machine, WANTED, Choice::Auto).unwrap(), Toolchain::Installed);
        assert_eq!(machine.added.get(), 0);
    }

    #[test]
    fn only_what_is_missing_is_added() {
        let machine = Fake { targets: &["m4"], rustup: true, ..Fake::default() };
        assert_eq!(decide(&machine, WANTED, Choice::Auto).unwrap(), Toolchain::Installed);
        assert_eq!(machine.added.get(), 1);
    }

    #[test]
    fn source_is_the_next_rung_and_the_default_toolchain_goes_first() {
        let both = Fake { rust_src: true, debian: true, ..Fake::default() };
        assert_eq!(decide(&both, WANTED, Choice::Auto).unwrap(), Toolchain::RustSrc);
        let debian = Fake { debian: true, ..Fake::default() };
        assert!(matches!(decide(&debian, WANTED, Choice::Auto).unwrap(), Toolchain::Debian { .. }));
    }

    #[test]
    fn choices_keep_to_their_rung() {
        let all = Fake { targets: &["m0", "m4"], rustup: true, debian: true, ..Fake::default() };
        assert!(matches!(decide(&all, WANTED, Choice::Source).unwrap(), Toolchain::Debian { .. }));
        let none = Fake { rustup: true, debian: true, ..Fake::default() };
        assert!(decide(&none, WANTED, Choice::Installed).is_err());
        assert_eq!(none.added.get(), 0);
    }

    #[test]
    fn the_last_rung_says_what_to_install() {
        let error = decide(&Fake::default(), WANTED, Choice::Auto).unwrap_err().to_string();
        assert!(error.contains("rustup target add m4 m0"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }

    #[test]
    fn debian_is_called_with_the_borrowed_linker() {
        let line =
            Toolchain::Debian { linker: "/x/rust-lld".into() }.cargo("build", "thumbv6m-none-eabi").line();
        assert!(line.contains("CARGO_TARGET_THUMBV6M_NONE_EABI_LINKER=/x/rust-lld"), "{line}");
        assert!(line.ends_with("cargo build --target thumbv6m-none-eabi -Z build-std=core"), "{line}");
    }
}
