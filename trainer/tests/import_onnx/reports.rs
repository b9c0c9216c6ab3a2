//! Files rebuilt from public reports.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use embedded_rnn_trainer::import::onnx::read;

use crate::Worst;
use crate::exported::compare;

/// Returns a file of the folder `reports`.
pub fn report(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import_onnx/reports").join(name)).unwrap()
}

/// The exporter of PyTorch 2.10 leaves `linear_before_reset` out, and its files compute something else than
/// nn.GRU (microsoft/onnxscript#2852).
#[test]
fn a_gru_of_pytorch_that_resets_before_is_a_warning() {
    let file = report("pytorch_gru.onnx");
    let imported = read(&file, "model").unwrap();
    assert_eq!(
        imported.notes,
        ["Warning: GRU_0: a GRU of PyTorch without linear_before_reset: nn.GRU always resets after the \
             recurrent product, and the exporter of PyTorch 2.10 leaves the attribute out; the model \
             computes what the file states, as ONNX Runtime does"]
    );
    assert_eq!(imported.output(), "4 values at every time step");
    // Another producer means what it writes.
    let at = file.windows(7).position(|name| name == b"pytorch").unwrap();
    let mut other = file.clone();
    other[at..at + 7].copy_from_slice(b"tf2onnx");
    assert!(read(&other, "model").unwrap().notes.is_empty());
}

/// Files whose model outputs are compared with those of ONNX Runtime: the file, and the largest difference.
const REPORTS: &[(&str, f32)] = &[
    // keras2onnx writes the peepholes that an LSTM does not have as an eighth input with an empty name.
    ("lstm_of_eight", 1e-6),
    // The length of the feature axis is open in the input, and follows from W (madmom's networks).
    ("features_not_fixed", 1e-6),
    ("conv_of_kernel_1", 1e-6),
    // A constant for all values requires no feature axis.
    ("input_over_255", 1e-6),
    ("one_minus", 1e-6),
    // PyTorch's default slope.
    ("leaky_relu_001", 1e-6),
    // All time steps of a layer that runs backwards.
    ("reverse_layer_as_output", 1e-6),
    ("sequence_lens_as_input", 1e-6),
    // Each direction is a forward layer between two slices with a step of -1 (madmom).
    ("two_bidirectional_layers_by_flips", 1e-6),
];

#[test]
fn reports_match_onnx_runtime() {
    for &(name, bound) in REPORTS {
        let mut files = BTreeMap::from([("net.onnx".to_owned(), report(&format!("{name}.onnx")))]);
        for array in ["x", "y"] {
            files.insert(format!("net/{array}.npy"), report(&format!("{name}.{array}.npy")));
        }
        let mut worst = Worst::default();
        compare(&files, "net", &mut worst);
        worst.assert_within(bound);
    }
}
