//! The policy for dependencies in `deny.toml`, for machines without cargo-deny: licences, sources and
//! duplicate versions. Only cargo-deny checks advisories.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};
use toml::Table;
use xtask::cmd::{Cmd, root};

use super::licence;

/// The folders of all workspaces.
pub const WORKSPACES: [&str; 8] = [
    ".",
    "bindings/python",
    "bindings/wasm",
    "firmware",
    "firmware/examples",
    "firmware/examples/esp32-c3",
    "runtime/fuzz",
    "trainer/fuzz",
];

/// The parts of `deny.toml` that are checked here.
struct Policy {
    targets: Vec<String>,
    licences: Vec<String>,
    /// Further licences of single crates.
    exceptions: BTreeMap<String, Vec<String>>,
    /// Versions, as `name@version`, that do not count as duplicates.
    skipped: BTreeSet<String>,
}

/// A package of the dependency graph.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    /// Path or address in parentheses; empty for the crate registry.
    source: String,
    /// SPDX expression; empty if there is none.
    licence: String,
}

/// Checks the dependency graphs of all workspaces.
///
/// # Errors
/// One that lists all violations.
pub fn check() -> Result<String> {
    let policy = fs::read_to_string(root().join("deny.toml")).context("deny.toml")?;
    let policy = Policy::parse(&policy).context("deny.toml")?;
    let (mut count, mut violations) = (0, BTreeSet::new());
    for folder in WORKSPACES {
        let packages = packages(folder, &policy.targets)?;
        count += packages.len();
        violations.extend(policy.violations(&packages));
    }
    if !violations.is_empty() {
        let lines: Vec<String> = violations.into_iter().collect();
        bail!("{} violations of deny.toml\n  {}", lines.len(), lines.join("\n  "));
    }
    Ok(format!("licences, sources and duplicates of {count} packages"))
}

/// Returns the packages that a workspace needs for any of the targets, with its features.
fn packages(folder: &str, targets: &[String]) -> Result<BTreeSet<Package>> {
    let tree = ["tree", "--locked", "--workspace", "--prefix=none", "--format={p}|{l}"];
    let targets = targets.iter().flat_map(|target| ["--target", target]);
    let tree = Cmd::cargo().args(tree).args(targets).dir(root().join(folder)).output();
    let tree = tree.with_context(|| format!("{folder}: `cargo tree` failed"))?;
    // Empty lines separate the trees of the members.
    let lines = tree.lines().filter(|line| !line.is_empty());
    lines.map(|line| Package::parse(line).with_context(|| line.to_owned())).collect()
}

impl Package {
    /// Parses `name v1.2.3|MIT`, where the source, `(proc-macro)` and the mark of a repeated line `(*)` may
    /// follow the version.
    fn parse(line: &str) -> Option<Self> {
        let (package, licence) = line.split_once('|')?;
        let mut words = package.split_whitespace();
        let (name, version) = (words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned());
        let source =
            words.find(|word| !["(proc-macro)", "(*)"].contains(word)).unwrap_or_default().to_owned();
        let licence = licence.trim_end_matches("(*)").trim().to_owned();
        Some(Self { name, version, source, licence })
    }

    fn is_member(&self) -> bool {
        self.source.starts_with("(/")
    }
}

impl Policy {
    fn parse(text: &str) -> Result<Self> {
        let policy: Table = text.parse()?;
        let table = |key: &str| {
            policy.get(key).and_then(|value| value.as_table()).with_context(|| format!("no [{key}]"))
        };
        let (graph, licences, bans) = (table("graph")?, table("licenses")?, table("bans")?);
        let mut exceptions = BTreeMap::new();
        for exception in tables(licences, "exceptions") {
            exceptions.insert(text_of(exception, "crate")?, texts(exception, "allow")?);
        }
        let skipped = tables(bans, "skip").map(|skip| text_of(skip, "crate")).collect::<Result<_>>()?;
        Ok(Self {
            targets: texts(graph, "targets")?,
            licences: texts(licences, "allow")?,
            exceptions,
            skipped,
        })
    }

    fn violations(&self, packages: &BTreeSet<Package>) -> Vec<String> {
        let mut violations: Vec<String> =
            packages.iter().filter_map(|package| self.violation(package)).collect();
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let counts =
            |package: &&Package| !self.skipped.contains(&format!("{}@{}", package.name, package.version));
        for package in packages.iter().filter(counts) {
            versions.entry(&package.name).or_default().insert(&package.version);
        }
        for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
            let versions: Vec<&str> = versions.iter().copied().collect();
            violations.push(format!("{name}: several versions, {}", versions.join(" and ")));
        }
        violations
    }

    /// Checks the licence and the source of one package.
    fn violation(&self, package: &Package) -> Option<String> {
        let place = format!("{} {}", package.name, package.version);
        if !package.source.is_empty() && !package.is_member() {
            return Some(format!("{place}: {} is not the crate registry", package.source));
        }
        if package.licence.is_empty() {
            return Some(format!("{place}: no licence"));
        }
        let exceptions = self.exceptions.get(&package.name).into_iter().flatten();
        let allowed: Vec<&str> = self.licences.iter().chain(exceptions).map(String::as_str).collect();
        match licence::is_satisfied(&package.licence, &allowed) {
            Ok(true) => None,
            Ok(false) => Some(format!("{place}: the licence {} is not allowed", package.licence)),
            Err(error) => Some(format!("{place}: {error}")),
        }
    }
}

fn tables<'a>(table: &'a Table, key: &str) -> impl Iterator<Item = &'a Table> {
    table
        .get(key)
        .and_then(|value| value.as_array())
        .into_iter()
        .flatten()
        .filter_map(|value| value.as_table())
}

fn text_of(table: &Table, key: &str) -> Result<String> {
    table.get(key).and_then(|value| value.as_str()).map(str::to_owned).with_context(|| format!("no {key}"))
}

fn texts(table: &Table, key: &str) -> Result<Vec<String>> {
    let list = table.get(key).and_then(|value| value.as_array()).with_context(|| format!("no {key}"))?;
    let texts = list.iter().map(|value| value.as_str().map(str::to_owned));
    texts.collect::<Option<_>>().with_context(|| format!("{key}: not all are texts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "
        [graph]
        targets = ['x86_64-unknown-linux-gnu']
        [licenses]
        allow = ['MIT']
        exceptions = [{ crate = 'b', allow = ['Zlib'] }]
        [bans]
        skip = [{ crate = 'c@1.0.0', reason = 'd' }]
    ";

    fn violations(lines: &[&str]) -> Vec<String> {
        let packages = lines.iter().map(|line| Package::parse(line).unwrap()).collect();
        Policy::parse(POLICY).unwrap().violations(&packages)
    }

    #[test]
    fn lines_of_the_tree_are_parsed() {
        let package = Package::parse("a v1.2.0 (proc-macro) (*)|MIT OR Zlib (*)").unwrap();
        let expected = ["a", "1.2.0", "", "MIT OR Zlib"].map(str::to_owned);
        assert_eq!([package.name, package.version, package.source, package.licence], expected);
        assert!(Package::parse("a v1.2.0 (/work/a)|MIT").unwrap().is_member());
        assert_eq!(Package::parse("warning: no package"), None);
    }

    #[test]
    fn allowed_and_excepted_licences_pass_and_others_fail() {
        assert_eq!(violations(&["a v1.0.0|MIT", "b v1.0.0|Zlib"]), [""; 0]);
        assert_eq!(violations(&["a v1.0.0|Zlib"]), ["a 1.0.0: the licence Zlib is not allowed"]);
        assert_eq!(violations(&["a v1.0.0|"]), ["a 1.0.0: no licence"]);
    }

    #[test]
    fn duplicates_fail_unless_skipped() {
        let found = violations(&["a v1.0.0|MIT", "a v2.0.0|MIT"]);
        assert_eq!(found, ["a: several versions, 1.0.0 and 2.0.0"]);
        assert_eq!(violations(&["c v1.0.0|MIT", "c v2.0.0|MIT"]), [""; 0]);
    }

    #[test]
    fn members_pass_and_sources_other_than_the_registry_fail() {
        assert_eq!(violations(&["a v1.0.0 (/work/a)|MIT"]), [""; 0]);
        let found = violations(&["a v1.0.0 (https://example.com/a#1234)|MIT"]);
        assert_eq!(found, ["a 1.0.0: (https://example.com/a#1234) is not the crate registry"]);
    }
}
