//! Runs every reader on the files of `bench_data` in turn, and prints what came out: `cargo xtask bench`.

mod aims;
mod readers;
mod runs;
mod table;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Result, ensure};
use bench::{
    USUAL_ROWS,
    data::{Kind, LogData},
};
use clap::{Parser, value_parser};

use crate::{
    readers::{Programs, Reader},
    runs::{Method, measure, processor_to_pin},
};

#[derive(Parser)]
struct Arguments {
    /// Rows of the usual files.
    #[arg(long, default_value_t = USUAL_ROWS, value_parser = value_parser!(u64).range(1..))]
    rows: u64,
    /// Runs of each reader on each file.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Also read the large file, once and with ours only. It is removed afterwards.
    #[arg(long)]
    large: bool,
    /// Where the files are.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    programs: Programs,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("The bench stopped: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { rows, runs, large, data, programs } = arguments;
    ensure!(*runs > 0, "`--runs` must be 1 or more");
    let method = Method { programs, runs: *runs, processor: processor_to_pin() };
    let mut measured = Vec::new();
    for kind in Kind::USUAL {
        // What may take more than one processor is given all.
        let on_all = Method { processor: None, ..method };
        let (method, readers) = match kind {
            Kind::Gzip => (on_all, Reader::OF_GZIP.to_vec()),
            Kind::Twice => (on_all, Reader::OF_TWO_FILES.to_vec()),
            Kind::FewGroups | Kind::ManyGroups | Kind::Large => (method, programs.installed()),
        };
        let data = LogData::find(data, kind, *rows)?;
        measured.push(measure(method, kind.title(), &data, &readers)?);
    }
    if *large {
        let data = LogData::find(data, Kind::Large, *rows)?;
        let once = Method { runs: 1, ..method };
        let outcome = measure(once, Kind::Large.title(), &data, &Reader::OURS);
        data.remove()?;
        measured.push(outcome?);
    }
    println!("{}", table::note(method));
    println!("{}", table::markdown(&measured));
    print!("{}", aims::markdown(&measured));
    Ok(())
}
