//! Frame-wise layers: the same computation on every frame.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::activation::{self, LayerFunction, last_axis};
use super::affine;
use super::composed;
use super::dict::{ConfigDict, rejection};
use super::frames::FrameInfo;
use super::naming::SubLayer;
use super::weights::LayerWeights;
use crate::composed::clip;
use crate::variance::check_variances;
use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::layers::{self, BatchNormalization, Dense, Kind, LayerNormalization};
use embedded_rnn_nn::tensor::Matrix;

/// Layer classes without effect in inference.
const TRAINING_ONLY: [&str; 7] = [
    "Dropout",
    "SpatialDropout1D",
    "GaussianDropout",
    "GaussianNoise",
    "AlphaDropout",
    "ActivityRegularization",
    "Identity",
];

/// A frame-wise layer of the config, and its weights.
pub struct Framewise<'a, 'w> {
    /// The class.
    pub class: &'a str,
    /// The options.
    pub options: ConfigDict,
    /// The position of the weights within the layer.
    pub sub_layer: SubLayer,
    /// The weights of the layer.
    pub weights: &'a mut LayerWeights<'w>,
    /// The number of axes of the input, with that of the batch.
    pub axes: i64,
}

impl Framewise<'_, '_> {
    /// Reads the layer, as one or more layers of the runtime; none if it has no effect in inference.
    ///
    /// # Errors
    /// A construct that is not supported.
    pub fn read(mut self, info: &FrameInfo) -> Result<Vec<Kind<f32>>> {
        self.options.ignore_training()?;
        let kinds = match self.class {
            "PReLU" => composed::leaky(&self.slopes(info)?)?,
            "Dense" => vec![Kind::Dense(self.dense(info)?)],
            "Conv1D" => vec![Kind::Dense(self.convolution(info)?)],
            "Normalization" => {
                info.check_unmasked(self.class)?;
                let size = (self.axes, info.features);
                let (options, weights) = (&mut self.options, &mut *self.weights);
                vec![affine::normalization(options, weights, self.sub_layer, size, info.is_input)?]
            }
            "Rescaling" => {
                info.check_unmasked(self.class)?;
                vec![affine::rescaling(&mut self.options, info.features)?]
            }
            "BatchNormalization" => vec![Kind::BatchNormalization(self.batch_normalization(info)?)],
            "LayerNormalization" => vec![Kind::LayerNormalization(self.layer_normalization(info)?)],
            "Activation" => {
                activation_layer(info, activation::read(info.version, "activation", &mut self.options)?)
            }
            class if TRAINING_ONLY.contains(&class) => {
                self.options.ignore(&["rate", "noise_shape", "stddev", "l1", "l2"]);
                Vec::new()
            }
            class => {
                let found = activation::of_layer(class, &mut self.options, self.axes - 1)?;
                let function = found.with_context(|| format!("class_name {class}: not supported"))?;
                // Keras's Softmax layer takes the mask of the sequence for a mask of its values.
                if class == "Softmax" && info.mask.is_some() {
                    bail!("class_name Softmax: not supported after a mask; use Activation");
                }
                match function {
                    LayerFunction::Named(function) => activation_layer(info, function),
                    LayerFunction::Limited(limit) => {
                        clip(0.0, limit)?.into_iter().map(|function| function.kind(info.features)).collect()
                    }
                }
            }
        };
        self.options.finish()?;
        Ok(kinds)
    }

    fn dense(&mut self, info: &FrameInfo) -> Result<Dense<f32>> {
        let units = self.options.size("units")?;
        self.weighted(info, units, vec![info.features, units])
    }

    /// Reads a convolution over time whose kernel is one frame.
    fn convolution(&mut self, info: &FrameInfo) -> Result<Dense<f32>> {
        ensure!(self.axes == 3, "class_name Conv1D: no time axis");
        info.check_unmasked(self.class)?;
        self.options.only("kernel_size", &[1.into(), vec![1].into()], "only 1 is supported")?;
        self.options.only("strides", &[1.into(), vec![1].into()], "only 1 is supported")?;
        self.options.only("groups", &[1.into()], "only 1 is supported")?;
        self.options.only("data_format", &["channels_last".into()], "only channels_last is supported")?;
        // Without effect on a kernel of one frame.
        self.options.ignore(&["padding", "dilation_rate"]);
        let filters = self.options.size("filters")?;
        self.weighted(info, filters, vec![1, info.features, filters])
    }

    /// Reads weights per unit, bias and activation.
    fn weighted(&mut self, info: &FrameInfo, units: usize, kernel: Vec<usize>) -> Result<Dense<f32>> {
        let activation = activation::read(info.version, "activation", &mut self.options)?;
        let use_bias = self.options.flag("use_bias", true)?;
        not_quantized(&mut self.options)?;
        let mut expected = vec![("kernel", kernel)];
        expected.extend(use_bias.then(|| ("bias", vec![units])));
        let found = self.weights.arrays(self.sub_layer, &expected)?;
        let bias = found.get(1).map_or_else(|| Ok(Matrix::zeros(units, 1)), |bias| bias.column())?;
        let weight = Matrix::from_row_slice(info.features, units, found[0].values()).transpose();
        Ok(Dense { weight, bias, activation, use_bias })
    }

    /// Reads the slopes of a PReLU, one per feature.
    fn slopes(&mut self, info: &FrameInfo) -> Result<Vec<f32>> {
        let shared = self.options.take("shared_axes");
        let is_one_step = info.steps == Some(1) && shared.is_none();
        let shape = if self.axes == 2 { vec![info.features] } else { vec![1, info.features] };
        let is_supported = match &shared {
            None => self.axes == 2 || is_one_step,
            Some(axes) => self.axes == 3 && *axes == Value::from(vec![1]),
        };
        ensure!(
            is_supported,
            rejection(
                "shared_axes",
                &shared.unwrap_or_default(),
                "only slopes per feature, [1], are supported"
            )
        );
        let [alpha] = self.weights.array_tuple(self.sub_layer, [("alpha", shape)])?;
        Ok(alpha.values().to_vec())
    }

    fn batch_normalization(&mut self, info: &FrameInfo) -> Result<BatchNormalization<f32>> {
        self.options.off("renorm", "not supported")?;
        self.options.ignore(&["synchronized", "renorm_clipping", "renorm_momentum"]);
        let [gamma, beta, moving_mean, moving_variance] =
            self.normalization(info, &["moving_mean", "moving_variance"])?;
        let epsilon = self.options.number("epsilon")? as f32;
        check_variances(&moving_variance, epsilon).context("moving_variance")?;
        Ok(BatchNormalization { gamma, beta, moving_mean, moving_variance, momentum: 0.99, epsilon })
    }

    fn layer_normalization(&mut self, info: &FrameInfo) -> Result<LayerNormalization<f32>> {
        self.options.off("rms_scaling", "not supported")?;
        let [gamma, beta, ..] = self.normalization(info, &[])?;
        let epsilon = self.options.number("epsilon")? as f32;
        ensure!(epsilon > 0.0, "epsilon {epsilon}: not positive");
        Ok(LayerNormalization { gamma, beta, epsilon })
    }

    /// Returns gamma and beta, ones and zeros where the layer has none, and `statistics`.
    fn normalization(&mut self, info: &FrameInfo, statistics: &[&str]) -> Result<[Matrix<f32>; 4]> {
        last_axis(&mut self.options, self.axes - 1)?;
        let (scale, center) = (self.options.flag("scale", true)?, self.options.flag("center", true)?);
        let names = [("gamma", scale), ("beta", center)];
        let names = names.into_iter().filter_map(|(name, is_present)| is_present.then_some(name));
        let expected: Vec<_> =
            names.chain(statistics.iter().copied()).map(|name| (name, vec![info.features])).collect();
        let mut found = self.weights.arrays(self.sub_layer, &expected)?.into_iter();
        let mut next = |is_present: bool, default: f32| match is_present.then(|| found.next()).flatten() {
            Some(tensor) => tensor.column(),
            None => Ok(Matrix::repeat(info.features, 1, default)),
        };
        let (gamma, beta) = (next(scale, 1.0)?, next(center, 0.0)?);
        let are_present = !statistics.is_empty();
        Ok([gamma, beta, next(are_present, 0.0)?, next(are_present, 1.0)?])
    }
}

/// Returns an activation as a layer; none for the linear one.
fn activation_layer(info: &FrameInfo, function: Activation) -> Vec<Kind<f32>> {
    let layer = layers::Activation::new(info.features, function);
    (function != Activation::Linear).then_some(Kind::Activation(layer)).into_iter().collect()
}

/// Checks that the weights are plain floats.
///
/// # Errors
/// An option that quantizes or adapts them.
pub fn not_quantized(options: &mut ConfigDict) -> Result<()> {
    for key in ["lora_rank", "lora_alpha", "quantization_config", "quantization_mode"] {
        options.only(key, &[], "only plain float weights are supported")?;
    }
    Ok(())
}
