//! A summary for a terminal.

use std::fmt;

use super::{LayerSummary, Summary};

/// Names come from a file that may be anybody's, so what would move the cursor is escaped.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, producer) = (self.name.escape_debug(), self.producer.escape_debug());
        writeln!(f, "{name}: {}, made by {producer}", self.dtype)?;
        writeln!(f, "{}, {}", self.input(), self.output())?;
        if !self.labels.is_empty() {
            writeln!(f, "labels: {}", self.labels.join(", ").escape_debug())?;
        }
        writeln!(f)?;
        for line in self.table() {
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f, "\nparameters: {}\nflash: {} bytes", self.parameters, self.flash_bytes)?;
        match self.ram_bytes_per_step {
            0 => writeln!(f, "RAM: {} bytes", self.ram_bytes)?,
            step => {
                writeln!(f, "RAM: {} bytes, and {step} for every time step of a sequence", self.ram_bytes)?
            }
        }
        match self.decoder_macs_per_step() {
            0 => writeln!(f, "MACs per step: {}", self.macs_per_step)?,
            writing => {
                let reading = self.macs_per_step - writing;
                writeln!(f, "MACs per step: {reading} to read, {writing} to write")?;
            }
        }
        write!(f, "self-test: {}", self.self_test)
    }
}

impl Summary {
    fn input(&self) -> String {
        let one_call = if self.whole_sequences { ", a sequence a call" } else { "" };
        match self.input_ids {
            Some(ids) => format!("one of {ids} ids a step{one_call}"),
            None => format!("{} features a step{one_call}", self.input_size),
        }
    }

    fn output(&self) -> String {
        let outputs = self.output_size;
        match (self.encoder_decoder, self.returns_sequences) {
            (true, _) => format!("then writes classes of {outputs}"),
            (_, true) => format!("{outputs} outputs every step"),
            (_, false) => format!("{outputs} outputs after the last step"),
        }
    }

    /// Multiply-adds of a time step of the decoder; 0 if there is none.
    fn decoder_macs_per_step(&self) -> u64 {
        self.layers.iter().filter(|layer| layer.decoder).map(|layer| layer.macs_per_step).sum()
    }

    /// A head, and a line for each layer, without the columns that no layer has anything in.
    fn table(&self) -> impl Iterator<Item = String> {
        let rows: Vec<[String; 9]> = std::iter::once(HEAD.map(|(name, _)| name.to_owned()))
            .chain(self.layers.iter().map(cells))
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let filled = |column: &usize| rows[1..].iter().any(|row| !row[*column].is_empty());
        let columns: Vec<(usize, usize)> =
            (0..HEAD.len()).filter(filled).map(|column| (column, width(column))).collect();
        rows.into_iter().map(move |row| {
            let cell = |&(column, width): &(usize, usize)| match HEAD[column].1 {
                Align::Left => format!("{:<width$}", row[column]),
                Align::Right => format!("{:>width$}", row[column]),
            };
            columns.iter().map(cell).collect::<Vec<_>>().join("  ")
        })
    }
}

/// Where a cell stands in its column.
#[derive(Clone, Copy)]
enum Align {
    Left,
    Right,
}

/// The columns of the table of layers.
const HEAD: [(&str, Align); 9] = [
    ("layer", Align::Left),
    ("type", Align::Left),
    ("input", Align::Right),
    ("units", Align::Right),
    ("activation", Align::Left),
    ("parameters", Align::Right),
    ("MACs/step", Align::Right),
    ("options", Align::Left),
    ("origin", Align::Left),
];

/// A row of it.
fn cells(layer: &LayerSummary) -> [String; 9] {
    [
        layer.name.escape_debug().to_string(),
        layer.kind.to_owned(),
        layer.input_size.to_string(),
        layer.units.to_string(),
        layer.activation.unwrap_or("").to_owned(),
        layer.parameters.to_string(),
        layer.macs_per_step.to_string(),
        layer.options(),
        layer.origin.escape_debug().to_string(),
    ]
}
