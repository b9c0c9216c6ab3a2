//! The function `quantize`.

use anyhow::{Context, bail, ensure};
use embedded_rnn::{DType, F16, F32};
use embedded_rnn_nn::data::Sequences;
use embedded_rnn_pack::quantize::LARGE_ERROR;
use embedded_rnn_pack::session::Session;
use embedded_rnn_pack::{self as pack, Quantized};
use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use serde_json::json;

use crate::array::sequences;
use crate::error::Result;
use crate::model::Model;

/// Converts an f32 model to i8, or to f16 weights, with the ranges of the calibration data.
///
/// calibration: typical inputs, [n, time, input_size], or [n, time] of ids or a single feature; `lengths`,
/// [n], excludes padding, or separates frames one after another, [frames, input_size].
/// `model.quantization` then has the error of each layer. Over 5 % of the range of a layer is a UserWarning;
/// over `max_error`, a share of the range, an Error.
#[pyfunction]
#[pyo3(signature = (model, calibration, *, lengths=None, dtype="i8", max_error=None))]
pub fn quantize(
    py: Python<'_>,
    model: &Model,
    calibration: &Bound<'_, PyAny>,
    lengths: Option<&Bound<'_, PyAny>>,
    dtype: &str,
    max_error: Option<f64>,
) -> Result<Model> {
    let session = &*model.session;
    let x = sequences(calibration, lengths, session.input_kind(), "calibration")?;
    let quantized = py.detach(|| quantized(session, x, dtype, max_error))?;
    converted(py, quantized)
}

/// Warns of large errors, and returns the model.
pub fn converted(py: Python<'_>, quantized: Quantized) -> Result<Model> {
    for reason in quantized.excesses(LARGE_ERROR) {
        let text = std::ffi::CString::new(reason.replace('\0', ""))?;
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 1)?;
    }
    Model::from_bytes(&quantized.bytes, Some(report(&quantized)))
}

fn quantized(
    session: &Session,
    x: Sequences,
    dtype: &str,
    max_error: Option<f64>,
) -> anyhow::Result<Quantized> {
    let found = session.dtype();
    ensure!(found == DType::F32, "model: dtype {}: only f32 models can be quantized", found.name());
    let x = match session.mask_value() {
        Some(value) => x.without_masked(value).context("calibration")?,
        None => x,
    };
    let (network, meta) = pack::read_float::<F32>(session.bytes())?;
    let sample = pack::sample(&x);
    let quantized = match dtype {
        "i8" => pack::quantize(&network, &meta, &sample)?,
        "f16" => pack::quantize_weights::<F16>(&network, &meta, &sample)?,
        _ => bail!("dtype: {dtype:?} is neither i8 nor f16"),
    };
    let excess = max_error.and_then(|most| quantized.excesses(most).next());
    ensure!(excess.is_none(), excess.unwrap_or_default());
    Ok(quantized)
}

/// Returns the errors as JSON.
fn report(quantized: &Quantized) -> String {
    let layer = |error: &pack::LayerError| {
        let pack::LayerError { name, worst, rms, range } = error;
        json!({ "name": name, "worst": worst, "rms": rms, "range": range })
    };
    let classes =
        quantized.classes.map(|found| json!({ "changed": found.changed, "outputs": found.outputs }));
    let layers: Vec<_> = quantized.errors.iter().map(layer).collect();
    json!({ "layers": layers, "classes": classes }).to_string()
}
