//! The workspace as `cargo metadata` describes it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use xtask::cmd::Cmd;

/// A member of the workspace.
pub struct Member {
    /// Name of the package.
    pub name: String,
    /// Version of the package.
    pub version: String,
    /// Folder of its manifest.
    pub folder: PathBuf,
    /// `true` if a plain `cargo test` at the root includes it.
    pub is_default: bool,
    /// Description of the package by cargo.
    pub package: Value,
}

impl Member {
    /// Returns whether the package may be published.
    pub fn is_published(&self) -> bool {
        self.package["publish"].is_null()
    }

    fn new(package: &Value, default_ids: &[Value]) -> Result<Self> {
        let text = |key: &str| package[key].as_str().map(str::to_owned).with_context(|| format!("no {key}"));
        let manifest = PathBuf::from(text("manifest_path")?);
        Ok(Self {
            name: text("name")?,
            version: text("version")?,
            folder: manifest.parent().unwrap_or(Path::new(".")).to_path_buf(),
            is_default: default_ids.contains(&package["id"]),
            package: package.clone(),
        })
    }
}

/// Returns all members of the workspace.
pub fn members() -> Result<Vec<Member>> {
    members_of(&query()?)
}

/// Returns the members to be published.
pub fn published() -> Result<Vec<Member>> {
    Ok(members()?.into_iter().filter(Member::is_published).collect())
}

fn members_of(metadata: &Value) -> Result<Vec<Member>> {
    let list = |key: &str| metadata[key].as_array().with_context(|| format!("cargo metadata has no {key}"));
    let default_ids = list("workspace_default_members")?;
    list("packages")?.iter().map(|package| Member::new(package, default_ids)).collect()
}

fn query() -> Result<Value> {
    let cargo = Cmd::cargo().args(["metadata", "--format-version=1", "--no-deps", "--offline"]);
    let line = cargo.line();
    let text = cargo.output().with_context(|| format!("`{line}` failed"))?;
    serde_json::from_str(&text).context(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_crate_is_an_unpublished_member_and_the_runtime_a_published_one() {
        let members = members().unwrap();
        let member = |name: &str| members.iter().find(|member| member.name == name).unwrap();
        assert!(!member("xtask").is_published() && !member("xtask").is_default);
        assert!(member("embedded-rnn").is_published() && member("embedded-rnn").is_default);
        assert!(member("xtask").folder.join("src/metadata.rs").is_file());
    }
}
