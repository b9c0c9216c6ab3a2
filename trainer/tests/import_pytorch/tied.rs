//! Tensors that are in the file once and have several names.

use std::io::Cursor;
use std::path::Path;

use embedded_rnn::F32;
use embedded_rnn_trainer::session::{RunMode, Session};
use npyz::NpyFile;

use crate::golden::path;
use crate::import;
use crate::rejected::error;
use crate::reports::report;

/// `save_model` of safetensors: the embedding has the weight of the last layer, and is named in the metadata.
#[test]
fn tied_tensors_are_read() {
    let path = path("reports/tied.safetensors");
    let imported = import(&path, &[""; 0]).unwrap();
    let array = |name: &str| report(&format!("tied.{name}.npy"));
    let ids: Vec<f32> = NpyFile::new(Cursor::new(array("x")))
        .unwrap()
        .into_vec::<i64>()
        .unwrap()
        .into_iter()
        .map(|id| id as f32)
        .collect();
    let golden: Vec<f32> = NpyFile::new(Cursor::new(array("y"))).unwrap().into_vec().unwrap();
    let model = Session::new(Path::new("tied"), &imported.write::<F32>().unwrap()).unwrap();
    let found = model.predict(&ids, RunMode::Sequence).unwrap();
    assert_eq!(found.len(), golden.len());
    let worst = found.iter().zip(&golden).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
    assert!(worst < 3e-7, "{worst:e}");
    assert_eq!(
        imported.notes,
        ["Assumed: the order encoder as Embedding,rnn,decoder (--modules); no activation after decoder \
             (--activation); only the last time step of rnn (--return-sequences)"]
    );
}

#[test]
fn a_tied_name_with_a_tensor_of_its_own_is_rejected() {
    let bytes = report("tied.safetensors");
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let text = std::str::from_utf8(&bytes[8..header]).unwrap();
    let changed =
        text.replace("\"encoder.weight\":\"decoder.weight\"", "\"decoder.bias\":  \"decoder.weight\"");
    let changed = [&(changed.len() as u64).to_le_bytes()[..], changed.as_bytes(), &bytes[header..]].concat();
    assert_eq!(error(&changed, &[]), "__metadata__: decoder.bias: duplicate tensor");
}
