//! Steps: announced in one line each, timed, silent unless they fail.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};

use crate::program::{Output, Program, Repository};

const LABEL_WIDTH: usize = 52;
const LINES_SHOWN_ON_FAILURE: usize = 60;

/// The steps of one command.
pub(crate) struct Steps {
    logs: PathBuf,
    verbose: bool,
}

impl Steps {
    pub(crate) fn new(repository: &Repository, verbose: bool) -> Result<Self> {
        let logs = repository.path(".local/logs");
        fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;
        Ok(Self { logs, verbose })
    }

    /// One program as one step; its output goes to `.local/logs/LABEL.log` and is shown if it fails.
    pub(crate) fn run(&self, label: &str, program: &Program) -> Result<()> {
        if self.verbose {
            println!("{label}");
            let started = Instant::now();
            program.run(Output::Terminal).with_context(|| format!("{label}: failed"))?;
            println!("{label}{}", seconds_since(started));
            return Ok(());
        }
        let log = self.logs.join(log_name(label));
        timed(label, || {
            let file =
                File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
            program.run(Output::Log(file))
        })
        .map_err(|problem| {
            if crate::program::interrupted() {
                return problem;
            }
            anyhow!("{}\n{problem:#}\nThe whole output: {}", tail(&log), log.display())
        })
    }
}

/// Announces, acts, and says how long it took.
fn timed(label: &str, act: impl FnOnce() -> Result<()>) -> Result<()> {
    let started = Instant::now();
    print!("{label:<LABEL_WIDTH$}");
    // A terminal that cannot be written to is no reason to stop the work.
    let _ = std::io::stdout().flush();
    let outcome = act();
    let ending = if outcome.is_ok() { "" } else { "   failed" };
    println!("{}{ending}", seconds_since(started));
    outcome
}

fn seconds_since(started: Instant) -> String {
    format!("{:>8.1} s", started.elapsed().as_secs_f64())
}

fn log_name(label: &str) -> String {
    let name: String = label
        .chars()
        .map(
            |letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' },
        )
        .collect();
    format!("{}.log", name.trim_matches('-'))
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(LINES_SHOWN_ON_FAILURE);
    lines
        .into_iter()
        .skip(skipped)
        .map(|line| format!("  | {line}"))
        .collect::<Vec<String>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_becomes_a_plain_file_name() {
        assert_eq!(log_name("Lints (clippy)"), "lints--clippy.log");
    }

    #[test]
    fn only_the_end_of_a_long_log_is_shown() {
        let log = std::env::temp_dir().join(format!("xtask-tail-{}", std::process::id()));
        let text = (1..=100).map(|line| format!("line {line}")).collect::<Vec<_>>().join("\n");
        fs::write(&log, text).unwrap();
        let shown = tail(&log);
        fs::remove_file(&log).unwrap();
        assert_eq!(shown.lines().count(), LINES_SHOWN_ON_FAILURE);
        assert!(shown.starts_with("  | line 41\n"), "{shown}");
    }
}
