//! The command `cargo xtask flash`: builds the program of `firmware/examples` with a model for a real board,
//! and flashes it with probe-rs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use embedded_rnn::AnyModel;
use object::{Object, ObjectSection};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xtask::args::FlashArgs;
use xtask::boards::{Board, Float};
use xtask::cmd::{Cmd, root, which};
use xtask::cross::{self, Choice, ThisMachine, Toolchain};

use crate::conformance::{Conformance, MAX_IDS};
use crate::vectors::TestVectors;
use crate::{demo, image, qemu};

/// A real board.
struct Kit {
    /// Name, also of its crate in `firmware/examples`.
    name: &'static str,
    /// Chip as probe-rs calls it.
    chip: &'static str,
    /// Target triple of rustc.
    target: &'static str,
    /// Arithmetic in f32.
    float: Float,
    /// Address of the vector table.
    vectors: u64,
    /// Emulated board with the same core, or one with the same instructions.
    emulated: &'static str,
}

static KITS: &[Kit] = &[
    Kit {
        name: "nrf52840-dk",
        chip: "nRF52840_xxAA",
        target: "thumbv7em-none-eabihf",
        float: Float::Fused,
        vectors: 0,
        emulated: "cortex-m4",
    },
    Kit {
        name: "pico",
        chip: "RP2040",
        target: "thumbv6m-none-eabi",
        float: Float::Separate,
        vectors: 0x1000_0100,
        emulated: "cortex-m0",
    },
    Kit {
        name: "stm32f4-discovery",
        chip: "STM32F407VGTx",
        target: "thumbv7em-none-eabihf",
        float: Float::Fused,
        vectors: 0x0800_0000,
        emulated: "cortex-m4",
    },
];

/// Time steps that a board runs.
const STEPS: usize = 20;
const SEED: u64 = 21;

/// A model with inputs and the PC's outputs, as files for the build of the program.
struct Program {
    model: PathBuf,
    inputs: PathBuf,
    outputs: PathBuf,
    check: bool,
}

/// Runs the command.
pub fn run(args: &FlashArgs) -> Result<()> {
    if args.list {
        KITS.iter().for_each(|kit| println!("{}", kit.name));
        return Ok(());
    }
    let kits: Vec<&Kit> =
        KITS.iter().filter(|kit| args.name.as_deref().is_none_or(|name| name == kit.name)).collect();
    ensure!(!kits.is_empty(), "no such board: `cargo xtask flash --list` names them");
    let model = match &args.model {
        Some(file) => fs::canonicalize(file).with_context(|| file.display().to_string())?,
        None => demo::model_file(),
    };
    let targets: Vec<&str> = kits.iter().map(|kit| kit.target).collect();
    let toolchain = cross::decide(&ThisMachine::look()?, &targets, Choice::Auto)?;
    kits.iter().try_for_each(|kit| flash(kit, &toolchain, &model, args))
}

fn flash(kit: &Kit, toolchain: &Toolchain, model: &Path, args: &FlashArgs) -> Result<()> {
    let program = Program::new(kit, model, args.check)?;
    let map = root().join("firmware/examples").join(kit.name).join("memory.x");
    let image = program.build(toolchain, kit.target, kit.name, &map)?;
    check_vectors(kit, &image)?;
    println!("{}: {}, built and not yet run on silicon", kit.name, image.display());
    let probe = Cmd::new("probe-rs").args(["run", "--chip", kit.chip]).args([&image]);
    if args.dry_run {
        println!("would run: {}", probe.line());
        return emulate(kit, toolchain, model);
    }
    ensure!(
        which("probe-rs").is_some(),
        "probe-rs is not installed: `cargo install probe-rs-tools --locked`"
    );
    probe.run()
}

/// Runs the same program on the emulated board with the kit's core, and compares its outputs.
fn emulate(kit: &Kit, toolchain: &Toolchain, model: &Path) -> Result<()> {
    let board = Board::named(kit.emulated).context("no such emulated board")?;
    let program = Program::new(kit, model, true)?;
    let map = program.model.with_file_name("memory.x");
    fs::write(&map, board.memory_x())?;
    let image = program.build(toolchain, kit.target, "emulated", &map)?;
    qemu::run(board, &image, map.parent().unwrap_or(Path::new(".")))
}

impl Program {
    /// Makes random inputs and the PC's outputs in the arithmetic of the board.
    fn new(kit: &Kit, model: &Path, check: bool) -> Result<Self> {
        let place = || model.display().to_string();
        let any = AnyModel::read(model)?;
        if any.needs_whole_sequences() || any.has_decoder() || any.input_ids().is_some() {
            bail!("{}: the program of the boards runs models of features, step by step", place());
        }
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let count = STEPS * any.input_size();
        let real = |rng: &mut ChaCha8Rng| (0..count).map(|_| rng.random_range(-1.0..1.0)).collect();
        let vectors = match any.dtype() {
            embedded_rnn::DType::I8 => TestVectors::I8(vec![(0..count).map(|_| rng.random()).collect()]),
            embedded_rnn::DType::F16 => TestVectors::F16(vec![real(&mut rng)]),
            _ => TestVectors::F32(vec![real(&mut rng)]),
        };
        let run = Conformance::new(any.bytes(), &vectors, usize::MAX, kit.float).with_context(place)?;
        let folder = root().join("target/boards/flash").join(kit.name);
        fs::create_dir_all(&folder)?;
        let save = |name: &str, bytes: &[u8]| -> Result<PathBuf> {
            let path = folder.join(name);
            fs::write(&path, bytes).with_context(|| path.display().to_string())?;
            Ok(path)
        };
        Ok(Self {
            model: save("model.ernn", any.bytes())?,
            inputs: save("inputs.bin", &vectors.sequences().concat())?,
            outputs: save("outputs.bin", &run.outputs)?,
            check,
        })
    }

    /// Builds the program of a package for a memory map, and returns the path of the image.
    fn build(&self, toolchain: &Toolchain, target: &str, package: &str, map: &Path) -> Result<PathBuf> {
        let folder = toolchain.target_dir().join("examples").join(target);
        let build = toolchain
            .cargo("build", target)
            .args(["--quiet", "--release", "--package", package, "--target-dir"])
            .args([&folder])
            .args(std::env::var_os("CI").map(|_| "--locked"))
            .dir(root().join("firmware/examples"))
            .env("BOARD_MODEL", &self.model)
            .env("BOARD_INPUTS", &self.inputs)
            .env("BOARD_OUTPUTS", &self.outputs)
            .env("BOARD_CHECK", if self.check { "1" } else { "0" })
            .env("BOARD_MEMORY_X", map)
            // The program runs step by step and generates nothing.
            .env("BOARD_STEPS", "0")
            .env("BOARD_MAX_IDS", MAX_IDS.to_string())
            .env("DEFMT_LOG", "info");
        if let Err(failure) = build.run_captured()? {
            match image::overflow(&failure.stderr) {
                Some(reason) => bail!("{package}: the model {reason}"),
                None => return Err(failure.into()),
            }
        }
        Ok(folder.join(target).join("release").join(package))
    }
}

/// Fails if the vector table is not where the core looks for it, or its entry is no Thumb code.
fn check_vectors(kit: &Kit, image: &Path) -> Result<()> {
    let bytes = fs::read(image).with_context(|| image.display().to_string())?;
    let elf = object::File::parse(&*bytes)?;
    let table = elf.section_by_name(".vector_table").context("the image has no vector table")?;
    ensure!(table.address() == kit.vectors, "the vector table is at {:#x}", table.address());
    let entry = table.data()?.get(4..8).context("the vector table is too short")?;
    ensure!(entry[0] & 1 == 1, "the entry is not Thumb code");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kit_has_a_crate_and_an_emulated_board_of_its_target() {
        for kit in KITS {
            assert!(
                root().join("firmware/examples").join(kit.name).join("memory.x").is_file(),
                "{}",
                kit.name
            );
            let board = Board::named(kit.emulated).unwrap();
            assert_eq!((board.target, board.float), (kit.target, kit.float), "{}", kit.name);
        }
    }
}
