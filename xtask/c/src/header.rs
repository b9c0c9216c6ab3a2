//! The header `bindings/c/include/ernn.h`, made by cbindgen from the sources of the library.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use cbindgen::{Builder, Config};
use xtask::cmd::root;

/// Returns the folder of the crate.
pub fn crate_dir() -> PathBuf {
    root().join("bindings/c")
}

/// Returns the path of the header.
pub fn path() -> PathBuf {
    crate_dir().join("include/ernn.h")
}

/// Fails if the header is not that of the sources.
pub fn check() -> Result<()> {
    let found = fs::read_to_string(path()).unwrap_or_default();
    if found != text()? {
        bail!("bindings/c/include/ernn.h is not that of the sources: `cargo xtask c --write`");
    }
    Ok(())
}

/// Writes the header.
pub fn write() -> Result<()> {
    fs::write(path(), text()?).with_context(|| path().display().to_string())
}

fn text() -> Result<String> {
    let config = Config::from_file(crate_dir().join("cbindgen.toml"))
        .map_err(|error| anyhow::anyhow!("bindings/c/cbindgen.toml: {error}"))?;
    let mut sources: Vec<PathBuf> =
        fs::read_dir(crate_dir().join("src"))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    sources.sort();
    let builder = sources.into_iter().fold(Builder::new().with_config(config), Builder::with_src);
    let mut bytes = Vec::new();
    builder.generate().context("cbindgen")?.write(&mut bytes);
    Ok(String::from_utf8(bytes)?)
}
