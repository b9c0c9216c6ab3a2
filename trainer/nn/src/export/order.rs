//! The order of weights in a file, which implements runtime/FORMAT.md. Rows are ordered gate by gate,
//! `gate * units + unit`.

use anyhow::Result;
use embedded_rnn::format::{BLOCK_ROWS, LANES};

use super::layout::{BlockPart, Blocks, PackedLayout, Panels, Sides};
use super::parts::Sizes;

/// One number of a layer of weighted rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The bias of a row.
    Bias(usize),
    /// The weight of a row for an input.
    Input(usize, usize),
    /// The separate recurrent bias of a row.
    RecurrentBias(usize),
    /// The weight of a row for an output of the previous time step.
    Recurrent(usize, usize),
}

/// Iterates over the float weights of a layer in file order, `[panel][row][gate][8]`, section by section.
/// `None` is padding.
pub fn panels(layout: &PackedLayout, sizes: Sizes) -> impl Iterator<Item = Option<Slot>> {
    layout.panels.iter().flat_map(move |section| {
        let columns = 1 + sizes.inputs + usize::from(section.separate_recurrent_bias) + sizes.hidden;
        let units = sizes.units;
        (0..units.div_ceil(LANES)).flat_map(move |panel| {
            (0..columns).flat_map(move |column| {
                section.gates.iter().flat_map(move |&gate| {
                    (panel * LANES..(panel + 1) * LANES).map(move |unit| {
                        (unit < units).then(|| slot(section, sizes, gate, gate * units + unit, column))?
                    })
                })
            })
        })
    })
}

/// Returns the number in a column of a section; in the second row of biases all but the last gate are
/// padding.
fn slot(section: &Panels, sizes: Sizes, gate: usize, row: usize, column: usize) -> Option<Slot> {
    let Sizes { inputs, .. } = sizes;
    let separate = usize::from(section.separate_recurrent_bias);
    match column {
        0 => Some(Slot::Bias(row)),
        k if k <= inputs => Some(Slot::Input(row, k - 1)),
        k if k == inputs + separate => {
            (section.gates.last() == Some(&gate)).then_some(Slot::RecurrentBias(row))
        }
        k => Some(Slot::Recurrent(row, k - 1 - inputs - separate)),
    }
}

/// A row of an integer layer, or a part of one.
pub struct IntRow {
    /// The start value of the sum.
    pub start: i32,
    /// The weights, a word for each four inputs, operand by operand.
    pub words: Vec<i32>,
    pub multiplier: i32,
}

/// Quantizes a row over these sides.
pub type QuantizeRow<'a> = dyn FnMut(usize, Sides) -> Result<IntRow> + 'a;

/// Returns the words of all blocks of a layer in file order; with `separate`, rows over both sides consist of
/// a part for each.
///
/// # Errors
/// Those of `quantize`.
pub fn int_words(
    layout: &PackedLayout,
    units: usize,
    separate: bool,
    quantize: &mut QuantizeRow<'_>,
) -> Result<Vec<i32>> {
    let mut words = Vec::new();
    let mut part = |rows: BlockRows, sides| -> Result<()> {
        let parts: &[Sides] = match sides {
            Sides::All if separate => &[Sides::Input, Sides::Recurrent],
            Sides::All => &[Sides::All],
            Sides::Input => &[Sides::Input],
            Sides::Recurrent => &[Sides::Recurrent],
        };
        for &sides in parts {
            words.extend(block(rows, sides, quantize)?);
        }
        Ok(())
    };
    for section in layout.blocks {
        match section {
            Blocks::Unit => {
                for unit in 0..units {
                    part(std::array::from_fn(|gate| Some(gate * units + unit)), Sides::All)?;
                }
            }
            Blocks::Quad(parts) => {
                for quad in 0..units.div_ceil(BLOCK_ROWS) {
                    for BlockPart { gate, sides } in *parts {
                        part(rows_of_quad(*gate, quad, units), *sides)?;
                    }
                }
            }
        }
    }
    Ok(words)
}

/// The rows of a block; `None` is padding.
type BlockRows = [Option<usize>; BLOCK_ROWS];

/// Returns the rows of a gate of four units from `4 * quad` on.
fn rows_of_quad(gate: usize, quad: usize, units: usize) -> BlockRows {
    std::array::from_fn(|i| {
        let unit = quad * BLOCK_ROWS + i;
        (unit < units).then_some(gate * units + unit)
    })
}

/// Returns the start values, the weights by four inputs, a word of each row, and the multipliers; padding
/// rows are zero.
fn block(rows: BlockRows, sides: Sides, quantize: &mut QuantizeRow<'_>) -> Result<Vec<i32>> {
    let mut quantized = Vec::new();
    for row in rows {
        quantized.push(row.map(|row| quantize(row, sides)).transpose()?);
    }
    let of = |value: &dyn Fn(&IntRow) -> i32| -> Vec<i32> {
        quantized.iter().map(|row| row.as_ref().map_or(0, value)).collect()
    };
    let mut words = of(&|row| row.start);
    let count = quantized.iter().flatten().map(|row| row.words.len()).max().unwrap_or(0);
    (0..count).for_each(|k| words.extend(of(&|row| row.words[k])));
    words.extend(of(&|row| row.multiplier));
    Ok(words)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::cells::{Gru, Lstm, SimpleRnn};
    use crate::export::Packable;

    #[test]
    fn panels_hold_every_number_of_a_layer_once() {
        let layouts = [Gru::<f32>::LAYOUTS, Lstm::<f32>::LAYOUTS, SimpleRnn::<f32>::LAYOUTS];
        let sizes = Sizes { units: 11, inputs: 3, hidden: 11 };
        for layout in layouts.into_iter().flatten() {
            let all: Vec<Option<Slot>> = panels(layout, sizes).collect();
            assert_eq!(all.len() % LANES, 0, "{:?}", layout.kind);
            let found: HashSet<String> = all.iter().flatten().map(|slot| format!("{slot:?}")).collect();
            assert_eq!(found.len(), all.iter().flatten().count(), "{:?}: something twice", layout.kind);
            let separate = if layout.panels[0].separate_recurrent_bias { 11 } else { 0 };
            assert_eq!(found.len(), layout.gates.len() * 11 * (1 + 3 + 11) + separate, "{:?}", layout.kind);
        }
    }

    /// Quantizes row `r` over a side to `[100 r + side]` and two words for each of its sides.
    fn numbered(row: usize, sides: Sides) -> Result<IntRow> {
        let first = 100 * row as i32 + sides as i32;
        let count = if sides == Sides::All { 4 } else { 2 };
        Ok(IntRow { start: first, words: (1..=count).map(|k| first + 10 * k).collect(), multiplier: -first })
    }

    #[test]
    fn a_block_is_start_values_words_row_after_row_and_multipliers() {
        let words = int_words(&Lstm::<f32>::LAYOUTS[0], 2, false, &mut numbered).unwrap();
        assert_eq!(words.len(), 2 * (4 + 4 * 4 + 4));
        // Of unit 1: the rows 1, 3, 5, 7 of its gates.
        let of_unit = &words[24..];
        assert_eq!(of_unit[..8], [100, 300, 500, 700, 110, 310, 510, 710]);
        assert_eq!(of_unit[16..], [140, 340, 540, 740, -100, -300, -500, -700]);
    }

    #[test]
    fn separate_scales_are_two_parts_and_padding_is_zero() {
        let words = int_words(&SimpleRnn::<f32>::LAYOUTS[0], 3, true, &mut numbered).unwrap();
        let (input, state) = (Sides::Input as i32, Sides::Recurrent as i32);
        assert_eq!(words.len(), 2 * (4 + 2 * 4 + 4));
        assert_eq!(words[..4], [input, 100 + input, 200 + input, 0]);
        assert_eq!(words[16..20], [state, 100 + state, 200 + state, 0]);
    }
}
