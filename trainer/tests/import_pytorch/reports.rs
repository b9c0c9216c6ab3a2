//! The names of modules that are no chain, and what the command prints.

use std::fs;

use crate::common;
use crate::golden::path;
use crate::import;
use crate::rejected::{Shapes, error, file};

/// Returns a file that was rebuilt from a report.
pub fn report(name: &str) -> Vec<u8> {
    fs::read(path("reports").join(name)).unwrap()
}

/// An encoder and a decoder that reads its own outputs: their sizes fit in the order `encoder.lstm`,
/// `decoder.fc`, `decoder.lstm`.
#[test]
fn an_encoder_and_a_decoder_are_no_chain() {
    let listed = "decoder.fc (Linear 4 -> 2), decoder.lstm (LSTM 2 -> 4), encoder.lstm (LSTM 3 -> 4)";
    let file = report("seq2seq.safetensors");
    assert_eq!(
        error(&file, &[]),
        format!(
            "modules of different parents, whose order does not follow from sizes: give all modules in \
             their order with --modules, or exclude some with --without: {listed}"
        )
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    fs::write(&path, file).unwrap();
    for args in [
        &["--modules", "encoder.lstm,decoder.fc,decoder.lstm"][..],
        &["--prefix", "encoder."],
        &["--without", "decoder"],
    ] {
        import(&path, args).unwrap();
    }
}

/// Recurrent modules of one size each and a Linear, `[rows, columns]` of the weights.
fn network(names: &[&str], linear: Option<(&str, [usize; 2])>) -> Vec<u8> {
    let leaves = |name: &&str| [format!("{name}.weight_ih_l0"), format!("{name}.weight_hh_l0")];
    let names: Vec<String> = names.iter().flat_map(leaves).collect();
    let mut shapes: Vec<(&str, &[usize])> = names.iter().map(|name| (&name[..], &[12, 3][..])).collect();
    // The first one reads two features, so that the sizes fit in one order.
    shapes[0].1 = &[12, 2];
    let weight = linear.map(|(name, shape)| (format!("{name}.weight"), shape));
    if let Some((name, shape)) = &weight {
        shapes.push((name, shape));
    }
    let shapes: &Shapes<'_> = &shapes;
    file(shapes)
}

#[test]
fn only_numbered_stacks_of_one_parent_are_chains() {
    let head = Some(("fc", [1, 3]));
    let between = Some(("fc", [3, 3]));
    for (names, linear, reason) in [
        (&["rnn1", "rnn2"][..], head, None),
        (&["rnn", "rnn2"], head, None),
        (&["model.rnn9", "model.rnn10"], Some(("model.fc", [1, 3])), None),
        (&["encoder", "decoder"], head, Some("several recurrent modules")),
        (&["rnn2", "rnn1"], head, Some("several recurrent modules")),
        (&["rnn", "a.rnn"], None, Some("modules of different parents")),
        (&["rnn"], Some(("head.fc", [1, 3])), Some("modules of different parents")),
        (&["rnn"], between, None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        fs::write(&path, network(names, linear)).unwrap();
        let found = import(&path, &[""; 0]).map_err(|error| error.to_string()).err();
        let expected = reason.is_none();
        assert_eq!(found.is_none(), expected, "{names:?}: {found:?}");
        if let (Some(found), Some(reason)) = (&found, reason) {
            assert!(found.starts_with(reason), "{names:?}: {found}");
        }
    }
}

#[test]
fn the_command_prints_what_it_assumed_and_what_the_output_is() {
    for (name, args, expected) in [
        (
            "lstm_stacked",
            &[][..],
            "Assumed: the order lstm,fc (--modules); no activation after fc (--activation); only the last \
             time step of lstm (--return-sequences)\n\
             Output: 1 value at the last time step\n",
        ),
        (
            "gru_bidirectional",
            &["--activation", "fc=softmax"],
            "Assumed: the order gru,fc (--modules); only the last time step of gru (--return-sequences)\n\
             Output: 2 values at the last time step, from the final states of both directions of gru_l1: \
             h_n in PyTorch, and not out[:, -1]\n",
        ),
        (
            "lstm",
            &["--activation", "fc=leaky_relu"],
            "Assumed: the order lstm,fc (--modules); slope 0.2 (nn.LeakyReLU has 0.01) in leaky_relu after \
             fc (--activation); only the last time step of lstm (--return-sequences)\n\
             Output: 2 values at the last time step\n",
        ),
        ("gru_stacked_sequences", &["--return-sequences"], "Output: 3 values at every time step\n"),
        (
            "rnn",
            &["--modules", "rnn,fc", "--return-sequences"],
            "Assumed: no activation after fc (--activation); tanh in rnn (--nonlinearity)\n\
             Output: 2 values at every time step\n",
        ),
        (
            "norms",
            &["--activation", "fc=relu", "--modules", "bn,lstm,norm,fc", "--return-sequences"],
            "Assumed: epsilon 1e-5 in bn,norm (--eps)\nOutput: 2 values at every time step\n",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = path(&format!("{name}.safetensors"));
        let args = [&["import", file.to_str().unwrap(), "-o", "net.ernn"], args].concat();
        let output = common::output(folder.path(), &args);
        assert!(output.status.success());
        let found = String::from_utf8(output.stdout).unwrap();
        assert!(found.starts_with(expected), "{found}");
        assert!(found[expected.len()..].starts_with("Wrote net.ernn"), "{found}");
    }
}
