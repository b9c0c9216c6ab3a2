//! Training that diverges.

use std::path::Path;

use embedded_rnn_trainer::config::Config;
use embedded_rnn_trainer::training::{Checkpoint, Identity, Parts, Run};

use crate::common::{error_line, output};
use crate::data::{CONFIG, arrays, floats, folder};

/// Returns a config whose training diverges after some epochs: the outputs of a linear cell over 100 steps
/// grow with the 100th power of its weights, which change by 0.1 per update.
fn diverging() -> String {
    let cell = "type = \"SimpleRNN\"\nactivation = \"linear\"\nunits = 16";
    CONFIG
        .replace("type = \"LSTM\"\nunits = 3", cell)
        .replace("batch_size = 8\nepochs = 4", "batch_size = 8\nlearning_rate = 0.1\nepochs = 1000")
}

/// Checks that nothing is written but the checkpoint of the last good epoch, which can be resumed.
#[test]
fn diverged_training_names_the_batch_and_leaves_the_last_good_checkpoint() {
    let folder = folder(&diverging(), &arrays(100));
    let folder = folder.path();
    let error = error_line(folder, &["train", "c.toml", "--out", "o"]);
    let place = error.strip_prefix("c.toml: training: epoch ").expect("names the epoch");
    let (epoch, place) = place.split_once(": ").unwrap();
    let last = epoch.parse::<usize>().unwrap() - 1;
    assert!(last > 0, "the first epoch is good: {error}");
    assert!(place.starts_with("batch ") || place.starts_with("val_loss is "), "{error}");
    assert!(place.ends_with(": decrease learning_rate or set global_clipnorm"), "{error}");
    for file in ["model.ernn", "model.i8.ernn", "history.csv", "report.html"] {
        assert!(!folder.join("o").join(file).exists(), "{file}");
    }

    let resume = output(folder, &["train", "c.toml", "--out", "o", "--resume"]);
    let text = String::from_utf8(resume.stdout).unwrap();
    assert!(text.starts_with(&format!("Resuming after epoch {last}\n")), "{text}");
    assert_eq!(String::from_utf8(resume.stderr).unwrap(), format!("ernn: {error}\n"));
}

/// Writes the checkpoint of a run after `change`, and returns the error of resuming it.
fn error_of_resuming(folder: &Path, change: impl FnOnce(&mut Run)) -> String {
    let path = folder.join("c.toml");
    let config = Config::read(&path).unwrap();
    let data = config.read_data(&path).unwrap().0;
    let parts = Parts::new(data, &config, 0).unwrap();
    let mut run = Run::new(config.network(&parts.train, 0), 0);
    change(&mut run);
    let identity = Identity::new(&config, &parts, 0);
    std::fs::create_dir_all(folder.join("o")).unwrap();
    Checkpoint::of(&run, &identity).write(&folder.join("o/checkpoint.postcard")).unwrap();
    error_line(folder, &["train", "c.toml", "--out", "o", "--resume"])
}

#[test]
fn checkpoints_that_are_not_finite_are_rejected() {
    let folder = folder(CONFIG, &arrays(3));
    for (change, reason) in [
        ((|run| run.network.parameters_mut()[0][1] = f32::NAN) as fn(&mut Run), "a weight of lstm is NaN"),
        (
            |run| run.moments.mean[3][0] = f32::NEG_INFINITY,
            "the optimizer's mean gradient of dense is infinite",
        ),
        (
            |run| run.moments.square[0][0] = f32::INFINITY,
            "the optimizer's mean squared gradient of lstm is infinite",
        ),
    ] {
        let error = error_of_resuming(folder.path(), change);
        assert_eq!(error, format!("o/checkpoint.postcard: {reason}: start without --resume"));
    }
}

/// The variance of values near the largest f32 overflows: every normalized value would be 0.
#[test]
fn a_normalization_that_overflows_is_rejected_before_training() {
    let mut arrays = arrays(3);
    arrays[0] = floats("x_train", &[16, 1, 2], &[3e38, 0.0, -3e38, 0.0].repeat(8));
    let config = CONFIG.replacen("[[layers]]", "[[layers]]\ntype = \"Normalization\"\n[[layers]]", 1);
    let folder = folder(&config, &arrays);
    let error = error_line(folder.path(), &["train", "c.toml"]);
    assert_eq!(error, "c.toml: the variance of a feature of normalization is infinite");
}
