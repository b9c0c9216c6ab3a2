//! How good written sequences are, counted by what it takes to make the right ones of them.

/// What was written, against what is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transcripts {
    /// Tokens to insert, to delete or to replace, all sequences together.
    pub edits: u64,
    /// Tokens of the right sequences.
    pub tokens: u64,
    /// Sequences that need no edit.
    pub right: u64,
    /// Sequences.
    pub sequences: u64,
}

impl Transcripts {
    /// Counts one sequence.
    pub fn count(&mut self, right: &[u32], written: &[u32]) {
        let edits = edit_distance(right, written);
        self.edits += edits as u64;
        self.tokens += right.len() as u64;
        self.right += u64::from(edits == 0);
        self.sequences += 1;
    }

    /// Edits for each token of the right sequences: the phoneme error rate where tokens are phonemes. More than 1 if
    /// much too much was written.
    pub fn token_error_rate(&self) -> f64 {
        self.edits as f64 / self.tokens.max(1) as f64
    }

    /// The share of the sequences that are right altogether.
    pub fn right_share(&self) -> f64 {
        self.right as f64 / self.sequences.max(1) as f64
    }
}

/// The fewest insertions, deletions and replacements that make `b` of `a` (Levenshtein, 1966).
fn edit_distance(a: &[u32], b: &[u32]) -> usize {
    // To every beginning of `b`, from a beginning of `a` that grows.
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
        assert_eq!((transcripts.token_error_rate(), transcripts.right_share()), (0.0, 0.0));
        transcripts.count(&[1, 2, 3], &[1, 2, 3]);
        transcripts.count(&[4], &[4, 4, 4]);
        assert_eq!((transcripts.token_error_rate(), transcripts.right_share()), (0.5, 0.5));
    }
}
