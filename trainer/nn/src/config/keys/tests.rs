use std::collections::BTreeSet;

use super::super::{Config, DataConfig, EarlyStopping, ReduceLrOnPlateau, Training};
use super::*;
use crate::layers::{LayerConfig, NAMES};

/// Returns the error of a table with a key that does not exist.
fn error_of<T: serde::de::DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
    toml::from_str::<T>(&format!("{text}\nno_such_key = 1")).unwrap_err().message().to_owned()
}

/// Returns the error of an unknown key in the table with this head.
fn error(head: &str) -> String {
    match head {
        "name, data, layers, training" => error_of::<Config>(""),
        "[data]" => error_of::<DataConfig>(""),
        "[training]" => error_of::<Training>(""),
        "[training.early_stopping]" => error_of::<EarlyStopping>(""),
        "[training.reduce_lr_on_plateau]" => error_of::<ReduceLrOnPlateau>(""),
        layer => error_of::<LayerConfig>(layer),
    }
}

/// Returns the keys that the type of a table accepts, which the error of an unknown key lists.
fn accepted(head: &str) -> BTreeSet<String> {
    let error = error(head);
    let (_, expected) = error.split_once(", expected ").unwrap_or_else(|| panic!("{head}: {error}"));
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_page_has_every_key_of_every_table() {
    for Section { head, keys, .. } in sections() {
        let named: Vec<String> = keys.iter().copied().flatten().map(|key| key.name.to_owned()).collect();
        assert_eq!(named.iter().cloned().collect::<BTreeSet<_>>(), accepted(head), "{head}");
        assert_eq!(named.len(), accepted(head).len(), "{head} has a key twice");
    }
    let heads: BTreeSet<&str> = sections().map(|section| section.head).collect();
    for name in NAMES {
        assert!(heads.contains(format!("type = \"{name}\"").as_str()), "{name}");
    }
}

/// Checks that the defaults that are values of TOML have the right type.
#[test]
fn defaults_are_values_of_their_keys() {
    let mut checked = 0;
    for Section { head, keys, .. } in sections().filter(|section| section.head != "[data]") {
        for Key { name, default, .. } in keys.iter().copied().flatten() {
            let value = default.split(';').next().unwrap_or_default().trim_matches('`');
            let text = format!("{name} = {value}");
            if toml::from_str::<toml::Table>(&text).is_err() {
                continue;
            }
            let found = match *head {
                "[training]" => {
                    toml::from_str::<Training>(&format!("loss = 'mse'\nepochs = 1\n{text}")).err()
                }
                "[training.early_stopping]" => toml::from_str::<EarlyStopping>(&text).err(),
                "[training.reduce_lr_on_plateau]" => toml::from_str::<ReduceLrOnPlateau>(&text).err(),
                layer => {
                    let whole = format!("{layer}\n{text}\n");
                    let needed = [
                        "units = 1",
                        "input_dim = 1\noutput_dim = 1",
                        "layer = { type = 'GRU', units = 1 }",
                        "rate = 0.5",
                        "",
                    ];
                    let parse = |needed: &str| toml::from_str::<LayerConfig>(&(whole.clone() + needed)).err();
                    needed.into_iter().map(parse).reduce(|a, b| a.and(b)).flatten()
                }
            };
            assert!(found.is_none(), "{head}: {text}: {}", found.unwrap().message());
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked}");
}
