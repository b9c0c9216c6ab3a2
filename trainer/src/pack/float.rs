//! f32 model files: written from a network, and read back into one.

use anyhow::{Context, Result, anyhow, bail};
use embedded_rnn::format::LayerRecord;
use embedded_rnn::{F32, Kind as Code, Model};

use super::file::{Outline, Packed, assemble};
use super::layout::{of_panels, panels};
use super::parts::{Parts, activation, parts};
use super::{Meta, golden_frames};
use crate::cells::{AnyCell, Lstm, SimpleRnn};
use crate::layers::{Dense, Kind, Layer, Normalization, Recurrent};
use crate::net::Network;
use crate::tensor::Matrix;

/// How far arithmetic with separate roundings may be from the golden answer of fused arithmetic, relative to its largest
/// value: some hundred ULP, far below any fault.
const GOLDEN_TOLERANCE: f32 = 1e-4;

/// The f32 model file of a network. `frames` are real input frames, the first of which become the golden trace.
pub fn write_f32(network: &Network<f32>, meta: &Meta, frames: &[f32]) -> Result<Vec<u8>> {
    let golden = golden_frames(frames, network.input_size)?;
    let largest = network.predict(golden).iter().fold(1f32, |max, y| max.max(y.abs()));
    let outline = Outline::<F32> {
        meta,
        returns_sequences: network.returns_sequences(),
        input_scale: 1.0,
        output_scale: 1.0,
        golden_tolerance: GOLDEN_TOLERANCE * largest,
        golden: &|_| Ok(golden.to_vec()),
        golden_steps: golden.len() / network.input_size,
    };
    assemble(&outline, network.layers.iter().map(packed).collect())
}

fn packed(layer: &Layer<f32>) -> Packed<f32> {
    let (record, words) = match (&layer.kind, parts(layer)) {
        (Kind::Normalization(normalization), _) => {
            (normalization_record(normalization.mean.nrows()), scales_and_offsets(normalization, 1.0))
        }
        (_, Some(parts)) => (parts.record(), float_words(&parts)),
        (_, None) => unreachable!("every layer but Normalization has parts"),
    };
    Packed { record, words, name: layer.name.clone() }
}

/// The record of a Normalization of `features`.
pub fn normalization_record(features: usize) -> LayerRecord {
    LayerRecord {
        kind: Code::Normalization as u8,
        input_size: features as u32,
        units: features as u32,
        output_scale: 1.0,
        ..bytemuck::Zeroable::zeroed()
    }
}

/// `(x - mean) / deviation / unit` as `x * scale + offset`: scales, then offsets.
pub fn scales_and_offsets(layer: &Normalization<f32>, unit: f64) -> Vec<f32> {
    let deviation = layer.deviation();
    let scale = |k: usize| 1.0 / (f64::from(deviation[k]) * unit);
    let features = 0..layer.mean.nrows();
    let scales = features.clone().map(|k| scale(k) as f32);
    scales.chain(features.map(|k| (-f64::from(layer.mean[k]) * scale(k)) as f32)).collect()
}

fn float_words(p: &Parts<'_>) -> Vec<f32> {
    let inputs = p.w_ih.ncols();
    let columns = 1 + inputs + p.w_hh.map_or(0, Matrix::ncols);
    panels(p.gates.len(), p.units(), columns, |row, column| {
        let value = match column {
            0 => p.bias[row],
            k if k <= inputs => p.w_ih[(row, k - 1)],
            k => p.w_hh.map_or(0.0, |w| w[(row, k - 1 - inputs)]),
        };
        value * p.fold(row)
    })
}

/// Reads an f32 model file back into a network.
pub fn read_f32(bytes: &[u8]) -> Result<(Network<f32>, Meta)> {
    let model = Model::<F32>::new(bytes).map_err(|e| anyhow!("{e}"))?;
    let header = model.header().context("header: not readable")?;
    let names: Vec<_> = header.layers().map(|info| info.name.to_owned()).collect();
    let meta = Meta {
        name: header.info().name.to_owned(),
        origins: header
            .layers()
            .filter(|info| !info.origin.is_empty())
            .map(|info| (info.name.to_owned(), info.origin.to_owned()))
            .collect(),
        labels: header.labels().map(str::to_owned).collect(),
    };
    let mut weights = model.weights();
    let mut layers = Vec::new();
    for (i, record) in model.layers().iter().enumerate() {
        let (own, rest) = weights.split_at(record.weights_len as usize / 4);
        weights = rest;
        let name = names.get(i).cloned().unwrap_or_else(|| format!("layer_{i}"));
        let kind = layer_of(record, own).with_context(|| format!("layer {i} ({name})"))?;
        layers.push(Layer { name, kind });
    }
    Ok((Network { input_size: model.input_size(), layers }, meta))
}

fn layer_of(record: &LayerRecord, words: &[f32]) -> Result<Kind<f32>> {
    let units = record.units();
    let activation = activation(record.activation).context("unknown activation")?;
    let return_sequences = record.return_sequences();
    Ok(match Code::from_code(record.kind, embedded_rnn::ALL_KINDS) {
        Some(Code::Normalization) => Kind::Normalization(normalization_of(words)),
        Some(Code::Dense) => {
            let (weight, _, bias) = matrices(record, words, &[1.0 / fold(record.activation)], false);
            debug_assert_eq!(bias.nrows(), units);
            Kind::Dense(Dense { weight, bias, activation })
        }
        Some(Code::SimpleRnn) => {
            let (w_ih, w_hh, bias) = matrices(record, words, &[1.0 / fold(record.activation)], true);
            let cell = AnyCell::SimpleRnn(SimpleRnn { w_ih, w_hh, bias, activation });
            Kind::Recurrent(Recurrent { cell, return_sequences })
        }
        Some(Code::Lstm) => {
            let (w_ih, w_hh, bias) = matrices(record, words, &[2.0, 2.0, 1.0, 2.0], true);
            Kind::Recurrent(Recurrent { cell: AnyCell::Lstm(Lstm { w_ih, w_hh, bias }), return_sequences })
        }
        _ => bail!("kind {} cannot be read back", record.kind),
    })
}

fn fold(activation: u8) -> f32 {
    if activation == embedded_rnn::format::Activation::Sigmoid as u8 { 0.5 } else { 1.0 }
}

/// `w_ih`, `w_hh` and bias of a layer with a gate for each of `unfold`, whose rows are multiplied with it.
fn matrices(
    record: &LayerRecord,
    words: &[f32],
    unfold: &[f32],
    recurrent: bool,
) -> (Matrix<f32>, Matrix<f32>, Matrix<f32>) {
    let (inputs, units) = (record.input_size(), record.units());
    let hidden = if recurrent { units } else { 0 };
    let columns = 1 + inputs + hidden;
    let matrix = |from: usize, count: usize| {
        Matrix::from_fn(unfold.len() * units, count, |row, k| {
            of_panels(words, unfold.len(), units, columns, row, from + k) * unfold[row / units]
        })
    };
    (matrix(1, inputs), matrix(1 + inputs, hidden), matrix(0, 1))
}

fn normalization_of(words: &[f32]) -> Normalization<f32> {
    let (scales, offsets) = words.split_at(words.len() / 2);
    let column = |f: &dyn Fn(usize) -> f64| Matrix::from_fn(scales.len(), 1, |k, _| f(k) as f32);
    Normalization {
        mean: column(&|k| -f64::from(offsets[k]) / f64::from(scales[k])),
        variance: column(&|k| f64::from(scales[k]).powi(-2)),
    }
}
