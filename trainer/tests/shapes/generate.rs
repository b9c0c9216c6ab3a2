//! `ernn generate`.

use std::fs;
use std::path::Path;

use embedded_rnn_trainer::initializers::{Purpose, stream_of};
use embedded_rnn_trainer::loss::argmax;
use embedded_rnn_trainer::sampling::sample;
use embedded_rnn_trainer::session::{RunMode, Session};
use tempfile::TempDir;

use crate::arrays::{write_frames, write_integers, write_padded};
use crate::common::error_line;
use crate::models::{
    CLASSIFIER, FILES, GENERATIVE, LABELS, MASKED_IDS, WHOLE, encoder_decoder, folder, ids, random, stdout,
};

fn writer() -> TempDir {
    folder(&random(GENERATIVE, 1, 3), &LABELS)
}

/// Returns the classes after `start`, up to the class `end`, from a model that processes the whole sequence
/// again for each class.
fn expected(
    path: &Path,
    start: &[f32],
    end: Option<usize>,
    temperature: f64,
    k: u64,
    seed: u64,
) -> Vec<usize> {
    let model = Session::read(path).unwrap();
    let mut rng = stream_of(seed, Purpose::Sample, k, 0);
    let (mut read, mut generated) = (start.to_vec(), Vec::new());
    while generated.len() < 20 {
        let outputs = model.predict(&read, RunMode::Sequence).unwrap();
        let output = &outputs[outputs.len() - 5..];
        let class = if temperature == 0.0 { argmax(output) } else { sample(output, temperature, &mut rng) };
        if Some(class) == end {
            break;
        }
        generated.push(class);
        read.push(class as f32);
    }
    generated
}

fn lines(folder: &Path, args: &str) -> Vec<serde_json::Value> {
    let args: Vec<&str> = ["generate"].into_iter().chain(args.split(' ')).chain(["--json"]).collect();
    stdout(folder, &args).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_class_is_the_output_for_all_classes_before_it() {
    writes_by_all_before(GENERATIVE);
}

/// A model without `return_sequences` has an output for every time step if it runs step by step.
#[test]
fn models_with_one_output_per_sequence_generate_too() {
    writes_by_all_before(&GENERATIVE.replace(", return_sequences = true", ""));
}

fn writes_by_all_before(layers: &str) {
    let folder = folder(&random(layers, 1, 3), &LABELS);
    let folder = folder.path();
    let mut texts = Vec::new();
    for model in FILES {
        for (temperature, seed) in [(0.0, 0), (0.7, 5), (1.0, 0), (2.5, 9)] {
            let args = format!(
                "{model} --start a,3,b --count 4 --steps 20 --temperature {temperature} --seed {seed}"
            );
            let found = lines(folder, &args);
            assert_eq!(found.len(), 4);
            for (k, line) in (0..).zip(&found) {
                let start = [1.0, 3.0, 2.0];
                let right = expected(&folder.join(model), &start, Some(0), temperature, k, seed);
                assert_eq!(line["ids"], serde_json::json!(right), "{args}");
                assert_eq!(line["ended"], right.len() < 20);
            }
            texts.push(found.iter().map(|line| line["text"].clone()).collect::<Vec<_>>());
        }
    }
    // The probabilities of f32 and i8 are so close that the samples are the same.
    assert_eq!(texts[1], texts[9], "f32 and i8");
    assert_ne!(texts[1][0], texts[1][1], "each sequence has samples of its own");
    assert_ne!(texts[2], texts[3], "another seed");
}

#[test]
fn another_class_or_none_ends_the_sequence() {
    let folder = writer();
    let path = folder.path().join("m.ernn");
    for (args, end) in [("--end 7", Some(4)), ("--end 1", Some(1)), ("--no-end", None)] {
        let found = lines(folder.path(), &format!("m.ernn --start a --steps 20 --count 3 {args}"));
        for (k, line) in (0..).zip(&found) {
            assert_eq!(line["ids"], serde_json::json!(expected(&path, &[1.0], end, 1.0, k, 0)), "{args}");
        }
        assert!(end.is_some() || found.iter().all(|line| line["ids"].as_array().unwrap().len() == 20));
    }
}

#[test]
fn a_line_is_a_sequence_of_labels_and_a_seed_reproduces_it() {
    let folder = writer();
    let run = |args: &[&str]| {
        stdout(folder.path(), &[&["generate", "m.ernn", "--start", "New York"], args].concat())
    };
    let text = run(&["--no-end", "--steps", "40", "--count", "3"]);
    assert_eq!(text.lines().count(), 3);
    assert!(text.contains("New York ") && (text.contains("ab") || text.contains("ba")), "{text}");
    assert_eq!(text, run(&["--no-end", "--steps", "40", "--count", "3", "--seed", "0"]));
    assert!(
        text.starts_with(&run(&["--no-end", "--steps", "40"])),
        "the first sequence does not depend on the count"
    );
    let nameless = crate::models::folder(&random(GENERATIVE, 1, 3), &[]);
    let numbers =
        stdout(nameless.path(), &["generate", "m.ernn", "--start", "3", "--no-end", "--steps", "9"]);
    assert!(numbers.trim().split(' ').all(|number| number.parse::<u16>().unwrap() < 5), "{numbers}");
    assert_eq!(numbers.trim().split(' ').count(), 9);
}

#[test]
fn arrays_produce_count_lines_per_row() {
    let folder = writer();
    let folder = folder.path();
    let starts = ids(&[3, 1, 4], 5);
    write_padded(folder, &starts);
    let found = lines(folder, "m.i8.ernn --input x.npy --lengths len.npy --count 2 --temperature 0");
    assert_eq!(found.len(), 6);
    for (pair, start) in found.chunks(2).zip(&starts) {
        let start: Vec<String> = start.iter().map(i64::to_string).collect();
        let alone = lines(folder, &format!("m.i8.ernn --start {} --temperature 0", start.join(",")));
        assert!(pair.iter().all(|line| *line == alone[0]));
    }
}

#[test]
fn an_encoder_decoder_generates_the_sequences_of_its_network() {
    let pair = encoder_decoder(true, 185);
    let folder = folder(&pair, &LABELS);
    let sources = ids(&[5, 2, 3, 7], 6);
    write_padded(folder.path(), &sources);
    let found = lines(folder.path(), "m.ernn --input x.npy --lengths len.npy --temperature 0 --steps 9");
    for (line, source) in found.iter().zip(&sources) {
        let source: Vec<f32> = source.iter().map(|&id| id as f32).collect();
        assert_eq!(line["ids"], serde_json::json!(pair.0.decode(&source, 9)));
    }
    assert_ne!(found[0], found[1], "other sources");
    let args: Vec<String> = sources[1].iter().map(i64::to_string).collect();
    let alone = lines(folder.path(), &format!("m.ernn --start {} --temperature 0 --steps 9", args.join(",")));
    assert_eq!(alone[0], found[1]);
    let sampled = lines(folder.path(), "m.i8.ernn --start 1,2 --count 20 --steps 9");
    assert!(sampled.iter().any(|line| *line != sampled[0]), "the default is to sample");
}

#[test]
fn an_encoder_of_features_takes_an_array() {
    let pair = encoder_decoder(false, 210);
    let folder = folder(&pair, &LABELS);
    write_frames(folder.path(), &[2, 6, 2], &pair.1);
    let found = lines(folder.path(), "m.ernn --input x.npy --temperature 0 --steps 9");
    for (line, source) in found.iter().zip(pair.1.chunks(12)) {
        assert_eq!(line["ids"], serde_json::json!(pair.0.decode(source, 9)));
    }
    let reason = "m.ernn: --start: the inputs are 2 features per time step, not ids: use --input";
    assert_eq!(error_line(folder.path(), &["generate", "m.ernn", "--start", "a"]), reason);
}

#[test]
fn invalid_arguments_are_rejected_in_one_line() {
    let folder = writer();
    let folder = folder.path();
    let rejected = |args: &str, reason: &str| {
        let args: Vec<&str> = ["generate", "m.ernn"].into_iter().chain(args.split(' ')).collect();
        let found = error_line(folder, &args);
        assert!(found.starts_with(reason), "{args:?}: {found}");
    };
    rejected("--start b,New,York", "m.ernn: --start: \"New\" is not a label");
    rejected("--start Newyork", "m.ernn: --start: \"Newyork\" is not a label; similar: \"New York\"");
    rejected("--start 5", "m.ernn: --start: 5 is not an id: the ids are 0 to 4");
    rejected("--start=-1", "m.ernn: --start: -1 is not an id: the ids are 0 to 4");
    rejected("--start ,", "m.ernn: --start: \",\" contains no label and no id");
    rejected("--start a --end c", "m.ernn: --end: \"c\" is not a label");
    rejected("--start a --end 9", "m.ernn: --end: 9 is not an id: the ids are 0 to 4");
    rejected("--start a --end b --no-end", "the argument '--end <LABEL>' cannot be used with '--no-end'");
    for temperature in ["-1", "-0.5", "nan", "NaN", "-inf", "hot", ""] {
        rejected(
            &format!("--start a --temperature={temperature}"),
            &format!("invalid value '{temperature}' for"),
        );
    }
    for number in ["count", "steps"] {
        for value in ["0", "-1", "1.5", "x"] {
            rejected(&format!("--start a --{number} {value}"), &format!("invalid value '{value}' for"));
        }
    }
    rejected("--start a --steps 1048577", "invalid value '1048577' for");
    rejected("--start a --seed -1", "invalid value '-1' for");
    rejected("--seed 1", "the following required arguments were not provided");
    rejected("--start a --input x.npy", "the argument '--start <LABELS>' cannot be used with");
    rejected("--start a --lengths len.npy", "the argument '--start <LABELS>' cannot be used with '--lengths");
    rejected("--input none.npy", "none.npy: No such file");
    write_integers(&folder.join("x.npy"), &[2, 2], &[0, 1, 2, 5]);
    rejected("--input x.npy", "x.npy: 5 at step 1 of sequence 1 is not an id: the Embedding has 0 to 4");
}

#[test]
fn models_that_cannot_generate_are_rejected_in_one_line() {
    let reason = |layers: &str, features: usize, labels: &[&str], args: &str| {
        let folder = folder(&random(layers, features, 3), labels);
        FILES.map(|model| {
            let args: Vec<&str> = ["generate", model].into_iter().chain(args.split(' ')).collect();
            error_line(folder.path(), &args).strip_prefix(model).unwrap().to_owned()
        })
    };
    let [first, .., last] = reason(CLASSIFIER, 1, &[], "--start 1");
    assert_eq!(first, ": 6 input ids, but 3 outputs: the outputs cannot become the next inputs");
    assert_eq!(first, last);
    let whole = MASKED_IDS.replace("units = 3", "units = 6");
    let ends = ": the model requires whole sequences, as a layer runs backwards: it cannot run step by step";
    assert_eq!(reason(&whole, 1, &[], "--start 1")[0], ends);
    let features =
        ": the inputs are 2 features per time step, not ids: the outputs cannot become the next inputs";
    assert_eq!(reason(WHOLE, 2, &[], "--start 1")[2], features);
    assert_eq!(
        reason(GENERATIVE, 1, &[], "--start a")[0],
        ": --start: \"a\" is not an id: the ids are 0 to 4, without labels"
    );
    let linear = GENERATIVE.replace("'softmax'", "'linear'");
    assert!(
        reason(&linear, 1, &[], "--start 1")[0].starts_with(": --temperature: the outputs are no probab")
    );
    let largest = folder(&random(&linear, 1, 3), &[]);
    stdout(largest.path(), &["generate", "m.ernn", "--start", "1", "--temperature", "0"]);
    fs::write(largest.path().join("m.ernn"), "ERNN").unwrap();
    assert!(
        error_line(largest.path(), &["generate", "m.ernn", "--start", "1"])
            .starts_with("m.ernn: model file truncated")
    );
}
