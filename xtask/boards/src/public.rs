//! The public functions of the runtime, as rustdoc lists them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use xtask::cross::Toolchain;

/// The attributes of a function of a type, in front of and behind its name. Those of traits have another
/// class.
const METHOD: (&str, &str) = ("<section id=\"method.", "\" class=\"method\"");

/// Returns the public functions on a target without `std`: `argmax`, `Model::step`.
pub fn functions(toolchain: &Toolchain, target: &str) -> Result<BTreeSet<String>> {
    let doc = toolchain.cargo("doc", target).args(["--quiet", "--package", "embedded-rnn", "--no-deps"]);
    doc.args(["--no-default-features", "--target-dir"]).args([toolchain.target_dir()]).run()?;
    let mut functions = BTreeSet::new();
    let folder = toolchain.target_dir().join(target).join("doc/embedded_rnn");
    collect(&folder, &mut functions).with_context(|| folder.display().to_string())?;
    // A rustdoc with other pages.
    ensure!(functions.contains("Model::step") && functions.contains("argmax"), "found {functions:?} only");
    Ok(functions)
}

/// Reads the pages of a module and of the modules in it.
fn collect(folder: &Path, functions: &mut BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, functions)?;
            continue;
        }
        // `fn.argmax.html`, `struct.Model.html`
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match name.split('.').collect::<Vec<_>>()[..] {
            ["fn", function, "html"] => drop(functions.insert(function.to_owned())),
            ["struct" | "enum", of, "html"] => {
                functions
                    .extend(methods(&fs::read_to_string(&path)?).map(|method| format!("{of}::{method}")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Returns the functions of the type whose page it is.
fn methods(page: &str) -> impl Iterator<Item = &str> {
    let sections = page.split(METHOD.0).skip(1);
    sections
        .filter_map(|section| section.split_once(METHOD.1))
        .map(|(name, _)| name)
        .filter(|name| is_name(name))
}

fn is_name(text: &str) -> bool {
    text.chars().all(is_of_name)
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Returns the functions that the source does not name as the image does: `argmax(`, `Model::step`.
pub fn not_called<'a>(functions: &'a BTreeSet<String>, source: &str) -> Vec<&'a str> {
    functions.iter().map(String::as_str).filter(|function| !is_called(function, source)).collect()
}

fn is_called(function: &str, source: &str) -> bool {
    // `argmax` is no function of a type, and in a list of imports no call.
    let (not_before, after_a_call) = if function.contains("::") { (".", None) } else { (".:", Some("(:")) };
    let is_call = |(at, _): (usize, &str)| {
        let before = source[..at].chars().next_back().unwrap_or(' ');
        let after = source[at + function.len()..].chars().next().unwrap_or(' ');
        let ends = after_a_call.map_or(!is_of_name(after), |allowed| allowed.contains(after));
        ends && !is_of_name(before) && !not_before.contains(before)
    };
    source.match_indices(function).any(is_call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_a_type_are_found_and_those_of_traits_left_out() {
        let page = "<section id=\"method.step\" class=\"method\"><a href=\"#method.run\">\
                    <section id=\"method.run_real\" class=\"method\">\
                    <section id=\"method.clone\" class=\"method trait-impl\">";
        assert_eq!(methods(page).collect::<Vec<_>>(), ["step", "run_real"]);
    }

    #[test]
    fn functions_that_are_not_called_are_named() {
        let source =
            "use rnn::{Model, argmax, dtype}; Model::step(&model); x.map(rnn::Kind::name); needs::<I8>(x);
                      model.features(x); argmax(y);";
        let functions =
            ["Model::step", "Kind::name", "needs", "argmax", "dtype", "features", "Model::ste", "name"];
        let functions = functions.map(str::to_owned).into();
        assert_eq!(not_called(&functions, source), ["Model::ste", "dtype", "features", "name"]);
    }
}
