//! Reads one event log and prints its report as JSON: `cargo run --release -p eventlog --example read FILE`.

use std::{fs::File, process::ExitCode, time::Instant};

use eventlog::{
    attribution::{AgentDirectory, Attribution},
    reader::{QuarantinedRow, ReadLimits, RowSink, SinkError, read_log},
    row::AccessRow,
};

/// Takes rows and forgets them: only the report is of interest here.
struct Discard;

impl RowSink for Discard {
    fn agent_row(&mut self, _: AccessRow, _: Attribution) -> Result<(), SinkError> {
        Ok(())
    }

    fn quarantined(&mut self, row: QuarantinedRow) -> Result<(), SinkError> {
        eprintln!("line {}: {}", row.line_number, row.reason);
        Ok(())
    }
}

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("which file? Give its path as the only argument.");
        return ExitCode::from(2);
    };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) => {
            eprintln!("{} could not be opened: {error}", path.display());
            return ExitCode::from(2);
        }
    };
    let directory = AgentDirectory::default();
    let began = Instant::now();
    let result = read_log(file, &directory, &ReadLimits::default(), &mut Discard);
    let elapsed = began.elapsed();
    let report = match &result {
        Ok(report) => Some(report),
        Err(error) => {
            eprintln!("{error}");
            error.partial()
        }
    };
    if let Some(report) = report {
        match serde_json::to_string_pretty(report) {
            Ok(json) => println!("{json}"),
            Err(error) => eprintln!("the report could not be written as JSON: {error}"),
        }
        eprintln!("{} bytes in {elapsed:?}", report.inflated_bytes);
    }
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) }
}
