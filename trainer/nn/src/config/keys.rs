//! Every key of a config with its default, unit and meaning: the page docs/config.md.
//!
//! The tables are compared with the keys that the types of the config accept, so none can be missing.

mod layers;
mod training;

use layers::LAYERS;
use training::{EARLY_STOPPING, REDUCE_LR_ON_PLATEAU, TRAINING};

/// A table of a config.
pub(super) struct Section {
    /// The head of the table in a config.
    head: &'static str,
    /// What the table describes.
    about: &'static str,
    keys: &'static [&'static [Key]],
}

/// A key of a table.
pub(super) struct Key {
    name: &'static str,
    /// The default; `required` if there is none.
    default: &'static str,
    /// The unit or the type of the value.
    unit: &'static str,
    meaning: &'static str,
}

/// Builds a key; the order is that of the columns of the page.
const fn key(name: &'static str, default: &'static str, unit: &'static str, meaning: &'static str) -> Key {
    Key { name, default, unit, meaning }
}

const ROOT: &[Key] = &[
    key("name", "required", "text", "the name of the model and of the default output folder"),
    key("data", "required", "table", "the data"),
    key(
        "encoder",
        "none",
        "tables",
        "the layers of an encoder, whose final states the decoder, `layers`, starts from",
    ),
    key("layers", "required", "tables", "the layers, from the input to the output"),
    key("training", "required", "table", "the training"),
];

const DATA: &[Key] = &[
    key(
        "file",
        "required",
        "path",
        "a [data set](training.md#data) or the `.csv` file of a series, relative to the config",
    ),
    key(
        "validation_split",
        "0.2; 0 if the file has `x_val`",
        "share, 0 to 1",
        "the share of the training sequences that is split off for validation: drawn by the seed, from each \
         class its share; of a series the last",
    ),
    key("labels", "none", "list of texts", "the names of the classes, in the order of their numbers"),
    key(
        "split_date",
        "required for a series",
        "`YYYY-MM-DD` or `YYYY-MM`",
        "of a series: the first date of the test part",
    ),
    key(
        "window",
        "required for a series",
        "values",
        "of a series: the values from which the next is forecast",
    ),
    key(
        "difference",
        "false",
        "true, false",
        "of a series: whether the changes are learned in place of the values",
    ),
];

/// Returns all tables in the order of the page.
fn sections() -> impl Iterator<Item = &'static Section> {
    const FIRST: &[Section] = &[
        Section { head: "name, data, layers, training", about: "The top of the file", keys: &[ROOT] },
        Section { head: "[data]", about: "The data", keys: &[DATA] },
    ];
    const LAST: &[Section] = &[
        Section { head: "[training]", about: "The training", keys: &[TRAINING] },
        Section {
            head: "[training.early_stopping]",
            about: "The end of a training where a score no longer improves, Keras's `EarlyStopping`",
            keys: &[EARLY_STOPPING],
        },
        Section {
            head: "[training.reduce_lr_on_plateau]",
            about: "The reduction of the learning rate where a score no longer improves, Keras's \
                    `ReduceLROnPlateau`",
            keys: &[REDUCE_LR_ON_PLATEAU],
        },
    ];
    FIRST.iter().chain(LAYERS).chain(LAST)
}

/// Returns the page in Markdown.
pub fn page() -> String {
    let mut page = String::from(
        "# The keys of a config\n\n\
         `ernn init --keys` prints this page, and `ernn init DATA` writes a config that fits a data set.\n\
         [training.md](training.md) explains how the keys work together. Names and defaults are Keras's.\n\
         The tables of the layers are `[[layers]]`, in an encoder `[[encoder]]`; each has a `type`.\n",
    );
    for Section { head, about, keys } in sections() {
        page += &format!("\n## `{head}`\n\n{about}.\n\n");
        if keys.iter().all(|keys| keys.is_empty()) {
            page += "It has no keys but `name`.\n";
            continue;
        }
        page += "| key | default | unit | meaning |\n|---|---|---|---|\n";
        for Key { name, default, unit, meaning } in keys.iter().copied().flatten() {
            page += &format!("| `{name}` | {default} | {unit} | {meaning} |\n");
        }
    }
    page
}

#[cfg(test)]
mod tests;
