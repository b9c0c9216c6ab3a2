//! Lines of Rust files are at most as wide as rustfmt makes them, comments and tables included.

use super::sources::Finding;

const MAX_COLUMNS: usize = 110;

/// Returns the lines that are too wide and can be broken.
pub fn find(text: &str) -> Vec<Finding> {
    let wide = text.lines().enumerate().filter(|(_, line)| is_too_wide(line));
    wide.map(|(index, line)| Finding { line: index + 1, remark: format!("{} columns", columns(line)) })
        .collect()
}

/// Returns whether the line is too wide. A line is exempt if one of its words, such as a link or a string
/// without spaces, does not fit on a line of its own.
fn is_too_wide(line: &str) -> bool {
    let text = line.trim_start();
    let comment =
        ["//! ", "/// ", "// "].into_iter().find(|marker| text.starts_with(marker)).map_or(0, str::len);
    let start = columns(line) - columns(text) + comment;
    let longest_word = text.split_whitespace().map(columns).max().unwrap_or(0);
    columns(line) > MAX_COLUMNS && start + longest_word <= MAX_COLUMNS
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        find(text).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn wide_code_comments_and_tables_are_found() {
        let fits = format!("// {}", "a ".repeat(53) + "b");
        assert_eq!(fits.len(), 110);
        let (code, table) = ("let a = 1; ".repeat(11), format!("/// | {} |", "cell | ".repeat(20)));
        assert_eq!(lines(&format!("{fits}\n{fits}c\n{code}\n{table}\n")), [2, 3, 4]);
        assert_eq!(find(&format!("{fits}c"))[0].remark, "111 columns");
    }

    #[test]
    fn columns_are_characters_and_a_word_without_a_break_is_exempt() {
        assert_eq!(lines(&format!("// {} x", "é".repeat(105))), [0usize; 0]);
        assert_eq!(lines(&format!("    /// {}", "x".repeat(103))), [0usize; 0]);
        assert_eq!(lines(&format!("    /// see {}", "x".repeat(103))), [0usize; 0]);
        assert_eq!(lines(&format!("    /// see here: {}", "x".repeat(102))), [1]);
    }
}
