//! Data in every format: the same sequences lead to the same bits, and the first line says what was
//! understood.

use std::fs;
use std::io::Write;
use std::path::Path;

use tempfile::TempDir;

use crate::common::{error_line, output};
use crate::data::{Named, floats, folder, integers, write_npz};
use crate::detector::stdout;

const CONFIG: &str = r#"
name = "c"
[data]
file = "FILE"
[[layers]]
type = "GRU"
units = 3
[[layers]]
type = "Dense"
units = 3
activation = "softmax"
[training]
loss = "categorical_crossentropy"
epochs = 2
"#;

/// The classes in the order of their numbers.
const NAMES: [&str; 3] = ["down", "flat", "up, fast"];
const LENGTHS: [usize; 14] = [3, 1, 2, 4, 3, 2, 1, 4, 2, 3, 1, 2, 3, 4];

fn value(s: usize, t: usize, feature: usize) -> f32 {
    ((s * s * 5 + 7 * t + 11 * feature * (s + 1)) % 19) as f32 / 8.0 - 1.0
}

fn class(s: usize) -> usize {
    (s * s + s / 2) % 3
}

/// The first ten sequences are for training, the others for the test.
const PARTS: [(&str, std::ops::Range<usize>); 2] = [("train", 0..10), ("test", 10..14)];

/// Returns the arrays of `.npz`; `labels` returns the targets of a part.
fn arrays(labels: impl Fn(&str, &[i64]) -> Named) -> Vec<Named> {
    let part = |(part, numbers): (&str, std::ops::Range<usize>)| {
        let frames =
            numbers.clone().flat_map(|s| (0..LENGTHS[s]).flat_map(move |t| [value(s, t, 0), value(s, t, 1)]));
        let frames: Vec<f32> = frames.collect();
        let lengths: Vec<i64> = numbers.clone().map(|s| LENGTHS[s] as i64).collect();
        let classes: Vec<i64> = numbers.map(|s| class(s) as i64).collect();
        [
            floats(&format!("x_{part}"), &[frames.len() / 2, 2], &frames),
            integers(&format!("len_{part}"), &lengths),
            labels(&format!("y_{part}"), &classes),
        ]
    };
    PARTS.into_iter().flat_map(part).collect()
}

/// Returns an array of the names of classes.
fn names(name: &str, classes: &[i64]) -> Named {
    let width = NAMES.iter().map(|name| name.len()).max().unwrap();
    let code = |text: &str, k: usize| text.chars().nth(k).map_or(0, u32::from).to_le_bytes();
    let bytes =
        classes.iter().flat_map(|&class| (0..width).flat_map(move |k| code(NAMES[class as usize], k)));
    Named { name: name.to_owned(), descr: "<U8", shape: vec![classes.len()], bytes: bytes.collect() }
}

fn one_hot(name: &str, classes: &[i64]) -> Named {
    let rows = classes.iter().flat_map(|&class| (0..3).map(move |k| f32::from(k == class)));
    floats(name, &[classes.len(), 3], &rows.collect::<Vec<_>>())
}

fn one_hot_integers(name: &str, classes: &[i64]) -> Named {
    let rows: Vec<i64> =
        classes.iter().flat_map(|&class| (0..3).map(move |k| i64::from(k == class))).collect();
    Named { shape: vec![classes.len(), 3], ..integers(name, &rows) }
}

/// Trains on a file of a folder, and returns the bits of the model and whether the classes have names.
fn train(folder: &TempDir, file: &str) -> (Vec<u8>, bool) {
    fs::write(folder.path().join("c.toml"), CONFIG.replace("FILE", file)).unwrap();
    let printed = stdout(folder, &["train", "c.toml", "--out", "o"]);
    let first = printed.lines().next().unwrap();
    assert_eq!(first, format!("{file}: 10 sequences of 1 to 4 steps of 2 features, 3 classes"));
    assert!(printed.contains(" 2 validation sequences, 4 test sequences"), "{printed}");
    let history = fs::read(folder.path().join("o/history.csv")).unwrap();
    let named = stdout(folder, &["inspect", "o/model.ernn"]).contains("labels: down, flat, up, fast");
    if named {
        let table = stdout(folder, &["eval", "o/model.i8.ernn", "--data", file]);
        assert!(table.contains("up, fast"), "{table}");
    }
    (history, named)
}

fn text_of(name: &str, rows: impl Fn(usize) -> String, head: &str, folder: &Path) {
    let all = (0..14).map(rows).collect::<String>();
    fs::write(folder.join(name), format!("{head}{all}")).unwrap();
}

#[test]
fn the_same_sequences_in_every_format_lead_to_the_same_bits() {
    let folder = folder(CONFIG, &arrays(integers));
    let path = folder.path();
    let (golden, named) = train(&folder, "d.npz");
    assert!(!named);

    let texts = arrays(names);
    write_npz(&path.join("texts.npz"), &texts);
    write_npz(&path.join("hot.npz"), &arrays(one_hot));
    write_npz(&path.join("hot_integers.npz"), &arrays(one_hot_integers));
    // A folder of .npy files.
    let archive = fs::File::open(path.join("texts.npz")).unwrap();
    zip::ZipArchive::new(archive).unwrap().extract(path.join("npy")).unwrap();
    // A row per step; the label of the sequence stands in each.
    let row = |s: usize, t: usize| {
        let part = if s < 10 { "train" } else { "test" };
        format!("{s},{part},{t},{},\"{}\",{}\r\n", value(s, t, 0), NAMES[class(s)], value(s, t, 1))
    };
    let rows = |s: usize| (0..LENGTHS[s]).map(|t| row(s, t)).collect::<String>();
    text_of("w.csv", rows, "\u{feff}sequence,part,step,a,label,b\n", path);
    // The archive's format, whose classes have no commas.
    for (part, numbers) in PARTS {
        let line = |s: usize| {
            let of =
                |f: usize| (0..LENGTHS[s]).map(|t| value(s, t, f).to_string()).collect::<Vec<_>>().join(",");
            format!("{}:{}:{}\n", of(0), of(1), class(s))
        };
        let lines: String = numbers.map(line).collect();
        let head = "@problemName D\n@timeStamps false\n@classLabel true 0 1 2\n@data\n";
        fs::write(path.join(format!("D_{}.ts", part.to_uppercase())), format!("{head}{lines}")).unwrap();
    }
    for (file, has_names) in [
        ("texts.npz", true),
        ("hot.npz", false),
        ("hot_integers.npz", false),
        ("npy", true),
        ("w.csv", true),
        ("D_TRAIN.ts", false),
    ] {
        let (bits, named) = train(&folder, file);
        assert!(bits == golden, "{file}: another history");
        assert_eq!(named, has_names, "{file}");
    }
    // The order of the names is that of the config, and of the model.
    let config = CONFIG.replace("FILE\"", "texts.npz\"\nlabels = [\"up, fast\", \"down\", \"flat\"]");
    fs::write(path.join("c.toml"), config.replace("\"down\", ", "\"down\", \"x\", ")).unwrap();
    assert!(error_line(path, &["train", "c.toml"]).starts_with("c.toml: data.labels: 4 names"));
    fs::write(path.join("c.toml"), config.replace("\"flat\"", "\"other\"")).unwrap();
    let error = error_line(path, &["train", "c.toml"]);
    assert_eq!(error, "texts.npz: y_test: \"flat\" at [3] is not one of up, fast, down, other");
    fs::write(path.join("c.toml"), config).unwrap();
    stdout(&folder, &["train", "c.toml", "--out", "p"]);
    let score = |data: &str| stdout(&folder, &["eval", "p/model.ernn", "--data", data, "--json"]);
    assert_eq!(score("texts.npz").replace("texts.npz", ""), score("c.toml").replace("c.toml", ""));
}

/// Two speakers with 4 and 12 sequences: a fifth of the sequences would cut one of them.
#[test]
fn groups_are_not_cut_by_the_split() {
    let frames: Vec<f32> = (0..48).map(|k| value(k, 0, 1)).collect();
    let labels: Vec<i64> = (0..16).map(|s| s % 3).collect();
    let groups: Vec<i64> = (0..16).map(|s| if s % 4 == 1 { 7 } else { -3 }).collect();
    let arrays = |groups: &[i64]| {
        [floats("x", &[16, 3, 1], &frames), integers("y", &labels), integers("groups", groups)]
    };
    let folder = folder(&CONFIG.replace("FILE", "d.npz"), &arrays(&groups));
    let printed = stdout(&folder, &["train", "c.toml"]);
    assert!(printed.contains(" 12 training sequences, 4 validation sequences"), "{printed}");
    let rows = (0..16)
        .map(|s| format!("{s},{},{},{}\n", frames[s], labels[s], ["x", "b y"][usize::from(s % 4 == 1)]));
    let table = format!("sequence,x,label,group\n{}", rows.collect::<String>());
    fs::write(folder.path().join("w.csv"), table).unwrap();
    fs::write(folder.path().join("c.toml"), CONFIG.replace("FILE", "w.csv")).unwrap();
    let printed = stdout(&folder, &["train", "c.toml"]);
    assert!(printed.starts_with("w.csv: 16 sequences of 1 step of 1 feature, 3 classes\n"), "{printed}");
    assert!(printed.contains(" 12 training sequences, 4 validation sequences"), "{printed}");
    fs::write(folder.path().join("c.toml"), CONFIG.replace("FILE", "d.npz")).unwrap();
    for (groups, reason) in [
        (&groups[1..], "groups: its shape is [15], but there are 16 sequences"),
        (&[4; 16], "x: 1 groups are too few for a validation_split of 0.2"),
    ] {
        write_npz(&folder.path().join("d.npz"), &arrays(groups));
        assert_eq!(error_line(folder.path(), &["train", "c.toml"]), format!("d.npz: {reason}"));
    }
    write_npz(&folder.path().join("d.npz"), &arrays(&groups));
    assert_eq!(
        error_line(folder.path(), &["train", "c.toml", "--folds", "3"]),
        "d.npz: x: 2 groups are too few for 3 folds"
    );
}

#[test]
fn images_of_idx_files_have_a_row_per_step() {
    let folder = folder(&CONFIG.replace("FILE", "train-images-idx3-ubyte"), &[]);
    let write = |name: &str, axes: &[u8], values: &[u8]| {
        let mut file = fs::File::create(folder.path().join(name)).unwrap();
        file.write_all(&[0, 0, 8, axes.len() as u8]).unwrap();
        axes.iter().for_each(|&axis| file.write_all(&[0, 0, 0, axis]).unwrap());
        file.write_all(values).unwrap();
    };
    let bytes = |count: usize| (0..count).map(|k| (k * k % 251) as u8).collect::<Vec<_>>();
    let labels = |count: usize| (0..count).map(|k| (k % 3) as u8).collect::<Vec<_>>();
    for (name, count) in [("train", 12), ("t10k", 4)] {
        write(&format!("{name}-images-idx3-ubyte"), &[count, 5, 4], &bytes(20 * usize::from(count)));
        write(&format!("{name}-labels-idx1-ubyte"), &[count], &labels(usize::from(count)));
    }
    let printed = stdout(&folder, &["train", "c.toml", "--out", "o"]);
    let described = "train-images-idx3-ubyte: 12 sequences of 5 steps of 4 features, 3 classes\n";
    assert!(printed.starts_with(described) && printed.contains(" 4 test sequences"), "{printed}");
    fs::remove_file(folder.path().join("t10k-labels-idx1-ubyte")).unwrap();
    let error = error_line(folder.path(), &["train", "c.toml"]);
    assert!(error.contains("t10k-labels-idx1-ubyte: No such file"), "{error}");
}

#[test]
fn values_and_labels_per_step_of_tables_are_read() {
    let folder = folder(CONFIG, &[]);
    let describe = |text: &str| {
        fs::write(folder.path().join("w.csv"), text).unwrap();
        let output = output(folder.path(), &["init", "w.csv", "--force"]);
        let [out, error] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        out.lines().next().map_or(error.trim_end().to_owned(), str::to_owned)
    };
    let label = "w.csv: 2 sequences of 1 to 2 steps of 1 feature, 2 classes per step";
    assert_eq!(describe("sequence,x,label\na,1,0\na,2,1\nb,3,0\n"), label);
    let value = "w.csv: 2 sequences of 1 to 2 steps of 1 feature, 2 values";
    assert_eq!(describe("sequence,x,target_1,target_2\na,1,5,6\na,2,5,6\nb,3,7,8\n"), value);
    for (text, reason) in [
        ("", "line 1: no column `sequence`"),
        ("x,label\n1,0\n", "line 1: no column `sequence`"),
        ("sequence,x\n1,0\n", "line 1: no column `label` with classes and no `target` with values"),
        ("sequence,label\n1,0\n", "line 1: no columns of features"),
        ("sequence,x,x,label\n1,2,3,0\n", "line 1: the column \"x\" stands twice"),
        ("sequence,x,label\n", "no rows"),
        (
            "sequence,x,label\na,1,0\nb,2,0\na,3,0\n",
            "line 4: sequence a continues after another one: its rows must stand together",
        ),
        ("sequence,x,label\na,NaN,0\n", "line 2: \"NaN\" is not a finite number"),
        ("sequence,x,label\na,1\n", "line 2: 2 fields, but the first line has 3"),
        ("sequence,part,x,label\na,dev,1,0\n", "line 2: part \"dev\" is not train, val or test"),
        ("sequence,x,label\na,1,0\na,\u{fffd},0\n", "line 3: \"\u{fffd}\" is not a finite number"),
    ] {
        assert_eq!(describe(text), format!("ernn: w.csv: {reason}"), "{text}");
    }
    fs::write(folder.path().join("c.toml"), CONFIG.replace("FILE", "s.csv")).unwrap();
    fs::write(folder.path().join("s.csv"), "date,a\n2000-01,1\n").unwrap();
    assert_eq!(
        error_line(folder.path(), &["train", "c.toml"]),
        "s.csv: line 1: a series with a column `date` needs data.split_date and data.window"
    );
}
