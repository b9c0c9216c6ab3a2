//! `ernn init`: configs that fit data of each kind, trained as they are.

use std::fs;

use crate::common::{error_line, output};
use crate::data::{CONFIG, Named, arrays, floats, folder, integers};
use crate::detector::{self, stdout};

fn grid(name: &str, shape: &[usize], values: &[i64]) -> Named {
    Named { shape: shape.to_vec(), ..integers(name, values) }
}

/// Returns ids below a limit, with the largest one among them.
fn ids(count: usize, below: i64) -> Vec<i64> {
    let mut next = 7u32;
    let mut id = || {
        next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        i64::from(next >> 16) % below
    };
    std::iter::once(below - 1).chain((1..count).map(|_| id())).collect()
}

fn noise(count: usize) -> Vec<f32> {
    (0..count).map(|k| ((k * k * 7 + 11 * k) % 23) as f32 / 23.0 - 0.5).collect()
}

#[test]
fn configs_of_every_kind_of_data_train_as_they_are() {
    let pairs = vec![
        grid("x", &[20, 3], &ids(60, 6)),
        integers("len", &ids(20, 3).iter().map(|length| length + 1).collect::<Vec<_>>()),
        grid("y", &[20, 2], &ids(40, 4).iter().map(|id| id + 1).collect::<Vec<_>>()),
        integers("len_y", &ids(20, 2).iter().map(|length| length + 1).collect::<Vec<_>>()),
    ];
    let classes = vec![floats("x", &[30, 4, 3], &noise(360)), integers("y", &ids(30, 5))];
    let values = vec![floats("x", &[30, 4, 3], &noise(360)), floats("y", &[30, 2], &noise(60))];
    let per_step = vec![floats("x", &[20, 4, 2], &noise(160)), grid("y", &[20, 4], &ids(80, 3))];
    // Ids and classes that only the test part has.
    let text = vec![
        grid("x_train", &[20, 4], &ids(80, 9)),
        grid("y_train", &[20, 4], &ids(80, 9)),
        grid("x_test", &[4, 4], &ids(16, 12)),
        grid("y_test", &[4, 4], &ids(16, 10)),
    ];
    for (arrays, described, expected) in [
        (classes, "30 sequences of 4 steps of 3 features, 5 classes", &["Normalization", "softmax"][..]),
        (
            detector::arrays(),
            "60 sequences of 4 steps of 2 features, 2 classes",
            &["Normalization", "binary_crossentropy"],
        ),
        (values, "30 sequences of 4 steps of 3 features, 2 values", &["Normalization", "loss = \"mse\""]),
        (per_step, "20 sequences of 4 steps of 2 features, 3 classes per step", &["return_sequences = true"]),
        (
            text,
            "20 sequences of 4 steps of 1 feature, 9 classes per step",
            &["input_dim = 12", "units = 12\nactivation = \"softmax\""],
        ),
        (
            pairs,
            "20 sequences of 1 to 3 steps of 1 feature, targets of 1 to 2 steps of 5 classes",
            &["[[encoder]]", "input_dim = 5"],
        ),
        (arrays(3), "16 sequences of 3 steps of 2 features, 2 classes", &["units = 1\n"]),
    ] {
        let folder = folder(CONFIG, &arrays);
        let printed = stdout(&folder, &["init", "d.npz"]);
        let wrote = "Wrote d.toml; train it with: ernn train d.toml";
        assert_eq!(printed, format!("d.npz: {described}\n{wrote}\n"));
        let text = fs::read_to_string(folder.path().join("d.toml")).unwrap();
        for part in expected.iter().chain(&[described, "validation_split = 0.2"]) {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
        let trained = stdout(&folder, &["train", "d.toml", "--out", "o"]);
        assert!(trained.starts_with(&format!("d.npz: {described}\n")), "{trained}");
        assert!(folder.path().join("o/model.i8.ernn").exists());
    }
}

#[test]
fn the_config_of_a_series_trains_from_another_folder() {
    let folder = folder(CONFIG, &arrays(3));
    let rows = (0..60).map(|k| format!("{}-{:02},{}\n", 2000 + k / 12, k % 12 + 1, 100 + 2 * k + k * k % 7));
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("my series.csv"), format!("date,price\n{}", rows.collect::<String>()))
        .unwrap();
    let printed = stdout(&folder, &["init", "my series.csv", "-o", "sub/p.toml"]);
    assert!(
        printed.starts_with("my series.csv: a series of 60 values of price\nWrote sub/p.toml"),
        "{printed}"
    );
    let trained = stdout(&folder, &["train", "sub/p.toml", "--out", "o"]);
    assert!(
        trained.contains("Forecast of the changes of price, 12 from 2004-01-01 to 2004-12-01"),
        "{trained}"
    );
    let text = fs::read_to_string(folder.path().join("sub/p.toml")).unwrap();
    assert!(text.contains("name = \"my_series\"") && text.contains("split_date = \"2004-01-01\""), "{text}");
}

#[test]
fn a_config_is_replaced_only_if_that_is_asked_for() {
    let folder = folder(CONFIG, &arrays(3));
    let path = folder.path();
    assert_eq!(error_line(path, &["init", "d.npz", "-o", "c.toml"]), "c.toml: exists; --force replaces it");
    assert_eq!(fs::read_to_string(path.join("c.toml")).unwrap(), CONFIG);
    stdout(&folder, &["init", "d.npz", "-o", "c.toml", "--force"]);
    assert_ne!(fs::read_to_string(path.join("c.toml")).unwrap(), CONFIG);
    assert!(error_line(path, &["init", "no.npz"]).starts_with("no.npz: "));
    assert!(!path.join("no.toml").exists());
    // A template names data that there are not yet.
    assert!(stdout(&folder, &["init"]).starts_with("Wrote config.toml; enter the data and the layers"));
    assert!(error_line(path, &["train", "config.toml"]).starts_with("data.npz: "));
}

#[test]
fn the_page_of_the_keys_is_that_of_the_docs() {
    let folder = folder(CONFIG, &arrays(3));
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/config.md");
    let is_current = fs::read_to_string(page).unwrap() == stdout(&folder, &["init", "--keys"]);
    assert!(is_current, "write it again: ernn init --keys > docs/config.md");
    let help = String::from_utf8(output(folder.path(), &["train", "--help"]).stdout).unwrap();
    assert!(help.contains("docs/config.md"), "{help}");
}

/// Six channels of 40 steps in the wrong order of axes.
#[test]
fn a_transposed_array_is_suspected_aloud() {
    let wave = |s: usize, channel: usize, t: usize| {
        (t as f32 * 0.2 + channel as f32 + s as f32).sin() + 2.0 * channel as f32
    };
    let x = |transposed: bool| -> Vec<f32> {
        let at = |s, k: usize| if transposed { wave(s, k / 40, k % 40) } else { wave(s, k % 6, k / 6) };
        (0..16).flat_map(|s| (0..240).map(move |k| at(s, k))).collect()
    };
    let config = CONFIG.replace("epochs = 4", "epochs = 1");
    let labels = || integers("y_train", &(0..16).map(|s| s % 2).collect::<Vec<_>>());
    let warning = |array| {
        let folder = folder(&config, &[array, labels()]);
        let output = output(folder.path(), &["train", "c.toml"]);
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap().lines().filter(|line| line.contains("transposed")).count()
    };
    assert_eq!(warning(floats("x_train", &[16, 6, 40], &x(true))), 1);
    assert_eq!(warning(floats("x_train", &[16, 40, 6], &x(false))), 0);
}
