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
    /// What does not work without it.
    pub role: Role,
}

/// What a requirement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// No board runs without it.
    Boards,
    /// It builds for the boards where the default toolchain cannot.
    Toolchain,
    /// The C programs of the boards, which are skipped without it.
    C,
    /// Pages in a browser, whose tests are skipped without it.
    Browser,
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
        role: Role::Boards,
    },
    Need {
        name: "qemu-system-aarch64",
        purpose: "an emulated AArch64 core",
        probe: Probe::Program("qemu-system-aarch64"),
        package: "qemu-system-arm",
        role: Role::Boards,
    },
    Need {
        name: "qemu-aarch64",
        purpose: "tests on AArch64",
        probe: Probe::Program("qemu-aarch64"),
        package: "qemu-user",
        role: Role::Boards,
    },
    Need {
        name: "qemu-system-riscv32",
        purpose: "emulated RISC-V boards",
        probe: Probe::Program("qemu-system-riscv32"),
        package: "qemu-system-misc",
        role: Role::Boards,
    },
    Need {
        name: "Debian's rustc",
        purpose: "builds core for the boards where `rustup target add` cannot",
        probe: Probe::File("/usr/bin/rustc"),
        package: "rustc-web",
        role: Role::Toolchain,
    },
    Need {
        name: "Debian's cargo",
        purpose: "the same",
        probe: Probe::File("/usr/bin/cargo"),
        package: "cargo-web",
        role: Role::Toolchain,
    },
    Need {
        name: "Debian's rust source",
        purpose: "the same",
        probe: Probe::File("/usr/lib/rustlib/src/rust/library/core/Cargo.toml"),
        package: "rust-web-src",
        role: Role::Toolchain,
    },
    Need {
        name: "arm-none-eabi-gcc",
        purpose: "C programs on an emulated board",
        probe: Probe::Program("arm-none-eabi-gcc"),
        package: "gcc-arm-none-eabi",
        role: Role::C,
    },
    Need {
        name: "newlib for Arm",
        purpose: "the same",
        probe: Probe::File("/usr/lib/arm-none-eabi/newlib/rdimon.specs"),
        package: "libnewlib-arm-none-eabi",
        role: Role::C,
    },
    Need {
        name: "chromium",
        purpose: "tests of pages",
        probe: Probe::Program("chromium"),
        package: "chromium",
        role: Role::Browser,
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
            assert!(
                NEEDS.iter().any(|need| need.name == board.qemu && need.role == Role::Boards),
                "{}",
                board.qemu
            );
        }
    }

    #[test]
    fn probes_find_programs_and_files() {
        let need = |probe| Need { name: "", purpose: "", probe, package: "", role: Role::Boards };
        assert!(need(Probe::Program("sh")).is_met());
        assert!(!need(Probe::Program("no-such-program")).is_met());
        assert!(!need(Probe::File("/no/such/file")).is_met());
    }
}
