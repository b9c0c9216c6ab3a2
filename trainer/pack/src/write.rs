//! Model files of floats, f32 and f16, written from a network.

use anyhow::{Context, Result};
use embedded_rnn_nn::export::FloatWeights;
use embedded_rnn_nn::layers::Layer;
use embedded_rnn_nn::net::Network;

use crate::file::{FileSpec, assemble, golden_frames};
use crate::fold::folded;
use crate::meta::Meta;

/// How far arithmetic with separate roundings may be from the golden output of fused arithmetic, relative to its largest
/// value: some hundred ULP, far below any fault.
const GOLDEN_TOLERANCE: f32 = 1e-4;

/// Writes the model file of a network in f32 or f16. `frames` are real input frames, the first of which become the
/// golden trace.
///
/// # Errors
/// A weight that is too large for binary16, with its layer's name; a network without layers or frames, or with layers that
/// the runtime does not have.
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
        let pack = |layer: &Layer<f32>| layer.kind.export_float::<N>(&layer.name);
        let packed = layers.iter().map(|layer| pack(layer).with_context(|| layer.name.clone()));
        Ok(packed.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    };
    let decoder = network.decoder.as_ref().map_or(Ok(Vec::new()), |decoder| chain(&decoder.layers))?;
    assemble(&spec, chain(&network.layers)?, decoder)
}

/// Rejects layers that the runtime does not have.
///
/// # Errors
/// The layer's name, and the option.
pub fn check_packable(network: &Network<f32>) -> Result<()> {
    network.all_layers().try_for_each(|layer| layer.kind.check_export().with_context(|| layer.name.clone()))
}
