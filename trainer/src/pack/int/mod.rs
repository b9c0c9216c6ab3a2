//! Quantization: an i8 model file of a network, by the rules of runtime/INTEGER.md.
//!
//! `rows` turns weighted sums into integers, `functions` what else is done to values, `others` the remaining layers.

mod functions;
mod others;
mod rows;

pub use functions::check_quantizable;

use anyhow::{Context, Result, bail, ensure};
use embedded_rnn::format::DIRECTION;
use embedded_rnn::{ALL_FEATURES, I8, Kind as Code, Model};

use super::calibrate::{Ranges, calibrate};
use super::errors::Quantized;
use super::file::{FileSpec, Packed, assemble};
use super::float::{directions, merge_record};
use super::lower::lowered;
use super::parts::{Parts, form_of};
use super::{Meta, check_packable, golden_frames};
use crate::activation::Activation;
use crate::layers::{Bidirectional, Kind, Layer};
use crate::net::Network;

/// Room left above the largest magnitude met in calibration, for inputs and states that have 15 bits or more.
const HEADROOM: f64 = 2.0;
/// Largest activation.
const ACT_MAX: f64 = 32767.0;
/// Fraction bits of a pre-activation that goes through a table.
const PRE_FRAC: i32 = 16;
/// Fraction bits of the pre-activation of a linear or relu unit beyond its output's unit.
const LINEAR_FRAC: i32 = 4;
/// Biases and offsets stay below this, so that with what is added to them they cannot overflow 32 bits.
const BIAS_LIMIT: f64 = (1 << 29) as f64;
/// The real value of one unit of an activation of tanh or sigmoid.
const FULL_SCALE: f64 = 1.0 / 32768.0;

/// Quantizes `network` with the ranges that `sequences` show. The first sequence also gives the golden trace.
pub fn quantize(network: &Network<f32>, meta: &Meta, sequences: &[&[f32]]) -> Result<Quantized> {
    check_packable(network)?;
    let network = functions::apart(&lowered(network))?;
    let ranges = calibrate(&network, sequences.iter().copied())?;
    Quantized::new(&network, sequences, |network| file(network, meta, sequences, &ranges))
}

/// The first `network.layers` of a calibrated network as a file.
fn file(network: &Network<f32>, meta: &Meta, sequences: &[&[f32]], ranges: &[Ranges]) -> Result<Vec<u8>> {
    let frames = sequences.iter().find(|s| !s.is_empty()).context("calibration: no frames")?;
    let golden = golden_frames(frames, network.input_size)?;
    let (of_encoder, of_decoder) = ranges.split_at(network.layers.len().min(ranges.len()));
    let mut layers = Chain::packed(network, of_encoder, network.decoder.is_none())?;
    let decoder = match &network.decoder {
        Some(decoder) => Some(Chain::packed(decoder, of_decoder, true)?),
        None => None,
    };
    decoder.as_ref().map_or(Ok(()), |decoder| layers.check_states_of(decoder))?;
    let output_scale = decoder.as_ref().unwrap_or(&layers).output_scale;
    let quantized = |model: &Model<'_, I8>| {
        let mut out = vec![0; golden.len()];
        let size = model.input_size();
        for (x, out) in golden.chunks_exact(size).zip(out.chunks_exact_mut(size)) {
            model.quantize_input(x, out)?;
        }
        Ok(out)
    };
    let outline = FileSpec::<I8> {
        meta,
        returns_sequences: network.returns_sequences(),
        input_scale: layers.input_scale as f32,
        output_scale: output_scale as f32,
        golden_tolerance: 0.0,
        golden: &quantized,
        golden_steps: golden.len() / network.input_size,
    };
    let records = std::mem::take(&mut layers.records);
    assemble(&outline, records, decoder.map_or(Vec::new(), |decoder| decoder.records))
}

/// The records of a chain of layers.
struct Chain {
    records: Vec<Packed<i32>>,
    input_scale: f64,
    output_scale: f64,
}

impl Chain {
    /// `ends`: whether the chain's last layer is the model's.
    fn packed(network: &Network<f32>, ranges: &[Ranges], ends: bool) -> Result<Self> {
        let mut records = Vec::new();
        let (input_scale, taken) = others::entrance(network, ranges, &mut records)?;
        let mut unit = input_scale;
        for (i, (layer, ranges)) in network.layers.iter().zip(ranges).enumerate().skip(taken) {
            let place = Place { unit, ranges, head: ends && i + 1 == network.layers.len() };
            let (packed, output) = packed(layer, place).with_context(|| layer.name.clone())?;
            records.extend(packed);
            unit = output;
        }
        Ok(Self { records, input_scale, output_scale: unit })
    }
}

impl Chain {
    /// Refuses a decoder that cannot go on from the states of this encoder.
    fn check_states_of(&self, decoder: &Self) -> Result<()> {
        for (own, other) in self.recurrent().zip(decoder.recurrent()) {
            let [unit, others] =
                [own, other].map(|packed| (packed.record.output_scale, packed.record.cell_frac));
            ensure!(
                unit == others,
                "{}: takes over the states of {} in the encoder, and both activations must have bounds, or none",
                other.name,
                own.name
            );
        }
        Ok(())
    }

    fn recurrent(&self) -> impl Iterator<Item = &Packed<i32>> {
        let kind = |packed: &Packed<i32>| Code::from_code(packed.record.kind, ALL_FEATURES);
        self.records.iter().filter(move |packed| kind(packed).and_then(form_of).is_some())
    }
}

/// What a layer has to know of where it stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// Real value of one unit of its input.
    unit: f64,
    ranges: &'a Ranges,
    /// Whether it is the last layer.
    head: bool,
}

/// The unit of 16-bit activations that reach `range`, with room above it.
fn unit_for(range: f32) -> f64 {
    let range = if range > 0.0 { f64::from(range) } else { 1.0 };
    range * HEADROOM / ACT_MAX
}

/// The records that a layer becomes, and the real value of one unit of what comes out.
fn packed(layer: &Layer<f32>, place: Place<'_>) -> Result<(Vec<Packed<i32>>, f64)> {
    let name = layer.name.as_str();
    match &layer.kind {
        Kind::Dense(dense) => {
            ensure!(
                place.head || dense.activation != Activation::Softmax,
                "softmax inside an integer model: it can only be the last layer"
            );
            let packed =
                rows::packed(&Parts::dense(dense), place, dense_unit(dense.activation, place), name)?;
            let unit = packed.record.output_scale.into();
            Ok((vec![packed], unit))
        }
        Kind::Recurrent(layer) => {
            let parts = Parts::recurrent(layer);
            let unit = cell_unit(&parts, place.ranges);
            Ok((vec![rows::packed(&parts, place, unit, name)?], unit))
        }
        Kind::Bidirectional(layer) => bidirectional(layer, place, name),
        Kind::LayerNormalization(layer) => others::layer_normalization(layer, place, name),
        Kind::BatchNormalization(layer) => others::batch_normalization(layer, place, name),
        Kind::Activation(layer) => functions::packed(layer, place, name),
        _ => bail!("must be the first layer of an integer model"),
    }
}

/// The unit of what a dense layer gives.
fn dense_unit(activation: Activation, place: Place<'_>) -> f64 {
    match (activation, place.head) {
        (Activation::Linear | Activation::Relu, false) => unit_for(place.ranges.output),
        (Activation::Linear | Activation::Relu, true) => {
            // As many fraction bits as leave room for four times what was met.
            let room = (BIAS_LIMIT / (4.0 * f64::from(place.ranges.output).max(1e-30))).log2().floor() as i32;
            2f64.powi(-room.min(PRE_FRAC))
        }
        (_, true) => 2f64.powi(-PRE_FRAC),
        (_, false) => FULL_SCALE,
    }
}

/// The unit of what a cell gives, and of its values inside: its candidates and states, which an unbounded activation can take
/// beyond its outputs.
fn cell_unit(parts: &Parts, ranges: &Ranges) -> f64 {
    if !matches!(parts.activations.value, Activation::Linear | Activation::Relu) {
        return FULL_SCALE;
    }
    let values = (0..ranges.sums.len()).filter(|&gate| !parts.form.lets_through(gate));
    let inside = values.map(|gate| ranges.sums[gate]).chain(ranges.states.iter().copied());
    unit_for(inside.fold(ranges.output, f32::max))
}

/// Both directions in one unit, then what merges them.
fn bidirectional(
    layer: &Bidirectional<f32>,
    place: Place<'_>,
    name: &str,
) -> Result<(Vec<Packed<i32>>, f64)> {
    let mut records = Vec::new();
    let mut unit = FULL_SCALE;
    for (parts, name) in directions(layer, name) {
        unit = cell_unit(&parts, place.ranges);
        let mut packed = rows::packed(&parts, place, unit, &name)?;
        packed.record.flags |= DIRECTION;
        records.push(packed);
    }
    let mut record = merge_record(layer);
    let merged = layer.merge_mode.unit(unit);
    record.output_scale = merged as f32;
    records.push(Packed { record, weights: Vec::new(), name: name.to_owned() });
    Ok((records, merged))
}

/// Whether a layer of this kind has a cell state.
fn has_cell_state(kind: Code) -> bool {
    kind == Code::Lstm
}

#[cfg(test)]
mod tests {
    use crate::pack::{Meta, Random, quantize};

    #[test]
    fn a_decoder_goes_on_from_states_in_the_same_units() {
        let random = |layers: &str| Random { layers, input_size: 1, steps: 9, seed: 1 }.make().unwrap();
        let bounded = ["tanh", "sigmoid"];
        for (encoder, decoder) in
            [("tanh", "sigmoid"), ("relu", "linear"), ("tanh", "linear"), ("relu", "tanh")]
        {
            for cell in ["LSTM", "GRU", "SimpleRNN"] {
                let words = "{ type = 'Embedding', input_dim = 3, output_dim = 2 }";
                let layer =
                    |activation| format!("{{ type = '{cell}', units = 3, activation = '{activation}'");
                let (mut network, frames) = random(&format!("{words}, {} }}", layer(encoder)));
                let head = "{ type = 'Dense', units = 3, activation = 'softmax' }";
                let decoder_layers =
                    format!("{words}, {}, return_sequences = true }}, {head}", layer(decoder));
                network.decoder = Some(Box::new(random(&decoder_layers).0));
                // So that nothing without a bound grows all the time.
                network.parameters_mut().into_iter().for_each(|parameter| *parameter *= 0.3);
                let found = quantize(&network, &Meta::default(), &[&frames]).map(|_| ());
                if bounded.contains(&encoder) == bounded.contains(&decoder) {
                    found.unwrap();
                } else {
                    let said = format!("{:#}", found.unwrap_err());
                    assert!(said.contains("takes over the states of"), "{said}");
                }
            }
        }
    }
}
