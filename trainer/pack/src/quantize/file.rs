//! Writes i8 model files from calibrated networks.

use anyhow::{Context, Result, ensure};
use embedded_rnn::{ALL_FEATURES, I8, Kind as RecordKind, Model};
use embedded_rnn_nn::export::{PackedLayer, Ranges, Site};
use embedded_rnn_nn::layers::Kind;
use embedded_rnn_nn::net::Network;

use super::fracs::Fracs;
use super::input::{InputRecords, input_records};
use crate::file::{FileSpec, assemble, golden_frames, set_span};
use crate::meta::Meta;

/// Returns the model file of a network, whose first layers have the given ranges.
///
/// # Errors
/// The layer that integers cannot represent; sequences without frames.
pub fn write_int(
    network: &Network<f32>,
    meta: &Meta,
    sequences: &[&[f32]],
    ranges: &[Ranges],
    fracs: Fracs,
) -> Result<Vec<u8>> {
    let frames = sequences.iter().find(|s| !s.is_empty()).context("calibration: no frames")?;
    let golden = golden_frames(frames, network.input_size)?;
    let (of_encoder, of_decoder) = ranges.split_at(network.layers.len().min(ranges.len()));
    let chain = IntChain::new(network, of_encoder, network.decoder.is_none(), fracs)?;
    let decoder = match &network.decoder {
        Some(decoder) => Some(IntChain::new(decoder, of_decoder, true, fracs)?),
        None => None,
    };
    decoder.as_ref().map_or(Ok(()), |decoder| chain.check_states_of(decoder))?;
    let output_scale = decoder.as_ref().unwrap_or(&chain).output_scale;
    let quantized = |model: &Model<'_, I8>| {
        let mut out = vec![0; golden.len()];
        let size = model.input_size();
        for (x, out) in golden.chunks_exact(size).zip(out.chunks_exact_mut(size)) {
            model.quantize_input(x, out)?;
        }
        Ok(out)
    };
    let spec = FileSpec::<I8> {
        meta,
        returns_sequences: network.returns_sequences(),
        input_scale: chain.input_scale as f32,
        output_scale: output_scale as f32,
        golden_tolerance: 0.0,
        golden: &quantized,
        golden_steps: golden.len() / network.input_size,
    };
    assemble(&spec, chain.records, decoder.map_or(Vec::new(), |decoder| decoder.records))
}

/// Returns the unit of the other operand of a residual connection and the number of records before the layer
/// that it enters, given those of all layers; of another layer, those of its input.
fn earlier(inputs: &[(f64, usize)], kind: &Kind<f32>) -> Result<(f64, usize)> {
    let from = (inputs.len() - 1).checked_sub(kind.span().unwrap_or(0));
    from.map(|from| inputs[from]).context("span: includes the layer that reads the inputs")
}

/// The records of consecutive layers, and the units of their input and output.
struct IntChain {
    records: Vec<PackedLayer<i32>>,
    input_scale: f64,
    output_scale: f64,
}

impl IntChain {
    /// Quantizes the layers of a network; with `has_head`, its last layer is the last one of the model.
    fn new(network: &Network<f32>, ranges: &[Ranges], has_head: bool, fracs: Fracs) -> Result<Self> {
        let InputRecords { mut records, unit: input_scale, frac: mut input_frac, layers: input_layers } =
            input_records(network, ranges, fracs)?;
        let mut unit = input_scale;
        // The units of the inputs of the layers, and the records before them.
        let mut inputs = Vec::new();
        for (i, (layer, ranges)) in network.layers.iter().zip(ranges).enumerate().skip(input_layers) {
            inputs.push((unit, records.len()));
            let (earlier, start) = earlier(&inputs, &layer.kind).with_context(|| layer.name.clone())?;
            let head = has_head && i + 1 == network.layers.len();
            let Fracs { inner: frac, separate, .. } = fracs;
            let site = Site { unit, earlier, input_frac, frac, separate, ranges, head };
            let packed = layer.kind.export_int(&layer.name, site);
            let (mut packed, output) = packed.with_context(|| layer.name.clone())?;
            set_span(&mut packed, records.len() - start);
            input_frac = packed.last().map_or(input_frac, |packed| packed.record.frac.into());
            records.extend(packed);
            unit = output;
        }
        Ok(Self { records, input_scale, output_scale: unit })
    }

    /// Rejects a decoder whose states have other units than the states of this encoder, which it starts from.
    fn check_states_of(&self, decoder: &Self) -> Result<()> {
        for (own, other) in self.recurrent().zip(decoder.recurrent()) {
            let [unit, others] =
                [own, other].map(|packed| (packed.record.output_scale, packed.record.cell_frac));
            ensure!(
                unit == others,
                "{}: starts from the states of {} in the encoder: both activations must be bounded, or both \
                 unbounded",
                other.name,
                own.name
            );
        }
        Ok(())
    }

    fn recurrent(&self) -> impl Iterator<Item = &PackedLayer<i32>> {
        let kind = |packed: &PackedLayer<i32>| RecordKind::from_code(packed.record.kind, ALL_FEATURES);
        self.records.iter().filter(move |packed| kind(packed).is_some_and(RecordKind::is_recurrent))
    }
}
