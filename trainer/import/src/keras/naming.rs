//! Names of the groups and arrays of a layer in Keras files.

/// The position of weights within a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubLayer {
    /// The layer itself.
    Own,
    /// Its cell.
    Cell,
    /// The cell of the forward layer.
    Forward,
    /// The cell of the backward layer.
    Backward,
    /// The layer that it applies to every frame.
    Inner,
}

impl SubLayer {
    /// Returns the groups in a `.keras` file.
    pub const fn path(self) -> &'static [&'static str] {
        match self {
            Self::Own => &[],
            Self::Cell => &["cell"],
            Self::Forward => &["forward_layer", "cell"],
            Self::Backward => &["backward_layer", "cell"],
            Self::Inner => &["layer"],
        }
    }

    /// Returns the index of the direction, for one of two directions.
    const fn direction(self) -> Option<usize> {
        match self {
            Self::Forward => Some(0),
            Self::Backward => Some(1),
            Self::Own | Self::Cell | Self::Inner => None,
        }
    }
}

/// The possible names of the groups of both directions: of the forward layer, of the backward layer.
pub type Directions = [[String; 2]; 2];

/// Returns the name of an array without its groups and without TensorFlow's output number.
pub fn leaf(name: &str) -> &str {
    let last = name.rsplit('/').next().unwrap_or(name);
    last.strip_suffix(":0").unwrap_or(last)
}

/// Returns whether the array of this name belongs to this sub-layer: among groups named like a direction, the
/// innermost counts.
pub fn belongs_to(name: &str, sub_layer: SubLayer, directions: &Directions) -> bool {
    let Some(own) = sub_layer.direction() else { return true };
    let direction = |group: &str| directions.iter().position(|names| names.iter().any(|name| name == group));
    name.rsplit('/').skip(1).find_map(direction) == Some(own)
}

/// Converts a class name to Keras's group name: `SimpleRNN` becomes `simple_rnn`.
///
/// These are the two rules of Keras's `to_snake_case`: an underscore goes before a capital that a small
/// letter follows, and between a small letter and a capital.
pub fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut name = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(at + 1);
        let begins = letter.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase);
        let breaks = letter.is_ascii_uppercase() && before.is_some_and(|before| before.is_ascii_lowercase());
        if before.is_some() && (begins || breaks) {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_in_snake_case() {
        for (class, name) in [
            ("LSTM", "lstm"),
            ("SimpleRNN", "simple_rnn"),
            ("TimeDistributed", "time_distributed"),
            ("SpatialDropout1D", "spatial_dropout1d"),
            ("ReLU", "re_lu"),
            ("ELU", "elu"),
        ] {
            assert_eq!(snake_case(class), name);
        }
    }
}
