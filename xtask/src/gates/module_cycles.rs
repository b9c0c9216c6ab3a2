//! The top modules of a crate form a stack: none imports itself through others.
//!
//! Imports are read as text: `crate::name`, `use crate::{a, b::c}` over any number of lines, and
//! `super::name` where it leads to the root of the crate. Tests, comments and docs are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use anyhow::{Context, Result, bail};
use xtask::cmd::root;

use super::sources;
use crate::metadata::Member;

/// The files, by importing and imported top module.
type Imports = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Checks the sources of all members.
///
/// # Errors
/// One that lists all cycles, with the files that import.
pub fn check(members: &[Member]) -> Result<String> {
    let (mut crates, mut found) = (0, Vec::new());
    for member in members {
        let folder = member.folder.strip_prefix(root()).context("a member outside the workspace")?;
        let src = folder.join("src");
        if root().join(&src).is_dir() {
            crates += 1;
            found.extend(cycles(&imports(&src)?).iter().map(|cycle| format!("{}: {cycle}", src.display())));
        }
    }
    if !found.is_empty() {
        bail!("{} import cycles\n  {}", found.len(), found.join("\n  "));
    }
    Ok(format!("{crates} crates"))
}

fn imports(src: &Path) -> Result<Imports> {
    let mut files = Vec::new();
    for path in sources::rust_files(&src.to_string_lossy())? {
        let text = sources::read(&path)?;
        files.push((path.strip_prefix(src)?.to_path_buf(), text));
    }
    Ok(imports_of(&files))
}

fn imports_of<P: AsRef<Path>>(files: &[(P, String)]) -> Imports {
    let paths: Vec<Vec<&str>> = files.iter().map(|(path, _)| module_path(path.as_ref())).collect();
    let tops: BTreeSet<&str> = paths.iter().filter_map(|path| path.first().copied()).collect();
    let mut imports = Imports::new();
    for ((file, text), path) in files.iter().zip(&paths) {
        let Some(&top) = path.first() else { continue };
        for name in names(&code(text), path.len()) {
            if name != top && tops.contains(name.as_str()) {
                let imported = imports.entry(top.to_owned()).or_default().entry(name).or_default();
                imported.insert(file.as_ref().display().to_string());
            }
        }
    }
    imports
}

/// Returns the modules that lead to a file, none for the root of a crate and for tests.
fn module_path<'a>(file: &'a Path) -> Vec<&'a str> {
    let name = |part: Component<'a>| part.as_os_str().to_str().unwrap_or_default().trim_end_matches(".rs");
    let mut path: Vec<&str> = file.components().map(name).collect();
    let is_test = |name: &&str| *name == "tests" || name.ends_with("_tests");
    if path.iter().any(is_test) || ["lib", "main", "bin"].contains(&path[0]) {
        return Vec::new();
    }
    if path.last() == Some(&"mod") {
        path.pop();
    }
    path
}

/// Removes the unit tests and the lines of comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

/// Returns the names that a file `depth` modules below the root imports from the root.
fn names(code: &str, depth: usize) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, marker) in code.match_indices("crate::") {
        names.extend(imported(&code[at + marker.len()..]));
    }
    let to_root = "super::".repeat(depth);
    for (at, marker) in code.match_indices(&to_root) {
        let rest = &code[at + marker.len()..];
        if !code[..at].ends_with("super::") && !rest.starts_with("super::") {
            names.extend(imported(rest));
        }
    }
    names
}

/// Returns the first name of each path after `crate::`: one name, or those of a group in braces.
fn imported(rest: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut names, mut open) = (vec![name(group)], 1);
    for (at, c) in group.char_indices() {
        match c {
            '{' => open += 1,
            '}' if open == 1 => break,
            '}' => open -= 1,
            ',' if open == 1 => names.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    names
}

/// Returns a description of each set of modules that reach one another.
fn cycles(imports: &Imports) -> Vec<String> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|module| (module.as_str(), reach(imports, module))).collect();
    let reaches = |a: &str, b: &str| reached.get(a).is_some_and(|modules| modules.contains(b));
    let mut listed = BTreeSet::new();
    let mut found = Vec::new();
    for &module in reached.keys() {
        let cycle: Vec<&str> = reached
            .keys()
            .copied()
            .filter(|other| reaches(module, other) && reaches(other, module))
            .collect();
        if !cycle.is_empty() && listed.insert(cycle.clone()) {
            found.push(describe(imports, &cycle));
        }
    }
    found
}

fn reach<'a>(imports: &'a Imports, module: &str) -> BTreeSet<&'a str> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![module]);
    while let Some(module) = next.pop() {
        for imported in imports.get(module).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(imported.as_str()) {
                next.push(imported);
            }
        }
    }
    reached
}

fn describe(imports: &Imports, cycle: &[&str]) -> String {
    let mut text = cycle.join(", ");
    for module in cycle {
        for (imported, files) in imports[*module].iter().filter(|(name, _)| cycle.contains(&name.as_str())) {
            let files: Vec<&str> = files.iter().map(String::as_str).collect();
            text += &format!("\n    {module} -> {imported}: {}", files.join(", "));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycles_of(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<(&str, String)> =
            files.iter().map(|(path, text)| (*path, (*text).to_owned())).collect();
        cycles(&imports_of(&files))
    }

    #[test]
    fn a_cycle_through_three_modules_is_found_with_its_files() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c; mod d;"),
            ("a/mod.rs", "use crate::b::B;"),
            ("a/deep.rs", "use crate::d;"),
            ("b.rs", "use crate::{\n    c::{C, D},\n    e,\n};"),
            ("c.rs", "fn f() { crate::a::g() }"),
            ("d.rs", ""),
            ("e.rs", ""),
        ];
        let expected = "a, b, c\n    a -> b: a/mod.rs\n    b -> c: b.rs\n    c -> a: c.rs";
        assert_eq!(cycles_of(&files), [expected]);
    }

    #[test]
    fn super_counts_where_it_leads_to_the_root() {
        let cycle = [("a.rs", "use super::b::B;"), ("b/mod.rs", ""), ("b/c.rs", "use super::super::{a::A};")];
        assert_eq!(cycles_of(&cycle).len(), 1);
        let none = [("a.rs", "use super::b::B;"), ("b/mod.rs", ""), ("b/c.rs", "use super::a::A;")];
        assert_eq!(cycles_of(&none), [""; 0]);
    }

    #[test]
    fn tests_comments_and_nested_names_are_left_out() {
        let files = [
            ("a.rs", "// crate::b\nuse crate::c::{x, b};\n#[cfg(test)]\nmod tests {\n    use crate::b;\n}"),
            ("a/tests.rs", "use crate::b;"),
            ("a_tests.rs", "use crate::b;"),
            ("b.rs", "use crate::a;"),
            ("c.rs", ""),
        ];
        assert_eq!(cycles_of(&files), [""; 0]);
    }

    #[test]
    fn two_cycles_are_two_findings() {
        let files =
            [("a.rs", "crate::b"), ("b.rs", "crate::a crate::c"), ("c.rs", "crate::d"), ("d.rs", "crate::c")];
        assert_eq!(cycles_of(&files).len(), 2);
    }
}
