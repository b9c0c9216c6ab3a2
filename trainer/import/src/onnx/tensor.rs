//! Constants in the file, by the field numbers of `TensorProto`.

use anyhow::{Context, Result, bail, ensure};
use half::{bf16, f16};

use super::array::{Array, MAX_AXES};
use super::wire::{Fields, Wire};

/// A `TensorProto` whose values have not been read yet.
#[derive(Clone, Debug, Default)]
pub struct TensorProto<'a> {
    /// The name.
    pub name: &'a str,
    /// The lengths of the axes.
    pub shape: Vec<usize>,
    /// The code of the element type.
    pub element: i64,
    body: &'a [u8],
}

/// Codes of the supported element types.
pub mod element {
    pub const FLOAT: i64 = 1;
    pub const UINT8: i64 = 2;
    pub const INT8: i64 = 3;
    pub const INT32: i64 = 6;
    pub const INT64: i64 = 7;
    pub const BOOL: i64 = 9;
    pub const FLOAT16: i64 = 10;
    pub const DOUBLE: i64 = 11;
    pub const BFLOAT16: i64 = 16;

    /// Returns whether this is a float type.
    pub fn is_float(element: i64) -> bool {
        [FLOAT, FLOAT16, DOUBLE, BFLOAT16].contains(&element)
    }

    /// Returns whether this is an integer type for shapes and ids.
    pub fn is_int(element: i64) -> bool {
        [INT32, INT64].contains(&element)
    }
}

/// The values of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// Weights.
    Floats(Array<f32>),
    /// A shape or indices; booleans are 0 and 1.
    Ints(Array<i64>),
}

impl<'a> TensorProto<'a> {
    /// Reads everything but the values.
    ///
    /// # Errors
    /// A damaged tensor, or one whose values are elsewhere.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut tensor = Self { body: bytes, ..Self::default() };
        for field in Fields::new(bytes) {
            let (number, wire) = field?;
            match number {
                1 => wire.each_int(|len| {
                    ensure!(tensor.shape.len() < MAX_AXES, "more than {MAX_AXES} axes");
                    tensor
                        .shape
                        .push(usize::try_from(len).ok().with_context(|| format!("an axis of {len}"))?);
                    Ok(())
                })?,
                2 => tensor.element = wire.int()?,
                8 => tensor.name = wire.text()?,
                // The description, notes, and the values.
                4..=7 | 9..=12 | 16 => {}
                3 => bail!("segment: tensors in segments are not supported"),
                13 => bail!("{}: external_data: weights in another file are not supported", tensor.name),
                14 => ensure!(
                    wire.int()? == 0,
                    "{}: data_location: weights in another file are not supported",
                    tensor.name
                ),
                _ => bail!("{}: field {number}: unknown field", tensor.name),
            }
        }
        Ok(tensor)
    }

    /// Returns the number of values of the shape; `None` if it overflows.
    pub fn count(&self) -> Option<usize> {
        self.shape.iter().try_fold(1usize, |len, &axis| len.checked_mul(axis))
    }

    /// Reads the values.
    ///
    /// # Errors
    /// Another number of values than the shape has, or an unsupported element type.
    pub fn constant(&self) -> Result<Constant> {
        let floats = |values| Ok(Constant::Floats(Array::new(self.shape.clone(), values)?));
        let ints = |values| Ok(Constant::Ints(Array::new(self.shape.clone(), values)?));
        let half = |bits: i64| u16::try_from(bits).ok().context("not a 16-bit number");
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
            // The values of a quantized tensor.
            element::UINT8 => {
                ints(self.numbers(5, |[byte]| byte.into(), |wire, each| wire.each_int(each))?)
            }
            element::INT8 => ints(self.numbers(
                5,
                |bytes| i8::from_le_bytes(bytes).into(),
                |wire, each| wire.each_int(each),
            )?),
            element::BOOL => {
                ints(self.numbers(5, |[byte]| (byte != 0).into(), |wire, each| wire.each_int(each))?)
            }
            other => {
                bail!("element type {other}: only floats, INT64, INT32, INT8, UINT8 and BOOL are supported")
            }
        }
    }

    /// Reads the values from the field `number`, which has an encoding of its own, or from `raw_data` with
    /// `N` little-endian bytes per value.
    fn numbers<T, const N: usize>(
        &self,
        number: u64,
        from_bytes: impl Fn([u8; N]) -> T,
        read: impl Fn(Wire<'_>, &mut dyn FnMut(T) -> Result<()>) -> Result<()>,
    ) -> Result<Vec<T>> {
        let expected = self.count().context("shape too large")?;
        let mut values = Vec::new();
        for field in Fields::new(self.body) {
            match field? {
                (found, wire) if found == number => read(wire, &mut |value| {
                    ensure!(values.len() < expected, "more values than the {expected} of its shape");
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
                    values.extend(raw.iter().map(|&bytes| from_bytes(bytes)));
                }
                (4..=7 | 10 | 11, _) => bail!("values of another element type"),
                _ => {}
            }
        }
        ensure!(values.len() == expected, "{} values, expected {expected}", values.len());
        Ok(values)
    }
}
