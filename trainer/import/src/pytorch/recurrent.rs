//! LSTM, GRU and RNN with stacked layers and both directions, and their cells.
//!
//! The tensors of a layer are `weight_ih_l0 [gates * H x I]`, `weight_hh_l0 [gates * H x H]`, `bias_ih_l0`
//! and `bias_hh_l0 [gates * H]`, where H is the hidden size and I the input size. Further layers have the
//! suffixes `_l1`, `_l2`.., the backward direction has `_reverse` after it, and a cell has no suffix. Gate
//! orders: LSTM i f g o; GRU r z n, reset after.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};

use super::group::TensorGroup;
use super::module::{Candidate, InputKind, NamedLayer};
use super::options::Options;
use crate::cells::{CellKind, CellWeights, Framework, cell};
use embedded_rnn_nn::cells::AnyCell;
use embedded_rnn_nn::export::Activations;
use embedded_rnn_nn::layers::{Bidirectional, Kind, MergeMode, Recurrent};

const STEMS: [&str; 4] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];
/// The stem of the projection of an LSTM's h (`proj_size`).
const PROJECTION: &str = "weight_hr";

/// Returns whether a leaf belongs to a recurrent module.
pub fn is_recurrent(leaf: &str) -> bool {
    STEMS.iter().any(|stem| leaf.starts_with(stem)) || leaf.starts_with(PROJECTION)
}

/// The properties that all layers of a module share.
struct CellShape {
    kind: CellKind,
    hidden: usize,
}

/// Reads the layers of a module, all of which return sequences.
///
/// # Errors
/// A tensor that is missing or has the wrong shape, by name.
pub fn read(group: &mut TensorGroup, options: &Options, path: &str) -> Result<Candidate> {
    if let Some(leaf) = group.leaves().find(|leaf| leaf.starts_with(PROJECTION)) {
        bail!("{}: an LSTM with a projection (proj_size) is not supported", group.full_name(leaf));
    }
    let suffixes = suffixes(group)?;
    let shape = shape(group, &suffixes[0])?;
    let class = class_name(shape.kind);
    let own_name = if path.is_empty() { class.to_lowercase() } else { path.to_owned() };
    let is_bidirectional = group.leaves().any(|leaf| leaf.ends_with("_reverse"));
    let output_size = if is_bidirectional { 2 * shape.hidden } else { shape.hidden };
    let input_size = input_size(group, &suffixes[0])?;
    let mut layers = Vec::with_capacity(suffixes.len());
    for suffix in &suffixes {
        let layer_input = if layers.is_empty() { input_size } else { output_size };
        let forward = direction(group, &shape, suffix, layer_input, options)?;
        let kind = if is_bidirectional {
            let backward = direction(group, &shape, &format!("{suffix}_reverse"), layer_input, options)?;
            let backward = Recurrent { go_backwards: true, ..backward };
            Kind::Bidirectional(Bidirectional { forward, backward, merge_mode: MergeMode::Concat })
        } else {
            Kind::Recurrent(forward)
        };
        let (name, number) = match suffixes.len() {
            1 => (own_name.clone(), String::new()),
            _ => (format!("{own_name}{suffix}"), format!(", layer {}", layers.len())),
        };
        layers.push(NamedLayer { name, origin: origin(class, path, suffix, &number), kind });
    }
    Ok(Candidate { class, input: InputKind::Features(input_size), output_size, layers })
}

fn origin(class: &str, path: &str, suffix: &str, number: &str) -> String {
    let cell = if suffix.is_empty() { "Cell" } else { "" };
    let module = format!("PyTorch {class}{cell} {path}");
    format!("{}{number}", module.trim_end())
}

/// Returns the name of the class with layers of this cell.
fn class_name(kind: CellKind) -> &'static str {
    match kind {
        CellKind::SimpleRnn => "RNN",
        CellKind::Lstm => "LSTM",
        CellKind::Gru { .. } => "GRU",
    }
}

/// Returns the suffixes of the layers, first to last: an empty one for a cell, or `_l0`, `_l1` and so on.
fn suffixes(group: &TensorGroup) -> Result<Vec<String>> {
    let mut numbers = BTreeSet::new();
    for leaf in group.leaves() {
        let number = STEMS.iter().find_map(|stem| layer_number(leaf.strip_prefix(stem)?));
        let place = || format!("{}: not a tensor of a recurrent module", group.full_name(leaf));
        numbers.insert(number.with_context(place)?);
    }
    if numbers.len() == 1 && numbers.contains(&None) {
        return Ok(vec![String::new()]);
    }
    let mut suffixes = Vec::new();
    for (expected, number) in numbers.into_iter().enumerate() {
        let suffix = format!("_l{expected}");
        ensure!(number == Some(expected), "{}: missing", group.full_name(&format!("weight_ih{suffix}")));
        suffixes.push(suffix);
    }
    Ok(suffixes)
}

/// Returns the number of the layer from the suffix of a name: `Some(None)` for a cell, `None` for no valid
/// suffix.
fn layer_number(suffix: &str) -> Option<Option<usize>> {
    if suffix.is_empty() {
        return Some(None);
    }
    let digits = suffix.strip_suffix("_reverse").unwrap_or(suffix).strip_prefix("_l")?;
    let number = digits.parse::<usize>().ok()?;
    // Neither `+1` nor `01`.
    (number.to_string() == digits).then_some(Some(number))
}

/// Returns the kind of the cell and its size from the first `weight_hh`.
fn shape(group: &TensorGroup, suffix: &str) -> Result<CellShape> {
    let leaf = format!("weight_hh{suffix}");
    let place = group.full_name(&leaf);
    let &[rows, hidden] = group.shape(&leaf)? else { bail!("{place}: expected two axes") };
    let kind = [CellKind::SimpleRnn, CellKind::Gru { reset_after: true }, CellKind::Lstm]
        .into_iter()
        .find(|kind| hidden.checked_mul(kind.gates()) == Some(rows));
    let kind = kind.with_context(|| {
        format!(
            "{place}: {rows} rows of {hidden}, expected 4 times as many (LSTM), 3 times (GRU) or as \
        many (RNN)"
        )
    })?;
    Ok(CellShape { kind, hidden })
}

/// Returns the number of input features from the first `weight_ih`.
fn input_size(group: &TensorGroup, suffix: &str) -> Result<usize> {
    let leaf = format!("weight_ih{suffix}");
    match group.shape(&leaf)? {
        &[_, columns] => Ok(columns),
        shape => bail!("{}: shape {shape:?}: expected two axes", group.full_name(&leaf)),
    }
}

/// Reads one direction of one layer over `input_size` features.
fn direction(
    group: &mut TensorGroup,
    shape: &CellShape,
    suffix: &str,
    input_size: usize,
    options: &Options,
) -> Result<Recurrent<f32>> {
    let rows = shape.kind.gates() * shape.hidden;
    let [ih, hh, bias_ih, bias_hh] = STEMS.map(|stem| format!("{stem}{suffix}"));
    let (w_ih, w_hh) = (group.matrix(&ih)?, group.matrix(&hh)?);
    for (leaf, matrix, columns) in [(&ih, &w_ih, input_size), (&hh, &w_hh, shape.hidden)] {
        ensure!(
            matrix.shape() == (rows, columns),
            "{}: shape [{}, {}], expected [{rows}, {columns}]: {} gates of {} units",
            group.full_name(leaf),
            matrix.nrows(),
            matrix.ncols(),
            shape.kind.gates(),
            shape.hidden
        );
    }
    let (bias, recurrent_bias) = (group.column(&bias_ih, rows)?, group.column(&bias_hh, rows)?);
    if bias.is_some() != recurrent_bias.is_some() {
        let missing = if bias.is_some() { &bias_hh } else { &bias_ih };
        bail!("{}: missing", group.full_name(missing));
    }
    let activations = match shape.kind {
        CellKind::SimpleRnn => Activations { value: options.rnn_activation(), ..Activations::default() },
        CellKind::Lstm | CellKind::Gru { .. } => Activations::default(),
    };
    let weights = CellWeights { w_ih, w_hh, bias, recurrent_bias };
    let cell: AnyCell<f32> = cell(shape.kind, Framework::PyTorch, weights, activations)?;
    Ok(Recurrent::new(cell, true))
}
