//! What the fuzz targets of the trainer share.
//!
//! [`imported`] checks what an importer returns; [`read`] passes bytes to readers of files; [`archive`]
//! mutates the members of zips, whose checksums no mutation of the whole would keep; [`seeds`] writes the
//! files of the tests into a corpus.
#![deny(unsafe_code)]

pub mod archive;
pub mod imported;
pub mod read;
pub mod seeds;
