//! The table of real boards, one row each.

use xtask::boards::{Board, Float, Region};

/// A real board.
pub struct Kit {
    /// Name, also of its crate in `firmware/examples`.
    pub name: &'static str,
    /// Chip as probe-rs calls it.
    pub chip: &'static str,
    /// The debug probe, as something to connect.
    pub probe: &'static str,
    /// Further arguments of `probe-rs run`.
    pub probe_args: &'static [&'static str],
    /// How the chip starts a program.
    pub start: Start,
    /// Memories of the chip, from its data sheet.
    pub memory: &'static [Region],
    /// Name of the emulated board with the same core, or with the same instructions.
    emulated: &'static str,
}

/// How a chip starts a program in flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The core reads the vector table at this address.
    Vectors(u64),
    /// The boot ROM copies the first 256 bytes of the flash to RAM, checks their CRC and runs them; they make
    /// the flash readable, and the vector table lies behind them.
    Rp2040,
    /// The boot ROM looks for an image definition in the first 4 KB of the flash, where the vector table is.
    Rp2350,
    /// The boot loader reads a description at the start of the constants, and jumps to the entry.
    Esp32C3,
}

const fn region(origin: u32, kib: u32) -> Region {
    Region { origin, length: kib << 10 }
}

/// All real boards, in the order of the tables.
pub static KITS: &[Kit] = &[
    Kit {
        name: "nrf52840-dk",
        chip: "nRF52840_xxAA",
        probe: "the board's USB connector J2 (J-Link)",
        probe_args: &[],
        start: Start::Vectors(0),
        memory: &[region(0, 1024), region(0x2000_0000, 256)],
        emulated: "cortex-m4",
    },
    Kit {
        name: "pico",
        chip: "RP2040",
        probe: "a Raspberry Pi Debug Probe to SWDIO, SWCLK and GND",
        probe_args: &[],
        start: Start::Rp2040,
        memory: &[region(0x1000_0000, 2048), region(0x2000_0000, 264)],
        emulated: "cortex-m0",
    },
    Kit {
        name: "pico2",
        chip: "RP235x",
        probe: "a Raspberry Pi Debug Probe to SWDIO, SWCLK and GND",
        probe_args: &[],
        start: Start::Rp2350,
        memory: &[region(0x1000_0000, 4096), region(0x2000_0000, 520)],
        emulated: "cortex-m33",
    },
    Kit {
        name: "stm32f4-discovery",
        chip: "STM32F407VGTx",
        probe: "the board's USB connector CN1 (ST-LINK)",
        probe_args: &[],
        start: Start::Vectors(0x0800_0000),
        memory: &[region(0x0800_0000, 1024), region(0x2000_0000, 128)],
        emulated: "cortex-m4",
    },
    Kit {
        name: "esp32-c3",
        chip: "esp32c3",
        probe: "the chip's own USB connector (USB Serial/JTAG)",
        probe_args: &["--binary-format", "idf"],
        start: Start::Esp32C3,
        // The same flash for code and for constants, and the same RAM for both: all but the cache.
        memory: &[
            region(0x4200_0000, 4096),
            region(0x3c00_0000, 4096),
            region(0x4038_0000, 384),
            region(0x3fc8_0000, 384),
        ],
        emulated: "riscv32imc",
    },
];

impl Kit {
    /// Returns the emulated board, which has the target and the arithmetic of this one.
    pub fn emulated(&self) -> &'static Board {
        Board::named(self.emulated).expect("a test looks for it in the table")
    }

    /// Returns the target triple of rustc.
    pub fn target(&self) -> &'static str {
        self.emulated().target
    }

    /// Returns the arithmetic in f32.
    pub fn float(&self) -> Float {
        self.emulated().float
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xtask::cmd::root;

    #[test]
    fn every_kit_has_a_crate_a_row_in_the_documents_and_an_emulated_board() {
        let page = |name| std::fs::read_to_string(root().join("docs").join(name)).unwrap();
        let (flash, boards) = (page("flash.md"), page("boards.md"));
        for kit in KITS {
            let name = kit.name;
            assert!(root().join("firmware/examples").join(name).join("Cargo.toml").is_file(), "{name}");
            let start = format!("| `{name}` |");
            let row = |page: &str| page.lines().find(|line| line.starts_with(&start)).unwrap().to_owned();
            let chip = row(&flash);
            assert!(chip.contains(kit.target()) && chip.contains("not yet run on silicon"), "{chip}");
            let steps = row(&boards);
            assert!(steps.contains(kit.probe), "{steps}");
            assert!(steps.contains(&format!("`cargo xtask flash {name} --check`")), "{steps}");
        }
    }
}
