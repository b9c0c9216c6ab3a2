//! NumPy arrays as inputs.

use anyhow::{Context, ensure};
use embedded_rnn_nn::data::{Array, InputKind, Sequences, Values};
use numpy::{Element, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};

use crate::error::Result;

/// Returns an array of `T` in C order: `x` itself if it is one, else a converted copy.
pub fn of_type<'py, T: Element>(x: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    if let Ok(array) = x.cast::<PyArrayDyn<T>>()
        && array.is_c_contiguous()
    {
        return Ok(array.try_readonly()?);
    }
    let array = as_array(x)?;
    let options: Bound<'py, PyDict> = [("order", "C"), ("casting", "same_kind")].into_py_dict(x.py())?;
    let array = array.call_method("astype", (T::get_dtype(x.py()),), Some(&options))?;
    Ok(array.cast_into::<PyArrayDyn<T>>()?.try_readonly()?)
}

fn as_array<'py>(x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    x.py().import("numpy")?.call_method1("asarray", (x,))
}

/// Checks the shape of one time step: `[input_size]`, or a number if that is 1.
pub fn check_step(shape: &[usize], input_size: usize) -> Result<()> {
    let fits = shape == [input_size] || shape.is_empty() && input_size == 1;
    if !fits {
        Err(anyhow::anyhow!("x: its shape is {shape:?}, but a time step has shape [{input_size}]"))?;
    }
    Ok(())
}

/// Checks the shape of a sequence: `[time, input_size]`, or `[time]` if that is 1.
pub fn check_sequence(shape: &[usize], input_size: usize) -> Result<()> {
    let fits =
        matches!(shape, [_, features] if *features == input_size) || matches!(shape, [_] if input_size == 1);
    if !fits {
        Err(anyhow::anyhow!("x: its shape is {shape:?}, but a sequence has shape [time, {input_size}]"))?;
    }
    Ok(())
}

/// Copies a finite array of numbers; integers stay integers.
pub fn copied(x: &Bound<'_, PyAny>, name: &str) -> Result<Array> {
    let array = as_array(x)?;
    let kind: String = array.getattr("dtype")?.getattr("kind")?.extract()?;
    let array = match kind.as_str() {
        "f" => {
            let array = of_type::<f32>(&array)?;
            Array { shape: array.shape().to_vec(), values: Values::Floats(array.as_slice()?.to_vec()) }
        }
        "i" | "u" | "b" => {
            let array = of_type::<i64>(&array.call_method1("astype", ("int64",))?)?;
            Array { shape: array.shape().to_vec(), values: Values::Integers(array.as_slice()?.to_vec()) }
        }
        _ => Err(anyhow::anyhow!(
            "{name}: dtype {}: floats and integers are supported",
            array.getattr("dtype")?
        ))?,
    };
    array.check_finite().with_context(|| name.to_owned())?;
    Ok(array)
}

/// Reads sequences for a model: `[n, time, features]`, `[n, time]` of ids or of a single feature, or all
/// frames one after another, `[frames, features]`, with lengths.
pub fn sequences(
    x: &Bound<'_, PyAny>,
    lengths: Option<&Bound<'_, PyAny>>,
    kind: InputKind,
    name: &str,
) -> Result<Sequences> {
    let mut array = copied(x, name)?;
    let lengths = lengths.map(|lengths| copied(lengths, "lengths")).transpose()?;
    let read = || -> anyhow::Result<Sequences> {
        if array.shape.len() == 2 && kind.features() == 1 {
            array.shape.push(1);
        }
        let (shape, features) = (&array.shape, kind.features());
        ensure!(
            shape.len() == 3 || shape.len() == 2 && lengths.is_some(),
            "its shape is {shape:?}, not [n, time, {features}]"
        );
        ensure!(!array.shape.contains(&0), "empty: its shape is {:?}", array.shape);
        let sequences = Sequences::from_arrays(array, lengths)?;
        sequences.check(kind)?;
        Ok(sequences)
    };
    Ok(read().with_context(|| name.to_owned())?)
}
