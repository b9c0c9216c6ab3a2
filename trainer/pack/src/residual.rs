//! Rules of residual connections that the runtime has, checked while layers still have names.

use anyhow::{Context, Result, bail, ensure};
use embedded_rnn::format::MAX_SPAN;
use embedded_rnn_nn::layers::{Kind, Layer};

/// Rejects a residual connection around layers of a chain that the runtime does not have.
///
/// # Errors
/// The name of the connection, and the rule.
pub fn check(layers: &[Layer<f32>]) -> Result<()> {
    let sums = layers.iter().enumerate().filter_map(|(k, layer)| Some((k, layer, layer.kind.span()?)));
    for (k, layer, span) in sums {
        check_span(layers, k, span).with_context(|| layer.name.clone())?;
    }
    Ok(())
}

fn check_span(layers: &[Layer<f32>], k: usize, span: usize) -> Result<()> {
    let most = MAX_SPAN as usize;
    ensure!((1..=k.min(most)).contains(&span), "a residual connection around {span} layers; at most {most}");
    let spanned = &layers[k - span..k];
    let is_ids = matches!(spanned[0].kind, Kind::Embedding(_));
    ensure!(!is_ids, "a residual connection around the layer that reads ids");
    let ends = spanned.iter().find(|layer| !layer.kind.get().keeps_time());
    if let Some(ends) = ends {
        bail!("a residual connection around {}, which returns its last output only", ends.name);
    }
    let whole = |layer: &&Layer<f32>| match &layer.kind {
        Kind::Recurrent(layer) => layer.go_backwards,
        Kind::Bidirectional(_) => true,
        other => other.get().mask_value().is_some(),
    };
    if let Some(whole) = layers.iter().find(whole) {
        bail!(
            "a residual connection is not supported in a model with {}, which runs backwards or masks time \
             steps",
            whole.name
        );
    }
    Ok(())
}
