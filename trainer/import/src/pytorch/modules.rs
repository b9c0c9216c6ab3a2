//! The recognition of modules from the names and shapes of their tensors.

use anyhow::{Context, Result, bail, ensure};

use super::file::TensorsByName;
use super::group::TensorGroup;
use super::module::{Candidate, InputKind, TorchModule};
use super::options::{Options, WeightRole};
use super::recurrent;
use crate::tensor::Tensor;
use crate::variance::check_variances;
use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::layers::{BatchNormalization, Dense, Embedding, Kind, LayerNormalization};
use embedded_rnn_nn::tensor::Matrix;

/// Returns the modules of these tensors, by name.
///
/// # Errors
/// A tensor that is not supported.
pub fn recognize(tensors: TensorsByName, options: &Options) -> Result<Vec<TorchModule>> {
    TensorGroup::all(tensors).map(|group| module(group, options)).collect()
}

fn module(mut group: TensorGroup, options: &Options) -> Result<TorchModule> {
    let path = group.path();
    let mut candidates = if group.leaves().any(recurrent::is_recurrent) {
        vec![recurrent::read(&mut group, options, &path)?]
    } else if group.has("running_mean") || group.has("running_var") {
        vec![batch_norm(&mut group, options, &path)?]
    } else if let Some(weight) = group.take("weight") {
        weighted(&mut group, weight, options, &path)?
    } else {
        Vec::new()
    };
    group.finish()?;
    let name = if path.is_empty() { candidates[0].class.to_lowercase() } else { path };
    if let Some(role) = options.role_of(&name) {
        let class = match role {
            WeightRole::Embedding => "Embedding",
            WeightRole::Linear => "Linear",
        };
        candidates.retain(|candidate| candidate.class == class);
        ensure!(!candidates.is_empty(), "--as {name}: the module cannot have this role");
    }
    Ok(TorchModule { name, candidates })
}

/// Returns the candidates of a module with a `weight` and without running statistics.
fn weighted(
    group: &mut TensorGroup,
    weight: Tensor,
    options: &Options,
    path: &str,
) -> Result<Vec<Candidate>> {
    let (place, axes) = (group.full_name("weight"), weight.shape().len());
    match *weight.shape() {
        [features] => Ok(vec![layer_norm(group, options, path, &weight, features)?]),
        [rows, columns] | [rows, columns, 1] => {
            let weight = weight.reshaped(&[rows, columns])?.matrix()?;
            let bias = group.column("bias", rows)?;
            // The weight of an Embedding has two axes and no bias; this crate's is transposed.
            let table = (bias.is_none() && axes == 2).then(|| weight.transpose());
            let class = if axes == 3 { "Conv1d" } else { "Linear" };
            let mut candidates = vec![linear(path, class, weight, bias)];
            if let Some(table) = table {
                let kind = Kind::Embedding(Embedding { weight: table, mask_zero: false });
                candidates.push(Candidate::single(path, "Embedding", InputKind::Ids(rows), columns, kind));
            }
            Ok(candidates)
        }
        [_, _, kernel] => bail!("{place}: a convolution with kernel size {kernel}: only 1 is supported"),
        ref shape => bail!("{place}: shape {shape:?}: not the weight of a supported module"),
    }
}

fn linear(path: &str, class: &'static str, weight: Matrix<f32>, bias: Option<Matrix<f32>>) -> Candidate {
    let (rows, columns) = weight.shape();
    let use_bias = bias.is_some();
    let bias = bias.unwrap_or_else(|| Matrix::zeros(rows, 1));
    let kind = Kind::Dense(Dense { weight, bias, activation: Activation::Linear, use_bias });
    Candidate::single(path, class, InputKind::Features(columns), rows, kind)
}

fn layer_norm(
    group: &mut TensorGroup,
    options: &Options,
    path: &str,
    weight: &Tensor,
    features: usize,
) -> Result<Candidate> {
    let Some(beta) = group.column("bias", features)? else {
        bail!(
            "{}: shape [{features}] without a bias: not the weight of a supported module",
            group.full_name("weight")
        )
    };
    let layer = LayerNormalization { gamma: weight.column()?, beta, epsilon: options.epsilon() };
    let kind = Kind::LayerNormalization(layer);
    Ok(Candidate::single(path, "LayerNorm", InputKind::Features(features), features, kind))
}

fn batch_norm(group: &mut TensorGroup, options: &Options, path: &str) -> Result<Candidate> {
    let mean = group.take("running_mean");
    let mean = mean.with_context(|| format!("{}: missing", group.full_name("running_mean")))?;
    let moving_mean = mean.column().with_context(|| group.full_name("running_mean"))?;
    let features = moving_mean.nrows();
    let moving_variance = group.required_column("running_var", features)?;
    let epsilon = options.epsilon();
    check_variances(&moving_variance, epsilon).with_context(|| group.full_name("running_var"))?;
    // A module with affine=False has neither.
    let (gamma, beta) = match group.column("weight", features)? {
        Some(gamma) => (gamma, group.required_column("bias", features)?),
        None => (Matrix::repeat(features, 1, 1.0), Matrix::zeros(features, 1)),
    };
    let layer = BatchNormalization { gamma, beta, moving_mean, moving_variance, momentum: 0.9, epsilon };
    let kind = Kind::BatchNormalization(layer);
    Ok(Candidate::single(path, "BatchNorm1d", InputKind::Features(features), features, kind))
}
