//! Rules that encoder and decoder have to meet so that the state of one can be copied to the other.

use anyhow::{Context, Result, bail, ensure};

use super::layers::{ChainConfig, outputs};
use crate::layers::LayerConfig;
use crate::loss::Loss;

/// Rejects chains where the decoder cannot start from the final states of the encoder.
pub(super) fn check(encoder: &ChainConfig<'_>, decoder: &ChainConfig<'_>, loss: Loss) -> Result<()> {
    ensure!(
        loss == Loss::CategoricalCrossentropy,
        "training.loss: a decoder generates classes and needs categorical_crossentropy"
    );
    check_encoder(encoder)?;
    check_decoder(decoder)?;
    let (from, to) = (recurrent(encoder), recurrent(decoder));
    ensure!(
        from.len() == to.len(),
        "layers: {} recurrent layers, but the encoder has {}, and each copies its state to one of them",
        to.len(),
        from.len()
    );
    from.into_iter().zip(to).try_for_each(|(from, to)| {
        let check = || check_pair(encoder, from, decoder, to);
        check().with_context(|| decoder.place(to))
    })
}

/// Returns the indices of the recurrent layers.
fn recurrent(chain: &ChainConfig<'_>) -> Vec<usize> {
    (0..chain.layers.len()).filter(|&k| chain.layers[k].cell().is_some()).collect()
}

fn check_encoder(encoder: &ChainConfig<'_>) -> Result<()> {
    for (k, layer) in encoder.layers.iter().enumerate() {
        let both_ways = matches!(layer, LayerConfig::Bidirectional(_));
        ensure!(
            !both_ways,
            "{}: an encoder must run in one direction, as its decoder does",
            encoder.place(k)
        );
    }
    let last = encoder.layers.len() - 1;
    ensure!(
        encoder.layers[last].cell().is_some(),
        "{}: an encoder must end in a recurrent layer, as only its state reaches the decoder",
        encoder.place(last)
    );
    Ok(())
}

fn check_decoder(decoder: &ChainConfig<'_>) -> Result<()> {
    let classes = outputs(decoder.layers).unwrap_or(0);
    let check = |k: usize| -> Result<()> {
        match &decoder.layers[k] {
            LayerConfig::Embedding(config) => {
                let ids = config.input_dim;
                ensure!(ids == classes, "input_dim: {ids}, but the decoder generates {classes} classes");
                ensure!(
                    !config.mask_zero,
                    "mask_zero: class 0 is the start of a decoder and cannot be masked"
                );
            }
            _ if k == 0 => bail!("a decoder must begin with an Embedding of the classes that it generates"),
            LayerConfig::Bidirectional(_) => {
                bail!("a decoder generates one class after another and must run in one direction")
            }
            _ => {}
        }
        let backwards = decoder.layers[k].cell().is_some_and(|cell| cell.shared().go_backwards);
        ensure!(!backwards, "go_backwards: a decoder generates one class after another");
        ensure!(
            decoder.layers[k].get().keeps_time(),
            "return_sequences: a decoder needs an output at every time step: set it to true"
        );
        Ok(())
    };
    (0..decoder.layers.len()).try_for_each(|k| check(k).with_context(|| decoder.place(k)))
}

/// Rejects a pair of recurrent layers of different types or sizes.
fn check_pair(encoder: &ChainConfig<'_>, from: usize, decoder: &ChainConfig<'_>, to: usize) -> Result<()> {
    let [source, target] = [(encoder, from), (decoder, to)].map(|(chain, k)| &chain.layers[k]);
    let place = encoder.place(from);
    ensure!(
        std::mem::discriminant(source) == std::mem::discriminant(target),
        "its state comes from {place}, which is another kind of cell"
    );
    let [given, own] = [source, target].map(|layer| layer.get().units().map_or(0, |(_, units)| units));
    ensure!(given == own, "units: {own}, but its state comes from {place}, which has {given}");
    Ok(())
}
