//! Inputs through all layers, step by step, for as many time steps as there are.
//!
//! A step is split in two: the body, up to the last recurrent layer, runs at every time step; the head after
//! it runs only where an output is wanted. A masked time step runs no body; its head starts from the state as
//! it is.

use super::Model;
use super::sequence;
use super::span::Span;
use crate::format::feature_bits::DECODER;
use crate::isa::Backend;
use crate::number::{Dispatch, Number};
use crate::state::State;

/// One of a model's chains of layers, the first or the decoder, and how its time steps run.
#[derive(Clone, Copy)]
struct Chain<'m, N: Number, const F: u32> {
    span: Span<'m, N, F>,
    /// Input values per time step.
    input_size: usize,
    /// Layers up to the last recurrent one: they run at every time step.
    body: usize,
    /// The time steps with an output.
    outputs: Outputs,
    /// `true` if the chain's inputs are the model's, which can be masked or need a whole sequence.
    first: bool,
}

/// The time steps with an output.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outputs {
    None,
    Last,
    Every,
}

/// Computes the output of a masked time step: the layers after the first `body`, from the output that the
/// last of these left before a step in `phase`.
fn masked_output<N: Number, const F: u32>(
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
    // The memory of a last layer ends in the room for the model's output.
    let output = if head.records.is_empty() { N::output_words::<F>(record) } else { 0 };
    let (own, others) = memory.split_at_mut_checked(body.words()?.checked_sub(output)?)?;
    let acts = N::acts_of(own.get(h)?);
    if head.records.is_empty() {
        N::widen(acts, others);
    } else {
        head.step(backend, acts, others, phase, None)?;
    }
    Some(())
}

impl<'m, N: Number, const F: u32> Model<'m, N, F> {
    /// Runs the time steps of `xs`. The last output stays in memory, and `out` receives as many outputs as it
    /// has room for.
    pub(super) fn forward(&self, state: &mut State<'_, N>, xs: &[N::In], out: &mut [N::Out]) {
        self.start(state);
        let decoder = self.has_decoder();
        let chain = Chain {
            span: self.first_chain(),
            input_size: self.input_size(),
            body: self.body,
            outputs: match (decoder, self.returns_sequences()) {
                (true, _) => Outputs::None,
                (_, true) => Outputs::Every,
                (_, false) => Outputs::Last,
            },
            first: true,
        };
        let State { memory, phases: [phase, _], .. } = state;
        self.run_chain(chain, memory, phase, xs, out);
        if decoder {
            let copied = self.copy_state_to_decoder(state);
            debug_assert!(copied.is_some(), "the states of the decoder are those of the encoder");
        }
    }

    /// Runs one time step of a model without a decoder whose time steps cannot be masked.
    #[inline(always)]
    pub(super) fn forward_one(&self, state: &mut State<'_, N>, x: &[N::In]) {
        self.start(state);
        let State { memory, phases: [phase, _], .. } = state;
        let done = self.all_layers().step(self.backend, N::acts(x), memory, *phase, None);
        debug_assert!(done.is_some(), "every length of a step fits");
        *phase = !*phase;
    }

    /// Runs one step of the decoder, or of the only chain, on an id.
    pub(super) fn forward_id(&self, state: &mut State<'_, N>, id: N::In) {
        if !self.has_decoder() {
            return self.forward(state, &[id], &mut []);
        }
        self.start(state);
        let (encoder, span) = self.all_layers().split_at(self.preamble.decoder_at as usize);
        let body = span.records.len();
        let chain = Chain { span, input_size: 1, body, outputs: Outputs::Every, first: false };
        let State { memory, phases: [_, phase], .. } = state;
        let own = encoder.words().and_then(|words| memory.get_mut(words..self.sizes.layers));
        debug_assert!(own.is_some(), "the decoder's memory lies behind the encoder's");
        self.run_chain(chain, own.unwrap_or_default(), phase, &[id], &mut []);
    }

    /// Runs the time steps of `xs` over the layers of a chain, whose memory is `memory` or its beginning.
    fn run_chain(
        &self,
        chain: Chain<'m, N, F>,
        memory: &mut [N::Word],
        phase: &mut bool,
        xs: &[N::In],
        out: &mut [N::Out],
    ) {
        if self.needs_whole_sequences() && chain.first {
            let done = sequence::run(self, chain.span, memory, phase, xs, out);
            debug_assert!(done.is_some(), "every length of a sequence fits");
            return;
        }
        // Split off one by one: chunks would be counted by a division, which some cores do not have.
        let mut rest = xs;
        let mut out = out.chunks_mut(self.output_size().max(1));
        while let Some((x, later)) = rest.split_at_checked(chain.input_size.max(1)) {
            rest = later;
            let wanted = match chain.outputs {
                Outputs::Every => true,
                Outputs::Last => rest.is_empty(),
                Outputs::None => false,
            };
            // Without a state there is nothing to leave as it is: such a model computes masked time steps
            // too.
            if chain.first && chain.body > 0 && self.is_masked(x) {
                if wanted {
                    let done = masked_output(self.backend, chain.span, chain.body, memory, *phase);
                    debug_assert!(done.is_some(), "every length of a masked time step fits");
                }
            } else {
                let layers = if wanted { chain.span } else { chain.span.split_at(chain.body).0 };
                let done = layers.step(self.backend, N::acts(x), memory, *phase, None);
                debug_assert!(done.is_some(), "every length of a step fits");
                *phase = !*phase;
            }
            if wanted && let Some(out) = out.next() {
                for (out, y) in out.iter_mut().zip(self.output_at_end(memory)) {
                    *out = *y;
                }
            }
        }
    }

    /// Copies the states that the encoder has come to, to where the decoder reads its own.
    fn copy_state_to_decoder(&self, state: &mut State<'_, N>) -> Option<()> {
        if F & DECODER == 0 {
            return Some(());
        }
        let (encoder, decoder) = self.all_layers().split_at(self.preamble.decoder_at as usize);
        let State { memory, phases: [read, next], .. } = state;
        let (from, to) = memory.split_at_mut_checked(encoder.words()?)?;
        for (from_range, to_range) in encoder.states(!*read).zip(decoder.states(!*next)) {
            debug_assert_eq!(from_range.len(), to_range.len(), "layers of one kind and size have one state");
            for (to, from) in to.get_mut(to_range)?.iter_mut().zip(from.get(from_range)?) {
                *to = *from;
            }
        }
        Some(())
    }

    /// Returns the output of the last step that made one.
    #[inline(always)]
    pub(super) fn output<'s>(&self, memory: &'s [N::Word]) -> &'s [N::Out] {
        self.output_at_end(memory.get(..self.sizes.layers).unwrap_or_default())
    }

    /// Returns the output at the end of the layers' memory.
    #[inline(always)]
    fn output_at_end<'s>(&self, memory: &'s [N::Word]) -> &'s [N::Out] {
        let words = self.layers.last().map_or(0, |record| N::output_words::<F>(record));
        let from = memory.len().saturating_sub(words);
        let out = N::outputs(memory.get(from..).unwrap_or_default()).get(..self.output_size());
        debug_assert!(out.is_some(), "the last layer's memory ends in the output");
        out.unwrap_or_default()
    }
}
