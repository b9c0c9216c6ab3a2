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

const PAIRS: &str = r#"
name = "toy"
[data]
file = "toy.npz"
[[encoder]]
type = "Embedding"
input_dim = 7
output_dim = 3
[[encoder]]
type = "LSTM"
units = 4
[[layers]]
type = "Embedding"
input_dim = 5
output_dim = 2
[[layers]]
type = "LSTM"
units = 4
return_sequences = true
[[layers]]
type = "Dense"
units = 5
activation = "softmax"
[training]
loss = "categorical_crossentropy"
epochs = 3
"#;

/// Returns the error of a valid config with `from` replaced by `to`, without the file name.
fn reason(good: &str, from: &str, to: &str) -> String {
    assert!(good.contains(from), "{from}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, good.replacen(from, to, 1)).unwrap();
    let line = crate::output::one_line(&Config::read(&path).unwrap_err());
    assert!(!line.contains('\n'));
    line.strip_prefix(&format!("{}: ", path.display())).expect("begins with the file").to_owned()
}

#[test]
fn defaults_are_those_of_keras() {
    let config: Config = toml::from_str(GOOD).unwrap();
    config.check().unwrap();
    assert_eq!(config.chains()[0].names, ["lstm", "lstm_1", "dense"]);
    let Training { batch_size, optimizer, .. } = config.training;
    assert_eq!((config.training.initial_rate(), batch_size, optimizer), (1e-3, 32, Optimizer::Adam));
}

#[test]
fn invalid_configs_are_rejected_with_its_place() {
    for (from, to, expected) in [
        ("epochs = 3", "epoch = 3", "line 18: unknown field `epoch`; the nearest is `epochs`"),
        ("epochs = 3", "epochs = \"3\"", "line 18: invalid type: string"),
        ("epochs = 3", "epochs = 0", "training.epochs: 0"),
        (
            "epochs = 3",
            "epochs = 3\nlearning_rate = -1.0",
            "training.learning_rate: -1 is not a positive number",
        ),
        ("units = 3", "units = 0", "layers[1] (lstm_1): units: 0 is not between"),
        ("units = 3", "unit = 3", "line 9: layers[1]: unknown field `unit`; the nearest is `units`"),
        ("\"LSTM\"", "\"LTSM\"", "line 5: layers[0]: unknown variant `LTSM`; the nearest is `LSTM`"),
        ("return_sequences = true", "", "layers[1] (lstm_1): expects sequences"),
        ("\"softmax\"", "\"relu\"", "training.loss: categorical_crossentropy needs"),
        ("type = \"Dense\"", "type = \"Dense\"\nname = \"lstm\"", "layers[2].name: \"lstm\" is taken"),
        ("\"toy\"", "\"../toy\"", "name: \"../toy\" is to become"),
        ("[data]", "[data", "line 3: "),
        (
            "epochs = 3",
            "epochs = 3\nqq = 1",
            "line 19: unknown field `qq`, expected one of `loss`, `label_smooth",
        ),
        ("[training]", "[trainig]", "line 16: unknown field `trainig`; the nearest is `training`"),
        ("epochs = 3", "epochs = 3\ndelta = 1.0", "training.delta: not used by the loss categorical_cross"),
        (
            "categorical",
            "binary",
            "training.loss: binary_crossentropy needs a Dense layer with activation sig",
        ),
        (
            "epochs = 3",
            "epochs = 3\nclass_weight = { 2 = 4 }",
            "training.class_weight: \"2\" is neither the name of a class nor a number below 2",
        ),
        (
            "\"toy.npz\"",
            "\"toy.npz\"\nlabels = [\"a\"]",
            "data.labels: 1 names, but the network has 2 classes",
        ),
        ("\"toy.npz\"", "\"toy.npz\"\nlabels = [\"a\", \"a\"]", "data.labels[1]: \"a\" is taken"),
        ("\"toy.npz\"", "\"toy.npz\"\nlabels = [\"a\", \"\\t\"]", "data.labels[1]: \"\\t\" cannot be read"),
    ] {
        let line = reason(GOOD, from, to);
        assert!(line.starts_with(expected), "{to:?}: {line}");
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
fn networks_that_no_memory_holds_are_rejected_before_they_are_made() {
    let rejection = |units: &str, features| {
        let config: Config = toml::from_str(&GOOD.replacen("units = 4", units, 1)).unwrap();
        config.check_size(features).unwrap_err().to_string()
    };
    assert!(
        rejection("units = 65536", 1).starts_with("layers[0] (lstm): with it the network has 17180393472")
    );
    assert!(rejection("units = 4", usize::MAX).starts_with("layers[0] (lstm): with it the network has"));
    // 4 * 4000 * (4000 + 2) and then 4 * 3 * (4000 + 4)
    assert!(
        toml::from_str::<Config>(&GOOD.replacen("units = 4", "units = 4000", 1))
            .unwrap()
            .check_size(1)
            .is_ok()
    );
}

/// The tables of the encoder and those of the decoder, by their first lines.
const ENCODER: &str = "[[encoder]]\ntype = \"LSTM\"\n";
const DECODER: &str = "[[layers]]\ntype = \"LSTM\"\nunits = 4\nreturn_sequences = true\n";

#[test]
fn encoders_and_decoders_that_do_not_fit_are_rejected_with_the_place() {
    let config: Config = toml::from_str(PAIRS).unwrap();
    config.check().unwrap();
    let names: Vec<_> = config.chains().into_iter().map(|chain| chain.names).collect();
    assert_eq!(names, [vec!["embedding", "lstm"], vec!["embedding_1", "lstm_1", "dense"]]);
    let bidirectional = "[[encoder]]\ntype = \"Bidirectional\"\nlayer = { type = \"LSTM\", units = 4 }\n#";
    let dense = "[[encoder]]\ntype = \"Dense\"\n";
    for (from, to, expected) in [
        ("[[encoder]]\ntype", "[[encoder]]\ntyp", "line 5: encoder[0]: "),
        (
            ENCODER,
            "[[encoder]]\ntype = \"GRU\"\n",
            "layers[1] (lstm): its state comes from encoder[1] (gru), which is another",
        ),
        (
            DECODER,
            &DECODER.replace('4', "3"),
            "layers[1] (lstm_1): units: 3, but its state comes from encoder[1] (lstm), which has 4",
        ),
        (
            DECODER,
            &DECODER.replace("true", "false"),
            "layers[1] (lstm_1): return_sequences: a decoder needs an output",
        ),
        (
            DECODER,
            &format!("{DECODER}go_backwards = true\n"),
            "layers[1] (lstm_1): go_backwards: a decoder generates",
        ),
        (DECODER, &DECODER.repeat(2), "layers: 2 recurrent layers, but the encoder has 1"),
        (DECODER, "", "layers: 0 recurrent layers, but the encoder has 1"),
        (
            DECODER,
            "[[layers]]\ntype = \"Bidirectional\"\n\
             layer = { type = \"LSTM\", units = 4, return_sequences = true }\n",
            "layers[1] (bidirectional): a decoder generates",
        ),
        (ENCODER, bidirectional, "encoder[1] (bidirectional): an encoder must run in one direction"),
        (ENCODER, dense, "encoder[1] (dense): an encoder must end in a recurrent layer"),
        (
            "input_dim = 5",
            "input_dim = 6",
            "layers[0] (embedding_1): input_dim: 6, but the decoder generates 5 classes",
        ),
        (
            "input_dim = 5",
            "input_dim = 5\nmask_zero = true",
            "layers[0] (embedding_1): mask_zero: class 0 is",
        ),
        (
            "[[layers]]\ntype = \"Embedding\"\ninput_dim = 5\noutput_dim = 2\n",
            "",
            "layers[0] (lstm_1): a decoder must begin with an Embedding",
        ),
        ("categorical_crossentropy", "mse", "training.loss: a decoder generates classes"),
        ("\"softmax\"", "\"relu\"", "training.loss: categorical_crossentropy needs"),
        ("units = 5", "units = 5\nname = \"lstm\"", "layers[2].name: \"lstm\" is taken"),
        (
            "\"toy.npz\"",
            "\"toy.npz\"\nlabels = [\"a\"]",
            "data.labels: 1 names, but the network has 5 classes",
        ),
    ] {
        let line = reason(PAIRS, from, to);
        assert!(line.starts_with(expected), "{to:?}: {line}");
    }
    let huge: Config = toml::from_str(&PAIRS.replace("units = 4", "units = 4000")).unwrap();
    // The encoder has 4 * 4000 * (3 + 4000 + 1) parameters, the decoder as many for one feature less.
    assert!(
        huge.check_size(1)
            .unwrap_err()
            .to_string()
            .starts_with("layers[1] (lstm_1): with it the network has 128112")
    );
}

#[test]
fn masking_stands_first_and_frames_are_measured_behind_it() {
    let first = |layers: &str| reason(GOOD, "[[layers]]", &format!("{layers}[[layers]]"));
    let [masking, normalization] =
        ["Masking", "Normalization"].map(|name| format!("[[layers]]\ntype = {name:?}\n"));
    toml::from_str::<Config>(&GOOD.replacen(
        "[[layers]]",
        &(masking.clone() + &normalization + "[[layers]]"),
        1,
    ))
    .unwrap()
    .check()
    .unwrap();
    assert!(
        first(&(normalization.clone() + &masking)).starts_with("layers[1] (masking): only the first layer")
    );
    assert!(first(&masking.repeat(2)).starts_with("layers[1] (masking_1): only the first layer"));
    let late = masking.clone() + "[[layers]]\ntype = \"Dropout\"\nrate = 0.5\n" + &normalization;
    assert!(first(&late).starts_with("layers[2] (normalization): only the first layer"));
    assert_eq!(
        first(&(masking + "mask_value = inf\n")),
        "layers[0] (masking): mask_value: inf is not finite"
    );
}

#[test]
fn data_that_does_not_fit_the_network_is_rejected_by_name() {
    use crate::data::{Array, Values};
    let integers =
        |values: &[i64]| Array { shape: vec![values.len()], values: Values::Integers(values.to_vec()) };
    let pairs = |x: Array, y: &[i64]| {
        Dataset::from_pairs(x, Some(integers(&[2, 1])), integers(y), integers(&[1, 2]), ["x", "y"]).unwrap()
    };
    let once =
        Dataset::from_arrays(integers(&[1, 2, 3]), Some(integers(&[2, 1])), integers(&[1, 0]), ["x", "y"])
            .unwrap();
    let config: Config = toml::from_str(PAIRS).unwrap();
    let reason = |data| format!("{:#}", config.admit(data).unwrap_err());
    assert!(config.admit(pairs(integers(&[0, 6, 1]), &[1, 4, 2])).is_ok());
    assert_eq!(
        reason(pairs(integers(&[0, 6, 7]), &[1, 4, 2])),
        "x: 7 at step 0 of sequence 1 is not an id: the Embedding has 0 to 6"
    );
    assert_eq!(
        reason(pairs(integers(&[0, -1, 6]), &[1, 4, 2])),
        "x: -1 at step 1 of sequence 0 is not an id: the Embedding has 0 to 6"
    );
    let fraction = Array { shape: vec![3], values: Values::Floats(vec![1.0, 2.5, 0.0]) };
    assert_eq!(
        reason(pairs(fraction, &[1, 4, 2])),
        "x: 2.5 at step 1 of sequence 0 is not an id: the Embedding has 0 to 6"
    );
    let wide = Array { shape: vec![3, 2], values: Values::Integers(vec![1; 6]) };
    assert_eq!(reason(pairs(wide, &[1, 4, 2])), "x: 2 features per frame, but an Embedding expects one id");
    assert_eq!(
        reason(pairs(integers(&[0, 6, 1]), &[1, 4, 5])),
        "y: class 5 at step 1 of sequence 1, but the decoder has 5 outputs"
    );
    assert_eq!(reason(once), "y: a decoder needs sequences as targets, with their lengths in len_y");
    let good: Config = toml::from_str(GOOD).unwrap();
    let reason = good.admit(pairs(integers(&[0, 6, 1]), &[1, 1, 1])).unwrap_err().to_string();
    assert!(
        reason.starts_with(
            "y: sequences with their own lengths; to generate them the config needs [[encoder]]"
        )
    );
}
