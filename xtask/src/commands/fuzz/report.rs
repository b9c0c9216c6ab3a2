//! The results of a target, read from the log of libFuzzer.

/// The results of one target.
#[derive(Debug, Default, PartialEq)]
pub struct Report {
    executions: String,
    per_second: String,
    /// Edges of the program that were taken.
    coverage: String,
    /// Inputs that were kept, and their size.
    corpus: String,
}

impl Report {
    /// The titles of the columns.
    pub const TITLES: [&str; 5] = ["target", "executions", "per second", "coverage", "corpus"];

    /// Reads the log of a run.
    pub fn parse(log: &str) -> Self {
        let statistic = |name: &str| {
            let line = log.lines().rev().find_map(|line| line.strip_prefix(&format!("stat::{name}:")));
            line.unwrap_or_default().trim().to_owned()
        };
        let last = log.lines().rev().find(|line| line.starts_with('#') && line.contains(" cov: "));
        let words: Vec<&str> = last.unwrap_or_default().split_whitespace().collect();
        let after = |key: &str| {
            let found = words.iter().position(|word| *word == key).and_then(|at| words.get(at + 1));
            found.map_or(String::new(), |word| (*word).to_owned())
        };
        Self {
            executions: statistic("number_of_executed_units"),
            per_second: statistic("average_exec_per_sec"),
            coverage: after("cov:"),
            corpus: after("corp:"),
        }
    }

    /// Returns the row of the target.
    pub fn row(self, name: &str) -> Vec<String> {
        vec![name.to_owned(), self.executions, self.per_second, self.coverage, self.corpus]
    }
}

/// Returns what the target has found: the message of its panic, or of libFuzzer, and the file of the input.
pub fn finding(log: &str) -> Option<String> {
    let file = log.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, file)| file)?;
    let mut lines = log.lines().skip_while(|line| !line.contains(" panicked at "));
    let panic = lines.next().map(|place| format!("{} {}", place.trim(), lines.next().unwrap_or_default()));
    let other = || log.lines().find(|line| line.contains("ERROR: ")).unwrap_or_default().trim().to_owned();
    Some(format!("{}: {file}", panic.unwrap_or_else(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_from_the_log() {
        let log = "#2\tINITED cov: 7 ft: 9 corp: 1/3b\n#90\tDONE   cov: 12 ft: 30 corp: 4/27b exec/s: 3\n\
                   stat::number_of_executed_units: 90\nstat::average_exec_per_sec:     30\n";
        assert_eq!(Report::parse(log).row("a"), ["a", "90", "30", "12", "4/27b"]);
        assert_eq!(finding(log), None);
        assert_eq!(Report::parse(""), Report::default());
    }

    #[test]
    fn a_panic_and_a_timeout_are_findings_with_their_input() {
        let written = "artifact_prefix='f/'; Test unit written to f/crash-1\n";
        let panic = format!(
            "#1\nthread '<unnamed>' panicked at src/a.rs:1:2:\nno\n==1== ERROR: libFuzzer: deadly\n{written}"
        );
        assert_eq!(finding(&panic).unwrap(), "thread '<unnamed>' panicked at src/a.rs:1:2: no: f/crash-1");
        let slow = format!("ALARM\n==1== ERROR: libFuzzer: timeout after 20 seconds\n{written}");
        assert_eq!(finding(&slow).unwrap(), "==1== ERROR: libFuzzer: timeout after 20 seconds: f/crash-1");
    }
}
