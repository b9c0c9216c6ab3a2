//! SleepECG's classifiers of sleep stages, from features of the heartbeat per 30 s: Masking,
//! BatchNormalization, Dense 64 with relu, two bidirectional GRU 8, and a softmax, imported from `.keras`
//! files.

use std::fs::File;
use std::io::Read;

use embedded_rnn::{Backend, F32};
use embedded_rnn_trainer::import::{Imported, keras};
use embedded_rnn_trainer::pack::{ErrorTable, Quantized, quantize};
use embedded_rnn_trainer::session::RunMode;
use zip::ZipArchive;

use crate::files::{floats, package};
use crate::layers::{assert_within, difference, predict_in};

const FEATURES: usize = 36;
const MASKED: f32 = -1.0;
/// The networks, and their numbers of stages.
const NETWORKS: [(&str, usize); 3] = [("wrn-gru-mesa-weighted", 4), ("wrn-gru-mesa", 4), ("ws-gru-mesa", 3)];

fn open(name: &str) -> Option<Imported> {
    let archive = File::open(package("sleepecg", &format!("sleepecg/classifiers/{name}.zip"))?).unwrap();
    let mut bytes = Vec::new();
    let mut archive = ZipArchive::new(archive).unwrap();
    archive.by_name("classifier.keras").unwrap().read_to_end(&mut bytes).unwrap();
    Some(keras::read(bytes, name).unwrap())
}

/// Returns the values of the frames that are not masked, of as many values each as `frames` are frames.
fn unmasked<'a>(values: &'a [f32], frames: &'a [f32]) -> Vec<f32> {
    let frames = frames.chunks(FEATURES);
    let each = values.chunks(values.len() / frames.len()).zip(frames);
    each.filter(|(_, frame)| frame.iter().any(|&x| x != MASKED))
        .flat_map(|(values, _)| values)
        .copied()
        .collect()
}

#[test]
fn stages_match_keras() {
    let frames = floats("sleepecg", "features.npy");
    for (name, stages) in NETWORKS {
        let Some(imported) = open(name) else { return };
        let golden = floats("sleepecg", &format!("{name}.npy"));
        assert_eq!((frames.len(), golden.len()), (40 * FEATURES, 40 * stages));
        let golden = unmasked(&golden, &frames);
        assert_eq!(golden.len(), 35 * stages);
        let bytes = imported.write::<F32>().unwrap();
        for backend in Backend::all() {
            let found = unmasked(&predict_in(RunMode::Sequence, &bytes, &frames, backend), &frames);
            let what = format!("sleepecg {name} on {} and Keras", backend.name());
            assert_within(difference(&found, &golden), 2.2e-7, &what);
        }
    }
}

/// The models are calibrated on the first half.
#[test]
fn i8_stages_are_close() {
    let frames = floats("sleepecg", "features.npy");
    for (name, _) in NETWORKS {
        let Some(Imported { network, meta, .. }) = open(name) else { return };
        let golden = unmasked(&floats("sleepecg", &format!("{name}.npy")), &frames);
        let Quantized { bytes, errors, .. } =
            quantize(&network, &meta, &[&frames[..frames.len() / 2]]).unwrap();
        println!("{}, {} bytes", ErrorTable(&errors), bytes.len());
        let int = predict_in(RunMode::Sequence, &bytes, &frames, Backend::portable());
        let difference = difference(&unmasked(&int, &frames), &golden);
        assert_within(difference, 0.0053, &format!("sleepecg {name}, i8 and Keras"));
    }
}
