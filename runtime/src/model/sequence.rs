//! Whole sequences through all layers, a recurrent layer at a time: the way of models with layers that read sequences from
//! their ends.
//!
//! The outputs of a recurrent layer over all time steps go into one of two buffers and the next one reads them there; layers
//! without state between the two run again for each that reads. Of a layer that hands on its last output only, that is all
//! that is kept.

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
    let mut source = Source { width: model.input_size(), frames: None, count: steps, turned: false };
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
        let turned = source.turned != cell.go_backwards();
        source = Source { width: group.width(span.records), frames: Some(sequences), count, turned };
        number += 1;
    }
    let read = match source.frames {
        Some(false) => &*frame,
        _ if number % 2 == 0 => &*odd,
        _ => &*even,
    };
    run.answers(groups.rest(), source, read, layers, out)
}

/// Where the frames lie that a group reads.
#[derive(Clone, Copy)]
struct Source {
    /// Values of a frame.
    width: usize,
    /// `None` for the inputs; else whether there is one for every time step.
    frames: Option<bool>,
    count: usize,
    /// Whether they lie in the order opposite to that of the inputs.
    turned: bool,
}

/// Memory between the layers.
struct Words<'a, W> {
    read: &'a [W],
    written: &'a mut [W],
}

struct Run<'a, 'm, N: Number, const F: u32> {
    model: &'a Model<'m, N, F>,
    span: Span<'m, N, F>,
    xs: &'a [N::In],
    steps: usize,
    /// That of the first step of every layer.
    phase: bool,
}

impl<'a, N: Number, const F: u32> Run<'a, '_, N, F> {
    /// Frame `t`.
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

    /// Whether frame `t` is one of a time step that is none.
    #[inline(always)]
    fn is_none(&self, source: Source, t: usize) -> bool {
        let size = self.model.input_size();
        let step = if source.turned { self.steps.saturating_sub(1 + t) } else { t };
        let at = step.saturating_mul(size);
        self.xs.get(at..at.saturating_add(size)).is_some_and(|x| self.model.is_none(x))
    }

    /// A recurrent layer, or both directions of two, over all time steps; gives the phase after them.
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
            // The second direction runs the layers before the first one again, and not the first.
            let (own, _) = rest.split_at(group.cell - group.from + 1 + direction);
            let skip = (direction == 1).then(|| group.cell - group.from);
            let backwards = direction == 1 || cell.go_backwards();
            phase = self.phase;
            let mut last: Option<usize> = None;
            for k in 0..self.steps {
                let t = if backwards { self.steps - 1 - k } else { k };
                // Outputs stand in the order in which they are made, those of two directions side by side.
                let place = match (cell.return_sequences(), group.pair) {
                    (false, _) => 0,
                    (true, true) => t,
                    (true, false) => k,
                };
                let to = place.checked_mul(width)?;
                if self.is_none(source, t) {
                    // Of two directions there are zeros, as Keras has it; they are there already.
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

    /// The layers after the last recurrent one, over its outputs.
    fn answers(
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
                let answer = layers.len().checked_sub(self.model.output_size())?;
                N::widen(acts, layers.get_mut(answer..)?);
            } else {
                head.step(self.model.backend, acts, layers.get_mut(before.words()?..)?, self.phase, None)?;
            }
            if let Some(out) = out.next() {
                for (out, y) in out.iter_mut().zip(self.model.answer(layers)) {
                    *out = *y;
                }
            }
        }
        Some(())
    }
}

/// The output of a time step that is none: that of the step made before it, zeros if there was none.
fn repeat<N: Number>(written: &mut [N::Word], last: Option<usize>, to: usize, width: usize) -> Option<()> {
    let Some(from) = last.filter(|&from| from != to) else { return Some(()) };
    for k in 0..width {
        *written.get_mut(to.checked_add(k)?)? = *written.get(from.checked_add(k)?)?;
    }
    Some(())
}
