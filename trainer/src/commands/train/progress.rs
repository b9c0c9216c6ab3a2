//! The progress bar of an epoch.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

/// A progress bar over the batches of one epoch. indicatif shows it on a terminal only.
pub struct Progress {
    bar: ProgressBar,
    start: Instant,
}

impl Progress {
    /// Starts the bar and the clock.
    pub fn start(epoch: usize, epochs: usize, batches: u64) -> Self {
        let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {eta}")
            .expect("the template is well formed");
        let bar = ProgressBar::new(batches).with_style(style).with_prefix(format!("Epoch {epoch}/{epochs}"));
        Self { bar, start: Instant::now() }
    }

    /// Advances by one batch.
    pub fn advance(&self) {
        self.bar.inc(1);
    }

    /// Removes the bar; returns the duration of the epoch in seconds.
    pub fn finish(&self) -> f64 {
        self.bar.finish_and_clear();
        self.start.elapsed().as_secs_f64()
    }
}
