//! Unsupported and ambiguous files, each with the whole error line.

use std::collections::BTreeMap;
use std::fs;

use safetensors::Dtype;
use safetensors::tensor::{TensorView, serialize};

use crate::common;
use crate::golden;
use crate::import;

/// Tensors by name and shape; their values do not matter.
pub type Shapes<'a> = [(&'a str, &'a [usize])];

/// Returns a file of these tensors, with values that all differ.
pub fn file(shapes: &Shapes<'_>) -> Vec<u8> {
    let bytes: BTreeMap<&str, Vec<u8>> = shapes
        .iter()
        .map(|&(name, shape)| {
            let len: usize = shape.iter().product();
            (name, (0..len).flat_map(|k| (k as f32 / 16.0).to_le_bytes()).collect())
        })
        .collect();
    let view = |&(name, shape): &(_, &[usize])| {
        (name, TensorView::new(Dtype::F32, shape.to_vec(), &bytes[name]).unwrap())
    };
    serialize(shapes.iter().map(view), None).unwrap()
}

pub fn error(bytes: &[u8], args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    fs::write(&path, bytes).unwrap();
    format!("{:#}", import(&path, args).unwrap_err())
}

const LSTM: &Shapes<'_> = &[
    ("lstm.weight_ih_l0", &[16, 3]),
    ("lstm.weight_hh_l0", &[16, 4]),
    ("lstm.bias_ih_l0", &[16]),
    ("lstm.bias_hh_l0", &[16]),
];

/// Returns a file of an LSTM 3 -> 4 and more tensors.
fn with(more: &Shapes<'_>) -> Vec<u8> {
    file(&[LSTM, more].concat())
}

#[test]
fn unsupported_tensors_are_named() {
    for (shapes, expected) in [
        (
            &[("lstm.weight_hr_l0", &[2, 4][..])][..],
            "lstm.weight_hr_l0: an LSTM with a projection (proj_size) is not supported",
        ),
        (&[("lstm.weight_ih_l0_", &[2, 4])], "lstm.weight_ih_l0_: not a tensor of a recurrent module"),
        (&[("lstm.weight_ih_l00", &[2, 4])], "lstm.weight_ih_l00: not a tensor of a recurrent module"),
        (
            &[("lstm.weight_ih_l99999999999999999999", &[2, 4])],
            "lstm.weight_ih_l99999999999999999999: not a tensor of a recurrent module",
        ),
        (&[("lstm.weight_ih", &[16, 3])], "lstm.weight_ih_l0: missing"),
        (&[("lstm.peephole", &[4])], "lstm.peephole: not a tensor of a recurrent module"),
        (&[("lstm.weight_ih_l2", &[16, 4])], "lstm.weight_ih_l1: missing"),
        (&[("lstm.weight_ih_l1", &[16, 4])], "lstm.weight_hh_l1: missing"),
        (&[("lstm.bias_ih_l0_reverse", &[16])], "lstm.weight_ih_l0_reverse: missing"),
        (
            &[("conv.weight", &[4, 4, 3])],
            "conv.weight: a convolution with kernel size 3: only 1 is supported",
        ),
        (
            &[("conv.weight", &[4, 4, 1, 1])],
            "conv.weight: shape [4, 4, 1, 1]: not the weight of a supported module",
        ),
        (&[("fc.weight", &[])], "fc.weight: shape []: not the weight of a supported module"),
        (&[("fc.weight", &[2, 4]), ("fc.bias", &[3])], "fc.bias: shape [3], expected [2]"),
        (&[("fc.weight", &[2, 4]), ("fc.bias", &[2, 1])], "fc.bias: shape [2, 1], expected [2]"),
        (&[("fc.weight_g", &[2, 1])], "fc.weight_g: not a tensor of a supported module"),
        (&[("fc.bias", &[2])], "fc.bias: not a tensor of a supported module"),
        (
            &[("norm.weight", &[4])],
            "norm.weight: shape [4] without a bias: not the weight of a supported module",
        ),
        (&[("bn.running_mean", &[4])], "bn.running_var: missing"),
        (&[("bn.running_var", &[4])], "bn.running_mean: missing"),
        (&[("bn.running_mean", &[4]), ("bn.running_var", &[4]), ("bn.weight", &[4])], "bn.bias: missing"),
        (&[("bn.running_mean", &[4]), ("bn.running_var", &[5])], "bn.running_var: shape [5], expected [4]"),
        (&[("bn.num_batches_tracked", &[])], "bn.num_batches_tracked: not a tensor of a supported module"),
        (&[("fc.weight", &[2, 0])], "fc.weight: shape [2, 0]: no values"),
        (
            &[("attention.in_proj_weight", &[12, 4])],
            "attention.in_proj_weight: not a tensor of a supported module",
        ),
        (&[("h0", &[4])], "h0: not a tensor of a supported module"),
    ] {
        assert_eq!(error(&with(shapes), &[]), expected);
    }
}

/// A parameter of no module, a noise level for example, is excluded by its own name.
#[test]
fn single_tensors_are_excluded_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let imported = |name: &str, bytes: &[u8], args: &[&str]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        import(&path, args).unwrap().network
    };
    let more: &Shapes<'_> = &[("noise", &[4]), ("lstm.scale", &[1])];
    let found = imported("more.safetensors", &with(more), &["--without", "noise,lstm.scale"]);
    assert_eq!(found, imported("lstm.safetensors", &with(&[]), &[]));
    assert_eq!(error(&with(more), &["--without", "noise"]), "lstm.scale: not a tensor of a recurrent module");
}

#[test]
fn mismatched_shapes_are_named() {
    let hh = "expected 4 times as many (LSTM), 3 times (GRU) or as many (RNN)";
    for (shapes, expected) in [
        (
            &[("a.weight_ih_l0", &[8, 3][..]), ("a.weight_hh_l0", &[8, 4])][..],
            format!("a.weight_hh_l0: 8 rows of 4, {hh}"),
        ),
        (
            &[("a.weight_ih", &[8, 3]), ("a.weight_hh", &[12, 4])],
            "a.weight_ih: shape [8, 3], expected [12, 3]: 3 gates of 4 units".to_owned(),
        ),
        (&[("a.weight_ih", &[4, 3]), ("a.weight_hh", &[4])], "a.weight_hh: expected two axes".to_owned()),
        (
            &[("a.weight_ih", &[4, 3]), ("a.weight_hh", &[4, 4]), ("a.bias_ih", &[4])],
            "a.bias_hh: missing".to_owned(),
        ),
        (
            &[("a.weight_ih", &[4, 3]), ("a.weight_hh", &[4, 4]), ("a.bias_ih", &[3])],
            "a.bias_ih: shape [3], expected [4]".to_owned(),
        ),
        (
            &[
                ("a.weight_ih_l0", &[4, 3]),
                ("a.weight_hh_l0", &[4, 4]),
                ("a.weight_ih_l1", &[4, 8]),
                ("a.weight_hh_l1", &[4, 4]),
            ],
            "a.weight_ih_l1: shape [4, 8], expected [4, 4]: 1 gates of 4 units".to_owned(),
        ),
        (
            &[
                ("a.weight_ih_l0", &[4, 3]),
                ("a.weight_hh_l0", &[4, 4]),
                ("a.weight_ih_l0_reverse", &[4, 5]),
                ("a.weight_hh_l0_reverse", &[4, 4]),
            ],
            "a.weight_ih_l0_reverse: shape [4, 5], expected [4, 3]: 1 gates of 4 units".to_owned(),
        ),
    ] {
        assert_eq!(error(&file(shapes), &[]), expected);
    }
}

#[test]
fn ambiguous_orders_need_a_flag() {
    let two: &Shapes<'_> =
        &[("a.weight", &[4, 4]), ("a.bias", &[4]), ("b.weight", &[4, 4]), ("b.bias", &[4])];
    let table: &Shapes<'_> = &[("table.weight", &[3, 3])];
    for (shapes, args, expected) in [
        (two, &[][..], "more than one order fits: lstm,a,b; lstm,b,a: select one with --modules"),
        (
            table,
            &[],
            "more than one order fits: table as Linear,lstm; table as Embedding,lstm: select one with --as",
        ),
        (
            &[("fc.weight", &[2, 5]), ("fc.bias", &[2])],
            &[],
            "no order fits: fc (Linear 5 -> 2), lstm (LSTM 3 -> 4)",
        ),
        (
            &[("table.weight", &[2, 5])],
            &[],
            "no order fits: lstm (LSTM 3 -> 4), table (Linear 5 -> 2 or Embedding 2 ids -> 5)",
        ),
        (
            two,
            &["--modules", "a,lstm,b"],
            "--modules: sizes do not fit: a (Linear 4 -> 4), lstm (LSTM 3 -> 4), b (Linear 4 -> 4)",
        ),
        (two, &["--modules", "lstm,a"], "--modules: b is missing; --without b excludes it"),
        (
            two,
            &["--modules", "lstm,a,c"],
            "--modules c: no such module; the file has a (Linear 4 -> 4), b (Linear 4 -> 4), lstm (LSTM 3 \
             -> 4)",
        ),
        (two, &["--modules", "lstm,a,b,a"], "--modules a: given twice"),
        (
            table,
            &["--modules", "lstm,table", "--as", "table=embedding"],
            "--modules: sizes do not fit: lstm (LSTM 3 -> 4), table (Embedding 3 ids -> 3)",
        ),
        (two, &["--as", "a=embedding"], "--as a: the module cannot have this role"),
        (
            two,
            &["--as", "c=embedding"],
            "--as c: no such module; the file has a (Linear 4 -> 4), b (Linear 4 -> 4), lstm (LSTM 3 -> 4)",
        ),
    ] {
        assert_eq!(error(&with(shapes), args), expected);
    }
    // Nine modules of one size have 362,880 orders.
    let names: Vec<String> = (0..9).map(|k| format!("fc{k}.weight")).collect();
    let mut many: Vec<(&str, &[usize])> = names.iter().map(|name| (&name[..], &[5, 5, 1][..])).collect();
    many.push(("out.weight", &[2, 6, 1]));
    assert_eq!(error(&file(&many), &[]), "too many modules to try all orders: give the order with --modules");
    // As many modules as a header can have: the search must not overflow the stack.
    let names: Vec<String> = (0..30_000).map(|k| format!("fc{k}.weight")).collect();
    let many: Vec<(&str, &[usize])> = names.iter().map(|name| (&name[..], &[1, 1, 1][..])).collect();
    assert_eq!(error(&file(&many), &[]), "30000 modules: at most 256 are supported");
}

#[test]
fn flags_without_effect_are_named() {
    let fc: &Shapes<'_> = &[("fc.weight", &[2, 4]), ("fc.bias", &[2])];
    for (args, expected) in [
        (&["--prefix", "model."][..], "--prefix model.: no tensor name starts with it"),
        (&["--without", "conv"], "--without conv: no such module or tensor"),
        (&["--without", "l"], "--without l: no such module or tensor"),
        (&["--without", "lstm,fc"], "--without: no tensor is left"),
        (&["--activation", "fc=relu,fc=tanh"], "--activation fc: given twice"),
        (&["--nonlinearity", "relu"], "--nonlinearity: the file has no RNN"),
        (
            &["--without", "lstm", "--return-sequences"],
            "--return-sequences: the file has no RNN or LSTM or GRU",
        ),
        (
            &["--last-step"],
            "--last-step: lstm has one direction, whose last time step is the output without it",
        ),
        (&["--last-step", "--return-sequences"], "--last-step: not with --return-sequences"),
        (&["--without", "lstm", "--last-step"], "--last-step: the file has no RNN, LSTM or GRU"),
        (&["--eps", "0.1"], "--eps: the file has no BatchNorm1d or LayerNorm"),
        (&["--eps", "0"], "epsilon: 0 is not a number of at least 1e-9"),
    ] {
        assert_eq!(error(&with(fc), args), expected);
    }
}

#[test]
fn dtypes_other_than_floats_are_named() {
    let bytes = [0, 0, 0xc0, 0x7f, 1, 2, 3, 4];
    for (dtype, shape, expected) in [
        (Dtype::F32, vec![1, 2], "fc.weight: value 0 is NaN"),
        (Dtype::I8, vec![2, 4], "fc.weight: dtype I8: only F32, F16, BF16 and F64 are supported"),
        (Dtype::F8_E4M3, vec![2, 4], "fc.weight: dtype F8_E4M3: only F32, F16, BF16 and F64 are supported"),
        (Dtype::I64, vec![1], "fc.weight: dtype I64: only F32, F16, BF16 and F64 are supported"),
    ] {
        let view = TensorView::new(dtype, shape, &bytes).unwrap();
        assert_eq!(error(&serialize([("fc.weight", view)], None).unwrap(), &[]), expected);
    }
    // The value exceeds the range of f32.
    let huge = 1e300f64.to_le_bytes();
    let view = TensorView::new(Dtype::F64, vec![1, 1], &huge).unwrap();
    assert_eq!(error(&serialize([("fc.weight", view)], None).unwrap(), &[]), "fc.weight: value 0 is inf");
}

#[test]
fn negative_variances_are_rejected() {
    let bytes: Vec<u8> = [0.5f32, -0.25].into_iter().flat_map(f32::to_le_bytes).collect();
    let view = || TensorView::new(Dtype::F32, vec![2], &bytes).unwrap();
    let file = serialize([("bn.running_mean", view()), ("bn.running_var", view())], None).unwrap();
    assert_eq!(error(&file, &[]), "bn.running_var: negative variance -0.25");
}

#[test]
fn the_command_rejects_in_one_line_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("net.safetensors"), with(&[("conv.weight", &[4, 4, 3])])).unwrap();
    fs::write(folder.path().join("net.onnx"), []).unwrap();
    fs::create_dir(folder.path().join("saved")).unwrap();
    fs::write(folder.path().join("saved/saved_model.pb"), []).unwrap();
    let error =
        |args: &[&str]| common::error_line(folder.path(), &[&["import", "-o", "net.ernn"], args].concat());
    for (args, expected) in [
        (
            &["net.safetensors"][..],
            "net.safetensors: conv.weight: a convolution with kernel size 3: only 1 is supported",
        ),
        (
            &["net.pt"],
            "net.pt: unknown file name extension: expected .keras, .h5, .hdf5, .onnx, .safetensors; a pickle \
             of PyTorch runs code when it is read: write the state dict with save_file of safetensors.torch, \
             or the network with torch.onnx.export",
        ),
        (
            &["net.tflite"],
            "net.tflite: unknown file name extension: expected .keras, .h5, .hdf5, .onnx, .safetensors; a \
             TensorFlow Lite file: import the Keras model that it was converted from, or an ONNX file of \
             tf2onnx",
        ),
        (
            &["saved"],
            "saved: unknown file name extension: expected .keras, .h5, .hdf5, .onnx, .safetensors; a \
             SavedModel: load it in Keras and write a .keras file, or convert it with tf2onnx",
        ),
        (
            &["net.txt"],
            "net.txt: unknown file name extension: expected .keras, .h5, .hdf5, .onnx, .safetensors",
        ),
        (&["net.safetensors", "--to", "y"], "net.safetensors: --to: only valid for .onnx files"),
        (&["net.onnx", "--modules", "a"], "net.onnx: --modules: only valid for .safetensors files"),
        (
            &["net.onnx", "--return-sequences"],
            "net.onnx: --return-sequences: only valid for .safetensors files",
        ),
        (
            &["net.safetensors", "--activation", "fc=gauss"],
            "invalid value 'fc=gauss' for '--activation <MODULE=FUNCTION,..>': unknown function gauss; \
             see --help",
        ),
        (
            &["net.safetensors", "--as", "fc"],
            "invalid value 'fc' for '--as <MODULE=ROLE,..>': expected MODULE=VALUE; see --help",
        ),
    ] {
        assert_eq!(error(args), expected);
    }
    assert!(!folder.path().join("net.ernn").exists());
    let lstm = golden::path("lstm.safetensors");
    let done = common::output(folder.path(), &["import", lstm.to_str().unwrap(), "-o", "net.ernn"]);
    assert!(done.status.success() && folder.path().join("net.ernn").exists());
}
