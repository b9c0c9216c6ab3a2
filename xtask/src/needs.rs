//! What the commands need from the machine beyond the Rust toolchain: one row each, for `setup` and `doctor`.

use std::path::Path;

use crate::cmd::which;

/// One thing that must be on the machine.
pub struct Need {
    /// Its name for people.
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// How to see whether it is there.
    pub probe: Probe,
    /// The Debian package that holds it.
    pub package: &'static str,
    /// Nothing runs on the boards without it; the others have a substitute.
    pub required: bool,
}

/// How to see whether something is there.
pub enum Probe {
    /// A program on the PATH.
    Program(&'static str),
    /// A file.
    File(&'static str),
}

/// All needs.
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
    /// Whether it is there.
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
    fn every_emulator_in_the_table_of_boards_is_a_need() {
        for board in BOARDS {
            assert!(NEEDS.iter().any(|need| need.name == board.qemu && need.required), "{}", board.qemu);
        }
    }

    #[test]
    fn probes_look() {
        let need = |probe| Need { name: "", purpose: "", probe, package: "", required: true };
        assert!(need(Probe::Program("sh")).is_met());
        assert!(!need(Probe::Program("no-such-program")).is_met());
        assert!(!need(Probe::File("/no/such/file")).is_met());
    }
}
