//! Where each weight lies in a file: runtime/FORMAT.md in code. `rows` are gate by gate, `gate * units + unit`.

/// Units of a float panel.
const LANES: usize = 8;
/// Rows of a block.
const QUAD: usize = 4;

/// Float weights, `[panel][1 + inputs][gate][8]`: `at(row, 0)` is the row's bias, `at(row, k)` its weight for input
/// `k - 1`. Units that fill up the last panel are zero.
pub fn panels(gates: usize, units: usize, columns: usize, at: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let mut words = Vec::with_capacity(units.div_ceil(LANES) * LANES * gates * columns);
    for panel in 0..units.div_ceil(LANES) {
        for column in 0..columns {
            for gate in 0..gates {
                for unit in panel * LANES..(panel + 1) * LANES {
                    words.push(if unit < units { at(gate * units + unit, column) } else { 0.0 });
                }
            }
        }
    }
    words
}

/// The value that [`panels`] put for `row` and `column`.
pub fn of_panels(
    words: &[f32],
    gates: usize,
    units: usize,
    columns: usize,
    row: usize,
    column: usize,
) -> f32 {
    let (gate, unit) = (row / units, row % units);
    words[((unit / LANES * columns + column) * gates + gate) * LANES + unit % LANES]
}

/// One side of an integer layer: its rows of weights, each of `inputs`, and each row's multiplier.
pub struct Side {
    pub inputs: usize,
    /// `[row][input]`.
    pub weights: Vec<i8>,
    pub multipliers: Vec<i32>,
}

/// A layer's integer rows: what each is made of.
pub struct Rows<'a> {
    pub units: usize,
    /// Of `[gate][unit]`.
    pub bias: &'a [i32],
    /// Sides with rows as `bias` has them.
    pub sides: &'a [Side],
}

impl Rows<'_> {
    /// Blocks of four rows that see all sides, in the order of `groups`.
    fn blocks(&self, groups: impl Iterator<Item = [Option<usize>; QUAD]>) -> Vec<i32> {
        groups.flat_map(|rows| self.block(rows, self.bias, self.sides.iter())).collect()
    }

    /// Biases, then for each of `sides` multipliers and [`groups`] of weights; rows that fill up are zero.
    fn block<'s>(
        &self,
        rows: [Option<usize>; QUAD],
        bias: &[i32],
        sides: impl Iterator<Item = &'s Side>,
    ) -> Vec<i32> {
        let mut words: Vec<i32> = rows.iter().map(|row| row.map_or(0, |row| bias[row])).collect();
        for side in sides {
            words.extend(rows.iter().map(|row| row.map_or(0, |row| side.multipliers[row])));
            words.extend(groups(side, &rows));
        }
        words
    }

    /// The rows of gate `gate` of four units from `4 * quad` on.
    fn quad(&self, gate: usize, quad: usize) -> [Option<usize>; QUAD] {
        std::array::from_fn(|i| {
            let unit = quad * QUAD + i;
            (unit < self.units).then_some(gate * self.units + unit)
        })
    }

    fn quads(&self) -> std::ops::Range<usize> {
        0..self.units.div_ceil(QUAD)
    }

    /// A layer without gates: four units a block.
    pub fn single(&self) -> Vec<i32> {
        self.blocks(self.quads().map(|quad| self.quad(0, quad)))
    }

    /// A cell with four gates: a unit a block.
    pub fn by_unit(&self) -> Vec<i32> {
        let rows = |unit| std::array::from_fn(|gate| Some(gate * self.units + unit));
        self.blocks((0..self.units).map(rows))
    }

    /// Gates z, r, n with the reset after: four units a block, their rows of z, of r, of n over x, and of n over h with
    /// biases of its own, one for each unit.
    pub fn reset_after(&self, recurrent_bias_n: &[i32]) -> Vec<i32> {
        let [x, h] = self.sides else { return Vec::new() };
        let of_n_h = [&vec![0; 2 * self.units][..], recurrent_bias_n].concat();
        let block = |quad| {
            let n = self.quad(2, quad);
            let gates = self.blocks([0, 1].into_iter().map(|gate| self.quad(gate, quad)));
            [gates, self.block(n, self.bias, [x].into_iter()), self.block(n, &of_n_h, [h].into_iter())]
                .concat()
        };
        self.quads().flat_map(block).collect()
    }

    /// Gates z, r, n with the reset before: the blocks of r, four units each, then z and n of four units each.
    pub fn reset_before(&self) -> Vec<i32> {
        let reset = self.quads().map(|quad| self.quad(1, quad));
        let others = self.quads().flat_map(|quad| [self.quad(0, quad), self.quad(2, quad)]);
        self.blocks(reset.chain(others))
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
    use super::*;

    #[test]
    fn panels_can_be_read_back() {
        let words = panels(3, 11, 4, |row, column| (row * 100 + column) as f32);
        assert_eq!(words.len(), 2 * 8 * 3 * 4);
        for row in 0..33 {
            for column in 0..4 {
                assert_eq!(of_panels(&words, 3, 11, 4, row, column), (row * 100 + column) as f32);
            }
        }
    }

    #[test]
    fn a_block_is_biases_multipliers_and_groups_in_order() {
        let side = Side { inputs: 10, weights: (0..40).collect(), multipliers: vec![70, 71, 72, 73] };
        let words = Rows { units: 1, bias: &[60, 61, 62, 63], sides: &[side] }.by_unit();
        assert_eq!(words[..8], [60, 61, 62, 63, 70, 71, 72, 73]);
        let bytes = |word: usize| words[word].to_le_bytes();
        assert_eq!((bytes(8), bytes(9)), ([0, 2, 1, 3], [4, 6, 5, 7])); // row 0, inputs 0..8
        assert_eq!(bytes(10), [10, 12, 11, 13]); // row 1
        assert_eq!((bytes(16), bytes(17)), ([8, 0, 9, 0], [18, 0, 19, 0])); // the last two inputs of rows 0 and 1
        assert_eq!(words.len(), 8 + 8 + 4);
    }
}
