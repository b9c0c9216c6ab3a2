//! SPDX licence expressions: `MIT OR Apache-2.0`, `(MIT OR Zlib) AND Unicode-3.0`, `Apache-2.0 WITH
//! LLVM-exception`.

use anyhow::{Result, bail, ensure};

/// Returns whether the allowed licences satisfy the expression.
///
/// # Errors
/// An expression that is not well formed.
pub fn is_satisfied(expression: &str, allowed: &[&str]) -> Result<bool> {
    // The slash is an older form of `OR`.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut parser = Parser { words: spaced.split_whitespace().collect(), allowed };
    parser.words.reverse();
    let satisfied = parser.any()?;
    ensure!(parser.words.is_empty(), "`{expression}` is not a licence expression");
    Ok(satisfied)
}

/// The words that are left, the next one last.
struct Parser<'a> {
    words: Vec<&'a str>,
    allowed: &'a [&'a str],
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<bool> {
        let mut satisfied = self.all()?;
        while self.skip("OR") {
            satisfied |= self.all()?;
        }
        Ok(satisfied)
    }

    fn all(&mut self) -> Result<bool> {
        let mut satisfied = self.one()?;
        while self.skip("AND") {
            satisfied &= self.one()?;
        }
        Ok(satisfied)
    }

    fn one(&mut self) -> Result<bool> {
        if self.skip("(") {
            let satisfied = self.any()?;
            ensure!(self.skip(")"), "a licence expression without its closing parenthesis");
            return Ok(satisfied);
        }
        let mut licence = self.name()?.to_owned();
        if self.skip("WITH") {
            licence += &format!(" WITH {}", self.name()?);
        }
        Ok(self.allowed.contains(&licence.as_str()))
    }

    fn name(&mut self) -> Result<&'a str> {
        match self.words.pop() {
            Some(word) if !["OR", "AND", "WITH", "(", ")"].contains(&word) => Ok(word),
            _ => bail!("a licence expression without a licence where one is expected"),
        }
    }

    fn skip(&mut self, word: &str) -> bool {
        self.words.pop_if(|next| *next == word).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_satisfied_by_mit(expression: &str) -> bool {
        is_satisfied(expression, &["MIT", "Apache-2.0 WITH LLVM-exception"]).unwrap()
    }

    #[test]
    fn one_side_of_or_and_both_of_and_must_be_allowed() {
        assert!(is_satisfied_by_mit("MIT"));
        assert!(is_satisfied_by_mit("GPL-3.0 OR MIT"));
        assert!(is_satisfied_by_mit("GPL-3.0/MIT"));
        assert!(is_satisfied_by_mit("Apache-2.0 WITH LLVM-exception"));
        assert!(is_satisfied_by_mit("(GPL-3.0 OR MIT) AND MIT"));
        assert!(!is_satisfied_by_mit("GPL-3.0"));
        assert!(!is_satisfied_by_mit("Apache-2.0"));
        assert!(!is_satisfied_by_mit("MIT AND GPL-3.0"));
        assert!(!is_satisfied_by_mit("GPL-3.0 OR MIT AND Zlib"));
    }

    #[test]
    fn malformed_expressions_are_errors() {
        for expression in ["", "MIT OR", "(MIT", "MIT)", "MIT Zlib"] {
            assert!(is_satisfied(expression, &["MIT"]).is_err(), "{expression}");
        }
    }
}
