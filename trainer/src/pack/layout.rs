//! Where each weight lies in a file: runtime/FORMAT.md in code. `rows` are gate by gate, `gate * units + unit`.

/// Units of a float panel.
const LANES: usize = 8;
/// Units of a block of a layer without gates.
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

/// Integer weights, block by block: a unit with all its gates, or four units of a layer without gates. A block is a bias
/// for each of its rows, then for each side a multiplier for each row and [`groups`] of weights.
pub fn blocks(gates: usize, units: usize, bias: &[i32], sides: &[Side]) -> Vec<i32> {
    let rows_of_block = |block: usize| -> Vec<Option<usize>> {
        if gates > 1 {
            (0..gates).map(|gate| Some(gate * units + block)).collect()
        } else {
            (0..QUAD).map(|i| Some(block * QUAD + i).filter(|&unit| unit < units)).collect()
        }
    };
    let count = if gates > 1 { units } else { units.div_ceil(QUAD) };
    let mut words = Vec::new();
    for block in 0..count {
        let rows = rows_of_block(block);
        words.extend(rows.iter().map(|row| row.map_or(0, |row| bias[row])));
        for side in sides {
            words.extend(rows.iter().map(|row| row.map_or(0, |row| side.multipliers[row])));
            words.extend(groups(side, &rows));
        }
    }
    words
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
        let words = blocks(4, 1, &[60, 61, 62, 63], &[side]);
        assert_eq!(words[..8], [60, 61, 62, 63, 70, 71, 72, 73]);
        let bytes = |word: usize| words[word].to_le_bytes();
        assert_eq!((bytes(8), bytes(9)), ([0, 2, 1, 3], [4, 6, 5, 7])); // row 0, inputs 0..8
        assert_eq!(bytes(10), [10, 12, 11, 13]); // row 1
        assert_eq!((bytes(16), bytes(17)), ([8, 0, 9, 0], [18, 0, 19, 0])); // the last two inputs of rows 0 and 1
        assert_eq!(words.len(), 8 + 8 + 4);
    }
}
