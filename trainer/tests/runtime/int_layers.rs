//! Every backend of this machine has the bits of the portable backend, on thousands of random layers.

use std::collections::BTreeMap;

use embedded_rnn::format::LayerRecord;
use embedded_rnn::{Backend, I8};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::crafted::{self, Place};
use crate::files::is_recurrent;
use crate::random_layers::RandomModel;
use crate::running::{model, ram, run, save, steps};
use crate::variants::{self, Variant};

/// Models per variant.
const MODELS: u64 = 100;
const STEPS: usize = 4;

/// The results of a model.
#[derive(PartialEq)]
struct Found {
    outputs: Vec<i32>,
    /// The ids that a decoder generates.
    generated: Vec<u16>,
    saved: Vec<u8>,
}

/// A saved state to start from, the inputs, and the ids for the decoder.
struct Given {
    saved: Vec<u8>,
    xs: Vec<i16>,
    ids: Vec<u16>,
}

/// Runs the model time step by time step, or in two calls if it requires whole sequences; then its decoder.
fn found(file: &[u8], given: &Given, backend: Backend) -> Found {
    let model = model::<I8>(file, backend);
    let mut ram = ram(&model, STEPS);
    let mut state = model.state(&mut ram).unwrap();
    state.restore(&model, &given.saved).unwrap();
    let mut outputs = Vec::new();
    if model.needs_whole_sequences() {
        for xs in given.xs.chunks(STEPS / 2 * model.input_size()) {
            outputs.extend(run(&model, &mut state, xs));
        }
    } else {
        outputs.extend(steps(&model, &mut state, &given.xs));
    }
    for &id in &given.ids {
        outputs.extend_from_slice(model.decoder_step(&mut state, id).unwrap());
    }
    let mut buf = [0; STEPS];
    let generated = if model.has_decoder() { model.greedy(&mut state, 0, 0, &mut buf).unwrap() } else { &[] };
    Found { outputs, generated: generated.to_vec(), saved: save(&model, &state) }
}

/// Returns the properties of a model beyond the variants of its layers.
fn features(random: &RandomModel) -> impl Iterator<Item = &'static str> {
    let any = |is: fn(&LayerRecord) -> bool| random.layers.iter().any(|layer| is(&layer.record));
    let decoder = random.decoder_at > 0;
    [
        ("masks", any(LayerRecord::masks)),
        ("both ways", any(LayerRecord::is_direction)),
        ("backwards", any(|record| record.go_backwards() && !record.is_direction())),
        ("last only", any(|record| is_recurrent(record) && !record.return_sequences())),
        ("decoder", decoder),
        ("backwards and a decoder", decoder && any(LayerRecord::go_backwards)),
        ("masks and a decoder", decoder && any(LayerRecord::masks)),
    ]
    .into_iter()
    .filter_map(|(name, has)| has.then_some(name))
}

fn random(wanted: Variant, variants: &[Variant], seed: u64) -> RandomModel {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let random = RandomModel::new(wanted, variants, &mut rng);
    let file = random.file();
    let given = Given {
        saved: crafted::saved(&file, &random.state_words(&mut rng)),
        xs: random.inputs(STEPS, &mut rng),
        ids: random.decoder_ids(STEPS, &mut rng),
    };
    let specified = found(&file, &given, Backend::portable());
    for backend in Backend::all() {
        assert!(found(&file, &given, backend) == specified, "other bits on {}", backend.name());
    }
    random
}

#[test]
fn integer_layers_have_the_specified_bits_on_every_backend() {
    let variants = variants::all::<I8>();
    let mut covered = BTreeMap::<Variant, usize>::new();
    let mut covered_features = BTreeMap::<&str, usize>::new();
    for (number, &wanted) in (0..).zip(&variants) {
        for seed in number * MODELS..(number + 1) * MODELS {
            let _place = Place((wanted, "seed", seed));
            let random = random(wanted, &variants, seed);
            for layer in &random.layers {
                *covered.entry(Variant::of(&layer.record)).or_default() += 1;
            }
            features(&random).for_each(|name| *covered_features.entry(name).or_default() += 1);
        }
    }
    assert!(covered.values().sum::<usize>() >= 10_000, "{covered:?}");
    assert!(variants::kinds().all(|kind| covered.keys().any(|variant| variant.kind() == kind)));
    for variant in &variants {
        let count = covered.get(variant).copied().unwrap_or(0);
        assert!(count >= 100, "{variant:?}: {count} layers only");
    }
    assert_eq!(covered_features.len(), 7);
    assert!(covered_features.values().all(|&count| count >= 100), "{covered_features:?}");
}
