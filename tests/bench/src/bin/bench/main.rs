//! Makes the files, runs every reader on them in turn, and prints what came out: `cargo xtask bench`.

mod aims;
mod data;
mod readers;
mod runs;
mod table;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Result, ensure};
use clap::Parser;

use crate::{
    data::LogData,
    readers::{Programs, Reader},
    runs::{Measured, measure},
};

#[derive(Parser)]
struct Arguments {
    /// Rows of each file.
    #[arg(long, default_value_t = 800_000)]
    rows: u64,
    /// Runs of each reader on each file.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Also read one file of thirty times the rows, for its peak memory: 10 GB with the usual rows.
    #[arg(long)]
    large: bool,
    /// Where the files are made, and found again.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    programs: Programs,
}

/// Rows of the large file for each row of the others.
const LARGE_FACTOR: u64 = 30;

/// Groups of the file of many groups, for each 800 rows: 96,000 with the usual rows.
const GROUPS_PER_800_ROWS: u64 = 96;

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
    ensure!(*rows > 0 && *runs > 0, "`--rows` and `--runs` must be 1 or more");
    let groups = rows.saturating_mul(GROUPS_PER_800_ROWS).div_ceil(800);
    let few = LogData::few_groups(data, *rows)?;
    let many = LogData::many_groups(data, *rows, groups)?;
    let gzip = few.compressed(data)?;

    let mut measured = vec![
        measure(programs, "few groups", &few, &programs.all_plain(), *runs)?,
        measure(programs, "many groups", &many, &programs.all_plain(), *runs)?,
        measure(programs, "few groups, gzip", &gzip, &Reader::OF_GZIP, *runs)?,
    ];
    if *large {
        measured.push(large_file(arguments)?);
    }
    print!("{}", table::markdown(&measured));
    println!();
    print!("{}", aims::markdown(&measured));
    Ok(())
}

/// One run of ours on a file that is larger than memory may be. The file is removed again.
fn large_file(arguments: &Arguments) -> Result<Measured> {
    let Arguments { rows, data, programs, .. } = arguments;
    let large = LogData::few_groups(data, rows.saturating_mul(LARGE_FACTOR))?;
    let measured = measure(programs, "large", &large, &Reader::OURS, 1);
    large.remove()?;
    measured
}
