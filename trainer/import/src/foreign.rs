//! Formats that are not read, by the extensions of their files, and the way from each to one that is.

use std::path::Path;

/// The extensions of a format, and the way to another one.
const FORMATS: &[(&[&str], &str)] = &[
    (
        &["pt", "pth", "bin", "ckpt", "pkl"],
        "a pickle of PyTorch runs code when it is read: write the state dict with save_file of \
         safetensors.torch, or the network with torch.onnx.export",
    ),
    (
        &["tflite"],
        "a TensorFlow Lite file: import the Keras model that it was converted from, or an ONNX file of \
         tf2onnx",
    ),
    (
        &["pb", "meta", "index"],
        "a TensorFlow graph: load it in Keras and write a .keras file, or convert it with tf2onnx",
    ),
    (&["json", "yaml"], "an architecture without weights: write a .keras file with both"),
    (&["ernn"], "a model file already: ernn inspect shows its layers"),
];

/// The file in the folder of a SavedModel.
const SAVED_MODEL: &str = "saved_model.pb";

/// Returns the way from a file or folder, whose extension is given in lower case, to a format that is read.
pub fn hint(path: &Path, extension: &str) -> Option<&'static str> {
    if path.join(SAVED_MODEL).is_file() {
        return Some("a SavedModel: load it in Keras and write a .keras file, or convert it with tf2onnx");
    }
    FORMATS.iter().find(|(extensions, _)| extensions.contains(&extension)).map(|(_, hint)| *hint)
}
