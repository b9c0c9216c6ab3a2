//! Constants as a file holds them, by the field numbers of `TensorProto`.

use anyhow::{Context, Result, bail, ensure};
use half::{bf16, f16};

use super::array::{Array, MOST_AXES};
use super::wire::{Fields, Wire};

/// A `TensorProto`, its numbers not yet read.
#[derive(Clone, Debug, Default)]
pub struct Tensor<'a> {
    /// Its name.
    pub name: &'a str,
    /// Lengths of its axes.
    pub shape: Vec<usize>,
    /// The code of its type.
    pub element: i64,
    body: &'a [u8],
}

/// Codes of the types that are read.
pub mod element {
    pub const FLOAT: i64 = 1;
    pub const INT32: i64 = 6;
    pub const INT64: i64 = 7;
    pub const BOOL: i64 = 9;
    pub const FLOAT16: i64 = 10;
    pub const DOUBLE: i64 = 11;
    pub const BFLOAT16: i64 = 16;

    /// Whether it is one of the floats.
    pub fn is_float(element: i64) -> bool {
        [FLOAT, FLOAT16, DOUBLE, BFLOAT16].contains(&element)
    }

    /// Whether it is one of the integers that shapes and ids are of.
    pub fn is_int(element: i64) -> bool {
        [INT32, INT64].contains(&element)
    }
}

/// The numbers of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// Weights.
    Floats(Array<f32>),
    /// A shape or places; bools are 0 and 1.
    Ints(Array<i64>),
}

impl<'a> Tensor<'a> {
    /// Reads what is said of the numbers.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut tensor = Self { body: bytes, ..Self::default() };
        for field in Fields::new(bytes) {
            let (number, wire) = field?;
            match number {
                1 => wire.each_int(|len| {
                    ensure!(tensor.shape.len() < MOST_AXES, "more than {MOST_AXES} axes");
                    tensor
                        .shape
                        .push(usize::try_from(len).ok().with_context(|| format!("an axis of {len}"))?);
                    Ok(())
                })?,
                2 => tensor.element = wire.int()?,
                8 => tensor.name = wire.text()?,
                // Its description and notes, and the numbers.
                4..=7 | 9..=12 | 16 => {}
                3 => bail!("segment: a tensor in pieces"),
                13 => bail!("{}: external_data: weights in another file", tensor.name),
                14 => ensure!(wire.int()? == 0, "{}: data_location: weights in another file", tensor.name),
                _ => bail!("{}: field {number}: no such field is known", tensor.name),
            }
        }
        Ok(tensor)
    }

    /// How many numbers its shape speaks of.
    pub fn count(&self) -> Option<usize> {
        self.shape.iter().try_fold(1usize, |len, &axis| len.checked_mul(axis))
    }

    /// The numbers.
    ///
    /// # Errors
    /// Another number of them than the shape says, or a type that is not read.
    pub fn constant(&self) -> Result<Constant> {
        let floats = |values| Ok(Constant::Floats(Array::new(self.shape.clone(), values)?));
        let ints = |values| Ok(Constant::Ints(Array::new(self.shape.clone(), values)?));
        let half = |bits: i64| u16::try_from(bits).ok().context("no number of 16 bits");
        match self.element {
            element::FLOAT => {
                floats(self.numbers(4, f32::from_le_bytes, |wire, each| wire.each_float(each))?)
            }
            element::DOUBLE => floats(self.numbers(
                10,
                |bytes| f64::from_le_bytes(bytes) as f32,
                |wire, each| wire.each_double(|value| each(value as f32)),
            )?),
            element::FLOAT16 => floats(self.numbers(
                5,
                |bytes| f16::from_le_bytes(bytes).to_f32(),
                |wire, each| wire.each_int(|bits| each(f16::from_bits(half(bits)?).to_f32())),
            )?),
            element::BFLOAT16 => floats(self.numbers(
                5,
                |bytes| bf16::from_le_bytes(bytes).to_f32(),
                |wire, each| wire.each_int(|bits| each(bf16::from_bits(half(bits)?).to_f32())),
            )?),
            element::INT64 => ints(self.numbers(7, i64::from_le_bytes, |wire, each| wire.each_int(each))?),
            element::INT32 => ints(self.numbers(
                5,
                |bytes| i32::from_le_bytes(bytes).into(),
                |wire, each| wire.each_int(each),
            )?),
            element::BOOL => {
                ints(self.numbers(5, |[byte]| (byte != 0).into(), |wire, each| wire.each_int(each))?)
            }
            other => bail!("numbers of type {other}: neither floats nor INT64, INT32 or BOOL"),
        }
    }

    /// Those in the field `number`, which has its own way of holding them, or in `raw_data` with `N` bytes each, little-endian.
    fn numbers<T, const N: usize>(
        &self,
        number: u64,
        of_bytes: impl Fn([u8; N]) -> T,
        read: impl Fn(Wire<'_>, &mut dyn FnMut(T) -> Result<()>) -> Result<()>,
    ) -> Result<Vec<T>> {
        let expected = self.count().context("a shape beyond all memory")?;
        let mut values = Vec::new();
        for field in Fields::new(self.body) {
            match field? {
                (found, wire) if found == number => read(wire, &mut |value| {
                    ensure!(values.len() < expected, "more than the {expected} values of its shape");
                    values.push(value);
                    Ok(())
                })?,
                (9, wire) => {
                    let (raw, rest) = wire.bytes()?.as_chunks::<N>();
                    ensure!(
                        values.is_empty() && rest.is_empty() && raw.len() == expected,
                        "raw_data: {} values, expected {expected}",
                        raw.len()
                    );
                    values.extend(raw.iter().map(|&bytes| of_bytes(bytes)));
                }
                (4..=7 | 10 | 11, _) => bail!("numbers of another type than the tensor's"),
                _ => {}
            }
        }
        ensure!(values.len() == expected, "{} values, expected {expected}", values.len());
        Ok(values)
    }
}
