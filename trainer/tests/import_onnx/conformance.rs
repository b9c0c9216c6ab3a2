//! ONNX's own operator cases (Debian's `libonnx-testdata`), whose weights are inputs and become initializers
//! here.

use std::collections::BTreeMap;

use embedded_rnn::Backend;
use embedded_rnn_trainer::import::onnx::{Constant, TensorProto};

use crate::build::{bytes_field, joined};
use crate::run::run;
use crate::{Worst, imported, reason, unzipped};

/// The cases, with the error of the unsupported one.
const CASES: &[(&str, Option<&str>)] = &[
    ("test_gru_batchwise", None),
    ("test_gru_defaults", None),
    ("test_gru_seq_length", None),
    ("test_gru_with_initial_bias", None),
    ("test_lstm_batchwise", None),
    ("test_lstm_defaults", None),
    ("test_lstm_with_initial_bias", None),
    ("test_lstm_with_peepholes", Some("LSTM (node 0): P: peepholes are not supported")),
    ("test_rnn_seq_length", None),
    ("test_simple_rnn_batchwise", None),
    ("test_simple_rnn_defaults", None),
    ("test_simple_rnn_with_initial_bias", None),
];

/// The worst difference is 1.4e-7.
const BOUND: f32 = 1.7e-7;

struct Array {
    shape: Vec<usize>,
    values: Vec<f32>,
}

fn array(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Option<Array> {
    let tensor = TensorProto::read(files.get(name)?).unwrap();
    let Constant::Floats(array) = tensor.constant().unwrap() else { panic!("{name}: not floats") };
    Some(Array { shape: array.shape().to_vec(), values: array.values().to_vec() })
}

/// Returns the file with every input but the first as an initializer.
fn with_initializers(files: &BTreeMap<String, Vec<u8>>, case: &str) -> Vec<u8> {
    let inputs = (1..).map_while(|index| files.get(&format!("{case}/test_data_set_0/input_{index}.pb")));
    let initializers = inputs.map(|tensor| bytes_field(5, tensor));
    // The second piece of a message continues the first.
    joined([files[&format!("{case}/model.onnx")].clone(), bytes_field(7, &joined(initializers))])
}

#[test]
fn operators_match_onnx() {
    let files = unzipped("conformance.zip");
    let found = files.keys().filter_map(|name| name.strip_suffix("/model.onnx"));
    assert!(found.eq(CASES.iter().map(|(case, _)| *case)));
    let mut worst = Worst::default();
    for &(case, error) in CASES {
        let bytes = with_initializers(&files, case);
        match error {
            Some(error) => assert_eq!(reason(&bytes), error),
            None => compare(&files, case, &bytes, &mut worst),
        }
    }
    worst.assert_within(BOUND);
}

/// Returns whether the batch comes before time.
fn is_batchwise(case: &str) -> bool {
    case.ends_with("batchwise")
}

fn compare(files: &BTreeMap<String, Vec<u8>>, case: &str, bytes: &[u8], worst: &mut Worst) {
    let data = |name: &str| array(files, &format!("{case}/test_data_set_0/{name}.pb"));
    let x = data("input_0").unwrap();
    let file = imported(bytes, case);
    // Y and Y_h, or Y_h only; with one direction, both layouts store one sequence after another.
    let outputs: Vec<Array> = (0..).map_while(|index| data(&format!("output_{index}"))).collect();
    assert_eq!(outputs.len(), if is_batchwise(case) { 2 } else { 1 });
    let [time, sequences] =
        if is_batchwise(case) { [x.shape[1], x.shape[0]] } else { [x.shape[0], x.shape[1]] };
    let features = x.shape[2];
    for sequence in 0..sequences {
        let frame = |t| if is_batchwise(case) { sequence * time + t } else { t * sequences + sequence };
        let frames: Vec<f32> =
            (0..time).flat_map(|t| &x.values[frame(t) * features..][..features]).copied().collect();
        let golden = |array: &Array| {
            let len = array.values.len() / sequences;
            array.values[sequence * len..][..len].to_vec()
        };
        for backend in Backend::all() {
            let found = run(&file, backend, &frames, None);
            worst.compare(&found.output, &golden(&outputs[0]), case);
            worst.compare(&found.states[0], &golden(&outputs[outputs.len() - 1]), case);
        }
    }
}

#[test]
fn weights_that_come_at_run_time_are_rejected_by_name() {
    let files = unzipped("conformance.zip");
    for &(case, error) in CASES {
        let op = if case.contains("gru") {
            "GRU"
        } else if case.contains("lstm") {
            "LSTM"
        } else {
            "RNN"
        };
        let expected = format!(
            "{op} (node 0): W: input W: known at run time only; weights must be initializers of the file"
        );
        let expected = error.map_or(expected, str::to_owned);
        assert_eq!(reason(&files[&format!("{case}/model.onnx")]), expected);
    }
}
