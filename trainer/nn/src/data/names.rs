//! The names of the arrays in an `.npz` data set. An array that is not read would go unnoticed: without its
//! lengths, for example, padding is trained on.

use anyhow::{Result, bail};
use strsim::sorensen_dice;

use super::source::Source;

/// The suffixes of the names of the parts of a data set.
pub(super) const PARTS: [&str; 4] = ["", "_train", "_val", "_test"];
/// The most characters of an unknown name in an error.
const SHOWN: usize = 64;

/// Returns the names of the frames, the targets, the lengths, the lengths of the targets, the weights, and
/// the groups of a part.
pub(super) fn part_names(part: &str) -> [String; 6] {
    ["x", "y", "len", "len_y", "sample_weight", "groups"].map(|name| format!("{name}{part}"))
}

/// Rejects arrays that are not among those of `parts`. Texts are no data and may have any name: the names of
/// classes, for example.
pub(super) fn check_names(npz: &mut Source, parts: &[&str]) -> Result<()> {
    let names = npz.names()?;
    let expected: Vec<String> = parts.iter().flat_map(|part| part_names(part)).collect();
    for name in names.iter().filter(|name| !expected.contains(name)) {
        if let Some(part) = PARTS.into_iter().find(|part| part_names(part).contains(name)) {
            match part {
                "" => bail!("{name}: not used beside x{}", parts[0]),
                "_val" | "_test" if npz.has("x_train") => bail!("{name}: not used without x{part}"),
                _ => bail!("{name}: not used without x_train"),
            }
        }
        if !npz.is_text(name) {
            let shown: String = name.escape_debug().take(SHOWN).collect();
            let missing = expected.iter().filter(|expected| !names.contains(expected));
            match nearest(name, missing) {
                Some(known) => bail!("{shown}: unknown array; the nearest known name is {known}"),
                None => bail!("{shown}: unknown array; known names are {}", expected.join(", ")),
            }
        }
    }
    Ok(())
}

/// Returns the name that shares the most pairs of letters with `name`.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let scores = known.map(|known| (sorensen_dice(name, known), known)).filter(|(score, _)| *score > 0.0);
    // The first of equals.
    scores.reduce(|best, other| if other.0 > best.0 { other } else { best }).map(|(_, known)| known)
}
