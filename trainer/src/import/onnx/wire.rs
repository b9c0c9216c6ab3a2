//! Protobuf as it lies in a file: fields of numbers and bytes, read in place.
//!
//! Nothing is copied or made room for, whatever lengths a file declares, and no field is skipped unseen: who reads a message
//! names the fields that it knows. (Decoders made from a schema skip the others in silence, and make a structure of some
//! hundred bytes of every two that a hostile file spends.)

use anyhow::{Context, Result, bail, ensure};

/// What a field holds, by its wire type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire<'a> {
    /// An integer, a bool or an enum.
    Varint(u64),
    /// A double.
    Fixed64(u64),
    /// Text, bytes, a message, or many numbers.
    Bytes(&'a [u8]),
    /// A float.
    Fixed32(u32),
}

impl<'a> Wire<'a> {
    /// Bytes, or a message.
    pub fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => bail!("a number where bytes belong"),
        }
    }

    /// Text.
    pub fn text(self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).context("no text in UTF-8")
    }

    /// An integer, a bool or an enum.
    pub fn int(self) -> Result<i64> {
        match self {
            Self::Varint(value) => Ok(value as i64),
            _ => bail!("no integer where one belongs"),
        }
    }

    /// A float.
    pub fn float(self) -> Result<f32> {
        match self {
            Self::Fixed32(bits) => Ok(f32::from_bits(bits)),
            _ => bail!("no float where one belongs"),
        }
    }

    /// The integers of a repeated field: this one, or all that are packed here.
    pub fn each_int(self, mut each: impl FnMut(i64) -> Result<()>) -> Result<()> {
        let Self::Bytes(mut packed) = self else { return each(self.int()?) };
        while !packed.is_empty() {
            each(varint(&mut packed)? as i64)?;
        }
        Ok(())
    }

    /// The floats of a repeated field: this one, or all that are packed here.
    pub fn each_float(self, mut each: impl FnMut(f32) -> Result<()>) -> Result<()> {
        let Self::Bytes(packed) = self else { return each(self.float()?) };
        let (floats, rest) = packed.as_chunks::<4>();
        ensure!(rest.is_empty(), "{} bytes are no floats", packed.len());
        floats.iter().try_for_each(|&bytes| each(f32::from_le_bytes(bytes)))
    }

    /// The doubles of a repeated field: this one, or all that are packed here.
    pub fn each_double(self, mut each: impl FnMut(f64) -> Result<()>) -> Result<()> {
        match self {
            Self::Fixed64(bits) => each(f64::from_bits(bits)),
            Self::Bytes(packed) => {
                let (doubles, rest) = packed.as_chunks::<8>();
                ensure!(rest.is_empty(), "{} bytes are no doubles", packed.len());
                doubles.iter().try_for_each(|&bytes| each(f64::from_le_bytes(bytes)))
            }
            _ => bail!("no double where one belongs"),
        }
    }
}

/// The fields of a message, by their numbers.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Of the message in `bytes`.
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
                let (bytes, rest) =
                    cut.with_context(|| format!("cut off: {len} bytes said, {} there", self.rest.len()))?;
                self.rest = rest;
                Wire::Bytes(bytes)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(*chunk(&mut self.rest)?)),
            kind => bail!("no protobuf: wire type {kind}"),
        };
        ensure!(key >> 3 > 0, "no protobuf: field 0");
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
    let (chunk, after) = rest.split_first_chunk().context("cut off within a number")?;
    *rest = after;
    Ok(chunk)
}

/// Seven bits a byte, the lowest first, until one without the eighth; 64 bits at most.
fn varint(rest: &mut &[u8]) -> Result<u64> {
    let mut value = 0;
    for shift in (0..70).step_by(7) {
        let [byte] = *chunk(rest)?;
        // Of the tenth byte only one bit is left to hold.
        ensure!(shift < 63 || byte < 2, "no protobuf: an integer of more than 64 bits");
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    bail!("no protobuf: an integer without an end")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Result<Vec<(u64, Wire<'_>)>> {
        Fields::new(bytes).collect()
    }

    /// The examples of the encoding's documentation, and each wire type.
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
    fn what_is_none_is_refused() {
        for (bytes, reason) in [
            (&[0x12, 0x07, b't'][..], "cut off: 7 bytes said, 1 there"),
            (
                &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
                "cut off: 9223372036854775807 bytes",
            ),
            (&[0x0d, 0, 0], "cut off within a number"),
            (&[0x08], "cut off within a number"),
            (&[0x0b], "wire type 3"),
            (&[0x00, 0x00], "field 0"),
            (&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "more than 64 bits"),
        ] {
            let error = fields(bytes).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
