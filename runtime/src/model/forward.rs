//! Inputs through all layers, step by step, for as many time steps as there are.

use super::Model;
use super::sequence;
use super::span::Span;
use crate::format::features::DECODER;
use crate::isa::Backend;
use crate::layers::Dispatch;
use crate::number::Number;
use crate::state::State;

/// One of a model's chains of layers, and how its time steps go.
#[derive(Clone, Copy)]
struct Chain<'m, N: Number, const F: u32> {
    span: Span<'m, N, F>,
    /// Values of a time step.
    input_size: usize,
    /// Layers that run at every step.
    body: usize,
    /// Which steps are answered.
    answers: Answers,
    /// Whether it reads the model's inputs.
    reads: bool,
}

/// Which steps are answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    None,
    Last,
    Every,
}

/// The layers after the first `body`, from the output that the last of these left before a step in `phase`: what a time step
/// that is none answers.
fn head<N: Number, const F: u32>(
    backend: Backend,
    span: Span<'_, N, F>,
    body: usize,
    memory: &mut [N::Word],
    phase: bool,
) -> Option<()> {
    let (body, head) = span.split_at(body);
    let (start, record) = body.recurrent().last()?;
    let [first, second] = <N as Dispatch>::state::<F>(record, !phase);
    let h = start + if second.is_empty() { first.start } else { second.start };
    let h = h..h + N::frame_words(record.units());
    // Of a last layer the answer's place comes after its state.
    let answer = if head.records.is_empty() { N::answer::<F>(record) } else { 0 };
    let (own, others) = memory.split_at_mut_checked(body.words()?.checked_sub(answer)?)?;
    let acts = N::acts_of(own.get(h)?);
    if head.records.is_empty() {
        N::widen(acts, others);
    } else {
        head.step(backend, acts, others, phase, None)?;
    }
    Some(())
}

impl<'m, N: Number, const F: u32> Model<'m, N, F> {
    /// Runs the steps of `xs`; the last answer stays in memory, and `out` takes as many answers as it has room for.
    pub(super) fn forward(&self, state: &mut State<'_, N>, xs: &[N::In], out: &mut [N::Out]) {
        let decoder = self.has_decoder();
        let chain = Chain {
            span: self.first_chain(),
            input_size: self.input_size(),
            body: self.body,
            answers: match (decoder, self.returns_sequences()) {
                (true, _) => Answers::None,
                (_, true) => Answers::Every,
                (_, false) => Answers::Last,
            },
            reads: true,
        };
        let State { memory, phases: [phase, _], .. } = state;
        self.run_chain(chain, memory, phase, xs, out);
        if decoder {
            self.hand_over(state);
        }
    }

    /// One step of the decoder, or of the only chain, from `id` on.
    pub(super) fn feed_back(&self, state: &mut State<'_, N>, id: N::In) {
        if !self.has_decoder() {
            return self.forward(state, &[id], &mut []);
        }
        let all = Span { records: self.layers, weights: self.weights, ends: true };
        let (encoder, span) = all.split_at(self.preamble.decoder_at as usize);
        let body = span.records.len();
        let chain = Chain { span, input_size: 1, body, answers: Answers::Every, reads: false };
        let State { memory, phases: [_, phase], .. } = state;
        let own = memory.get_mut(encoder.words().unwrap_or(0)..self.sizes.layers).unwrap_or_default();
        self.run_chain(chain, own, phase, &[id], &mut []);
    }

    /// Runs the steps of `xs` over the layers of a chain; `memory` is theirs, and what follows.
    fn run_chain(
        &self,
        chain: Chain<'m, N, F>,
        memory: &mut [N::Word],
        phase: &mut bool,
        xs: &[N::In],
        out: &mut [N::Out],
    ) {
        if self.needs_whole_sequences() && chain.reads {
            sequence::run(self, chain.span, memory, phase, xs, out);
            return;
        }
        let mut steps = xs.chunks_exact(chain.input_size.max(1)).peekable();
        let mut out = out.chunks_exact_mut(self.output_size().max(1));
        let (body, _) = chain.span.split_at(chain.body);
        while let Some(x) = steps.next() {
            let wanted = match chain.answers {
                Answers::Every => true,
                Answers::Last => steps.peek().is_none(),
                Answers::None => false,
            };
            // Without a state there is nothing to leave as it is: every step is answered as it comes.
            if chain.reads && chain.body > 0 && self.is_none(x) {
                if wanted {
                    head(self.backend, chain.span, chain.body, memory, *phase);
                }
            } else {
                let layers = if wanted { chain.span } else { body };
                layers.step(self.backend, N::acts(x), memory, *phase, None);
                *phase = !*phase;
            }
            if wanted && let Some(out) = out.next() {
                for (out, y) in out.iter_mut().zip(self.answer_of(memory)) {
                    *out = *y;
                }
            }
        }
    }

    /// The states that the encoder has come to become those that the decoder starts from.
    fn hand_over(&self, state: &mut State<'_, N>) {
        if F & DECODER == 0 {
            return;
        }
        let all = Span::<N, F> { records: self.layers, weights: self.weights, ends: true };
        let (encoder, decoder) = all.split_at(self.preamble.decoder_at as usize);
        let State { memory, phases: [read, next], .. } = state;
        let words = encoder.words().unwrap_or(0);
        let Some((from, to)) = memory.split_at_mut_checked(words) else { return };
        for (from_range, to_range) in encoder.states(!*read).zip(decoder.states(!*next)) {
            let (Some(from), Some(to)) = (from.get(from_range), to.get_mut(to_range)) else { return };
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
        }
    }

    /// The answer of the last step that made one.
    #[inline(always)]
    pub(super) fn answer<'s>(&self, memory: &'s [N::Word]) -> &'s [N::Out] {
        self.answer_of(memory.get(..self.sizes.layers).unwrap_or_default())
    }

    /// The answer at the end of the layers' memory.
    #[inline(always)]
    fn answer_of<'s>(&self, memory: &'s [N::Word]) -> &'s [N::Out] {
        let words = self.layers.last().map_or(0, |record| N::answer::<F>(record));
        let from = memory.len().saturating_sub(words);
        let out = N::outputs(memory.get(from..).unwrap_or_default());
        out.get(..self.output_size()).unwrap_or_default()
    }
}
