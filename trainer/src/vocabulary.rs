//! Vocabularies: ids and their labels.

use anyhow::{Context, Result, bail, ensure};
use strsim::jaro_winkler;

/// The ids from 0, and their labels if they have any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    size: usize,
    labels: Vec<String>,
}

/// Minimum Jaro-Winkler similarity (at most 1) of the labels that an error suggests.
const MIN_SIMILARITY: f64 = 0.8;
/// Limit of the labels in an error.
const MAX_SUGGESTIONS: usize = 5;

impl Vocabulary {
    /// Creates a vocabulary of `size` ids; `labels` has one entry per id, or is empty.
    pub fn new(size: usize, labels: Vec<String>) -> Self {
        Self { size, labels }
    }

    /// Returns the ids in `text`: one if the whole text is a label, else one per part between spaces and
    /// commas.
    ///
    /// # Errors
    /// No part, or a part that [is not an id](Self::id).
    pub fn ids(&self, text: &str) -> Result<Vec<usize>> {
        if let Some(id) = self.with_label(text) {
            return Ok(vec![id]);
        }
        let parts = text.split([' ', ',']).filter(|part| !part.is_empty());
        let ids: Vec<usize> = parts.map(|part| self.id(part)).collect::<Result<_>>()?;
        ensure!(!ids.is_empty(), "{text:?} contains no label and no id");
        Ok(ids)
    }

    /// Returns the id of a label, or of a number in decimal if no label equals it.
    ///
    /// # Errors
    /// A number outside the vocabulary, or an unknown label, with similar labels.
    pub fn id(&self, name: &str) -> Result<usize> {
        if let Some(id) = self.with_label(name) {
            return Ok(id);
        }
        let last = self.size.saturating_sub(1);
        if let Ok(number) = name.parse::<i64>() {
            let id = usize::try_from(number).ok().filter(|&id| id < self.size);
            return id.with_context(|| format!("{number} is not an id: the ids are 0 to {last}"));
        }
        ensure!(!self.labels.is_empty(), "{name:?} is not an id: the ids are 0 to {last}, without labels");
        bail!("{name:?} is not a label{}", self.suggestions(name))
    }

    fn with_label(&self, name: &str) -> Option<usize> {
        self.labels.iter().position(|label| label == name)
    }

    /// Returns the labels most similar to `name`, or the first labels if none is similar.
    fn suggestions(&self, name: &str) -> String {
        let name = name.to_lowercase();
        let similarity = |label: &String| jaro_winkler(&name, &label.to_lowercase());
        let mut similar: Vec<(f64, &String)> =
            self.labels.iter().map(|label| (similarity(label), label)).collect();
        similar.retain(|(similarity, _)| *similarity >= MIN_SIMILARITY);
        similar.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let list = |labels: &mut dyn Iterator<Item = &String>| {
            labels.take(MAX_SUGGESTIONS).map(|label| format!("{label:?}")).collect::<Vec<_>>().join(", ")
        };
        if !similar.is_empty() {
            return format!("; similar: {}", list(&mut similar.into_iter().map(|(_, label)| label)));
        }
        let rest = self.labels.len().saturating_sub(MAX_SUGGESTIONS);
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        format!("; the labels are {}{more}", list(&mut self.labels.iter()))
    }

    /// Returns the labels of `ids` as text, with a space between two labels unless both are single
    /// characters. An id without a label is a number.
    pub fn text(&self, ids: &[usize]) -> String {
        let single = |id: usize| self.labels.get(id).is_some_and(|label| label.chars().count() == 1);
        let mut text = String::new();
        for (k, &id) in ids.iter().enumerate() {
            if k > 0 && !(single(ids[k - 1]) && single(id)) {
                text.push(' ');
            }
            text += &self.labels.get(id).map_or_else(|| id.to_string(), |label| printable(label));
        }
        text
    }
}

/// Escapes the control characters of a label: a file from an unknown source must not control the terminal.
fn printable(label: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    label.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        let labels = ["end", "a", "b", "7", "Japanese", "New York", "\n", "Javanese", "it's"];
        Vocabulary::new(labels.len(), labels.map(str::to_owned).to_vec())
    }

    fn reason(vocabulary: &Vocabulary, text: &str) -> String {
        vocabulary.ids(text).unwrap_err().to_string()
    }

    #[test]
    fn labels_come_before_numbers() {
        let words = vocabulary();
        assert_eq!(words.ids("Japanese, a,b  8").unwrap(), [4, 1, 2, 8]);
        assert_eq!(words.ids("New York").unwrap(), [5]);
        assert_eq!(words.ids("7 6").unwrap(), [3, 6]);
        assert_eq!(Vocabulary::new(3, Vec::new()).ids("2,0 1").unwrap(), [2, 0, 1]);
    }

    #[test]
    fn unknown_labels_are_rejected_with_suggestions() {
        let words = vocabulary();
        assert_eq!(
            reason(&words, "a Japanees"),
            "\"Japanees\" is not a label; similar: \"Japanese\", \"Javanese\""
        );
        assert_eq!(reason(&words, "A"), "\"A\" is not a label; similar: \"a\"");
        let all = "\"end\", \"a\", \"b\", \"7\", \"Japanese\"";
        assert_eq!(reason(&words, "zzz"), format!("\"zzz\" is not a label; the labels are {all} and 4 more"));
        assert_eq!(reason(&words, "9"), "9 is not an id: the ids are 0 to 8");
        assert_eq!(reason(&words, "-1"), "-1 is not an id: the ids are 0 to 8");
        let huge = "9".repeat(30);
        assert!(reason(&words, &huge).starts_with(&format!("\"{huge}\" is not a label")));
        assert_eq!(reason(&words, " ,"), "\" ,\" contains no label and no id");
        assert_eq!(
            reason(&Vocabulary::new(3, Vec::new()), "a"),
            "\"a\" is not an id: the ids are 0 to 2, without labels"
        );
    }

    #[test]
    fn single_characters_are_joined_and_control_characters_escaped() {
        let words = vocabulary();
        assert_eq!(words.text(&[1, 2, 4, 1, 3, 5, 8]), "ab Japanese a7 New York it's");
        assert_eq!(words.text(&[1, 6, 1]), "a\\na");
        assert_eq!(words.text(&[]), "");
        assert_eq!(Vocabulary::new(12, Vec::new()).text(&[1, 11, 2]), "1 11 2");
    }
}
