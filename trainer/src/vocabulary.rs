//! Ids by the names of their classes, as people write and read them.

use anyhow::{Context, Result, bail, ensure};
use strsim::jaro_winkler;

/// Ids from 0 on, and what they are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    size: usize,
    labels: Vec<String>,
}

/// How alike two names are at least, of 1, so that one may have been meant for the other.
const ALIKE: f64 = 0.8;
/// The most names that a refusal tells.
const TOLD: usize = 5;

impl Vocabulary {
    /// So many ids, each with a label, or all without.
    pub fn new(size: usize, labels: Vec<String>) -> Self {
        Self { size, labels }
    }

    /// The ids that are meant: the one whose label `text` is, or one for each part of it between spaces and commas.
    ///
    /// # Errors
    /// No part, or [one that is no id](Self::id).
    pub fn ids(&self, text: &str) -> Result<Vec<usize>> {
        if let Some(id) = self.labelled(text) {
            return Ok(vec![id]);
        }
        let parts = text.split([' ', ',']).filter(|part| !part.is_empty());
        let ids: Vec<usize> = parts.map(|part| self.id(part)).collect::<Result<_>>()?;
        ensure!(!ids.is_empty(), "{text:?} names nothing");
        Ok(ids)
    }

    /// The id that is meant: by its label, or by its number where no label is that.
    ///
    /// # Errors
    /// A number that is too large, and what is no label, with those that are like it.
    pub fn id(&self, name: &str) -> Result<usize> {
        if let Some(id) = self.labelled(name) {
            return Ok(id);
        }
        let last = self.size.saturating_sub(1);
        if let Ok(number) = name.parse::<i64>() {
            let id = usize::try_from(number).ok().filter(|&id| id < self.size);
            return id.with_context(|| format!("{number} is no id: there are 0 to {last}"));
        }
        ensure!(!self.labels.is_empty(), "{name:?}: the ids have no labels: give numbers, 0 to {last}");
        bail!("{name:?} is no label{}", self.candidates(name))
    }

    fn labelled(&self, name: &str) -> Option<usize> {
        self.labels.iter().position(|label| label == name)
    }

    /// What might have been meant, the likeliest first; if nothing, some labels that there are.
    fn candidates(&self, name: &str) -> String {
        let name = name.to_lowercase();
        let alike = |label: &String| jaro_winkler(&name, &label.to_lowercase());
        let mut near: Vec<(f64, &String)> = self.labels.iter().map(|label| (alike(label), label)).collect();
        near.retain(|(alike, _)| *alike >= ALIKE);
        near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let told = |labels: &mut dyn Iterator<Item = &String>| {
            labels.take(TOLD).map(|label| format!("{label:?}")).collect::<Vec<_>>().join(", ")
        };
        if !near.is_empty() {
            return format!("; like it: {}", told(&mut near.into_iter().map(|(_, label)| label)));
        }
        let rest = self.labels.len().saturating_sub(TOLD);
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        format!(": there are {}{more}", told(&mut self.labels.iter()))
    }

    /// The labels, those of single characters beside each other, others with spaces between; numbers where there are none.
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

/// A label from a file that may be anybody's, on one line and without what would move the cursor.
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
    fn what_names_nothing_is_refused_with_what_may_have_been_meant() {
        let words = vocabulary();
        assert_eq!(
            reason(&words, "a Japanees"),
            "\"Japanees\" is no label; like it: \"Japanese\", \"Javanese\""
        );
        assert_eq!(reason(&words, "A"), "\"A\" is no label; like it: \"a\"");
        let all = "\"end\", \"a\", \"b\", \"7\", \"Japanese\"";
        assert_eq!(reason(&words, "zzz"), format!("\"zzz\" is no label: there are {all} and 4 more"));
        assert_eq!(reason(&words, "9"), "9 is no id: there are 0 to 8");
        assert_eq!(reason(&words, "-1"), "-1 is no id: there are 0 to 8");
        let huge = "9".repeat(30);
        assert!(reason(&words, &huge).starts_with(&format!("\"{huge}\" is no label")));
        assert_eq!(reason(&words, " ,"), "\" ,\" names nothing");
        assert_eq!(
            reason(&Vocabulary::new(3, Vec::new()), "a"),
            "\"a\": the ids have no labels: give numbers, 0 to 2"
        );
    }

    #[test]
    fn only_single_characters_are_joined_and_nothing_moves_the_cursor() {
        let words = vocabulary();
        assert_eq!(words.text(&[1, 2, 4, 1, 3, 5, 8]), "ab Japanese a7 New York it's");
        assert_eq!(words.text(&[1, 6, 1]), "a\\na");
        assert_eq!(words.text(&[]), "");
        assert_eq!(Vocabulary::new(12, Vec::new()).text(&[1, 11, 2]), "1 11 2");
    }
}
