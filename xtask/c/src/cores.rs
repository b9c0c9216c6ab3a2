//! The table of cores that the library is built for, one row each.

/// A core without an operating system.
pub struct Core {
    /// Name, also of its folder.
    pub name: &'static str,
    /// Target triple of rustc.
    pub target: &'static str,
    /// Core to compile for, where the target stands for more than one.
    pub target_cpu: Option<&'static str>,
    /// Flags of gcc for Arm; empty for other cores.
    pub gcc: &'static [&'static str],
    /// Folder in an Arduino library: the core and, for those with an FPU, its name and calling convention.
    pub arduino: &'static str,
}

/// The core of the emulated board.
pub const CORTEX_M4F: Core = Core {
    name: "cortex-m4f",
    target: "thumbv7em-none-eabihf",
    target_cpu: None,
    gcc: &["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
    arduino: "cortex-m4/fpv4-sp-d16-hard",
};

/// All cores.
pub const CORES: [Core; 6] = [
    Core {
        name: "cortex-m0plus",
        target: "thumbv6m-none-eabi",
        target_cpu: None,
        gcc: &["-mcpu=cortex-m0plus", "-mthumb"],
        arduino: "cortex-m0plus",
    },
    CORTEX_M4F,
    Core {
        name: "cortex-m7f",
        target_cpu: Some("cortex-m7"),
        gcc: &["-mcpu=cortex-m7", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"],
        arduino: "cortex-m7/fpv5-sp-d16-hard",
        ..CORTEX_M4F
    },
    Core {
        name: "cortex-m33",
        target: "thumbv8m.main-none-eabihf",
        target_cpu: Some("cortex-m33"),
        gcc: &["-mcpu=cortex-m33", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"],
        arduino: "cortex-m33/fpv5-sp-d16-hard",
    },
    Core {
        name: "cortex-m55",
        target: "thumbv8m.main-none-eabihf",
        target_cpu: Some("cortex-m55"),
        gcc: &["-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"],
        arduino: "cortex-m55/auto-hard",
    },
    Core {
        name: "riscv32imc",
        target: "riscv32imc-unknown-none-elf",
        target_cpu: None,
        gcc: &[],
        arduino: "esp32c3",
    },
];
