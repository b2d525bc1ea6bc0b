//! Who reads, and how each is started.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use bench::{Answer, Found};
use clap::Args;
use serde_json::Value;

/// Where the readers are.
#[derive(Args)]
pub(crate) struct Programs {
    /// The folder of `breachclock` and `ingest_alone`, built as they ship.
    #[arg(long)]
    ours: PathBuf,
    /// The folder of `contender`.
    #[arg(long)]
    contenders: PathBuf,
    /// The folder of our configuration.
    #[arg(long)]
    configuration: PathBuf,
    /// The folder of the contenders in Python.
    #[arg(long)]
    python_contenders: PathBuf,
    /// A Python that has Polars.
    #[arg(long)]
    polars: Option<PathBuf>,
    /// A Python that has `DuckDB`.
    #[arg(long)]
    duckdb: Option<PathBuf>,
}

/// Who reads a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// `breachclock scan`, the whole command.
    Scan,
    /// The same, one file at a time.
    ScanOnOne,
    /// The same, two files at a time.
    ScanOnTwo,
    /// What the function `ingest` does with a file, without the storage.
    Ingest,
    Csv,
    SimdCsv,
    Polars,
    DuckDb,
    /// The decompressor alone.
    Inflate,
}

impl Reader {
    pub(crate) const OURS: [Self; 2] = [Self::Scan, Self::Ingest];
    pub(crate) const OF_GZIP: [Self; 3] = [Self::Scan, Self::Ingest, Self::Inflate];
    pub(crate) const OF_TWO_FILES: [Self; 2] = [Self::ScanOnOne, Self::ScanOnTwo];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scan => "`breachclock scan`",
            Self::ScanOnOne => "`breachclock scan --threads 1`",
            Self::ScanOnTwo => "`breachclock scan --threads 2`",
            Self::Ingest => "`ingest` without storage",
            Self::Csv => "csv crate",
            Self::SimdCsv => "simd-csv",
            Self::Polars => "Polars",
            Self::DuckDb => "DuckDB",
            Self::Inflate => "flate2 alone",
        }
    }

    /// What the process has printed, as an answer. `process_seconds` is the time of the whole process.
    pub(crate) fn answer(self, printed: &str, process_seconds: f64) -> Result<Answer> {
        if matches!(self, Self::Scan | Self::ScanOnOne | Self::ScanOnTwo) {
            return scanned(printed, process_seconds);
        }
        serde_json::from_str(printed)
            .with_context(|| format!("{} gave no answer: {printed}", self.name()))
    }
}

/// The last line of a scan sums it up. It says no time of its own, so that the whole command counts.
fn scanned(printed: &str, seconds: f64) -> Result<Answer> {
    let summary: Value = printed
        .lines()
        .next_back()
        .and_then(|line| serde_json::from_str(line).ok())
        .context("the scan printed no summary")?;
    let rows = summary.get("rows").and_then(Value::as_u64).context("the scan counted no rows")?;
    let by_agent = summary
        .get("rows_by_agent")
        .and_then(Value::as_object)
        .context("the scan counted no rows of agents")?;
    let agent_rows = by_agent.values().filter_map(Value::as_u64).sum();
    Ok(Answer { seconds, found: Found::Accounted { rows, agent_rows } })
}

impl Programs {
    /// Everybody who reads plain CSV and is installed.
    pub(crate) fn installed(&self) -> Vec<Reader> {
        let mut readers = vec![Reader::Scan, Reader::Ingest, Reader::Csv, Reader::SimdCsv];
        readers.extend(self.polars.as_ref().map(|_| Reader::Polars));
        readers.extend(self.duckdb.as_ref().map(|_| Reader::DuckDb));
        readers
    }

    /// The command that has `reader` read `file`, on one processor where `taskset` can see to that.
    pub(crate) fn command(&self, reader: Reader, file: &Path, processor: Option<usize>) -> Command {
        let python = |python: &Option<PathBuf>, name: &str| {
            let script = self.python_contenders.join(name).join("contender.py");
            (python.clone().unwrap_or_else(|| "python3".into()), vec![script, file.to_owned()])
        };
        let contender =
            |name: &str| (self.contenders.join("contender"), vec![name.into(), file.to_owned()]);
        let (program, arguments) = match reader {
            Reader::Scan | Reader::ScanOnOne | Reader::ScanOnTwo => {
                let mut arguments: Vec<PathBuf> =
                    ["scan", "--format", "json", "--as-of", "2026-11-24T11:30:00Z", "--config"]
                        .map(PathBuf::from)
                        .to_vec();
                arguments.extend([self.configuration.clone(), file.to_owned()]);
                let threads = if reader == Reader::ScanOnTwo { "2" } else { "1" };
                arguments.extend(["--threads", threads].map(PathBuf::from));
                (self.ours.join("breachclock"), arguments)
            }
            Reader::Ingest => {
                (self.ours.join("ingest_alone"), vec![file.to_owned(), self.configuration.clone()])
            }
            Reader::Csv => contender("csv"),
            Reader::SimdCsv => contender("simd-csv"),
            Reader::Inflate => contender("inflate"),
            Reader::Polars => python(&self.polars, "polars"),
            Reader::DuckDb => python(&self.duckdb, "duckdb"),
        };
        let mut command = match processor {
            Some(processor) => {
                let mut pinned = Command::new("taskset");
                pinned.arg("--cpu-list").arg(processor.to_string()).arg(program);
                pinned
            }
            None => Command::new(program),
        };
        command.args(arguments).env("POLARS_MAX_THREADS", "1");
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_is_read_by_its_summary_and_timed_as_a_whole() {
        let printed = "{\"kind\":\"incident\",\"rows\":1}\n\
            {\"kind\":\"summary\",\"rows\":9,\"rows_by_agent\":{\"a\":2,\"b\":3}}\n";
        let answer = Reader::Scan.answer(printed, 0.5).unwrap();
        assert_eq!(
            answer,
            Answer { seconds: 0.5, found: Found::Accounted { rows: 9, agent_rows: 5 } }
        );
        assert!(Reader::Scan.answer("", 0.5).is_err());
    }

    #[test]
    fn a_contender_is_timed_by_itself() {
        let printed =
            "{\"seconds\":0.25,\"work\":\"grouped\",\"groups\":2,\"rows\":9,\"records\":7}";
        let answer = Reader::Polars.answer(printed, 2.0).unwrap();
        assert_eq!(
            answer,
            Answer { seconds: 0.25, found: Found::Grouped { rows: 9, groups: 2, records: 7 } }
        );
    }
}
