//! Layers in the form of a model file: records with their weights (runtime/FORMAT.md), in floats or in
//! integers.
//!
//! ```text
//! cell or Dense --layout--> DenseParts --order--> float words     [panel][row][gate][8]
//!                                      --rows---> integer words   [block][4 inputs][row]
//! ```
//! `layout` describes the layout of a layer of weighted rows, `parts` holds its weights and activations,
//! `order` is the place of each weight, `initial` packs the initial states behind the weights, `float` and
//! `rows` are the two kinds of weights, `row` quantizes one row, `record` builds the records of layers
//! without weighted rows, `units` chooses the real value of one integer step.
//!
//! Each layer builds its own records in its file under `layers`, with these functions.

mod float;
mod initial;
mod layout;
mod order;
mod parts;
mod record;
mod row;
mod rows;
mod units;

pub use float::{FloatWeights, float_rows, to_weights};
pub use initial::{push_initial_float, push_initial_int, split_initial};
pub use layout::{Activations, BlockPart, Blocks, Packable, PackedLayout, Panels, Role, Sides, Weights};
pub use order::{Slot, panels};
pub use parts::{DenseParts, Sizes};
pub use record::framewise_record;
pub use rows::int_rows;
pub use units::{BIAS_LIMIT, MULTIPLIER_LIMIT, full_scale, multipliers, offsets, unit_for};

use embedded_rnn::format::LayerRecord;

/// A layer in the form of a file.
#[derive(Clone, Debug)]
pub struct PackedLayer<W> {
    /// The record in the table of layers; the length of the weights is filled in when the file is assembled.
    pub record: LayerRecord,
    /// The weights in file order.
    pub weights: Vec<W>,
    /// The name in the header.
    pub name: String,
}

impl<W> PackedLayer<W> {
    /// Creates a layer with this name.
    pub fn new(record: LayerRecord, weights: Vec<W>, name: &str) -> Self {
        Self { record, weights, name: name.to_owned() }
    }
}

/// The largest magnitudes that calibration observed in one layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranges {
    /// The inputs.
    pub input: f32,
    /// `true` if an input was not a whole number.
    pub fractions: bool,
    /// The outputs.
    pub output: f32,
    /// The pre-activations of each gate; one for a layer without gates.
    pub pre_activations: Vec<f32>,
    /// Each state, in the order of [`Cell::states`](crate::cells::Cell::states); in a bidirectional layer the
    /// states of both directions.
    pub states: Vec<f32>,
}

/// The place of a layer in an integer model.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The real value of one unit of the layer's input.
    pub unit: f64,
    /// Fraction bits of an input, which is at most `2^input_frac` units.
    pub input_frac: u32,
    /// Fraction bits of the layer's output.
    pub frac: u32,
    /// `true` if the input and the state of a recurrent layer may have separate scales.
    pub separate: bool,
    /// The real value of one unit of the other operand of a residual connection; `unit` in other layers.
    pub earlier: f64,
    /// The ranges that calibration observed.
    pub ranges: &'a Ranges,
    /// `true` if the layer is the last one of the model.
    pub head: bool,
}

/// The integer records of a layer, and the real value of one unit of its output.
pub type IntLayer = (Vec<PackedLayer<i32>>, f64);
