//! Programs that must not compile, and the reason that the compiler gives.
//!
//! The text of the compiler changes from version to version, so each program is checked for the words that
//! are this crate's, or for the code of the error.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program and a part of the reason why it does not compile; `None` if it does.
const PROGRAMS: [(&str, &str, Option<&str>); 8] = [
    ("fits", "session.step(&[0.5, -0.25]);", None),
    ("wrong_length", "session.step(&[0.5, -0.25, 1.0]);", Some("error[E0308]")),
    ("wrong_dtype", "session.step(&[1i16, 2]);", Some("error[E0308]")),
    (
        "over_budget",
        "const _: () = assert!(model::RAM <= 64, \"the model exceeds 64 bytes of RAM\");",
        Some("the model exceeds 64 bytes of RAM"),
    ),
    ("not_a_model", "OTHER Cargo.toml", Some("Cargo.toml is not a model file: it does not begin with ERNN")),
    ("damaged", "OTHER damaged.ernn", Some("damaged.ernn: the file is damaged, its CRC-32 differs")),
    ("short", "OTHER short.ernn", Some("short.ernn: the file is cut short")),
    ("ids", "OTHER letters.ernn", Some("the model takes ids: `step_id` instead of `step`")),
];

fn program(body: &str) -> String {
    let (file, body) = match body.strip_prefix("OTHER ") {
        Some(file) => (file, "session.step(&[0; model::INPUT]);"),
        None => ("tiny.ernn", body),
    };
    format!(
        "embedded_rnn::model!(pub model = \"../../{file}\");\n\
         fn main() {{\n\
             let mut ram = model::Ram::new();\n\
             let mut session = model::Session::new(&mut ram).unwrap();\n\
             session.reset();\n\
             {body}\n\
         }}\n"
    )
}

/// Writes a package with a program for each row.
fn write_package(folder: &Path) {
    // Of this run: the package may have been built in another folder.
    let runtime = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the test"));
    fs::create_dir_all(folder.join("src/bin")).unwrap();
    let manifest = format!(
        "[package]\nname = \"programs\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\nembedded-rnn.path = {runtime:?}\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    let tiny = fs::read(runtime.join("tests/data/tiny.ernn")).unwrap();
    let mut damaged = tiny.clone();
    damaged[200] ^= 1;
    let letters = fs::read(runtime.join("tests/data/letters.i8.ernn")).unwrap();
    let files = [
        ("tiny.ernn", &tiny[..]),
        ("damaged.ernn", &damaged),
        ("short.ernn", &tiny[..500]),
        ("letters.ernn", &letters),
    ];
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
    for (name, body, _) in PROGRAMS {
        fs::write(folder.join("src/bin").join(name).with_extension("rs"), program(body)).unwrap();
    }
    // The same versions as in the workspace, so that nothing is to be looked up.
    if let Ok(lock) = fs::read(runtime.join("../Cargo.lock")) {
        fs::write(folder.join("Cargo.lock"), lock).unwrap();
    }
}

#[test]
fn programs_are_rejected_for_the_right_reason() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_fail");
    write_package(&folder);
    for (name, _, reason) in PROGRAMS {
        // `build`, for what the compiler evaluates when it makes code of a generic function.
        let output = Command::new(env!("CARGO"))
            .args(["build", "--offline", "--quiet", "--bin", name])
            .current_dir(&folder)
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), reason.is_none(), "{name}: {stderr}");
        assert!(stderr.contains(reason.unwrap_or_default()), "{name}: {stderr}");
    }
}
