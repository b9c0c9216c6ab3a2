//! The command `cargo xtask fuzz`.

mod report;
mod targets;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use xtask::cmd::{Cmd, Failures, target_dir};
use xtask::instrument::Instrumentation;
use xtask::table::Table;

use report::Report;
use targets::{CRATES, FuzzCrate};

/// Seconds per target if none are given.
const DEFAULT: u64 = 60;

/// Runs fuzz targets one after another: mutated inputs, guided by coverage
///
/// A target continues with the inputs that its earlier runs found. A finding ends it, and the command fails;
/// the input is in target/fuzz/TARGET/findings.
#[derive(Args)]
#[command(after_help = "Examples:\n  cargo xtask fuzz onnx --hours 1\n  cargo xtask fuzz --seconds 10\n  \
                        cargo xtask fuzz model --input target/fuzz/model/findings/crash-1234")]
pub struct Fuzz {
    /// Names of targets [default: all]
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Seconds per target [default: 60]
    #[arg(long, conflicts_with = "hours")]
    seconds: Option<u64>,
    /// Hours per target
    #[arg(long)]
    hours: Option<f64>,
    /// Run one input, such as a finding
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seconds", "hours"])]
    input: Option<PathBuf>,
    /// List the names of the targets
    #[arg(long)]
    list: bool,
}

impl Fuzz {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        if self.list {
            CRATES.iter().flat_map(|fuzz_crate| fuzz_crate.targets).for_each(|name| println!("{name}"));
            return Ok(());
        }
        let toolchain = Instrumentation::look()?;
        if let Some(reason) = toolchain.missing_for_fuzzing() {
            bail!("{reason}");
        }
        let selected = self.selected()?;
        if let Some(input) = &self.input {
            let [(fuzz_crate, name)] = selected[..] else { bail!("--input: name one target") };
            let input = std::path::absolute(input).context("--input")?;
            return Cmd::new(fuzz_crate.build(&toolchain, &[name])?.join(name)).args([input]).run();
        }
        println!("{}", run(&toolchain, &selected, self.time())?);
        Ok(())
    }

    fn time(&self) -> Duration {
        match self.hours {
            Some(hours) => Duration::from_secs_f64(hours.max(0.0) * 3600.0),
            None => Duration::from_secs(self.seconds.unwrap_or(DEFAULT)),
        }
    }

    fn selected(&self) -> Result<Vec<Selected>> {
        let all = CRATES
            .iter()
            .flat_map(|fuzz_crate| fuzz_crate.targets.iter().map(move |&name| (fuzz_crate, name)));
        let all: Vec<Selected> = all.collect();
        if let Some(unknown) = self.targets.iter().find(|wanted| all.iter().all(|(_, name)| name != wanted)) {
            bail!("no target `{unknown}`: `cargo xtask fuzz --list` names them");
        }
        let is_selected =
            |name: &str| self.targets.is_empty() || self.targets.iter().any(|wanted| wanted == name);
        Ok(all.into_iter().filter(|(_, name)| is_selected(name)).collect())
    }
}

/// A target with its crate.
type Selected = (&'static FuzzCrate, &'static str);

/// Runs every target for some seconds, as a step of CI.
pub fn smoke(toolchain: &Instrumentation, seconds: u64) -> Result<String> {
    let all =
        Fuzz { targets: Vec::new(), seconds: None, hours: None, input: None, list: false }.selected()?;
    let table = run(toolchain, &all, Duration::from_secs(seconds))?;
    eprint!("{table}");
    Ok(format!("{} targets, {seconds} s each", all.len()))
}

/// Lints the fuzz crates, which the workspace leaves out.
pub fn clippy(toolchain: &Instrumentation) -> Result<()> {
    let lints = ["--lib", "--bins", "--", "-D", "warnings"];
    CRATES.iter().try_for_each(|fuzz_crate| fuzz_crate.command(toolchain, "clippy").args(lints).run())
}

/// Builds and runs targets, and returns the table of their results.
fn run(toolchain: &Instrumentation, selected: &[Selected], time: Duration) -> Result<Table> {
    let (mut table, mut failures) = (Table::new(&Report::TITLES), Failures::default());
    for fuzz_crate in &CRATES {
        let own = selected.iter().filter(|(of, _)| of.folder == fuzz_crate.folder);
        let own: Vec<&str> = own.map(|(_, name)| *name).collect();
        if own.is_empty() {
            continue;
        }
        let programs = fuzz_crate.build(toolchain, &own)?;
        for name in own {
            if let Some(report) = failures.note(name, fuzz_crate.fuzz(&programs, name, time)) {
                table.row(report.row(name));
            }
        }
    }
    failures.finish().map(|()| table)
}

impl FuzzCrate {
    /// Builds targets, and returns the folder of the programs.
    fn build(&self, toolchain: &Instrumentation, names: &[&str]) -> Result<PathBuf> {
        let bins = names.iter().flat_map(|name| ["--bin", name]);
        self.command(toolchain, "build").args(bins).run()?;
        Ok(self.builds().join(&toolchain.host).join("release"))
    }

    /// Returns the folder of cargo's files.
    fn builds(&self) -> PathBuf {
        target_dir().join("fuzz/build").join(self.folder.replace('/', "-"))
    }

    /// Creates the command `cargo SUBCOMMAND` on the crate.
    fn command(&self, toolchain: &Instrumentation, subcommand: &str) -> Cmd {
        let command = Cmd::cargo().args([subcommand, "--release"]).dir(xtask::cmd::root().join(self.folder));
        toolchain.fuzzing(command, self.is_sanitized).env("CARGO_TARGET_DIR", self.builds())
    }

    /// Runs a target for this time.
    fn fuzz(&self, programs: &Path, name: &str, time: Duration) -> Result<Report> {
        let folder = target_dir().join("fuzz").join(name);
        let [corpus, seeds, findings] = ["corpus", "seeds", "findings"].map(|part| folder.join(part));
        for part in [&corpus, &seeds, &findings] {
            fs::create_dir_all(part).with_context(|| part.display().to_string())?;
        }
        let log = folder.join("log");
        let inputs = self.seeds.map_or(seeds.clone(), |seeds| xtask::cmd::root().join(seeds));
        let options = [
            format!("-max_total_time={}", time.as_secs()),
            format!("-max_len={}", self.max_len),
            format!("-artifact_prefix={}/", findings.display()),
        ];
        let program = Cmd::new(programs.join(name)).args([&corpus, &inputs]).args(options);
        let program =
            program.args(["-timeout=20", "-rss_limit_mb=2048", "-detect_leaks=0", "-print_final_stats=1"]);
        // Freed memory that AddressSanitizer keeps is no growth of the target.
        let program = program.env("ERNN_FUZZ_SEEDS", &seeds).env("ASAN_OPTIONS", "quarantine_size_mb=16");
        let run = program.run_logged(&log);
        let text = String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
        match report::finding(&text) {
            Some(finding) => bail!("{finding}; log: {}", log.display()),
            None => run.map(|()| Report::parse(&text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_targets_are_rejected_and_known_ones_found() {
        let fuzz = |targets: &[&str]| {
            let targets = targets.iter().map(|&name| name.to_owned()).collect();
            Fuzz { targets, seconds: None, hours: Some(0.5), input: None, list: false }
        };
        assert!(fuzz(&["no-such-target"]).selected().is_err());
        assert_eq!(fuzz(&["onnx", "model"]).selected().unwrap().len(), 2);
        assert_eq!(fuzz(&[]).selected().unwrap().len(), 10);
        assert_eq!(fuzz(&[]).time(), Duration::from_secs(1800));
    }
}
