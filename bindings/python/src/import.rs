//! The function `import_file`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use embedded_rnn::{F16, F32};
use embedded_rnn_import::Importers;
use embedded_rnn_import::keras::Keras;
use embedded_rnn_import::onnx::{Cut, Onnx};
use embedded_rnn_import::pytorch::{Nonlinearity, Options, PyTorch, WeightRole};
use embedded_rnn_nn::activation::Activation;
use pyo3::prelude::*;

use crate::error::Result;
use crate::model::Model;

/// The options of an import, by the flags of `ernn import`.
#[derive(FromPyObject, Default)]
#[pyo3(from_item_all)]
pub struct ImportOptions {
    name: Option<String>,
    dtype: String,
    start: Vec<String>,
    end: Option<String>,
    prefix: Option<String>,
    without: Vec<String>,
    modules: Vec<String>,
    roles: Vec<(String, String)>,
    activations: Vec<(String, String)>,
    initial: Vec<(String, Vec<String>)>,
    nonlinearity: Option<String>,
    return_sequences: bool,
    last_step: bool,
    eps: Option<f64>,
}

/// Reads the file of another framework; returns the model and the notes of the importer.
#[pyfunction]
pub fn import_file(py: Python<'_>, path: PathBuf, options: ImportOptions) -> Result<(Model, Vec<String>)> {
    let (bytes, notes) =
        py.detach(|| imported(&path, options)).with_context(|| path.display().to_string())?;
    Ok((Model::from_bytes(&bytes, None)?, notes))
}

fn imported(path: &std::path::Path, options: ImportOptions) -> anyhow::Result<(Vec<u8>, Vec<String>)> {
    let (name, dtype) = (options.name.clone(), options.dtype.clone());
    let mut imported = options.importers()?.read(path)?;
    if let Some(name) = name {
        imported.meta.name = name;
    }
    let bytes = match dtype.as_str() {
        "f32" => imported.write::<F32>()?,
        "f16" => imported.write::<F16>()?,
        _ => bail!("dtype: {dtype:?} is neither f32 nor f16"),
    };
    Ok((bytes, imported.notes))
}

impl ImportOptions {
    fn importers(self) -> anyhow::Result<Importers> {
        let options = Options {
            prefix: self.prefix,
            without: self.without,
            modules: self.modules,
            roles: of_modules(self.roles, role)?,
            activations: of_modules(self.activations, Activation::parsed)?,
            initial: self.initial,
            nonlinearity: self.nonlinearity.as_deref().map(nonlinearity).transpose()?,
            return_sequences: self.return_sequences,
            last_step: self.last_step,
            eps: self.eps,
        };
        // Without `..`: the options of a further importer belong here.
        Ok(Importers {
            keras: Keras,
            onnx: Onnx { cut: Cut { from: self.start, to: self.end } },
            pytorch: PyTorch { options },
        })
    }
}

fn of_modules<T>(
    texts: Vec<(String, String)>,
    parse: impl Fn(&str) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<(String, T)>> {
    let pair = |(module, text): (String, String)| {
        let value = parse(&text).with_context(|| module.clone())?;
        Ok((module, value))
    };
    texts.into_iter().map(pair).collect()
}

fn role(text: &str) -> anyhow::Result<WeightRole> {
    match text {
        "embedding" => Ok(WeightRole::Embedding),
        "linear" => Ok(WeightRole::Linear),
        _ => bail!("roles: {text:?} is neither embedding nor linear"),
    }
}

fn nonlinearity(text: &str) -> anyhow::Result<Nonlinearity> {
    match text {
        "tanh" => Ok(Nonlinearity::Tanh),
        "relu" => Ok(Nonlinearity::Relu),
        _ => bail!("nonlinearity: {text:?} is neither tanh nor relu"),
    }
}
