//! Assembly of the sections of a model file.

use anyhow::{Context, Result, anyhow, ensure};
use bytemuck::{Pod, Zeroable};
use embedded_rnn::format::header::{LayerInfo, ModelInfo};
use embedded_rnn::format::{ALIGN, PREAMBLE_LEN, Preamble, checksum};
use embedded_rnn::packing::needs;
use embedded_rnn::{AlignedBytes, Kind, Model, Number, ram_needed_for};
use embedded_rnn_nn::export::PackedLayer;

use crate::meta::Meta;

/// Computes the inputs of the golden trace in the input type of the packed model.
pub type Golden<'a, N> = dyn Fn(&Model<'_, N>) -> Result<Vec<<N as Number>::In>> + 'a;

/// The values of a file that do not follow from its layers.
pub struct FileSpec<'a, N: Number> {
    pub meta: &'a Meta,
    pub returns_sequences: bool,
    pub input_scale: f32,
    pub output_scale: f32,
    pub golden_tolerance: f32,
    /// Inputs of the golden trace; the runtime computes the output.
    pub golden: &'a Golden<'a, N>,
    /// Time steps of the golden trace.
    pub golden_steps: usize,
}

/// Assembles a file from its layers; `decoder` is empty in a model without one.
///
/// The runtime loads the file to compute the golden output, so that every file has passed validation once.
///
/// # Errors
/// Sections of more than 4 GiB, no layers, or a file that the runtime rejects.
pub fn assemble<N: Number>(
    spec: &FileSpec<'_, N>,
    mut layers: Vec<PackedLayer<N::Weight>>,
    decoder: Vec<PackedLayer<N::Weight>>,
) -> Result<Vec<u8>> {
    let decoder_at = if decoder.is_empty() { 0 } else { layers.len() };
    layers.extend(decoder);
    for layer in &mut layers {
        let len = size_of_val(&layer.weights[..]);
        layer.record.weights_len = u32::try_from(len).context("weights over 4 GiB")?;
    }
    let records: Vec<_> = layers.iter().map(|layer| layer.record).collect();
    let header = header(spec.meta, &layers)?;
    let (first, last) = (records.first().context("no layers")?, records.last().context("no layers")?);
    let mut preamble = Preamble::new(N::DTYPE);
    preamble.flags = spec.returns_sequences.into();
    preamble.decoder_at = decoder_at.try_into()?;
    let needs = needs::<N>(&records, decoder_at).context("RAM too large to count")?;
    preamble.ram_needed = needs.ram_needed.try_into().context("RAM over 4 GiB")?;
    preamble.ram_per_step = needs.ram_per_step.try_into().context("RAM over 4 GiB")?;
    preamble.features = needs.features;
    (preamble.input_size, preamble.output_size) = (first.input_size, last.units);
    preamble.layer_count = records.len() as u32;
    preamble.input_scale = spec.input_scale;
    preamble.output_scale = spec.output_scale;
    preamble.golden_tolerance = spec.golden_tolerance;
    preamble.golden_steps = spec.golden_steps as u32;

    let mut bytes = vec![0; PREAMBLE_LEN];
    bytes.extend_from_slice(bytemuck::cast_slice(&records));
    bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
    preamble.weights_at = bytes.len().try_into()?;
    layers.iter().for_each(|layer| bytes.extend_from_slice(bytemuck::cast_slice(&layer.weights)));
    preamble.weights_len = (bytes.len() - preamble.weights_at as usize).try_into().context("over 4 GiB")?;
    preamble.golden_at = bytes.len().try_into()?;
    let inputs = spec.golden_steps * preamble.input_size as usize * size_of::<N::In>();
    let outputs = preamble.output_size as usize * size_of::<N::Out>();
    bytes.resize(bytes.len() + inputs.next_multiple_of(4) + outputs, 0);
    preamble.header_at = bytes.len().try_into()?;
    preamble.header_len = header.len().try_into()?;
    bytes.extend_from_slice(&header);
    preamble.file_len = bytes.len().try_into().context("file over 4 GiB")?;
    seal(&mut bytes, preamble);
    write_golden(spec, &mut bytes, preamble)?;
    seal(&mut bytes, preamble);
    Ok(bytes)
}

fn seal(bytes: &mut [u8], mut preamble: Preamble) {
    bytes[..PREAMBLE_LEN].copy_from_slice(bytemuck::bytes_of(&preamble));
    preamble.crc32 = checksum(bytes);
    bytes[..PREAMBLE_LEN].copy_from_slice(bytemuck::bytes_of(&preamble));
}

fn write_golden<N: Number>(spec: &FileSpec<'_, N>, bytes: &mut [u8], preamble: Preamble) -> Result<()> {
    let aligned = AlignedBytes::new(bytes);
    let model = Model::<N>::new(&aligned).map_err(|e| anyhow!("packed file: {e}"))?;
    let inputs = (spec.golden)(&model)?;
    let steps = inputs.len() / model.input_size();
    let mut ram = AlignedBytes::zeroed(ram_needed_for(bytes, steps));
    let mut out: Vec<N::Out> = vec![Zeroable::zeroed(); model.run_output_len(steps)];
    let mut state = model.state(&mut ram)?;
    model.run(&mut state, &inputs, &mut out)?;
    if model.has_decoder() {
        out = model.decoder_step(&mut state, 0)?.to_vec();
    }
    let output = &out[out.len() - model.output_size()..];
    let at = preamble.golden_at as usize;
    put(bytes, at, &inputs);
    let end = at + size_of_val(&inputs[..]).next_multiple_of(4);
    put(bytes, end, output);
    Ok(())
}

fn put<T: Pod>(bytes: &mut [u8], at: usize, values: &[T]) {
    bytes[at..at + size_of_val(values)].copy_from_slice(bytemuck::cast_slice(values));
}

fn header<W>(meta: &Meta, layers: &[PackedLayer<W>]) -> Result<Vec<u8>> {
    let info = ModelInfo {
        name: &meta.name,
        producer: concat!("ernn ", env!("CARGO_PKG_VERSION")),
        layers: layers.len() as u32,
        labels: meta.labels.len() as u32,
    };
    let mut bytes = postcard::to_allocvec(&info.fields())?;
    for layer in layers {
        let origin = meta.origin(&layer.name);
        bytes.extend(postcard::to_allocvec(&LayerInfo { name: &layer.name, origin }.fields())?);
    }
    for label in &meta.labels {
        bytes.extend(postcard::to_allocvec(label.as_str())?);
    }
    Ok(bytes)
}

/// Time steps of the golden trace: enough for the state to affect the output, few enough for flash.
pub const GOLDEN_STEPS: usize = 4;

/// Returns the first time steps of `frames`, the inputs of the golden trace.
///
/// # Errors
/// No frame.
pub fn golden_frames(frames: &[f32], input_size: usize) -> Result<&[f32]> {
    let steps = (frames.len() / input_size.max(1)).min(GOLDEN_STEPS);
    ensure!(steps > 0, "golden trace: no frame of {input_size} features");
    Ok(&frames[..steps * input_size])
}

/// Sets the number of records that a residual connection spans; the records of other layers are left alone.
pub fn set_span<W>(packed: &mut [PackedLayer<W>], span: usize) {
    if let [PackedLayer { record, .. }] = packed
        && record.kind == Kind::Add as u8
    {
        record.input_dim = span as u32;
    }
}
