//! The conformance vectors, as the C program `replay.c` reads them.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;
use xtask::cmd::{Cmd, root};

/// What the program needs of an entry of `index.json`.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    model: String,
    inputs: String,
    /// Outputs with fused multiply-adds, which the PC and the board have.
    outputs: String,
    input_size: usize,
    whole_sequences: bool,
    sequences: Vec<usize>,
}

/// Makes the vectors and their list, and returns their folder.
pub fn prepare() -> Result<PathBuf> {
    Cmd::cargo().args(["run", "--quiet", "--package", "xtask-boards", "--", "vectors"]).run()?;
    let folder = root().join("target/conformance");
    let index = fs::read(folder.join("index.json")).context("target/conformance/index.json")?;
    let entries: Vec<Entry> = serde_json::from_slice(&index).context("target/conformance/index.json")?;
    let lines: Vec<String> = entries.iter().map(line).collect();
    fs::write(folder.join("list.txt"), lines.concat())?;
    Ok(folder)
}

fn line(entry: &Entry) -> String {
    let Entry { dtype, model, inputs, outputs, input_size, whole_sequences, sequences } = entry;
    let steps: Vec<String> = sequences.iter().map(|steps| format!(" {steps}")).collect();
    let (whole, count, steps) = (u8::from(*whole_sequences), sequences.len(), steps.concat());
    format!("{dtype} {model} {inputs} {outputs} {input_size} {whole} {count}{steps}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_fields_that_the_program_reads() {
        let entry = serde_json::json!({
            "dtype": "i8", "model": "a.ernn", "inputs": "a.inputs", "outputs": "a.outputs",
            "input_size": 3, "whole_sequences": true, "sequences": [7, 5]
        });
        let entry = serde_json::from_value(entry).unwrap();
        assert_eq!(line(&entry), "i8 a.ernn a.inputs a.outputs 3 1 2 7 5\n");
    }
}
