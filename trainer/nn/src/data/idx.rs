//! IDX files, as those of MNIST: `train-images-idx3-ubyte` with its labels in `train-labels-idx1-ubyte`; if
//! they are there, `t10k-...` are the test part. A row of an image is a time step.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::npy::{Array, MOST_VALUES, Values};
use super::source::Content;

/// The code of unsigned bytes.
const UBYTE: u8 = 8;

/// Reads the images of a file, the labels beside it, and the test part beside both.
pub(super) fn read(path: &Path) -> Result<Content> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let test = name.strip_prefix("train-").map(|rest| path.with_file_name(format!("t10k-{rest}")));
    let test = test.filter(|test| test.exists());
    let suffix = if test.is_some() { "_train" } else { "" };
    let parts = [Some((suffix, path.to_owned())), test.map(|test| ("_test", test))];
    let mut content = Content::default();
    for (suffix, images) in parts.into_iter().flatten() {
        let labels = labels(&images)?;
        let is_own = images == path;
        let x = array(&images).map(floats);
        let x = if is_own { x? } else { x.with_context(|| images.display().to_string())? };
        ensure!(x.shape.len() == 3, "its shape is {:?}, not [n, rows, columns]", x.shape);
        content.arrays.insert(format!("x{suffix}"), x);
        let y = array(&labels).with_context(|| labels.display().to_string())?;
        content.arrays.insert(format!("y{suffix}"), y);
    }
    Ok(content)
}

/// Returns the path of the labels of images.
fn labels(images: &Path) -> Result<PathBuf> {
    let name = images.file_name().unwrap_or_default().to_string_lossy();
    let labels = name.replace("images", "labels").replace("idx3", "idx1");
    ensure!(
        labels != name,
        "the name of the labels is unknown: images are in a file named `...images-idx3-ubyte`"
    );
    Ok(images.with_file_name(labels))
}

fn floats(array: Array) -> Array {
    Array { shape: array.shape.clone(), values: Values::Floats(array.into_floats()) }
}

fn array(path: &Path) -> Result<Array> {
    parse(&std::fs::read(path)?)
}

fn parse(bytes: &[u8]) -> Result<Array> {
    let [0, 0, code, axes, rest @ ..] = bytes else {
        bail!("not an IDX file: the first two bytes are not 0")
    };
    ensure!(*code == UBYTE, "numbers of type 0x{code:02x}: only unsigned bytes, 0x08, are supported");
    let (head, values) = rest.split_at_checked(4 * usize::from(*axes)).context("ends within its head")?;
    let axis = |bytes: &[u8]| bytes.iter().fold(0usize, |size, &byte| size << 8 | usize::from(byte));
    let shape: Vec<usize> = head.chunks_exact(4).map(axis).collect();
    let count = shape.iter().fold(1u128, |count, &axis| count.saturating_mul(axis as u128));
    ensure!(count <= MOST_VALUES, "its head declares more than 2^29 values");
    ensure!(values.len() as u128 == count, "has {} of {count} values", values.len());
    Ok(Array { shape, values: Values::Integers(values.iter().map(|&value| value.into()).collect()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_big_endian_and_checked() {
        let found = parse(&[0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255]).unwrap();
        assert_eq!(found, Array { shape: vec![2, 3], values: Values::Integers(vec![1, 2, 3, 4, 5, 255]) });
        let reason = |bytes: &[u8]| format!("{:#}", parse(bytes).unwrap_err());
        assert_eq!(reason(b"PK\x03\x04"), "not an IDX file: the first two bytes are not 0");
        assert_eq!(
            reason(&[0, 0, 13, 1, 0, 0, 0, 1]),
            "numbers of type 0x0d: only unsigned bytes, 0x08, are supported"
        );
        assert_eq!(reason(&[0, 0, 8, 2, 0, 0]), "ends within its head");
        assert_eq!(reason(&[0, 0, 8, 1, 0, 0, 0, 3, 1, 2]), "has 2 of 3 values");
        assert_eq!(
            reason(&[0, 0, 8, 2, 255, 0, 0, 0, 255, 0, 0, 0]),
            "its head declares more than 2^29 values"
        );
    }
}
