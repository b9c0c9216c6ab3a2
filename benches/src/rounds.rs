//! Timing in turns: a batch of each work, then of each again, for many rounds.
//!
//! A machine's clock drifts and its neighbours come and go; works that take turns see the same of both. The least of the
//! rounds is what the machine can do, the median what it did.

use std::time::{Duration, Instant};

/// Something to be done a number of times in a row.
pub type Work = Box<dyn FnMut(u64)>;

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Rounds; at least one.
    pub rounds: usize,
    /// About how long a batch takes.
    pub batch: Duration,
}

impl Plan {
    /// Many batches, each short beside the time that a system gives to a program in one go: a disturbance spoils some of
    /// them, not the least and hardly the median.
    pub const FULL: Self = Self { rounds: 1000, batch: Duration::from_micros(200) };
    /// Only to see that everything runs.
    pub const TEST: Self = Self { rounds: 1, batch: Duration::ZERO };
}

/// A work and its times.
pub struct Timed {
    work: Work,
    /// ns for doing it once, a figure a round, sorted after the last.
    ns: Vec<f64>,
}

impl Timed {
    /// Not timed yet.
    pub fn new(work: Work) -> Self {
        Self { work, ns: Vec::new() }
    }

    /// ns for doing it once, in the best round.
    pub fn min(&self) -> f64 {
        self.ns[0]
    }

    /// ns for doing it once, in the middle one of the rounds.
    pub fn median(&self) -> f64 {
        self.ns[self.ns.len() / 2]
    }

    fn time(&mut self, times: u64) -> Duration {
        let start = Instant::now();
        (self.work)(times);
        start.elapsed()
    }

    /// How often it is done in a batch.
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

/// Times all of `works` in turns.
pub fn run(works: &mut [&mut Timed], plan: Plan) {
    let times: Vec<u64> = works.iter_mut().map(|timed| timed.times_in(plan.batch)).collect();
    for _ in 0..plan.rounds {
        for (timed, &times) in works.iter_mut().zip(&times) {
            timed.time(times / 4 + 1); // Brings its weights back into the caches: the works before have taken them.
            let took = timed.time(times);
            timed.ns.push(took.as_secs_f64() * 1e9 / times as f64);
        }
    }
    for timed in works {
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
        // A work of no time at all would never fill a batch.
        run(&mut [&mut slow], plan);
        run(&mut [&mut fast], Plan::TEST);
        assert_eq!((slow.ns.len(), fast.ns.len()), (5, 1));
        assert!(slow.min() >= 200e3 && slow.median() >= slow.min());
    }
}
