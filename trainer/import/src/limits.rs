//! Limits on the size of a file.

/// The maximum number of bytes of a file, and of anything that is unpacked from it: far above any network for
/// a microcontroller, and harmless for a PC.
pub const MAX_BYTES: u64 = 1 << 28;
