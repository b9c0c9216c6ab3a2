//! The settings and the data of a run, for the report.

use super::job::{Job, Spent, describe, parameters};
use embedded_rnn_nn::data::{Dataset, Targets};
use embedded_rnn_nn::training::Run;

/// Returns the names and values of the table "Run" in the report.
pub fn facts(job: &Job, run: &Run, spent: &Spent) -> Vec<(&'static str, String)> {
    let training = &job.config.training;
    let Spent { epochs, seconds } = spent;
    let part =
        if *epochs < run.history.len() { format!(" in the last {epochs} epochs") } else { String::new() };
    let mut facts = vec![
        ("data", format!("{}, {}", job.config.data.file.display(), input(&job.parts.train))),
        ("training data", sequences(&job.parts.train)),
        ("validation data", validation(job)),
        ("test data", job.parts.test.as_ref().map_or("none".to_owned(), sequences)),
        ("parameters", parameters(run).to_string()),
        ("optimizer", format!("{}, batch size {}", training.describe_optimizer(), training.batch_size)),
        ("epochs", run.history.len().to_string()),
        ("training time", format!("{seconds:.1} s{part}, {} threads", rayon::current_num_threads())),
        ("seed", run.seed.to_string()),
        ("producer", concat!("ernn ", env!("CARGO_PKG_VERSION")).to_owned()),
    ];
    if let Some(watch) = run.watch(training) {
        facts.push(("early stopping", describe(&watch, run)));
    }
    if let Some(forecast) = &job.forecast {
        facts.push(("scaling in the history", forecast.scaling()));
    }
    facts
}

/// Describes the validation data and their origin.
fn validation(job: &Job) -> String {
    let Some(data) = &job.parts.validation else { return "none".to_owned() };
    let origin = match (job.is_split, &job.forecast) {
        (false, _) => "the validation part of the data set",
        (true, None) => "split off the training part, drawn by the seed",
        (true, Some(_)) => "the end of the training part",
    };
    format!("{}, {origin}", sequences(data))
}

fn input(data: &Dataset) -> String {
    let targets = match &data.targets {
        Targets::Labels(_) => format!("one of {} classes", data.width()),
        Targets::Values { width, .. } => count(*width, "target value"),
        Targets::Sequences(_) => format!("a sequence of {} classes", data.width()),
    };
    let every = if data.per_frame { "frame" } else { "sequence" };
    format!("{} per frame, {targets} per {every}", count(data.sequences.features, "feature"))
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Describes the number and the lengths of the sequences.
fn sequences(data: &Dataset) -> String {
    let x = &data.sequences;
    let mut steps: Vec<usize> = (0..x.len()).map(|s| x.steps(s)).collect();
    steps.sort_unstable();
    let (shortest, longest) = (steps[0], steps[steps.len() - 1]);
    let lengths = if shortest == longest {
        format!("{longest} frames each")
    } else {
        format!("{shortest} to {longest} frames, median {}", steps[steps.len() / 2])
    };
    format!("{} sequences of {lengths}", x.len())
}
