//! Layers that only change the axes of their input. A frame stays a frame: only axes of length one come and
//! go.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::dict::{ConfigDict, rejection};
use super::layer_config::LayerConfig;

/// The lengths of the axes after that of the batch, where they are fixed: `[time, features]` or `[features]`.
pub type Axes = Vec<Option<usize>>;

/// The classes of these layers.
const CLASSES: [&str; 6] =
    ["Flatten", "Reshape", "Permute", "RepeatVector", "GlobalAveragePooling1D", "GlobalMaxPooling1D"];

/// Returns the axes of the output of such a layer over these axes; `None` for a layer of another class.
///
/// # Errors
/// Axes that are not those of the same frames.
pub fn read(layer: &mut LayerConfig, axes: &[Option<usize>]) -> Result<Option<Axes>> {
    let LayerConfig { class, options, .. } = layer;
    if !CLASSES.contains(&class.as_str()) {
        return Ok(None);
    }
    options.ignore_training()?;
    let found = reshaped(class, options, axes)?;
    options.clone().finish()?;
    Ok(Some(found))
}

fn reshaped(class: &str, options: &mut ConfigDict, axes: &[Option<usize>]) -> Result<Axes> {
    let features = axes.last().copied().flatten();
    let is_one_step = axes.len() == 2 && axes[0] == Some(1);
    let has_no_time = axes.len() == 1;
    Ok(match class {
        "Flatten" => {
            channels_last(options)?;
            ensure!(has_no_time || is_one_step, "class_name Flatten: only supported for one time step");
            vec![features]
        }
        "Reshape" => {
            let target = options.required("target_shape")?;
            let found = target_shape(&target, axes);
            let same = found.filter(|found| {
                found[..] == *axes
                    || (has_no_time && found[..] == [Some(1), features])
                    || (is_one_step && found[..] == [features])
            });
            same.ok_or_else(|| rejection("target_shape", &target, "only the same frames are supported"))?
        }
        "Permute" => {
            let dims: Vec<usize> = (1..=axes.len()).collect();
            options.only("dims", &[dims.into()], "only the same order is supported")?;
            axes.to_vec()
        }
        "RepeatVector" => {
            ensure!(has_no_time, "class_name RepeatVector: not supported after a time axis");
            let n = options.size("n")?;
            ensure!(
                n == 1,
                "n {n}: only 1 is supported, as a model has no more outputs than inputs in time; an encoder \
                 and a decoder, trained with ernn, generate sequences"
            );
            vec![Some(1), features]
        }
        // The poolings over time, of one time step.
        _ => {
            channels_last(options)?;
            ensure!(is_one_step, "class_name {class}: only supported over a time axis");
            if options.flag("keepdims", false)? { axes.to_vec() } else { vec![features] }
        }
    })
}

fn channels_last(options: &mut ConfigDict) -> Result<()> {
    options.only("data_format", &["channels_last".into()], "only channels_last is supported")
}

/// Returns the axes that a Reshape results in, its -1 computed.
fn target_shape(target: &Value, axes: &[Option<usize>]) -> Option<Axes> {
    let target: Vec<i64> = target.as_array()?.iter().map(Value::as_i64).collect::<Option<_>>()?;
    let fixed = |axes: &[Option<usize>]| axes.iter().try_fold(1usize, |len, axis| len.checked_mul((*axis)?));
    let known: Axes = target.iter().map(|&axis| usize::try_from(axis).ok()).collect();
    match target.iter().filter(|&&axis| axis == -1).count() {
        0 => known.iter().all(Option::is_some).then_some(known),
        1 => {
            let open = known.iter().position(Option::is_none)?;
            let rest: Axes = known.iter().copied().filter(Option::is_some).collect();
            let mut found = known;
            found[open] = match fixed(axes) {
                Some(all) => all.checked_div(fixed(&rest)?),
                // The only open axis is that of time.
                None => None,
            };
            Some(found)
        }
        _ => None,
    }
}
