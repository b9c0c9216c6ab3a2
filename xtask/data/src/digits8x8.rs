//! Written digits as 8 x 8 images, read row by row, from scikit-learn, which contains them as compressed CSV.

use std::io::Read;

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;

use crate::npz::Arrays;
use crate::package::out_of_wheel;
use crate::set::Made;

/// Number of rows, and of columns, of an image.
const SIDE: usize = 8;
/// One image in this many is for the test, from the end of the file.
const TEST_SHARE: usize = 5;

/// Converts the package into arrays.
pub fn make(wheel: &[u8]) -> Result<Made> {
    let mut text = String::new();
    let packed = out_of_wheel(wheel, "sklearn/datasets/data/digits.csv.gz")?;
    GzDecoder::new(&packed[..]).read_to_string(&mut text)?;
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let row = line.split(',').map(str::parse).collect::<Result<Vec<u8>, _>>();
        let (&digit, pixels) =
            row.as_deref().ok().and_then(<[u8]>::split_last).context("not a row of numbers")?;
        ensure!(pixels.len() == SIDE * SIDE, "a row of {} pixels", pixels.len());
        x.extend(pixels.iter().map(|&pixel| f32::from(pixel)));
        y.push(digit);
    }
    let count = y.len() - y.len() / TEST_SHARE;
    let mut arrays = Arrays::new();
    let (x_train, x_test) = x.split_at(count * SIDE * SIDE);
    let (y_train, y_test) = y.split_at(count);
    for (part, x, y) in [("train", x_train, y_train), ("test", x_test, y_test)] {
        arrays.add(&format!("x_{part}"), &[y.len(), SIDE, SIDE], x)?;
        arrays.add(&format!("y_{part}"), &[y.len()], y)?;
    }
    let summary = format!("{} images, the last {} of the file for the test", y.len(), y_test.len());
    Ok(Made { arrays, summary })
}
