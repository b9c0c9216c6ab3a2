//! Reads float model files back into networks.

use anyhow::{Context, Result, anyhow};
use embedded_rnn::format::LayerRecord;
use embedded_rnn::{ALL_FEATURES, Kind as RecordKind, Model};
use embedded_rnn_nn::export::FloatWeights;
use embedded_rnn_nn::layers::{Kind, Layer, Stored};
use embedded_rnn_nn::net::Network;

use crate::meta::Meta;

/// Reads a float model file back into a network.
///
/// # Errors
/// The reason why the bytes are not a model of dtype `N`.
pub fn read_float<N: FloatWeights>(bytes: &[u8]) -> Result<(Network<f32>, Meta)> {
    let model = Model::<N>::new(bytes).map_err(|e| anyhow!("{e}"))?;
    let header = model.header().context("header: unreadable")?;
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
        let kind = read_layer::<N>(record, own, &mut layers);
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

fn read_layer<N: FloatWeights>(
    record: &LayerRecord,
    weights: &[N::Weight],
    before: &mut Vec<Layer<f32>>,
) -> Result<Kind<f32>> {
    let kind = RecordKind::from_code(record.kind, ALL_FEATURES).context("unknown kind")?;
    Kind::read(&Stored::<N> { kind, record, weights }, before)
}

#[cfg(test)]
mod tests {
    use embedded_rnn::{F16, F32};
    use embedded_rnn_nn::layers::Module;
    use embedded_rnn_nn::tensor::Matrix;

    use super::*;
    use crate::{Random, write_float};

    /// Writes a network whose recurrent layers have initial states, and compares what is read back.
    fn assert_states_are_read_back<N: FloatWeights>(layers: &str) {
        let (mut network, frames) = Random { layers, input_size: 2, steps: 5, seed: 1 }.make().unwrap();
        for layer in &mut network.layers {
            let Kind::Recurrent(layer) = &mut layer.kind else { continue };
            let state = |size| Matrix::from_fn(size, 1, |row, _| 0.1 + row as f32 / 7.0);
            layer.initial_state = layer.states().into_iter().map(state).collect();
        }
        let bytes = write_float::<N>(&network, &Meta::default(), &frames).unwrap();
        let (found, _) = read_float::<N>(&bytes).unwrap();
        let states = |network: &Network<f32>| -> Vec<_> {
            network.layers.iter().map(|layer| layer.kind.get().initial_states()).collect()
        };
        assert_eq!(states(&found), states(&network));
        // Packing again gives the same file.
        assert_eq!(write_float::<N>(&found, &Meta::default(), &frames).unwrap(), bytes);
    }

    #[test]
    fn initial_states_and_parameters_are_read_back_to_the_bit() {
        let layers = "{ type = 'LSTM', units = 3, return_sequences = true },
            { type = 'GRU', units = 9, return_sequences = true },
            { type = 'GRU', units = 2, reset_after = false, return_sequences = true },
            { type = 'SimpleRNN', units = 8 }, { type = 'Dense', units = 2, activation = 'leaky_relu(0.3)' },
            { type = 'Activation', activation = 'elu(0.7)' }";
        assert_states_are_read_back::<F32>(layers);
        assert_states_are_read_back::<F16>(layers);
    }
}
