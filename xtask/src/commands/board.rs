//! `cargo xtask board`

use std::fs;

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::{ArgGroup, Args};

use crate::boards::{BOARDS, Board};
use crate::cmd::{Failures, root};
use crate::cross::{self, Choice, ThisMachine, Toolchain};
use crate::image::{self, Built, Images, Measured};
use crate::nets::{Case, DType, NETS, Net};
use crate::results::{self, Figures, Row};
use crate::table::Table;
use crate::{elf, qemu};

/// Runs nets on emulated boards and compares every answer with the PC's, bit for bit
#[derive(Args)]
#[command(
    group = ArgGroup::new("which").args(["name", "all", "list"]).required(true),
    after_help = "Examples:\n  cargo xtask board cortex-m4\n  cargo xtask board --all --model digits --dtype i8\n\n\
                  Results: a table, and one line a net and board in target/boards.jsonl."
)]
pub struct BoardArgs {
    /// Name of a board
    name: Option<String>,
    /// Every board of the table
    #[arg(long)]
    all: bool,
    /// Name the boards and the nets
    #[arg(long)]
    list: bool,
    /// Only this net
    #[arg(long, value_name = "NET")]
    model: Option<String>,
    /// Only this kind of numbers
    #[arg(long)]
    dtype: Option<DType>,
    /// Where the boards' libraries come from
    #[arg(long, default_value = "auto")]
    cross: Choice,
}

impl BoardArgs {
    /// `board --all`.
    pub fn all() -> Self {
        Self { name: None, all: true, list: false, model: None, dtype: None, cross: Choice::Auto }
    }

    /// Runs the command.
    pub fn run(self) -> Result<()> {
        if self.list {
            print!("{}", list());
            return Ok(());
        }
        let (boards, nets) = (self.boards()?, self.nets()?);
        let targets: Vec<&str> = boards.iter().map(|board| board.target).collect();
        let toolchain = cross::decide(&ThisMachine::look()?, &targets, self.cross)?;
        let rustc = toolchain.rustc_version();
        eprintln!("board: {} ({rustc})", toolchain.describe());

        let mut failures = Failures::default();
        let mut rows = Vec::new();
        for case in self.cases(&nets, &mut failures) {
            for board in &boards {
                let what = format!("{} {} {}", board.name, case.net.name, case.dtype.name());
                let row = failures.note(&what, run_case(&toolchain, board, &case, &rustc));
                if let Some(row) = row {
                    failures.note(&what, verdict(board, &row));
                    rows.push(row);
                }
            }
        }
        for board in &boards {
            let ran = rows.iter().any(|row| row.board == board.name && row.figures.is_some());
            failures.note(board.name, if ran { Ok(()) } else { Err(anyhow!("nothing ran on it")) });
        }
        rows.sort_by_key(|row| BOARDS.iter().position(|board| board.name == row.board));
        results::update(&root().join("target/boards.jsonl"), &rows)?;
        print!("{}", results::table(&rows));
        failures.finish()
    }

    fn boards(&self) -> Result<Vec<&'static Board>> {
        let Some(name) = &self.name else { return Ok(BOARDS.iter().collect()) };
        let board = Board::named(name)
            .with_context(|| format!("no board `{name}`: see `cargo xtask board --list`"))?;
        Ok(vec![board])
    }

    fn nets(&self) -> Result<Vec<&'static Net>> {
        let Some(name) = &self.model else { return Ok(NETS.iter().collect()) };
        let net = NETS.iter().find(|net| net.name == name);
        Ok(vec![net.with_context(|| format!("no net `{name}`: see `cargo xtask board --list`"))?])
    }

    /// A net that cannot be made is a failure of the run, not its end.
    fn cases(&self, nets: &[&'static Net], failures: &mut Failures) -> Vec<Case> {
        let mut cases = Vec::new();
        for net in nets {
            match net.missing() {
                Ok(None) => {}
                Ok(Some(reason)) => {
                    eprintln!("skipped: {}: {reason}", net.name);
                    continue;
                }
                Err(error) => {
                    failures.note::<()>(net.name, Err(error));
                    continue;
                }
            }
            for dtype in [DType::I8, DType::F16, DType::F32] {
                if self.dtype.is_none_or(|only| only == dtype) {
                    cases.extend(failures.note(net.name, Case::prepare(net, dtype)));
                }
            }
        }
        cases
    }
}

fn list() -> String {
    let mut boards = Table::new(&["board", "core", "target"]);
    for board in BOARDS {
        boards.row([board.name, board.core, board.target].map(str::to_owned).to_vec());
    }
    let mut nets = Table::new(&["net", "cell", "input size", "hidden size"]);
    for net in NETS {
        nets.row(vec![
            net.name.into(),
            net.cell.into(),
            net.input_size.to_string(),
            net.hidden_size.to_string(),
        ]);
    }
    format!("{boards}\n{nets}")
}

/// One net on one board.
fn run_case(toolchain: &Toolchain, board: &Board, case: &Case, rustc: &str) -> Result<Row> {
    let (status, figures) = match image::build(toolchain, board, case)? {
        Built::DoesNotFit(reason) => (reason, None),
        Built::Images(images) => ("ok".to_owned(), Some(measure(board, case, &images)?)),
    };
    Ok(Row {
        board: board.name.into(),
        model: case.net.name.into(),
        dtype: case.dtype.name().into(),
        cell: case.net.cell.into(),
        input_size: case.net.input_size,
        hidden_size: case.net.hidden_size,
        status,
        figures,
        rustc: rustc.into(),
    })
}

fn measure(board: &Board, case: &Case, images: &Images) -> Result<Figures> {
    let folder = root().join("target/boards").join(board.name).join(case.label());
    fs::create_dir_all(&folder)?;
    for stale in ["outputs.bin", "figures.bin"] {
        let _ = fs::remove_file(folder.join(stale));
    }
    let limit = if case.dtype == DType::I8 { usize::MAX } else { board.float_steps };
    let exam = case.exam(limit, board.float)?;
    fs::write(folder.join("inputs.bin"), &exam.inputs)?;
    qemu::run(board, &images.check, &folder)?;

    let measured = Measured::read(&folder.join("figures.bin"))?;
    let outputs = fs::read(folder.join("outputs.bin")).context("the board left no outputs")?;
    ensure!(
        measured.steps as usize == exam.steps,
        "the board ran {} steps of {}",
        measured.steps,
        exam.steps
    );
    let flash = elf::net_of_harness(&images.size, &images.baseline, case.model.len() as u64)?;
    let difference = exam.difference(&outputs);
    if let Some(difference) = &difference {
        eprintln!("  {}: {difference}", board.name);
    }
    for symbol in &images.size.forbidden {
        eprintln!("  {}: the smallest image links {symbol}", board.name);
    }
    Ok(Figures {
        instructions_per_step: measured.instructions_per_step(board)?,
        equal: difference.is_none(),
        sequences: exam.sequences,
        steps: exam.steps,
        flash_code: flash.code,
        flash_tables: flash.tables,
        flash_model: flash.model,
        ram: measured.ram.into(),
        stack: measured.stack.into(),
        no_panic: images.size.forbidden.is_empty(),
    })
}

/// A row that is worth an error.
fn verdict(board: &Board, row: &Row) -> Result<()> {
    let Some(figures) = &row.figures else { return Ok(()) };
    if !figures.equal {
        bail!("the board's answers are not the PC's");
    }
    if board.no_panic && !figures.no_panic {
        bail!("the smallest image links a panic or an allocator");
    }
    Ok(())
}
