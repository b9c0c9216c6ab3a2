//! Model files and saved states put together by FORMAT.md, without the packer: anything that the door lets through.

use embedded_rnn::format::{ALIGN, LayerRecord, PREAMBLE_LEN, Preamble, checksum};
use embedded_rnn::{Kind, Number, needs};
use embedded_rnn_trainer::pack::AlignedBytes;

/// A layer of a file; `words` are its weights, its record's `weights_len` is filled in.
#[derive(Clone, Debug)]
pub struct Layer {
    pub record: LayerRecord,
    pub words: Vec<u32>,
}

/// A file of these layers with a golden trace of one step, all zero. The sequence flag is as the layers say.
pub fn file<N: Number>(layers: &[Layer]) -> AlignedBytes {
    let records: Vec<LayerRecord> = layers
        .iter()
        .map(|layer| LayerRecord { weights_len: 4 * layer.words.len() as u32, ..layer.record })
        .collect();
    let (first, last) = (records[0], records[records.len() - 1]);
    let mut bytes = vec![0; PREAMBLE_LEN];
    bytes.extend_from_slice(bytemuck::cast_slice(&records));
    bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
    let weights_at = bytes.len();
    layers.iter().for_each(|layer| bytes.extend_from_slice(bytemuck::cast_slice(&layer.words)));
    let golden_at = bytes.len();
    let input = first.input_size() * size_of::<N::In>();
    bytes.resize(golden_at + input.next_multiple_of(4) + last.units() * size_of::<N::Out>(), 0);
    let needs = needs::<N>(&records, 0).unwrap();
    let preamble = Preamble {
        flags: records.iter().filter(|r| is_recurrent(r)).all(LayerRecord::return_sequences).into(),
        file_len: bytes.len() as u32,
        ram_needed: needs.ram_needed as u32,
        ram_a_step: needs.ram_a_step as u32,
        features: needs.features,
        input_size: first.input_size,
        output_size: last.units,
        layer_count: records.len() as u32,
        weights_at: weights_at as u32,
        weights_len: (golden_at - weights_at) as u32,
        golden_at: golden_at as u32,
        golden_steps: 1,
        header_at: bytes.len() as u32,
        input_scale: 1.0,
        output_scale: 1.0,
        ..Preamble::new(N::DTYPE)
    };
    let mut bytes = AlignedBytes::new(&bytes);
    bytes[..PREAMBLE_LEN].copy_from_slice(bytemuck::bytes_of(&preamble));
    seal(&mut bytes);
    bytes
}

/// Makes the CRC-32 right again: for the bytes that the file has by its own account, if they are there.
pub fn seal(bytes: &mut [u8]) {
    let len = bytes.get(8..12).map_or(0, |len| u32::from_le_bytes(len.try_into().unwrap()) as usize);
    let crc = checksum(bytes.get(..len).unwrap_or(bytes));
    if let Some(field) = bytes.get_mut(12..16) {
        field.copy_from_slice(&crc.to_le_bytes());
    }
}

/// A saved state of the model in `file`, of these words, with the right CRC-32.
pub fn saved(file: &[u8], words: &[u32]) -> Vec<u8> {
    let model = u32::from_le_bytes(file[12..16].try_into().unwrap());
    let mut bytes = postcard::to_allocvec(&(1u8, model, words.len() as u32)).unwrap();
    bytes.extend_from_slice(bytemuck::cast_slice(words));
    sealed(bytes)
}

/// A saved state's bytes and the CRC-32 that they ask for.
pub fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// Whether the layer carries a state.
pub fn is_recurrent(record: &LayerRecord) -> bool {
    let cells = [Kind::SimpleRnn, Kind::Lstm, Kind::Gru, Kind::GruResetBefore];
    cells.iter().any(|&kind| record.kind == kind as u8)
}

/// Says where a test was when it failed, whether by an assertion or by a panic in the runtime.
pub struct Place<T: std::fmt::Debug>(pub T);

impl<T: std::fmt::Debug> Drop for Place<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed at {:?}", self.0);
        }
    }
}
