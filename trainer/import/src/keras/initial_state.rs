//! Constant initial states of a recurrent layer in a Functional model of Keras 3, which are values in its
//! config: `{"class_name": "__tensor__", "config": {"value": [[...]], "dtype": "float32"}}`, or a list of
//! such.

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;

use embedded_rnn_nn::tensor::Matrix;

/// Returns whether an argument is a constant, or a list of them.
pub fn is_constant(value: &Value) -> bool {
    match value {
        Value::Array(all) => !all.is_empty() && all.iter().all(is_constant),
        _ => value.get("class_name").is_some_and(|class| class == "__tensor__" || class == "__numpy__"),
    }
}

/// Reads `count` states of `units` each.
///
/// # Errors
/// Another number of states, or states that differ between the sequences of a batch.
pub fn read(value: &Value, count: usize, units: usize) -> Result<Vec<Matrix<f32>>> {
    let all = match value {
        Value::Array(all) => &all[..],
        one => std::slice::from_ref(one),
    };
    let read = || {
        ensure!(all.len() == count, "{} states, expected {count}", all.len());
        all.iter().map(|value| state(value, units)).collect()
    };
    read().context("inbound_nodes: initial_state")
}

/// Reads a state of `units`, `[batch, units]`.
fn state(value: &Value, units: usize) -> Result<Matrix<f32>> {
    let dtype = value.pointer("/config/dtype").and_then(Value::as_str).context("no dtype")?;
    ensure!(dtype == "float32", "dtype {dtype}: only float32 is supported");
    let rows = value.pointer("/config/value").and_then(Value::as_array).context("not [batch, units]")?;
    let row = |row: &Value| {
        let values = row.as_array().filter(|row| row.len() == units);
        let values = values.with_context(|| format!("not [batch, units] of {units} units"))?;
        let number =
            |value: &Value| value.as_f64().map(|value| value as f32).filter(|value| value.is_finite());
        values.iter().map(number).collect::<Option<Vec<f32>>>().context("not a finite f32")
    };
    let rows = rows.iter().map(row).collect::<Result<Vec<_>>>()?;
    let first = rows.first().ok_or_else(|| anyhow!("of no sequence"))?;
    ensure!(
        rows.iter().all(|other| other == first),
        "the sequences of a batch start from different states, a model from one"
    );
    Ok(Matrix::from_column_slice(units, 1, first))
}
