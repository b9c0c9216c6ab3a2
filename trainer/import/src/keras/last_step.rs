//! The last time step of a sequence, `sequence[:, -1]`.
//!
//! Keras 3 writes an operation `GetItem` whose second argument is the index, Keras 2 a `SlicingOpLambda` with
//! the index in its keywords. The last recurrent layer then has no need to return sequences, and the layers
//! after it map each frame separately.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::dict::rejection;
use super::layer_config::LayerConfig;
use crate::stack::LayerStack;
use embedded_rnn_nn::layers::{Kind, Layer};

/// Checks that the operation takes the last time step.
///
/// # Errors
/// Another part of its input.
pub fn check(operation: &mut LayerConfig) -> Result<()> {
    operation.options.ignore_training()?;
    let function = ["__operators__.getitem".into()];
    operation.options.only("function", &function, "only an index is supported")?;
    operation.options.clone().finish()?;
    let index = operation.index.as_ref().context("inbound_nodes: no index")?;
    let all = json!({ "start": null, "stop": null, "step": null });
    let is_all = |part: &Value| *part == all || *part == json!({ "class_name": "__slice__", "config": all });
    let is_last = match index.as_array().map(Vec::as_slice) {
        Some([batch, time]) => is_all(batch) && *time == -1,
        Some([batch, time, features]) => is_all(batch) && *time == -1 && is_all(features),
        _ => false,
    };
    ensure!(is_last, rejection("index", index, "only the last time step, [:, -1], is supported"));
    Ok(())
}

/// Makes the last recurrent layer return its last output only.
///
/// # Errors
/// Layers whose last output is not a final state.
pub fn take(stack: &mut LayerStack) -> Result<()> {
    for Layer { name, kind } in stack.layers_mut().iter_mut().rev() {
        match kind {
            Kind::Recurrent(layer) => {
                layer.return_sequences = false;
                return Ok(());
            }
            Kind::Bidirectional(_) => bail!(
                "index [:, -1] of {name}: not supported, as its backward layer has seen one time step there; \
                 return_sequences=False returns the final states"
            ),
            Kind::Dense(_)
            | Kind::Activation(_)
            | Kind::Dropout(_)
            | Kind::BatchNormalization(_)
            | Kind::LayerNormalization(_) => {}
            Kind::Normalization(_)
            | Kind::Masking(_)
            | Kind::Embedding(_)
            | Kind::GlobalMaxPooling1D(_)
            | Kind::GlobalAveragePooling1D(_) => break,
            Kind::Add(_) => bail!(
                "index [:, -1] of {name}: not supported, as no recurrent layer alone computes it; the model \
                 without the index outputs it at every time step"
            ),
        }
    }
    bail!("index [:, -1]: not supported without a recurrent layer before it")
}
