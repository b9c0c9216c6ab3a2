//! Random integer models, among them such as no packer writes: the one place that says what is legal and how far it goes.

use embedded_rnn::Kind;
use embedded_rnn::format::{Activation, LayerRecord, RETURN_SEQUENCES};
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::files::{Layer, is_recurrent};

/// Rows of a block.
const ROWS: usize = 4;
const SIZES: std::ops::RangeInclusive<u32> = 1..=40;
const SHIFTS: std::ops::RangeInclusive<u8> = 0..=31;
const CELL_FRACS: std::ops::RangeInclusive<u8> = 18..=29;

/// Where the numbers of a layer come from.
#[derive(Clone, Copy, Debug)]
pub enum Numbers {
    /// Within the bounds of INTEGER.md.
    Bounded,
    /// Any bits.
    Any,
    /// The ends of what the type holds, whole rows of them.
    Ends,
}

impl Numbers {
    pub fn random(rng: &mut ChaCha8Rng) -> Self {
        *[Numbers::Bounded, Numbers::Any, Numbers::Ends].choose(rng).unwrap()
    }

    fn bias(self, rng: &mut ChaCha8Rng) -> i32 {
        match self {
            Numbers::Bounded => rng.random_range(-(1 << 29) + 1..1 << 29) >> rng.random_range(0..20),
            Numbers::Any => rng.random(),
            Numbers::Ends => *[i32::MIN, i32::MAX, -(1 << 29), (1 << 29) - 1, 0, -1].choose(rng).unwrap(),
        }
    }

    fn multiplier(self, rng: &mut ChaCha8Rng) -> i32 {
        match self {
            Numbers::Bounded => rng.random_range(0..1 << 30) >> rng.random_range(0..20),
            Numbers::Any => rng.random(),
            Numbers::Ends => *[i32::MIN, i32::MAX, (1 << 30) - 1, 0, 1, -1].choose(rng).unwrap(),
        }
    }

    /// Four weights of a row whose end is `end`.
    fn weights(self, end: i8, rng: &mut ChaCha8Rng) -> u32 {
        match self {
            Numbers::Bounded => u32::from_le_bytes(rng.random::<[i8; 4]>().map(|w| w.max(-127) as u8)),
            Numbers::Any => rng.random(),
            Numbers::Ends => u32::from_le_bytes([end as u8; 4]),
        }
    }

    fn shift(self, rng: &mut ChaCha8Rng) -> u8 {
        match self {
            Numbers::Bounded => rng.random_range(0..=8),
            Numbers::Any => rng.random_range(SHIFTS),
            Numbers::Ends => *[*SHIFTS.start(), *SHIFTS.end()].choose(rng).unwrap(),
        }
    }

    fn cell_frac(self, rng: &mut ChaCha8Rng) -> u8 {
        match self {
            Numbers::Ends => *[*CELL_FRACS.start(), *CELL_FRACS.end()].choose(rng).unwrap(),
            _ => rng.random_range(CELL_FRACS),
        }
    }

    /// An input or a value of h.
    pub fn activation(self, rng: &mut ChaCha8Rng) -> i16 {
        match self {
            Numbers::Ends => *[i16::MIN, i16::MAX, 0, -1].choose(rng).unwrap(),
            _ => rng.random(),
        }
    }

    /// A cell state; INTEGER.md bounds it by 2^30, a saved state need not.
    fn cell(self, rng: &mut ChaCha8Rng) -> i32 {
        match self {
            Numbers::Bounded => rng.random_range(-(1 << 30)..1 << 30),
            Numbers::Any => rng.random(),
            Numbers::Ends => *[i32::MIN, i32::MAX, -(1 << 30), (1 << 30) - 1, 0].choose(rng).unwrap(),
        }
    }
}

/// The activations of a kind; a softmax is for the last layer only.
pub fn activations(kind: Kind, last: bool) -> &'static [Activation] {
    use Activation::{Linear, Relu, Sigmoid, Softmax, Tanh};
    match kind {
        Kind::Dense if last => &[Linear, Relu, Tanh, Sigmoid, Softmax],
        Kind::Dense | Kind::SimpleRnn => &[Linear, Relu, Tanh, Sigmoid],
        Kind::Lstm | Kind::Gru | Kind::GruResetBefore => &[Tanh],
        _ => &[Linear],
    }
}

/// A Normalization, then one to three random layers.
pub fn int_layers(rng: &mut ChaCha8Rng) -> Vec<Layer> {
    let features = rng.random_range(SIZES);
    let count = rng.random_range(1..=3);
    let mut layers = vec![normalization(features)];
    for place in 1..=count {
        let input_size = layers[layers.len() - 1].record.units;
        layers.push(int_layer(input_size, place == count, rng));
    }
    // The last recurrent layer may hand on its last output only.
    let recurrent = layers.iter_mut().rfind(|layer| is_recurrent(&layer.record));
    if let Some(layer) = recurrent.filter(|_| rng.random()) {
        layer.record.flags = 0;
    }
    layers
}

/// `y = x` to the unit: a step takes integers and does not look at it.
pub fn normalization(features: u32) -> Layer {
    let record = LayerRecord { kind: Kind::Normalization as u8, units: features, ..empty(features) };
    let words = [1f32, 0.0].map(|value| vec![value.to_bits(); features as usize]).concat();
    Layer { record, words }
}

fn int_layer(input_size: u32, last: bool, rng: &mut ChaCha8Rng) -> Layer {
    let numbers = Numbers::random(rng);
    let kinds =
        [Kind::Lstm, Kind::Lstm, Kind::Gru, Kind::Gru, Kind::GruResetBefore, Kind::SimpleRnn, Kind::Dense];
    let kind = *kinds.choose(rng).unwrap();
    let activation = *activations(kind, last).choose(rng).unwrap();
    let gated = matches!(kind, Kind::Lstm | Kind::Gru | Kind::GruResetBefore);
    let record = LayerRecord {
        kind: kind as u8,
        activation: activation as u8,
        recurrent_activation: if gated { Activation::Sigmoid as u8 } else { 0 },
        flags: if kind == Kind::Dense { 0 } else { RETURN_SEQUENCES },
        units: rng.random_range(SIZES),
        x_shift: numbers.shift(rng),
        h_shift: numbers.shift(rng),
        cell_frac: if kind == Kind::Lstm { numbers.cell_frac(rng) } else { 0 },
        ..empty(input_size)
    };
    let (x, h) = (record.input_size(), record.units());
    // What the rows of a block see, and units to a block.
    let (sides, units): (&[&[usize]], _) = match kind {
        Kind::Dense => (&[&[x]], ROWS),
        Kind::Lstm => (&[&[x, h]], 1),
        Kind::Gru => (&[&[x, h], &[x, h], &[x], &[h]], ROWS),
        Kind::GruResetBefore => (&[&[x, h], &[x, h], &[x, h]], ROWS),
        _ => (&[&[x, h]], ROWS),
    };
    let blocks = (0..record.units().div_ceil(units)).flat_map(|_| sides);
    let words = blocks.flat_map(|sides| block(sides, numbers, rng)).collect();
    Layer { record, words }
}

fn empty(input_size: u32) -> LayerRecord {
    LayerRecord { input_size, output_scale: 1.0, ..bytemuck::Zeroable::zeroed() }
}

/// Biases, then for each side multipliers and weights. The weights of inputs that fill up are as random as the others.
fn block(sides: &[usize], numbers: Numbers, rng: &mut ChaCha8Rng) -> Vec<u32> {
    let mut words: Vec<u32> = (0..ROWS).map(|_| numbers.bias(rng) as u32).collect();
    for &inputs in sides {
        words.extend((0..ROWS).map(|_| numbers.multiplier(rng) as u32));
        let ends: [i8; ROWS] = std::array::from_fn(|_| *[-128, -127, 127].choose(rng).unwrap());
        let quads = inputs.div_ceil(4);
        for first in (0..quads).step_by(2) {
            for end in ends {
                words.extend((first..quads.min(first + 2)).map(|_| numbers.weights(end, rng)));
            }
        }
    }
    words
}

/// The words of a random saved state of these layers: c, then h with zeros where it is filled up.
pub fn state_words(layers: &[Layer], rng: &mut ChaCha8Rng) -> Vec<u32> {
    let mut words = Vec::new();
    for Layer { record, .. } in layers.iter().filter(|layer| is_recurrent(&layer.record)) {
        let (numbers, units) = (Numbers::random(rng), record.units());
        if record.kind == Kind::Lstm as u8 {
            words.extend((0..units).map(|_| numbers.cell(rng) as u32));
        }
        let mut h: Vec<i16> = (0..units).map(|_| numbers.activation(rng)).collect();
        h.resize(units.next_multiple_of(ROWS), 0);
        words.extend(h.as_chunks::<2>().0.iter().map(|pair| bytemuck::cast::<[i16; 2], u32>(*pair)));
    }
    words
}
