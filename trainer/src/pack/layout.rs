//! Where each weight lies in a file: runtime/FORMAT.md in code. Rows are gate by gate, `gate * units + unit`.

use super::form::{Blocks, PackedLayout, Panels, Sides};

/// Units of a float panel.
const LANES: usize = 8;
/// Rows of a block.
const QUAD: usize = 4;

/// The sizes of a layer of weighted sums.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub units: usize,
    pub inputs: usize,
    /// `units` in recurrent layers, else 0.
    pub hidden: usize,
}

/// A number of a layer of weighted sums, by its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Bias(usize),
    Input(usize, usize),
    /// The recurrent bias of a row that keeps it apart.
    BiasApart(usize),
    Recurrent(usize, usize),
}

/// Float weights in the order of a file: `[panel][row][gate][8]`, section by section. `None` fills up.
pub fn panels(form: &PackedLayout, sizes: Sizes) -> impl Iterator<Item = Option<Place>> {
    form.panels.iter().flat_map(move |section| {
        let columns = 1 + sizes.inputs + usize::from(section.apart) + sizes.hidden;
        let units = sizes.units;
        (0..units.div_ceil(LANES)).flat_map(move |panel| {
            (0..columns).flat_map(move |column| {
                section.gates.iter().flat_map(move |&gate| {
                    (panel * LANES..(panel + 1) * LANES).map(move |unit| {
                        (unit < units).then(|| place(section, sizes, gate, gate * units + unit, column))?
                    })
                })
            })
        })
    })
}

/// What stands in a column of a section; nothing in the second row of biases but for the last gate.
fn place(section: &Panels, sizes: Sizes, gate: usize, row: usize, column: usize) -> Option<Place> {
    let Sizes { inputs, .. } = sizes;
    let apart = usize::from(section.apart);
    match column {
        0 => Some(Place::Bias(row)),
        k if k <= inputs => Some(Place::Input(row, k - 1)),
        k if k == inputs + apart => (section.gates.last() == Some(&gate)).then_some(Place::BiasApart(row)),
        k => Some(Place::Recurrent(row, k - 1 - inputs - apart)),
    }
}

/// One side of an integer layer: its rows of weights, each of `inputs`, and each row's multiplier.
pub struct Side {
    pub inputs: usize,
    /// `[row][input]`.
    pub weights: Vec<i8>,
    pub multipliers: Vec<i32>,
    /// Left shift of the sums before they are scaled.
    pub shift: u8,
}

/// A layer's integer rows: what each is made of.
pub struct Rows<'a> {
    pub units: usize,
    /// Of `[gate][unit]`.
    pub bias: &'a [i32],
    /// The recurrent biases that stay apart, of `[gate][unit]`; empty if none does.
    pub bias_apart: &'a [i32],
    /// Sides with rows as `bias` has them: the input, then in a recurrent layer the output of the step before.
    pub sides: &'a [Side],
}

/// Rows that fill up are none.
type Quad = [Option<usize>; QUAD];

impl Rows<'_> {
    /// All blocks in the order of a file.
    pub fn words(&self, form: &PackedLayout) -> Vec<i32> {
        form.blocks.iter().flat_map(|section| self.section(section)).collect()
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
                (0..self.units.div_ceil(QUAD)).flat_map(parts).collect()
            }
        }
    }

    /// The rows of gate `gate` of four units from `4 * quad` on.
    fn quad(&self, gate: usize, quad: usize) -> Quad {
        std::array::from_fn(|i| {
            let unit = quad * QUAD + i;
            (unit < self.units).then_some(gate * self.units + unit)
        })
    }

    /// Biases, then for each side multipliers and [`groups`] of weights; rows that fill up are zero.
    fn block(&self, rows: Quad, sides: Sides) -> Vec<i32> {
        let (bias, sides) = match sides {
            Sides::All => (self.bias, self.sides),
            Sides::Input => (self.bias, &self.sides[..1]),
            Sides::Recurrent => (self.bias_apart, &self.sides[1..]),
        };
        let mut words: Vec<i32> = rows.iter().map(|row| row.map_or(0, |row| bias[row])).collect();
        for side in sides {
            words.extend(rows.iter().map(|row| row.map_or(0, |row| side.multipliers[row])));
            words.extend(groups(side, &rows));
        }
        words
    }
}

/// Weights in groups of eight inputs, row by row within a group, and a last group of four if that is what is left.
/// A word holds the weights of four inputs in the order 0, 2, 1, 3, lowest byte first; inputs that fill up are zero.
fn groups(side: &Side, rows: &[Option<usize>]) -> Vec<i32> {
    let weight = |row: Option<usize>, k: usize| match row {
        Some(row) if k < side.inputs => side.weights[row * side.inputs + k],
        _ => 0,
    };
    let word = |row, k| i32::from_le_bytes([k, k + 2, k + 1, k + 3].map(|k| weight(row, k) as u8));
    let quads = side.inputs.div_ceil(4);
    let mut words = Vec::with_capacity(quads * rows.len());
    for first in (0..quads).step_by(2) {
        for &row in rows {
            words.extend((first..quads.min(first + 2)).map(|quad| word(row, quad * 4)));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use embedded_rnn::Kind;

    use super::*;
    use crate::cells::{Gru, Lstm, SimpleRnn};
    use crate::pack::form::Packable;

    #[test]
    fn panels_hold_every_number_of_a_layer_once() {
        let forms = [Gru::<f32>::FORMS, Lstm::<f32>::FORMS, SimpleRnn::<f32>::FORMS];
        let sizes = Sizes { units: 11, inputs: 3, hidden: 11 };
        for form in forms.into_iter().flatten() {
            let all: Vec<Option<Place>> = panels(form, sizes).collect();
            assert_eq!(all.len() % LANES, 0, "{:?}", form.kind);
            let found: HashSet<String> = all.iter().flatten().map(|place| format!("{place:?}")).collect();
            assert_eq!(found.len(), all.iter().flatten().count(), "{:?}: something twice", form.kind);
            let apart = if form.kind == Kind::Gru { 11 } else { 0 };
            assert_eq!(found.len(), form.gates.len() * 11 * (1 + 3 + 11) + apart, "{:?}", form.kind);
        }
    }

    #[test]
    fn a_block_is_biases_multipliers_and_groups_in_order() {
        let side =
            Side { inputs: 10, weights: (0..40).collect(), multipliers: vec![70, 71, 72, 73], shift: 0 };
        let rows = Rows { units: 1, bias: &[60, 61, 62, 63], bias_apart: &[], sides: &[side] };
        let words = rows.words(&Lstm::<f32>::FORMS[0]);
        assert_eq!(words[..8], [60, 61, 62, 63, 70, 71, 72, 73]);
        let bytes = |word: usize| words[word].to_le_bytes();
        assert_eq!((bytes(8), bytes(9)), ([0, 2, 1, 3], [4, 6, 5, 7])); // row 0, inputs 0..8
        assert_eq!(bytes(10), [10, 12, 11, 13]); // row 1
        assert_eq!((bytes(16), bytes(17)), ([8, 0, 9, 0], [18, 0, 19, 0])); // the last two inputs of rows 0 and 1
        assert_eq!(words.len(), 8 + 8 + 4);
    }
}
