//! Reads one file as the function `ingest` does: `ingest_alone FILE CONFIGURATION_FOLDER`.
//!
//! Every row is accounted for; agents' rows are attributed and become extracts; each hour is the union of its
//! extracts, and its tallies are added up. What is left out is the storage: extracts stay in memory.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context as _;
use assessment::configuration::{Configuration, ConfigurationFiles};
use bench::{Answer, Found};
use clap::Parser;
use eventlog::{
    attribution::{AgentDirectory, Attribution},
    extract::{
        DEFAULT_CHUNK_ROWS, ExtractBuilder, ExtractChunk, ExtractError, ExtractKey, ExtractReader,
        merge_unique,
    },
    reader::{QuarantinedRow, ReadLimits, RowSink, SinkError, read_log},
    row::AccessRow,
    tally::Tally,
};

#[derive(Parser)]
struct Arguments {
    file: PathBuf,
    configuration: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let Arguments { file, configuration } = Arguments::parse();
    let directory = directory(&configuration)?;
    let began = Instant::now();
    let source =
        File::open(&file).with_context(|| format!("{} cannot be opened", file.display()))?;
    let mut storing = Storing::default();
    let report = read_log(source, &directory, &ReadLimits::default(), &mut storing)?;
    let mut agent_rows = 0_u64;
    for (key, extracts) in storing.finish()? {
        agent_rows = agent_rows.saturating_add(tallied_rows(key, &extracts, &directory)?);
    }
    let seconds = began.elapsed().as_secs_f64();
    Answer { seconds, found: Found::Accounted { rows: report.rows, agent_rows } }.print()?;
    Ok(())
}

/// The agents of a configuration folder.
fn directory(folder: &Path) -> anyhow::Result<AgentDirectory> {
    let unreadable = || format!("the configuration folder {} cannot be read", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if ConfigurationFiles::stem(&name).is_some() {
            files.push((name, fs::read_to_string(&path).with_context(unreadable)?));
        }
    }
    let configuration = Configuration::parse(&ConfigurationFiles::from_folder(files)?)?;
    Ok(configuration.directory())
}

/// Adds an hour up from its extracts; answers with how many rows its tallies hold.
fn tallied_rows(
    key: ExtractKey,
    extracts: &[Vec<u8>],
    directory: &AgentDirectory,
) -> Result<u64, ExtractError> {
    let mut tally = Tally::new(key.org_id, key.event_type, key.hour);
    let sources = extracts.iter().map(|bytes| ExtractReader::new(bytes.as_slice()));
    for row in merge_unique(sources) {
        let row = row?;
        tally.add(&row, &directory.attribute(row.event_type, &row.identity));
    }
    let agent_hours = tally.finish();
    Ok(agent_hours.values().flat_map(|hour| &hour.lines).map(|line| line.row_count).sum())
}

/// Gathers agents' rows into extracts.
struct Storing {
    building: ExtractBuilder,
    stored: BTreeMap<ExtractKey, Vec<Vec<u8>>>,
}

impl Default for Storing {
    fn default() -> Self {
        Self { building: ExtractBuilder::new(DEFAULT_CHUNK_ROWS), stored: BTreeMap::new() }
    }
}

impl Storing {
    fn store(&mut self, chunk: ExtractChunk) {
        self.stored.entry(chunk.key).or_default().push(chunk.bytes);
    }

    fn finish(mut self) -> Result<BTreeMap<ExtractKey, Vec<Vec<u8>>>, ExtractError> {
        let last = std::mem::replace(&mut self.building, ExtractBuilder::new(1)).finish()?;
        for chunk in last {
            self.store(chunk);
        }
        Ok(self.stored)
    }
}

impl RowSink for Storing {
    fn agent_row(&mut self, row: AccessRow, _: Attribution) -> Result<(), SinkError> {
        if let Some(chunk) = self.building.push(row)? {
            self.store(chunk);
        }
        Ok(())
    }

    /// The files of the bench hold none; one would be missing from the rows that are compared.
    fn quarantined(&mut self, row: QuarantinedRow) -> Result<(), SinkError> {
        Err(format!("line {} cannot be read: {}", row.line_number, row.reason).into())
    }
}
