//! Says which frames are none: those whose features all equal `mask_value`.
//!
//! Keras's `Masking`: a masked step leaves every state alone, and there is no output and no loss for it. Masked frames
//! are taken out before a batch is packed, so nothing is left to do in training.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{ForwardCache, Gradients, Kind, Module, Pass};
use crate::config::LayerSpec;
use crate::data::{Dataset, is_masked};
use crate::reference::Observer;
use crate::tensor::{Matrix, PackedSequence, Real};

/// A mask over frames of `size` features.
#[derive(Clone, Debug, PartialEq)]
pub struct Masking<T: Real> {
    /// Features in and out.
    pub size: usize,
    /// What all features of a masked frame are.
    pub mask_value: T,
}

/// A `Masking` layer in a config; names and defaults are Keras's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name.
    pub name: Option<String>,
    /// What all features of a masked frame are; 0 unless said otherwise.
    #[serde(default)]
    pub mask_value: f32,
}

impl LayerSpec for Config {
    fn name(&self) -> Option<&String> {
        self.name.as_ref()
    }

    fn only_first(&self) -> bool {
        true
    }

    fn mask_value(&self) -> Option<f32> {
        Some(self.mask_value)
    }

    fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.mask_value.is_finite(), "mask_value: {} is in no data", self.mask_value);
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

    fn input_gradient(
        &self,
        _: &PackedSequence<T>,
        _: &ForwardCache<T>,
        gradients: &Gradients<T>,
    ) -> Matrix<T> {
        gradients.sums[0].clone()
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

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::data::{Array, Dataset, Values, pack};
    use crate::tensor::Matrix;

    /// Layers that mask, and behind each what has a state or measures frames.
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

    /// Sequences of `features` values a frame, whose targets, where there is one a frame, are the numbers of the frames that
    /// count. With `masked`, frames of nothing but this value stand before, between and behind.
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
                // Only one of two features may be the masked value.
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

    /// Masked frames change nothing: not what is measured, nor states, outputs or targets, in batches and in plain loops.
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
