//! Model files assembled by the rules of FORMAT.md, without the packer: anything that validation at load
//! accepts.

use embedded_rnn::format::{ALIGN, LayerRecord, PREAMBLE_LEN, Preamble};
use embedded_rnn::packing::{needs, seal};
use embedded_rnn::{ALL_FEATURES, F16, F32, Kind, Model, Number};
use embedded_rnn_trainer::pack::{AlignedBytes, FloatWeights};

/// A layer of a file; `words` are its weights. `file` sets the `weights_len` of the record.
#[derive(Clone, Debug)]
pub struct Layer {
    pub record: LayerRecord,
    pub words: Vec<u32>,
}

/// Returns a file of these layers, with a golden trace of one time step, all zero. If `decoder_at` is not 0,
/// the layers from there on are a decoder. The sequence flag follows from the layers.
pub fn file<N: Number>(layers: &[Layer], decoder_at: usize) -> AlignedBytes {
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
    let needs = needs::<N>(&records, decoder_at).unwrap();
    let output_stage = records.get(decoder_at..).unwrap_or_default();
    let preamble = Preamble {
        flags: output_stage.iter().filter(|r| is_recurrent(r)).all(LayerRecord::return_sequences).into(),
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
        golden_steps: 1,
        header_at: bytes.len() as u32,
        input_scale: 1.0,
        output_scale: 1.0,
        decoder_at: decoder_at as u32,
        ..Preamble::new(N::DTYPE)
    };
    let mut bytes = AlignedBytes::new(&bytes);
    bytes[..PREAMBLE_LEN].copy_from_slice(bytemuck::bytes_of(&preamble));
    seal(&mut bytes);
    bytes
}

/// Returns whether the layer carries a state.
pub fn is_recurrent(record: &LayerRecord) -> bool {
    Kind::from_code(record.kind, ALL_FEATURES).is_some_and(Kind::is_recurrent)
}

/// Returns whether the layer is a cell, whose state is h, and c in an LSTM.
pub fn is_cell(record: &LayerRecord) -> bool {
    Kind::from_code(record.kind, ALL_FEATURES).is_some_and(Kind::is_cell)
}

/// Returns the layers of a file, with their packed weights.
pub fn layers_of<N: Number>(file: &[u8]) -> Vec<Layer> {
    let model = Model::<N>::new(file).unwrap();
    let mut words: &[u32] = bytemuck::cast_slice(model.weights());
    let own = |record: &LayerRecord| {
        let (own, rest) = words.split_at(record.weights_len as usize / 4);
        words = rest;
        Layer { record: *record, words: own.to_vec() }
    };
    model.layers().iter().map(own).collect()
}

/// Returns the same model with its half floats as f32, which represents them exactly.
pub fn widened(half: &[u8]) -> AlignedBytes {
    let single = [Kind::Normalization, Kind::BatchNormalization, Kind::LayerNormalization, Kind::Masking];
    let mut layers = layers_of::<F16>(half);
    for Layer { record, words } in &mut layers {
        if !single.iter().any(|&kind| record.kind == kind as u8) {
            let weights = F16::to_f32(bytemuck::cast_slice(words));
            // Rows of an Embedding may be padded to whole words.
            let ids = (record.input_dim * record.units) as usize;
            let count = if record.kind == Kind::Embedding as u8 { ids } else { weights.len() };
            *words = weights[..count].iter().map(|weight| weight.to_bits()).collect();
        }
    }
    let decoder_at = Model::<F16>::new(half).unwrap().preamble().decoder_at;
    file::<F32>(&layers, decoder_at as usize)
}
