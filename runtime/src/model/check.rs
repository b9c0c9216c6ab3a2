//! Validation at load: every invariant of the file, checked once. FORMAT.md lists the checks in their order.

use super::Model;
use super::sizes::Sizes;
use crate::error::{Error, LayerFault};
use crate::format::feature_bits::DECODER;
use crate::format::{
    Activation, DType, LayerRecord, MAGIC, MAX_GOLDEN_STEPS, PREAMBLE_LEN, Preamble, RECORD_LEN, VERSION,
    checksum,
};
use crate::isa::Backend;
use crate::layers::Kind;
use crate::number::{Dispatch, Number, Position};
use crate::state::State;
use bytemuck::Pod;
use core::marker::PhantomData;

/// The golden trace: its inputs, step by step, and the output after the last.
type Golden<'m, N> = (&'m [<N as Number>::In], &'m [<N as Number>::Out]);

impl<'m, N: Number, const F: u32> Model<'m, N, F> {
    /// Validates a model file, which is then used in place. `bytes` may be longer than the file, as a flash
    /// page is.
    ///
    /// ```
    /// use embedded_rnn::{DType, Error, F32, I8, Model, include_model};
    ///
    /// static MODEL: &[u8] = include_model!("../../tests/data/tiny.ernn");
    ///
    /// let model = Model::<F32>::new(MODEL)?;
    /// assert_eq!((model.input_size(), model.output_size()), (2, 3));
    /// let error = Model::<I8>::new(MODEL).unwrap_err();
    /// assert_eq!(error, Error::WrongDType { expected: DType::I8, found: DType::F32 as u8 });
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// The first invariant that the file violates: see [`Error`].
    pub fn new(bytes: &'m [u8]) -> Result<Self, Error> {
        let preamble = check_preamble(bytes, N::DTYPE)?;
        let bytes = bytes.get(..preamble.file_len as usize).unwrap_or(bytes);
        let layers: &[LayerRecord] = section(bytes, "layers", PREAMBLE_LEN, preamble.layer_count as usize)?;
        let words = preamble.weights_len as usize / 4;
        let weights = section::<u32>(bytes, "weights", preamble.weights_at as usize, words)?;
        let weights = bytemuck::try_cast_slice(weights).map_err(|_| Error::Misaligned)?;
        section::<u8>(bytes, "header", preamble.header_at as usize, preamble.header_len as usize)?;
        after("weights", PREAMBLE_LEN + size_of_val(layers), preamble.weights_at)?;
        let (sizes, body) = check_layers::<N, F>(preamble, layers, weights.len())?;
        let backend = Backend::best();
        let model = Model { bytes, preamble, layers, weights, sizes, body, backend, number: PhantomData };
        model.golden()?;
        Ok(model)
    }

    /// Returns the golden trace.
    pub(super) fn golden(&self) -> Result<Golden<'m, N>, Error> {
        let malformed = Error::Section { name: "golden" };
        if self.preamble.golden_steps > MAX_GOLDEN_STEPS {
            return Err(malformed);
        }
        let values = (self.preamble.golden_steps as usize).checked_mul(self.input_size()).ok_or(malformed)?;
        let at = self.preamble.golden_at as usize;
        let inputs: &[N::In] = section(self.bytes, "golden", at, values)?;
        let end = at + size_of_val(inputs).next_multiple_of(4);
        if inputs.is_empty() {
            return Err(malformed);
        }
        let output = section(self.bytes, "golden", end, self.output_size())?;
        // Each section lies in the file, so that no sum wraps.
        after(
            "golden",
            self.preamble.weights_at as usize + size_of_val(self.weights),
            self.preamble.golden_at,
        )?;
        after("header", end + size_of_val(output), self.preamble.header_at)?;
        Ok((inputs, output))
    }

    /// Checks that the state was made for this model.
    #[inline(always)]
    pub(crate) fn check_owner(&self, state: &State<'_, N>) -> Result<(), Error> {
        let same = state.model == self.preamble.crc32
            && size_of_val(&*state.memory) >= self.preamble.ram_needed as usize;
        if same { Ok(()) } else { Err(Error::ForeignState) }
    }
}

/// Walks the layers as a step does; returns their sizes and the number of those that run at every step.
fn check_layers<N: Number, const F: u32>(
    preamble: &Preamble,
    layers: &[LayerRecord],
    weights: usize,
) -> Result<(Sizes, usize), Error> {
    let decoder_at = preamble.decoder_at as usize;
    let mut walk = Walk { size: preamble.input_size, sequences: true, body: 0, weights: 0, pair: None };
    for (i, record) in layers.iter().enumerate() {
        let fault = |reason| Error::Layer { index: i as u16, reason };
        if i != 0 && i == decoder_at {
            walk.enter_decoder::<F>(record).map_err(fault)?;
        }
        walk.layer::<N, F>(layers, i, record, decoder_at).map_err(fault)?;
    }
    let expected = |name, right: bool| if right { Ok(()) } else { Err(Error::Section { name }) };
    expected("layers", !layers.is_empty() && feature_bits::<N, F>(layers, decoder_at) == preamble.features)?;
    expected("layers", walk.pair.is_none())?;
    expected("decoder", check_decoder::<N, F>(layers, decoder_at))?;
    expected("outputs", walk.size == preamble.output_size)?;
    expected("outputs", walk.sequences as u8 == preamble.flags)?;
    expected("weights", walk.weights == weights)?;
    let sizes = Sizes::of::<N, F>(layers, decoder_at).ok_or(Error::Section { name: "memory" })?;
    expected("memory", sizes.ram() == Some(preamble.ram_needed as usize))?;
    expected("memory", sizes.ram_per_step() == Some(preamble.ram_per_step as usize))?;
    Ok((sizes, walk.body))
}

/// The state of the walk over the layers.
struct Walk<'m> {
    /// Input values of the next layer.
    size: u32,
    /// `true` if it has an input at every time step.
    sequences: bool,
    /// Layers of the first chain up to its last recurrent one.
    body: usize,
    /// Weights of the layers.
    weights: usize,
    /// The forward direction of a Bidirectional that is not complete, and the number of its records so far.
    pair: Option<(u8, &'m LayerRecord)>,
}

impl<'m> Walk<'m> {
    /// Starts the chain of a decoder, whose inputs are ids.
    fn enter_decoder<const F: u32>(&mut self, first: &LayerRecord) -> Result<(), LayerFault> {
        if F & DECODER == 0 {
            return Err(LayerFault::Kind);
        }
        self.size = first.input_size;
        self.sequences = true;
        Ok(())
    }

    /// Checks a layer and moves on to the next.
    fn layer<N: Number, const F: u32>(
        &mut self,
        layers: &[LayerRecord],
        index: usize,
        record: &'m LayerRecord,
        decoder_at: usize,
    ) -> Result<(), LayerFault> {
        N::check::<F>(record)?;
        if N::feature_bits::<F>(record) & !F != 0 {
            return Err(LayerFault::Kind);
        }
        self.check_pair::<F>(record)?;
        if record.input_size != self.size {
            return Err(LayerFault::InputSize);
        }
        let in_decoder = decoder_at != 0 && index >= decoder_at;
        let position = Position::of(index, layers.len());
        let before =
            if index == decoder_at { None } else { index.checked_sub(1).and_then(|i| layers.get(i)) };
        check_place::<N, F>(record, before, position, self.sequences, in_decoder)?;
        if F & 1 << Kind::Add as u32 != 0 && record.kind == Kind::Add as u8 {
            let (first, last) = layers.split_at_checked(decoder_at).unwrap_or((layers, &[]));
            let of_last = in_decoder || decoder_at == 0;
            let (chain, index) = if of_last { (last, index - decoder_at) } else { (first, index) };
            check_span::<N, F>(chain, index)?;
        }
        let own = N::weights::<F>(record).and_then(|own| own.checked_add(N::initial_weights::<F>(record)));
        let own = own.ok_or(LayerFault::Size)?;
        if own.checked_mul(size_of::<N::Weight>()) != Some(record.weights_len as usize) {
            return Err(LayerFault::Weights);
        }
        self.weights = self.weights.checked_add(own).ok_or(LayerFault::Size)?;
        <N as Dispatch>::memory::<F>(record, position).ok_or(LayerFault::Size)?;
        let recurrent = N::is_recurrent::<F>(record);
        if recurrent && !in_decoder {
            self.body = index + 1;
        }
        match self.pair {
            // The second direction has the inputs of the first.
            Some((1, _)) => {}
            Some((_, first)) => self.size = first.units.saturating_mul(2),
            None => {
                self.size = record.units;
                if recurrent {
                    self.sequences = record.return_sequences();
                }
            }
        }
        Ok(())
    }

    /// Checks the order of a Bidirectional: a forward direction, a backward one of the same sizes, then the
    /// record that merges them.
    fn check_pair<const F: u32>(&mut self, record: &'m LayerRecord) -> Result<(), LayerFault> {
        if Kind::from_code(Kind::Bidirectional as u8, F).is_none() {
            return if record.is_direction() { Err(LayerFault::Kind) } else { Ok(()) };
        }
        let merges = record.kind == Kind::Bidirectional as u8;
        let right = match self.pair {
            None => !(merges || record.is_direction() && record.go_backwards()),
            Some((1, first)) => {
                record.is_direction()
                    && record.go_backwards()
                    && (record.units, record.return_sequences()) == (first.units, first.return_sequences())
            }
            Some(_) => merges,
        };
        if !right {
            return Err(LayerFault::Place);
        }
        self.pair = match self.pair {
            None => record.is_direction().then_some((1, record)),
            Some((1, first)) => Some((2, first)),
            Some((_, first)) => {
                self.sequences = first.return_sequences();
                None
            }
        };
        Ok(())
    }
}

/// Checks the rules about neighbors: which layer may stand where. `before` is the layer before it in its
/// chain.
fn check_place<N: Number, const F: u32>(
    record: &LayerRecord,
    before: Option<&LayerRecord>,
    position: Position,
    sequences: bool,
    in_decoder: bool,
) -> Result<(), LayerFault> {
    let last = position == Position::Last;
    let is = |record: &LayerRecord, kind: Kind| record.kind == kind as u8;
    let recurrent = N::is_recurrent::<F>(record);
    let softmax = record.activation == Activation::Softmax as u8;
    let wrong = (recurrent && !sequences)
        || (record.return_sequences() && !recurrent)
        || (record.masks() && (before.is_some() || in_decoder))
        || (is(record, Kind::Embedding) && before.is_some())
        || (in_decoder && recurrent && (record.go_backwards() || !record.return_sequences()))
        || (in_decoder && record.has_initial_state());
    // Real inputs become integers in the first layer only, and a softmax has 32 bits.
    let normalized = is(record, Kind::Normalization);
    let wrong_in_integers = match before {
        None => !(normalized || is(record, Kind::Masking) || is(record, Kind::Embedding)),
        Some(before) => normalized != is(before, Kind::Masking),
    } || (last && (normalized || is(record, Kind::Masking)))
        || (softmax && !last);
    if wrong || (N::DTYPE == DType::I8 && wrong_in_integers) { Err(LayerFault::Place) } else { Ok(()) }
}

/// Checks the layers that the Add with this index in its chain spans: its second operand has as many values,
/// is no input of a layer of ids or of the input stage of an integer model, and belongs to the same time
/// step.
fn check_span<N: Number, const F: u32>(chain: &[LayerRecord], index: usize) -> Result<(), LayerFault> {
    let Some((before, [add, ..])) = chain.split_at_checked(index) else { return Err(LayerFault::Place) };
    let from = before.len().checked_sub(add.input_dim as usize);
    let span = from.and_then(|from| before.get(from..)).unwrap_or_default();
    let Some(first) = span.first() else { return Err(LayerFault::Place) };
    if first.input_size != add.input_size {
        return Err(LayerFault::InputSize);
    }
    let is = |kind: Kind| first.kind == kind as u8;
    let of_inputs =
        is(Kind::Embedding) || N::DTYPE == DType::I8 && (is(Kind::Normalization) || is(Kind::Masking));
    let leaves_time = |record: &LayerRecord| N::is_recurrent::<F>(record) && !record.return_sequences();
    let whole = |record: &LayerRecord| record.masks() || record.go_backwards();
    let wrong = of_inputs || span.iter().any(leaves_time) || chain.iter().any(whole);
    if wrong { Err(LayerFault::Place) } else { Ok(()) }
}

/// Returns `true` if a decoder fits its encoder: the encoder ends in a recurrent layer, its states are as
/// many, of the same kinds and sizes as the decoder's, and the decoder begins with an Embedding of its own
/// outputs.
fn check_decoder<'m, N: Number, const F: u32>(layers: &'m [LayerRecord], decoder_at: usize) -> bool {
    if decoder_at == 0 || F & DECODER == 0 {
        return decoder_at == 0;
    }
    let Some((encoder, decoder)) = layers.split_at_checked(decoder_at) else { return false };
    let recurrent = |layers: &'m [LayerRecord]| layers.iter().filter(|record| N::is_recurrent::<F>(record));
    let same = |(a, b): (&LayerRecord, &LayerRecord)| {
        let scales = |r: &LayerRecord| (r.frac, r.cell_frac, r.output_scale);
        (a.kind, a.units, scales(a)) == (b.kind, b.units, scales(b))
    };
    let feeds_back = decoder.first().zip(decoder.last()).is_some_and(|(first, last)| {
        first.kind == Kind::Embedding as u8 && !first.masks() && first.input_dim == last.units
    });
    feeds_back
        && encoder.last().is_some_and(|last| N::is_recurrent::<F>(last))
        && !encoder.iter().any(LayerRecord::is_direction)
        && recurrent(encoder).count() == recurrent(decoder).count()
        && recurrent(encoder).zip(recurrent(decoder)).all(same)
}

/// Returns the feature bits that these layers ask for.
pub fn feature_bits<N: Number, const F: u32>(layers: &[LayerRecord], decoder_at: usize) -> u32 {
    let decoder = if decoder_at == 0 { 0 } else { DECODER };
    layers.iter().fold(decoder, |set, record| set | N::feature_bits::<F>(record))
}

/// Checks the preamble and the bytes of the file as a whole.
fn check_preamble(bytes: &[u8], dtype: DType) -> Result<&Preamble, Error> {
    if bytes.get(..4) != Some(&MAGIC) {
        return Err(Error::NotAModel);
    }
    let truncated = Error::Truncated { expected: PREAMBLE_LEN, found: bytes.len() };
    let start = bytes.get(..PREAMBLE_LEN).ok_or(truncated)?;
    let preamble: &Preamble = bytemuck::try_from_bytes(start).map_err(|_| Error::Misaligned)?;
    if preamble.version != VERSION {
        return Err(Error::Version { found: preamble.version });
    }
    let (expected, found) = (preamble.file_len as usize, bytes.len());
    let file = bytes.get(..expected).ok_or(Error::Truncated { expected, found })?;
    let (expected, found) = (preamble.crc32, checksum(file));
    if expected != found {
        return Err(Error::Checksum { expected, found });
    }
    if preamble.dtype != dtype as u8 {
        return Err(Error::WrongDType { expected: dtype, found: preamble.dtype });
    }
    let known = preamble.flags <= 1 && preamble.weights_len.is_multiple_of(4);
    if known { Ok(preamble) } else { Err(Error::Section { name: "preamble" }) }
}

/// Returns `count` values of `T` from byte `at` on.
fn section<'m, T: Pod>(
    bytes: &'m [u8],
    name: &'static str,
    at: usize,
    count: usize,
) -> Result<&'m [T], Error> {
    let end = count.checked_mul(size_of::<T>()).and_then(|len| at.checked_add(len));
    let outside = Error::Section { name };
    let found = bytes.get(at..end.ok_or(outside)?).ok_or(outside)?;
    bytemuck::try_cast_slice(found).map_err(|_| Error::Misaligned)
}

/// Checks that a section begins where the one before it ends, or later.
fn after(name: &'static str, end: usize, at: u32) -> Result<(), Error> {
    if end <= at as usize { Ok(()) } else { Err(Error::Section { name }) }
}

const _: () = assert!(PREAMBLE_LEN == 80 && RECORD_LEN == 32, "FORMAT.md gives these");
