//! CRC-32 (ISO-HDLC: that of zlib, PNG and Ethernet), four bits at a time.

/// The remainder of each four bits: 64 bytes where a table for whole bytes takes 1,024.
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

/// Computes the checksum of `parts`, one after another; in a build too, where iterators are not allowed.
pub const fn crc32(parts: &[&[u8]]) -> u32 {
    let mut crc = !0u32;
    let mut part = 0;
    while part < parts.len() {
        let bytes = parts[part];
        let mut i = 0;
        while i < bytes.len() {
            crc ^= bytes[i] as u32;
            crc = (crc >> 4) ^ TABLE[(crc & 15) as usize];
            crc = (crc >> 4) ^ TABLE[(crc & 15) as usize];
            i += 1;
        }
        part += 1;
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_check_value_of_the_catalogue() {
        assert_eq!(crc32(&[b"1234", b"56789"]), 0xcbf4_3926);
        assert_eq!(crc32(&[]), 0);
    }
}
