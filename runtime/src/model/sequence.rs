//! Whole sequences through all layers, one recurrent layer at a time: the way of models with a layer that runs backwards.
//!
//! # Groups
//!
//! Such a model cannot go step by step, as its backward layer starts at the last input. So the layers are cut into groups: a
//! recurrent layer, or the two directions of a Bidirectional, with the layers without state before it. A group runs over
//! all time steps before the next one starts:
//!
//! ```text
//! layers   Normalization  Lstm ->  Lstm <-  Bidirectional  Dense  Gru   Dense
//! groups   |------------ 0 -------------|  |-------- 1 ---------|  |- head -|
//! ```
//!
//! Layers without state are not run over a sequence of their own: they run within the steps of the group that reads them,
//! for the second direction of a pair once more. That costs instructions for small layers and saves a buffer for each.
//!
//! # Frames
//!
//! A frame is the output of a group at one time step, the two directions of a pair one after the other. Group 0 writes its
//! frames into the first of two buffers, group 1 reads them there and writes into the second, and so on in turn; a group
//! that returns its last output only writes a single frame of its own:
//!
//! ```text
//! memory   | layers | frame | even buffer: steps * frame of groups 0, 2, .. | odd buffer: groups 1, 3, .. |
//! ```
//!
//! Frames lie in the order in which they are computed, so those of a layer that runs backwards lie reversed in time, and
//! `Source` carries that to the next group; those of a pair lie in the order of the inputs, side by side. Buffers are
//! cleared before a group runs: a masked time step of a pair that returns sequences is zeros, as in Keras.
//!
//! The head, the layers after the last group, runs over the frames of the last group and writes the outputs.

use super::Model;
use super::sizes::{Group, Groups};
use super::span::Span;
use crate::number::Number;

/// Runs the time steps of `xs`, which are one sequence; `memory` is all of the state's.
pub fn run<N: Number, const F: u32>(
    model: &Model<'_, N, F>,
    span: Span<'_, N, F>,
    memory: &mut [N::Word],
    phase: &mut bool,
    xs: &[N::In],
    out: &mut [N::Out],
) -> Option<()> {
    let steps = xs.len() / model.input_size().max(1);
    let sizes = model.sizes;
    let (layers, rest) = memory.split_at_mut_checked(sizes.layers)?;
    let (frame, rest) = rest.split_at_mut_checked(sizes.frame)?;
    let (even, rest) = rest.split_at_mut_checked(sizes.buffers[0].checked_mul(steps)?)?;
    let odd = rest.get_mut(..sizes.buffers[1].checked_mul(steps)?)?;
    let mut run = Run { model, span, xs, steps, phase: *phase };
    let mut groups = Groups::<N, F>::new(span.records);
    let mut source = Source { width: model.input_size(), frames: None, count: steps, reversed: false };
    let mut number = 0;
    for group in groups.by_ref() {
        let cell = group.cell(span.records)?;
        let sequences = cell.return_sequences();
        // The buffer that the group before did not write.
        let (read, written) = if number % 2 == 0 { (&*odd, &mut *even) } else { (&*even, &mut *odd) };
        let written = if sequences { written } else { &mut *frame };
        written.fill(bytemuck::Zeroable::zeroed());
        let words = Words { read, written };
        *phase = run.group(group, source, layers, words)?;
        let count = if sequences { steps } else { 1 };
        let reversed = source.reversed != cell.go_backwards();
        source = Source { width: group.width(span.records), frames: Some(sequences), count, reversed };
        number += 1;
    }
    let read = match source.frames {
        Some(false) => &*frame,
        _ if number % 2 == 0 => &*odd,
        _ => &*even,
    };
    run.head(groups.rest(), source, read, layers, out)
}

/// The frames that a group reads.
#[derive(Clone, Copy)]
struct Source {
    /// Values per frame.
    width: usize,
    /// `None` for the model's inputs; else `true` if there is one frame per time step.
    frames: Option<bool>,
    /// The number of frames.
    count: usize,
    /// `true` if the frames are reversed in time.
    reversed: bool,
}

/// The memory between groups.
struct Words<'a, W> {
    read: &'a [W],
    written: &'a mut [W],
}

/// A sequence on its way through a model.
struct Run<'a, 'm, N: Number, const F: u32> {
    model: &'a Model<'m, N, F>,
    span: Span<'m, N, F>,
    xs: &'a [N::In],
    steps: usize,
    /// The phase of the first step of every layer.
    phase: bool,
}

impl<'a, N: Number, const F: u32> Run<'a, '_, N, F> {
    /// Returns frame `t`.
    #[inline(always)]
    fn frame<'s>(&self, source: Source, read: &'s [N::Word], t: usize) -> Option<&'s [N::Act]>
    where
        'a: 's,
    {
        if source.frames.is_none() {
            let at = t.checked_mul(source.width)?;
            return Some(N::acts(self.xs.get(at..at.checked_add(source.width)?)?));
        }
        let words = N::frame_words(source.width);
        let at = t.checked_mul(words)?;
        Some(N::acts_of(read.get(at..at.checked_add(words)?)?))
    }

    /// Returns `true` if frame `t` belongs to a masked time step.
    #[inline(always)]
    fn is_masked(&self, source: Source, t: usize) -> bool {
        let size = self.model.input_size();
        let step = if source.reversed { self.steps.saturating_sub(1 + t) } else { t };
        let at = step.saturating_mul(size);
        self.xs.get(at..at.saturating_add(size)).is_some_and(|x| self.model.is_masked(x))
    }

    /// Runs a recurrent layer, or the two directions of a pair, over all time steps; returns the phase after them.
    fn group(
        &mut self,
        group: Group,
        source: Source,
        layers: &mut [N::Word],
        words: Words<'_, N::Word>,
    ) -> Option<bool> {
        let cell = group.cell(self.span.records)?;
        let (units, width) = (cell.units(), N::frame_words(group.width(self.span.records)));
        let (before, rest) = self.span.split_at(group.from);
        let memory = layers.get_mut(before.words()?..)?;
        let mut phase = self.phase;
        for direction in 0..1 + usize::from(group.pair) {
            // The second direction runs the layers before the pair again, and skips the first direction.
            let (own, _) = rest.split_at(group.cell - group.from + 1 + direction);
            let skip = (direction == 1).then(|| group.cell - group.from);
            let backwards = direction == 1 || cell.go_backwards();
            phase = self.phase;
            let mut last: Option<usize> = None;
            for k in 0..self.steps {
                let t = if backwards { self.steps - 1 - k } else { k };
                // Frames lie in the order in which they are computed, those of a pair in the order of the inputs.
                let index = match (cell.return_sequences(), group.pair) {
                    (false, _) => 0,
                    (true, true) => t,
                    (true, false) => k,
                };
                let to = index.checked_mul(width)?;
                if self.is_masked(source, t) {
                    // A pair has zeros there, as in Keras; the buffer was cleared.
                    if !group.pair {
                        repeat::<N>(words.written, last, to, width)?;
                    }
                } else {
                    let acts = self.frame(source, words.read, t)?;
                    let y = own.step(self.model.backend, acts, memory, phase, skip)?;
                    phase = !phase;
                    let frame = N::acts_of_mut(words.written.get_mut(to..to.checked_add(width)?)?);
                    for (to, &y) in frame.iter_mut().skip(direction * units).zip(y.iter().take(units)) {
                        *to = y;
                    }
                }
                last = Some(to);
            }
        }
        Some(phase)
    }

    /// Runs the layers after the last group over its frames, and writes the outputs.
    fn head(
        &self,
        from: usize,
        source: Source,
        read: &[N::Word],
        layers: &mut [N::Word],
        out: &mut [N::Out],
    ) -> Option<()> {
        if self.model.has_decoder() {
            return Some(());
        }
        let (before, head) = self.span.split_at(from);
        let mut out = out.chunks_exact_mut(self.model.output_size().max(1));
        for t in 0..source.count {
            let acts = self.frame(source, read, t)?;
            if head.records.is_empty() {
                let output = layers.len().checked_sub(self.model.output_size())?;
                N::widen(acts, layers.get_mut(output..)?);
            } else {
                head.step(self.model.backend, acts, layers.get_mut(before.words()?..)?, self.phase, None)?;
            }
            if let Some(out) = out.next() {
                for (out, y) in out.iter_mut().zip(self.model.output(layers)) {
                    *out = *y;
                }
            }
        }
        Some(())
    }
}

/// Writes the frame of a masked time step: that of the step computed before it, zeros if there was none.
fn repeat<N: Number>(written: &mut [N::Word], last: Option<usize>, to: usize, width: usize) -> Option<()> {
    let Some(from) = last.filter(|&from| from != to) else { return Some(()) };
    for k in 0..width {
        *written.get_mut(to.checked_add(k)?)? = *written.get(from.checked_add(k)?)?;
    }
    Some(())
}
