//! Family names by nationality, from name2nat, which contains names of people as a pickled dictionary.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use deunicode::deunicode;
use serde_pickle::DeOptions;

use crate::npz::{Arrays, Sequences};
use crate::package::out_of_wheel;
use crate::set::Made;
use crate::words::{draw, is_for_test, letters};

/// Frequent nationalities whose names look different. The first input of a name is its nationality's id, from
/// 27 on, above those of the letters.
const NATIONALITIES: [&str; 10] = [
    "English",
    "French",
    "German",
    "Italian",
    "Russian",
    "Dutch",
    "Indian",
    "Japanese",
    "Norwegian",
    "Chinese",
];
const FIRST_NATIONALITY: u8 = 27;
/// Id of the end of a name.
const END: u8 = 0;
/// Limit of different names per nationality.
const MAX_NAMES: usize = 4000;

/// Converts the package into arrays.
pub fn make(wheel: &[u8]) -> Result<Made> {
    let pickled = out_of_wheel(wheel, "name2nat/name2nats.pkl")?;
    let people: HashMap<String, Vec<String>> = serde_pickle::from_slice(&pickled, DeOptions::new())?;
    let mut families = [(); NATIONALITIES.len()].map(|()| HashSet::new());
    for (person, nationalities) in &people {
        // The name of a person with several nationalities can come from any of them.
        let [nationality] = &nationalities[..] else { continue };
        if let Some(place) = NATIONALITIES.iter().position(|known| known == nationality) {
            families[place].extend(family(person));
        }
    }
    let mut parts = [(); 2].map(|()| (Sequences::<u8>::new(1), Vec::new()));
    for (families, first) in families.into_iter().zip(FIRST_NATIONALITY..) {
        for name in draw(families.into_iter().collect(), MAX_NAMES) {
            let spelled = letters(&name).unwrap_or_default();
            let (x, y) = &mut parts[usize::from(is_for_test(&name))];
            x.push(&[&[first], &spelled[..]].concat());
            y.extend(spelled);
            y.push(END);
        }
    }
    let [(train, _), (test, _)] = &parts;
    let summary = format!("{} names for training and {} for the test", train.len(), test.len());
    let mut arrays = Arrays::new();
    for (part, (x, y)) in ["train", "test"].iter().zip(&parts) {
        arrays.add_sequences([&format!("x_{part}"), &format!("len_{part}")], x)?;
        arrays.add(&format!("y_{part}"), &[y.len()], y)?;
    }
    Ok(Made { arrays, summary })
}

/// Returns the last word of a person's name as 3 to 12 letters a to z, without accents. A word in
/// parentheses, with an apostrophe or a hyphen, or that is a number like VIII is rejected.
fn family(person: &str) -> Option<String> {
    let plain = deunicode(person).to_lowercase();
    let word = plain.split_whitespace().last()?;
    let fits = (3..=12).contains(&word.len()) && letters(word).is_some();
    let number = word.chars().all(|c| "ivx".contains(c));
    (fits && !number).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn family_names_are_folded_to_letters() {
        let family = |person| family(person).unwrap_or_default();
        assert_eq!(family("Andrei Tarkovsky"), "tarkovsky");
        assert_eq!(family("Kjell Bækkelund"), "baekkelund");
        assert_eq!(family("Jürgen Großmann"), "grossmann");
        assert_eq!(family("Henry VIII"), "");
        assert_eq!(family("John Smith (actor)"), "");
        assert_eq!(family("Yao Mo"), "");
        assert_eq!(family("Conan O'Brien"), "");
    }
}
