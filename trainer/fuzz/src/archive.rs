//! Mutations of the members of a zip.

use std::io::{Cursor, Read, Write};

use libfuzzer_sys::fuzzer_mutate;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// The largest member that is unpacked.
const LARGEST: u64 = 1 << 20;

/// Returns the members of a zip with their names; `None` if it is none.
pub fn members(bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    (0..archive.len().min(1000))
        .map(|number| {
            let member = archive.by_index(number).ok()?;
            let name = member.name().ok()?.into_owned();
            let mut bytes = Vec::new();
            member.take(LARGEST).read_to_end(&mut bytes).ok()?;
            Some((name, bytes))
        })
        .collect()
}

/// Returns a zip of uncompressed members.
pub fn zipped(members: &[(String, Vec<u8>)]) -> Option<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in members {
        archive.start_file(name.as_str(), stored).ok()?;
        archive.write_all(bytes).ok()?;
    }
    Some(archive.finish().ok()?.into_inner())
}

/// Mutates one member of the zip at the start of `data`, or the bytes themselves if they are none, and now
/// and then although they are.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mutated = || {
        let mut members = members(&data[..size])?;
        let count = members.len();
        let (_, bytes) = members.get_mut((seed / 8) as usize % count.max(1))?;
        let len = bytes.len();
        bytes.resize(len + 64, 0);
        let len = fuzzer_mutate(bytes, len, len + 64);
        bytes.truncate(len);
        zipped(&members).filter(|bytes| bytes.len() <= max_size)
    };
    let Some(bytes) = (if seed.is_multiple_of(8) { None } else { mutated() }) else {
        return fuzzer_mutate(data, size, max_size);
    };
    data[..bytes.len()].copy_from_slice(&bytes);
    bytes.len()
}
