//! Words and their pronunciations, from the CMU pronouncing dictionary, which has one pronunciation per line.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use crate::npz::{Arrays, Sequences};
use crate::package::out_of_tgz;
use crate::set::Made;
use crate::words::{is_for_test, letters};

/// The phonemes in alphabetical order, without the digits of stress. Their ids start at 1.
const PHONEMES: [&str; 39] = [
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY",
    "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y",
    "Z", "ZH",
];
/// Range of a word's letters.
const LETTERS: std::ops::RangeInclusive<usize> = 3..=10;

/// Converts the package into arrays.
pub fn make(tgz: &[u8]) -> Result<Made> {
    let text = String::from_utf8(out_of_tgz(tgz, "package/data/dict.txt")?)?;
    let words = pronunciations(&text)?;
    let mut parts = [(); 2].map(|()| (Sequences::<u8>::new(1), Sequences::<u8>::new(1)));
    for (word, phonemes) in &words {
        let (x, y) = &mut parts[usize::from(is_for_test(word))];
        x.push(&letters(word).unwrap_or_default());
        y.push(phonemes);
    }
    let [(train, _), (test, _)] = &parts;
    let summary = format!("{} words for training and {} for the test", train.len(), test.len());
    let mut arrays = Arrays::new();
    for (part, (x, y)) in ["train", "test"].iter().zip(&parts) {
        arrays.add_sequences([&format!("x_{part}"), &format!("len_{part}")], x)?;
        arrays.add(&format!("y_{part}"), &[y.frames.len()], &y.frames)?;
        arrays.add(&format!("len_y_{part}"), &[y.len()], &y.lengths)?;
    }
    Ok(Made { arrays, summary })
}

/// Returns the first pronunciation of every word that has only letters. The other pronunciations, marked
/// `(1)`, are thereby left out.
fn pronunciations(text: &str) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut words = BTreeMap::new();
    for line in text.lines() {
        let (word, phonemes) =
            line.split_once("  ").with_context(|| format!("{line:?}: no word with phonemes"))?;
        let word = word.to_lowercase();
        if LETTERS.contains(&word.len()) && letters(&word).is_some() {
            let ids = phonemes.split(' ').map(phoneme).collect::<Result<_>>()?;
            ensure!(words.insert(word, ids).is_none(), "{line:?}: the word occurs twice");
        }
    }
    Ok(words)
}

/// Returns the id of a phoneme, for every stress.
fn phoneme(symbol: &str) -> Result<u8> {
    let plain = symbol.trim_end_matches(|c: char| c.is_ascii_digit());
    let place = PHONEMES.iter().position(|&known| known == plain);
    Ok(place.with_context(|| format!("{symbol:?} is not a phoneme"))? as u8 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_the_first_pronunciation_without_stress() {
        let text = "A  AH0\nABBE  AE1 B IY0\nABBE(1)  AE0 B EY1\nABBEY'S  AE1 B IY0 Z\n";
        let words = pronunciations(text).unwrap();
        assert_eq!(words.into_iter().collect::<Vec<_>>(), [("abbe".to_owned(), vec![2, 7, 18])]);
    }

    #[test]
    fn unknown_phonemes_are_named() {
        assert_eq!(pronunciations("ABC  EY1 B4 XX").unwrap_err().to_string(), "\"XX\" is not a phoneme");
        assert!(pronunciations("ABC EY1").is_err());
    }
}
