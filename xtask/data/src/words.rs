//! Shared parts of the sets of words: letters as ids, and random choices that depend on nothing but the word.

use std::cmp::Reverse;

use sha2::{Digest, Sha256};

/// Id of the letter a; 0 is not a letter.
const FIRST_LETTER: u8 = 1;
/// One word in this many is for the test.
const TEST_SHARE: u8 = 10;

/// Returns the ids of a word of lower-case letters a to z, or `None` for any other word.
pub fn letters(word: &str) -> Option<Vec<u8>> {
    word.bytes().map(|byte| byte.is_ascii_lowercase().then(|| byte - b'a' + FIRST_LETTER)).collect()
}

/// Returns whether a word is for the test. The result depends on the word alone.
pub fn is_for_test(word: &str) -> bool {
    Sha256::digest(word)[31] % TEST_SHARE == 0
}

/// Draws `count` of the words, or all if there are fewer. Equal words give equal draws, in any order.
pub fn draw(mut words: Vec<String>, count: usize) -> Vec<String> {
    words.sort_by_cached_key(|word| Reverse(Sha256::digest(word)));
    words.truncate(count);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_letters_start_at_one_and_other_characters_have_none() {
        assert_eq!(letters("abz"), Some(vec![1, 2, 26]));
        assert_eq!((letters("aB"), letters("d'or"), letters("é")), (None, None, None));
    }

    #[test]
    fn a_tenth_is_for_the_test_and_the_draw_depends_on_no_order() {
        let words: Vec<String> = (0..10_000).map(|k| format!("word{k}")).collect();
        let held = words.iter().filter(|word| is_for_test(word)).count();
        // Three standard deviations of a draw are 90.
        assert!((910..1090).contains(&held), "{held}");
        let reversed = words.iter().rev().cloned().collect();
        assert_eq!(draw(words, 100), draw(reversed, 100));
    }
}
