//! The error of integer models of networks with normalizations.

use embedded_rnn::{I8, Kind as RecordKind, Model};
use embedded_rnn_nn::layers::{BatchNormalization, Kind, Layer, Normalization};
use embedded_rnn_nn::tensor::Matrix;

use super::*;
use crate::{AlignedBytes, Meta, Random};

/// Features per frame and units of the layers before a normalization.
const FEATURES: usize = 6;

/// Quantizes a network that is calibrated on its own frames.
fn quantized(network: &Network<f32>, frames: &[f32]) -> Quantized {
    quantize(network, &Meta::default(), &[frames]).unwrap()
}

/// Returns `1 .. ratio`, one value per feature, each the same multiple of the one before.
fn units(ratio: f32) -> Vec<f32> {
    (0..FEATURES).map(|k| ratio.powf(k as f32 / (FEATURES - 1) as f32)).collect()
}

/// Returns the layer that maps `unit * x + mean` to x, feature by feature.
fn normalization(units: &[f32], means: &[f32]) -> Kind<f32> {
    let column = |values: &[f32]| Matrix::from_column_slice(FEATURES, 1, values);
    Kind::BatchNormalization(BatchNormalization {
        moving_mean: column(means),
        moving_variance: column(units).map(|unit| unit * unit),
        ..BatchNormalization::affine(column(&[1.0; FEATURES]), column(&[0.0; FEATURES]))
    })
}

/// Makes a GRU over normalized features and the frames in units of this ratio, with means that are this
/// multiple of the units.
fn normalized_gru(ratio: f32, mean: f32, seed: u64) -> (Network<f32>, Vec<f32>) {
    let layers = "{ type = 'GRU', units = 16, return_sequences = true }, { type = 'Dense', units = 3 }";
    let (mut network, mut frames) = Random { layers, input_size: FEATURES, steps: 200, seed }.make().unwrap();
    let units = units(ratio);
    let means: Vec<f32> = units.iter().map(|unit| unit * mean).collect();
    let kind = normalization(&units, &means);
    network.layers.insert(0, Layer { name: "normalization".to_owned(), kind });
    for frame in frames.chunks_exact_mut(FEATURES) {
        frame.iter_mut().zip(&units).zip(&means).for_each(|((x, unit), mean)| *x = *x * unit + mean);
    }
    (network, frames)
}

/// Folded into the weights, the mean error over eight seeds was 1.8, 16, 56 and 102 times that with equal
/// units.
#[test]
fn the_units_of_normalized_inputs_do_not_matter() {
    for seed in 0..4 {
        let error = |ratio, mean| {
            let (network, frames) = normalized_gru(ratio, mean, seed);
            quantized(&network, &frames).output_error()
        };
        let equal = error(1.0, 0.0);
        println!("seed {seed}: rms {equal:.5} with equal units");
        for ratio in [10.0, 100.0, 1e3, 1e5] {
            let found = error(ratio, 0.0);
            assert!((found / equal - 1.0).abs() < 0.02, "seed {seed}, ratio {ratio}: {found}, not {equal}");
        }
        // Rounded to f32, these frames are not quite the same.
        for mean in [10.0, 100.0, 1e4] {
            let found = error(1e3, mean);
            assert!(found < 1.5 * equal, "seed {seed}, mean {mean}: {found}, not {equal}");
        }
    }
}

/// Makes a network with a normalization between two layers, over values whose ranges have this ratio. The
/// tanh keeps it from being folded into the first layer.
fn normalized_inside(ratio: f32, seed: u64) -> (Network<f32>, Vec<f32>) {
    let layers = "{ type = 'Dense', units = 6, activation = 'tanh' }, { type = 'BatchNormalization' }, \
                  { type = 'GRU', units = 16, return_sequences = true }, { type = 'Dense', units = 3 }";
    let (mut network, frames) = Random { layers, input_size: FEATURES, steps: 200, seed }.make().unwrap();
    let Kind::Dense(first) = &mut network.layers[0].kind else { unreachable!() };
    for (mut row, unit) in first.weight.row_iter_mut().zip(units(ratio)) {
        row /= unit;
    }
    first.bias.fill(0.0);
    let values = Network::new(FEATURES, network.layers[..1].to_vec()).predict(&frames);
    let measured = Normalization::<f32>::measure(&values, FEATURES);
    network.layers[1].kind = normalization(measured.deviation().as_slice(), measured.mean.as_slice());
    (network, frames)
}

/// Returns `true` if the file has a BatchNormalization.
fn keeps_normalization(bytes: &[u8]) -> bool {
    let bytes = AlignedBytes::new(bytes);
    let model = Model::<I8>::new(&bytes).unwrap();
    model.layers().iter().any(|record| record.kind == RecordKind::BatchNormalization as u8)
}

/// Quantizes a network whose normalization is folded whatever that costs.
fn folded_anyhow(network: &Network<f32>, frames: &[f32]) -> Quantized {
    let network = folded_at(&folded(network), 1).unwrap();
    quantize_layers(&network, &Meta::default(), &[frames]).unwrap()
}

#[test]
fn a_normalization_that_spreads_rows_remains_a_layer() {
    for seed in 0..3 {
        let (network, frames) = normalized_inside(1.0, seed);
        let equal = quantized(&network, &frames);
        assert!(!keeps_normalization(&equal.bytes), "seed {seed}");
        for ratio in [30.0, 300.0, 1e3] {
            let (network, frames) = normalized_inside(ratio, seed);
            let found = quantized(&network, &frames);
            let (error, with_fold) = (found.output_error(), folded_anyhow(&network, &frames).output_error());
            println!("seed {seed}, ratio {ratio}: rms {error:.5}, folded {with_fold:.5}");
            assert!(keeps_normalization(&found.bytes), "seed {seed}, ratio {ratio}");
            assert!(error < with_fold / 3.0, "seed {seed}, ratio {ratio}: {error}, folded {with_fold}");
            assert!(error < 5.0 * equal.output_error(), "seed {seed}, ratio {ratio}: {error}");
        }
    }
}

/// The factor of a feature is beyond the integers of a layer, but not beyond those of a row.
#[test]
fn a_normalization_without_an_integer_form_is_folded() {
    let (network, frames) = normalized_inside(1e4, 0);
    let error = quantize_layers(&folded(&network), &Meta::default(), &[&frames]).err().unwrap();
    assert!(format!("{error:#}").contains("is out of range"), "{error:#}");
    assert!(!keeps_normalization(&quantized(&network, &frames).bytes));
}

/// The same scale and offset are a large mean of the inputs, or of the outputs. Only calibration finds out.
#[test]
fn a_normalization_that_shifts_its_outputs_is_folded() {
    let (mut network, frames) = normalized_inside(1.0, 0);
    let Kind::BatchNormalization(layer) = &mut network.layers[1].kind else { unreachable!() };
    layer.beta.fill(10.0);
    assert_eq!(folded(&network).layers.len(), network.layers.len());
    assert!(!keeps_normalization(&quantized(&network, &frames).bytes));
}
