//! The two directions of a layer, and one time step of them.
//!
//! Of a sequence a model outputs all steps, or the one that is computed last. The step of a direction that
//! is computed first is that of a cell without a state (`one_step`), which computes it last if it runs in the
//! other direction.

use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};

use super::context::GraphContext;
use super::layer_graph::{Edge, LayerNode, LayerOp, Source, TimeSpan, WHOLE};
use crate::one_step::{side_by_side, without_state};
use embedded_rnn_nn::cells::AnyCell;
use embedded_rnn_nn::layers::MergeMode;

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
                    Some(node).filter(|node| node.starts_from_zeros()).and_then(|_| without_state(cell));
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
            LayerOp::Framewise(_) | LayerOp::Pooling(_) | LayerOp::Residual { .. } => {
                bail!("not a recurrent layer")
            }
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
                ensure!(f.starts_from_zeros() && b.starts_from_zeros(), MISMATCH);
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
