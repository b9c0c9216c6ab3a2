//! The door: everything about a file that must hold, checked once.

use super::Model;
use crate::error::{Error, LayerFault};
use crate::format::{DType, LayerRecord, MAGIC, PREAMBLE_LEN, Preamble, RECORD_LEN, VERSION, checksum};
use crate::isa::Backend;
use crate::layers::{Dispatch, Kind, Place};
use crate::number::Number;
use crate::state::State;
use bytemuck::Pod;
use core::marker::PhantomData;
use core::ops::Range;

/// Inputs of the golden trace, step by step, and the answer after the last.
type Golden<'m, N> = (&'m [<N as Number>::In], &'m [<N as Number>::Out]);

impl<'m, N: Number, const KINDS: u32> Model<'m, N, KINDS> {
    /// Checks a model file and takes it up. `bytes` may be longer than the file, as a flash page is.
    ///
    /// # Errors
    /// Whatever is wrong with the file: see [`Error`].
    pub fn new(bytes: &'m [u8]) -> Result<Self, Error> {
        let preamble = check_preamble(bytes, N::DTYPE)?;
        let bytes = bytes.get(..preamble.file_len as usize).unwrap_or(bytes);
        let layers = section(bytes, "layers", PREAMBLE_LEN, preamble.layer_count as usize)?;
        let words = preamble.weights_len as usize / 4;
        let weights = section::<u32>(bytes, "weights", preamble.weights_at as usize, words)?;
        let weights = bytemuck::try_cast_slice(weights).map_err(|_| Error::Misaligned)?;
        section::<u8>(bytes, "header", preamble.header_at as usize, preamble.header_len as usize)?;
        let backend = Backend::best();
        let mut model = Model { bytes, preamble, layers, weights, body: 0, backend, number: PhantomData };
        model.body = model.check_layers()?;
        model.golden()?;
        Ok(model)
    }

    /// Walks the layers as a step does, and gives the number of those that run at every step.
    fn check_layers(&self) -> Result<usize, Error> {
        let mut size = self.preamble.input_size;
        let (mut weights, mut memory, mut body) = (0usize, 0usize, 0);
        let mut kinds = 0u32;
        let mut sequences = true;
        for (i, record) in self.layers.iter().enumerate() {
            let fault = |reason| Error::Layer { index: i as u16, reason };
            N::check::<KINDS>(record).map_err(fault)?;
            let place = Place::of(i, self.layers.len());
            let need = |words: Option<usize>| words.ok_or(fault(LayerFault::Size));
            if record.input_size != size {
                return Err(fault(LayerFault::InputSize));
            }
            check_place::<N, KINDS>(record, i, place, sequences).map_err(fault)?;
            let own = need(N::weights::<KINDS>(record))?;
            if own.checked_mul(size_of::<N::Weight>()) != Some(record.weights_len as usize) {
                return Err(fault(LayerFault::Weights));
            }
            weights = need(weights.checked_add(own))?;
            memory = need(memory.checked_add(need(<N as Dispatch>::memory::<KINDS>(record, place))?))?;
            if N::is_recurrent::<KINDS>(record) {
                sequences = record.return_sequences();
                body = i + 1;
            }
            kinds |= 1u32.wrapping_shl(record.kind.into());
            size = record.units;
        }
        let expected = |name, right: bool| if right { Ok(()) } else { Err(Error::Section { name }) };
        expected("layers", !self.layers.is_empty() && kinds == self.preamble.layer_kinds)?;
        expected("outputs", size == self.preamble.output_size)?;
        expected("outputs", sequences as u8 == self.preamble.flags)?;
        expected("weights", weights == self.weights.len())?;
        expected("memory", memory.checked_mul(4) == Some(self.preamble.ram_needed as usize))?;
        Ok(body)
    }

    /// The golden trace.
    pub(super) fn golden(&self) -> Result<Golden<'m, N>, Error> {
        let malformed = Error::Section { name: "golden" };
        let values = (self.preamble.golden_steps as usize).checked_mul(self.input_size()).ok_or(malformed)?;
        let at = self.preamble.golden_at as usize;
        let inputs: &[N::In] = section(self.bytes, "golden", at, values)?;
        let end = at + size_of_val(inputs).next_multiple_of(4);
        if inputs.is_empty() {
            return Err(malformed);
        }
        Ok((inputs, section(self.bytes, "golden", end, self.output_size())?))
    }

    /// Whether the state was made for this model.
    #[inline(always)]
    pub(crate) fn check_owner(&self, state: &State<'_, N>) -> Result<(), Error> {
        let same = state.model == self.preamble.crc32
            && size_of_val(&*state.memory) == self.preamble.ram_needed as usize;
        if same { Ok(()) } else { Err(Error::ForeignState) }
    }

    /// Where the state lies in memory, after a step in `phase`.
    pub(crate) fn saved_ranges(&self, phase: bool) -> impl Iterator<Item = Range<usize>> {
        let mut at = 0usize;
        self.layers.iter().flat_map(move |record| {
            let start = at;
            at = at.saturating_add(<N as Dispatch>::memory::<KINDS>(record, Place::Inner).unwrap_or(0));
            let [a, b] = N::state::<KINDS>(record, phase);
            [start + a.start..start + a.end, start + b.start..start + b.end]
        })
    }

    /// Bytes that [`State::save`] needs at most.
    pub fn saved_len(&self) -> usize {
        let words: usize = self.saved_ranges(false).map(|range| range.len()).sum();
        crate::state::SAVED_OVERHEAD + words * 4
    }
}

/// Rules about neighbours: what may stand where.
fn check_place<N: Number, const KINDS: u32>(
    record: &LayerRecord,
    index: usize,
    place: Place,
    sequences: bool,
) -> Result<(), LayerFault> {
    let last = place == Place::Last;
    let normalization = record.kind == Kind::Normalization as u8;
    let recurrent = N::is_recurrent::<KINDS>(record);
    let integer = N::DTYPE == DType::I8;
    let softmax = record.activation == crate::format::Activation::Softmax as u8;
    let wrong = (recurrent && !sequences)
        || (record.return_sequences() && !recurrent)
        || (integer && normalization != (index == 0))
        || (integer && last && normalization)
        || (integer && softmax && !last);
    if wrong { Err(LayerFault::Place) } else { Ok(()) }
}

/// Bytes of RAM that a state of these layers needs; `None` if they are too large to count.
pub fn ram_for<N: Number>(layers: &[LayerRecord]) -> Option<usize> {
    let words =
        |(i, record)| <N as Dispatch>::memory::<{ crate::ALL_KINDS }>(record, Place::of(i, layers.len()));
    layers
        .iter()
        .enumerate()
        .map(words)
        .try_fold(0usize, |sum, words| sum.checked_add(words?))?
        .checked_mul(4)
}

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
    let known = preamble.flags <= 1 && preamble.reserved == [0; 2] && preamble.weights_len.is_multiple_of(4);
    if known { Ok(preamble) } else { Err(Error::Section { name: "preamble" }) }
}

/// `count` values of `T` from byte `at` on.
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

const _: () = assert!(PREAMBLE_LEN == 80 && RECORD_LEN == 32, "FORMAT.md gives these");
