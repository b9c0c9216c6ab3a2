//! Layers that do the same to every frame.

use anyhow::{Context, Result, bail, ensure};

use super::activation::{self, last_axis};
use super::layers::Builder;
use super::naming::Part;
use super::options::Options;
use super::weights::LayerWeights;
use crate::activation::Activation;
use crate::layers::{self, BatchNormalization, Dense, Kind, LayerNormalization};
use crate::tensor::Matrix;

/// Layers that do nothing once a network is trained.
const OF_TRAINING: [&str; 7] = [
    "Dropout",
    "SpatialDropout1D",
    "GaussianDropout",
    "GaussianNoise",
    "AlphaDropout",
    "ActivityRegularization",
    "Identity",
];

/// A layer, and where it stands.
pub struct Framewise<'a, 'w> {
    /// Its class.
    pub class: &'a str,
    /// Its options.
    pub options: Options,
    /// Where its weights are.
    pub part: Part,
    /// All weights there.
    pub weights: &'a mut LayerWeights<'w>,
    /// How many axes it meets, that of the batch among them.
    pub axes: i64,
}

impl Framewise<'_, '_> {
    /// What the layer is to us; none if it does nothing.
    ///
    /// # Errors
    /// What is not understood.
    pub fn read(mut self, builder: &Builder) -> Result<Option<Kind<f32>>> {
        self.options.common()?;
        let kind = match self.class {
            "Dense" => Some(Kind::Dense(self.dense(builder)?)),
            "BatchNormalization" => Some(Kind::BatchNormalization(self.batch_normalization(builder)?)),
            "LayerNormalization" => Some(Kind::LayerNormalization(self.layer_normalization(builder)?)),
            "Activation" => {
                standing(builder, activation::read(builder.version, "activation", &mut self.options)?)
            }
            class if OF_TRAINING.contains(&class) => {
                self.options.ignore(&["rate", "noise_shape", "stddev", "l1", "l2"]);
                None
            }
            class => {
                let found = activation::of_layer(class, &mut self.options, self.axes - 1)?;
                let function = found.with_context(|| format!("class_name {class}: not read"))?;
                // Keras's Softmax takes masks for those of its values.
                if class == "Softmax" && builder.mask.is_some() {
                    bail!("class_name Softmax: not read behind a mask; Activation is");
                }
                standing(builder, function)
            }
        };
        self.options.finish()?;
        Ok(kind)
    }

    fn dense(&mut self, builder: &Builder) -> Result<Dense<f32>> {
        let units = self.options.size("units")?;
        let activation = activation::read(builder.version, "activation", &mut self.options)?;
        let use_bias = self.options.flag("use_bias", true)?;
        not_quantized(&mut self.options)?;
        let mut wanted = vec![("kernel", vec![builder.features, units])];
        wanted.extend(use_bias.then(|| ("bias", vec![units])));
        let found = self.weights.part_of(self.part, &wanted)?;
        let bias = found.get(1).map_or_else(|| Ok(Matrix::zeros(units, 1)), |bias| bias.column())?;
        Ok(Dense { weight: found[0].matrix()?.transpose(), bias, activation, use_bias })
    }

    fn batch_normalization(&mut self, builder: &Builder) -> Result<BatchNormalization<f32>> {
        self.options.off("renorm", "not read")?;
        self.options.ignore(&["synchronized", "renorm_clipping", "renorm_momentum"]);
        let [gamma, beta, moving_mean, moving_variance] =
            self.normalization(builder, &["moving_mean", "moving_variance"])?;
        let epsilon = self.options.number("epsilon")? as f32;
        // What the layer would divide by.
        ensure!(
            moving_variance.iter().all(|variance| variance + epsilon > 0.0),
            "moving_variance: below zero"
        );
        Ok(BatchNormalization { gamma, beta, moving_mean, moving_variance, momentum: 0.99, epsilon })
    }

    fn layer_normalization(&mut self, builder: &Builder) -> Result<LayerNormalization<f32>> {
        self.options.off("rms_scaling", "not read")?;
        let [gamma, beta, ..] = self.normalization(builder, &[])?;
        let epsilon = self.options.number("epsilon")? as f32;
        ensure!(epsilon > 0.0, "epsilon {epsilon}: not above zero");
        Ok(LayerNormalization { gamma, beta, epsilon })
    }

    /// Gamma and beta, ones and zeros where the layer has none, and `statistics`.
    fn normalization(&mut self, builder: &Builder, statistics: &[&str]) -> Result<[Matrix<f32>; 4]> {
        last_axis(&mut self.options, self.axes - 1)?;
        let (scale, center) = (self.options.flag("scale", true)?, self.options.flag("center", true)?);
        let names = [("gamma", scale), ("beta", center)];
        let names = names.into_iter().filter_map(|(name, there)| there.then_some(name));
        let wanted: Vec<_> =
            names.chain(statistics.iter().copied()).map(|name| (name, vec![builder.features])).collect();
        let mut found = self.weights.part_of(self.part, &wanted)?.into_iter();
        let mut next = |there: bool, else_all: f32| match there.then(|| found.next()).flatten() {
            Some(tensor) => tensor.column(),
            None => Ok(Matrix::repeat(builder.features, 1, else_all)),
        };
        let (gamma, beta) = (next(scale, 1.0)?, next(center, 0.0)?);
        let there = !statistics.is_empty();
        Ok([gamma, beta, next(there, 0.0)?, next(there, 1.0)?])
    }
}

/// An activation as a layer of its own.
fn standing(builder: &Builder, function: Activation) -> Option<Kind<f32>> {
    let layer = layers::Activation::new(builder.features, function);
    (function != Activation::Linear).then_some(Kind::Activation(layer))
}

/// Refuses options that make something else of the weights.
///
/// # Errors
/// One is set.
pub fn not_quantized(options: &mut Options) -> Result<()> {
    for key in ["lora_rank", "lora_alpha", "quantization_config", "quantization_mode"] {
        options.only(key, &[], "only plain weights are read")?;
    }
    Ok(())
}
