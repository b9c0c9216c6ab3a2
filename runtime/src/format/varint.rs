//! Integers and strings of postcard's wire format, version 1: an integer is a little-endian base-128 varint,
//! a string its length as a varint and then its UTF-8 bytes.
//!
//! A board decodes no more of it than a few integers and names. That takes a page here, and no serialization
//! framework in its build.

/// A decoded value and the bytes that follow it.
pub type Decoded<'a, T> = Option<(T, &'a [u8])>;

/// Largest number of bytes of a `u32`.
pub const MAX_LEN: usize = 5;

/// Encodes `value`; returns the bytes and how many of them are used.
pub fn encode(mut value: u32) -> ([u8; MAX_LEN], usize) {
    let mut bytes = [0; MAX_LEN];
    let mut len = 0;
    for byte in &mut bytes {
        len += 1;
        *byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            break;
        }
        *byte |= 0x80;
    }
    (bytes, len)
}

/// Decodes a `u32` at the start of `bytes` and returns it with the bytes that follow; `None` if there is
/// none, or a larger one.
pub const fn decode(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0;
    let mut rest = bytes;
    let mut k = 0;
    while k < MAX_LEN as u32 {
        let Some((&byte, tail)) = rest.split_first() else { return None };
        rest = tail;
        value |= ((byte & 0x7f) as u32) << (7 * k);
        if byte & 0x80 == 0 {
            // The fifth byte holds the four highest bits.
            return if k < 4 || byte <= 0x0f { Some((value, rest)) } else { None };
        }
        k += 1;
    }
    None
}

/// Decodes a string at the start of `bytes` and returns it with the bytes that follow; `None` if it is cut
/// short or not UTF-8.
pub const fn decode_str(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let Some((len, rest)) = decode(bytes) else { return None };
    let Some((text, rest)) = rest.split_at_checked(len as usize) else { return None };
    match core::str::from_utf8(text) {
        Ok(text) => Some((text, rest)),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, decode_str, encode};

    fn values() -> impl Iterator<Item = u32> {
        (0..32).flat_map(|bit| [1 << bit, (1u32 << bit) - 1, !(1 << bit)]).chain([u32::MAX])
    }

    #[test]
    fn integers_are_those_of_postcard() {
        for value in values() {
            let mut buf = [0; 8];
            let expected = postcard::to_slice(&value, &mut buf).unwrap();
            let (bytes, len) = encode(value);
            assert_eq!(&bytes[..len], expected);
            let more = [&*expected, &[7]].concat();
            assert_eq!(decode(&more), Some((value, &[7][..])));
            for cut in 0..len {
                assert_eq!(decode(&expected[..cut]), None);
            }
        }
    }

    #[test]
    fn what_is_no_integer_is_so_for_postcard_too() {
        for last in 0..=u8::MAX {
            let bytes = [0xff, 0xff, 0xff, 0xff, last, 0];
            assert_eq!(decode(&bytes), postcard::take_from_bytes(&bytes).ok(), "{last}");
        }
    }

    #[test]
    fn strings_are_those_of_postcard() {
        for text in ["", "lstm", "Größe", &"x".repeat(300)] {
            let mut buf = [0; 400];
            let bytes = postcard::to_slice(&text, &mut buf).unwrap();
            assert_eq!(decode_str(bytes), Some((text, &[][..])));
            assert_eq!(decode_str(&bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(decode_str(&[2, 0xff, 0xff]), None);
    }
}
