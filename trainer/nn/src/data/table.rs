//! Windows in a `.csv` file: a row per time step, the rows of a sequence one after another.
//!
//! The column `sequence` tells sequences apart; `part` (train, val, test) assigns them, `label` has classes
//! or `target`, `target_1`, ... values, `group` has the groups, `step` is for readers, and all other columns
//! are features.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use csv::{ReaderBuilder, StringRecord, Trim};

use super::npy::{Array, Values, open};
use super::series::fault;
use super::source::{Content, Texts};
use super::ts::number;

/// The parts by their names in the column `part`.
const PARTS: [(&str, &str); 4] =
    [("train", "_train"), ("val", "_val"), ("validation", "_val"), ("test", "_test")];

/// The places of the columns.
struct Columns {
    sequence: usize,
    part: Option<usize>,
    label: Option<usize>,
    group: Option<usize>,
    targets: Vec<usize>,
    features: Vec<usize>,
}

/// The rows of a part.
#[derive(Default)]
struct Rows {
    suffix: &'static str,
    frames: Vec<f32>,
    lengths: Vec<i64>,
    labels: Vec<String>,
    targets: Vec<f32>,
    /// The group of each sequence, that of its first row.
    groups: Vec<String>,
}

/// Reads a file without trust in its content.
pub(super) fn read(path: &Path) -> Result<Content> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(open(path)?);
    let head = reader.headers().map_err(|error| fault(&error).context("line 1"))?;
    let columns = Columns::new(head).context("line 1")?;
    let mut parts: Vec<Rows> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut before: Option<(String, usize)> = None;
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            fault(&error).context(format!("line {line}"))
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let add = || -> Result<(String, usize)> {
            let suffix = columns.part(&record)?;
            let number = parts.iter().position(|rows| rows.suffix == suffix).unwrap_or_else(|| {
                parts.push(Rows { suffix, ..Rows::default() });
                parts.len() - 1
            });
            let key = (record[columns.sequence].to_owned(), number);
            let is_new = before.as_ref() != Some(&key);
            let unseen = !is_new || seen.insert(key.clone());
            ensure!(unseen, "sequence {} continues after another one: its rows must stand together", key.0);
            parts[number].push(&record, &columns, is_new)?;
            Ok(key)
        };
        before = Some(add_at(add, line)?);
    }
    ensure!(!parts.is_empty(), "no rows");
    let mut content = Content::default();
    parts.into_iter().for_each(|rows| rows.put(&mut content, &columns));
    Ok(content)
}

fn add_at<T>(add: impl FnOnce() -> Result<T>, line: u64) -> Result<T> {
    add().with_context(|| format!("line {line}"))
}

impl Columns {
    fn new(head: &StringRecord) -> Result<Self> {
        for (k, name) in head.iter().enumerate() {
            let twice = head.iter().take(k).any(|other| other == name);
            ensure!(!twice, "the column {name:?} stands twice");
        }
        let column = |name: &str| head.iter().position(|other| other.eq_ignore_ascii_case(name));
        let Some(sequence) = column("sequence") else {
            ensure!(
                column("date").is_none(),
                "a series with a column `date` needs data.split_date and data.window"
            );
            bail!("no column `sequence`")
        };
        let (part, step, label) = (column("part"), column("step"), column("label"));
        let group = column("group");
        let is_target = |k: &usize| head[*k] == *"target" || head[*k].starts_with("target_");
        let targets: Vec<usize> = (0..head.len()).filter(is_target).collect();
        ensure!(
            label.is_some() || !targets.is_empty(),
            "no column `label` with classes and no `target` with values"
        );
        ensure!(label.is_none() || targets.is_empty(), "both a column `label` and a column `target`");
        let known = [Some(sequence), part, step, label, group];
        let features: Vec<usize> =
            (0..head.len()).filter(|k| !known.contains(&Some(*k)) && !targets.contains(k)).collect();
        ensure!(!features.is_empty(), "no columns of features");
        Ok(Self { sequence, part, label, group, targets, features })
    }

    /// Returns the suffix of the part of a row.
    fn part(&self, record: &StringRecord) -> Result<&'static str> {
        let Some(part) = self.part.map(|column| &record[column]) else { return Ok("") };
        let found = PARTS.iter().find(|(name, _)| *name == part);
        found.map(|(_, suffix)| *suffix).with_context(|| format!("part {part:?} is not train, val or test"))
    }
}

impl Rows {
    fn push(&mut self, record: &StringRecord, columns: &Columns, is_new: bool) -> Result<()> {
        for &column in &columns.features {
            self.frames.push(number(&record[column])?);
        }
        for &column in &columns.targets {
            self.targets.push(number(&record[column])?);
        }
        self.labels.extend(columns.label.map(|column| record[column].to_owned()));
        if is_new {
            self.lengths.push(0);
            self.groups.extend(columns.group.map(|column| record[column].to_owned()));
        }
        *self.lengths.last_mut().context("no sequence")? += 1;
        Ok(())
    }

    /// Returns every `width` values of the first row of each sequence, if all its rows have the same.
    fn once<T: PartialEq + Clone>(&self, values: &[T], width: usize) -> Option<Vec<T>> {
        let mut rows = values.chunks_exact(width);
        let mut first = Vec::new();
        for &length in &self.lengths {
            let own: Vec<&[T]> = rows.by_ref().take(length as usize).collect();
            if own.iter().any(|row| row != &own[0]) {
                return None;
            }
            first.extend_from_slice(own[0]);
        }
        Some(first)
    }

    /// Adds the arrays of the part. Targets that differ within a sequence are one per step.
    fn put(self, content: &mut Content, columns: &Columns) {
        let y = format!("y{}", self.suffix);
        if columns.label.is_some() {
            let labels = self.once(&self.labels, 1).unwrap_or_else(|| self.labels.clone());
            let numbers: Result<Vec<i64>, _> = labels.iter().map(|label| label.parse()).collect();
            let shape = vec![labels.len()];
            match numbers {
                Ok(numbers) => {
                    drop(content.arrays.insert(y, Array { shape, values: Values::Integers(numbers) }))
                }
                Err(_) => drop(content.texts.insert(y, Texts { shape, values: labels })),
            }
        } else {
            let width = columns.targets.len();
            let values = self.once(&self.targets, width).unwrap_or_else(|| self.targets.clone());
            let shape = vec![values.len() / width, width];
            content.arrays.insert(y, Array { shape, values: Values::Floats(values) });
        }
        if columns.group.is_some() {
            let names: Vec<&String> = self.groups.iter().collect::<BTreeSet<_>>().into_iter().collect();
            let number = |group: &String| names.partition_point(|name| *name < group) as i64;
            let groups: Vec<i64> = self.groups.iter().map(number).collect();
            let array = Array { shape: vec![groups.len()], values: Values::Integers(groups) };
            content.arrays.insert(format!("groups{}", self.suffix), array);
        }
        content.add(self.suffix, self.frames, columns.features.len(), self.lengths);
    }
}
