//! The function `fit`, which trains as `ernn train` does.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use embedded_rnn::F32;
use embedded_rnn_nn::config::Config;
use embedded_rnn_nn::data::{Data, Dataset};
use embedded_rnn_nn::forecast::Forecast;
use embedded_rnn_nn::training::{Epoch, Parts, Run, check_network, validate};
use embedded_rnn_pack::{self as pack, Meta, Quantized, check_packable, check_quantizable};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::array::copied;
use crate::error::Result;
use crate::model::Model;
use crate::quantize::converted;

/// The arrays of one part of a data set, as Python passes them.
#[derive(FromPyObject)]
pub struct Arrays<'py>(
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Option<Bound<'py, PyAny>>,
    Option<Bound<'py, PyAny>>,
);

/// A config and its data.
struct Job {
    config: Config,
    parts: Parts,
    /// The inputs that the i8 model is calibrated on: some of the training part before its split.
    calibration: Vec<Vec<f32>>,
    forecast: Option<Forecast>,
}

/// The trained network in both dtypes.
struct Trained {
    float: Vec<u8>,
    quantized: Quantized,
}

/// Trains a network; returns the f32 model, the i8 model, and the scores of all epochs.
///
/// `config` is JSON, or the path of a TOML file; `train` and `validation` are the arrays x, y, lengths of x
/// and lengths of y, in place of the data of the config. `on_epoch` takes the epoch, from 0, and a dict of
/// its scores; training ends if it returns True.
#[pyfunction]
#[pyo3(signature = (config, path, train, validation, seed, on_epoch))]
pub fn fit(
    py: Python<'_>,
    config: Option<&str>,
    path: Option<PathBuf>,
    train: Option<Arrays<'_>>,
    validation: Option<Arrays<'_>>,
    seed: u64,
    on_epoch: &Bound<'_, PyAny>,
) -> Result<(Model, Model, Vec<Py<PyDict>>)> {
    let place = path.clone().unwrap_or_else(|| "config".into());
    let config = match config {
        Some(json) => parsed(json).context("config")?,
        None => Config::read(&place)?,
    };
    let train = train.map(|arrays| dataset(arrays, ["x", "y"])).transpose()?;
    let validation = validation.map(|arrays| dataset(arrays, ["x_val", "y_val"])).transpose()?;
    let on_epoch = on_epoch.clone().unbind();
    let (trained, scores) = py.detach(|| {
        let job = Job::open(config, &place, train, validation, seed)?;
        job.fit(&place, seed, &on_epoch)
    })?;
    let float = Model::from_bytes(&trained.float, None)?;
    Ok((float, converted(py, trained.quantized)?, scores))
}

fn parsed(json: &str) -> anyhow::Result<Config> {
    let config: Config = serde_json::from_value(serde_json::from_str(json)?)?;
    config.check()?;
    Ok(config)
}

fn dataset(Arrays(x, y, lengths, y_lengths): Arrays<'_>, names: [&str; 2]) -> Result<Dataset> {
    let steps = lengths.map(|lengths| copied(&lengths, "lengths")).transpose()?;
    let (x, y) = (copied(&x, names[0])?, copied(&y, names[1])?);
    Ok(match y_lengths {
        Some(y_lengths) => Dataset::from_pairs(x, steps, y, copied(&y_lengths, "y_lengths")?, names)?,
        None => Dataset::from_arrays(x, steps, y, names)?,
    })
}

impl Job {
    /// Takes the arrays, or reads the data of the config.
    fn open(
        config: Config,
        path: &Path,
        train: Option<Dataset>,
        validation: Option<Dataset>,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let (data, forecast) = match train {
            Some(train) => {
                let validation = validation.map(|data| config.admit(data)).transpose()?;
                (Data { train: config.admit(train)?, validation, test: None, labels: Vec::new() }, None)
            }
            None => config.read_data(path)?,
        };
        let calibration = pack::sample(&data.train.sequences).into_iter().map(<[f32]>::to_vec).collect();
        let parts = Parts::new(data, &config, seed)?;
        let features = parts.train.sequences.features;
        config.check_size(features)?;
        config.training.check_monitored(parts.validation.is_some())?;
        let same = parts.validation.as_ref().is_none_or(|data| data.sequences.features == features);
        ensure!(same, "x_val: its features per frame are not those of x");
        Ok(Self { config, parts, calibration, forecast })
    }

    fn fit(
        &self,
        path: &Path,
        seed: u64,
        on_epoch: &Py<PyAny>,
    ) -> anyhow::Result<(Trained, Vec<Py<PyDict>>)> {
        let place = || path.display().to_string();
        let network = self.config.network(&self.parts.train, seed);
        check_packable(&network).and_then(|()| check_quantizable(&network)).with_context(place)?;
        let mut run = Run::new(network, seed);
        run.check_finite().with_context(place)?;
        let (mut scores, mut is_stopped) = (Vec::new(), false);
        while !run.is_over(&self.config.training) && !is_stopped {
            let epoch = self.epoch(&mut run).map_err(|error| diverged(run.history.len() + 1, error))?;
            run.complete(&self.config.training, epoch);
            let number = run.history.len() - 1;
            is_stopped = Python::attach(|py| {
                let logs = self.logs(py, epoch)?;
                scores.push(logs.clone().unbind());
                on_epoch.bind(py).call1((number, logs))?.extract::<Option<bool>>()
            })?
            .unwrap_or(false);
        }
        Ok((self.pack(run).with_context(place)?, scores))
    }

    /// Trains for one epoch; between two batches, Ctrl-C ends it.
    fn epoch(&self, run: &mut Run) -> anyhow::Result<Epoch> {
        let training = &self.config.training;
        let signals = || Ok(Python::attach(|py| py.check_signals())?);
        let trained = run.epoch(training, &self.parts.train, &signals)?;
        let validation = self.parts.validation.as_ref();
        let epoch =
            Epoch::new(trained, validation.map(|data| validate(&run.network, &training.objective(), data)));
        epoch.check_finite(training.loss)?;
        Ok(epoch)
    }

    /// Returns the scores of an epoch by Keras's names.
    fn logs<'py>(&self, py: Python<'py>, epoch: Epoch) -> PyResult<Bound<'py, PyDict>> {
        let logs = PyDict::new(py);
        for (name, value) in epoch.scores(self.config.training.loss) {
            logs.set_item(name, value)?;
        }
        Ok(logs)
    }

    /// Packs the network as `ernn train` does.
    fn pack(&self, mut run: Run) -> anyhow::Result<Trained> {
        run.restore_best()?;
        if let Some(forecast) = &self.forecast {
            forecast.fold(&mut run.network)?;
            check_network(&run.network)?;
        }
        let calibration: Vec<&[f32]> = self.calibration.iter().map(Vec::as_slice).collect();
        let labels = self.config.data.labels.clone().unwrap_or_default();
        let meta = Meta { name: self.config.name.clone(), labels, ..Meta::default() };
        let float = pack::write_float::<F32>(&run.network, &meta, calibration[0])?;
        let (network, meta) = pack::read_float::<F32>(&float)?;
        Ok(Trained { quantized: pack::quantize(&network, &meta, &calibration)?, float })
    }
}

/// Names the epoch in an error, except in an exception of Python.
fn diverged(epoch: usize, error: anyhow::Error) -> anyhow::Error {
    if error.is::<PyErr>() {
        return error;
    }
    anyhow!("training: epoch {epoch}: {error:#}: decrease learning_rate or set global_clipnorm")
}
