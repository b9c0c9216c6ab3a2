use super::*;

const GOOD: &str = r#"
name = "toy"
[data]
file = "toy.npz"
[[layers]]
type = "LSTM"
units = 4
return_sequences = true
[[layers]]
type = "LSTM"
units = 3
[[layers]]
type = "Dense"
units = 2
activation = "softmax"
[training]
loss = "categorical_crossentropy"
epochs = 3
"#;

/// What is said of the good config with `from` replaced by `to`, without the file's name.
fn reason(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, GOOD.replacen(from, to, 1)).unwrap();
    let line = crate::commands::one_line(&Config::read(&path).unwrap_err());
    assert!(!line.contains('\n'));
    line.strip_prefix(&format!("{}: ", path.display())).expect("begins with the file").to_owned()
}

#[test]
fn defaults_are_those_of_keras() {
    let config: Config = toml::from_str(GOOD).unwrap();
    config.check().unwrap();
    assert_eq!(config.chains()[0].names, ["lstm", "lstm_1", "dense"]);
    let Training { learning_rate, batch_size, optimizer, .. } = config.training;
    assert_eq!((learning_rate, batch_size, optimizer), (1e-3, 32, Optimizer::Adam));
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    for (from, to, said) in [
        ("epochs = 3", "epoch = 3", "line 18: unknown field `epoch`"),
        ("epochs = 3", "epochs = \"3\"", "line 18: invalid type: string"),
        ("epochs = 3", "epochs = 0", "training.epochs: 0"),
        (
            "epochs = 3",
            "epochs = 3\nlearning_rate = -1.0",
            "training.learning_rate: -1 is not a positive number",
        ),
        ("units = 3", "units = 0", "layers[1] (lstm_1): units: 0 is not between"),
        ("units = 3", "unit = 3", "line 9: layers[1]: unknown field `unit`"),
        ("\"LSTM\"", "\"LTSM\"", "line 5: layers[0]: unknown variant `LTSM`"),
        ("return_sequences = true", "", "layers[1] (lstm_1): expects sequences"),
        ("\"softmax\"", "\"relu\"", "training.loss: categorical_crossentropy needs"),
        ("type = \"Dense\"", "type = \"Dense\"\nname = \"lstm\"", "layers[2].name: \"lstm\" is taken"),
        ("\"toy\"", "\"../toy\"", "name: \"../toy\" is to become"),
        ("[data]", "[data", "line 3: "),
        (
            "\"toy.npz\"",
            "\"toy.npz\"\nlabels = [\"a\"]",
            "data.labels: 1 names, but the network has 2 outputs",
        ),
        ("\"toy.npz\"", "\"toy.npz\"\nlabels = [\"a\", \"a\"]", "data.labels[1]: \"a\" is taken"),
        ("\"toy.npz\"", "\"toy.npz\"\nlabels = [\"a\", \"\\t\"]", "data.labels[1]: \"\\t\" cannot be read"),
    ] {
        let line = reason(from, to);
        assert!(line.starts_with(said), "{to:?}: {line}");
    }
}

#[test]
fn cosine_goes_from_the_rate_to_nothing() {
    let mut training = toml::from_str::<Config>(GOOD).unwrap().training;
    assert_eq!(training.rate(50, 100), 1e-3);
    training.learning_rate_schedule = Schedule::CosineDecay;
    assert_eq!((training.rate(0, 100), training.rate(100, 100)), (1e-3, 0.0));
    assert!((training.rate(50, 100) - 5e-4).abs() < 1e-12);
}

#[test]
fn networks_that_no_memory_holds_are_refused_before_they_are_made() {
    let refused = |units: &str, features| {
        let config: Config = toml::from_str(&GOOD.replacen("units = 4", units, 1)).unwrap();
        config.check_size(features).unwrap_err().to_string()
    };
    assert!(refused("units = 65536", 1).starts_with("layers[0] (lstm): with it the network has 17180393472"));
    assert!(refused("units = 4", usize::MAX).starts_with("layers[0] (lstm): with it the network has"));
    // 4 * 4000 * (4000 + 2) and then 4 * 3 * (4000 + 4)
    assert!(
        toml::from_str::<Config>(&GOOD.replacen("units = 4", "units = 4000", 1))
            .unwrap()
            .check_size(1)
            .is_ok()
    );
}
