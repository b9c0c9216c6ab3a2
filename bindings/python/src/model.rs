//! The class `Model`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use embedded_rnn::I8;
use embedded_rnn_nn::output::write_atomically;
use embedded_rnn_pack::session::{RunMode, Session};
use embedded_rnn_pack::summary::Summary;
use numpy::{PyArray1, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rayon::prelude::*;

use crate::array::{check_sequence, check_step, of_type, sequences};
use crate::error::Result;
use crate::state::State;

/// A model file in memory, validated once. It does not change; the state of a sequence is a `State`.
///
/// Inputs and outputs are real values as float32, whatever the dtype of the model.
#[pyclass(frozen, module = "embedded_rnn")]
pub struct Model {
    pub(crate) session: Arc<Session>,
    /// The error of the quantization that made the model, as JSON.
    quantization: Option<String>,
}

impl Model {
    /// Validates the bytes of a model file.
    pub fn from_bytes(bytes: &[u8], quantization: Option<String>) -> Result<Self> {
        Ok(Self { session: Arc::new(Session::new(Path::new("model"), bytes)?), quantization })
    }

    fn name(&self) -> String {
        self.session.header().map_or(String::new(), |header| header.info().name.to_owned())
    }
}

/// Parses JSON into Python's objects.
fn parsed<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (json,))
}

#[pymethods]
impl Model {
    /// Validates the bytes of a model file.
    #[new]
    fn new(data: &[u8]) -> Result<Self> {
        Self::from_bytes(data, None)
    }

    /// Reads and validates a model file.
    #[staticmethod]
    fn load(path: PathBuf) -> Result<Self> {
        // The runtime's error is text only; this one has the code of the operating system.
        File::open(&path).with_context(|| path.display().to_string())?;
        Ok(Self { session: Arc::new(Session::read(&path)?), quantization: None })
    }

    /// Writes the model file; an existing file is replaced as a whole or not at all.
    fn save(&self, path: PathBuf) -> Result<()> {
        Ok(write_atomically(&path, |file| file.write_all(self.session.bytes()))?)
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.session.bytes())
    }

    /// The name of the model.
    #[getter(name)]
    fn get_name(&self) -> String {
        self.name()
    }

    /// The dtype of the weights: "f32", "f16" or "i8".
    #[getter]
    fn dtype(&self) -> &'static str {
        self.session.dtype().name()
    }

    /// Values per time step; 1 if the input is ids.
    #[getter]
    fn input_size(&self) -> usize {
        self.session.input_size()
    }

    /// The number of ids if the input is ids, else None.
    #[getter]
    fn input_ids(&self) -> Option<usize> {
        self.session.input_ids()
    }

    /// Values per output.
    #[getter]
    fn output_size(&self) -> usize {
        self.session.output_size()
    }

    /// True if `run` has an output for every time step, not only for the last one.
    #[getter]
    fn returns_sequences(&self) -> bool {
        self.session.returns_sequences()
    }

    /// True if the model takes whole sequences only, as a layer runs backwards.
    #[getter]
    fn whole_sequences(&self) -> bool {
        self.session.needs_whole_sequences()
    }

    /// The names of the classes; empty if the file has none.
    #[getter]
    fn labels(&self) -> Vec<String> {
        self.session.labels()
    }

    /// Bytes of RAM per state on a device.
    #[getter]
    fn ram(&self) -> u32 {
        self.session.preamble().ram_needed
    }

    /// Bytes of flash on a device: the length of the file.
    #[getter]
    fn flash(&self) -> usize {
        self.session.bytes().len()
    }

    /// The error of each layer on the calibration data, if `quantize` made this model in this process.
    #[getter]
    fn quantization<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.quantization.as_ref().map(|json| parsed(py, json)).transpose()
    }

    /// Returns a state at the start of a sequence.
    fn state(slf: Bound<'_, Self>) -> Result<State> {
        State::new(slf)
    }

    /// Returns a state that continues from the bytes of `State.save`.
    fn restored(slf: Bound<'_, Self>, saved: &[u8]) -> Result<State> {
        let mut state = State::new(slf.clone())?;
        slf.get().session.restore(&mut state.inner, saved)?;
        Ok(state)
    }

    /// Runs one time step, x of shape [input_size].
    ///
    /// Returns the output for the sequence so far, [output_size].
    fn step<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        state: &mut State,
    ) -> Result<Bound<'py, PyArray1<f32>>> {
        let x = of_type::<f32>(x)?;
        check_step(x.shape(), self.session.input_size())?;
        let (session, x, state) = (&*self.session, x.as_slice()?, &mut state.inner);
        let y = py.detach(move || session.step(state, x))?;
        Ok(PyArray1::from_slice(py, y))
    }

    /// Runs the time steps of one sequence, x of shape [time, input_size], from the state or from the start.
    ///
    /// Returns [time, output_size] if the model returns sequences, else the last output, [output_size].
    #[pyo3(signature = (x, state=None))]
    fn run<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        state: Option<&mut State>,
    ) -> Result<Bound<'py, PyArrayDyn<f32>>> {
        let x = of_type::<f32>(x)?;
        check_sequence(x.shape(), self.session.input_size())?;
        let (session, x) = (&*self.session, x.as_slice()?);
        let state = state.map(|state| &mut state.inner);
        let y = py.detach(move || match state {
            Some(state) => session.run(state, x),
            None => session.run(&mut session.state()?, x),
        })?;
        self.shaped(PyArray1::from_vec(py, y), None)
    }

    /// Runs whole sequences from the start, x of shape [n, time, input_size], on all cores.
    ///
    /// Returns [n, time, output_size] if the model returns sequences, else [n, output_size].
    fn predict<'py>(&self, py: Python<'py>, x: &Bound<'py, PyAny>) -> Result<Bound<'py, PyArrayDyn<f32>>> {
        let session = &*self.session;
        check(!session.has_decoder(), "an encoder-decoder generates: use generate")?;
        let x = sequences(x, None, session.input_kind(), "x")?;
        let y = py.detach(|| {
            let all = (0..x.len()).into_par_iter();
            let all = all.map(|s| session.predict(x.get(s), RunMode::Sequence));
            all.collect::<anyhow::Result<Vec<_>>>().map(|all| all.concat())
        })?;
        self.shaped(PyArray1::from_vec(py, y), Some(x.len()))
    }

    /// Returns the classes that an encoder-decoder generates for one sequence, x of shape [time, input_size]:
    /// the likeliest ones before the first class 0, at most `limit`.
    #[pyo3(signature = (x, limit=64))]
    fn generate<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        limit: usize,
    ) -> Result<Bound<'py, PyArray1<u16>>> {
        let session = &*self.session;
        check(session.has_decoder(), "generate: the model is no encoder-decoder")?;
        let x = of_type::<f32>(x)?;
        check_sequence(x.shape(), session.input_size())?;
        let x = x.as_slice()?;
        let ids = py.detach(|| session.decode(x, limit, RunMode::Sequence))?;
        Ok(PyArray1::from_vec(py, ids))
    }

    /// Quantizes one time step of an i8 model, [input_size], to the int16 values that a device computes with.
    fn quantize_input<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyArray1<i16>>> {
        let x = of_type::<f32>(x)?;
        check_step(x.shape(), self.session.input_size())?;
        let model = self.session.as_model::<I8>().context("quantize_input: the model is not i8")?;
        let mut quantized = vec![0; self.session.input_size()];
        model.quantize_input(x.as_slice()?, &mut quantized)?;
        Ok(PyArray1::from_vec(py, quantized))
    }

    /// Converts int32 outputs of an i8 model to real values of the same shape.
    fn dequantize_output<'py>(
        &self,
        py: Python<'py>,
        y: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyArrayDyn<f32>>> {
        let y = of_type::<i32>(y)?;
        let model = self.session.as_model::<I8>().context("dequantize_output: the model is not i8")?;
        let mut real = vec![0.0; y.len()];
        model.dequantize_output(y.as_slice()?, &mut real)?;
        Ok(PyArray1::from_vec(py, real).reshape(y.shape())?)
    }

    /// Runs one time step of an i8 model in integers: int16 [input_size] to int32 [output_size].
    fn step_quantized<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        state: &mut State,
    ) -> Result<Bound<'py, PyArray1<i32>>> {
        let x = of_type::<i16>(x)?;
        check_step(x.shape(), self.session.input_size())?;
        let (session, x, state) = (&*self.session, x.as_slice()?, &mut state.inner);
        Ok(PyArray1::from_vec(py, py.detach(move || session.step_as::<I8>(state, x))?))
    }

    /// Runs a sequence of an i8 model in integers: int16 [time, input_size] to int32 outputs as of `run`.
    #[pyo3(signature = (x, state=None))]
    fn run_quantized<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        state: Option<&mut State>,
    ) -> Result<Bound<'py, PyArrayDyn<i32>>> {
        let x = of_type::<i16>(x)?;
        check_sequence(x.shape(), self.session.input_size())?;
        let (session, x) = (&*self.session, x.as_slice()?);
        let state = state.map(|state| &mut state.inner);
        let y = py.detach(move || match state {
            Some(state) => session.run_as::<I8>(state, x),
            None => session.run_as::<I8>(&mut session.state()?, x),
        })?;
        self.shaped(PyArray1::from_vec(py, y), None)
    }

    /// Replays the golden trace of the file, as a device does at boot; raises Error if an output differs.
    fn self_test(&self) -> Result<()> {
        Ok(self.session.self_test()?)
    }

    /// Returns the layers, sizes and costs, with the keys of `ernn inspect --json`.
    fn inspect<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let json = serde_json::to_string(&Summary::of(&self.session))?;
        Ok(parsed(py, &json)?)
    }

    /// Returns the text that `ernn inspect` prints.
    fn __str__(&self) -> String {
        Summary::of(&self.session).to_string()
    }

    fn __repr__(&self) -> String {
        let (name, inputs, outputs) = (self.name(), self.input_size(), self.output_size());
        let (ram, flash) = (self.ram(), self.flash());
        let dtype = self.dtype();
        format!(
            "<embedded_rnn.Model {name:?}: {dtype}, {inputs} to {outputs} values, \
             {flash} bytes of flash, {ram} of RAM>"
        )
    }

    /// Pickles the bytes of the file.
    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyAny>, (Bound<'py, PyBytes>,)) {
        (py.get_type::<Self>().into_any(), (self.__bytes__(py),))
    }
}

impl Model {
    /// Reshapes outputs; `batch` is the number of sequences.
    fn shaped<'py, T: numpy::Element>(
        &self,
        y: Bound<'py, PyArray1<T>>,
        batch: Option<usize>,
    ) -> Result<Bound<'py, PyArrayDyn<T>>> {
        let out = self.session.output_size();
        let per_sequence = y.len() / out / batch.unwrap_or(1);
        let mut shape: Vec<usize> = batch.into_iter().collect();
        if self.session.returns_sequences() {
            shape.push(per_sequence);
        }
        // An encoder alone has no outputs.
        shape.push(if self.session.has_decoder() { y.len() } else { out });
        Ok(y.reshape(shape)?)
    }
}

/// Rejects a call with a reason.
fn check(is_valid: bool, reason: &'static str) -> Result<()> {
    let rejected = || -> anyhow::Result<()> {
        ensure!(is_valid, reason);
        Ok(())
    };
    Ok(rejected()?)
}
