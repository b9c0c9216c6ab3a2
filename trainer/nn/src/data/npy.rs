//! Arrays in numpy's `.npy` format, read without trust in the file.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use npyz::{DType, Deserialize, NpyFile, Order, TypeChar, WriterBuilder};

use super::source::Texts;
use crate::output::write_atomically;

/// The largest number of values that are read or written in one array; 2 GiB as f32.
pub const MOST_VALUES: u128 = 1 << 29;
/// The largest size of a header in bytes.
const MOST_HEADER: usize = 4096;

/// An array in C order.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The length of every axis.
    pub shape: Vec<usize>,
    /// The values.
    pub values: Values,
}

/// The values of an array.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// f32, or f64 rounded to it.
    Floats(Vec<f32>),
    /// Integers of any width, and bool.
    Integers(Vec<i64>),
}

impl Array {
    /// Returns the values as f32, integers too.
    pub fn into_floats(self) -> Vec<f32> {
        match self.values {
            Values::Floats(values) => values,
            Values::Integers(values) => values.into_iter().map(|value| value as f32).collect(),
        }
    }

    /// Returns the index along every axis of the value at `position`, as numpy prints it.
    pub fn index(&self, position: usize) -> String {
        let mut rest = position;
        let mut index: Vec<usize> = self
            .shape
            .iter()
            .rev()
            .map(|&axis| {
                let at = rest % axis.max(1);
                rest /= axis.max(1);
                at
            })
            .collect();
        index.reverse();
        format!("{index:?}")
    }

    /// Rejects NaN and infinity.
    pub fn check_finite(&self) -> Result<()> {
        if let Values::Floats(values) = &self.values
            && let Some(position) = values.iter().position(|value| !value.is_finite())
        {
            bail!("{} at {}", values[position], self.index(position));
        }
        Ok(())
    }
}

/// Opens a file and rejects a folder, which can be opened as well.
pub(super) fn open(path: &Path) -> Result<File> {
    let file = File::open(path)?;
    ensure!(!file.metadata()?.is_dir(), "is a directory");
    Ok(file)
}

/// Reads the array of a `.npy` file.
pub fn read_npy(path: &Path) -> Result<Array> {
    let place = || path.display().to_string();
    let file = open(path).with_context(place)?;
    let array = read_array(BufReader::new(file)).with_context(place)?;
    array.check_finite().with_context(place)?;
    Ok(array)
}

/// Writes f32 values as a `.npy` file, atomically.
pub fn write_npy(path: &Path, shape: &[usize], values: &[f32]) -> Result<()> {
    let shape: Vec<u64> = shape.iter().map(|&axis| axis as u64).collect();
    write_atomically(path, |file| {
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(file).begin_nd()?;
        writer.extend(values.iter().copied())?;
        writer.finish()
    })
}

/// Reads the texts of a `.npy` file; `None` if it does not contain text.
pub(super) fn read_texts(path: &Path) -> Result<Option<Texts>> {
    let place = || path.display().to_string();
    let open = || open(path).map(BufReader::new).with_context(place);
    if !is_text(open()?) {
        return Ok(None);
    }
    texts(open()?).map(Some).with_context(place)
}

/// Reads an array of texts: of 4 bytes per character (`<U`) or one (`S`), filled up with zeros.
pub(super) fn texts(mut reader: impl Read) -> Result<Texts> {
    let header = read_header(&mut reader)?;
    let file = NpyFile::new(Cursor::new(header)).context("not a .npy array")?;
    let shape: Vec<usize> = file.shape().iter().map(|&axis| axis as usize).collect();
    let DType::Plain(kind) = file.dtype() else { bail!("records, not texts") };
    ensure!(
        file.order() == Order::C && !kind.to_string().starts_with('>'),
        "texts of dtype {kind} in this order"
    );
    let wide = if kind.type_char() == TypeChar::UnicodeStr { 4 } else { 1 };
    let size = usize::try_from(kind.size_field())?.saturating_mul(wide);
    let count = shape.iter().fold(1usize, |count, &axis| count.saturating_mul(axis));
    ensure!((count as u128).saturating_mul(size as u128) <= MOST_VALUES, "more than 2^29 bytes of text");
    let mut bytes = Vec::new();
    reader.take((count * size) as u64).read_to_end(&mut bytes)?;
    ensure!(bytes.len() == count * size, "ends within its texts");
    let code = |bytes: &[u8]| bytes.iter().rev().fold(0u32, |code, &byte| code << 8 | u32::from(byte));
    let text = |bytes: &[u8]| -> Result<String> {
        let codes = bytes.chunks_exact(wide).map(code).take_while(|&code| code != 0);
        codes.map(|code| char::from_u32(code).context("not a text of Unicode")).collect()
    };
    let values = bytes.chunks_exact(size.max(1)).map(text).collect::<Result<_>>()?;
    Ok(Texts { shape, values })
}

/// Returns `true` if an array contains text, of any length.
pub(super) fn is_text(mut reader: impl Read) -> bool {
    let Ok(header) = read_header(&mut reader) else { return false };
    let text = |dtype: DType| match dtype {
        DType::Plain(kind) => matches!(kind.type_char(), TypeChar::ByteStr | TypeChar::UnicodeStr),
        _ => false,
    };
    NpyFile::new(Cursor::new(header)).is_ok_and(|file| text(file.dtype()))
}

/// Reads an array. Memory grows with the bytes that are read, not with the size in the header.
pub(super) fn read_array(mut reader: impl Read) -> Result<Array> {
    let header = read_header(&mut reader)?;
    let file = NpyFile::new(Cursor::new(header).chain(reader)).context("not a .npy array")?;
    let shape: Vec<usize> = file.shape().iter().map(|&axis| axis as usize).collect();
    let order = file.order();
    let mut values = match file.dtype() {
        DType::Plain(kind) => match (kind.type_char(), kind.size_field()) {
            (TypeChar::Float, 4) => Values::Floats(read_values::<f32>(file)?),
            (TypeChar::Float, 8) => Values::Floats(convert(read_values::<f64>(file)?, |value| value as f32)),
            (TypeChar::Bool, 1) => Values::Integers(convert(read_values::<bool>(file)?, i64::from)),
            (TypeChar::Int, 1) => Values::Integers(convert(read_values::<i8>(file)?, i64::from)),
            (TypeChar::Int, 2) => Values::Integers(convert(read_values::<i16>(file)?, i64::from)),
            (TypeChar::Int, 4) => Values::Integers(convert(read_values::<i32>(file)?, i64::from)),
            (TypeChar::Int, 8) => Values::Integers(read_values::<i64>(file)?),
            (TypeChar::Uint, 1) => Values::Integers(convert(read_values::<u8>(file)?, i64::from)),
            (TypeChar::Uint, 2) => Values::Integers(convert(read_values::<u16>(file)?, i64::from)),
            (TypeChar::Uint, 4) => Values::Integers(convert(read_values::<u32>(file)?, i64::from)),
            (TypeChar::Uint, 8) => Values::Integers(unsigned(read_values::<u64>(file)?)?),
            _ => bail!("dtype {kind}: floats of 4 or 8 bytes, integers and bool are supported"),
        },
        other => bail!("dtype {}: numbers are supported, not records", other.descr()),
    };
    if order == Order::Fortran {
        values = match values {
            Values::Floats(values) => Values::Floats(to_c_order(&shape, &values)),
            Values::Integers(values) => Values::Integers(to_c_order(&shape, &values)),
        };
    }
    Ok(Array { shape, values })
}

/// Reads and checks the header before the parser does, which would recurse without bound on nested brackets
/// and multiply the axes without a check.
fn read_header(reader: &mut impl Read) -> Result<Vec<u8>> {
    let mut header = vec![0; 10];
    reader.read_exact(&mut header).context("shorter than a .npy header")?;
    ensure!(header.starts_with(b"\x93NUMPY"), "not a .npy array: the first bytes are not \\x93NUMPY");
    let mut length = usize::from(u16::from_le_bytes([header[8], header[9]]));
    if header[6] > 1 {
        let mut high = [0; 2];
        reader.read_exact(&mut high).context("shorter than a .npy header")?;
        header.extend(high);
        length += usize::from(u16::from_le_bytes(high)) << 16;
    }
    ensure!(length <= MOST_HEADER, "a header of {length} bytes: at most {MOST_HEADER} are read");
    let start = header.len();
    header.resize(start + length, 0);
    reader.read_exact(&mut header[start..]).context("ends within its .npy header")?;
    let text = String::from_utf8_lossy(&header[start..]);
    ensure!(text.matches(['(', '[', '{']).count() <= 8, "the header is not that of an array of numbers");
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    // The product includes the 4 of '<f4', which does no harm; a number that does not fit counts as too
    // large.
    let product = numbers
        .map(|digits| digits.parse().unwrap_or(u128::MAX))
        .fold(1, |product: u128, n| product.saturating_mul(n.max(1)));
    ensure!(product <= MOST_VALUES * 8, "its header declares more than 2^29 values");
    Ok(header)
}

fn read_values<T: Deserialize>(file: NpyFile<impl Read>) -> Result<Vec<T>> {
    let declared = file.len();
    let mut values = Vec::new();
    for value in file.data::<T>().context("dtype")? {
        values.push(value.with_context(|| format!("ends after {} of {declared} values", values.len()))?);
    }
    Ok(values)
}

fn convert<T, U>(values: Vec<T>, f: impl Fn(T) -> U) -> Vec<U> {
    values.into_iter().map(f).collect()
}

fn unsigned(values: Vec<u64>) -> Result<Vec<i64>> {
    values
        .into_iter()
        .map(|value| i64::try_from(value).with_context(|| format!("{value} is out of range")))
        .collect()
}

/// Reorders values from first axis fastest to last axis fastest.
fn to_c_order<T: Copy>(shape: &[usize], values: &[T]) -> Vec<T> {
    let position = |mut rest: usize| {
        let strides = shape.iter().scan(1, |stride, &axis| Some(std::mem::replace(stride, *stride * axis)));
        let pairs: Vec<(usize, usize)> = shape.iter().copied().zip(strides).collect();
        pairs.iter().rev().fold(0, |sum, &(axis, stride)| {
            let at = rest % axis;
            rest /= axis;
            sum + at * stride
        })
    };
    (0..values.len()).map(|k| values[position(k)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn reason(bytes: &[u8]) -> String {
        format!("{:#}", read_array(bytes).unwrap_err())
    }

    #[test]
    fn reads_integers_and_both_orders() {
        let header = |order| format!("{{'descr': '|i1', 'fortran_order': {order}, 'shape': (2, 3), }}");
        let c = read_array(&npy(&header("False"), &[1, 2, 3, 4, 5, 255])[..]).unwrap();
        assert_eq!(c, Array { shape: vec![2, 3], values: Values::Integers(vec![1, 2, 3, 4, 5, -1]) });
        let fortran = read_array(&npy(&header("True"), &[1, 4, 2, 5, 3, 255])[..]).unwrap();
        assert_eq!(fortran, c);
        assert_eq!(c.index(5), "[1, 2]");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        write_npy(&path, &[1, 2], &[0.5, -3.0]).unwrap();
        assert_eq!(
            read_npy(&path).unwrap(),
            Array { shape: vec![1, 2], values: Values::Floats(vec![0.5, -3.0]) }
        );
        write_npy(&path, &[2], &[0.5, f32::NAN]).unwrap();
        assert!(format!("{:#}", read_npy(&path).unwrap_err()).ends_with("x.npy: NaN at [1]"));
    }

    #[test]
    fn hostile_headers_are_rejected() {
        let huge = "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551615, 16), }";
        assert_eq!(reason(&npy(huge, &[])), "its header declares more than 2^29 values");
        let large = "{'descr': '<f4', 'fortran_order': False, 'shape': (500000000,), }";
        assert!(reason(&npy(large, &[0; 8])).starts_with("ends after 2 of 500000000 values"));
        let object = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }";
        assert!(reason(&npy(object, &[0; 8])).starts_with("dtype |O"));
        assert_eq!(reason(&npy(&"(".repeat(3000), &[])), "the header is not that of an array of numbers");
        assert!(reason(b"\x93NUMPY\x02\x00\xff\xff\xff\xff").starts_with("a header of 4294967295 bytes"));
        let whole = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", &[0; 8]);
        (0..whole.len()).for_each(|length| drop(reason(&whole[..length])));
    }
}
