//! Activations of sums that can be very large: those of the usual ones, as far as a table goes, and in models that need them.

use embedded_rnn::format::{Activation, LayerRecord, RETURN_SEQUENCES};
use embedded_rnn::{Backend, I8, Kind};
use embedded_rnn_trainer::pack::{AlignedBytes, random_cell};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::agrees::in_8_bits;
use crate::crafted::Place;
use crate::files::{Layer, file, layers_of};
use crate::running::{Session, model, ram, steps};
use crate::variants::{self, Variant};

const TANH: u8 = Activation::TanhWide as u8;
const SIGMOID: u8 = Activation::SigmoidWide as u8;

/// The code of the same activation of sums that are not wide; `None` if this one is not wide.
fn narrow(code: u8) -> Option<u8> {
    match code {
        TANH => Some(Activation::Tanh as u8),
        SIGMOID => Some(Activation::Sigmoid as u8),
        _ => None,
    }
}

/// Units, as many as stand side by side.
const UNITS: u32 = 4;
const ROWS: usize = 4;

/// The parts of the blocks of [`UNITS`] units: the gates that their rows belong to, a gate that lets through being true, and
/// the sides that they see. Of a GRU's last part, whose sums r is a factor of, there is no bias.
fn parts(kind: Kind) -> Vec<([Option<bool>; ROWS], usize)> {
    let (gate, value) = ([Some(true); ROWS], [Some(false); ROWS]);
    match kind {
        Kind::Dense => vec![(value, 1)],
        Kind::SimpleRnn => vec![(value, 2)],
        Kind::Lstm => vec![([Some(true), Some(true), Some(false), Some(true)], 2); UNITS as usize],
        Kind::Gru => vec![(gate, 2), (gate, 2), (value, 1), ([None; ROWS], 1)],
        Kind::GruResetBefore => vec![(gate, 2), (gate, 2), (value, 2)],
        kind => panic!("no sums in {kind:?}"),
    }
}

/// A layer whose sums are its biases, wide where its activations are, and the same of sums that are not wide.
fn both(variant: Variant, rng: &mut ChaCha8Rng) -> [Layer; 2] {
    let LayerRecord { activation, recurrent_activation, .. } = variant.record();
    let flags = if variant.is_recurrent() { RETURN_SEQUENCES } else { 0 };
    let cell_frac = if variant.kind() == Kind::Lstm { 24 } else { 0 };
    let wide = LayerRecord { units: UNITS, flags, cell_frac, ..variant.record() };
    let narrow_record = LayerRecord {
        activation: narrow(activation).unwrap_or(activation),
        recurrent_activation: narrow(recurrent_activation).unwrap_or(recurrent_activation),
        ..wide
    };
    let mut words = [Vec::new(), Vec::new()];
    for (rows, sides) in parts(variant.kind()) {
        for gate in rows {
            // In tables' range and far beyond it, in steps of 2^-12.
            let bias = if gate.is_some() { rng.random::<i32>() >> rng.random_range(2..20) } else { 0 };
            let code = if gate == Some(true) { recurrent_activation } else { activation };
            let same = if narrow(code).is_some() { bias.clamp(-(1 << 15), (1 << 15) - 1) << 4 } else { bias };
            words[0].push(bias as u32);
            words[1].push(same as u32);
        }
        // Multipliers and weights of one quad of inputs, and of one of units.
        words.iter_mut().for_each(|words| words.extend(vec![0; sides * 2 * ROWS]));
    }
    let [wide_words, narrow_words] = words;
    [Layer { record: wide, words: wide_words }, Layer { record: narrow_record, words: narrow_words }]
}

/// The answers of three steps of a layer, the last or not the last.
fn answers(layer: &Layer, last: bool, backend: Backend) -> Vec<i32> {
    let framewise = |kind, features: u32, words| Layer {
        record: LayerRecord { input_size: features, units: features, ..Variant::plain(kind).record() },
        words,
    };
    let mut layers = vec![framewise(Kind::Normalization, 1, vec![0; 2]), layer.clone()];
    if !last {
        // `y = x`: mulr(x << 16, 2^20) has the 4 fraction bits of a linear unit.
        let factors = [vec![1 << 20; UNITS as usize], vec![0; UNITS as usize]].concat();
        layers.push(framewise(Kind::BatchNormalization, UNITS, factors));
    }
    let file = file::<I8>(&layers, 0);
    let model = model::<I8>(&file, backend);
    let mut ram = ram(&model, 0);
    steps(&model, &mut model.state(&mut ram).unwrap(), &[0; 3])
}

#[test]
fn wide_sums_are_the_usual_ones_with_fewer_bits() {
    let is_wide = |variant: &&Variant| {
        [variant.activation, variant.recurrent_activation].into_iter().any(|code| narrow(code).is_some())
    };
    let all = variants::all::<I8>();
    let mut met = 0;
    for &variant in all.iter().filter(is_wide) {
        for seed in 0..50 {
            let _place = Place((variant, "seed", seed));
            let [wide, narrow] = both(variant, &mut ChaCha8Rng::seed_from_u64(seed));
            for last in [false, true] {
                for backend in Backend::all() {
                    assert_eq!(answers(&wide, last, backend), answers(&narrow, last, backend));
                }
            }
        }
        met += 1;
    }
    assert_eq!(met, 2 + 2 + 3 * (2 * 4 + 4));
}

/// What 12 fraction bits and integer arithmetic add to weights in 8 bits: the worst is 4.53e-4, of an LSTM.
const TOLERANCE: f64 = 5.4e-4;

/// Inputs like ranks of words: any sum that a table tells from its ends is one of small ones, and they end in the thousands.
#[test]
fn inputs_in_the_thousands_have_an_integer_form() {
    const LARGEST: i32 = 16_383;
    let mut worst = 0f64;
    for (cell, options) in [
        ("LSTM", ""),
        ("LSTM", "activation = 'sigmoid'"),
        ("GRU", ""),
        ("GRU", "reset_after = false"),
        ("SimpleRNN", ""),
        ("SimpleRNN", "activation = 'sigmoid'"),
    ] {
        for seed in 0..20 {
            let _place = Place((cell, options, seed));
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let (network, _) = random_cell((cell, options), (1, 6), 1, seed).unwrap();
            // Whole units of an input, so that none of them is rounded; the last one says how far they go.
            let unit = 8f32;
            let mut frames: Vec<f32> = (0..60).map(|_| rng.random_range(-2..=2) as f32 * unit).collect();
            frames.push(LARGEST as f32 * unit);
            let bytes = AlignedBytes::new(&I8::pack(&network, &[&frames]).unwrap());
            let record = layers_of::<I8>(&bytes)[1].record;
            let is_wide = [record.activation, record.recurrent_activation].map(|code| narrow(code).is_some());
            assert_eq!(is_wide, [true, cell != "SimpleRNN"]);
            let model = model::<I8>(&bytes, Backend::best());
            let mut ram = ram(&model, 0);
            let xs = I8::inputs(&model, &frames);
            let found = steps(&model, &mut model.state(&mut ram).unwrap(), &xs);
            let golden = in_8_bits(&network).predict(&frames.iter().map(|&x| x.into()).collect::<Vec<f64>>());
            for (y, golden) in found.iter().zip(golden) {
                worst = worst.max((f64::from(*y) * f64::from(model.output_scale()) - golden).abs());
            }
        }
    }
    println!("worst: {worst:.2e}");
    assert!(worst < TOLERANCE, "{worst:e}");
}
