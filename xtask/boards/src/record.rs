//! The recorded figures, `benches/results/boards.tsv`: what CI compares a run with, and what the tables of
//! the documents are made from.

use std::fs;

use anyhow::{Context, Result, ensure};
use xtask::boards::BOARDS;
use xtask::cmd::root;
use xtask::files;

use crate::nets::NETS;
use crate::results::Row;

/// The file, relative to the root.
pub const FILE: &str = "benches/results/boards.tsv";
const TITLES: &str = "board\tnetwork\tdtype\tinstructions\tspread\tcode\ttables\tmodel\tram\tstack\trustc";
/// The largest growth of instructions per step, in thousandths: they repeat exactly.
const MAX_INSTRUCTIONS: u64 = 5;
/// The largest growth of bytes of code, tables, RAM and stack, in thousandths.
const MAX_BYTES: u64 = 20;

/// The figures of one network on one board.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Name of the board.
    pub board: String,
    /// Name of the network.
    pub network: String,
    /// `i8`, `f16` or `f32`.
    pub dtype: String,
    /// Mean instructions per time step.
    pub instructions: u64,
    /// The most instructions of a time step minus the fewest; 0 if whole sequences ran.
    pub spread: u64,
    /// Bytes of instructions and small constants.
    pub code: u64,
    /// Bytes of lookup tables.
    pub tables: u64,
    /// Bytes of the model file.
    pub model: u64,
    /// Bytes of memory for the state.
    pub ram: u64,
    /// Bytes of the stack.
    pub stack: u64,
    /// Version of the compiler.
    pub rustc: String,
}

impl Recorded {
    /// Takes the figures of a row that ran.
    pub fn of(row: &Row) -> Option<Self> {
        let figures = row.figures.as_ref()?;
        Some(Self {
            board: row.board.clone(),
            network: row.model.clone(),
            dtype: row.dtype.clone(),
            instructions: figures.instructions_per_step.round() as u64,
            spread: figures.range.map_or(0, |[least, most]| (most - least).round() as u64),
            code: figures.flash_code,
            tables: figures.flash_tables,
            model: figures.flash_model,
            ram: figures.ram,
            stack: figures.stack,
            rustc: row.rustc.clone(),
        })
    }

    fn is_same_case(&self, other: &Self) -> bool {
        (&self.board, &self.network, &self.dtype) == (&other.board, &other.network, &other.dtype)
    }

    fn line(&self) -> String {
        let bytes = [self.code, self.tables, self.model, self.ram, self.stack];
        let figures = [[self.instructions, self.spread].as_slice(), &bytes].concat();
        let figures: Vec<String> = figures.iter().map(u64::to_string).collect();
        let figures = figures.join("\t");
        [&self.board, &self.network, &self.dtype, &figures, &self.rustc].map(String::as_str).join("\t")
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        let mut text = || fields.next().map(str::to_owned);
        let (board, network, dtype) = (text()?, text()?, text()?);
        let mut number = || text()?.parse().ok();
        let (instructions, spread) = (number()?, number()?);
        let (code, tables) = (number()?, number()?);
        let (model, ram, stack) = (number()?, number()?, number()?);
        let rustc = text()?;
        Some(Self { board, network, dtype, instructions, spread, code, tables, model, ram, stack, rustc })
    }

    /// Returns what has grown too much since `before`.
    fn growth(&self, before: &Self) -> Vec<String> {
        let figures = [
            ("instructions per step", before.instructions, self.instructions, MAX_INSTRUCTIONS),
            ("code and tables", before.code + before.tables, self.code + self.tables, MAX_BYTES),
            ("RAM", before.ram, self.ram, MAX_BYTES),
            ("stack", before.stack, self.stack, MAX_BYTES),
        ];
        let grown = figures.into_iter().filter(|(_, old, new, most)| new * 1000 > old * (1000 + most));
        grown.map(|(name, old, new, _)| format!("{name}: {old} -> {new}")).collect()
    }
}

/// Reads the record.
pub fn read() -> Result<Vec<Recorded>> {
    let text = fs::read_to_string(root().join(FILE)).with_context(|| FILE.to_owned())?;
    parse(&text)
}

fn parse(text: &str) -> Result<Vec<Recorded>> {
    let mut lines = text.lines();
    ensure!(lines.next() == Some(TITLES), "{FILE}: the first line is not `{TITLES}`");
    let line = |(at, line)| Recorded::parse(line).with_context(|| format!("{FILE}:{}: no row", at + 2));
    lines.enumerate().map(line).collect()
}

/// Replaces and adds the rows that ran, in the order of the tables of boards and networks.
pub fn write(rows: &[Row]) -> Result<()> {
    let new: Vec<Recorded> = rows.iter().filter_map(Recorded::of).collect();
    let mut all = read().unwrap_or_default();
    all.retain(|old| !new.iter().any(|new| new.is_same_case(old)));
    all.extend(new);
    all.sort_by_key(|row| {
        let board = BOARDS.iter().position(|board| board.name == row.board);
        let net = NETS.iter().position(|net| net.name == row.network);
        (board, net, row.dtype.clone())
    });
    let lines: String = all.iter().map(|row| row.line() + "\n").collect();
    files::replace(&root().join(FILE), format!("{TITLES}\n{lines}").as_bytes())
}

/// Compares a row with the record. Returns an error if a figure has grown too much, and `false` if the record
/// does not have it, or has it of another compiler.
///
/// A network that was trained here is not compared: other cores may train other weights.
pub fn check(record: &[Recorded], row: &Row) -> Result<bool> {
    let Some(new) = Recorded::of(row) else { return Ok(false) };
    let is_fixed = NETS.iter().any(|net| net.name == new.network && net.has_random_weights());
    let before = record.iter().find(|old| old.is_same_case(&new) && old.rustc == new.rustc && is_fixed);
    let Some(before) = before else { return Ok(false) };
    let growth = new.growth(before);
    ensure!(growth.is_empty(), "grew over {FILE} ({}); `--record` accepts it", growth.join("; "));
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(instructions: u64, stack: u64) -> Recorded {
        Recorded {
            board: "cortex-m4".into(),
            network: "lstm-1x16".into(),
            dtype: "i8".into(),
            instructions,
            spread: 0,
            code: 4_000,
            tables: 2_048,
            model: 1,
            ram: 264,
            stack,
            rustc: "rustc 1".into(),
        }
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let found = row(2_670, 360);
        assert_eq!(parse(&format!("{TITLES}\n{}\n", found.line())).unwrap(), [found]);
        assert!(parse("board\n").is_err());
        assert!(format!("{:#}", parse(&format!("{TITLES}\nm4\ti8\n")).unwrap_err()).contains(":2:"));
    }

    #[test]
    fn growth_is_found_above_the_limits_only() {
        let before = row(10_000, 400);
        assert!(row(10_050, 408).growth(&before).is_empty());
        assert!(row(9_000, 100).growth(&before).is_empty());
        assert_eq!(row(10_051, 400).growth(&before), ["instructions per step: 10000 -> 10051"]);
        assert_eq!(row(10_000, 409).growth(&before), ["stack: 400 -> 409"]);
    }

    #[test]
    fn the_record_has_every_board() {
        let record = read().unwrap();
        for board in BOARDS {
            assert!(record.iter().any(|row| row.board == board.name), "{} is missing", board.name);
        }
    }
}
