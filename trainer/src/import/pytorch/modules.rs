//! Tensors put together to modules: all that have a name in common up to the last point.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

use super::file::Tensors;
use super::options::{Options, Role};
use super::recurrent;
use crate::activation::Activation;
use crate::import::Tensor;
use crate::layers::{BatchNormalization, Dense, Embedding, Kind, LayerNormalization};
use crate::tensor::Matrix;

/// A module, with all that it can be.
pub struct Module {
    /// Its path, or what it is where that is empty.
    pub name: String,
    /// One, but for a weight that may be an Embedding's or a Linear's.
    pub forms: Vec<Form>,
}

/// What a module may be.
pub struct Form {
    /// PyTorch's name for it.
    pub what: &'static str,
    /// What it takes of a frame.
    pub takes: Takes,
    /// How many values it gives.
    pub gives: usize,
    /// First to last; recurrent ones give sequences.
    pub layers: Vec<NamedLayer>,
}

/// What is taken of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// One of so many.
    Ids(usize),
    /// So many values.
    Features(usize),
}

/// A layer of ours.
pub struct NamedLayer {
    /// The module's name, and the number of the layer if it has several.
    pub name: String,
    /// What it was there.
    pub origin: String,
    /// What it is.
    pub kind: Kind<f32>,
}

/// The tensors of a module, by the ends of their names. What is taken out is understood.
pub struct Group {
    /// What all names begin with; empty, or with its point.
    prefix: String,
    tensors: BTreeMap<String, Tensor>,
}

impl Group {
    /// The full name of a tensor.
    pub fn full(&self, leaf: &str) -> String {
        format!("{}{leaf}", self.prefix)
    }

    /// The ends of the names.
    pub fn leaves(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// A tensor, if it is there.
    pub fn take(&mut self, leaf: &str) -> Option<Tensor> {
        self.tensors.remove(leaf)
    }

    /// The shape of a tensor that stays where it is.
    pub fn shape(&self, leaf: &str) -> Result<&[usize]> {
        let tensor = self.tensors.get(leaf).with_context(|| format!("{}: missing", self.full(leaf)))?;
        Ok(tensor.shape())
    }

    /// A matrix of any shape.
    pub fn matrix(&mut self, leaf: &str) -> Result<Matrix<f32>> {
        let tensor = self.take(leaf).with_context(|| format!("{}: missing", self.full(leaf)))?;
        tensor.matrix().with_context(|| self.full(leaf))
    }

    /// A column of so many values, if it is there.
    pub fn column(&mut self, leaf: &str, rows: usize) -> Result<Option<Matrix<f32>>> {
        let Some(tensor) = self.take(leaf) else { return Ok(None) };
        let shape = tensor.shape();
        ensure!(shape == [rows], "{}: shape {shape:?}, expected [{rows}]", self.full(leaf));
        tensor.column().map(Some)
    }

    /// A column of so many values.
    fn needed(&mut self, leaf: &str, rows: usize) -> Result<Matrix<f32>> {
        self.column(leaf, rows)?.with_context(|| format!("{}: missing", self.full(leaf)))
    }

    /// Refuses what is left.
    fn finish(&self) -> Result<()> {
        match self.leaves().next() {
            Some(leaf) => bail!("{}: no tensor of any module that is read", self.full(leaf)),
            None => Ok(()),
        }
    }
}

/// The modules of these tensors, by name.
///
/// # Errors
/// A tensor that is not understood.
pub fn of(tensors: Tensors, options: &Options) -> Result<Vec<Module>> {
    let mut groups = BTreeMap::<String, Group>::new();
    for (name, tensor) in tensors {
        let end = name.rfind('.').map_or(0, |point| point + 1);
        let prefix = name[..end].to_owned();
        let group = groups.entry(prefix.clone()).or_insert(Group { prefix, tensors: BTreeMap::new() });
        group.tensors.insert(name[end..].to_owned(), tensor);
    }
    groups.into_values().map(|group| module(group, options)).collect()
}

/// Modules with what they take and give, in words.
pub fn listed<'a>(modules: impl IntoIterator<Item = &'a Module>) -> String {
    let form = |form: &Form| match form.takes {
        Takes::Ids(ids) => format!("{} {ids} ids -> {}", form.what, form.gives),
        Takes::Features(size) => format!("{} {size} -> {}", form.what, form.gives),
    };
    let module = |module: &Module| {
        let forms: Vec<_> = module.forms.iter().map(form).collect();
        format!("{} ({})", module.name, forms.join(" or "))
    };
    modules.into_iter().map(module).collect::<Vec<_>>().join(", ")
}

fn module(mut group: Group, options: &Options) -> Result<Module> {
    let has = |leaf| group.tensors.contains_key(leaf);
    let path = group.prefix.trim_end_matches('.').to_owned();
    let mut forms = if group.leaves().any(recurrent::is_of_one) {
        vec![recurrent::read(&mut group, options, &path)?]
    } else if has("running_mean") || has("running_var") {
        vec![batch_norm(&mut group, options, &path)?]
    } else if has("weight") {
        weighted(&mut group, options, &path)?
    } else {
        Vec::new()
    };
    group.finish()?;
    let name = if path.is_empty() { forms[0].what.to_lowercase() } else { path };
    if let Some(role) = options.role_of(&name) {
        let what = if role == Role::Embedding { "Embedding" } else { "Linear" };
        forms.retain(|form| form.what == what);
        ensure!(!forms.is_empty(), "--as {name}: it cannot be of that role");
    }
    Ok(Module { name, forms })
}

/// A form of one layer.
fn single(path: &str, what: &'static str, takes: Takes, gives: usize, kind: Kind<f32>) -> Form {
    let name = if path.is_empty() { what.to_lowercase() } else { path.to_owned() };
    let origin = format!("PyTorch {what} {path}").trim_end().to_owned();
    Form { what, takes, gives, layers: vec![NamedLayer { name, origin, kind }] }
}

/// Modules with a `weight` and no running statistics.
fn weighted(group: &mut Group, options: &Options, path: &str) -> Result<Vec<Form>> {
    let weight = group.take("weight").context("asked for before")?;
    let (place, axes) = (group.full("weight"), weight.shape().len());
    match *weight.shape() {
        [features] => Ok(vec![layer_norm(group, options, path, weight, features)?]),
        [rows, columns] | [rows, columns, 1] => {
            let weight = weight.reshaped(&[rows, columns])?.matrix()?;
            let bias = group.column("bias", rows)?;
            // An Embedding's has two axes; ours lies turned.
            let table = (bias.is_none() && axes == 2).then(|| weight.transpose());
            let what = if axes == 3 { "Conv1d" } else { "Linear" };
            let mut forms = vec![linear(path, what, weight, bias)];
            if let Some(table) = table {
                let kind = Kind::Embedding(Embedding { weight: table, mask_zero: false });
                forms.push(single(path, "Embedding", Takes::Ids(rows), columns, kind));
            }
            Ok(forms)
        }
        [_, _, kernel] => bail!("{place}: a convolution with a kernel of {kernel}: only 1 is read"),
        ref shape => bail!("{place}: shape {shape:?}: no weight of any module that is read"),
    }
}

fn linear(path: &str, what: &'static str, weight: Matrix<f32>, bias: Option<Matrix<f32>>) -> Form {
    let (rows, columns) = weight.shape();
    let use_bias = bias.is_some();
    let bias = bias.unwrap_or_else(|| Matrix::zeros(rows, 1));
    let kind = Kind::Dense(Dense { weight, bias, activation: Activation::Linear, use_bias });
    single(path, what, Takes::Features(columns), rows, kind)
}

fn layer_norm(
    group: &mut Group,
    options: &Options,
    path: &str,
    weight: Tensor,
    features: usize,
) -> Result<Form> {
    let Some(beta) = group.column("bias", features)? else {
        bail!(
            "{}: shape [{features}] without a bias: no weight of any module that is read",
            group.full("weight")
        )
    };
    let kind = LayerNormalization { gamma: weight.column()?, beta, epsilon: options.epsilon() };
    let kind = Kind::LayerNormalization(kind);
    Ok(single(path, "LayerNorm", Takes::Features(features), features, kind))
}

fn batch_norm(group: &mut Group, options: &Options, path: &str) -> Result<Form> {
    let mean = group.take("running_mean");
    let mean = mean.with_context(|| format!("{}: missing", group.full("running_mean")))?;
    let moving_mean = mean.column().with_context(|| group.full("running_mean"))?;
    let features = moving_mean.nrows();
    let moving_variance = group.needed("running_var", features)?;
    let negative = moving_variance.iter().find(|&&variance| variance < 0.0);
    if let Some(negative) = negative {
        bail!("{}: a variance of {negative}", group.full("running_var"));
    }
    // Without `affine` there are neither.
    let (gamma, beta) = match group.column("weight", features)? {
        Some(gamma) => (gamma, group.needed("bias", features)?),
        None => (Matrix::repeat(features, 1, 1.0), Matrix::zeros(features, 1)),
    };
    let epsilon = options.epsilon();
    let layer = BatchNormalization { gamma, beta, moving_mean, moving_variance, momentum: 0.9, epsilon };
    let kind = Kind::BatchNormalization(layer);
    Ok(single(path, "BatchNorm1d", Takes::Features(features), features, kind))
}
