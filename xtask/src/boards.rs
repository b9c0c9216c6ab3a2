//! The table of emulated boards, one row each. A new board is a new row.

/// A range of the address space.
#[derive(Clone, Copy)]
pub struct Region {
    /// First address.
    pub origin: u32,
    /// Length in bytes.
    pub length: u32,
}

/// Arithmetic of `a * b + c` in f32. The PC computes the expected outputs in the same arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Float {
    /// One rounding, by an instruction of the FPU.
    Fused,
    /// The product is rounded, then the sum; by a library if there is no FPU.
    Separate,
}

/// The networks that a run of all boards runs on one of them. A run of a single board runs every network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Every network.
    All,
    /// One network of each cell and layer: the other ones take the same code as on another board.
    OnePerLayer,
}

/// One emulated board.
pub struct Board {
    /// The name users type, and the key `board` of the results.
    pub name: &'static str,
    /// Displayed description.
    pub core: &'static str,
    /// Target triple of rustc.
    pub target: &'static str,
    /// Core to compile for, where the target stands for cores with different instructions.
    pub target_cpu: Option<&'static str>,
    /// Features to compile with or without, beside those of the target.
    pub target_feature: Option<&'static str>,
    /// Program of the emulator.
    pub qemu: &'static str,
    /// Arguments that select the machine and the core.
    pub machine: &'static [&'static str],
    /// Memory of the code and the model.
    pub flash: Region,
    /// Memory of the state and the stack.
    pub ram: Region,
    /// Frequency, in virtual Hz, of the counter that the image reads.
    pub counter_hz: f64,
    /// Binary logarithm of the virtual nanoseconds per instruction (QEMU's `-icount shift`).
    pub icount_shift: u32,
    /// Arithmetic in f32.
    pub float: Float,
    /// Limit of time steps for float dtypes, reached by whole sequences: software floating point is slow to
    /// emulate.
    pub float_steps: usize,
    /// `true` if the smallest image may contain no panic and no allocator.
    pub no_panic: bool,
    /// Networks of a run of all boards.
    pub selection: Selection,
}

/// What most boards with a Cortex-M have in common.
const CORTEX_M: Board = Board {
    name: "",
    core: "",
    target: "",
    target_cpu: None,
    target_feature: None,
    qemu: "qemu-system-arm",
    machine: &[],
    flash: Region { origin: 0, length: 4 << 20 },
    ram: Region { origin: 0x2000_0000, length: 4 << 20 },
    counter_hz: 25e6,
    icount_shift: 6,
    float: Float::Fused,
    float_steps: usize::MAX,
    no_panic: true,
    selection: Selection::OnePerLayer,
};

/// What the boards with a RISC-V core have in common.
const RISCV: Board = Board {
    qemu: "qemu-system-riscv32",
    machine: &["-machine", "virt", "-bios", "none"],
    // The emulated machine has RAM only; its first part serves as flash.
    flash: Region { origin: 0x8000_0000, length: 4 << 20 },
    ram: Region { origin: 0x8040_0000, length: 4 << 20 },
    // Under `-icount`, `minstret` counts nanoseconds of virtual time.
    counter_hz: 1e9,
    ..CORTEX_M
};

/// Limit of the time steps of a core that computes floats in software.
const FLOAT_STEPS_IN_SOFTWARE: usize = 300;

/// All boards, in the order of the tables.
pub static BOARDS: &[Board] = &[
    Board {
        name: "cortex-m4",
        core: "Cortex-M4F: DSP, FPU",
        target: "thumbv7em-none-eabihf",
        machine: &["-machine", "mps2-an386", "-cpu", "cortex-m4"],
        selection: Selection::All,
        ..CORTEX_M
    },
    Board {
        name: "cortex-m0",
        core: "Cortex-M0: no DSP, no FPU, 256K + 16K",
        target: "thumbv6m-none-eabi",
        machine: &["-machine", "microbit", "-cpu", "cortex-m0"],
        flash: Region { origin: 0, length: 256 << 10 },
        ram: Region { origin: 0x2000_0000, length: 16 << 10 },
        counter_hz: 16e6,
        float: Float::Separate,
        float_steps: FLOAT_STEPS_IN_SOFTWARE,
        selection: Selection::All,
        ..CORTEX_M
    },
    Board {
        name: "cortex-m3",
        core: "Cortex-M3: no DSP, no FPU",
        target: "thumbv7m-none-eabi",
        machine: &["-machine", "mps2-an385", "-cpu", "cortex-m3"],
        float: Float::Separate,
        float_steps: FLOAT_STEPS_IN_SOFTWARE,
        ..CORTEX_M
    },
    Board {
        name: "cortex-m7",
        core: "Cortex-M7F: DSP, FPU",
        target: "thumbv7em-none-eabihf",
        machine: &["-machine", "mps2-an500", "-cpu", "cortex-m7"],
        ..CORTEX_M
    },
    Board {
        name: "cortex-m33",
        core: "Cortex-M33F: DSP, FPU",
        target: "thumbv8m.main-none-eabihf",
        target_cpu: Some("cortex-m33"),
        machine: &["-machine", "mps2-an505", "-cpu", "cortex-m33"],
        // The core starts in the secure state, which has aliases of the memories.
        flash: Region { origin: 0x1000_0000, length: 4 << 20 },
        ram: Region { origin: 0x3800_0000, length: 2 << 20 },
        counter_hz: 20e6,
        ..CORTEX_M
    },
    Board {
        name: "cortex-m55",
        core: "Cortex-M55: DSP, Helium, FPU; 512K + 512K",
        target: "thumbv8m.main-none-eabihf",
        target_cpu: Some("cortex-m55"),
        machine: &["-machine", "mps3-an547", "-cpu", "cortex-m55"],
        flash: Region { origin: 0, length: 512 << 10 },
        ram: Region { origin: 0x2000_0000, length: 512 << 10 },
        counter_hz: 32e6,
        ..CORTEX_M
    },
    Board {
        name: "riscv32imc",
        core: "RISC-V 32 IMC: no FPU",
        target: "riscv32imc-unknown-none-elf",
        float: Float::Separate,
        float_steps: FLOAT_STEPS_IN_SOFTWARE,
        selection: Selection::All,
        ..RISCV
    },
    Board {
        name: "riscv32imafc",
        core: "RISC-V 32 IMAFC: FPU",
        target: "riscv32imafc-unknown-none-elf",
        ..RISCV
    },
    Board {
        name: "aarch64",
        core: "AArch64, Cortex-A53: NEON",
        target: "aarch64-unknown-none",
        // As on every system that has switched on the MMU, a vector may be loaded from any address.
        target_feature: Some("-strict-align"),
        qemu: "qemu-system-aarch64",
        machine: &["-nodefaults", "-machine", "virt", "-cpu", "cortex-a53"],
        // The emulator places a device tree at the start of its RAM.
        flash: Region { origin: 0x4020_0000, length: 4 << 20 },
        ram: Region { origin: 0x4060_0000, length: 4 << 20 },
        counter_hz: 62.5e6,
        icount_shift: 4,
        ..CORTEX_M
    },
];

/// Returns the targets of all boards, each once.
pub fn targets() -> Vec<&'static str> {
    let mut targets: Vec<&str> = BOARDS.iter().map(|board| board.target).collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}

impl Board {
    /// Returns the row of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        BOARDS.iter().find(|board| board.name == name)
    }

    /// Returns the memory map for the linker, in the form that the start-up crate of the core expects.
    pub fn memory_x(&self) -> String {
        let region =
            |name, r: Region| format!("{name} : ORIGIN = {:#010x}, LENGTH = {}\n", r.origin, r.length);
        let map = format!("MEMORY\n{{\n{}{}}}\n", region("FLASH", self.flash), region("RAM", self.ram));
        if !self.target.starts_with("riscv") {
            return map;
        }
        let alias = |name, to| format!("REGION_ALIAS(\"REGION_{name}\", {to});\n");
        let in_flash = ["TEXT", "RODATA"].map(|name| alias(name, "FLASH"));
        let in_ram = ["DATA", "BSS", "HEAP", "STACK"].map(|name| alias(name, "RAM"));
        map + &in_flash.concat() + &in_ram.concat()
    }

    /// Converts ticks of the counter to instructions.
    pub fn instructions(&self, ticks: f64) -> f64 {
        let seconds_per_instruction = f64::from(1u32 << self.icount_shift) * 1e-9;
        ticks / (self.counter_hz * seconds_per_instruction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for board in BOARDS {
            assert!(std::ptr::eq(Board::named(board.name).unwrap(), board), "{}", board.name);
        }
        assert!(Board::named("z80").is_none());
    }

    #[test]
    fn ticks_are_instructions() {
        let instructions = |name, ticks| Board::named(name).unwrap().instructions(ticks);
        assert!((instructions("cortex-m4", 1600.0) - 1000.0).abs() < 1e-9);
        assert!((instructions("cortex-m0", 1024.0) - 1000.0).abs() < 1e-9);
        assert!((instructions("riscv32imc", 64_000.0) - 1000.0).abs() < 1e-9);
    }

    #[test]
    fn memory_maps_have_the_form_that_the_linker_requires() {
        let map = Board::named("cortex-m0").unwrap().memory_x();
        assert!(map.contains("FLASH : ORIGIN = 0x00000000, LENGTH = 262144"), "{map}");
        assert!(!map.contains("REGION_ALIAS"), "{map}");
        let map = Board::named("riscv32imc").unwrap().memory_x();
        assert!(map.contains("REGION_ALIAS(\"REGION_STACK\", RAM);"), "{map}");
    }
}
