//! Commands whose output would replace one of their inputs.

use std::fs;

use embedded_rnn_trainer::data::write_npy;

use crate::common;
use crate::golden::path;

#[test]
fn inputs_are_not_replaced_without_force() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::copy(path("gru.safetensors"), at("net.safetensors")).unwrap();
    let run = |args: &[&str]| assert!(common::output(folder.path(), args).status.success(), "{args:?}");
    run(&["import", "net.safetensors", "-o", "net.ernn"]);
    write_npy(&at("x.npy"), &[2, 4, 3], &[0.25; 24]).unwrap();
    let (import, quantize) =
        (["import", "net.safetensors", "-o"], ["quantize", "net.ernn", "--calibrate", "x.npy", "-o"]);
    let predict = ["predict", "net.ernn", "--input", "x.npy", "--output"];
    for (command, output, input) in [
        (&import[..], "net.safetensors", "net.safetensors"),
        (&import, "./net.safetensors", "net.safetensors"),
        (&quantize, "net.ernn", "net.ernn"),
        (&quantize, "x.npy", "x.npy"),
        (&predict, "x.npy", "x.npy"),
        (&predict, "../FOLDER/net.ernn", "net.ernn"),
    ] {
        let own = folder.path().file_name().unwrap().to_str().unwrap();
        let output = output.replace("FOLDER", own);
        let before = fs::read(at(input)).unwrap();
        let error = common::error_line(folder.path(), &[command, &[&output]].concat());
        let expected =
            format!("{input}: is the input too: write to another file, or replace it with --force");
        assert_eq!(error, expected, "{command:?}");
        assert_eq!(fs::read(at(input)).unwrap(), before);
    }
    run(&[&quantize[..], &["net.ernn", "--force"]].concat());
    run(&[&predict[..], &["x.npy", "--force"]].concat());
    run(&[&import[..], &["net.safetensors", "--force"]].concat());
}
