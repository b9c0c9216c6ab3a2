//! The order of weights in a file, which implements runtime/FORMAT.md. Rows are ordered gate by gate,
//! `gate * units + unit`.

use embedded_rnn::format::{BLOCK_ROWS, LANES, WEIGHTS_PER_WORD};

use super::layout::{Blocks, PackedLayout, Panels, Sides};
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

/// One side of an integer layer: its rows of weights, each of `inputs`, and the multiplier of each row.
pub struct Side {
    pub inputs: usize,
    /// `[row][input]`.
    pub weights: Vec<i8>,
    pub multipliers: Vec<i32>,
    /// Left shift of the pre-activations before they are multiplied.
    pub shift: u8,
}

/// The integer rows of a layer.
pub struct IntRows<'a> {
    pub units: usize,
    /// `[gate][unit]`.
    pub bias: &'a [i32],
    /// The separate recurrent biases, `[gate][unit]`; not read if the layout has none.
    pub recurrent_bias: &'a [i32],
    /// The input side, then in a recurrent layer the recurrent side; rows in the order of `bias`.
    pub sides: &'a [Side],
}

/// The rows of a block; `None` is padding.
type BlockRows = [Option<usize>; BLOCK_ROWS];

impl IntRows<'_> {
    /// Returns all blocks in file order.
    pub fn words(&self, layout: &PackedLayout) -> Vec<i32> {
        layout.blocks.iter().flat_map(|section| self.section(section)).collect()
    }

    fn section(&self, section: &Blocks) -> Vec<i32> {
        match section {
            Blocks::Unit => {
                let rows = |unit| std::array::from_fn(|gate| Some(gate * self.units + unit));
                (0..self.units).flat_map(|unit| self.block(rows(unit), Sides::All)).collect()
            }
            Blocks::Quad(parts) => {
                let parts = |quad| {
                    parts.iter().flat_map(move |part| self.block(self.quad(part.gate, quad), part.sides))
                };
                (0..self.units.div_ceil(BLOCK_ROWS)).flat_map(parts).collect()
            }
        }
    }

    /// Returns the rows of gate `gate` of four units from `4 * quad` on.
    fn quad(&self, gate: usize, quad: usize) -> BlockRows {
        std::array::from_fn(|i| {
            let unit = quad * BLOCK_ROWS + i;
            (unit < self.units).then_some(gate * self.units + unit)
        })
    }

    /// Returns the biases, then for each side the multipliers and the [`groups`] of weights; padding rows are
    /// zero.
    fn block(&self, rows: BlockRows, sides: Sides) -> Vec<i32> {
        let (bias, sides) = match sides {
            Sides::All => (self.bias, self.sides),
            Sides::Input => (self.bias, &self.sides[..1]),
            Sides::Recurrent => (self.recurrent_bias, &self.sides[1..]),
        };
        let mut words: Vec<i32> = rows.iter().map(|row| row.map_or(0, |row| bias[row])).collect();
        for side in sides {
            words.extend(rows.iter().map(|row| row.map_or(0, |row| side.multipliers[row])));
            words.extend(groups(side, &rows));
        }
        words
    }
}

/// Returns the weights in groups of eight inputs, row by row within a group, and a last group of four if four
/// remain. A word holds the weights of four inputs in the order 0, 2, 1, 3, lowest byte first; padding inputs
/// are zero.
fn groups(side: &Side, rows: &[Option<usize>]) -> Vec<i32> {
    let weight = |row: Option<usize>, k: usize| match row {
        Some(row) if k < side.inputs => side.weights[row * side.inputs + k],
        _ => 0,
    };
    let word = |row, k| i32::from_le_bytes([k, k + 2, k + 1, k + 3].map(|k| weight(row, k) as u8));
    let quads = side.inputs.div_ceil(WEIGHTS_PER_WORD);
    let mut words = Vec::with_capacity(quads * rows.len());
    for first in (0..quads).step_by(2) {
        for &row in rows {
            let now = first..quads.min(first + 2);
            words.extend(now.map(|quad| word(row, quad * WEIGHTS_PER_WORD)));
        }
    }
    words
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

    #[test]
    fn a_block_is_biases_multipliers_and_groups_in_order() {
        let side =
            Side { inputs: 10, weights: (0..40).collect(), multipliers: vec![70, 71, 72, 73], shift: 0 };
        let rows = IntRows { units: 1, bias: &[60, 61, 62, 63], recurrent_bias: &[], sides: &[side] };
        let words = rows.words(&Lstm::<f32>::LAYOUTS[0]);
        assert_eq!(words[..8], [60, 61, 62, 63, 70, 71, 72, 73]);
        let bytes = |word: usize| words[word].to_le_bytes();
        assert_eq!((bytes(8), bytes(9)), ([0, 2, 1, 3], [4, 6, 5, 7])); // row 0, inputs 0..8
        assert_eq!(bytes(10), [10, 12, 11, 13]); // row 1
        assert_eq!((bytes(16), bytes(17)), ([8, 0, 9, 0], [18, 0, 19, 0])); // rows 0 and 1, last two inputs
        assert_eq!(words.len(), 8 + 8 + 4);
    }
}
