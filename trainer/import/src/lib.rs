//! Networks trained in other frameworks. An import is exact, or it is rejected with a one-line error that
//! names the unsupported construct.
//!
//! Each format has a folder whose importer turns bytes into a [`LayerStack`] with gates in this crate's
//! order, and records the origin of each layer. The next importer is a folder with a type that implements
//! [`Importer`], a field of [`Importers`] and its row in [`Importers::all`].
//!
//! ```text
//! keras     onnx     pytorch      one folder per format; they do not import each other
//!     \       |       /
//! importer  cells  one_step  stack  tensor  variance  limits  foreign
//! ```
//! All formats share [`Tensor`], the values of a file; [`cells`], weights and gate orders; and the limits on
//! memory.

pub mod cells;
mod composed;
mod foreign;
mod importer;
pub mod keras;
mod limits;
mod one_step;
pub mod onnx;
pub mod pytorch;
mod stack;
mod tensor;
mod variance;

pub use importer::Importer;
pub use limits::MAX_BYTES;
pub use stack::{Imported, LayerStack};
pub use tensor::Tensor;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Result, bail, ensure};

use keras::Keras;
use onnx::Onnx;
use pytorch::PyTorch;

/// All importers, with their options.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Importers {
    /// The importer of `.keras` and `.h5` files.
    pub keras: Keras,
    /// The importer of `.onnx` files.
    pub onnx: Onnx,
    /// The importer of PyTorch state dicts.
    pub pytorch: PyTorch,
}

impl Importers {
    /// Returns the table of importers.
    pub fn all(&self) -> [&dyn Importer; 3] {
        // Without `..`: an importer that is missing in the table does not compile without a warning.
        let Self { keras, onnx, pytorch } = self;
        [keras, onnx, pytorch]
    }

    /// Reads a file with the importer for the extension of its name.
    ///
    /// # Errors
    /// An unknown extension; an option of another importer, by its flag; a file of more than [`MAX_BYTES`];
    /// the errors of the importer.
    pub fn read(&self, path: &Path) -> Result<Imported> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let is_own = |importer: &&dyn Importer| importer.extensions().contains(&extension.as_str());
        let (own, others): (Vec<_>, Vec<_>) = self.all().into_iter().partition(is_own);
        let &[own] = &own[..] else {
            let known = self.all().map(listed).join(", ");
            let hint = foreign::hint(path, &extension).map_or(String::new(), |hint| format!("; {hint}"));
            bail!("unknown file name extension: expected {known}{hint}")
        };
        for other in others {
            if let Some(flag) = other.first_flag() {
                bail!("{flag}: only valid for {} files", listed(other));
            }
        }
        own.read(bytes(path)?, &path.file_stem().unwrap_or_default().to_string_lossy())
    }
}

/// Reads a file with the importer for the extension of its name, without options.
///
/// # Errors
/// As [`Importers::read`].
pub fn read(path: &Path) -> Result<Imported> {
    Importers::default().read(path)
}

/// Returns the extensions of an importer as a user writes them.
fn listed(importer: &dyn Importer) -> String {
    importer.extensions().iter().map(|extension| format!(".{extension}")).collect::<Vec<_>>().join(", ")
}

/// Reads the bytes of a file, if there are not too many.
fn bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= MAX_BYTES, "more than {MAX_BYTES} bytes");
    Ok(bytes)
}
