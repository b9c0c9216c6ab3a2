//! The protobuf encoding: fields of numbers and bytes, read in place.
//!
//! Nothing is copied or allocated, whatever lengths a file declares, and every field is visible to the reader
//! of a message, which rejects those that it does not know. (Decoders generated from a schema skip unknown
//! fields silently, and allocate some hundred bytes per two bytes of a hostile file.)

use anyhow::{Context, Result, bail, ensure};

/// The content of a field, by its wire type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire<'a> {
    /// An integer, a boolean or an enum value.
    Varint(u64),
    /// A double.
    Fixed64(u64),
    /// A string, bytes, a message, or packed numbers.
    Bytes(&'a [u8]),
    /// A float.
    Fixed32(u32),
}

impl<'a> Wire<'a> {
    /// Returns bytes, or a message.
    pub fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => bail!("expected bytes, found a number"),
        }
    }

    /// Returns a string.
    pub fn text(self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).context("not a UTF-8 string")
    }

    /// Returns an integer, a boolean or an enum value.
    pub fn int(self) -> Result<i64> {
        match self {
            Self::Varint(value) => Ok(value as i64),
            _ => bail!("expected an integer"),
        }
    }

    /// Returns a float.
    pub fn float(self) -> Result<f32> {
        match self {
            Self::Fixed32(bits) => Ok(f32::from_bits(bits)),
            _ => bail!("expected a float"),
        }
    }

    /// Calls `each` with the integers of a repeated field: one, or several packed ones.
    pub fn each_int(self, mut each: impl FnMut(i64) -> Result<()>) -> Result<()> {
        let Self::Bytes(mut packed) = self else { return each(self.int()?) };
        while !packed.is_empty() {
            each(varint(&mut packed)? as i64)?;
        }
        Ok(())
    }

    /// Calls `each` with the floats of a repeated field: one, or several packed ones.
    pub fn each_float(self, mut each: impl FnMut(f32) -> Result<()>) -> Result<()> {
        let Self::Bytes(packed) = self else { return each(self.float()?) };
        let (floats, rest) = packed.as_chunks::<4>();
        ensure!(rest.is_empty(), "{} bytes are not a whole number of floats", packed.len());
        floats.iter().try_for_each(|&bytes| each(f32::from_le_bytes(bytes)))
    }

    /// Calls `each` with the doubles of a repeated field: one, or several packed ones.
    pub fn each_double(self, mut each: impl FnMut(f64) -> Result<()>) -> Result<()> {
        match self {
            Self::Fixed64(bits) => each(f64::from_bits(bits)),
            Self::Bytes(packed) => {
                let (doubles, rest) = packed.as_chunks::<8>();
                ensure!(rest.is_empty(), "{} bytes are not a whole number of doubles", packed.len());
                doubles.iter().try_for_each(|&bytes| each(f64::from_le_bytes(bytes)))
            }
            _ => bail!("expected a double"),
        }
    }
}

/// An iterator over the fields of a message, with their numbers.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Creates the iterator over the message in `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn field(&mut self) -> Result<(u64, Wire<'a>)> {
        let key = varint(&mut self.rest)?;
        let wire = match key & 7 {
            0 => Wire::Varint(varint(&mut self.rest)?),
            1 => Wire::Fixed64(u64::from_le_bytes(*chunk(&mut self.rest)?)),
            2 => {
                let len = varint(&mut self.rest)?;
                let cut = usize::try_from(len).ok().and_then(|len| self.rest.split_at_checked(len));
                let (bytes, rest) = cut
                    .with_context(|| format!("truncated: {len} bytes declared, {} left", self.rest.len()))?;
                self.rest = rest;
                Wire::Bytes(bytes)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(*chunk(&mut self.rest)?)),
            kind => bail!("not protobuf: wire type {kind}"),
        };
        ensure!(key >> 3 > 0, "not protobuf: field 0");
        Ok((key >> 3, wire))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Wire<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

fn chunk<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N]> {
    let (chunk, after) = rest.split_first_chunk().context("truncated within a number")?;
    *rest = after;
    Ok(chunk)
}

/// Reads an integer of at most 64 bits: seven bits per byte, the lowest first, up to a byte without the
/// eighth bit.
fn varint(rest: &mut &[u8]) -> Result<u64> {
    let mut value = 0;
    for shift in (0..70).step_by(7) {
        let [byte] = *chunk(rest)?;
        // Only one bit of the tenth byte fits.
        ensure!(shift < 63 || byte < 2, "not protobuf: an integer of more than 64 bits");
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    bail!("not protobuf: an unterminated integer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Result<Vec<(u64, Wire<'_>)>> {
        Fields::new(bytes).collect()
    }

    /// The examples of the protobuf documentation, and each wire type.
    #[test]
    fn fields_are_read() {
        assert_eq!(fields(&[0x08, 0x96, 0x01]).unwrap(), [(1, Wire::Varint(150))]);
        assert_eq!(fields(b"\x12\x07testing").unwrap(), [(2, Wire::Bytes(b"testing"))]);
        let minus_two = [&[0x08][..], &[0xfe], &[0xff; 8], &[0x01]].concat();
        assert_eq!(fields(&minus_two).unwrap()[0].1.int().unwrap(), -2);
        let mut packed = Vec::new();
        let all = fields(&[0x32, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05]).unwrap();
        let mut keep = |value| {
            packed.push(value);
            Ok(())
        };
        all[0].1.each_int(&mut keep).unwrap();
        assert_eq!((all[0].0, packed), (6, vec![3, 270, 86942]));
        let fixed = [&[0x0d][..], &1.5f32.to_le_bytes(), &[0x11], &2.5f64.to_le_bytes()].concat();
        let expected = [(1, Wire::Fixed32(1.5f32.to_bits())), (2, Wire::Fixed64(2.5f64.to_bits()))];
        assert_eq!(fields(&fixed).unwrap(), expected);
    }

    #[test]
    fn damaged_messages_are_rejected() {
        for (bytes, reason) in [
            (&[0x12, 0x07, b't'][..], "truncated: 7 bytes declared, 1 left"),
            (
                &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
                "truncated: 9223372036854775807 bytes",
            ),
            (&[0x0d, 0, 0], "truncated within a number"),
            (&[0x08], "truncated within a number"),
            (&[0x0b], "wire type 3"),
            (&[0x00, 0x00], "field 0"),
            (&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "more than 64 bits"),
        ] {
            let error = fields(bytes).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
