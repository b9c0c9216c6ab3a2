//! Words and how they are said: out of the CMU pronouncing dictionary, a line a pronunciation.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::Made;
use super::npz::{Arrays, Sequences};
use super::package::out_of_tgz;
use super::words::{is_for_test, letters};

/// The phonemes, in the alphabet's order, without the digits of stress. Their ids count from 1.
const PHONEMES: [&str; 39] = [
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY",
    "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y",
    "Z", "ZH",
];
/// Letters of a word.
const LETTERS: std::ops::RangeInclusive<usize> = 3..=10;

/// From the package to the arrays.
pub fn make(tgz: &[u8]) -> Result<Made> {
    let text = String::from_utf8(out_of_tgz(tgz, "package/data/dict.txt")?)?;
    let said = pronunciations(&text)?;
    let mut parts = [(); 2].map(|()| (Sequences::<u8>::new(1), Sequences::<u8>::new(1)));
    for (word, phonemes) in &said {
        let (x, y) = &mut parts[usize::from(is_for_test(word))];
        x.push(&letters(word).unwrap_or_default());
        y.push(phonemes);
    }
    let [(train, _), (test, _)] = &parts;
    let what = format!("{} words to train on and {} to test on", train.len(), test.len());
    let mut arrays = Arrays::new();
    for (part, (x, y)) in ["train", "test"].iter().zip(&parts) {
        arrays.add_sequences([&format!("x_{part}"), &format!("len_{part}")], x)?;
        arrays.add(&format!("y_{part}"), &[y.frames.len()], &y.frames)?;
        arrays.add(&format!("len_y_{part}"), &[y.len()], &y.lengths)?;
    }
    Ok(Made { arrays, what })
}

/// The first pronunciation of every word of letters alone; the others, marked `(1)`, are no words of letters.
fn pronunciations(text: &str) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut said = BTreeMap::new();
    for line in text.lines() {
        let (word, phonemes) =
            line.split_once("  ").with_context(|| format!("{line:?}: no word and phonemes"))?;
        let word = word.to_lowercase();
        if LETTERS.contains(&word.len()) && letters(&word).is_some() {
            let ids = phonemes.split(' ').map(phoneme).collect::<Result<_>>()?;
            ensure!(said.insert(word, ids).is_none(), "{line:?}: the word was there already");
        }
    }
    Ok(said)
}

/// The id of a phoneme, whatever its stress.
fn phoneme(symbol: &str) -> Result<u8> {
    let plain = symbol.trim_end_matches(|c: char| c.is_ascii_digit());
    let place = PHONEMES.iter().position(|&known| known == plain);
    Ok(place.with_context(|| format!("{symbol:?} is no phoneme"))? as u8 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_the_first_pronunciation_without_stress() {
        let text = "A  AH0\nABBE  AE1 B IY0\nABBE(1)  AE0 B EY1\nABBEY'S  AE1 B IY0 Z\n";
        let said = pronunciations(text).unwrap();
        assert_eq!(said.into_iter().collect::<Vec<_>>(), [("abbe".to_owned(), vec![2, 7, 18])]);
    }

    #[test]
    fn what_is_not_understood_is_said() {
        assert_eq!(pronunciations("ABC  EY1 B4 XX").unwrap_err().to_string(), "\"XX\" is no phoneme");
        assert!(pronunciations("ABC EY1").is_err());
    }
}
