//! The weights of a layer by FORMAT.md, counted independently of the runtime.

use embedded_rnn::format::LayerRecord;
use embedded_rnn::{ALL_FEATURES, DType, Kind};

/// Units of a panel.
const LANES: u128 = 8;
/// Rows of a block.
const ROWS: u128 = 4;

/// Returns the bytes of the weights of a layer; `None` if its kind is unknown.
pub fn bytes(dtype: DType, record: &LayerRecord) -> Option<u128> {
    let kind = Kind::from_code(record.kind, ALL_FEATURES)?;
    let (x, units, ids) = (record.input_size.into(), record.units.into(), record.input_dim.into());
    let read = match dtype {
        DType::I8 => int_words(kind, x, units, ids).map(|words| 4 * words),
        DType::F32 => float_values(kind, x, units, ids).map(|panels| panels.bytes(4)),
        _ => float_values(kind, x, units, ids).map(|panels| panels.bytes(2)),
    };
    let initial = if record.has_initial_state() { initial_words(dtype, kind, units) } else { 0 };
    Some(read? + 4 * initial)
}

/// Returns the words of the initial state.
fn initial_words(dtype: DType, kind: Kind, units: u128) -> u128 {
    let (h, c) = match dtype {
        DType::I8 => (units.next_multiple_of(4) / 2, units),
        _ => (units.next_multiple_of(LANES), units.next_multiple_of(LANES)),
    };
    match kind {
        Kind::Lstm => h + c,
        Kind::Gru | Kind::GruResetBefore | Kind::SimpleRnn => h,
        _ => 0,
    }
}

/// The values of a float layer, by their width.
enum Values {
    /// Values of the dtype.
    OfDType(u128),
    /// Values that are f32 in all dtypes.
    Single(u128),
}

impl Values {
    fn bytes(self, width: u128) -> u128 {
        match self {
            Self::OfDType(count) => (count * width).next_multiple_of(4),
            Self::Single(count) => count * 4,
        }
    }
}

fn float_values(kind: Kind, x: u128, units: u128, ids: u128) -> Option<Values> {
    let panels = |gates: u128, rows: u128| Values::OfDType(units.div_ceil(LANES) * LANES * gates * rows);
    Some(match kind {
        Kind::Dense => panels(1, 1 + x),
        Kind::SimpleRnn => panels(1, 1 + x + units),
        Kind::Lstm => panels(4, 1 + x + units),
        Kind::Gru => panels(3, 2 + x + units),
        Kind::GruResetBefore => panels(3, 1 + x + units),
        Kind::Embedding => Values::OfDType(ids * units),
        Kind::Bidirectional
        | Kind::Activation
        | Kind::GlobalMaxPooling1D
        | Kind::GlobalAveragePooling1D
        | Kind::Add => Values::Single(0),
        Kind::Normalization | Kind::BatchNormalization => Values::Single(2 * units),
        Kind::LayerNormalization => Values::Single(2 * units + 1),
        Kind::Masking => Values::Single(1),
        _ => return None,
    })
}

fn int_words(kind: Kind, x: u128, units: u128, ids: u128) -> Option<u128> {
    let side = |inputs: u128| ROWS * (1 + inputs.div_ceil(4));
    let dense = |inputs: u128| ROWS + side(inputs);
    let recurrent = ROWS + side(x) + side(units);
    let blocks = units.div_ceil(ROWS);
    Some(match kind {
        Kind::Dense => blocks * dense(x),
        Kind::SimpleRnn => blocks * recurrent,
        Kind::Lstm => units * recurrent,
        Kind::Gru => blocks * (2 * recurrent + dense(x) + dense(units)),
        Kind::GruResetBefore => blocks * 3 * recurrent,
        Kind::Embedding => ids * (1 + units.div_ceil(4)),
        Kind::Bidirectional | Kind::GlobalMaxPooling1D | Kind::GlobalAveragePooling1D => 0,
        Kind::Add => 2,
        Kind::Normalization | Kind::BatchNormalization => 2 * units,
        Kind::LayerNormalization => 2 * units + 2,
        Kind::Masking => 1,
        Kind::Activation => 257,
        _ => return None,
    })
}
