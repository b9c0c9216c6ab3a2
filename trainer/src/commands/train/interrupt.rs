//! Ctrl-C: the first ends the training after the current epoch, with all files written; the second ends the
//! program at once, as outputs are written atomically.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// The exit status of a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Installs the handler.
pub fn install() -> Result<()> {
    let handle = || {
        if REQUESTED.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
        eprintln!("\nCtrl-C: the training ends after this epoch; again, and it ends at once");
    };
    ctrlc::set_handler(handle).context("the handler of Ctrl-C")
}

/// Returns `true` after the first Ctrl-C.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
