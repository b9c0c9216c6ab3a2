//! The policy for dependencies in `deny.toml`, for machines without cargo-deny: licences, sources and
//! duplicate versions. Only cargo-deny checks advisories.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use toml::Table;
use xtask::cmd::root;

use super::licence;
use crate::metadata;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

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
struct Package {
    name: String,
    version: String,
    licence: Option<String>,
    /// `None` for a member of the workspace.
    source: Option<String>,
}

/// Checks the dependency graph of the workspace.
///
/// # Errors
/// One that lists all violations.
pub fn check() -> Result<String> {
    let policy = fs::read_to_string(root().join("deny.toml")).context("deny.toml")?;
    let policy = Policy::parse(&policy).context("deny.toml")?;
    let mut options = vec!["--locked"];
    for target in &policy.targets {
        options.extend(["--filter-platform", target]);
    }
    let packages = packages(&metadata::query(&options)?)?;
    let violations = policy.violations(&packages);
    if !violations.is_empty() {
        bail!("{} violations of deny.toml\n  {}", violations.len(), violations.join("\n  "));
    }
    Ok(format!("licences, sources, duplicates of {} packages", packages.len()))
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

    fn violations(&self, packages: &[Package]) -> Vec<String> {
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
        if package.source.as_deref().is_some_and(|source| source != REGISTRY) {
            return Some(format!("{place}: not from the crate registry"));
        }
        let Some(expression) = &package.licence else { return Some(format!("{place}: no licence")) };
        let exceptions = self.exceptions.get(&package.name).into_iter().flatten();
        let allowed: Vec<&str> = self.licences.iter().chain(exceptions).map(String::as_str).collect();
        match licence::is_satisfied(expression, &allowed) {
            Ok(true) => None,
            Ok(false) => Some(format!("{place}: the licence {expression} is not allowed")),
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

/// Returns the packages that the resolver selects; `packages` also lists those of inactive features.
fn packages(metadata: &Value) -> Result<Vec<Package>> {
    let list = |value: &'static str, of: &Value| {
        of[value].as_array().cloned().with_context(|| format!("no {value}"))
    };
    let nodes = list("nodes", &metadata["resolve"])?;
    let selected: BTreeSet<&str> = nodes.iter().filter_map(|node| node["id"].as_str()).collect();
    let all = list("packages", metadata)?;
    let text = |package: &Value, key: &str| package[key].as_str().map(str::to_owned);
    let packages =
        all.iter().filter(|package| package["id"].as_str().is_some_and(|id| selected.contains(id)));
    packages
        .map(|package| {
            Ok(Package {
                name: text(package, "name").context("no name")?,
                version: text(package, "version").context("no version")?,
                licence: text(package, "license"),
                source: text(package, "source"),
            })
        })
        .collect()
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

    fn package(name: &str, version: &str, licence: &str) -> Package {
        let text = |text: &str| Some(text.to_owned());
        Package { name: name.into(), version: version.into(), licence: text(licence), source: text(REGISTRY) }
    }

    fn violations(packages: &[Package]) -> Vec<String> {
        Policy::parse(POLICY).unwrap().violations(packages)
    }

    #[test]
    fn allowed_and_excepted_licences_pass_and_others_fail() {
        assert_eq!(violations(&[package("a", "1.0.0", "MIT"), package("b", "1.0.0", "Zlib")]), [""; 0]);
        let found = violations(&[package("a", "1.0.0", "Zlib")]);
        assert_eq!(found, ["a 1.0.0: the licence Zlib is not allowed"]);
        let none = Package { licence: None, ..package("a", "1.0.0", "") };
        assert_eq!(violations(&[none]), ["a 1.0.0: no licence"]);
    }

    #[test]
    fn duplicates_fail_unless_skipped() {
        let two = |name| [package(name, "1.0.0", "MIT"), package(name, "2.0.0", "MIT")];
        assert_eq!(violations(&two("a")), ["a: several versions, 1.0.0 and 2.0.0"]);
        assert_eq!(violations(&two("c")), [""; 0]);
    }

    #[test]
    fn other_sources_fail_and_members_have_none() {
        let source = |source: Option<&str>| Package {
            source: source.map(str::to_owned),
            ..package("a", "1.0.0", "MIT")
        };
        assert_eq!(
            violations(&[source(Some("git+https://example.com/a"))]),
            ["a 1.0.0: not from the crate registry"]
        );
        assert_eq!(violations(&[source(None)]), [""; 0]);
    }

    #[test]
    fn inactive_packages_are_left_out() {
        let metadata = serde_json::json!({
            "resolve": { "nodes": [{ "id": "a 1" }] },
            "packages": [
                { "id": "a 1", "name": "a", "version": "1.0.0", "license": "MIT", "source": null },
                { "id": "b 1", "name": "b", "version": "1.0.0", "license": "GPL-3.0", "source": null },
            ],
        });
        assert_eq!(packages(&metadata).unwrap().len(), 1);
    }
}
