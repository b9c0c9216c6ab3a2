//! Results of a run: one JSON line per network and board, and the printed table.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use xtask::files;
use xtask::table::Table;

/// One network on one board.
#[derive(Clone, Serialize)]
pub struct Row {
    /// Name of the board.
    pub board: String,
    /// Name of the network.
    pub model: String,
    /// `i8`, `f16` or `f32`.
    pub dtype: String,
    /// Recurrent cell.
    pub cell: String,
    /// Values per time step.
    pub input_size: usize,
    /// Units of the recurrent layer.
    pub hidden_size: usize,
    /// `ok`, or `does not fit: ...` for a network that is too large for the board and has no figures.
    pub status: String,
    /// Figures of the run.
    #[serde(flatten)]
    pub figures: Option<Figures>,
    /// Version of the compiler that built the image.
    pub rustc: String,
}

/// Measured figures, in bytes and instructions.
#[derive(Clone, Serialize)]
pub struct Figures {
    /// Mean instructions over the counted steps.
    pub instructions_per_step: f64,
    /// The fewest and the most instructions of a counted step; `None` if whole sequences ran.
    pub range: Option<[f64; 2]>,
    /// `true` if every output of every step has the bits that the PC computed.
    pub equal: bool,
    /// Sequences that ran.
    pub sequences: usize,
    /// Time steps that ran and were compared.
    pub steps: usize,
    /// Instructions and small constants, without start-up.
    pub flash_code: u64,
    /// Lookup tables.
    pub flash_tables: u64,
    /// Model file.
    pub flash_model: u64,
    /// The model's memory and the values that borrow it: `ram_needed`, `Model` and `State`.
    pub ram: u64,
    /// Highest use of the stack in one step.
    pub stack: u64,
    /// `true` if the smallest image links no panic and no allocator.
    pub no_panic: bool,
}

/// Keys that identify a line: a newer line replaces an older one with the same values.
const IDENTITY: [&str; 3] = ["board", "model", "dtype"];

/// Replaces older lines by newer ones of the same identity and appends the others. A newer line without
/// figures, of a network that did not run, only removes the older one.
fn merge(older: Vec<Value>, newer: Vec<Value>) -> Vec<Value> {
    let mut merged = older;
    for line in newer {
        let place = merged.iter().position(|old| IDENTITY.iter().all(|key| old[key] == line[key]));
        match (place, line.get("equal").is_some()) {
            (Some(place), true) => merged[place] = line,
            (Some(place), false) => drop(merged.remove(place)),
            (None, true) => merged.push(line),
            (None, false) => {}
        }
    }
    merged
}

/// Merges `rows` into the file, one line for each that ran.
pub fn update(file: &Path, rows: &[Row]) -> Result<()> {
    let text = fs::read_to_string(file).unwrap_or_default();
    // Lines that are not JSON are dropped.
    let older = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let newer = rows.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
    let lines: String = merge(older, newer).iter().map(|line| format!("{line}\n")).collect();
    files::replace(file, lines.as_bytes())
}

const TITLES: [&str; 13] = [
    "board",
    "model",
    "dtype",
    "instr/step",
    "spread",
    "code",
    "tables",
    "model",
    "ram",
    "stack",
    "steps",
    "equal",
    "no panic",
];

/// Formats the rows as a table.
pub fn table(rows: &[Row]) -> String {
    let mut table = Table::new(&TITLES);
    for row in rows {
        let mut cells = vec![row.board.clone(), row.model.clone(), row.dtype.clone()];
        match &row.figures {
            None => cells.push(row.status.clone()),
            Some(f) => {
                cells.push(format!("{:.0}", f.instructions_per_step));
                cells.push(f.range.map_or("-".into(), |[least, most]| format!("{:.0}", most - least)));
                let bytes = [f.flash_code, f.flash_tables, f.flash_model, f.ram, f.stack];
                cells.extend(bytes.map(|n| n.to_string()));
                cells.push(f.steps.to_string());
                cells.extend([f.equal, f.no_panic].map(|yes| if yes { "yes" } else { "NO" }.to_owned()));
            }
        }
        table.row(cells);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(board: &str, dtype: &str, instructions: f64) -> Row {
        let figures = Figures {
            instructions_per_step: instructions,
            range: None,
            equal: true,
            sequences: 1,
            steps: 50,
            flash_code: 1,
            flash_tables: 2,
            flash_model: 3,
            ram: 4,
            stack: 5,
            no_panic: true,
        };
        Row {
            board: board.into(),
            model: "lstm-1x16".into(),
            dtype: dtype.into(),
            cell: "lstm".into(),
            input_size: 1,
            hidden_size: 16,
            status: "ok".into(),
            figures: Some(figures),
            rustc: "rustc 1".into(),
        }
    }

    fn json(row: Row) -> Value {
        serde_json::to_value(row).unwrap()
    }

    #[test]
    fn newer_lines_replace_older_ones_of_the_same_identity() {
        let old = [row("m4", "i8", 1.0), row("m4", "f32", 2.0)].map(json).to_vec();
        let merged = merge(old, [row("m0", "i8", 3.0), row("m4", "i8", 4.0)].map(json).to_vec());
        assert_eq!(merged, [row("m4", "i8", 4.0), row("m4", "f32", 2.0), row("m0", "i8", 3.0)].map(json));
    }

    #[test]
    fn a_line_has_the_agreed_keys() {
        let json = json(row("m4", "i8", 2804.5));
        for key in [
            "board",
            "model",
            "dtype",
            "cell",
            "input_size",
            "hidden_size",
            "instructions_per_step",
            "equal",
            "flash_code",
            "flash_tables",
            "flash_model",
            "ram",
            "stack",
        ] {
            assert!(json.get(key).is_some(), "{key} is missing in {json}");
        }
    }

    fn unfit() -> Row {
        Row { status: "does not fit: flash".into(), figures: None, ..row("m0", "i8", 0.0) }
    }

    #[test]
    fn a_network_that_no_longer_fits_keeps_no_old_figures() {
        let old = [row("m0", "i8", 1.0), row("m4", "i8", 2.0)].map(json).to_vec();
        assert_eq!(merge(old, vec![json(unfit())]), [json(row("m4", "i8", 2.0))]);
        assert_eq!(merge(Vec::new(), vec![json(unfit())]), Vec::<Value>::new());
    }

    #[test]
    fn the_file_is_merged_and_survives_broken_lines() {
        let dir = std::env::temp_dir().join(format!("xtask-results-{}", std::process::id()));
        let file = dir.join("deep/boards.jsonl");
        update(&file, &[row("m4", "i8", 1.0), unfit()]).unwrap();
        fs::write(&file, fs::read_to_string(&file).unwrap() + "{\"half a li").unwrap();
        update(&file, &[row("m4", "i8", 9.0)]).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines, [json(row("m4", "i8", 9.0))]);
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn the_table_shows_networks_that_do_not_fit() {
        let text = table(&[row("m4", "i8", 2804.4), unfit()]);
        assert!(text.contains("2804") && text.contains("does not fit: flash"), "{text}");
    }
}
