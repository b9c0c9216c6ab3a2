//! The interface of an importer.

use anyhow::Result;

use super::stack::Imported;

/// An importer of one framework's files, together with the options that a user gives for them.
pub trait Importer {
    /// Returns the extensions of the file names, in lower case.
    fn extensions(&self) -> &'static [&'static str];

    /// Returns the flag of the first option that is set, as in `ernn import`: `--prefix`. An importer without
    /// options returns `None`.
    fn first_flag(&self) -> Option<&'static str>;

    /// Reads the bytes of a file. The network is called `name` if the file has no name for it.
    ///
    /// # Errors
    /// A construct that is not supported, by layer and attribute, or a damaged file.
    fn read(&self, bytes: Vec<u8>, name: &str) -> Result<Imported>;
}
