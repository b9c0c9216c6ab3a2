//! How far an epoch has got, for those who watch.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over the batches of one epoch: on a terminal only (indicatif sees to that).
pub struct Progress {
    bar: ProgressBar,
    start: Instant,
}

impl Progress {
    /// At the beginning of an epoch.
    pub fn start(epoch: usize, epochs: usize, batches: u64) -> Self {
        let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {eta}")
            .expect("the template is well formed");
        let bar = ProgressBar::new(batches).with_style(style).with_prefix(format!("Epoch {epoch}/{epochs}"));
        Self { bar, start: Instant::now() }
    }

    /// A batch is done.
    pub fn advance(&self) {
        self.bar.inc(1);
    }

    /// The epoch is done: how many seconds it took.
    pub fn finish(&self) -> f64 {
        self.bar.finish_and_clear();
        self.start.elapsed().as_secs_f64()
    }
}
