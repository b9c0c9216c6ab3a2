//! The `.safetensors` file: the length of a JSON header, the header, the bytes of the tensors.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::options::Options;
use crate::limits::MAX_BYTES;
use crate::tensor::Tensor;

/// The number of bytes before the header, which hold its length.
const LENGTH: usize = 8;
/// The maximum length of a header. A tensor takes some hundred bytes in it.
const MAX_HEADER: u64 = 1 << 22;

/// Tensors by name.
pub type TensorsByName = BTreeMap<String, Tensor>;

/// Reads the selected tensors, by their names without the prefix.
///
/// # Errors
/// A damaged file; a selection of nothing; a selected tensor of anything but finite floats.
pub fn read(bytes: &[u8], options: &Options) -> Result<TensorsByName> {
    let (header, data) = split(bytes)?;
    let infos = with_tied(&header)?;
    options.check_selection(&infos.keys().cloned().collect::<Vec<_>>())?;
    let mut tensors = TensorsByName::new();
    let mut unpacked = 0u64;
    for (name, info) in &infos {
        let Some(selected) = options.select(name) else { continue };
        if counts_batches(name, info, &infos) {
            continue;
        }
        // The header has been checked: offsets are consecutive, and lengths match the shapes.
        let (start, end) = info.data_offsets;
        let bytes = data.get(start..end).with_context(|| format!("{name}: beyond the end of the file"))?;
        let len: u64 = info.shape.iter().map(|&axis| axis as u64).product();
        unpacked = unpacked.saturating_add(len.saturating_mul(size_of::<f32>() as u64));
        ensure!(unpacked <= MAX_BYTES, "{name}: more than {MAX_BYTES} bytes in total");
        let tensor = tensor(info, bytes).with_context(|| name.clone())?;
        ensure!(tensors.insert(selected, tensor).is_none(), "{name}: duplicate tensor");
    }
    Ok(tensors)
}

/// The places of tensors by name.
type InfosByName<'a> = BTreeMap<String, &'a TensorInfo>;

/// Returns all tensors, tied ones under each of their names: safetensors' `save_model` writes them under one
/// name, and maps each other name to it in `__metadata__`.
///
/// # Errors
/// A name with both a tensor of its own and a tied one.
fn with_tied(header: &Metadata) -> Result<InfosByName<'_>> {
    let mut infos: InfosByName<'_> = header.tensors().into_iter().collect();
    for (name, written) in header.metadata().iter().flatten() {
        // Other entries are notes, such as the format.
        let Some(info) = header.info(written) else { continue };
        ensure!(infos.insert(name.clone(), info).is_none(), "__metadata__: {name}: duplicate tensor");
    }
    Ok(infos)
}

/// Returns whether this is the batch counter of a BatchNorm1d, which has no effect in inference.
fn counts_batches(name: &str, info: &TensorInfo, infos: &InfosByName<'_>) -> bool {
    let norm = name.strip_suffix("num_batches_tracked").filter(|_| info.dtype == Dtype::I64);
    norm.is_some_and(|norm| infos.contains_key(&format!("{norm}running_mean")))
}

/// Splits the file into the header and the bytes of all tensors.
///
/// `SafeTensors::deserialize` is not used: it accepts a header of 100 MB, and overflows (a panic in a debug
/// build) where offsets come near 2^64.
fn split(bytes: &[u8]) -> Result<(Metadata, &[u8])> {
    let (&length, rest) =
        bytes.split_first_chunk::<LENGTH>().context("not a .safetensors file: too short")?;
    let length = u64::from_le_bytes(length);
    ensure!(length <= MAX_HEADER, "header of {length} bytes: at most {MAX_HEADER} are supported");
    let parts = rest.split_at_checked(length as usize);
    let (header, data) =
        parts.with_context(|| format!("header of {length} bytes, but only {} are left", rest.len()))?;
    let header: Metadata = serde_json::from_slice(header).context("header")?;
    let declared = header.data_len();
    ensure!(declared == data.len(), "{} bytes of tensors, but the header declares {declared}", data.len());
    Ok((header, data))
}

fn tensor(info: &TensorInfo, bytes: &[u8]) -> Result<Tensor> {
    ensure!(!info.shape.contains(&0), "shape {:?}: no values", info.shape);
    let values = match info.dtype {
        Dtype::F32 => values(bytes, f32::from_le_bytes),
        Dtype::F16 => values(bytes, |two| f16::from_le_bytes(two).to_f32()),
        Dtype::BF16 => values(bytes, |two| bf16::from_le_bytes(two).to_f32()),
        Dtype::F64 => values(bytes, |eight| f64::from_le_bytes(eight) as f32),
        other => bail!("dtype {other:?}: only F32, F16, BF16 and F64 are supported"),
    };
    Tensor::new(info.shape.clone(), values)
}

fn values<const N: usize>(bytes: &[u8], convert: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (chunks, _) = bytes.as_chunks();
    chunks.iter().map(|&bytes| convert(bytes)).collect()
}
