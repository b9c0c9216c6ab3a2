//! A `.safetensors` file: the length of a JSON header, the header, the tensors' bytes one after another.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::options::Options;
use crate::import::{MOST_BYTES, Tensor};

/// Bytes before the header: its length.
const LENGTH: usize = 8;
/// The longest header that is read. A tensor takes some hundred bytes there.
const MOST_HEADER: u64 = 1 << 22;

/// Tensors by name.
pub type Tensors = BTreeMap<String, Tensor>;

/// The tensors that are selected, by the names that are left of theirs.
///
/// # Errors
/// A damaged file; a selection that names nothing; a tensor that is selected, but not of finite floats.
pub fn read(bytes: &[u8], options: &Options) -> Result<Tensors> {
    let (header, data) = split(bytes)?;
    options.check_selection(&header.offset_keys())?;
    let mut tensors = Tensors::new();
    let mut unfolded = 0u64;
    for (name, info) in header.tensors() {
        let Some(selected) = options.select(&name) else { continue };
        if counts_batches(&name, info, &header) {
            continue;
        }
        // The header was checked: offsets follow each other, and lengths are those of the shapes.
        let (start, end) = info.data_offsets;
        let bytes = data.get(start..end).with_context(|| format!("{name}: beyond the end of the file"))?;
        let len: u64 = info.shape.iter().map(|&axis| axis as u64).product();
        unfolded = unfolded.saturating_add(len.saturating_mul(size_of::<f32>() as u64));
        ensure!(unfolded <= MOST_BYTES, "{name}: more than {MOST_BYTES} bytes in all");
        let tensor = tensor(info, bytes).with_context(|| name.clone())?;
        ensure!(tensors.insert(selected, tensor).is_none(), "{name}: there twice");
    }
    Ok(tensors)
}

/// Whether this is what a BatchNorm1d counts in training, on which nothing depends in use.
fn counts_batches(name: &str, info: &TensorInfo, header: &Metadata) -> bool {
    let norm = name.strip_suffix("num_batches_tracked").filter(|_| info.dtype == Dtype::I64);
    norm.is_some_and(|norm| header.info(&format!("{norm}running_mean")).is_some())
}

/// The header, and the bytes of all tensors. Not by `SafeTensors::deserialize`, which lets a header be 100 MB long, and
/// which overflows (a panic in a debug build) where offsets come near 2^64.
fn split(bytes: &[u8]) -> Result<(Metadata, &[u8])> {
    let (&length, rest) =
        bytes.split_first_chunk::<LENGTH>().context("not a .safetensors file: too short")?;
    let length = u64::from_le_bytes(length);
    ensure!(length <= MOST_HEADER, "a header of {length} bytes: at most {MOST_HEADER} are read");
    let parts = rest.split_at_checked(length as usize);
    let (header, data) = parts.with_context(|| format!("a header of {length} bytes in {}", rest.len()))?;
    let header: Metadata = serde_json::from_slice(header).context("header")?;
    let expected = header.data_len();
    ensure!(expected == data.len(), "{} bytes of tensors, but {expected} in the header", data.len());
    Ok((header, data))
}

fn tensor(info: &TensorInfo, bytes: &[u8]) -> Result<Tensor> {
    ensure!(!info.shape.contains(&0), "shape {:?}: no values", info.shape);
    let values = match info.dtype {
        Dtype::F32 => values(bytes, f32::from_le_bytes),
        Dtype::F16 => values(bytes, |two| f16::from_le_bytes(two).to_f32()),
        Dtype::BF16 => values(bytes, |two| bf16::from_le_bytes(two).to_f32()),
        Dtype::F64 => values(bytes, |eight| f64::from_le_bytes(eight) as f32),
        other => bail!("dtype {other:?}: weights are F32, F16, BF16 or F64"),
    };
    Tensor::new(info.shape.clone(), values)
}

fn values<const N: usize>(bytes: &[u8], from: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (each, _) = bytes.as_chunks();
    each.iter().map(|&bytes| from(bytes)).collect()
}
