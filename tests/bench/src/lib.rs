//! What the programs of `cargo xtask bench` share: the files, and the answer that each reader gives of its run.
//!
//! - `bench_data` makes the files.
//! - `bench` runs the readers on them in turn and prints the tables.
//! - `ingest_alone` reads as the function `ingest` does, without its storage. It is built by the profile that ships.
//! - `contender` reads with the crates `csv` and `simd-csv`, or inflates only. It is built by the profile
//!   `contenders`, for speed alone.
//! - `python/polars` and `python/duckdb` do the contender's work with Polars and `DuckDB`.
//!
//! Each run is a process of its own, so that its peak memory is nobody else's. A reader times its work by itself,
//! from before it opens the file until it has its result: starting Python is not reading.

pub mod data;

use std::io::{self, Write as _};

use serde::{Deserialize, Serialize};

/// Rows of a file, unless told otherwise.
pub const USUAL_ROWS: u64 = 800_000;

/// What a reader says of its run, as one line of JSON on standard output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Time of the work, without the start of the process.
    pub seconds: f64,
    /// What came out.
    #[serde(flatten)]
    pub found: Found,
}

/// What came out of a run, by the kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum Found {
    /// Every row accounted for; agents' rows attributed, kept and tallied.
    Accounted {
        /// Rows.
        rows: u64,
        /// Rows in the tallies of agents.
        agent_rows: u64,
    },
    /// Every row grouped by `USER_ID`, `ENTITY_NAME` and `CLIENT_NAME`.
    Grouped {
        /// Rows, counted over the groups.
        rows: u64,
        /// Groups.
        groups: u64,
        /// Sum of `ROWS_PROCESSED` over the groups.
        records: u64,
    },
    /// Gzip data inflated and thrown away.
    Inflated {
        /// Bytes that came out.
        bytes: u64,
    },
}

impl Answer {
    /// Prints the answer where the bench looks for it.
    ///
    /// # Errors
    /// Where standard output cannot be written to.
    pub fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, self)?;
        writeln!(out)
    }
}
