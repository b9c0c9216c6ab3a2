//! What an encoder and a decoder have to be so that the state of one can become that of the other.

use anyhow::{Context, Result, bail, ensure};

use super::layers::{ChainConfig, outputs};
use crate::layers::LayerConfig;
use crate::loss::Loss;

/// Refuses chains of which one cannot go on where the other ends.
pub(super) fn check(encoder: &ChainConfig<'_>, decoder: &ChainConfig<'_>, loss: Loss) -> Result<()> {
    ensure!(
        loss == Loss::CategoricalCrossentropy,
        "training.loss: a decoder writes classes: categorical_crossentropy"
    );
    check_encoder(encoder)?;
    check_decoder(decoder)?;
    let (from, to) = (recurrent(encoder), recurrent(decoder));
    ensure!(
        from.len() == to.len(),
        "layers: {} recurrent layers, but the encoder has {}, and each hands its state to one",
        to.len(),
        from.len()
    );
    from.into_iter().zip(to).try_for_each(|(from, to)| {
        let check = || check_pair(encoder, from, decoder, to);
        check().with_context(|| decoder.place(to))
    })
}

/// The numbers of the recurrent layers.
fn recurrent(chain: &ChainConfig<'_>) -> Vec<usize> {
    (0..chain.layers.len()).filter(|&k| chain.layers[k].cell().is_some()).collect()
}

fn check_encoder(encoder: &ChainConfig<'_>) -> Result<()> {
    for (k, layer) in encoder.layers.iter().enumerate() {
        let both_ways = matches!(layer, LayerConfig::Bidirectional(_));
        ensure!(!both_ways, "{}: a decoder goes one way, and so does its encoder", encoder.place(k));
    }
    let last = encoder.layers.len() - 1;
    ensure!(
        encoder.layers[last].cell().is_some(),
        "{}: an encoder ends in a recurrent layer, as nothing but its state goes on",
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
                ensure!(ids == classes, "input_dim: {ids}, but the decoder writes {classes} classes");
                ensure!(!config.mask_zero, "mask_zero: class 0 is where a decoder starts");
            }
            _ if k == 0 => bail!("a decoder begins with an Embedding of the classes that it writes"),
            LayerConfig::Bidirectional(_) => {
                bail!("a decoder writes one class after another: it goes one way")
            }
            _ => {}
        }
        let backwards = decoder.layers[k].cell().is_some_and(|cell| cell.shared().go_backwards);
        ensure!(!backwards, "go_backwards: a decoder writes one class after another");
        ensure!(
            decoder.layers[k].get().keeps_time(),
            "return_sequences: a decoder gives an output at every step: set it to true"
        );
        Ok(())
    };
    (0..decoder.layers.len()).try_for_each(|k| check(k).with_context(|| decoder.place(k)))
}

/// Of two recurrent layers.
fn check_pair(encoder: &ChainConfig<'_>, from: usize, decoder: &ChainConfig<'_>, to: usize) -> Result<()> {
    let [giver, taker] = [(encoder, from), (decoder, to)].map(|(chain, k)| &chain.layers[k]);
    let place = encoder.place(from);
    ensure!(
        std::mem::discriminant(giver) == std::mem::discriminant(taker),
        "its state comes from {place}, which is another kind of cell"
    );
    let [given, taken] = [giver, taker].map(|layer| layer.get().units().map_or(0, |(_, units)| units));
    ensure!(given == taken, "units: {taken}, but its state comes from {place}, which has {given}");
    Ok(())
}
