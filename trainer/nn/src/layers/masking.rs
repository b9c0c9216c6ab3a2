//! Marks masked time steps: frames whose features all equal `mask_value`.
//!
//! As in Keras's `Masking`, a masked time step leaves every state unchanged, and has neither an output nor a
//! loss. Masked frames are removed before a batch is packed, so the layer does nothing in training.

use anyhow::{Result, bail};
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::{LayerRecord, MASKS, MAX_INPUT_FRAC};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{
    Affine, Export, FoldRole, ForwardCache, Gradients, InputStage, Kind, Layer, LayerSpec, Module, Observer,
    Pass, RecordSummary, Stored,
};
use crate::data::{Dataset, is_masked};
use crate::export::{FloatWeights, IntLayer, PackedLayer, Site, framewise_record};
use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real};

/// A mask over frames of `size` features.
#[derive(Clone, Debug, PartialEq)]
pub struct Masking<T: Real> {
    /// The number of features of input and output.
    pub size: usize,
    /// The value of all features of a masked frame.
    pub mask_value: T,
}

/// A `Masking` layer in a config; names and defaults are Keras's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskingConfig {
    /// The name of the layer.
    pub name: Option<String>,
    /// The value of all features of a masked frame; 0 by default.
    #[serde(default)]
    pub mask_value: f32,
}

impl LayerSpec for MaskingConfig {
    fn name(&self) -> Option<&String> {
        self.name.as_ref()
    }

    fn units(&self) -> Option<(&'static str, usize)> {
        None
    }

    fn parameters(&self, _: u64) -> u64 {
        0
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn needs_time(&self) -> bool {
        false
    }

    fn only_first(&self) -> bool {
        true
    }

    fn mask_value(&self) -> Option<f32> {
        Some(self.mask_value)
    }

    fn check(&self) -> Result<()> {
        anyhow::ensure!(self.mask_value.is_finite(), "mask_value: {} is not finite", self.mask_value);
        Ok(())
    }

    fn build(&self, input_size: usize, _: &Dataset, _: &mut ChaCha8Rng) -> Kind<f32> {
        Kind::Masking(Masking { size: input_size, mask_value: self.mask_value })
    }
}

impl<T: Real> Masking<T> {
    pub(super) fn cast<U: Real>(&self) -> Masking<U> {
        Masking { size: self.size, mask_value: U::of(self.mask_value.to_f64()) }
    }
}

impl<T: Real> Module<T> for Masking<T> {
    fn mask_value(&self) -> Option<T> {
        Some(self.mask_value)
    }

    fn output_size(&self) -> usize {
        self.size
    }

    fn forward(&self, input: &PackedSequence<T>, _: Pass<'_, T>) -> ForwardCache<T> {
        ForwardCache::framewise(input, input.values.clone(), Vec::new())
    }

    fn backward(
        &self,
        _: &PackedSequence<T>,
        _: &ForwardCache<T>,
        d_output: Matrix<T>,
        _: &[Matrix<T>],
    ) -> Gradients<T> {
        Gradients::stateless(Vec::new(), d_output)
    }

    fn backward_pre_activations(&self, _: &PackedSequence<T>, _: Matrix<T>) -> Option<Gradients<T>> {
        None
    }

    fn input_gradient(
        &self,
        _: &PackedSequence<T>,
        _: &ForwardCache<T>,
        gradients: &Gradients<T>,
    ) -> Matrix<T> {
        gradients.pre_activations[0].clone()
    }

    fn forward_reference(
        &self,
        mut frames: Vec<Vec<T>>,
        _: &mut [Vec<T>],
        _: Observer<'_, T>,
    ) -> Vec<Vec<T>> {
        frames.retain(|frame| !is_masked(frame, self.mask_value));
        frames
    }
}

impl Masking<f32> {
    fn record(&self) -> LayerRecord {
        LayerRecord { flags: MASKS, ..framewise_record(RecordKind::Masking, self.size) }
    }
}

impl Export for Masking<f32> {
    fn kinds() -> Vec<RecordKind> {
        vec![RecordKind::Masking]
    }

    fn check_export(&self) -> Result<()> {
        Ok(())
    }

    fn export_float<N: FloatWeights>(&self, name: &str) -> Result<Vec<PackedLayer<N::Weight>>> {
        Ok(vec![PackedLayer::new(self.record(), N::store_f32(vec![self.mask_value]), name)])
    }

    fn integer_form(&self, name: &str) -> Result<Vec<Layer<f32>>> {
        Ok(vec![Layer { name: name.to_owned(), kind: Kind::Masking(self.clone()) }])
    }

    fn input_stage(&self, name: &str) -> Result<InputStage<'_>> {
        let weights = vec![self.mask_value.to_bits() as i32];
        let record = LayerRecord { frac: MAX_INPUT_FRAC as u8, ..self.record() };
        Ok(InputStage::Mask(PackedLayer::new(record, weights, name)))
    }

    fn export_int(&self, _: &str, _: Site<'_>) -> Result<IntLayer> {
        bail!("must be the first layer of an integer model")
    }

    fn gates(&self) -> usize {
        0
    }

    fn fold_role(&self) -> FoldRole {
        FoldRole::Other
    }

    fn absorb_before(&mut self, _: &Affine) -> bool {
        false
    }

    fn absorb_after(&mut self, _: &FoldRole) -> bool {
        false
    }

    fn read<N: FloatWeights>(stored: &Stored<'_, N>, _: &mut Vec<Layer<f32>>) -> Result<Self> {
        let &[mask_value] = stored.f32s() else { bail!("a Masking has one value") };
        Ok(Self { size: stored.record.units(), mask_value })
    }

    fn summarize(_: &LayerRecord) -> RecordSummary {
        RecordSummary { keras_name: "Masking", has_mask_value: true, ..RecordSummary::default() }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::data::{Array, Dataset, Values, pack};
    use crate::tensor::Matrix;

    /// Layers that mask, each followed by layers with a state or with statistics of the frames.
    const STACKS: &[(&str, &str)] = &[
        (
            "{ type = 'Masking', mask_value = 4 }",
            "{ type = 'Normalization' }, { type = 'LSTM', units = 3, return_sequences = true }",
        ),
        (
            "{ type = 'Masking', mask_value = 4 }",
            "{ type = 'GRU', units = 3, return_sequences = true, go_backwards = true }",
        ),
        (
            "{ type = 'Masking', mask_value = 4 }",
            "{ type = 'Bidirectional', layer = { type = 'SimpleRNN', units = 3 } }",
        ),
        (
            "{ type = 'Embedding', input_dim = 6, output_dim = 2, mask_zero = true }",
            "{ type = 'LSTM', units = 3 }",
        ),
        (
            "{ type = 'Embedding', input_dim = 6, output_dim = 2, mask_zero = true }",
            "{ type = 'Bidirectional', layer = { type = 'GRU', units = 3, return_sequences = true } }",
        ),
    ];

    /// Draws sequences of `features` values per frame; the targets per frame are the indices of the frames
    /// that are not masked. With `masked`, frames of this value are inserted before, between and after the
    /// others.
    fn data(features: usize, per_frame: bool, masked: Option<i64>) -> Dataset {
        let (mut x, mut y, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        let mut number = 0;
        for count in [2, 4, 1, 3] {
            let mut step = 0;
            let mask = |x: &mut Vec<i64>, y: &mut Vec<i64>, step: &mut i64| {
                if let Some(value) = masked {
                    x.extend(vec![value; features]);
                    y.push(5);
                    *step += 1;
                }
            };
            mask(&mut x, &mut y, &mut step);
            for t in 0..count {
                // At most one of two features may equal the mask value.
                x.extend((0..features as i64).map(|k| if k == 1 { 4 } else { 1 + (number * 3 + t) % 3 }));
                y.push(number);
                (number, step) = (number + 1, step + 1);
                if t == 1 {
                    mask(&mut x, &mut y, &mut step);
                }
            }
            mask(&mut x, &mut y, &mut step);
            steps.push(step);
        }
        let rows = y.len();
        let y = if per_frame { y } else { vec![7, 8, 9, 6] };
        let array =
            |shape: &[usize], values| Array { shape: shape.to_vec(), values: Values::Integers(values) };
        let (x, y) = (array(&[rows, features], x), array(&[y.len()], y));
        Dataset::from_arrays(x, Some(array(&[4], steps)), y, ["x", "y"]).unwrap()
    }

    /// Checks that masked frames change neither statistics, states, outputs nor targets, in batches and in
    /// the reference pass.
    #[test]
    fn masking_equals_the_same_sequences_without_the_masked_frames() {
        for (mask, rest) in STACKS {
            let read = |layers: &str| -> Config {
                let head = "{ type = 'Dense', units = 10, activation = 'softmax' }";
                toml::from_str(&format!(
                    "name = 'test'\ndata.file = ''\nlayers = [{layers}, {head}]\n\
                     training = {{ loss = 'categorical_crossentropy', epochs = 1 }}"
                ))
                .unwrap()
            };
            let (masking, clear) = (
                read(&format!("{mask}, {rest}")),
                read(&format!("{}, {rest}", mask.replace("true", "false"))),
            );
            let features = if mask.contains("Embedding") { 1 } else { 2 };
            let per_frame = rest.contains("return_sequences");
            let masked = if features == 1 { 0 } else { 4 };
            let (raw, clean) = (data(features, per_frame, Some(masked)), data(features, per_frame, None));
            let admitted = masking.admit(raw.clone()).unwrap();
            assert_eq!(admitted, clear.admit(clean.clone()).unwrap());
            assert_eq!(admitted.per_frame, per_frame);

            let network = masking.network(&admitted, 3);
            let batch = pack(&admitted, &[0, 1, 2, 3]);
            let output = network.output(&batch);
            let by_length = [1, 3, 0, 2];
            for (k, s) in by_length.into_iter().enumerate() {
                let columns: Vec<usize> = if per_frame {
                    (0..clean.sequences.steps(s)).map(|t| batch.input.steps.column(t, k)).collect()
                } else {
                    vec![k]
                };
                let packed: Matrix<f32> = output.select_columns(&columns);
                let [with, without] = [&raw, &clean].map(|data| network.predict(data.sequences.get(s)));
                assert_eq!(with, without, "{mask}, {rest}");
                assert_eq!(with.len(), packed.len());
                let worst = with.iter().zip(packed.iter()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst < 1e-6, "{mask}, {rest}: {worst}");
            }
        }
    }
}
