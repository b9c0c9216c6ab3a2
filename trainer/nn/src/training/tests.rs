use rand::RngExt;

use super::*;
use crate::config::Config;

const CONFIG: &str = r#"
    name = "toy"
    data.file = "toy.npz"
    layers = [
        { type = "Normalization" },
        { type = "LSTM", units = 5, return_sequences = true },
        { type = "SimpleRNN", units = 4 },
        { type = "Dense", units = 3, activation = "softmax" },
    ]
    [training]
    loss = "categorical_crossentropy"
    epochs = 6
    batch_size = 24
    learning_rate = 0.01
    learning_rate_schedule = "cosine_decay"
    global_clipnorm = 1.0
"#;

const PAIRS: &str = r#"
    name = "pairs"
    data.file = "pairs.npz"
    encoder = [
        { type = "Embedding", input_dim = 6, output_dim = 4, mask_zero = true },
        { type = "LSTM", units = 5, return_sequences = true, dropout = 0.2 },
        { type = "LSTM", units = 6 },
    ]
    layers = [
        { type = "Embedding", input_dim = 6, output_dim = 4 },
        { type = "Dropout", rate = 0.2 },
        { type = "LSTM", units = 5, return_sequences = true },
        { type = "LSTM", units = 6, return_sequences = true },
        { type = "Dense", units = 6, activation = "softmax" },
    ]
    [training]
    loss = "categorical_crossentropy"
    epochs = 6
    batch_size = 24
    learning_rate = 0.05
    learning_rate_schedule = "cosine_decay"
    global_clipnorm = 1.0
"#;

/// Returns a network's config and data for each case.
fn cases() -> [(Config, Dataset); 2] {
    [(CONFIG, toy()), (PAIRS, pairs())].map(|(config, data)| {
        let config: Config = toml::from_str(config).unwrap();
        config.check().unwrap();
        let data = config.admit(data).unwrap();
        (config, data)
    })
}

/// Draws 60 sources of 2 to 8 ids, one of them masked; the targets are every second one of their ids, without
/// the last id.
fn pairs() -> Dataset {
    let mut rng = stream(5, Purpose::Shuffle, 98);
    let (mut x, mut y, mut steps_x, mut steps_y) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..60 {
        let mut ids: Vec<i64> = (0..rng.random_range(2..8)).map(|_| rng.random_range(1..6)).collect();
        let target: Vec<i64> = ids[..ids.len() - 1].iter().step_by(2).copied().collect();
        ids.insert(1, 0);
        steps_x.push(ids.len() as i64);
        steps_y.push(target.len() as i64);
        x.extend(ids);
        y.extend(target);
    }
    let integers = |values: Vec<i64>| crate::data::Array {
        shape: vec![values.len()],
        values: crate::data::Values::Integers(values),
    };
    Dataset::from_pairs(integers(x), Some(integers(steps_x)), integers(y), integers(steps_y), ["x", "y"])
        .unwrap()
}

/// Draws 60 sequences of 2 to 9 frames; the class is how often the first feature is the larger, in thirds.
fn toy() -> Dataset {
    let mut rng = stream(5, Purpose::Shuffle, 99);
    let steps: Vec<usize> = (0..60).map(|_| rng.random_range(2..10)).collect();
    let frames: Vec<f32> =
        (0..2 * steps.iter().sum::<usize>()).map(|_| rng.random_range(-1.0..1.0)).collect();
    let mut labels = Vec::new();
    let mut rest = &frames[..];
    for &count in &steps {
        let (own, others) = rest.split_at(2 * count);
        let larger = own.chunks_exact(2).filter(|pair| pair[0] > pair[1]).count();
        labels.push((3 * larger / (count + 1)) as i64);
        rest = others;
    }
    let array = |shape: &[usize], values| crate::data::Array { shape: shape.to_vec(), values };
    let lengths = steps.iter().map(|&s| s as i64).collect();
    Dataset::from_arrays(
        array(&[frames.len() / 2, 2], crate::data::Values::Floats(frames)),
        Some(array(&[60], crate::data::Values::Integers(lengths))),
        array(&[60], crate::data::Values::Integers(labels)),
        ["x", "y"],
    )
    .unwrap()
}

/// Returns parts that all are `data`.
fn parts(data: &Dataset) -> Parts {
    Parts { train: data.clone(), validation: Some(data.clone()), test: Some(data.clone()) }
}

fn start(config: &Config, data: &Dataset) -> Run {
    Run::new(config.network(data, 3), 3)
}

fn train(run: &mut Run, config: &Config, data: &Dataset, epochs: usize) {
    for _ in 0..epochs {
        let trained = run.epoch(&config.training, data, &|| Ok(())).unwrap();
        run.history
            .push(Epoch::new(trained, Some(validate(&run.network, &config.training.objective(), data))));
    }
}

#[test]
fn resumed_run_has_the_bits_of_an_uninterrupted_one() {
    for (config, data) in cases() {
        let identity = Identity::new(&config, &parts(&data), 3);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.postcard");

        let mut whole = start(&config, &data);
        train(&mut whole, &config, &data, 6);
        assert!(whole.history[5].loss < 0.9 * whole.history[0].loss, "it learns: {:?}", whole.history);

        let mut first = start(&config, &data);
        train(&mut first, &config, &data, 3);
        Checkpoint::of(&first, &identity).write(&path).unwrap();
        let mut second = start(&config, &data);
        Checkpoint::read(&path).unwrap().unwrap().restore(&mut second, &identity, 6).unwrap();
        train(&mut second, &config, &data, 3);
        assert_eq!(second, whole);
    }
}

#[test]
fn number_of_threads_does_not_change_a_bit() {
    for (config, data) in cases() {
        let runs = [1, 2, 5].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut run = start(&config, &data);
            pool.install(|| train(&mut run, &config, &data, 2));
            run
        });
        assert_eq!(runs[0], runs[1]);
        assert_eq!(runs[0], runs[2]);
    }
}

/// Checks that all targets are part of the identity, also those of another length than the source.
#[test]
fn other_targets_are_other_data() {
    let (config, data) = cases().into_iter().next_back().unwrap();
    let identity = |data: &Dataset| Identity::new(&config, &parts(data), 3);
    let mut other = data.clone();
    let crate::data::Targets::Sequences(targets) = &mut other.targets else { panic!("pairs") };
    let swapped: Vec<_> = (0..targets.len()).map(|s| targets.get(s).to_vec()).rev().collect();
    let lengths = swapped.iter().map(|target| target.len() as i64).collect();
    let array = |shape, values| crate::data::Array { shape, values };
    let ids = swapped.concat();
    *targets = crate::data::Sequences::from_arrays(
        array(vec![ids.len()], crate::data::Values::Floats(ids)),
        Some(array(vec![60], crate::data::Values::Integers(lengths))),
    )
    .unwrap();
    assert!(identity(&data) == identity(&data) && identity(&data) != identity(&other));
}

#[test]
fn checkpoints_of_another_run_are_rejected() {
    let (config, data) = (toml::from_str::<Config>(CONFIG).unwrap(), toy());
    let identity = Identity::new(&config, &parts(&data), 3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.postcard");
    assert!(Checkpoint::read(&path).unwrap().is_none());

    let mut run = start(&config, &data);
    let checkpoint = Checkpoint::of(&run, &identity);
    let mut rejection = |config: &Config, seed| {
        let identity = Identity::new(config, &parts(&data), seed);
        checkpoint.restore(&mut run, &identity, config.training.epochs).unwrap_err().to_string()
    };
    assert_eq!(rejection(&config, 4), "belongs to seed 3, not 4");
    let mut other = config.clone();
    other.training.learning_rate = Some(0.02);
    assert!(rejection(&other, 3).starts_with("belongs to another config"));

    checkpoint.write(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(Checkpoint::read(&path).is_err(), "cut at {length}");
    }
    for byte in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[byte] ^= 1 << (byte % 8);
        std::fs::write(&path, flipped).unwrap();
        assert!(Checkpoint::read(&path).is_err(), "flipped at {byte}");
    }
}
