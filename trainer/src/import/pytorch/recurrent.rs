//! LSTM, GRU and RNN, in layers one upon another and in both directions, and their cells.
//!
//! `weight_ih_l0 [gates * H x I]`, `weight_hh_l0 [gates * H x H]`, `bias_ih_l0`, `bias_hh_l0 [gates * H]`; the same with
//! `_l1` and so on, with `_reverse` after that, and of a cell without either. Gate orders: i f g o; r z n, reset after.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};

use super::modules::{Form, Group, NamedLayer, Takes};
use super::options::Options;
use crate::cells::AnyCell;
use crate::import::cells::{CellKind, CellWeights, Framework, cell};
use crate::layers::{Bidirectional, Kind, MergeMode, Recurrent};
use crate::pack::form::Activations;

const STEMS: [&str; 4] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];
/// A projection of an LSTM's h (`proj_size`).
const PROJECTION: &str = "weight_hr";

/// Whether a tensor whose name ends so is of one of these.
pub fn is_of_one(leaf: &str) -> bool {
    STEMS.iter().any(|stem| leaf.starts_with(stem)) || leaf.starts_with(PROJECTION)
}

/// What is known of a module when its first matrix has been seen, and holds for all.
struct Shape {
    kind: CellKind,
    hidden: usize,
}

/// A module's layers, all of which give sequences.
///
/// # Errors
/// What is missing, or does not fit, by the name of the tensor.
pub fn read(group: &mut Group, options: &Options, path: &str) -> Result<Form> {
    if let Some(leaf) = group.leaves().find(|leaf| leaf.starts_with(PROJECTION)) {
        bail!("{}: an LSTM with a projection (proj_size)", group.full(leaf));
    }
    let suffixes = suffixes(group)?;
    let shape = shape(group, &suffixes[0])?;
    let what = pytorch_name(shape.kind);
    let own_name = if path.is_empty() { what.to_lowercase() } else { path.to_owned() };
    let reverse = group.leaves().any(|leaf| leaf.ends_with("_reverse"));
    let mut layers = Vec::with_capacity(suffixes.len());
    let mut inputs = None;
    for suffix in &suffixes {
        let forward = direction(group, &shape, suffix, &mut inputs, options)?;
        let mut gives = shape.hidden;
        let kind = if reverse {
            let backward = direction(group, &shape, &format!("{suffix}_reverse"), &mut inputs, options)?;
            let backward = Recurrent { go_backwards: true, ..backward };
            gives *= 2;
            Kind::Bidirectional(Bidirectional { forward, backward, merge_mode: MergeMode::Concat })
        } else {
            Kind::Recurrent(forward)
        };
        let (name, part) = match suffixes.len() {
            1 => (own_name.clone(), String::new()),
            _ => (format!("{own_name}{suffix}"), format!(", layer {}", layers.len())),
        };
        layers.push((NamedLayer { name, origin: origin(what, path, suffix, &part), kind }, inputs));
        inputs = Some(gives);
    }
    let takes = Takes::Features(layers[0].1.unwrap_or_default());
    let layers = layers.into_iter().map(|(layer, _)| layer).collect();
    Ok(Form { what, takes, gives: inputs.unwrap_or_default(), layers })
}

fn origin(what: &str, path: &str, suffix: &str, part: &str) -> String {
    let cell = if suffix.is_empty() { "Cell" } else { "" };
    let module = format!("PyTorch {what}{cell} {path}");
    format!("{}{part}", module.trim_end())
}

/// What a cell is called: the module that has layers of it.
fn pytorch_name(kind: CellKind) -> &'static str {
    match kind {
        CellKind::SimpleRnn => "RNN",
        CellKind::Lstm => "LSTM",
        CellKind::Gru { .. } => "GRU",
    }
}

/// What the names of the layers end with, first to last: one that is empty for a cell, or `_l0`, `_l1` and so on.
fn suffixes(group: &Group) -> Result<Vec<String>> {
    let mut levels = BTreeSet::new();
    for leaf in group.leaves() {
        let level = STEMS.iter().find_map(|stem| level(leaf.strip_prefix(stem)?));
        levels
            .insert(level.with_context(|| format!("{}: no tensor of a recurrent module", group.full(leaf)))?);
    }
    if levels.len() == 1 && levels.contains(&None) {
        return Ok(vec![String::new()]);
    }
    let mut suffixes = Vec::new();
    for (number, level) in levels.into_iter().enumerate() {
        let suffix = format!("_l{number}");
        ensure!(level == Some(number), "{}: missing", group.full(&format!("weight_ih{suffix}")));
        suffixes.push(suffix);
    }
    Ok(suffixes)
}

/// The number of the layer in the rest of a name; none for a cell.
fn level(rest: &str) -> Option<Option<usize>> {
    if rest.is_empty() {
        return Some(None);
    }
    let digits = rest.strip_suffix("_reverse").unwrap_or(rest).strip_prefix("_l")?;
    let number = digits.parse::<usize>().ok()?;
    // Not `+1` and not `01`.
    (number.to_string() == digits).then_some(Some(number))
}

/// From the first `weight_hh`.
fn shape(group: &Group, suffix: &str) -> Result<Shape> {
    let leaf = format!("weight_hh{suffix}");
    let place = group.full(&leaf);
    let &[rows, hidden] = group.shape(&leaf)? else { bail!("{place}: a matrix has two axes") };
    let kind = [CellKind::SimpleRnn, CellKind::Gru { reset_after: true }, CellKind::Lstm]
        .into_iter()
        .find(|kind| hidden.checked_mul(kind.gates()) == Some(rows));
    let kind = kind.with_context(|| {
        format!("{place}: {rows} rows of {hidden}: LSTM has 4 times as many, GRU 3 times, RNN as many")
    })?;
    Ok(Shape { kind, hidden })
}

/// One direction of one layer over so many features; the first says how many.
fn direction(
    group: &mut Group,
    shape: &Shape,
    suffix: &str,
    inputs: &mut Option<usize>,
    options: &Options,
) -> Result<Recurrent<f32>> {
    let rows = shape.kind.gates() * shape.hidden;
    let [ih, hh, bias_ih, bias_hh] = STEMS.map(|stem| format!("{stem}{suffix}"));
    let (w_ih, w_hh) = (group.matrix(&ih)?, group.matrix(&hh)?);
    let columns = *inputs.get_or_insert(w_ih.ncols());
    for (leaf, matrix, columns) in [(&ih, &w_ih, columns), (&hh, &w_hh, shape.hidden)] {
        let expected = format!("{} gates of {} units", shape.kind.gates(), shape.hidden);
        ensure!(
            matrix.shape() == (rows, columns),
            "{}: shape [{}, {}], expected [{rows}, {columns}]: {expected}",
            group.full(leaf),
            matrix.nrows(),
            matrix.ncols()
        );
    }
    let (bias, recurrent_bias) = (group.column(&bias_ih, rows)?, group.column(&bias_hh, rows)?);
    if bias.is_some() != recurrent_bias.is_some() {
        let missing = if bias.is_some() { &bias_hh } else { &bias_ih };
        bail!("{}: missing", group.full(missing));
    }
    let activations = match shape.kind {
        CellKind::SimpleRnn => Activations { value: options.rnn_activation(), ..Activations::default() },
        _ => Activations::default(),
    };
    let weights = CellWeights { w_ih, w_hh, bias, recurrent_bias };
    let cell: AnyCell<f32> = cell(shape.kind, Framework::PyTorch, weights, activations)?;
    Ok(Recurrent::new(cell, true))
}
