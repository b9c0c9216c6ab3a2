//! Networks exported by PyTorch and tf2onnx, and graphs assembled node by node, compared with ONNX Runtime.

use std::collections::BTreeMap;
use std::io::Cursor;

use embedded_rnn::Backend;
use embedded_rnn_trainer::import::onnx::read;
use embedded_rnn_trainer::pack::quantize;
use npyz::NpyFile;

use crate::run::run;
use crate::{Worst, imported, unzipped};

/// Per source: the zip, the folder, the bound, and the number of cases. The worst differences are 2.9e-7,
/// 1.8e-7, 3.6e-7, 9.0e-8, 4.2e-7 and 4.2e-7, over backends with and without fused multiply-add.
const EXPORTERS: &[(&str, &str, f32, usize)] = &[
    ("torch.zip", "torch_script/", 3.5e-7, 25),
    ("torch.zip", "torch_dynamo/", 2.2e-7, 15),
    ("torch.zip", "nodes/", 4.3e-7, 22),
    ("keras.zip", "keras/", 1.1e-7, 13),
    ("operators.zip", "operators/", 4.3e-7, 64),
    ("initial_states.zip", "initial_states/", 4.3e-7, 18),
];

struct Array {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Array {
    fn read(bytes: &[u8]) -> Self {
        let npy = NpyFile::new(Cursor::new(bytes)).unwrap();
        let shape = npy.shape().iter().map(|&len| len as usize).collect();
        let values = match npy.dtype().descr().as_str() {
            "'<i8'" => npy.into_vec::<i64>().unwrap().into_iter().map(|value| value as f32).collect(),
            _ => npy.into_vec::<f32>().unwrap(),
        };
        Self { shape, values }
    }

    /// Returns the part with this index along the first axis.
    fn part(&self, index: usize) -> &[f32] {
        let len = self.values.len() / self.shape[0];
        &self.values[index * len..][..len]
    }
}

/// Returns each state of one sequence.
fn states_of(array: &Array, sequence: usize) -> Vec<Vec<f32>> {
    let [states, sequences, units] = array.shape[..] else { panic!("{:?}", array.shape) };
    (0..states)
        .map(|state| array.values[(state * sequences + sequence) * units..][..units].to_vec())
        .collect()
}

/// Compares a file with its golden outputs and final states, on every backend.
pub fn compare(files: &BTreeMap<String, Vec<u8>>, name: &str, worst: &mut Worst) {
    let file = imported(&files[&format!("{name}.onnx")], name);
    let array = |key: &str| files.get(&format!("{name}/{key}.npy")).map(|bytes| Array::read(bytes));
    let (x, y) = (array("x").unwrap(), array("y").unwrap());
    let (initial, last) = (array("initial"), array("final"));
    for backend in Backend::all() {
        for sequence in 0..x.shape[0] {
            let of = |states: &Option<Array>| states.as_ref().map(|states| states_of(states, sequence));
            let found = run(&file, backend, x.part(sequence), of(&initial).as_deref());
            let place = format!("{name}, sequence {sequence} on {}", backend.name());
            worst.compare(&found.output, y.part(sequence), &place);
            if let Some(last) = of(&last) {
                worst.compare(&found.states.concat(), &last.concat(), &format!("{place}, final state"));
            }
        }
    }
}

#[test]
fn exported_networks_match_onnx_runtime() {
    for &(zip, exporter, bound, count) in EXPORTERS {
        let files = unzipped(zip);
        let names: Vec<&str> = files
            .keys()
            .filter_map(|name| name.strip_suffix(".onnx"))
            .filter(|name| name.starts_with(exporter))
            .collect();
        assert_eq!(names.len(), count, "{exporter}");
        let mut worst = Worst::default();
        names.iter().for_each(|name| compare(&files, name, &mut worst));
        worst.assert_within(bound);
    }
}

/// Everything that an operator becomes has an integer form, with a small error.
#[test]
fn every_operator_runs_in_integers() {
    let mut files = unzipped("operators.zip");
    files.extend(unzipped("initial_states.zip"));
    for name in files.keys().filter_map(|name| name.strip_suffix(".onnx")) {
        let imported = read(&files[&format!("{name}.onnx")], "model").unwrap();
        let frames = imported.synthetic_frames(200);
        let quantized = quantize(&imported.network, &imported.meta, &[&frames]);
        for error in quantized.unwrap_or_else(|error| panic!("{name}: {error:#}")).errors {
            let (rms, range) = (error.rms, error.range);
            assert!(rms <= 0.0111 * range, "{name}, {}: {rms} of {range}", error.name);
        }
    }
}

/// The outputs of a constant state differ from those of zeros: no state is lost.
#[test]
fn constant_initial_states_are_those_of_the_layers() {
    let files = unzipped("initial_states.zip");
    for name in files.keys().filter_map(|name| name.strip_suffix(".onnx")) {
        let imported = read(&files[&format!("{name}.onnx")], "model").unwrap();
        let states = imported.network.layers.iter().map(|layer| layer.kind.get().initial_states());
        let given = states.flatten().filter(|state| state.iter().all(|value| *value != 0.0)).count();
        let expected = match name.rsplit('/').next().unwrap() {
            "two_layers" | "bidirectional_lstm" => 4,
            "equal_sequences" | "expanded" | "bidirectional" | "concatenated" => 2,
            _ => 1,
        };
        assert_eq!(given, expected, "{name}");
    }
}

/// An ArgMax at the end is left out, and the largest output has its index.
#[test]
fn an_argmax_at_the_end_is_left_out() {
    let files = unzipped("argmax.zip");
    let name = "argmax/classes";
    assert_eq!(
        read(&files[&format!("{name}.onnx")], "model").unwrap().notes,
        ["Left out: ArgMax_3, which selects the index of the largest output; the model outputs the values, \
          and `argmax` of the runtime selects the same index"]
    );
    let file = imported(&files[&format!("{name}.onnx")], name);
    let [x, y] = ["x", "y"].map(|key| Array::read(&files[&format!("{name}/{key}.npy")]));
    for sequence in 0..x.shape[0] {
        let found = run(&file, Backend::best(), x.part(sequence), None).output;
        let classes: Vec<f32> = found.chunks(3).map(|output| embedded_rnn::argmax(output) as f32).collect();
        assert_eq!(classes, y.part(sequence));
        assert!(classes.iter().any(|class| *class != classes[0]));
    }
}

/// Layers have the names of their nodes, and record their origins.
#[test]
fn layers_record_their_origins() {
    let files = unzipped("torch.zip");
    let name = "torch_script/lstm_states_both.onnx";
    let imported = read(&files[name], "model").unwrap();
    let origins: Vec<_> =
        imported.meta.origins.iter().map(|(name, origin)| format!("{name}: {origin}")).collect();
    assert_eq!(
        origins,
        [
            "/head/MatMul: ONNX MatMul /head/MatMul",
            "/rnn/LSTM: ONNX LSTM /rnn/LSTM, initial_h h0[0], initial_c c0[0], initial_h h0[1], initial_c \
             c0[1]",
            "/rnn/LSTM_1: ONNX LSTM /rnn/LSTM_1, initial_h h0[2], initial_c c0[2], initial_h h0[3], \
             initial_c c0[3]",
        ]
    );
}
