//! The quality of generated sequences, measured by edit distance to the target sequences.

/// Edit counts of generated sequences against the target sequences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transcripts {
    /// The tokens to insert, delete or replace, in all sequences together.
    pub edits: u64,
    /// The tokens of the target sequences.
    pub tokens: u64,
    /// The sequences that need no edit.
    pub correct: u64,
    /// The sequences.
    pub sequences: u64,
}

impl Transcripts {
    /// Counts one sequence.
    pub fn count(&mut self, target: &[u32], generated: &[u32]) {
        let edits = edit_distance(target, generated);
        self.edits += edits as u64;
        self.tokens += target.len() as u64;
        self.correct += u64::from(edits == 0);
        self.sequences += 1;
    }

    /// Returns the edits per token of the target sequences: the phoneme error rate where tokens are phonemes.
    /// It exceeds 1 if the generated sequences are much too long.
    pub fn token_error_rate(&self) -> f64 {
        self.edits as f64 / self.tokens.max(1) as f64
    }

    /// Returns the share of sequences that are entirely correct.
    pub fn correct_share(&self) -> f64 {
        self.correct as f64 / self.sequences.max(1) as f64
    }
}

/// Returns the least number of insertions, deletions and replacements that turn `a` into `b` (Levenshtein,
/// 1966).
fn edit_distance(a: &[u32], b: &[u32]) -> usize {
    // The distances from a growing prefix of `a` to every prefix of `b`.
    let mut distances: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        distances[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = distances[j + 1];
            distances[j + 1] = replaced.min(diagonal + 1).min(distances[j] + 1);
        }
    }
    distances[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_textbook() {
        let distance = |a: &str, b: &str| {
            let ids = |text: &str| text.chars().map(u32::from).collect::<Vec<_>>();
            let found = edit_distance(&ids(a), &ids(b));
            assert_eq!(found, edit_distance(&ids(b), &ids(a)), "{a} {b}");
            found
        };
        assert_eq!((distance("kitten", "sitting"), distance("sunday", "saturday")), (3, 3));
        assert_eq!((distance("", "abc"), distance("abc", "abc"), distance("", "")), (3, 0, 0));
        assert_eq!((distance("abc", "bc"), distance("ab", "ba"), distance("abcd", "wxyz")), (1, 2, 4));
    }

    #[test]
    fn rates_are_over_all_tokens_and_nothing_is_no_division_by_zero() {
        let mut transcripts = Transcripts::default();
        assert_eq!((transcripts.token_error_rate(), transcripts.correct_share()), (0.0, 0.0));
        transcripts.count(&[1, 2, 3], &[1, 2, 3]);
        transcripts.count(&[4], &[4, 4, 4]);
        assert_eq!((transcripts.token_error_rate(), transcripts.correct_share()), (0.5, 0.5));
    }
}
