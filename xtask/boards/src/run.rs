//! The command `cargo xtask board`.

use std::fs;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};
use xtask::args::{BoardArgs, DType};
use xtask::boards::{BOARDS, Board};
use xtask::cmd::{Failures, root};
use xtask::cross::{self, ThisMachine, Toolchain};
use xtask::table::Table;

use crate::image::{self, Built, Images, Measured};
use crate::nets::{Case, NETS, Net};
use crate::results::{self, Figures, Row};
use crate::{docs, elf, qemu, record};

/// Runs the command.
pub fn run(args: &BoardArgs) -> Result<()> {
    if args.list {
        print!("{}", list());
        return Ok(());
    }
    let (boards, nets) = (boards(args)?, nets(args)?);
    let every_board = args.name.is_none();
    let targets: Vec<&str> = boards.iter().map(|board| board.target).collect();
    let toolchain = cross::decide(&ThisMachine::look()?, &targets, args.cross)?;
    let rustc = toolchain.rustc_version();
    eprintln!("board: {} ({rustc})", toolchain.describe());

    let record = record::read().unwrap_or_default();
    let (mut failures, mut compared) = (Failures::default(), 0);
    let mut rows = Vec::new();
    let cases = cases(&nets, args.dtype, &mut failures);
    let results = each_in_parallel(&boards, |board| {
        let selected = cases.iter().filter(|case| !every_board || case.net.is_selected_by(board.selection));
        let named = selected.map(|case| (case.label(), run_case(&toolchain, board, case, &rustc)));
        named.collect::<Vec<_>>()
    });
    for (board, results) in boards.iter().zip(results) {
        for (case, row) in results {
            let name = format!("{} {case}", board.name);
            if let Some(row) = failures.note(&name, row) {
                failures.note(&name, verdict(board, &row));
                if !args.record {
                    let is_compared = failures.note(&name, record::check(&record, &row)).unwrap_or(true);
                    compared += usize::from(is_compared);
                }
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
    if args.record {
        record::write(&rows)?;
        docs::write()?;
    } else {
        println!("{compared} of {} rows compared with {}", rows.len(), record::FILE);
    }
    failures.finish()
}

/// Computes a result for each board, in the order of the boards, on all cores of this machine: a build of an
/// image takes one core most of the time.
pub fn each_in_parallel<R: Send>(boards: &[&'static Board], work: impl Fn(&Board) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        while let index = next.fetch_add(1, Relaxed)
            && let Some(board) = boards.get(index)
        {
            done.push((index, work(board)));
        }
        done
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(boards.len());
    let mut all: Vec<(usize, R)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, result)| result).collect()
}

fn boards(args: &BoardArgs) -> Result<Vec<&'static Board>> {
    let Some(name) = &args.name else { return Ok(BOARDS.iter().collect()) };
    let board =
        Board::named(name).with_context(|| format!("no board `{name}`: see `cargo xtask board --list`"))?;
    Ok(vec![board])
}

fn nets(args: &BoardArgs) -> Result<Vec<&'static Net>> {
    let Some(name) = &args.model else { return Ok(NETS.iter().collect()) };
    let net = NETS.iter().find(|net| net.name == name);
    Ok(vec![net.with_context(|| format!("no network `{name}`: see `cargo xtask board --list`"))?])
}

/// Prepares the networks. One that cannot be made fails the run at its end and does not stop it.
fn cases(nets: &[&'static Net], dtype: Option<DType>, failures: &mut Failures) -> Vec<Case> {
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
        for each in DType::ALL.into_iter().filter(|each| dtype.is_none_or(|only| only == *each)) {
            cases.extend(failures.note(net.name, Case::prepare(net, each)));
        }
    }
    cases
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

/// Builds and runs one network on one board.
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
    let conformance = case.conformance(limit, board.float)?;
    fs::write(folder.join("inputs.bin"), &conformance.inputs)?;
    qemu::run(board, &images.check, &folder)?;

    let measured = Measured::read(&folder.join("figures.bin"))?;
    let outputs = fs::read(folder.join("outputs.bin")).context("the board wrote no outputs")?;
    let (ran, expected) = (measured.steps as usize, conformance.steps);
    ensure!(ran == expected, "the board ran {ran} steps of {expected}");
    let flash = elf::without_harness(&images.size, &images.baseline, case.model.len() as u64)?;
    let difference = conformance.difference(&outputs);
    if let Some(difference) = &difference {
        eprintln!("  {}: {difference}", board.name);
    }
    for symbol in &images.size.forbidden {
        eprintln!("  {}: the smallest image links {symbol}", board.name);
    }
    Ok(Figures {
        instructions_per_step: measured.instructions_per_step(board)?,
        range: measured.range(board),
        equal: difference.is_none(),
        sequences: conformance.sequences,
        steps: conformance.steps,
        flash_code: flash.code,
        flash_tables: flash.tables,
        flash_model: flash.model,
        ram: measured.ram.into(),
        stack: measured.stack.into(),
        no_panic: images.size.forbidden.is_empty(),
    })
}

/// Returns an error for a row that fails the run.
fn verdict(board: &Board, row: &Row) -> Result<()> {
    let Some(figures) = &row.figures else { return Ok(()) };
    if !figures.equal {
        bail!("the board's outputs differ from the PC's");
    }
    if board.no_panic && !figures.no_panic {
        bail!("the smallest image links a panic or an allocator");
    }
    Ok(())
}
