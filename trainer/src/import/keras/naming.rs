//! What Keras calls the groups and arrays of a layer.

/// Where in a layer weights are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// In itself.
    Own,
    /// In its cell.
    Cell,
    /// In the cell of the layer that reads forwards.
    Forward,
    /// In the cell of the layer that reads backwards.
    Backward,
    /// In the layer that it applies to every frame.
    Inner,
}

impl Part {
    /// Its groups in a `.keras` file.
    pub const fn path(self) -> &'static [&'static str] {
        match self {
            Self::Own => &[],
            Self::Cell => &["cell"],
            Self::Forward => &["forward_layer", "cell"],
            Self::Backward => &["backward_layer", "cell"],
            Self::Inner => &["layer"],
        }
    }

    /// Of the two directions, which it is.
    const fn direction(self) -> Option<usize> {
        match self {
            Self::Forward => Some(0),
            Self::Backward => Some(1),
            Self::Own | Self::Cell | Self::Inner => None,
        }
    }
}

/// What the groups of the layers of the two directions can be called: those of the forward one, those of the backward one.
pub type Directions = [[String; 2]; 2];

/// What an array is called, without its groups and TensorFlow's number of an output.
pub fn leaf(name: &str) -> &str {
    let last = name.rsplit('/').next().unwrap_or(name);
    last.strip_suffix(":0").unwrap_or(last)
}

/// Whether the array of this name is in this part: of the groups that are called like a direction, the innermost decides.
pub fn is_in(name: &str, part: Part, directions: &Directions) -> bool {
    let Some(own) = part.direction() else { return true };
    let direction = |group: &str| directions.iter().position(|names| names.iter().any(|name| name == group));
    name.rsplit('/').skip(1).find_map(direction) == Some(own)
}

/// A class as Keras names its groups: `SimpleRNN` becomes `simple_rnn`.
///
/// The two rules of its `to_snake_case`: an underscore goes before a capital that small letters follow, and between a small
/// letter and a capital.
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
