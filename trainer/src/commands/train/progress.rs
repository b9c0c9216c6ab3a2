//! The progress bar of a run.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar over the batches of all epochs, with the time left. indicatif shows it on a terminal only.
pub struct Progress {
    bar: ProgressBar,
    epochs: usize,
    start: Instant,
}

impl Progress {
    /// Starts a bar over `epochs` epochs of `batches` batches each, of which `done` epochs are completed.
    pub fn start(epochs: usize, batches: u64, done: usize) -> Self {
        let style = ProgressStyle::with_template("{prefix} {bar:24} {percent}% {eta} left {wide_msg}")
            .expect("the template is well formed");
        let bar = ProgressBar::new(batches * epochs as u64).with_style(style);
        bar.set_position(batches * done as u64);
        bar.reset_eta();
        Self { bar, epochs, start: Instant::now() }
    }

    /// Hides the bar.
    pub fn hide(&self) {
        self.bar.set_draw_target(ProgressDrawTarget::hidden());
    }

    /// Starts the clock of an epoch, which counts from 1.
    pub fn start_epoch(&mut self, epoch: usize) {
        self.bar.set_prefix(format!("Epoch {epoch}/{}", self.epochs));
        self.start = Instant::now();
    }

    /// Advances by one batch.
    pub fn advance(&self) {
        self.bar.inc(1);
    }

    /// Returns the duration of the epoch in seconds.
    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Shows the scores of the last epoch behind the bar, and calls `print` while the bar is away.
    pub fn show<R>(&self, scores: String, print: impl FnOnce() -> R) -> R {
        self.bar.set_message(scores);
        self.bar.suspend(print)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
