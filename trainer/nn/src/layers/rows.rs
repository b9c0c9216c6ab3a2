//! Weighted rows of Dense and of cells: reading back and counting.

use anyhow::{Context, Result, ensure};
use embedded_rnn::format::LayerRecord;

use super::{RecordSummary, Stored};
use crate::activation::Activation;
use crate::export::{Activations, FloatWeights, PackedLayout, Sizes, Slot, Weights, panels};
use crate::tensor::Matrix;

/// Reads the weights and the activations of a layer of weighted rows back; `hidden` is 0 if it is not
/// recurrent.
pub(super) fn read_rows<N: FloatWeights>(
    stored: &Stored<'_, N>,
    layout: &PackedLayout,
    hidden: usize,
) -> Result<(Weights, Activations)> {
    let record = stored.record;
    let value = Activation::of_record(record).context("unknown activation")?;
    let recurrent = Activation::from_code(record.recurrent_activation).unwrap_or(Activation::Linear);
    let activations = Activations { value, recurrent };
    let sizes = Sizes { units: record.units(), inputs: record.input_size(), hidden };
    let rows = layout.gates.len() * sizes.units;
    let mut weights = Weights {
        w_ih: Matrix::zeros(rows, sizes.inputs),
        w_hh: Matrix::zeros(rows, hidden),
        bias: Matrix::zeros(rows, 1),
        recurrent_bias: Matrix::zeros(rows, 1),
    };
    let numbers = stored.widened();
    let expected = panels(layout, sizes).count();
    ensure!(numbers.len() == expected, "{} weights, its packed layout has {expected}", numbers.len());
    for (slot, word) in panels(layout, sizes).zip(numbers) {
        let Some(slot) = slot else { continue };
        let (row, number) = match slot {
            Slot::Bias(row) => (row, &mut weights.bias[row]),
            Slot::Input(row, k) => (row, &mut weights.w_ih[(row, k)]),
            Slot::RecurrentBias(row) => (row, &mut weights.recurrent_bias[row]),
            Slot::Recurrent(row, k) => (row, &mut weights.w_hh[(row, k)]),
        };
        *number = word / layout.activation(row / sizes.units, activations).code().fold();
    }
    Ok((weights, activations))
}

/// Summarizes a record of weighted rows; `hidden` is 0 if the layer is not recurrent.
pub(super) fn summarize_rows(record: &LayerRecord, layout: &PackedLayout, hidden: u64) -> RecordSummary {
    let (inputs, units) = (u64::from(record.input_size), u64::from(record.units));
    let rows = layout.gates.len() as u64 * units;
    let macs = rows * (inputs + hidden);
    let activation = |code: u8| Activation::from_code(code).map(Activation::keras_name);
    let recurrent = layout.is_gated().then(|| activation(record.recurrent_activation));
    RecordSummary {
        keras_name: layout.keras_name,
        activation: (rows > 0).then(|| activation(record.activation)).flatten(),
        recurrent_activation: recurrent.flatten(),
        parameters: macs + layout.biases * rows,
        macs,
        ..RecordSummary::default()
    }
}
