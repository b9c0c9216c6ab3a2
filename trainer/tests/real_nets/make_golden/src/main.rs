//! Golden files of the two networks whose engines are crates: features of recorded speech, rounded to half
//! precision, and the outputs of the engine's own network for exactly these.
//!
//!     cargo xtask data webrtc_vad && cargo xtask data rnnoise
//!     cargo run --release --manifest-path trainer/tests/real_nets/make_golden/Cargo.toml
//!
//! The networks are private in both crates, so their sources are compiled in, from the packages that
//! `cargo xtask data` fetches.

#![allow(dead_code, unused_imports, missing_docs)]

/// sonora-agc2's network.
#[path = "../../webrtc_vad/package/src"]
mod sonora {
    pub mod rnn_vad;
}

/// nnnoiseless's network, under the module names that its source uses.
#[path = "../../rnnoise/package/src/rnn.rs"]
mod rnn;
#[path = "../../rnnoise/package/src/util.rs"]
mod util;

use std::borrow::Cow;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use half::f16;
use nnnoiseless::{DenoiseFeatures, DenoiseState};
use npyz::{AutoSerialize, WriterBuilder};
use sonora::rnn_vad;
use rnn_vad::common::FeatureVector;
use sonora_common_audio::push_resampler::PushResampler;

/// The number of samples per 10 ms, at 48 and at 24 kHz.
const FRAME: usize = 480;
const FRAME_24K: usize = 240;
const FEATURES: usize = 42;
/// The frames of RNNoise to write: speech with pauses.
const RNNOISE: std::ops::Range<usize> = 150..550;

fn main() {
    let speech: Vec<f32> = fs::read(path("webrtc_vad/package/tests/resources/rnn_vad/samples.pcm"))
        .unwrap()
        .chunks_exact(2)
        .map(|two| f32::from(i16::from_le_bytes([two[0], two[1]])))
        .collect();
    webrtc_vad(&speech);
    rnnoise(&speech);
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn rounded(values: &[f32]) -> Vec<f32> {
    values.iter().map(|&value| f16::from_f32(value).to_f32()).collect()
}

fn write<T: AutoSerialize>(name: &str, columns: usize, values: &[T]) {
    let file = File::create(path(name)).unwrap();
    let shape = [(values.len() / columns) as u64, columns as u64];
    let options = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(file);
    let mut writer = options.begin_nd().unwrap();
    values.iter().for_each(|value| writer.push(value).unwrap());
    writer.finish().unwrap();
}

fn bits(values: &[f32]) -> Vec<u16> {
    values.iter().map(|&value| f16::from_f32(value).to_bits()).collect()
}

/// Writes the features and the probabilities of speech. The features of a silent frame are NaN: the detector
/// resets its state there.
fn webrtc_vad(speech: &[f32]) {
    let backend = sonora_simd::detect_backend();
    let mut resampler = PushResampler::<f32>::new(FRAME, FRAME_24K, 1);
    let mut extractor = rnn_vad::features_extraction::FeaturesExtractor::new(backend);
    let [mut exact, mut on_rounded] = [(); 2].map(|()| rnn_vad::rnn::RnnVad::new(backend));
    let mut features: FeatureVector = bytemuck::Zeroable::zeroed();
    let (mut all, mut probabilities, mut unrounded) = (Vec::new(), Vec::new(), Vec::new());
    for frame in speech.chunks_exact(FRAME) {
        let mut low = [0.0; FRAME_24K];
        resampler.resample_mono(frame, &mut low);
        let silent = extractor.check_silence_compute_features(&low, &mut features);
        unrounded.push(exact.compute_vad_probability(&features, silent));
        let mut row = rounded(features.as_slice());
        let rounded_features = bytemuck::from_bytes(bytemuck::cast_slice(&row));
        probabilities.push(on_rounded.compute_vad_probability(rounded_features, silent));
        if silent {
            row.fill(f32::NAN);
        }
        all.extend(row);
    }
    let golden = fs::read(path("webrtc_vad/package/tests/resources/rnn_vad/vad_prob.dat")).unwrap();
    let golden = golden.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap()));
    println!("webrtc_vad: {} frames, {} in its own golden file", probabilities.len(), golden.len());
    let worst = |a: &[f32], b: &mut dyn Iterator<Item = f32>| {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    println!("  engine compared with that file: {:e}", worst(&unrounded, &mut golden.into_iter()));
    let rounding = worst(&unrounded, &mut probabilities.iter().copied());
    println!("  effect of rounding the features: {rounding:e}");
    write("webrtc_vad/features.npy", FEATURES, &bits(&all));
    write("webrtc_vad/probabilities.npy", 1, &probabilities);
}

/// Writes the features, and the 22 gains and the probability of speech per frame.
fn rnnoise(speech: &[f32]) {
    let model = || Cow::Owned(rnn::RnnModel::default());
    let [mut exact, mut on_rounded] = [(); 2].map(|()| rnn::RnnState::new(model()));
    let mut extractor = DenoiseFeatures::new();
    let mut engine = DenoiseState::new();
    let (mut all, mut outputs) = (Vec::new(), Vec::new());
    let mut worst = 0.0f32;
    for (k, frame) in speech.chunks_exact(FRAME).enumerate() {
        extractor.shift_and_filter_input(frame);
        let silent = extractor.compute_frame_features();
        let (mut gains, mut vad) = ([0.0; 22], [0.0]);
        let mut out = [0.0; FRAME];
        let whole = engine.process_frame(&mut out, frame);
        if !silent {
            exact.compute(&mut gains, &mut vad, extractor.features());
        }
        worst = worst.max((whole - vad[0]).abs());
        if RNNOISE.contains(&k) {
            assert!(!silent, "frame {k} is silent");
            let row = rounded(extractor.features());
            on_rounded.compute(&mut gains, &mut vad, &row);
            all.extend(row);
            outputs.extend(gains);
            outputs.push(vad[0]);
        }
    }
    println!("rnnoise: {} frames", RNNOISE.len());
    println!("  the network alone compared with the crate, probability of speech: {worst:e}");
    write("rnnoise/features.npy", FEATURES, &bits(&all));
    write("rnnoise/outputs.npy", 23, &outputs);
}
