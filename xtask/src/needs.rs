//! The table of requirements beyond the Rust toolchain, one row each, for `setup` and `doctor`.

use std::path::Path;

use crate::cmd::which;

/// A program or file that must be on the machine.
pub struct Need {
    /// Displayed name.
    pub name: &'static str,
    /// Purpose.
    pub purpose: &'static str,
    /// Test for its presence.
    pub probe: Probe,
    /// Debian package that contains it.
    pub package: &'static str,
    /// `true` if no board runs without it; the others have a substitute.
    pub required: bool,
}

/// Test for the presence of a requirement.
pub enum Probe {
    /// A program on the PATH.
    Program(&'static str),
    /// A file.
    File(&'static str),
}

/// All requirements.
pub const NEEDS: &[Need] = &[
    Need {
        name: "qemu-system-arm",
        purpose: "emulated Cortex-M boards",
        probe: Probe::Program("qemu-system-arm"),
        package: "qemu-system-arm",
        required: true,
    },
    Need {
        name: "qemu-system-riscv32",
        purpose: "emulated RISC-V boards",
        probe: Probe::Program("qemu-system-riscv32"),
        package: "qemu-system-misc",
        required: true,
    },
    Need {
        name: "Debian's rustc",
        purpose: "builds core for the boards where `rustup target add` cannot",
        probe: Probe::File("/usr/bin/rustc"),
        package: "rustc-web",
        required: false,
    },
    Need {
        name: "Debian's cargo",
        purpose: "the same",
        probe: Probe::File("/usr/bin/cargo"),
        package: "cargo-web",
        required: false,
    },
    Need {
        name: "Debian's rust source",
        purpose: "the same",
        probe: Probe::File("/usr/lib/rustlib/src/rust/library/core/Cargo.toml"),
        package: "rust-web-src",
        required: false,
    },
];

impl Need {
    /// Returns whether the requirement is present.
    pub fn is_met(&self) -> bool {
        match self.probe {
            Probe::Program(program) => which(program).is_some(),
            Probe::File(file) => Path::new(file).exists(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boards::BOARDS;

    #[test]
    fn every_emulator_in_the_table_of_boards_is_required() {
        for board in BOARDS {
            assert!(NEEDS.iter().any(|need| need.name == board.qemu && need.required), "{}", board.qemu);
        }
    }

    #[test]
    fn probes_find_programs_and_files() {
        let need = |probe| Need { name: "", purpose: "", probe, package: "", required: true };
        assert!(need(Probe::Program("sh")).is_met());
        assert!(!need(Probe::Program("no-such-program")).is_met());
        assert!(!need(Probe::File("/no/such/file")).is_met());
    }
}
