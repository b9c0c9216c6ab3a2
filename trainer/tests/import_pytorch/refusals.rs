//! What is not understood, or may be two things, with the whole line.

#[path = "../common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::fs;

use safetensors::Dtype;
use safetensors::tensor::{TensorView, serialize};

use crate::golden;
use crate::import;

/// Tensors that nothing is asked of but their names and shapes.
pub type Shapes<'a> = [(&'a str, &'a [usize])];

/// A file of these tensors, of numbers that are all different.
fn file(shapes: &Shapes<'_>) -> Vec<u8> {
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

fn refusal(bytes: &[u8], args: &[&str]) -> String {
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

/// The LSTM 3 -> 4 and more.
fn with(more: &Shapes<'_>) -> Vec<u8> {
    file(&[LSTM, more].concat())
}

#[test]
fn tensors_that_are_not_understood_are_named() {
    for (shapes, expected) in [
        (
            &[("lstm.weight_hr_l0", &[2, 4][..])][..],
            "lstm.weight_hr_l0: an LSTM with a projection (proj_size)",
        ),
        (&[("lstm.weight_ih_l0_", &[2, 4])], "lstm.weight_ih_l0_: no tensor of a recurrent module"),
        (&[("lstm.weight_ih_l00", &[2, 4])], "lstm.weight_ih_l00: no tensor of a recurrent module"),
        (
            &[("lstm.weight_ih_l99999999999999999999", &[2, 4])],
            "lstm.weight_ih_l99999999999999999999: no tensor of a recurrent module",
        ),
        (&[("lstm.weight_ih", &[16, 3])], "lstm.weight_ih_l0: missing"),
        (&[("lstm.peephole", &[4])], "lstm.peephole: no tensor of a recurrent module"),
        (&[("lstm.weight_ih_l2", &[16, 4])], "lstm.weight_ih_l1: missing"),
        (&[("lstm.weight_ih_l1", &[16, 4])], "lstm.weight_hh_l1: missing"),
        (&[("lstm.bias_ih_l0_reverse", &[16])], "lstm.weight_ih_l0_reverse: missing"),
        (&[("conv.weight", &[4, 4, 3])], "conv.weight: a convolution with a kernel of 3: only 1 is read"),
        (
            &[("conv.weight", &[4, 4, 1, 1])],
            "conv.weight: shape [4, 4, 1, 1]: no weight of any module that is read",
        ),
        (&[("fc.weight", &[])], "fc.weight: shape []: no weight of any module that is read"),
        (&[("fc.weight", &[2, 4]), ("fc.bias", &[3])], "fc.bias: shape [3], expected [2]"),
        (&[("fc.weight", &[2, 4]), ("fc.bias", &[2, 1])], "fc.bias: shape [2, 1], expected [2]"),
        (&[("fc.weight_g", &[2, 1])], "fc.weight_g: no tensor of any module that is read"),
        (&[("fc.bias", &[2])], "fc.bias: no tensor of any module that is read"),
        (
            &[("norm.weight", &[4])],
            "norm.weight: shape [4] without a bias: no weight of any module that is read",
        ),
        (&[("bn.running_mean", &[4])], "bn.running_var: missing"),
        (&[("bn.running_var", &[4])], "bn.running_mean: missing"),
        (&[("bn.running_mean", &[4]), ("bn.running_var", &[4]), ("bn.weight", &[4])], "bn.bias: missing"),
        (&[("bn.running_mean", &[4]), ("bn.running_var", &[5])], "bn.running_var: shape [5], expected [4]"),
        (&[("bn.num_batches_tracked", &[])], "bn.num_batches_tracked: no tensor of any module that is read"),
        (&[("fc.weight", &[2, 0])], "fc.weight: shape [2, 0]: no values"),
        (
            &[("attention.in_proj_weight", &[12, 4])],
            "attention.in_proj_weight: no tensor of any module that is read",
        ),
        (&[("h0", &[4])], "h0: no tensor of any module that is read"),
    ] {
        assert_eq!(refusal(&with(shapes), &[]), expected);
    }
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let hh = "LSTM has 4 times as many, GRU 3 times, RNN as many";
    for (shapes, expected) in [
        (
            &[("a.weight_ih_l0", &[8, 3][..]), ("a.weight_hh_l0", &[8, 4])][..],
            format!("a.weight_hh_l0: 8 rows of 4: {hh}"),
        ),
        (
            &[("a.weight_ih", &[8, 3]), ("a.weight_hh", &[12, 4])],
            "a.weight_ih: shape [8, 3], expected [12, 3]: 3 gates of 4 units".to_owned(),
        ),
        (&[("a.weight_ih", &[4, 3]), ("a.weight_hh", &[4])], "a.weight_hh: a matrix has two axes".to_owned()),
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
        assert_eq!(refusal(&file(shapes), &[]), expected);
    }
}

#[test]
fn an_order_that_sizes_do_not_decide_is_asked_for() {
    let two: &Shapes<'_> =
        &[("a.weight", &[4, 4]), ("a.bias", &[4]), ("b.weight", &[4, 4]), ("b.bias", &[4])];
    let table: &Shapes<'_> = &[("table.weight", &[3, 3])];
    for (shapes, args, expected) in [
        (two, &[][..], "more than one chain fits: lstm,a,b; lstm,b,a: --modules says which"),
        (
            table,
            &[],
            "more than one chain fits: table as Linear,lstm; table as Embedding,lstm: --as says which",
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
        (two, &["--modules", "lstm,a"], "--modules: b is missing: --without b leaves it out"),
        (
            two,
            &["--modules", "lstm,a,c"],
            "--modules c: no such module: there are a (Linear 4 -> 4), b (Linear 4 -> 4), lstm (LSTM 3 -> 4)",
        ),
        (two, &["--modules", "lstm,a,b,a"], "--modules a: there twice"),
        (
            table,
            &["--modules", "lstm,table", "--as", "table=embedding"],
            "--modules: sizes do not fit: lstm (LSTM 3 -> 4), table (Embedding 3 ids -> 3)",
        ),
        (two, &["--as", "a=embedding"], "--as a: it cannot be of that role"),
        (
            two,
            &["--as", "c=embedding"],
            "--as c: no such module: there are a (Linear 4 -> 4), b (Linear 4 -> 4), lstm (LSTM 3 -> 4)",
        ),
    ] {
        assert_eq!(refusal(&with(shapes), args), expected);
    }
    // Nine modules of one size can stand in 362,880 orders.
    let names: Vec<String> = (0..9).map(|k| format!("fc{k}.weight")).collect();
    let mut many: Vec<(&str, &[usize])> = names.iter().map(|name| (&name[..], &[5, 5, 1][..])).collect();
    many.push(("out.weight", &[2, 6, 1]));
    assert_eq!(refusal(&file(&many), &[]), "too many modules to try all orders: --modules says which");
    // As many as a header holds: no depth of theirs is a depth of the stack.
    let names: Vec<String> = (0..30_000).map(|k| format!("fc{k}.weight")).collect();
    let many: Vec<(&str, &[usize])> = names.iter().map(|name| (&name[..], &[1, 1, 1][..])).collect();
    assert_eq!(refusal(&file(&many), &[]), "30000 modules: at most 256 are read");
}

#[test]
fn flags_that_nothing_is_meant_by_are_named() {
    let fc: &Shapes<'_> = &[("fc.weight", &[2, 4]), ("fc.bias", &[2])];
    for (args, expected) in [
        (&["--prefix", "model."][..], "--prefix model.: no tensor's name begins so"),
        (&["--without", "conv"], "--without conv: no such module"),
        (&["--without", "l"], "--without l: no such module"),
        (&["--without", "lstm,fc"], "--without: nothing is left"),
        (&["--activation", "fc=relu,fc=tanh"], "--activation fc: there twice"),
        (&["--nonlinearity", "relu"], "--nonlinearity: there is no RNN"),
        (&["--without", "lstm", "--return-sequences"], "--return-sequences: there is no RNN or LSTM or GRU"),
        (&["--eps", "0.1"], "--eps: there is no BatchNorm1d or LayerNorm"),
        (&["--eps", "0"], "epsilon: 0 is not a number from 1e-9 on"),
    ] {
        assert_eq!(refusal(&with(fc), args), expected);
    }
}

#[test]
fn other_numbers_than_floats_are_named() {
    let bytes = [0, 0, 0xc0, 0x7f, 1, 2, 3, 4];
    for (dtype, shape, expected) in [
        (Dtype::F32, vec![1, 2], "fc.weight: value 0 is NaN"),
        (Dtype::I8, vec![2, 4], "fc.weight: dtype I8: weights are F32, F16, BF16 or F64"),
        (Dtype::F8_E4M3, vec![2, 4], "fc.weight: dtype F8_E4M3: weights are F32, F16, BF16 or F64"),
        (Dtype::I64, vec![1], "fc.weight: dtype I64: weights are F32, F16, BF16 or F64"),
    ] {
        let view = TensorView::new(dtype, shape, &bytes).unwrap();
        assert_eq!(refusal(&serialize([("fc.weight", view)], None).unwrap(), &[]), expected);
    }
    // More than an f32 can be.
    let huge = 1e300f64.to_le_bytes();
    let view = TensorView::new(Dtype::F64, vec![1, 1], &huge).unwrap();
    assert_eq!(refusal(&serialize([("fc.weight", view)], None).unwrap(), &[]), "fc.weight: value 0 is inf");
}

#[test]
fn variances_are_not_negative() {
    let bytes: Vec<u8> = [0.5f32, -0.25].into_iter().flat_map(f32::to_le_bytes).collect();
    let view = || TensorView::new(Dtype::F32, vec![2], &bytes).unwrap();
    let file = serialize([("bn.running_mean", view()), ("bn.running_var", view())], None).unwrap();
    assert_eq!(refusal(&file, &[]), "bn.running_var: a variance of -0.25");
}

#[test]
fn the_command_refuses_in_a_line_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("net.safetensors"), with(&[("conv.weight", &[4, 4, 3])])).unwrap();
    fs::write(folder.path().join("net.onnx"), []).unwrap();
    let refused =
        |args: &[&str]| common::refusal(folder.path(), &[&["import", "-o", "net.ernn"], args].concat());
    for (args, expected) in [
        (
            &["net.safetensors"][..],
            "net.safetensors: conv.weight: a convolution with a kernel of 3: only 1 is read",
        ),
        (&["net.onnx", "--modules", "a"], "net.onnx: --modules: only for a .safetensors file"),
        (&["net.onnx", "--return-sequences"], "net.onnx: --return-sequences: only for a .safetensors file"),
        (
            &["net.safetensors", "--activation", "fc=gauss"],
            "invalid value 'fc=gauss' for '--activation <MODULE=FUNCTION,..>': no function is called gauss; --help says more",
        ),
        (
            &["net.safetensors", "--as", "fc"],
            "invalid value 'fc' for '--as <MODULE=ROLE,..>': not MODULE=VALUE; --help says more",
        ),
    ] {
        assert_eq!(refused(args), expected);
    }
    assert!(!folder.path().join("net.ernn").exists());
    let lstm = golden::path("lstm.safetensors");
    let done = common::output(folder.path(), &["import", lstm.to_str().unwrap(), "-o", "net.ernn"]);
    assert!(done.status.success() && folder.path().join("net.ernn").exists());
}
