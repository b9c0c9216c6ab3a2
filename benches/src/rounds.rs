//! Timing in turns: one batch of each task per round, for many rounds.
//!
//! The clock of a machine drifts and other programs interfere; tasks that take turns are affected alike. The
//! minimum over the rounds is the speed of the machine, the median the speed under this load.

use std::time::{Duration, Instant};

/// A task that runs a given number of times in a row.
pub type Task = Box<dyn FnMut(u64)>;

/// Number and length of the rounds.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Rounds; at least one.
    pub rounds: usize,
    /// Approximate time of a batch.
    pub batch: Duration,
}

impl Plan {
    /// Many batches, each much shorter than a time slice of the system: a disturbance affects some of them,
    /// not the minimum and hardly the median.
    pub const FULL: Self = Self { rounds: 1000, batch: Duration::from_micros(200) };
    /// One round, to see that everything runs.
    pub const TEST: Self = Self { rounds: 1, batch: Duration::ZERO };
}

/// A task and its times.
pub struct Timed {
    task: Task,
    /// Time in ns per run of the task, one value per round, sorted after the last round.
    ns: Vec<f64>,
}

impl Timed {
    /// Creates a task without times.
    pub fn new(task: Task) -> Self {
        Self { task, ns: Vec::new() }
    }

    /// Returns the time in ns per run, in the best round.
    pub fn min(&self) -> f64 {
        self.ns[0]
    }

    /// Returns the time in ns per run, in the median round.
    pub fn median(&self) -> f64 {
        self.ns[self.ns.len() / 2]
    }

    fn time(&mut self, times: u64) -> Duration {
        let start = Instant::now();
        (self.task)(times);
        start.elapsed()
    }

    /// Returns the number of runs per batch.
    fn times_in(&mut self, batch: Duration) -> u64 {
        let mut times = 1;
        loop {
            let took = self.time(times);
            if took >= batch / 2 {
                return (times as f64 * batch.as_secs_f64() / took.as_secs_f64()).max(1.0) as u64;
            }
            times *= 2;
        }
    }
}

/// Times all tasks in turns.
pub fn run(tasks: &mut [&mut Timed], plan: Plan) {
    let times: Vec<u64> = tasks.iter_mut().map(|timed| timed.times_in(plan.batch)).collect();
    for _ in 0..plan.rounds {
        for (timed, &times) in tasks.iter_mut().zip(&times) {
            // Loads its weights into the caches, which the other tasks have filled.
            timed.time(times / 4 + 1);
            let took = timed.time(times);
            timed.ns.push(took.as_secs_f64() * 1e9 / times as f64);
        }
    }
    for timed in tasks {
        timed.ns.sort_by(f64::total_cmp);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_timed_in_every_round() {
        let mut slow =
            Timed::new(Box::new(|times| std::thread::sleep(Duration::from_micros(200) * times as u32)));
        let mut fast = Timed::new(Box::new(|_| {}));
        let plan = Plan { rounds: 5, batch: Duration::from_micros(400) };
        // A task without work would never fill a batch.
        run(&mut [&mut slow], plan);
        run(&mut [&mut fast], Plan::TEST);
        assert_eq!((slow.ns.len(), fast.ns.len()), (5, 1));
        assert!(slow.min() >= 200e3 && slow.median() >= slow.min());
    }
}
