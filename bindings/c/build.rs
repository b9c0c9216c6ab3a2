//! Writes the constant `FEATURES`, the kinds of layers and calls that the library contains: those of the
//! model files that the environment variable `ERNN_MODELS` lists, or all.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=ERNN_MODELS");
    let models: Vec<PathBuf> =
        env::var_os("ERNN_MODELS").map(|list| env::split_paths(&list).collect()).unwrap_or_default();
    let features: Vec<String> = models.iter().map(features_of).collect();
    let features =
        if features.is_empty() { "embedded_rnn::ALL_FEATURES".to_owned() } else { features.join(" | ") };
    let text = format!(
        "/// Kinds of layers and calls that the library contains.\npub const FEATURES: u32 = {features};\n"
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("features.rs");
    fs::write(&out, text).unwrap_or_else(|error| panic!("writing {}: {error}", out.display()));
}

/// Returns the expression of a model's features, which fails the build if the file is no model.
fn features_of(model: &PathBuf) -> String {
    let path = fs::canonicalize(model)
        .unwrap_or_else(|error| panic!("ERNN_MODELS, absolute paths: {}: {error}", model.display()));
    println!("cargo::rerun-if-changed={}", path.display());
    format!(
        "{{ const MODEL: &[u8] = include_bytes!({path:?}); \
         assert!(embedded_rnn::is_model(MODEL), \"ERNN_MODELS names a file that is no model\"); \
         embedded_rnn::features(MODEL) }}"
    )
}
