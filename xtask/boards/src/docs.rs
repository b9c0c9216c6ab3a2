//! The tables of the documents, made from the record.
//!
//! A table lies between two comments, `<!-- figures: NAME -->` and `<!-- end of figures -->`.

use std::fs;

use anyhow::{Context, Result, bail};
use xtask::boards::BOARDS;
use xtask::cmd::root;
use xtask::files;

use crate::nets::NETS;
use crate::record::{self, Recorded};

/// The documents with tables.
const FILES: [&str; 2] = ["docs/boards.md", "docs/measurements.md"];
const BEGIN: &str = "<!-- figures: ";
const END: &str = "<!-- end of figures -->";
/// The boards that run every network, with their columns.
const MAIN: [(&str, &str); 3] =
    [("cortex-m4", "Cortex-M4F"), ("cortex-m0", "Cortex-M0"), ("riscv32imc", "RV32IMC")];
/// The other boards, with their columns.
const OTHERS: [(&str, &str); 6] = [
    ("cortex-m3", "Cortex-M3"),
    ("cortex-m7", "Cortex-M7F"),
    ("cortex-m33", "Cortex-M33F"),
    ("cortex-m55", "Cortex-M55"),
    ("riscv32imafc", "RV32IMAFC"),
    ("aarch64", "AArch64"),
];
/// The networks of published comparisons, and the instructions of CMSIS-NN's best builds on a Cortex-M4F.
const COMPARED: [&str; 5] = ["lstm-1x16", "lstm-10x32", "lstm-40x64", "lstm-1x50", "lstm-40x128"];
const CMSIS_NN: [(&str, [u64; 5]); 2] = [
    ("CMSIS-NN s8", [11_265, 27_738, 82_653, 45_621, 225_241]),
    ("CMSIS-NN f32", [11_619, 39_174, 157_616, 70_154, 478_999]),
];

/// Writes the tables of all documents anew.
pub fn write() -> Result<()> {
    let record = record::read()?;
    for file in FILES {
        let path = root().join(file);
        let text = fs::read_to_string(&path).with_context(|| file.to_owned())?;
        let new = with_tables(&text, &record).with_context(|| file.to_owned())?;
        if new != text {
            files::replace(&path, new.as_bytes())?;
        }
    }
    Ok(())
}

/// Returns a document with its tables replaced.
fn with_tables(text: &str, record: &[Recorded]) -> Result<String> {
    let (mut done, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (name, after) = after.split_once(" -->\n").context("a name without an end")?;
        let (_, after) = after.split_once(END).with_context(|| format!("{name} has no end"))?;
        done += &format!("{before}{BEGIN}{name} -->\n\n{}\n{END}", table(name, record)?);
        rest = after;
    }
    Ok(done + rest)
}

fn table(name: &str, record: &[Recorded]) -> Result<String> {
    Ok(match name {
        "i8" | "f32" | "f16" => of_dtype(name, record),
        "other cores" => other_cores(record),
        "smallest images" => smallest_images(record),
        "CMSIS-NN" => compared(record),
        _ => bail!("no table `{name}`"),
    })
}

fn find<'r>(record: &'r [Recorded], (board, network, dtype): (&str, &str, &str)) -> Option<&'r Recorded> {
    record.iter().find(|row| (&*row.board, &*row.network, &*row.dtype) == (board, network, dtype))
}

/// Formats a number with commas.
fn number(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|g| str::from_utf8(g).unwrap_or("")).collect();
    groups.join(",")
}

/// Formats a table whose first `text_columns` are text.
fn markdown(titles: &[&str], text_columns: usize, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rule = (0..titles.len()).map(|column| if column < text_columns { "---|" } else { "---:|" });
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let titles: Vec<String> = titles.iter().map(|&title| title.to_owned()).collect();
    let rows: String = rows.into_iter().map(|row| line(&row)).collect();
    format!("{}|{}\n{rows}", line(&titles), rule.collect::<String>())
}

/// Instructions on the main boards, and the bytes of a network on a Cortex-M4F.
fn of_dtype(dtype: &str, record: &[Recorded]) -> String {
    let rows = NETS.iter().filter_map(|net| {
        let on = |board| find(record, (board, net.name, dtype));
        let m4 = on("cortex-m4")?;
        let steps =
            MAIN.map(|(board, _)| on(board).map_or("too large".into(), |row| number(row.instructions)));
        let bytes = [m4.code, m4.model, m4.ram, m4.stack].map(number);
        Some([vec![format!("`{}`", net.name)], steps.to_vec(), bytes.to_vec()].concat())
    });
    let titles = ["network", MAIN[0].1, MAIN[1].1, MAIN[2].1, "code", "model", "RAM", "stack"];
    markdown(&titles, 1, rows)
}

/// Instructions of one network of each cell and layer on the other boards.
fn other_cores(record: &[Recorded]) -> String {
    let rows = ["i8", "f32", "f16"].into_iter().flat_map(|dtype| {
        NETS.iter().filter_map(move |net| {
            let steps =
                OTHERS.map(|(board, _)| find(record, (board, net.name, dtype)).map(|row| row.instructions));
            let steps: Option<Vec<String>> = steps.into_iter().map(|n| n.map(number)).collect();
            Some([vec![format!("`{}`", net.name), dtype.to_owned()], steps?].concat())
        })
    });
    let titles: Vec<&str> = ["network", "dtype"].into_iter().chain(OTHERS.map(|(_, title)| title)).collect();
    markdown(&titles, 2, rows)
}

/// All bytes of a cell with a softmax on every core.
fn smallest_images(record: &[Recorded]) -> String {
    let rows = ["lstm-dense-10x32", "gru-dense-10x32"].into_iter().flat_map(|network| {
        BOARDS.iter().filter_map(move |board| {
            let row = find(record, (board.name, network, "i8"))?;
            let figures = [
                row.code,
                row.tables,
                row.code + row.tables,
                row.ram,
                row.stack,
                row.instructions,
                row.spread,
            ];
            let core = board.core.split_once(':').map_or(board.core, |(core, _)| core);
            let text = vec![format!("`{network}`"), core.to_owned()];
            Some([text, figures.map(number).to_vec()].concat())
        })
    });
    let titles =
        ["network", "core", "code", "tables", "code and tables", "RAM", "stack", "instructions", "spread"];
    markdown(&titles, 2, rows)
}

/// Instructions beside those of CMSIS-NN.
fn compared(record: &[Recorded]) -> String {
    let ours = ["i8", "f32"].map(|dtype| {
        let steps =
            COMPARED.map(|net| find(record, ("cortex-m4", net, dtype)).map_or(0, |row| row.instructions));
        (dtype, steps)
    });
    let row = |(name, steps): (&str, [u64; 5])| [vec![name.to_owned()], steps.map(number).to_vec()].concat();
    let titles = ["inputs, units", "1, 16", "10, 32", "40, 64", "1, 50", "40, 128"];
    markdown(&titles, 1, ours.into_iter().chain(CMSIS_NN).map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn the_documents_have_the_figures_of_the_record() {
        let record = record::read().unwrap();
        for file in FILES {
            let text = fs::read_to_string(root().join(file)).unwrap();
            assert!(text.contains(BEGIN), "{file}");
            assert!(with_tables(&text, &record).unwrap() == text, "{file}: `cargo xtask board ... --record`");
        }
        let steps = |dtype, net| number(find(&record, ("cortex-m4", net, dtype)).unwrap().instructions);
        for (file, figures) in [
            ("README.md", vec![steps("i8", "lstm-10x32")]),
            ("docs/measurements.md", vec![steps("i8", "gru-10x32"), steps("f32", "gru-10x32")]),
        ] {
            let text = fs::read_to_string(root().join(file)).unwrap();
            for figure in figures {
                assert!(text.contains(&figure), "{file} does not have {figure}");
            }
        }
    }

    #[test]
    fn an_unknown_or_unfinished_table_is_an_error() {
        assert!(with_tables("<!-- figures: i9 -->\n<!-- end of figures -->", &[]).is_err());
        assert!(with_tables("<!-- figures: i8 -->\n", &[]).is_err());
    }
}
