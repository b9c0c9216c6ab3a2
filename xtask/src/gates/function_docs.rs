//! Docs of functions start with a sentence that has a verb, not with a fragment such as "Whether the step is
//! masked".

use super::sources::Finding;

/// First words of fragments.
const FRAGMENTS: [&str; 10] =
    ["What", "Whether", "How", "Of", "Its", "Where", "Which", "Those", "That", "Who"];

/// Keywords that may precede `fn`.
const QUALIFIERS: [&str; 6] = ["pub", "default", "const", "async", "unsafe", "extern"];

/// Returns the docs of functions, public and private, that start with a fragment.
pub fn find(text: &str) -> Vec<Finding> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_first = |&index: &usize| is_doc(lines[index]) && (index == 0 || !is_doc(lines[index - 1]));
    let starts = (0..lines.len()).filter(is_first).filter(|&index| documents_a_function(&lines[index..]));
    let word = |index: usize| lines[index][3..].split_whitespace().next().unwrap_or_default();
    starts
        .map(|index| Finding { line: index + 1, remark: bare(word(index)).to_owned() })
        .filter(|finding| FRAGMENTS.contains(&finding.remark.as_str()))
        .collect()
}

fn is_doc(line: &str) -> bool {
    line.starts_with("///")
}

/// Returns whether the item after docs, attributes and comments is a function.
fn documents_a_function(lines: &[&str]) -> bool {
    let mut open = 0;
    for line in lines {
        let is_attribute = open > 0 || line.starts_with("#[");
        if is_attribute {
            open += line.matches('[').count();
            open = open.saturating_sub(line.matches(']').count());
        } else if !line.is_empty() && !line.starts_with("//") {
            return is_function(line);
        }
    }
    false
}

fn is_function(line: &str) -> bool {
    let is_qualifier = |word: &str| {
        let keyword = word.split('(').next().unwrap_or_default();
        QUALIFIERS.contains(&keyword) || word.starts_with('"') || word.ends_with(')')
    };
    line.split_whitespace().find(|word| !is_qualifier(word)) == Some("fn")
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c| "*_`.,:".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        find(text).into_iter().map(|finding| finding.remark).collect()
    }

    #[test]
    fn fragments_are_found_on_all_kinds_of_functions() {
        for function in
            ["fn f()", "pub const unsafe fn f()", "pub(in crate::a) fn f()", "extern \"C\" fn f()"]
        {
            assert_eq!(
                words(&format!("    /// Whether it is.\n    {function} {{}}")),
                ["Whether"],
                "{function}"
            );
        }
        let attributes =
            "/// *Which*: one.\n/// More.\n#[cfg(any(\n    unix,\n))]\n// Why.\n#[inline]\nfn f() {}";
        assert_eq!(find(attributes), [Finding { line: 1, remark: "Which".into() }]);
    }

    #[test]
    fn sentences_and_other_items_pass() {
        assert_eq!(words("/// Returns whether it is.\nfn f() {}"), [""; 0]);
        assert_eq!(words("/// Whatever happens, returns.\nfn f() {}"), [""; 0]);
        assert_eq!(words("/// How it is read.\nstruct S;\n/// What.\nconst C: fn() = f;"), [""; 0]);
        assert_eq!(words("//! What this is.\nfn f() {}"), [""; 0]);
    }
}
