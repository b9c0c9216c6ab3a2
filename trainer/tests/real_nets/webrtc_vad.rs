//! WebRTC's voice detector: Dense 42 -> 24 tanh, GRU 24 (reset before, relu), Dense 1 sigmoid, per 10 ms.

use embedded_rnn::Backend;
use embedded_rnn_trainer::activation::Activation;
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::pack::{ErrorTable, Meta, Quantized, quantize};

use crate::files::{floats, halves, numbers, source};
use crate::gru_5_4;
use crate::layers::{assert_within, dense, difference, exact, gru, network, predict, run};
use crate::table::Table;

const FEATURES: usize = 42;

/// Returns the network, and the table of its engine.
fn open() -> Option<(Network<f32>, Table)> {
    let weights = source("webrtc_vad", "src/rnn_vad/weights.rs")?;
    let included = |file: &str| source("webrtc_vad", &format!("src/rnn_vad/{file}")).unwrap();
    let get = |name| numbers(&weights, name, included);
    let layers = vec![
        dense(&get("INPUT_DENSE_WEIGHTS"), &get("INPUT_DENSE_BIAS"), Activation::Tanh),
        gru(&get("HIDDEN_GRU_WEIGHTS"), &get("HIDDEN_GRU_RECURRENT_WEIGHTS"), &get("HIDDEN_GRU_BIAS")),
        dense(&get("OUTPUT_DENSE_WEIGHTS"), &get("OUTPUT_DENSE_BIAS"), Activation::Sigmoid),
    ];
    let table = numbers(&included("activations.rs"), "TANSIG_TABLE", included);
    Some((network(FEATURES, layers), Table(table)))
}

/// Returns the frames that are not silent, and the engine's probabilities of speech. Silence, where features
/// are NaN, occurs at the start only, so the rest is one sequence from zero states.
fn golden() -> (Vec<f32>, Vec<f32>) {
    let (features, probabilities) =
        (halves("webrtc_vad", "features.npy"), floats("webrtc_vad", "probabilities.npy"));
    let silent = features.chunks(FEATURES).take_while(|frame| frame[0].is_nan()).count();
    assert_eq!((probabilities.len(), silent), (889, 17));
    (features[silent * FEATURES..].to_vec(), probabilities[silent..].to_vec())
}

/// WebRTC's own test vectors, which are in the tree. The difference is due to its table.
#[test]
fn the_gru_matches_webrtcs_test_vectors() {
    let layer = gru(
        &gru_5_4::WEIGHTS.map(f32::from),
        &gru_5_4::RECURRENT_WEIGHTS.map(f32::from),
        &gru_5_4::BIAS.map(f32::from),
    );
    let network = network(5, vec![layer]);
    for backend in Backend::all() {
        let found = run(&network, &gru_5_4::INPUT_SEQUENCE, backend);
        let found = difference(&found, &gru_5_4::EXPECTED_OUTPUT_SEQUENCE);
        assert_within(found, 3.6e-7, &format!("webrtc_vad's GRU 5 -> 4 on {}", backend.name()));
    }
}

#[test]
fn probabilities_match_the_engine() {
    let Some((network, table)) = open() else { return };
    let (frames, golden) = golden();
    let (exact, tabled) = (exact(&network, &frames), table.run(&network, &frames));
    assert_within(
        difference(&tabled, &golden),
        1.36e-6,
        "webrtc_vad, f64 with the engine's table and engine",
    );
    assert_within(difference(&exact, &golden), 1.16e-5, "webrtc_vad, f64 and engine");
    for backend in Backend::all() {
        let (found, name) = (run(&network, &frames, backend), backend.name());
        assert_within(difference(&found, &exact), 3.3e-6, &format!("webrtc_vad, model on {name} and f64"));
        assert_within(
            difference(&found, &golden),
            1.2e-5,
            &format!("webrtc_vad, model on {name} and engine"),
        );
    }
    // A network with constant outputs would match itself too.
    let speech = golden.iter().filter(|&&p| p > 0.5).count();
    assert!((200..700).contains(&speech), "{speech}");
}

/// The model is calibrated on the first half, and compared on all frames.
#[test]
fn i8_probabilities_are_close() {
    let Some((network, _)) = open() else { return };
    let (frames, golden) = golden();
    let half = &frames[..frames.len() / FEATURES / 2 * FEATURES];
    let Quantized { bytes, errors, .. } = quantize(&network, &Meta::default(), &[half]).unwrap();
    println!("{}, {} bytes", ErrorTable(&errors), bytes.len());
    let (float, int) = (exact(&network, &frames), predict(&bytes, &frames, Backend::portable()));
    assert_within(difference(&int, &float), 0.0244, "webrtc_vad, i8 and f64");
    assert_within(difference(&int, &golden), 0.0244, "webrtc_vad, i8 and engine");
    // The decision between speech and no speech differs where the probability is as good as one half.
    let speech = |p: f64| p > 0.5;
    let others = float.iter().zip(&int).filter(|&(&a, &b)| speech(a) != speech(b.into())).count();
    println!("{others} of {} decisions differ", int.len());
    assert!(others <= 1, "{others}");
}
