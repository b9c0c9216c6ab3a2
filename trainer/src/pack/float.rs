//! Model files of floats, f32 and f16, written from a network.

use anyhow::{Context, Result, bail};
use embedded_rnn::format::{DIRECTION, LayerRecord, MASKS};
use embedded_rnn::{F16, F32, Kind as Code, Number};
use half::f16;

use super::errors::Quantized;
use super::file::{FileSpec, Packed, assemble};
use super::layout::{Place, panels};
use super::lower::lowered;
use super::parts::Parts;
use super::{Meta, check_packable, golden_frames};
use crate::layers::{
    Activation, Bidirectional, Embedding, Kind, Layer, LayerNormalization, Masking, Normalization,
};
use crate::net::Network;

/// How far arithmetic with separate roundings may be from the golden answer of fused arithmetic, relative to its largest
/// value: some hundred ULP, far below any fault.
const GOLDEN_TOLERANCE: f32 = 1e-4;

/// Numbers whose arithmetic is f32: how their weights are written and read.
pub trait FloatWeights: Number<In = f32, Out = f32> {
    /// Weights to the nearest that the file can hold.
    fn rounded(weights: Vec<f32>) -> Vec<Self::Weight>;
    /// Numbers that stay f32 in every file, as many bytes of them.
    fn kept(numbers: Vec<f32>) -> Vec<Self::Weight>;
    /// The weights of a file as f32.
    fn widened(weights: &[Self::Weight]) -> Vec<f32>;
}

impl FloatWeights for F32 {
    fn rounded(weights: Vec<f32>) -> Vec<f32> {
        weights
    }
    fn kept(numbers: Vec<f32>) -> Vec<f32> {
        numbers
    }
    fn widened(weights: &[f32]) -> Vec<f32> {
        weights.to_vec()
    }
}

impl FloatWeights for F16 {
    fn rounded(weights: Vec<f32>) -> Vec<u16> {
        weights.into_iter().map(|w| f16::from_f32(w).to_bits()).collect()
    }
    fn kept(numbers: Vec<f32>) -> Vec<u16> {
        bytemuck::cast_slice(&numbers).to_vec()
    }
    fn widened(weights: &[u16]) -> Vec<f32> {
        weights.iter().map(|&bits| f16::from_bits(bits).to_f32()).collect()
    }
}

/// The model file of a network in [`F32`] or [`F16`]. `frames` are real input frames, the first of which become the
/// golden trace.
///
/// # Errors
/// A weight that is too large for binary16, with its layer's name; a network without layers or frames, or with layers that
/// the runtime does not have.
pub fn write_float<N: FloatWeights>(network: &Network<f32>, meta: &Meta, frames: &[f32]) -> Result<Vec<u8>> {
    check_packable(network)?;
    let network = lowered(network);
    let golden = golden_frames(frames, network.input_size)?;
    let largest = network.predict(golden).iter().fold(1f32, |max, y| max.max(y.abs()));
    let outline = FileSpec::<N> {
        meta,
        returns_sequences: network.returns_sequences(),
        input_scale: 1.0,
        output_scale: 1.0,
        golden_tolerance: GOLDEN_TOLERANCE * largest,
        golden: &|_| Ok(golden.to_vec()),
        golden_steps: golden.len() / network.input_size,
    };
    let chain = |layers: &[Layer<f32>]| -> Result<Vec<_>> {
        let packed = layers.iter().map(|layer| packed::<N>(layer).with_context(|| layer.name.clone()));
        Ok(packed.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    };
    let decoder = network.decoder.as_ref().map_or(Ok(Vec::new()), |decoder| chain(&decoder.layers))?;
    assemble(&outline, chain(&network.layers)?, decoder)
}

/// The model file of a network with its weights rounded to `N`, and the error of each layer that this causes on
/// `sequences`, the first of which gives the golden trace.
pub fn rounded<N: FloatWeights>(
    network: &Network<f32>,
    meta: &Meta,
    sequences: &[&[f32]],
) -> Result<Quantized> {
    let frames = sequences.iter().find(|s| !s.is_empty()).context("no frames")?;
    Quantized::new(&lowered(network), sequences, |network| write_float::<N>(network, meta, frames))
}

/// The records that a layer becomes, with their weights.
fn packed<N: FloatWeights>(layer: &Layer<f32>) -> Result<Vec<Packed<N::Weight>>> {
    let name = layer.name.as_str();
    let one = |record, weights| vec![Packed { record, weights, name: name.to_owned() }];
    Ok(match &layer.kind {
        Kind::Normalization(layer) => one(
            framewise_record(Code::Normalization, layer.mean.nrows()),
            N::kept(scales_and_offsets(layer, 1.0)),
        ),
        Kind::BatchNormalization(layer) => {
            let (scale, offset) = layer.scale_and_offset();
            let numbers = [scale.as_slice(), offset.as_slice()].concat();
            one(framewise_record(Code::BatchNormalization, scale.nrows()), N::kept(numbers))
        }
        Kind::LayerNormalization(layer) => one(
            framewise_record(Code::LayerNormalization, layer.gamma.nrows()),
            N::kept(gamma_beta_epsilon(layer)),
        ),
        Kind::Embedding(layer) => {
            let mut weights = layer.weight.as_slice().to_vec();
            weights.resize(weights.len().next_multiple_of(size_of::<f32>() / size_of::<N::Weight>()), 0.0);
            one(embedding_record(layer), fitting::<N>(weights)?)
        }
        Kind::Dense(layer) => vec![sums::<N>(&Parts::dense(layer), name)?],
        Kind::Recurrent(layer) => vec![sums::<N>(&Parts::recurrent(layer), name)?],
        Kind::Bidirectional(layer) => {
            let [f, b] = directions(layer, name);
            let mut records = vec![sums::<N>(&f.0, &f.1)?, sums::<N>(&b.0, &b.1)?];
            records.iter_mut().for_each(|packed| packed.record.flags |= DIRECTION);
            records.push(Packed { record: merge_record(layer), weights: Vec::new(), name: name.to_owned() });
            records
        }
        Kind::Activation(layer) => one(activation_record(layer), Vec::new()),
        Kind::Masking(layer) => one(masking_record(layer), N::kept(vec![layer.mask_value])),
        Kind::Dropout(_) => Vec::new(),
    })
}

/// Weights to the nearest that the file can hold, none of them out of its range.
fn fitting<N: FloatWeights>(words: Vec<f32>) -> Result<Vec<N::Weight>> {
    let weights = N::rounded(words.clone());
    let lost = |(was, is): (&f32, f32)| was.is_finite() && !is.is_finite();
    if words.iter().zip(N::widened(&weights)).any(lost) {
        bail!("a weight beyond 65,504, the largest of binary16");
    }
    Ok(weights)
}

fn sums<N: FloatWeights>(parts: &Parts, name: &str) -> Result<Packed<N::Weight>> {
    let number = |place| match place {
        Place::Bias(row) => parts.bias(row) * parts.fold(row),
        Place::Input(row, k) => parts.weights.w_ih[(row, k)] * parts.fold(row),
        Place::BiasApart(row) => parts.weights.recurrent_bias[row] * parts.fold(row),
        Place::Recurrent(row, k) => parts.weights.w_hh[(row, k)] * parts.fold(row),
    };
    let words = panels(parts.form, parts.sizes()).map(|place| place.map_or(0.0, number)).collect();
    Ok(Packed { record: parts.record(), weights: fitting::<N>(words)?, name: name.to_owned() })
}

/// The two directions, with names of their own.
pub fn directions(layer: &Bidirectional<f32>, name: &str) -> [(Parts, String); 2] {
    let named = |layer, direction| (Parts::recurrent(layer), format!("{name}/{direction}"));
    [named(&layer.forward, "forward"), named(&layer.backward, "backward")]
}

/// The record that merges two directions.
pub fn merge_record(layer: &Bidirectional<f32>) -> LayerRecord {
    let units = layer.forward.cell.get().hidden_size() as u32;
    let mode = layer.merge_mode.code();
    LayerRecord {
        kind: Code::Bidirectional as u8,
        merge_mode: mode as u8,
        input_size: 2 * units,
        units: mode.merged(units),
        output_scale: 1.0,
        ..bytemuck::Zeroable::zeroed()
    }
}

/// The record of a layer that gives as many features as it takes.
pub fn framewise_record(kind: Code, features: usize) -> LayerRecord {
    LayerRecord {
        kind: kind as u8,
        input_size: features as u32,
        units: features as u32,
        output_scale: 1.0,
        ..bytemuck::Zeroable::zeroed()
    }
}

/// The record of an embedding.
pub fn embedding_record(layer: &Embedding<f32>) -> LayerRecord {
    LayerRecord {
        kind: Code::Embedding as u8,
        flags: if layer.mask_zero { MASKS } else { 0 },
        input_size: 1,
        units: layer.weight.nrows() as u32,
        input_dim: layer.weight.ncols() as u32,
        output_scale: 1.0,
        ..bytemuck::Zeroable::zeroed()
    }
}

/// The record of a function of every frame.
pub fn activation_record(layer: &Activation<f32>) -> LayerRecord {
    LayerRecord { activation: layer.function.code() as u8, ..framewise_record(Code::Activation, layer.size) }
}

/// The record of a mask.
pub fn masking_record(layer: &Masking<f32>) -> LayerRecord {
    LayerRecord { flags: MASKS, ..framewise_record(Code::Masking, layer.size) }
}

/// gamma, beta, epsilon.
fn gamma_beta_epsilon(layer: &LayerNormalization<f32>) -> Vec<f32> {
    [layer.gamma.as_slice(), layer.beta.as_slice(), &[layer.epsilon]].concat()
}

/// `(x - mean) / deviation / unit` as `x * scale + offset`: scales, then offsets.
pub fn scales_and_offsets(layer: &Normalization<f32>, unit: f64) -> Vec<f32> {
    let deviation = layer.deviation();
    let scale = |k: usize| 1.0 / (f64::from(deviation[k]) * unit);
    let features = 0..layer.mean.nrows();
    let scales = features.clone().map(|k| scale(k) as f32);
    scales.chain(features.map(|k| (-f64::from(layer.mean[k]) * scale(k)) as f32)).collect()
}
