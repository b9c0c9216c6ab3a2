//! Trainings that are killed at random moments, the writing of their files included, and resumed.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::{ernn, output};
use crate::data::{CONFIG, arrays, folder};

/// Kills per run of the test; `ERNN_KILLS=40` asks for more.
const KILLS: usize = 4;
const OUTPUTS: [&str; 5] =
    ["checkpoint.postcard", "model.ernn", "model.i8.ernn", "history.csv", "report.html"];

/// Returns the file, without the times in a report.
fn content(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let bytes = fs::read(folder.join(name)).ok()?;
    if name != "report.html" {
        return Some(bytes);
    }
    let text = String::from_utf8(bytes).expect("a whole report");
    assert!(text.trim_end().ends_with("</html>"), "half a report");
    Some(Vec::new())
}

#[test]
fn a_training_killed_at_random_moments_resumes_to_equal_bits() {
    let kills = std::env::var("ERNN_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let folder = folder(&CONFIG.replace("epochs = 4", "epochs = 60"), &arrays(20));
    let folder = folder.path();
    let start = Instant::now();
    assert!(output(folder, &["train", "c.toml", "--out", "whole"]).status.success());
    let whole_run = start.elapsed();

    let mut rng = ChaCha8Rng::seed_from_u64(kills as u64);
    let resume = ["train", "c.toml", "--out", "parts", "--resume"];
    let parts = folder.join("parts");
    for kill in 0..kills {
        let mut child = ernn(folder, &resume).stdout(Stdio::null()).spawn().unwrap();
        sleep(whole_run.mul_f64(rng.random_range(0.0..1.0)));
        child.kill().unwrap();
        child.wait().unwrap();
        // Files other than the checkpoint are written once, at the end: whole, or not at all.
        for name in &OUTPUTS[1..] {
            let found = content(&parts, name);
            let expected = content(&folder.join("whole"), name);
            assert!(found.is_none() || found == expected, "{name} after kill {kill}");
        }
    }
    assert!(output(folder, &resume).status.success());
    for name in OUTPUTS {
        assert!(content(&parts, name) == content(&folder.join("whole"), name), "{name} differs");
    }
    let names = fs::read_dir(&parts).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    assert!(names.iter().all(|name| !name.ends_with(".tmp")), "{names:?}");
}
