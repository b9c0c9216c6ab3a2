//! The two directions of a layer, and one time step of them.
//!
//! Of a sequence a model outputs all steps, or the one that is computed last. The step of a direction that
//! is computed first is that of a cell without a state: an LSTM whose forget gate is closed and whose
//! recurrent weights are zeros, or an RNN without recurrent weights. The output of such a cell depends on the
//! input of the same step only, so that the cell may run in the other direction, and computes that step last.
//! So the last step of a bidirectional LSTM (`out[:, -1]`) consists of two cells that run forwards over the
//! same input, which are one cell of the units of both:
//!
//! ```text
//! w_ih: [forward]    w_hh: [forward   0]
//!       [alone  ]          [0         0]
//! ```
//! The update gate of a GRU keeps a share of the state that depends on the input, so a GRU has no such form.

use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};
use embedded_rnn::Kind as Code;

use super::context::GraphContext;
use super::layer_graph::{Edge, LayerNode, LayerOp, Source, TimeSpan, WHOLE};
use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::cells::AnyCell;
use embedded_rnn_nn::export::Weights;
use embedded_rnn_nn::layers::MergeMode;
use embedded_rnn_nn::tensor::Matrix;

/// The pre-activation of a closed gate: its sigmoid is 2e-9, and its integer form needs no wider range.
const CLOSED: f32 = -20.0;
/// The forget gate of an LSTM, in the order of this crate.
const FORGET: usize = 1;

/// The error for a single step of a bidirectional sequence that no layer computes.
pub const STEP_OF_BIDIRECTIONAL: &str = "one step of a bidirectional sequence, where only one direction has \
    processed the whole sequence; a model outputs all steps or the final states of both directions (h_n)";

const MISMATCH: &str = "the two tensors are not the directions of one bidirectional layer";

impl GraphContext<'_> {
    /// Returns the edge of one frame at an end of the sequence: of the last frame, or of the first.
    /// Frame-wise layers behind the recurrent one then get that frame only.
    ///
    /// # Errors
    /// A frame that no layer computes last.
    pub fn at_end(&mut self, edge: &Edge, last: bool) -> Result<Edge> {
        let TimeSpan::Whole { reversed } = edge.span else { bail!("one step of a single time step") };
        let (mut framewise, mut source) = (Vec::new(), &edge.source);
        let recurrent = loop {
            let Source::Node(node) = source else { bail!("one step of the network's input") };
            if node.framewise_kind().is_none() {
                break node;
            }
            framewise.push(node.clone());
            source = &node.input.source;
        };
        let mut end = self.step(recurrent, reversed != last)?;
        for node in framewise.into_iter().rev() {
            end = Edge { source: Source::Node(Rc::new(node.with_input(end)?)), span: TimeSpan::Last };
        }
        Ok(end)
    }

    /// Returns the edge of the step of a layer that is computed last, or first; of a bidirectional layer, the
    /// last or first step of the sequence.
    fn step(&mut self, node: &Rc<LayerNode>, computed_last: bool) -> Result<Edge> {
        match &node.op {
            LayerOp::Recurrent { .. } if computed_last => {
                Ok(Edge { source: Source::Node(node.clone()), span: TimeSpan::Last })
            }
            LayerOp::Recurrent { cell, backwards } => {
                let alone =
                    Some(node).filter(|node| node.initial.is_empty()).and_then(|_| without_state(cell));
                let cell = alone
                    .context("the step computed first; a model outputs all steps or the one computed last")?;
                self.spend_weights(&cell)?;
                let op = LayerOp::Recurrent { cell: Rc::new(cell), backwards: !backwards };
                let origin = format!("{}, the step computed first", node.origin);
                let alone = LayerNode::new(&node.name, &origin, op, node.input.clone(), node.size)?;
                Ok(Edge { source: Source::Node(Rc::new(alone)), span: TimeSpan::Last })
            }
            LayerOp::Bidirectional { forward, backward, merge } => {
                let [forward, backward] = [(forward, computed_last), (backward, !computed_last)]
                    .map(|(node, computed_last)| self.step(node, computed_last));
                let both = forward.and_then(|forward| Ok((forward, backward?)));
                let (forward, backward) = both.ok().context(STEP_OF_BIDIRECTIONAL)?;
                self.directions(&forward, &backward, *merge).ok().context(STEP_OF_BIDIRECTIONAL)
            }
            LayerOp::Framewise(_) => bail!("not a recurrent layer"),
        }
    }

    /// Combines two recurrent layers that read the same edge: in opposite directions as a bidirectional
    /// layer, or in the same direction as one layer of the units of both.
    ///
    /// # Errors
    /// Anything else.
    pub fn directions(&mut self, forward: &Edge, backward: &Edge, merge: MergeMode) -> Result<Edge> {
        let (Source::Node(f), Source::Node(b)) = (&forward.source, &backward.source) else { bail!(MISMATCH) };
        ensure!(f.input.source.is(&b.input.source) && f.input.span == b.input.span, MISMATCH);
        match (&f.op, &b.op) {
            (LayerOp::Recurrent { backwards: false, .. }, LayerOp::Recurrent { backwards: true, .. }) => {
                bidirectional(forward, backward, f, b, merge)
            }
            (LayerOp::Recurrent { cell, backwards }, LayerOp::Recurrent { cell: other, backwards: also })
                if backwards == also && forward.span == backward.span && merge == MergeMode::Concat =>
            {
                ensure!(f.initial.is_empty() && b.initial.is_empty(), MISMATCH);
                let cell = side_by_side(cell, other).context(MISMATCH)?;
                self.spend_weights(&cell)?;
                let op = LayerOp::Recurrent { cell: Rc::new(cell), backwards: *backwards };
                let origin = format!("{}, one step of both directions", f.origin);
                let node = LayerNode::new(&f.name, &origin, op, f.input.clone(), f.size + b.size)?;
                Ok(Edge { source: Source::Node(Rc::new(node)), span: forward.span })
            }
            _ => bail!(MISMATCH),
        }
    }

    fn spend_weights(&mut self, cell: &AnyCell<f32>) -> Result<()> {
        let (_, weights, _) = cell.packable();
        self.spend(weights.w_ih.len() + weights.w_hh.len())
    }
}

/// Combines a layer that runs forwards and one that runs backwards.
fn bidirectional(
    forward: &Edge,
    backward: &Edge,
    f: &Rc<LayerNode>,
    b: &Rc<LayerNode>,
    merge: MergeMode,
) -> Result<Edge> {
    let span = match (forward.span, backward.span) {
        (WHOLE, TimeSpan::Whole { reversed: true }) => WHOLE,
        (TimeSpan::Whole { reversed: true }, WHOLE) => TimeSpan::Whole { reversed: true },
        (TimeSpan::Last, TimeSpan::Last) => TimeSpan::Last,
        _ => bail!("the two directions have different time steps"),
    };
    let size = if merge == MergeMode::Concat { f.size + b.size } else { f.size };
    ensure!(f.size == b.size, "directions of {} and {} units", f.size, b.size);
    let op = LayerOp::Bidirectional { forward: f.clone(), backward: b.clone(), merge };
    let node = LayerNode::new(&f.name, &f.origin, op, f.input.clone(), size)?;
    Ok(Edge { source: Source::Node(Rc::new(node)), span })
}

/// Returns the cell that computes a first step at every step; `None` if its type has no such form.
fn without_state(cell: &AnyCell<f32>) -> Option<AnyCell<f32>> {
    let (layout, mut weights, activations) = cell.packable();
    weights.w_hh.fill(0.0);
    match layout.kind {
        Code::SimpleRnn => {}
        Code::Lstm if activations.recurrent == Activation::Sigmoid => {
            let units = weights.w_hh.ncols();
            weights.w_ih.rows_mut(FORGET * units, units).fill(0.0);
            weights.bias.rows_mut(FORGET * units, units).fill(CLOSED);
        }
        _ => return None,
    }
    AnyCell::from_packed(layout, weights, activations)
}

/// Returns the cell of the units of both; `None` for cells of different types or activations.
fn side_by_side(a: &AnyCell<f32>, b: &AnyCell<f32>) -> Option<AnyCell<f32>> {
    let ((layout, a, activations), (other_layout, b, other_activations)) = (a.packable(), b.packable());
    if layout != other_layout || activations != other_activations {
        return None;
    }
    let units = [a.w_hh.ncols(), b.w_hh.ncols()];
    let total = units[0] + units[1];
    // The matrix of a row, and the row in it.
    let place = |row: usize| {
        let (gate, unit) = (row / total, row % total);
        match unit.checked_sub(units[0]) {
            None => (0, gate * units[0] + unit),
            Some(unit) => (1, gate * units[1] + unit),
        }
    };
    let rows = |a: &Matrix<f32>, b: &Matrix<f32>| {
        Matrix::from_fn(a.nrows() + b.nrows(), a.ncols(), |row, column| {
            let (which, row) = place(row);
            [a, b][which][(row, column)]
        })
    };
    let w_hh = Matrix::from_fn(a.w_hh.nrows() + b.w_hh.nrows(), total, |row, column| {
        let (which, row) = place(row);
        let own = column.checked_sub([0, units[0]][which]).filter(|&column| column < units[which]);
        own.map_or(0.0, |column| [&a, &b][which].w_hh[(row, column)])
    });
    let weights = Weights {
        w_ih: rows(&a.w_ih, &b.w_ih),
        w_hh,
        bias: rows(&a.bias, &b.bias),
        recurrent_bias: rows(&a.recurrent_bias, &b.recurrent_bias),
    };
    AnyCell::from_packed(layout, weights, activations)
}
