//! The result of an import: an error of one line, or a network that can be packed and run.

use anyhow::Result;
use embedded_rnn::{AlignedBytes, AnyModel, F16, F32};
use embedded_rnn_import::Imported;
use embedded_rnn_nn::output::one_line;

/// The largest network that is packed: its parameters.
const LARGEST: usize = 1 << 16;

/// Checks that an import ended in an error of one line or in a network whose model files are valid.
pub fn check(result: Result<Imported>) {
    match result {
        Ok(imported) => packed(&imported),
        Err(error) => line(&error),
    }
}

/// Checks that the error is one line that names something.
pub fn line(error: &anyhow::Error) {
    let line = one_line(error);
    assert!(!line.trim().is_empty(), "an error without a reason");
    assert!(!line.contains('\n'), "{line:?}");
}

/// Packs the network, which may still be rejected, and runs its golden trace.
fn packed(imported: &Imported) {
    let parameters: usize = imported.network.parameters().iter().map(|matrix| matrix.len()).sum();
    if parameters > LARGEST || imported.network.input_size > LARGEST {
        return;
    }
    assert!(!imported.output().is_empty());
    for bytes in [imported.write::<F32>(), imported.write::<F16>()] {
        match bytes {
            Ok(bytes) => {
                let model = AnyModel::new(AlignedBytes::new(&bytes)).expect("a valid file");
                model.self_test().expect("its golden trace");
            }
            Err(error) => line(&error),
        }
    }
}
