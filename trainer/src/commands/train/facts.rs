//! What the report says of a run beside its numbers.

use super::{Job, Spent, parameters};
use embedded_rnn_nn::data::{Dataset, Targets};
use embedded_rnn_nn::training::Run;

/// A name and a value each.
pub fn facts(job: &Job, run: &Run, spent: &Spent) -> Vec<(&'static str, String)> {
    let training = &job.config.training;
    let Spent { epochs, seconds } = spent;
    let part =
        if *epochs < run.history.len() { format!(" for the last {epochs} epochs") } else { String::new() };
    let mut facts = vec![
        ("data", format!("{}, {}", job.config.data.file.display(), input(&job.train))),
        ("trained on", sequences(&job.train)),
        ("tested on", format!("{}, {}", sequences(&job.validation), job.held_out)),
        ("parameters", parameters(run).to_string()),
        (
            "optimizer",
            format!("Adam, learning rate {}, batches of {}", training.learning_rate, training.batch_size),
        ),
        ("epochs", run.history.len().to_string()),
        ("training time", format!("{seconds:.1} s{part}, {} threads", rayon::current_num_threads())),
        ("seed", run.seed.to_string()),
        ("made by", concat!("ernn ", env!("CARGO_PKG_VERSION")).to_owned()),
    ];
    if let Some(forecast) = &job.forecast {
        facts.push(("history is of", forecast.scaling()));
    }
    facts
}

fn input(data: &Dataset) -> String {
    let targets = match &data.targets {
        Targets::Labels(_) => format!("one of {} classes", data.width()),
        Targets::Values { width, .. } => format!("{width} target values"),
        Targets::Sequences(_) => format!("a sequence of {} classes", data.width()),
    };
    let every = if data.per_frame { "frame" } else { "sequence" };
    format!("{} features a frame, {targets} for each {every}", data.sequences.features)
}

/// How many, and how long they are.
fn sequences(data: &Dataset) -> String {
    let x = &data.sequences;
    let mut steps: Vec<usize> = (0..x.len()).map(|s| x.steps(s)).collect();
    steps.sort_unstable();
    let (shortest, longest) = (steps[0], steps[steps.len() - 1]);
    let length = if shortest == longest {
        format!("{longest} frames each")
    } else {
        format!("{shortest} to {longest} frames, median {}", steps[steps.len() / 2])
    };
    format!("{} sequences of {length}", x.len())
}
