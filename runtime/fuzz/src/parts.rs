//! Model files taken apart, and assembled with sizes, offsets and checksum that fit.
//!
//! A file that is changed byte by byte is nearly always rejected by the first of some twenty checks.
//! Assembled again after a change, most files reach the check that the change is about, or are accepted.

use embedded_rnn::format::{DIRECTION, GO_BACKWARDS, LayerRecord, PREAMBLE_LEN, Preamble, RECORD_LEN};
use embedded_rnn::packing::{Needs, needs, seal};
use embedded_rnn::{DType, F16, F32, I8, Kind};

use crate::weights;

/// The largest file that is assembled; a step through it takes some microseconds.
pub const MAX_LEN: usize = 1 << 14;
const LAYERS: usize = 10;

/// A model file in parts.
#[derive(Clone)]
pub struct Parts {
    /// The preamble; `file` sets what follows from the other parts.
    pub preamble: Preamble,
    /// The layers; `file` sets their weights' lengths.
    pub records: Vec<LayerRecord>,
    /// The weights of all layers; `file` takes as many as there must be, again from the start if necessary.
    pub weights: Vec<u8>,
    /// The header.
    pub header: Vec<u8>,
    /// The bytes after the file, from which the targets take the inputs.
    pub tail: Vec<u8>,
}

impl Parts {
    /// Takes a file apart; `None` if its sections are not where the preamble has them.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let preamble: Preamble = bytemuck::pod_read_unaligned(bytes.get(..PREAMBLE_LEN)?);
        let section = |at: u32, len: usize| bytes.get(at as usize..(at as usize).checked_add(len)?);
        let count = preamble.layer_count as usize;
        if count > LAYERS {
            return None;
        }
        let records = section(PREAMBLE_LEN as u32, count * RECORD_LEN)?;
        Some(Self {
            preamble,
            records: records.chunks_exact(RECORD_LEN).map(bytemuck::pod_read_unaligned).collect(),
            weights: section(preamble.weights_at, preamble.weights_len as usize)?.to_vec(),
            header: section(preamble.header_at, preamble.header_len as usize)?.to_vec(),
            tail: bytes.get(preamble.file_len as usize..)?.to_vec(),
        })
    }

    /// Returns the dtype, f32 if the code is unknown.
    pub fn dtype(&self) -> DType {
        [DType::F16, DType::I8]
            .into_iter()
            .find(|&dtype| dtype as u8 == self.preamble.dtype)
            .unwrap_or(DType::F32)
    }

    /// Makes the sizes of the layers a chain, each with the outputs of the one before as its inputs.
    pub fn connect(&mut self) {
        let (decoder_at, mut size, mut pair) = (self.preamble.decoder_at as usize, 0, None);
        for (k, record) in self.records.iter_mut().enumerate() {
            if k > 0 && k != decoder_at {
                record.input_size = size;
            }
            let is = |kind: Kind| record.kind == kind as u8;
            if is(Kind::Bidirectional) {
                let merged = if record.merge_mode == 1 { 1 } else { 2 };
                record.units = record.input_size / merged;
            } else if is(Kind::Embedding) {
                record.input_size = 1;
            } else if [Kind::Normalization, Kind::BatchNormalization, Kind::LayerNormalization, Kind::Masking]
                .into_iter()
                .chain([Kind::Activation, Kind::GlobalMaxPooling1D, Kind::GlobalAveragePooling1D, Kind::Add])
                .any(is)
            {
                record.units = record.input_size;
            }
            match (record.flags & (DIRECTION | GO_BACKWARDS), pair) {
                (DIRECTION, _) => pair = Some(record.units),
                (_, Some(units)) if record.flags & DIRECTION != 0 => {
                    (record.units, size, pair) = (units, units.saturating_mul(2), None);
                    continue;
                }
                _ => pair = None,
            }
            // The second direction has the inputs of the first.
            size = if pair.is_some() { record.input_size } else { record.units };
        }
    }

    /// Assembles the file; `None` if it is too large.
    pub fn file(&self) -> Option<Vec<u8>> {
        let mut records = self.records.clone();
        let mut weights_len = 0;
        for record in &mut records {
            let len = weights::bytes(self.dtype(), record).unwrap_or(0);
            weights_len += len;
            if weights_len > MAX_LEN as u128 {
                return None;
            }
            record.weights_len = len as u32;
        }
        let decoder_at = self.preamble.decoder_at as usize;
        let needs = match self.dtype() {
            DType::I8 => needs::<I8>(&records, decoder_at),
            DType::F16 => needs::<F16>(&records, decoder_at),
            _ => needs::<F32>(&records, decoder_at),
        };
        let mut bytes = vec![0; PREAMBLE_LEN];
        bytes.extend_from_slice(bytemuck::cast_slice(&records));
        let weights_at = bytes.len();
        bytes.extend(self.weights.iter().copied().cycle().take(weights_len as usize));
        bytes.resize(weights_at + weights_len as usize, 0);
        self.finish(bytes, &records, weights_at, needs?)
    }

    /// Appends golden trace, header and tail, and writes the preamble.
    fn finish(
        &self,
        mut bytes: Vec<u8>,
        records: &[LayerRecord],
        weights_at: usize,
        needs: Needs,
    ) -> Option<Vec<u8>> {
        let (first, last) = (records.first()?, records.last()?);
        let golden_at = bytes.len();
        let width = if self.dtype() == DType::I8 { 2 } else { 4 };
        let inputs = u64::from(self.preamble.golden_steps) * u64::from(first.input_size) * width;
        let golden = inputs.next_multiple_of(4) + 4 * u64::from(last.units);
        if golden > MAX_LEN as u64 {
            return None;
        }
        bytes.resize(golden_at + golden as usize, 0);
        let header_at = bytes.len();
        bytes.extend_from_slice(&self.header);
        let preamble = Preamble {
            file_len: bytes.len() as u32,
            ram_needed: needs.ram_needed as u32,
            ram_per_step: needs.ram_per_step as u32,
            features: needs.features,
            input_size: first.input_size,
            output_size: last.units,
            layer_count: records.len() as u32,
            weights_at: weights_at as u32,
            weights_len: (golden_at - weights_at) as u32,
            golden_at: golden_at as u32,
            header_at: header_at as u32,
            header_len: self.header.len() as u32,
            ..self.preamble
        };
        bytes[..PREAMBLE_LEN].copy_from_slice(bytemuck::bytes_of(&preamble));
        bytes.extend_from_slice(&self.tail);
        seal(&mut bytes);
        (bytes.len() <= MAX_LEN).then_some(bytes)
    }
}
