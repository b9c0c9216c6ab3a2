//! Data sets in `.npz` files: zips whose members are mutated.
#![no_main]

use std::fs;

use embedded_rnn_trainer_fuzz::{archive, read, seeds};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

const FEATURES: &str = r#"
name = "c"
data = { file = "d.npz" }
layers = [{ type = "Masking" }, { type = "GRU", units = 2 },
          { type = "Dense", units = 10, activation = "softmax" }]
training = { loss = "categorical_crossentropy", epochs = 1 }
"#;
const IDS: &str = r#"
name = "c"
data = { file = "d.npz" }
layers = [{ type = "Embedding", input_dim = 30000, output_dim = 1, mask_zero = true },
          { type = "GRU", units = 2 }, { type = "Dense", units = 50, activation = "softmax" }]
training = { loss = "categorical_crossentropy", epochs = 1 }
"#;

/// Returns an array in numpy's format.
fn array(descr: &str, shape: &str, bytes: Vec<u8>) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    let mut array = b"\x93NUMPY\x01\x00".to_vec();
    array.extend((header.len() as u16).to_le_bytes());
    array.extend(header.into_bytes());
    array.extend(bytes);
    array
}

/// Writes small data sets of features, of ids, and of features that are not split, as seeds.
fn write_seeds() {
    let Some(folder) = seeds::folder() else { return };
    let floats = |count: u8| (0..count).flat_map(|k| (f32::from(k) / 8.0 - 1.0).to_le_bytes()).collect();
    let integers = |values: &[i64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let x = |count: u8| array("<f4", &format!("{count}, 3, 2"), floats(6 * count));
    let list = |values: &[i64]| array("<i8", &format!("{},", values.len()), integers(values));
    let ids = |values: &[i64]| array("<i8", &format!("{}, 2", values.len() / 2), integers(values));
    let whole = [("x", x(3)), ("y", list(&[0, 2, 1])), ("len", list(&[3, 1, 2]))];
    let parts = [("x_train", x(2)), ("y_train", list(&[0, 1])), ("x_test", x(1)), ("y_test", list(&[1]))];
    let ids = [
        ("x", ids(&[1, 2, 3, 0, 7, 5])),
        ("y", list(&[0, 2, 1])),
        ("names", array("<U1", "1,", vec![97, 0, 0, 0])),
    ];
    for (name, arrays) in [("whole", &whole[..]), ("parts", &parts), ("ids", &ids)] {
        let members: Vec<_> =
            arrays.iter().map(|(name, array)| (format!("{name}.npy"), array.clone())).collect();
        fs::write(folder.join(name), archive::zipped(&members).expect("a zip")).expect("a seed");
    }
}

fuzz_target!(init: write_seeds(), |data: &[u8]| read::data("d.npz", data, &[FEATURES, IDS]));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    archive::mutate(data, size, max_size, seed)
});
