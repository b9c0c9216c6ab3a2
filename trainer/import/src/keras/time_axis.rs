//! Layers that change the time axis: they come and go of one step, reduce it to its maximum, its
//! mean or its last step.

use anyhow::{Result, ensure};

use super::builder::LayerBuilder;
use super::last_step;
use super::layer_config::LayerConfig;
use super::shapes;
use embedded_rnn_nn::layers::{GlobalAveragePooling1D, GlobalMaxPooling1D, Kind};

impl LayerBuilder {
    /// Reads a layer that only changes axes; `false` if it is another one.
    ///
    /// # Errors
    /// Axes that are not those of the same frames, or a mask.
    pub fn reshape(&mut self, layer: &mut LayerConfig) -> Result<bool> {
        let before = self.info.axes();
        let Some(axes) = shapes::read(layer, &before)? else { return Ok(false) };
        self.info.check_unmasked(&layer.class)?;
        let has_lost_time = self.stack.layers().iter().any(|layer| !layer.kind.get().keeps_time());
        ensure!(
            axes.len() <= before.len() || !has_lost_time,
            "class_name {}: not supported after the last time step of a sequence",
            layer.class
        );
        self.info.has_time = axes.len() == 2;
        self.info.steps = if self.info.has_time { axes[0] } else { None };
        Ok(true)
    }

    /// Reads the maximum or the mean over time.
    ///
    /// # Errors
    /// An axis that stays, or a mask.
    pub fn pooling(&mut self, layer: &mut LayerConfig) -> Result<Kind<f32>> {
        let options = &mut layer.options;
        options.ignore_training()?;
        options.only("data_format", &["channels_last".into()], "only channels_last is supported")?;
        options.off("keepdims", "only supported for one time step")?;
        options.clone().finish()?;
        self.info.check_unmasked(&layer.class)?;
        let features = self.info.features;
        Ok(match layer.class.as_str() {
            "GlobalMaxPooling1D" => Kind::GlobalMaxPooling1D(GlobalMaxPooling1D::new(features)),
            _ => Kind::GlobalAveragePooling1D(GlobalAveragePooling1D::new(features)),
        })
    }

    /// Reads an operation that takes the last time step.
    ///
    /// # Errors
    /// Another part of its input, or a last time step that is not the final state of a layer.
    pub fn take_last_step(&mut self, operation: &mut LayerConfig) -> Result<()> {
        last_step::check(operation)?;
        ensure!(self.info.has_time, "index [:, -1]: no time axis");
        ensure!(
            self.info.mask.is_none(),
            "index [:, -1]: not supported after a mask, as Keras's GPU kernels return zeros at masked frames"
        );
        // Of one time step, it is the only one.
        if self.info.steps != Some(1) {
            last_step::take(&mut self.stack)?;
        }
        (self.info.has_time, self.info.steps) = (false, None);
        Ok(())
    }
}
