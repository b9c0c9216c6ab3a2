//! Random integer models, also such that no packer writes: this module alone contains the rules of their
//! structure.

use embedded_rnn::format::{
    Activation, DIRECTION, GO_BACKWARDS, LayerRecord, MASKS, MAX_FRAC, MAX_INPUT_FRAC, MergeMode,
    RETURN_SEQUENCES, SEPARATE_SCALES,
};
use embedded_rnn::{I8, Kind};
use embedded_rnn_trainer::pack::AlignedBytes;
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::files::{Layer, file, is_recurrent};
use crate::numbers::Numbers;
use crate::variants::Variant;

/// Rows of a block.
const ROWS: usize = 4;
const SIZES: std::ops::RangeInclusive<u32> = 1..=40;

/// A random model.
#[derive(Clone, Debug)]
pub struct RandomModel {
    pub layers: Vec<Layer>,
    /// The index of the first layer of the decoder, 0 without one.
    pub decoder_at: usize,
}

impl RandomModel {
    /// Makes a model with a layer of `wanted`; the others are any of `variants`.
    pub fn new(wanted: Variant, variants: &[Variant], rng: &mut ChaCha8Rng) -> Self {
        let mut chain = Chain { layers: Vec::new(), variants };
        if wanted.kind() == Kind::Add {
            chain.residual(wanted, rng);
            return Self { layers: chain.layers, decoder_at: 0 };
        }
        let inside = chain.input_stage(wanted, rng);
        let last = is_softmax(wanted);
        for _ in 0..rng.random_range(0..=1) {
            chain.item(chain.any(rng), rng);
        }
        if inside {
            chain.item(wanted, rng);
        }
        for _ in 0..if last { 0 } else { rng.random_range(u32::from(!inside)..=1) } {
            let next = if is_pooling(wanted.kind()) { chain.framewise(rng) } else { chain.any(rng) };
            chain.item(next, rng);
        }
        let one_way = !chain.layers.iter().any(|layer| layer.record.is_direction());
        if one_way && !last && !is_pooling(wanted.kind()) && rng.random_range(0..3) == 0 {
            return chain.with_decoder(rng);
        }
        chain.end(rng);
        Self { layers: chain.layers, decoder_at: 0 }
    }

    pub fn file(&self) -> AlignedBytes {
        file::<I8>(&self.layers, self.decoder_at)
    }

    /// Returns the words of a random saved state: c, the finer h or what a pooling counts, then h, padded
    /// with zeros.
    pub fn state_words(&self, rng: &mut ChaCha8Rng) -> Vec<u32> {
        let mut words = Vec::new();
        for &Layer { record, .. } in self.layers.iter().filter(|layer| is_recurrent(&layer.record)) {
            let (numbers, units) = (Numbers::random(rng), record.units());
            if record.kind == Kind::Lstm as u8 {
                words.extend((0..units).map(|_| numbers.cell(rng) as u32));
            }
            if is_pooling(Variant::of(&record).kind()) {
                words.push(rng.random_range(0..=1));
            }
            if record.kind == Kind::GlobalAveragePooling1D as u8 {
                words.extend(vec![0; units]);
            }
            // A GRU has a finer state beside its activations.
            let fine = [Kind::Gru, Kind::GruResetBefore].iter().any(|&kind| kind as u8 == record.kind);
            for _ in 0..if fine { 2 } else { 1 } {
                let mut h: Vec<i16> = (0..units).map(|_| numbers.activation(rng)).collect();
                h.resize(units.next_multiple_of(ROWS), 0);
                words.extend(h.as_chunks::<2>().0.iter().map(|pair| bytemuck::cast::<[i16; 2], u32>(*pair)));
            }
        }
        words
    }

    /// Returns inputs of `steps` time steps. If the model masks, some are masked; ids include the first and
    /// the last.
    pub fn inputs(&self, steps: usize, rng: &mut ChaCha8Rng) -> Vec<i16> {
        let (numbers, first) = (Numbers::random(rng), &self.layers[0].record);
        if first.kind == Kind::Embedding as u8 {
            return (0..steps).map(|_| id(first, rng) as i16).collect();
        }
        let mut step = || match first.masks() && rng.random_range(0..4) == 0 {
            true => vec![i16::MIN; first.input_size()],
            false => (0..first.input_size()).map(|_| numbers.activation(rng)).collect(),
        };
        (0..steps).flat_map(|_| step()).collect()
    }

    /// Returns ids for the decoder; empty without one.
    pub fn decoder_ids(&self, steps: usize, rng: &mut ChaCha8Rng) -> Vec<u16> {
        let steps = if self.decoder_at == 0 { 0 } else { steps };
        (0..steps).map(|_| id(&self.layers[self.decoder_at].record, rng)).collect()
    }
}

/// Draws an id of an Embedding: the first, the last, or any.
fn id(embedding: &LayerRecord, rng: &mut ChaCha8Rng) -> u16 {
    let last = embedding.input_dim - 1;
    let any = rng.random_range(0..=last);
    *[0, last, any, any].choose(rng).unwrap() as u16
}

fn is_softmax(variant: Variant) -> bool {
    variant.activation == Activation::Softmax as u8
}

fn is_pooling(kind: Kind) -> bool {
    matches!(kind, Kind::GlobalMaxPooling1D | Kind::GlobalAveragePooling1D)
}

/// A chain of layers under construction.
struct Chain<'v> {
    layers: Vec<Layer>,
    variants: &'v [Variant],
}

impl Chain<'_> {
    /// Returns the input size of the next layer.
    fn size(&self) -> u32 {
        self.layers[self.layers.len() - 1].record.units
    }

    fn push(&mut self, record: LayerRecord, rng: &mut ChaCha8Rng) {
        self.layers.push(filled(record, rng));
    }

    /// Draws a variant that is valid in the middle of a chain.
    fn any(&self, rng: &mut ChaCha8Rng) -> Variant {
        self.any_of(|kind| !is_pooling(kind) && kind != Kind::Add, rng)
    }

    /// Draws a variant that is valid behind a pooling over time.
    fn framewise(&self, rng: &mut ChaCha8Rng) -> Variant {
        self.any_of(|kind| !kind.is_recurrent() && ![Kind::Bidirectional, Kind::Add].contains(&kind), rng)
    }

    fn any_of(&self, is_valid: impl Fn(Kind) -> bool, rng: &mut ChaCha8Rng) -> Variant {
        let inside: Vec<_> = self
            .variants
            .iter()
            .filter(|v| is_inside(v.kind()) && !is_softmax(**v) && is_valid(v.kind()))
            .collect();
        **inside.choose(rng).unwrap()
    }

    /// Adds the first layers, with `wanted` if it belongs there; returns whether it belongs after them.
    fn input_stage(&mut self, wanted: Variant, rng: &mut ChaCha8Rng) -> bool {
        let inside = is_inside(wanted.kind());
        let any = [Kind::Normalization, Kind::Normalization, Kind::Masking, Kind::Embedding];
        let kind = if inside { *any.choose(rng).unwrap() } else { wanted.kind() };
        let features = rng.random_range(SIZES);
        match kind {
            Kind::Embedding => {
                let flags = *[0, MASKS].choose(rng).unwrap();
                let input_dim = rng.random_range(1..=40);
                self.push(embedding(input_dim, flags, rng), rng);
            }
            kind => {
                let framewise = |kind| LayerRecord { units: features, ..empty(kind, features) };
                if kind == Kind::Masking {
                    self.push(LayerRecord { flags: MASKS, ..framewise(kind) }, rng);
                }
                self.push(framewise(Kind::Normalization), rng);
            }
        }
        inside
    }

    /// Adds cells of as many units as there are features, and a residual connection around some of them.
    fn residual(&mut self, wanted: Variant, rng: &mut ChaCha8Rng) {
        let features = rng.random_range(SIZES);
        self.push(LayerRecord { units: features, ..empty(Kind::Normalization, features) }, rng);
        let cells: Vec<_> = self.variants.iter().filter(|v| v.is_cell()).copied().collect();
        let count = rng.random_range(1..=3);
        for _ in 0..count {
            let record = layer(*cells.choose(rng).unwrap(), features, RETURN_SEQUENCES, rng);
            self.push(LayerRecord { units: features, ..record }, rng);
        }
        let input_dim = rng.random_range(1..=count);
        self.push(LayerRecord { input_dim, ..layer(wanted, features, 0, rng) }, rng);
        if rng.random() {
            let record = layer(*cells.choose(rng).unwrap(), features, RETURN_SEQUENCES, rng);
            self.push(record, rng);
            self.end(rng);
        }
    }

    /// Adds a layer, or the records of a Bidirectional.
    fn item(&mut self, variant: Variant, rng: &mut ChaCha8Rng) {
        let flags = if variant.is_cell() { RETURN_SEQUENCES } else { 0 };
        let size = self.size();
        let Some(mode) = MergeMode::from_code(variant.merge_mode) else {
            let backwards = if variant.is_cell() && rng.random_range(0..4) == 0 { GO_BACKWARDS } else { 0 };
            return self.push(layer(variant, size, flags | backwards, rng), rng);
        };
        let cells: Vec<_> = self.variants.iter().filter(|v| v.is_cell()).copied().collect();
        let units = rng.random_range(SIZES);
        for way in [DIRECTION, DIRECTION | GO_BACKWARDS] {
            let cell = *cells.choose(rng).unwrap();
            let record = layer(cell, size, RETURN_SEQUENCES | way, rng);
            self.push(LayerRecord { units, ..record }, rng);
        }
        let merged = LayerRecord { merge_mode: mode as u8, ..empty(Kind::Bidirectional, 2 * units) };
        self.push(LayerRecord { units: mode.merged(units), ..merged }, rng);
    }

    /// Makes the last recurrent layer, or both directions of it, output the last time step only, half of the
    /// time.
    fn end(&mut self, rng: &mut ChaCha8Rng) {
        let Some(last) = self.layers.iter().rposition(|layer| is_recurrent(&layer.record)) else { return };
        let directions = if self.layers[last].record.is_direction() { 2 } else { 1 };
        if rng.random() {
            for layer in &mut self.layers[last + 1 - directions..=last] {
                layer.record.flags &= !RETURN_SEQUENCES;
            }
        }
    }

    /// Completes the chain as an encoder, and adds a decoder that starts from its states.
    fn with_decoder(mut self, rng: &mut ChaCha8Rng) -> RandomModel {
        if !is_recurrent(&self.layers[self.layers.len() - 1].record) {
            let cells: Vec<_> = self.variants.iter().filter(|v| v.is_cell()).copied().collect();
            self.item(*cells.choose(rng).unwrap(), rng);
        }
        self.end(rng);
        let decoder_at = self.layers.len();
        let encoder: Vec<LayerRecord> =
            self.layers.iter().map(|layer| layer.record).filter(is_recurrent).collect();
        self.push(embedding(1, 0, rng), rng);
        for cell in encoder {
            let same: Vec<_> = self.variants.iter().filter(|v| v.kind == cell.kind).copied().collect();
            let own = layer(*same.choose(rng).unwrap(), self.size(), RETURN_SEQUENCES, rng);
            // The decoder copies the encoder state, so units and activation must match.
            let LayerRecord { units, cell_frac, activation, frac, .. } = cell;
            let own = LayerRecord { units, cell_frac, activation, frac, ..own };
            self.push(own, rng);
        }
        if rng.random() {
            let heads: Vec<_> = self.variants.iter().filter(|v| v.kind() == Kind::Dense).copied().collect();
            self.item(*heads.choose(rng).unwrap(), rng);
        }
        // The outputs of the decoder are scores of its ids.
        self.layers[decoder_at].record.input_dim = self.size();
        let first = filled(self.layers[decoder_at].record, rng);
        self.layers[decoder_at] = first;
        RandomModel { layers: self.layers, decoder_at }
    }
}

/// Returns whether layers of this kind are valid after the first ones.
fn is_inside(kind: Kind) -> bool {
    !matches!(kind, Kind::Normalization | Kind::Masking | Kind::Embedding)
}

fn embedding(input_dim: u32, flags: u8, rng: &mut ChaCha8Rng) -> LayerRecord {
    LayerRecord { input_dim, flags, units: rng.random_range(SIZES), ..empty(Kind::Embedding, 1) }
}

fn layer(variant: Variant, input_size: u32, flags: u8, rng: &mut ChaCha8Rng) -> LayerRecord {
    let numbers = Numbers::random(rng);
    let framewise =
        matches!(variant.kind(), Kind::BatchNormalization | Kind::LayerNormalization | Kind::Activation)
            || is_pooling(variant.kind())
            || variant.kind() == Kind::Add;
    let unbounded = [Activation::Relu, Activation::Linear].iter().any(|&a| a as u8 == variant.activation);
    let least_frac = if unbounded { 20 } else { 18 };
    let separate = variant.is_cell() && rng.random_range(0..3) == 0;
    LayerRecord {
        flags: if separate { flags | SEPARATE_SCALES } else { flags },
        input_size,
        units: if framewise { input_size } else { rng.random_range(SIZES) },
        frac: numbers.frac(MAX_FRAC, rng),
        input_frac: match variant.kind() {
            Kind::Activation | Kind::BatchNormalization => numbers.frac(MAX_INPUT_FRAC, rng),
            _ => 0,
        },
        cell_frac: if variant.kind() == Kind::Lstm { numbers.cell_frac(least_frac, rng) } else { 0 },
        ..variant.record::<I8>()
    }
}

fn empty(kind: Kind, input_size: u32) -> LayerRecord {
    LayerRecord { kind: kind as u8, input_size, frac: 12, output_scale: 1.0, ..bytemuck::Zeroable::zeroed() }
}

/// Returns the layer of a record, with random weights.
fn filled(record: LayerRecord, rng: &mut ChaCha8Rng) -> Layer {
    let numbers = Numbers::random(rng);
    let (x, h) = (record.input_size(), record.units());
    let kind = Variant::of(&record).kind();
    // The input sizes of each part of a block, and the units per block.
    let apart = vec![vec![x], vec![h]];
    let both = if record.has_separate_scales() { apart.clone() } else { vec![vec![x, h]] };
    let (sides, units) = match kind {
        Kind::Dense => (vec![vec![x]], ROWS),
        Kind::Lstm => (both, 1),
        Kind::Gru => ([both.clone(), both, apart].concat(), ROWS),
        Kind::GruResetBefore => ([both.clone(), both.clone(), both].concat(), ROWS),
        Kind::SimpleRnn => (both, ROWS),
        _ => return Layer { words: elementwise(kind, &record, numbers, rng), record },
    };
    let blocks = (0..record.units().div_ceil(units)).flat_map(|_| &sides);
    let words = blocks.flat_map(|sides| block(sides, numbers, rng)).collect();
    Layer { record, words }
}

/// Returns random weights of a kind without matrices.
fn elementwise(kind: Kind, record: &LayerRecord, numbers: Numbers, rng: &mut ChaCha8Rng) -> Vec<u32> {
    let units = record.units();
    let scales = |rng: &mut ChaCha8Rng| {
        let mut words: Vec<u32> = (0..units).map(|_| numbers.multiplier(rng) as u32).collect();
        words.extend((0..units).map(|_| numbers.bias(rng) as u32));
        words
    };
    match kind {
        // Only the conversion of real inputs uses these weights.
        Kind::Normalization => (0..2 * units).map(|_| rng.random()).collect(),
        Kind::Masking => vec![rng.random()],
        Kind::Bidirectional | Kind::GlobalMaxPooling1D | Kind::GlobalAveragePooling1D => Vec::new(),
        Kind::BatchNormalization => scales(rng),
        Kind::Add => (0..2).map(|_| numbers.multiplier(rng) as u32).collect(),
        // The weights are a table.
        Kind::Activation => (0..257).map(|_| rng.random()).collect(),
        Kind::LayerNormalization => {
            let epsilon = numbers.epsilon(rng);
            [scales(rng), vec![epsilon as u32, (epsilon >> 32) as u32]].concat()
        }
        Kind::Embedding => {
            let row = |_| {
                let end = Numbers::end(rng);
                let mut row = vec![numbers.multiplier(rng) as u32];
                row.extend((0..units.div_ceil(4)).map(|_| numbers.weights(end, rng)));
                row
            };
            (0..record.input_dim).flat_map(row).collect()
        }
        kind => panic!("no random weights for {kind:?}"),
    }
}

/// Returns rows of a random block: start values, weights, multipliers. The weights of padding inputs are
/// random, too.
fn block(sides: &[usize], numbers: Numbers, rng: &mut ChaCha8Rng) -> Vec<u32> {
    let mut words: Vec<u32> = (0..ROWS).map(|_| numbers.bias(rng) as u32).collect();
    let ends: [i8; ROWS] = std::array::from_fn(|_| Numbers::end(rng));
    for _ in 0..sides.iter().map(|inputs| inputs.div_ceil(4)).sum() {
        words.extend(ends.map(|end| numbers.weights(end, rng)));
    }
    words.extend((0..ROWS).map(|_| numbers.multiplier(rng) as u32));
    words
}
