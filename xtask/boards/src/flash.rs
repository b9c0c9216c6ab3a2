//! The command `cargo xtask flash`: builds the program of `firmware/examples` with a model for a real board,
//! and flashes it with probe-rs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use embedded_rnn::AnyModel;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xtask::args::{DType, FlashArgs};
use xtask::boards::Board;
use xtask::cmd::{Cmd, root, which};
use xtask::cross::{self, Choice, ThisMachine, Toolchain};

use crate::conformance::{Conformance, MAX_IDS};
use crate::kits::{KITS, Kit};
use crate::vectors::TestVectors;
use crate::{boot, demo, elf, image, qemu, random};

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
    let targets: Vec<&str> = kits.iter().map(|kit| kit.target()).collect();
    let toolchain = cross::decide(&ThisMachine::look()?, &targets, Choice::Auto)?;
    kits.iter().try_for_each(|kit| flash(kit, &toolchain, &model, args))
}

fn flash(kit: &Kit, toolchain: &Toolchain, model: &Path, args: &FlashArgs) -> Result<()> {
    let program = Program::new(kit, model, args.check)?;
    let image = program.build(toolchain, kit.emulated(), kit.name, &memory_map(kit))?;
    let bytes = fs::read(&image).with_context(|| image.display().to_string())?;
    boot::check(kit, &bytes).with_context(|| image.display().to_string())?;
    let elf::Contents { flash, ram, .. } = elf::contents(&bytes)?;
    println!("{}: {flash} bytes of flash, {ram} of variables, not yet run on silicon", kit.name);
    let probe = Cmd::new("probe-rs").args(["run", "--chip", kit.chip]).args(kit.probe_args).args([&image]);
    if args.dry_run {
        println!("would run: {}", probe.line());
        return emulate(kit, toolchain, model);
    }
    let probes = which("probe-rs").and_then(|_| Cmd::new("probe-rs").args(["list"]).output());
    if let Some(reason) = cannot_flash(kit, probes.as_deref()) {
        bail!("{}: {reason}", kit.name);
    }
    probe.run()
}

/// Returns what a person must do before a board can be flashed, from what `probe-rs list` prints; `None` if
/// nothing. The list is `None` if there is no probe-rs.
fn cannot_flash(kit: &Kit, probes: Option<&str>) -> Option<String> {
    let Some(probes) = probes else {
        return Some(format!(
            "probe-rs is missing: `cargo install probe-rs-tools --locked`, then connect {}",
            kit.probe
        ));
    };
    probes.contains("No debug probes").then(|| format!("probe-rs sees no debug probe: connect {}", kit.probe))
}

/// Runs the same program on the emulated board with the kit's core, and compares its outputs.
fn emulate(kit: &Kit, toolchain: &Toolchain, model: &Path) -> Result<()> {
    let board = kit.emulated();
    let program = Program::new(kit, model, true)?;
    let map = program.model.with_file_name("memory.x");
    fs::write(&map, board.memory_x())?;
    let image = program.build(toolchain, board, "emulated", &map)?;
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
        let run = Conformance::new(any.bytes(), &vectors, usize::MAX, kit.float()).with_context(place)?;
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

    /// Builds the program of a package for a core and a memory map, and returns the path of the image.
    fn build(&self, toolchain: &Toolchain, core: &Board, package: &str, map: &Path) -> Result<PathBuf> {
        if let Err(failure) = self.command("build", toolchain, core, package, map).run_captured()? {
            match image::overflow(&failure.stderr) {
                Some(reason) => bail!("{package}: the model {reason}"),
                None => return Err(failure.into()),
            }
        }
        Ok(folder(toolchain, core).join(core.target).join("release").join(package))
    }

    /// Creates the command `cargo SUBCOMMAND` on the program of a package, with its variables.
    fn command(
        &self,
        subcommand: &str,
        toolchain: &Toolchain,
        core: &Board,
        package: &str,
        map: &Path,
    ) -> Cmd {
        image::cargo(toolchain, subcommand, core, &folder(toolchain, core))
            .dir(crates().join(package))
            .env("BOARD_MODEL", &self.model)
            .env("BOARD_INPUTS", &self.inputs)
            .env("BOARD_OUTPUTS", &self.outputs)
            .env("BOARD_CHECK", if self.check { "1" } else { "0" })
            .env("BOARD_MEMORY_X", map)
            // The program runs step by step and generates nothing.
            .env("BOARD_STEPS", "0")
            .env("BOARD_MAX_IDS", MAX_IDS.to_string())
    }
}

/// Checks that a model too large for every board fails each link, which names the memory.
pub fn check_too_large() -> Result<()> {
    // Weights of 6.5 MB: the largest flash has 4.
    let layers = "{ type = 'LSTM', units = 620 }";
    let (bytes, _) = random::prepare(layers, 40, DType::F32)?;
    let model = root().join("target/boards/flash/too-large.ernn");
    fs::create_dir_all(model.parent().context("a folder")?)?;
    fs::write(&model, bytes).with_context(|| model.display().to_string())?;
    let targets: Vec<&str> = KITS.iter().map(|kit| kit.target()).collect();
    let toolchain = cross::decide(&ThisMachine::look()?, &targets, Choice::Auto)?;
    KITS.iter().try_for_each(|kit| {
        let program = Program::new(kit, &model, false)?;
        let error = program.build(&toolchain, kit.emulated(), kit.name, &memory_map(kit));
        let error = error.err().with_context(|| format!("{}: a model of 6.5 MB fits", kit.name))?.to_string();
        println!("{error}");
        ensure!(error.contains("does not fit: "), "{}: the reason is another: {error}", kit.name);
        Ok(())
    })
}

/// Lints the program of every board.
pub fn lint(toolchain: &Toolchain) -> Result<()> {
    KITS.iter().try_for_each(|kit| {
        let program = Program::new(kit, &demo::model_file(), false)?;
        let clippy = program.command("clippy", toolchain, kit.emulated(), kit.name, &memory_map(kit));
        clippy.args(["--", "-D", "warnings"]).run()
    })
}

/// Returns the folder with a crate per board.
fn crates() -> PathBuf {
    root().join("firmware/examples")
}

/// Returns the file with the memory map of a board; one with a HAL has that of the HAL.
fn memory_map(kit: &Kit) -> PathBuf {
    crates().join(kit.name).join("memory.x")
}

/// Returns the target folder of a core.
fn folder(toolchain: &Toolchain, core: &Board) -> PathBuf {
    toolchain.target_dir().join("examples").join(core.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_or_probe_is_one_line_that_says_what_to_do() {
        for kit in KITS {
            let no_tool = cannot_flash(kit, None).unwrap();
            assert!(
                no_tool.contains("cargo install probe-rs-tools") && no_tool.contains(kit.probe),
                "{no_tool}"
            );
            let no_probe = cannot_flash(kit, Some("No debug probes were found.")).unwrap();
            assert!(no_probe.ends_with(kit.probe), "{no_probe}");
            let found = "The following debug probes were found:\n[0]: J-Link";
            assert_eq!(cannot_flash(kit, Some(found)), None);
        }
    }
}
