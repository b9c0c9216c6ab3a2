//! What sets of words share: letters as ids, and a choice among words that depends on nothing but the word.

use std::cmp::Reverse;

use sha2::{Digest, Sha256};

/// The id of a, lower case; 0 is no letter.
const FIRST_LETTER: u8 = 1;
/// One word in ten is to test on.
const TEST_SHARE: u8 = 10;

/// The ids of a word of small letters a to z; `None` if it is none.
pub fn letters(word: &str) -> Option<Vec<u8>> {
    word.bytes().map(|byte| byte.is_ascii_lowercase().then(|| byte - b'a' + FIRST_LETTER)).collect()
}

/// Whether a word is to test on: wherever it occurs, and whatever else is there.
pub fn is_for_test(word: &str) -> bool {
    Sha256::digest(word)[31] % TEST_SHARE == 0
}

/// `count` of the words, or all if there are fewer: as good as drawn, but always the same.
pub fn draw(mut words: Vec<String>, count: usize) -> Vec<String> {
    words.sort_by_cached_key(|word| Reverse(Sha256::digest(word)));
    words.truncate(count);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_count_from_one_and_nothing_else_is_one() {
        assert_eq!(letters("abz"), Some(vec![1, 2, 26]));
        assert_eq!((letters("aB"), letters("d'or"), letters("é")), (None, None, None));
    }

    #[test]
    fn a_tenth_is_for_test_and_what_is_drawn_depends_on_no_order() {
        let words: Vec<String> = (0..10_000).map(|k| format!("word{k}")).collect();
        let held = words.iter().filter(|word| is_for_test(word)).count();
        // Three standard deviations of a draw are 90.
        assert!((910..1090).contains(&held), "{held}");
        let turned = words.iter().rev().cloned().collect();
        assert_eq!(draw(words, 100), draw(turned, 100));
    }
}
