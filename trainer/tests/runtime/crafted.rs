//! Saved states assembled by the rules of FORMAT.md, from arbitrary words.

/// Returns a saved state of the model in `file`, of these words, with a valid CRC-32.
pub fn saved(file: &[u8], words: &[u32]) -> Vec<u8> {
    let model = u32::from_le_bytes(file[12..16].try_into().unwrap());
    let mut bytes = postcard::to_allocvec(&(1u8, model, words.len() as u32)).unwrap();
    bytes.extend_from_slice(bytemuck::cast_slice(words));
    sealed(bytes)
}

/// Appends the CRC-32 to the bytes of a saved state.
pub fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// Prints its value if the test fails, by an assertion or by a panic in the runtime.
pub struct Place<T: std::fmt::Debug>(pub T);

impl<T: std::fmt::Debug> Drop for Place<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed at {:?}", self.0);
        }
    }
}
