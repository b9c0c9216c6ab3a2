//! The sections of a model file, put together.

use std::ops::{Deref, DerefMut};

use anyhow::{Context, Result, anyhow};
use bytemuck::{Pod, Zeroable};
use embedded_rnn::format::header::{LayerInfo, ModelInfo};
use embedded_rnn::format::{ALIGN, LayerRecord, PREAMBLE_LEN, Preamble, checksum};
use embedded_rnn::packing::needs;
use embedded_rnn::{Model, Number, ram_needed_for};

use super::Meta;

/// A layer ready for the file.
pub struct Packed<W> {
    pub record: LayerRecord,
    pub weights: Vec<W>,
    pub name: String,
}

/// The inputs of a golden trace, as the packed model takes them.
pub type Golden<'a, N> = dyn Fn(&Model<'_, N>) -> Result<Vec<<N as Number>::In>> + 'a;

/// What the file says of the whole model beside its layers.
pub struct FileSpec<'a, N: Number> {
    pub meta: &'a Meta,
    pub returns_sequences: bool,
    pub input_scale: f32,
    pub output_scale: f32,
    pub golden_tolerance: f32,
    /// Inputs of the golden trace; the answer is computed.
    pub golden: &'a Golden<'a, N>,
    /// Time steps of the golden trace.
    pub golden_steps: usize,
}

/// Puts a file together; the runtime computes the golden answer, so it has read the file once.
///
/// `decoder` holds the layers of a decoder, if there is one.
pub fn assemble<N: Number>(
    outline: &FileSpec<'_, N>,
    mut layers: Vec<Packed<N::Weight>>,
    decoder: Vec<Packed<N::Weight>>,
) -> Result<Vec<u8>> {
    let decoder_at = if decoder.is_empty() { 0 } else { layers.len() };
    layers.extend(decoder);
    for layer in &mut layers {
        let len = size_of_val(&layer.weights[..]);
        layer.record.weights_len = u32::try_from(len).context("weights over 4 GiB")?;
    }
    let records: Vec<_> = layers.iter().map(|layer| layer.record).collect();
    let header = header(outline.meta, &layers)?;
    let (first, last) = (records.first().context("no layers")?, records.last().context("no layers")?);
    let mut preamble = Preamble::new(N::DTYPE);
    preamble.flags = outline.returns_sequences.into();
    preamble.decoder_at = decoder_at.try_into()?;
    let needs = needs::<N>(&records, decoder_at).context("RAM too large to count")?;
    preamble.ram_needed = needs.ram_needed.try_into().context("RAM over 4 GiB")?;
    preamble.ram_per_step = needs.ram_per_step.try_into().context("RAM over 4 GiB")?;
    preamble.features = needs.features;
    (preamble.input_size, preamble.output_size) = (first.input_size, last.units);
    preamble.layer_count = records.len() as u32;
    preamble.input_scale = outline.input_scale;
    preamble.output_scale = outline.output_scale;
    preamble.golden_tolerance = outline.golden_tolerance;
    preamble.golden_steps = outline.golden_steps as u32;

    let mut bytes = vec![0; PREAMBLE_LEN];
    bytes.extend_from_slice(bytemuck::cast_slice(&records));
    bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
    preamble.weights_at = bytes.len().try_into()?;
    layers.iter().for_each(|layer| bytes.extend_from_slice(bytemuck::cast_slice(&layer.weights)));
    preamble.weights_len = (bytes.len() - preamble.weights_at as usize).try_into().context("over 4 GiB")?;
    preamble.golden_at = bytes.len().try_into()?;
    let inputs = outline.golden_steps * preamble.input_size as usize * size_of::<N::In>();
    let answers = preamble.output_size as usize * size_of::<N::Out>();
    bytes.resize(bytes.len() + inputs.next_multiple_of(4) + answers, 0);
    preamble.header_at = bytes.len().try_into()?;
    preamble.header_len = header.len().try_into()?;
    bytes.extend_from_slice(&header);
    preamble.file_len = bytes.len().try_into().context("file over 4 GiB")?;
    seal(&mut bytes, preamble);
    write_golden(outline, &mut bytes, preamble)?;
    seal(&mut bytes, preamble);
    Ok(bytes)
}

fn seal(bytes: &mut [u8], mut preamble: Preamble) {
    bytes[..PREAMBLE_LEN].copy_from_slice(bytemuck::bytes_of(&preamble));
    preamble.crc32 = checksum(bytes);
    bytes[..PREAMBLE_LEN].copy_from_slice(bytemuck::bytes_of(&preamble));
}

fn write_golden<N: Number>(outline: &FileSpec<'_, N>, bytes: &mut [u8], preamble: Preamble) -> Result<()> {
    let aligned = AlignedBytes::new(bytes);
    let model = Model::<N>::new(&aligned).map_err(|e| anyhow!("packed file: {e}"))?;
    let inputs = (outline.golden)(&model)?;
    let steps = inputs.len() / model.input_size();
    let mut ram = AlignedBytes::zeroed(ram_needed_for(bytes, steps));
    let mut out: Vec<N::Out> = vec![Zeroable::zeroed(); model.run_output_len(steps)];
    let mut state = model.state(&mut ram)?;
    model.run(&mut state, &inputs, &mut out)?;
    if model.has_decoder() {
        out = model.decoder_step(&mut state, 0)?.to_vec();
    }
    let answer = &out[out.len() - model.output_size()..];
    let at = preamble.golden_at as usize;
    put(bytes, at, &inputs);
    let end = at + size_of_val(&inputs[..]).next_multiple_of(4);
    put(bytes, end, answer);
    Ok(())
}

fn put<T: Pod>(bytes: &mut [u8], at: usize, values: &[T]) {
    bytes[at..at + size_of_val(values)].copy_from_slice(bytemuck::cast_slice(values));
}

fn header<W>(meta: &Meta, layers: &[Packed<W>]) -> Result<Vec<u8>> {
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

/// Bytes on the heap at a multiple of [`ALIGN`], as a model in flash has them.
#[derive(Clone, Debug, Default)]
pub struct AlignedBytes {
    chunks: Vec<Chunk>,
    len: usize,
}

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(32))]
struct Chunk([u8; ALIGN]);

impl AlignedBytes {
    /// A copy of `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        let mut aligned = Self::zeroed(bytes.len());
        aligned.copy_from_slice(bytes);
        aligned
    }

    /// So many zeros: room for a state.
    pub fn zeroed(len: usize) -> Self {
        Self { chunks: vec![Chunk([0; ALIGN]); len.div_ceil(ALIGN)], len }
    }
}

impl Deref for AlignedBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.chunks)[..self.len]
    }
}

impl DerefMut for AlignedBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.chunks)[..self.len]
    }
}

impl AsMut<[u8]> for AlignedBytes {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}
