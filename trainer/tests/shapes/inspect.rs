//! `ernn inspect`.

use std::path::Path;

use serde_json::{Value, json};

use crate::models::{
    FILES, LABELS, MASKED, MASKED_IDS, WHOLE, WRITES, encoder_decoder, folder, random, said,
};

fn object(folder: &Path, model: &str) -> Value {
    serde_json::from_str(&said(folder, &["inspect", model, "--json"])).unwrap()
}

/// The values of a key in all layers.
fn layers(model: &Value, key: &str) -> Vec<Value> {
    model["layers"].as_array().unwrap().iter().map(|layer| layer[key].clone()).collect()
}

#[test]
fn whole_sequences_tell_what_a_time_step_takes() {
    let folder = folder(&random(WHOLE, 2, 3), &[]);
    for model in FILES {
        let found = object(folder.path(), model);
        assert_eq!((&found["whole_sequences"], &found["encoder_decoder"]), (&json!(true), &json!(false)));
        let (ram, step) = (&found["ram_bytes"], found["ram_bytes_per_step"].as_u64().unwrap());
        assert!(step > 0);
        let text = said(folder.path(), &["inspect", model]);
        assert!(
            text.contains(&format!("\nRAM: {ram} bytes, and {step} for every time step of a sequence\n")),
            "{text}"
        );
        assert!(text.contains("\n2 features a step, a sequence a call, 3 outputs every step\n"), "{text}");
        assert_eq!(
            layers(&found, "go_backwards"),
            [false, false, false, true, false, true, false].map(Value::from)
        );
        let merge_mode = &layers(&found, "merge_mode")[4];
        assert_eq!(merge_mode, "concat");
        for (name, options) in [("bidirectional", "merge_mode=concat"), ("gru", "go_backwards")] {
            let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
            assert!(line.ends_with(&format!("  {options}")), "{line}");
        }
    }
}

#[test]
fn masks_and_ids_are_told() {
    let masked = folder(&random(MASKED, 2, 3), &[]);
    let ids = folder(&random(MASKED_IDS, 1, 3), &[]);
    for model in FILES {
        let found = object(masked.path(), model);
        assert_eq!(layers(&found, "mask_value")[..2], [json!(0.5), Value::Null]);
        assert_eq!((&found["input_ids"], &found["whole_sequences"]), (&Value::Null, &json!(false)));
        assert_eq!(found["ram_bytes_per_step"], 0);
        let found = object(ids.path(), model);
        assert_eq!((&found["input_ids"], &found["input_size"]), (&json!(6), &json!(1)));
        assert_eq!(layers(&found, "mask_zero")[..2], [true, false].map(Value::from));
        assert_eq!(layers(&found, "input_dim")[..2], [json!(6), Value::Null]);
        assert_eq!(layers(&found, "merge_mode")[3], "sum");
        let text = said(ids.path(), &["inspect", model]);
        assert!(
            text.contains("input_dim=6, mask_zero\n") && text.contains("\none of 6 ids a step, "),
            "{text}"
        );
        assert!(said(masked.path(), &["inspect", model]).contains("mask_value=0.5\n"));
    }
    let [plain, unusual] =
        ["", ", recurrent_activation = 'hard_sigmoid', activation = 'relu'"].map(|options| {
            let folder = folder(&random(&format!("{{ type = 'GRU', units = 3{options} }}"), 2, 3), &[]);
            (object(folder.path(), "m.ernn"), said(folder.path(), &["inspect", "m.ernn"]))
        });
    assert_eq!(layers(&plain.0, "recurrent_activation"), ["sigmoid"]);
    assert_eq!(layers(&unusual.0, "recurrent_activation"), ["hard_sigmoid"]);
    assert!(!plain.1.contains("options"), "{}", plain.1);
    assert!(unusual.1.contains(" relu ") && unusual.1.contains("recurrent_activation=hard_sigmoid\n"));
}

#[test]
fn the_layers_of_a_decoder_are_marked() {
    let folder = folder(&encoder_decoder(true, 185), &LABELS);
    for model in FILES {
        let found = object(folder.path(), model);
        assert_eq!(found["encoder_decoder"], true);
        assert_eq!(layers(&found, "decoder"), [false, false, true, true, true].map(Value::from));
        assert_eq!(layers(&found, "type"), ["Embedding", "GRU", "Embedding", "GRU", "Dense"]);
        let text = said(folder.path(), &["inspect", model]);
        assert!(text.contains("\none of 6 ids a step, then writes classes of 5\n"), "{text}");
        let line = text.lines().find(|line| line.starts_with("embedding_1")).unwrap();
        assert!(line.ends_with("  decoder, input_dim=5"), "{line}");
        // Over an Embedding of 3: 3 * 6 * (3 + 6), and the Dense.
        assert!(text.contains("\nMACs per step: 162 to read, 192 to write\n"), "{text}");
        assert_eq!(found["macs_per_step"], 162 + 192);
    }
}

/// What scripts rely on is called as it was.
#[test]
fn names_of_fields_stay() {
    let folder = folder(&random(WRITES, 1, 3), &LABELS);
    let found = object(folder.path(), "m.ernn");
    let keys = |value: &Value, keys: &[&str]| {
        keys.iter().for_each(|key| assert!(value.get(key).is_some(), "{key} is missing"));
    };
    keys(
        &found,
        &[
            "name",
            "producer",
            "dtype",
            "input_size",
            "output_size",
            "returns_sequences",
            "labels",
            "layers",
            "parameters",
            "flash_bytes",
            "ram_bytes",
            "ram_bytes_per_step",
            "macs_per_step",
            "self_test",
        ],
    );
    keys(
        &found["layers"][0],
        &[
            "name",
            "type",
            "input_size",
            "units",
            "activation",
            "recurrent_activation",
            "return_sequences",
            "go_backwards",
            "parameters",
            "macs_per_step",
            "origin",
        ],
    );
}
