//! Every instruction set of this machine against the portable one, bit for bit, on thousands of random layers.

use std::collections::BTreeMap;

use embedded_rnn::{Backend, I8, Kind};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::crafted::{self, Place};
use crate::files::{Layer, file};
use crate::random_layers::{Numbers, activations, int_layers, state_words};
use crate::running::{model, ram, save, steps};

/// Seeds tried, a model each.
const INT_MODELS: u64 = 7_500;
const STEPS: usize = 4;

/// Outputs and the state after them, from a random saved state.
fn int_run(file: &[u8], saved: &[u8], xs: &[i16], backend: Backend) -> (Vec<i32>, Vec<u8>) {
    let model = model::<I8>(file, backend);
    let mut ram = ram(&model, 0);
    let mut state = model.state(&mut ram).unwrap();
    state.restore(&model, saved).unwrap();
    let out = steps(&model, &mut state, xs);
    (out, save(&model, &state))
}

fn int_case(seed: u64) -> Vec<Layer> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let layers = int_layers(&mut rng);
    let file = file::<I8>(&layers, 0);
    let saved = crafted::saved(&file, &state_words(&layers, &mut rng));
    let numbers = Numbers::random(&mut rng);
    let xs: Vec<i16> =
        (0..STEPS * layers[0].record.input_size()).map(|_| numbers.activation(&mut rng)).collect();
    let specified = int_run(&file, &saved, &xs, Backend::portable());
    for backend in Backend::all() {
        assert!(int_run(&file, &saved, &xs, backend) == specified, "seed {seed} on {}", backend.name());
    }
    layers
}

#[test]
fn integer_layers_give_the_specified_bits_on_every_backend() {
    let mut met = BTreeMap::<(u8, u8), usize>::new();
    for seed in 0..INT_MODELS {
        let _place = Place(("seed", seed));
        for Layer { record, .. } in &int_case(seed)[1..] {
            *met.entry((record.kind, record.activation)).or_default() += 1;
        }
    }
    assert!(met.values().sum::<usize>() >= 10_000, "{met:?}");
    for kind in [Kind::Lstm, Kind::Gru, Kind::GruResetBefore, Kind::SimpleRnn, Kind::Dense] {
        for &activation in activations(kind, true) {
            let count = met.get(&(kind as u8, activation as u8)).copied().unwrap_or(0);
            assert!(count >= 200, "{kind:?} with {activation:?}: {count} layers only");
        }
    }
}
