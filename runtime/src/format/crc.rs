//! CRC-32 (ISO-HDLC: that of zlib, PNG and Ethernet), four bits at a time.

/// The remainders of all values of four bits: 64 bytes, where a table for whole bytes takes 1,024.
const TABLE: [u32; 16] = {
    /// The generator polynomial 0x04C11DB7, lowest bit first.
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let mut table = [0; 16];
    let mut i = 0;
    while i < 16 {
        let mut remainder = i as u32;
        let mut bit = 0;
        while bit < 4 {
            remainder = (remainder >> 1) ^ ((remainder & 1) * POLYNOMIAL);
            bit += 1;
        }
        table[i] = remainder;
        i += 1;
    }
    table
};

/// Computes the checksum of `parts`, one after another.
pub fn crc32(parts: &[&[u8]]) -> u32 {
    let mut crc = !0;
    for &byte in parts.iter().copied().flatten() {
        crc = update(crc, byte);
    }
    !crc
}

/// Computes the checksum of `bytes` without those from `gap` to `gap + 4` while a program is built, where
/// iterators are not allowed. At run time compilers unroll this loop to four times the size of [`crc32`].
pub const fn crc32_in_const(bytes: &[u8], gap: usize) -> u32 {
    let mut crc = !0;
    let mut i = 0;
    while i < bytes.len() {
        if i < gap || i >= gap + 4 {
            crc = update(crc, bytes[i]);
        }
        i += 1;
    }
    !crc
}

#[inline(always)]
const fn update(crc: u32, byte: u8) -> u32 {
    let crc = crc ^ byte as u32;
    let crc = (crc >> 4) ^ TABLE[(crc & 15) as usize];
    (crc >> 4) ^ TABLE[(crc & 15) as usize]
}

#[cfg(test)]
mod tests {
    use super::{crc32, crc32_in_const};

    #[test]
    fn the_check_value_of_the_catalogue() {
        assert_eq!(crc32(&[b"1234", b"56789"]), 0xcbf4_3926);
        assert_eq!(crc32(&[]), 0);
        assert_eq!(crc32_in_const(b"1234....56789", 4), 0xcbf4_3926);
    }
}
