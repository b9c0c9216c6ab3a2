//! Model files of floats, f32 and f16: written from a network, and read back into one.

use anyhow::{Context, Result, anyhow, bail};
use embedded_rnn::format::LayerRecord;
use embedded_rnn::{F16, F32, Kind as Code, Model, Number};
use half::f16;

use super::errors::Quantized;
use super::file::{Outline, Packed, assemble};
use super::layout::{of_panels, panels};
use super::parts::{Parts, activation, check_packable, parts};
use super::{Meta, golden_frames};
use crate::activation::Activation;
use crate::cells::{AnyCell, Gru, Lstm, SimpleRnn};
use crate::layers::{Dense, Kind, Layer, Normalization, Recurrent};
use crate::net::Network;
use crate::tensor::Matrix;

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
    fn rounded(weights: Vec<f32>) -> Vec<f16> {
        weights.into_iter().map(f16::from_f32).collect()
    }
    fn kept(numbers: Vec<f32>) -> Vec<f16> {
        bytemuck::cast_slice(&numbers).to_vec()
    }
    fn widened(weights: &[f16]) -> Vec<f32> {
        weights.iter().map(|w| w.to_f32()).collect()
    }
}

/// The model file of a network in [`F32`] or [`F16`]. `frames` are real input frames, the first of which become the
/// golden trace.
///
/// # Errors
/// A weight that is too large for binary16, with its layer's name; a network without layers or frames.
pub fn write_float<N: FloatWeights>(network: &Network<f32>, meta: &Meta, frames: &[f32]) -> Result<Vec<u8>> {
    check_packable(network)?;
    let golden = golden_frames(frames, network.input_size)?;
    let largest = network.predict(golden).iter().fold(1f32, |max, y| max.max(y.abs()));
    let outline = Outline::<N> {
        meta,
        returns_sequences: network.returns_sequences(),
        input_scale: 1.0,
        output_scale: 1.0,
        golden_tolerance: GOLDEN_TOLERANCE * largest,
        golden: &|_| Ok(golden.to_vec()),
        golden_steps: golden.len() / network.input_size,
    };
    assemble(&outline, network.layers.iter().map(packed::<N>).collect::<Result<_>>()?)
}

/// The model file of a network with its weights rounded to `N`, and the error of each layer that this causes on
/// `sequences`, the first of which gives the golden trace.
pub fn rounded<N: FloatWeights>(
    network: &Network<f32>,
    meta: &Meta,
    sequences: &[&[f32]],
) -> Result<Quantized> {
    let frames = sequences.iter().find(|s| !s.is_empty()).context("no frames")?;
    Quantized::new(network, sequences, |network| write_float::<N>(network, meta, frames))
}

fn packed<N: FloatWeights>(layer: &Layer<f32>) -> Result<Packed<N::Weight>> {
    let (record, weights) = match (&layer.kind, parts(layer)) {
        (Kind::Normalization(normalization), _) => {
            let numbers = scales_and_offsets(normalization, 1.0);
            (normalization_record(normalization.mean.nrows()), N::kept(numbers))
        }
        (_, Some(parts)) => {
            let words = float_words(&parts);
            let weights = N::rounded(words.clone());
            let lost = |(was, is): (&f32, f32)| was.is_finite() && !is.is_finite();
            if words.iter().zip(N::widened(&weights)).any(lost) {
                bail!("{}: a weight beyond 65,504, the largest of binary16", layer.name);
            }
            (parts.record(), weights)
        }
        (_, None) => unreachable!("every layer but Normalization has parts"),
    };
    Ok(Packed { record, weights, name: layer.name.clone() })
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
    let (gates, units) = (p.gates.len(), p.units());
    let (inputs, hidden) = (p.w_ih.ncols(), p.w_hh.map_or(0, Matrix::ncols));
    let value = |row: usize, column: usize| {
        let value = match column {
            0 => p.bias(row),
            k if k <= inputs => p.w_ih[(row, k - 1)],
            k => p.w_hh.map_or(0.0, |w| w[(row, k - 1 - inputs)]),
        };
        value * p.fold(row)
    };
    let columns = 1 + inputs + hidden;
    match p.kind {
        Code::Gru => panels(gates, units, columns + 1, |row, column| match column {
            k if k <= inputs => value(row, k),
            k if k > inputs + 1 => value(row, k - 1),
            _ if row / units == gates - 1 => p.bias_apart(row % units),
            _ => 0.0,
        }),
        Code::GruResetBefore => RESET_FIRST
            .iter()
            .flat_map(|gate| panels(1, units, columns, |unit, column| value(gate * units + unit, column)))
            .collect(),
        _ => panels(gates, units, columns, value),
    }
}

/// Gates r, z, n of a GRU that resets before, as they follow each other in a file.
const RESET_FIRST: [usize; 3] = [1, 0, 2];

/// Reads a model file of floats back into a network.
pub fn read_float<N: FloatWeights>(bytes: &[u8]) -> Result<(Network<f32>, Meta)> {
    let model = Model::<N>::new(bytes).map_err(|e| anyhow!("{e}"))?;
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
        let (own, rest) = weights.split_at(record.weights_len as usize / size_of::<N::Weight>());
        weights = rest;
        let name = names.get(i).cloned().unwrap_or_else(|| format!("layer_{i}"));
        let kind = layer_of::<N>(record, own).with_context(|| format!("layer {i} ({name})"))?;
        layers.push(Layer { name, kind });
    }
    Ok((Network::new(model.input_size(), layers), meta))
}

fn layer_of<N: FloatWeights>(record: &LayerRecord, weights: &[N::Weight]) -> Result<Kind<f32>> {
    let words = &N::widened(weights);
    let units = record.units();
    let activation = activation(record.activation).context("unknown activation")?;
    let return_sequences = record.return_sequences();
    Ok(match Code::from_code(record.kind, embedded_rnn::ALL_KINDS) {
        Some(Code::Normalization) => Kind::Normalization(normalization_of(bytemuck::cast_slice(weights))),
        Some(Code::Dense) => {
            let (weight, _, bias) = matrices(record, words, &[1.0 / fold(record.activation)], false);
            debug_assert_eq!(bias.nrows(), units);
            Kind::Dense(Dense::from_weights(weight, bias, activation))
        }
        Some(Code::SimpleRnn) => {
            let (w_ih, w_hh, bias) = matrices(record, words, &[1.0 / fold(record.activation)], true);
            let cell = AnyCell::SimpleRnn(SimpleRnn::from_weights(w_ih, w_hh, bias, activation));
            Kind::Recurrent(Recurrent::new(cell, return_sequences))
        }
        Some(Code::Lstm) => {
            let (w_ih, w_hh, bias) = matrices(record, words, &[2.0, 2.0, 1.0, 2.0], true);
            let cell = AnyCell::Lstm(Lstm::from_weights(w_ih, w_hh, bias));
            Kind::Recurrent(Recurrent::new(cell, return_sequences))
        }
        Some(Code::Gru) => {
            let columns = 2 + record.input_size() + units;
            gru_of(record, true, |row, column| of_panels(words, 3, units, columns, row, column))
        }
        Some(Code::GruResetBefore) => {
            let columns = 1 + record.input_size() + units;
            let gates: Vec<_> = words.chunks(words.len() / 3).collect();
            gru_of(record, false, |row, column| {
                let place = RESET_FIRST.iter().position(|&gate| gate == row / units).unwrap_or(0);
                // Without the row of recurrent biases, which these panels do not have.
                let column = column - usize::from(column > record.input_size());
                of_panels(gates[place], 1, units, columns, row % units, column)
            })
        }
        _ => bail!("kind {} cannot be read back", record.kind),
    })
}

/// A GRU whose weights are `at(row, column)`, as in the panels of one that resets after.
fn gru_of(record: &LayerRecord, reset_after: bool, at: impl Fn(usize, usize) -> f32) -> Kind<f32> {
    let (inputs, units) = (record.input_size(), record.units());
    let matrix = |from: usize, count: usize| {
        Matrix::from_fn(3 * units, count, |row, k| {
            at(row, from + k) * if row < 2 * units { 2.0 } else { 1.0 }
        })
    };
    let recurrent_bias = if reset_after { matrix(1 + inputs, 1) } else { Matrix::zeros(3 * units, 1) };
    let cell = Gru {
        w_ih: matrix(1, inputs),
        w_hh: matrix(2 + inputs, units),
        bias: matrix(0, 1),
        recurrent_bias,
        activation: Activation::Tanh,
        recurrent_activation: Activation::Sigmoid,
        reset_after,
        use_bias: true,
    };
    Kind::Recurrent(Recurrent::new(AnyCell::Gru(cell), record.return_sequences()))
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
