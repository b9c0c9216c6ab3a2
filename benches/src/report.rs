//! The report of a run: a table for people, JSON lines for programs, and the circumstances.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Serialize;

/// Machine, compiler and date of a run; the first line of the results.
#[derive(Debug, Serialize)]
pub struct Circumstances {
    /// Model, family and number of the CPU.
    pub cpu: String,
    /// Cores on which the run was allowed.
    pub cores: String,
    /// Load average over the minute before the run.
    pub load: String,
    /// Version of the compiler.
    pub rustc: String,
    /// Commit of the tree.
    pub commit: String,
    /// Date, in UTC.
    pub date: String,
    /// Command that repeats the run.
    pub command: &'static str,
    /// Instructions of the bounds.
    pub bounds: &'static str,
    /// f32 multiply-adds per ns on registers.
    pub multiply_adds: f64,
}

impl Circumstances {
    /// Collects the circumstances; a value that cannot be found is `unknown`.
    pub fn collect(bounds: &'static str, multiply_adds: f64) -> Self {
        let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
        Self {
            cpu: cpu(),
            cores: field("/proc/self/status", "Cpus_allowed_list").unwrap_or_else(unknown),
            load: fs::read_to_string("/proc/loadavg")
                .ok()
                .and_then(|text| text.split(' ').next().map(str::to_owned))
                .unwrap_or_else(unknown),
            rustc: output_of(&rustc, &["--version"]),
            commit: output_of("git", &["describe", "--always", "--dirty", "--exclude=*"]),
            date: output_of("date", &["-u", "+%F"]),
            command: "cargo bench -p embedded-rnn-benches",
            bounds,
            multiply_adds,
        }
    }
}

fn unknown() -> String {
    "unknown".into()
}

/// Returns name, family and model of the CPU: hypervisors shorten the name, the numbers stay.
fn cpu() -> String {
    let field = |key| field("/proc/cpuinfo", key);
    let Some(name) = field("model name") else { return std::env::consts::ARCH.into() };
    match (field("cpu family"), field("model")) {
        (Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        _ => name,
    }
}

/// Returns the value after the first `key:` in a file of the system.
fn field(file: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(k, _)| k.trim() == key).map(|(_, value)| value.trim().to_owned())
}

fn output_of(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let output = output.ok().filter(|output| output.status.success());
    output.map_or_else(unknown, |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// One network in one dtype on one backend.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Name of the network, such as `lstm-40x128`.
    pub model: String,
    /// `f32`, `f16` or `i8`.
    pub dtype: &'static str,
    /// Recurrent cell.
    pub cell: &'static str,
    /// Values per time step.
    pub input_size: usize,
    /// Units of the cell.
    pub hidden_size: usize,
    /// Backend that ran the steps.
    pub backend: &'static str,
    /// Time in ns per step, in the best round.
    pub ns_min: f64,
    /// Time in ns per step, in the median round.
    pub ns_median: f64,
    /// Least time in ns per step on this machine.
    pub bound_ns: f64,
    /// Operation that sets the bound.
    pub bound_by: &'static str,
    /// Bytes of weights read per ns.
    pub read_rate: f64,
    /// i8 weights read, widened, multiplied and added per ns.
    pub widen_rate: Option<f64>,
}

impl Row {
    /// Returns the share of the bound in the time of a step.
    pub fn share(&self) -> f64 {
        self.bound_ns / self.ns_min
    }
}

/// Formats all results as text.
pub fn table(circumstances: &Circumstances, rows: &[Row]) -> String {
    let c = circumstances;
    let mut text = format!(
        "{}, core {}, load {}; {}; {}, commit {}\n{}\n\
         {:.1} multiply-adds per ns in f32 on registers ({})\n\n",
        c.cpu, c.cores, c.load, c.rustc, c.date, c.commit, c.command, c.multiply_adds, c.bounds
    );
    let titles = ["net", "dtype", "backend", "min ns", "median ns", "bound ns", "share", "bound by"];
    let [net, dtype, backend, min, median, bound, share, by] = titles;
    let _ =
        writeln!(text, "{net:<13} {dtype:<7} {backend:<8} {min:>9} {median:>9} {bound:>9} {share:>6}  {by}");
    for row in rows {
        let rate = row.widen_rate.filter(|_| row.bound_by == "widen").unwrap_or(row.read_rate);
        let rate = match row.bound_by {
            "multiply-add" => String::new(),
            _ => format!(" at {rate:.0} B/ns"),
        };
        let _ = writeln!(
            text,
            "{:<13} {:<7} {:<8} {:>9.1} {:>9.1} {:>9.1} {:>5.0}%  {}{rate}",
            row.model,
            row.dtype,
            row.backend,
            row.ns_min,
            row.ns_median,
            row.bound_ns,
            100.0 * row.share(),
            row.bound_by,
        );
    }
    text
}

/// Writes `target/bench.jsonl`: the circumstances, then one line per row.
pub fn write(circumstances: &Circumstances, rows: &[Row]) -> Result<PathBuf> {
    let mut lines = serde_json::to_string(circumstances)? + "\n";
    for row in rows {
        lines += &(serde_json::to_string(row)? + "\n");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the crate lies in the workspace")?;
    let folder = root.join("target");
    fs::create_dir_all(&folder)?;
    let file = folder.join("bench.jsonl");
    fs::write(&file, lines).with_context(|| format!("writing {}", file.display()))?;
    Ok(file)
}
