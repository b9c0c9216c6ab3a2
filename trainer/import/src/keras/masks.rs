//! The operations of Keras 3 that compute masks, which are layers of a Functional config.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::inbound::{Inbound, MaskSource, Operand};
use super::layer_config::LayerConfig;

/// Removes the operations that compute masks from the layers, and returns the mask of each.
///
/// # Errors
/// An operation with another purpose.
pub fn take_masks(
    layers: &mut Vec<LayerConfig>,
    inbound: &HashMap<String, Inbound>,
) -> Result<HashMap<String, MaskSource>> {
    let mut sources = HashMap::new();
    for class in ["NotEqual", "Any"] {
        let (operations, rest): (Vec<_>, Vec<_>) =
            std::mem::take(layers).into_iter().partition(|layer| layer.class == class);
        *layers = rest;
        for operation in operations {
            let name = operation.name.clone();
            let source = mask_source(operation, &inbound[&name], &sources).with_context(|| name.clone())?;
            sources.insert(name, source);
        }
    }
    Ok(sources)
}

/// Returns the mask that an operation computes: `NotEqual` from the input, or `Any` from a `NotEqual`.
fn mask_source(
    mut operation: LayerConfig,
    inbound: &Inbound,
    sources: &HashMap<String, MaskSource>,
) -> Result<MaskSource> {
    operation.options.only("axis", &[Value::from(-1)], "only the feature axis is supported")?;
    operation.options.off("keepdims", "not part of a mask")?;
    operation.options.ignore(&["dtype"]);
    operation.options.finish()?;
    match (inbound.operand, sources.get(&inbound.from)) {
        (Some(Operand { value, is_first: false }), None) => {
            Ok(MaskSource { layer: inbound.from.clone(), value, any_feature: false })
        }
        (None, Some(MaskSource { layer, value, any_feature: false })) => {
            Ok(MaskSource { layer: layer.clone(), value: *value, any_feature: true })
        }
        _ => bail!("class_name {}: not part of a mask", operation.class),
    }
}
