//! Makes the files that `bench` has read: `bench_data FOLDER [--rows N] [--large]`.
//!
//! It is a program of its own because the kernel counts what a parent held when it started a child into the child's
//! peak memory: `bench` must have held next to nothing.

use std::path::PathBuf;

use bench::{
    USUAL_ROWS,
    data::{Kind, LogData},
};
use clap::{Parser, value_parser};

#[derive(Parser)]
struct Arguments {
    folder: PathBuf,
    #[arg(long, default_value_t = USUAL_ROWS, value_parser = value_parser!(u64).range(1..))]
    rows: u64,
    #[arg(long)]
    large: bool,
}

fn main() -> anyhow::Result<()> {
    let Arguments { folder, rows, large } = Arguments::parse();
    for kind in Kind::USUAL.into_iter().chain(large.then_some(Kind::Large)) {
        let made = LogData::make(&folder, kind, rows)?;
        println!("{}: {} rows", made.path.display(), made.truth.rows);
    }
    Ok(())
}
