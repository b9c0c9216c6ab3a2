//! Standard output without a reader, and on a full disk.

use std::fs::File;
use std::process::Stdio;

use crate::arrays::write_frames;
use crate::common::ernn;
use crate::models::{GENERATIVE, LABELS, WHOLE, folder, random};

/// Checks that no command fails, and that one that writes a file writes it.
#[test]
fn a_closed_pipe_is_no_error() {
    let generative = folder(&random(GENERATIVE, 1, 3), &LABELS);
    let whole = folder(&random(WHOLE, 2, 3), &[]);
    write_frames(whole.path(), &[1, 6, 2], &[0.5; 12]);
    for (folder, args) in [
        (&generative, "generate m.ernn --start a --count 1000000000 --no-end"),
        (&whole, "predict m.ernn --input x.npy --output y.npy"),
        (&whole, "inspect m.ernn"),
        (&whole, "--help"),
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = ernn(folder.path(), &args).stdout(writer).output().unwrap();
        assert!(output.status.success(), "{args:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{args:?}");
    }
    assert!(whole.path().join("y.npy").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_of_stdout() {
    let folder = folder(&random(WHOLE, 2, 3), &[]);
    for args in [&["inspect", "m.ernn"][..], &["--help"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = ernn(folder.path(), args).stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(error, "ernn: stdout: No space left on device (os error 28)\n", "{args:?}");
    }
}
