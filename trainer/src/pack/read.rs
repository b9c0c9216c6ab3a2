//! Model files of floats read back into networks.

use anyhow::{Context, Result, anyhow, bail};
use embedded_rnn::format::{LayerRecord, MergeMode as MergeCode};
use embedded_rnn::{ALL_FEATURES, Kind as Code, Model};

use super::Meta;
use super::float::FloatWeights;
use super::form::{Activations, PackedLayout, Weights};
use super::layout::{Place, Sizes, panels};
use super::parts::{cell_of, form_of};
use crate::activation::Activation;
use crate::layers::{
    self, BatchNormalization, Bidirectional, Dense, Embedding, Kind, Layer, LayerNormalization, Masking,
    MergeMode, Normalization, Recurrent,
};
use crate::net::Network;
use crate::tensor::Matrix;

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
    let decoder_at = model.preamble().decoder_at as usize;
    let mut layers: Vec<Layer<f32>> = Vec::new();
    let mut encoder = None;
    for (i, record) in model.layers().iter().enumerate() {
        if i > 0 && i == decoder_at {
            encoder = Some(std::mem::take(&mut layers));
        }
        let (own, rest) = weights.split_at(record.weights_len as usize / size_of::<N::Weight>());
        weights = rest;
        let name = names.get(i).cloned().unwrap_or_else(|| format!("layer_{i}"));
        let kind = match merged(record, &mut layers) {
            Some(kind) => Ok(kind),
            None => layer_of::<N>(record, own),
        };
        layers.push(Layer { kind: kind.with_context(|| format!("layer {i} ({name})"))?, name });
    }
    let network = match encoder {
        Some(encoder) => Network {
            decoder: Some(Box::new(Network::new(1, layers))),
            ..Network::new(model.input_size(), encoder)
        },
        None => Network::new(model.input_size(), layers),
    };
    Ok((network, meta))
}

/// What the last two layers become with the record that merges them, if it is one.
fn merged(record: &LayerRecord, layers: &mut Vec<Layer<f32>>) -> Option<Kind<f32>> {
    let merge_mode = MergeMode::of(MergeCode::from_code(record.merge_mode)?)?;
    let Kind::Recurrent(backward) = layers.pop()?.kind else { return None };
    let Kind::Recurrent(forward) = layers.pop()?.kind else { return None };
    Some(Kind::Bidirectional(Bidirectional { forward, backward, merge_mode }))
}

fn layer_of<N: FloatWeights>(record: &LayerRecord, weights: &[N::Weight]) -> Result<Kind<f32>> {
    let kind = Code::from_code(record.kind, ALL_FEATURES).context("unknown kind")?;
    let column = |values: &[f32]| Matrix::from_column_slice(values.len(), 1, values);
    Ok(match kind {
        Code::Normalization => Kind::Normalization(normalization_of(bytemuck::cast_slice(weights))),
        Code::BatchNormalization => {
            let (scale, offset) = bytemuck::cast_slice(weights).split_at(record.units());
            Kind::BatchNormalization(BatchNormalization::affine(column(scale), column(offset)))
        }
        Code::LayerNormalization => {
            let numbers: &[f32] = bytemuck::cast_slice(weights);
            let (gamma, rest) = numbers.split_at(record.units());
            let (beta, epsilon) = rest.split_at(record.units());
            Kind::LayerNormalization(LayerNormalization {
                gamma: column(gamma),
                beta: column(beta),
                epsilon: epsilon[0],
            })
        }
        Code::Embedding => {
            let (units, ids) = (record.units(), record.input_dim as usize);
            let weight = Matrix::from_column_slice(units, ids, &N::widened(weights)[..units * ids]);
            Kind::Embedding(Embedding { weight, mask_zero: record.masks() })
        }
        Code::Activation => {
            let function = Activation::from_code(record.activation).context("unknown activation")?;
            Kind::Activation(layers::Activation::new(record.units(), function))
        }
        Code::Masking => {
            let &[mask_value] = bytemuck::cast_slice(weights) else { bail!("a mask has one value") };
            Kind::Masking(Masking { size: record.units(), mask_value })
        }
        Code::Dense => {
            let form = PackedLayout::ungated(kind);
            let (weights, activations) = sums(record, &N::widened(weights), &form, 0)?;
            Kind::Dense(Dense::from_weights(weights.w_ih, weights.bias, activations.value))
        }
        _ => {
            let form = form_of(kind).with_context(|| format!("kind {} cannot be read back", record.kind))?;
            let (weights, activations) = sums(record, &N::widened(weights), form, record.units())?;
            let Some(cell) = cell_of(form, weights, activations) else { bail!("no cell has this form") };
            Kind::Recurrent(Recurrent {
                go_backwards: record.go_backwards(),
                ..Recurrent::new(cell, record.return_sequences())
            })
        }
    })
}

/// The weights of a layer of sums, and its activations.
fn sums(
    record: &LayerRecord,
    words: &[f32],
    form: &PackedLayout,
    hidden: usize,
) -> Result<(Weights, Activations)> {
    let value = Activation::from_code(record.activation).context("unknown activation")?;
    let recurrent = Activation::from_code(record.recurrent_activation).unwrap_or(Activation::Linear);
    let activations = Activations { value, recurrent };
    let sizes = Sizes { units: record.units(), inputs: record.input_size(), hidden };
    let rows = form.gates.len() * sizes.units;
    let mut weights = Weights {
        w_ih: Matrix::zeros(rows, sizes.inputs),
        w_hh: Matrix::zeros(rows, hidden),
        bias: Matrix::zeros(rows, 1),
        recurrent_bias: Matrix::zeros(rows, 1),
    };
    for (place, &word) in panels(form, sizes).zip(words) {
        let Some(place) = place else { continue };
        let (row, number) = match place {
            Place::Bias(row) => (row, &mut weights.bias[row]),
            Place::Input(row, k) => (row, &mut weights.w_ih[(row, k)]),
            Place::BiasApart(row) => (row, &mut weights.recurrent_bias[row]),
            Place::Recurrent(row, k) => (row, &mut weights.w_hh[(row, k)]),
        };
        *number = word / form.activation(row / sizes.units, activations).code().fold();
    }
    Ok((weights, activations))
}

fn normalization_of(words: &[f32]) -> Normalization<f32> {
    let (scales, offsets) = words.split_at(words.len() / 2);
    let column = |f: &dyn Fn(usize) -> f64| Matrix::from_fn(scales.len(), 1, |k, _| f(k) as f32);
    Normalization {
        mean: column(&|k| -f64::from(offsets[k]) / f64::from(scales[k])),
        variance: column(&|k| f64::from(scales[k]).powi(-2)),
    }
}
