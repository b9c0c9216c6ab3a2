//! Packages to be published: their metadata, their files and their size.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use xtask::cmd::{Cmd, root, target_dir};

use crate::metadata::Member;

/// Files at the root of every package.
const FILES: [&str; 3] = ["README.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// Limit of a compressed package: golden files, test vectors and data sets would exceed it.
const MAX_BYTES: u64 = 500_000;

/// The package whose tests run from its own files.
const TESTED: &str = "embedded-rnn";

/// Makes the packages and checks them. Returns their sizes.
pub fn check(members: &[Member]) -> Result<String> {
    let mut problems = Vec::new();
    for member in members {
        let mut found = metadata_problems(&member.package);
        found.extend(file_problems(&files(&member.name)?, &member.folder)?);
        problems.extend(found.iter().map(|problem| format!("{}: {problem}", member.name)));
    }
    if !problems.is_empty() {
        bail!("{} problems\n  {}", problems.len(), problems.join("\n  "));
    }
    let names = members.iter().flat_map(|member| ["--package", &member.name]);
    // One call for all: each finds those that it depends on among the others, not in the registry.
    cargo_package().args(["--no-verify", "--locked"]).args(names).run()?;
    let sizes: Vec<String> = members.iter().map(size).collect::<Result<_>>()?;
    members.iter().filter(|member| member.name == TESTED).try_for_each(test)?;
    Ok(sizes.join(", "))
}

fn cargo_package() -> Cmd {
    // The contents are checked here, not whether they are committed.
    Cmd::cargo().args(["package", "--quiet", "--allow-dirty"])
}

/// Returns the problems of a manifest, given as cargo's metadata.
fn metadata_problems(package: &Value) -> Vec<String> {
    let is_empty = |value: &Value| match value {
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        other => other.is_null(),
    };
    let keys = ["description", "license", "repository", "readme", "keywords", "categories", "rust_version"];
    let mut problems: Vec<String> =
        keys.iter().filter(|key| is_empty(&package[**key])).map(|key| format!("no {key}")).collect();
    if is_empty(&package["metadata"]["docs"]["rs"]) {
        problems.push("no package.metadata.docs.rs".into());
    }
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let is_path = !is_empty(&dependency["path"]) && dependency["kind"] != "dev";
        if is_path && dependency["req"] == "*" {
            problems.push(format!("no version for the path dependency {}", dependency["name"]));
        }
    }
    problems
}

/// Returns the names of the files in a package.
fn files(name: &str) -> Result<Vec<String>> {
    let list = cargo_package().args(["--list", "--package", name]).output();
    let list = list.with_context(|| format!("`cargo package --list --package {name}` failed"))?;
    Ok(list.lines().map(str::to_owned).collect())
}

/// Returns the required files that are missing or, for the licences, differ from those of the project.
fn file_problems(files: &[String], folder: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for name in FILES {
        if !files.iter().any(|file| file == name) {
            problems.push(format!("{name} is not in the package"));
        } else if name.starts_with("LICENSE") {
            let read =
                |folder: &Path| fs::read(folder.join(name)).with_context(|| folder.display().to_string());
            if read(folder)? != read(&root())? {
                problems.push(format!("{name} differs from that of the project"));
            }
        }
    }
    Ok(problems)
}

fn size(member: &Member) -> Result<String> {
    let file = target_dir().join("package").join(format!("{}-{}.crate", member.name, member.version));
    let bytes = fs::metadata(&file).with_context(|| file.display().to_string())?.len();
    ensure!(bytes <= MAX_BYTES, "{}: {bytes} bytes, more than {MAX_BYTES}", member.name);
    Ok(format!("{} {:.0} KB", member.name, bytes as f64 / 1000.0))
}

/// Unpacks a package outside the workspace and runs its tests there.
fn test(member: &Member) -> Result<()> {
    let name = format!("{}-{}", member.name, member.version);
    let archive = target_dir().join("package").join(format!("{name}.crate"));
    // Outside the workspace, and the same in every run of it: tests have the path of their package compiled
    // in.
    let mut hasher = DefaultHasher::new();
    root().hash(&mut hasher);
    let folder = std::env::temp_dir().join(format!("xtask-package-{:016x}", hasher.finish()));
    fs::create_dir_all(&folder)?;
    // With the time of now: files as old as those of a package are never newer than what was built of other
    // ones.
    let unpack = Cmd::new("tar").args(["-xzmf"]).args([&archive]).args(["-C"]).args([&folder]).run();
    let test = Cmd::cargo().args(["test", "--locked"]).dir(folder.join(name));
    let tested = unpack.and_then(|()| test.env("CARGO_TARGET_DIR", target_dir().join("package-test")).run());
    fs::remove_dir_all(&folder)?;
    tested
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn complete() -> Value {
        json!({
            "description": "d", "license": "MIT", "repository": "r", "readme": "README.md",
            "keywords": ["k"], "categories": ["c"], "rust_version": "1.89",
            "metadata": { "docs": { "rs": { "all-features": true } } },
            "dependencies": [
                { "name": "a", "path": "/a", "req": "^1", "kind": null },
                { "name": "b", "path": "/b", "req": "*", "kind": "dev" },
                { "name": "c", "req": "*", "kind": null },
            ],
        })
    }

    #[test]
    fn a_complete_manifest_has_no_problems_and_each_missing_key_is_one() {
        assert_eq!(metadata_problems(&complete()), [""; 0]);
        for key in ["description", "keywords", "categories", "readme"] {
            let mut package = complete();
            package[key] = json!([]);
            assert_eq!(metadata_problems(&package), [format!("no {key}")]);
        }
        let mut package = complete();
        package["metadata"] = Value::Null;
        package["dependencies"][0]["req"] = json!("*");
        let expected = ["no package.metadata.docs.rs", "no version for the path dependency \"a\""];
        assert_eq!(metadata_problems(&package), expected);
    }

    #[test]
    fn missing_files_are_problems() {
        let problems = |files: &[&str]| {
            file_problems(&files.iter().map(|file| (*file).to_owned()).collect::<Vec<_>>(), &root()).unwrap()
        };
        assert_eq!(problems(&["README.md", "LICENSE-MIT", "LICENSE-APACHE", "src/lib.rs"]), [""; 0]);
        assert_eq!(problems(&["README.md", "LICENSE-MIT"]), ["LICENSE-APACHE is not in the package"]);
    }
}
