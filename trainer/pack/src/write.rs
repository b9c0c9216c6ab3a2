//! Writes networks as float model files: f32 and f16.

use anyhow::{Context, Result};
use embedded_rnn_nn::export::FloatWeights;
use embedded_rnn_nn::layers::Layer;
use embedded_rnn_nn::net::Network;

use crate::file::{FileSpec, assemble, golden_frames, set_span};
use crate::fold::folded;
use crate::meta::Meta;
use crate::residual;

/// Tolerance of the golden output, relative to its largest value (at least 1): separately rounded multiplies
/// and adds differ from fused ones by some hundred ULP, far less than any fault.
const GOLDEN_TOLERANCE: f32 = 1e-4;

/// Returns the model file of a network in f32 or f16. The first of the input frames `frames` become the
/// golden trace.
///
/// # Errors
/// The layer whose weight is too large for binary16; a network without layers or frames; a layer that the
/// runtime does not support.
pub fn write_float<N: FloatWeights>(network: &Network<f32>, meta: &Meta, frames: &[f32]) -> Result<Vec<u8>> {
    check_packable(network)?;
    let network = folded(network);
    let golden = golden_frames(frames, network.input_size)?;
    let largest = network.predict(golden).iter().fold(1f32, |max, y| max.max(y.abs()));
    let spec = FileSpec::<N> {
        meta,
        returns_sequences: network.returns_sequences(),
        input_scale: 1.0,
        output_scale: 1.0,
        golden_tolerance: GOLDEN_TOLERANCE * largest,
        golden: &|_| Ok(golden.to_vec()),
        golden_steps: golden.len() / network.input_size,
    };
    let chain = |layers: &[Layer<f32>]| -> Result<Vec<_>> {
        let (mut records, mut starts) = (Vec::new(), Vec::new());
        for (index, layer) in layers.iter().enumerate() {
            starts.push(records.len());
            let packed = layer.kind.export_float::<N>(&layer.name);
            let mut packed = packed.with_context(|| layer.name.clone())?;
            set_span(&mut packed, records.len() - starts[index - layer.kind.span().unwrap_or(0)]);
            records.extend(packed);
        }
        Ok(records)
    };
    let decoder = network.decoder.as_ref().map_or(Ok(Vec::new()), |decoder| chain(&decoder.layers))?;
    assemble(&spec, chain(&network.layers)?, decoder)
}

/// Rejects layers that the runtime does not support.
///
/// # Errors
/// The name of the layer, and the unsupported option.
pub fn check_packable(network: &Network<f32>) -> Result<()> {
    network
        .all_layers()
        .try_for_each(|layer| layer.kind.check_export().with_context(|| layer.name.clone()))?;
    let decoder = network.decoder.as_ref().map_or(&[][..], |decoder| &decoder.layers);
    residual::check(&network.layers).and_then(|()| residual::check(decoder))
}
