//! The weights of an integer file as real numbers, by FORMAT.md and INTEGER.md alone.

use embedded_rnn::format::{Activation, LayerRecord};
use embedded_rnn::{I8, Kind};
use embedded_rnn_trainer::net::Network;

use crate::files::layers_of;

/// Rows of a block.
const ROWS: usize = 4;

/// The operands of the rows of a part of a block.
#[derive(Clone, Copy, PartialEq)]
enum Over {
    Both,
    Input,
    State,
}

/// Returns the parts of a layer in file order: of each, the row of each of its four, and their operands.
fn parts(kind: Kind, units: usize) -> Vec<([Option<usize>; ROWS], Over)> {
    use Over::{Both, Input, State};
    let quads = |parts: &[(usize, Over)]| -> Vec<_> {
        let rows = |gate, quad| {
            std::array::from_fn(|i| {
                Some(quad * ROWS + i).filter(|&unit| unit < units).map(|u| gate * units + u)
            })
        };
        (0..units.div_ceil(ROWS))
            .flat_map(|quad| parts.iter().map(move |&(gate, over)| (rows(gate, quad), over)))
            .collect()
    };
    match kind {
        Kind::Lstm => {
            (0..units).map(|unit| (std::array::from_fn(|gate| Some(gate * units + unit)), Both)).collect()
        }
        Kind::SimpleRnn => quads(&[(0, Both)]),
        Kind::Gru => quads(&[(0, Both), (1, Both), (2, Input), (2, State)]),
        Kind::GruResetBefore => [quads(&[(1, Both)]), quads(&[(0, Both), (2, Both)])].concat(),
        kind => panic!("no cell: {kind:?}"),
    }
}

/// Returns what the four weights of a word are multiplied as, by input.
fn effective(word: u32) -> [f64; 4] {
    let half = |word: u32, shift: u32| f64::from((word >> shift) as i16);
    [half(word << 8, 0), half(word << 8, 16), half(word, 0), half(word, 16)]
}

/// Returns the units of a row's pre-activation per real unit of its function's argument, and the factor that
/// its weights hold.
fn scales(code: u8, record: &LayerRecord) -> (f64, f64) {
    match Activation::from_code(code).unwrap() {
        Activation::Tanh => (65_536.0, 1.0),
        Activation::TanhWide => (4_096.0, 1.0),
        Activation::Sigmoid => (65_536.0, 0.5),
        Activation::SigmoidWide => (4_096.0, 0.5),
        Activation::HardSigmoid => (65_536.0, 1.0 / 6.0),
        Activation::HardSigmoidKeras1 => (65_536.0, 0.2),
        _ => (f64::from(1 << 19) / f64::from(1u32 << record.frac) / f64::from(record.output_scale), 1.0),
    }
}

/// Returns a network of one cell with the input and recurrent weights of its integer file; its biases are its
/// own.
pub fn in_8_bits(network: &Network<f32>, file: &[u8]) -> Network<f64> {
    let layers = layers_of::<I8>(file);
    let [input, cell] = &layers[..] else { panic!("no network of one cell") };
    let record = &cell.record;
    let kind = Kind::from_code(record.kind, embedded_rnn::ALL_FEATURES).unwrap();
    let (inputs, units) = (record.input_size(), record.units());
    let mut network = network.cast::<f64>();
    let mut parameters = network.parameters_mut();
    let mut rest = &cell.words[..];
    for (rows, over) in parts(kind, units) {
        let split = if record.has_separate_scales() && over == Over::Both {
            vec![Over::Input, Over::State]
        } else {
            vec![over]
        };
        for over in split {
            let sizes = match over {
                Over::Both => vec![(0, inputs), (1, units)],
                Over::Input => vec![(0, inputs)],
                Over::State => vec![(1, units)],
            };
            let quads: usize = sizes.iter().map(|(_, size)| size.div_ceil(4)).sum();
            let (own, others) = rest.split_at(2 * ROWS + ROWS * quads);
            rest = others;
            for (r, row) in rows.iter().enumerate() {
                let Some(row) = *row else { continue };
                let is_value = match kind {
                    Kind::SimpleRnn => true,
                    _ => row / units == 2,
                };
                let code = if is_value { record.activation } else { record.recurrent_activation };
                let (per_unit, fold) = scales(code, record);
                let scale = f64::from(own[own.len() - ROWS + r] as i32) / 2f64.powi(32) / per_unit / fold;
                let mut words = own[ROWS..].iter().skip(r).step_by(ROWS);
                for &(matrix, size) in &sizes {
                    let unit = [input.record.output_scale, record.output_scale][matrix];
                    let weights: Vec<f64> =
                        words.by_ref().take(size.div_ceil(4)).flat_map(|&word| effective(word)).collect();
                    for (k, weight) in weights[..size].iter().enumerate() {
                        parameters[matrix][(row, k)] = weight * scale / f64::from(unit);
                    }
                }
            }
        }
    }
    network
}
