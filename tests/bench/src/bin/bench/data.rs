//! The files that are read: made once from a seed, and found again by the next run.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use flate2::{Compression, write::GzEncoder};
use serde::{Deserialize, Serialize};
use worlds::big_file::{self, Callers};

const SEED: u64 = 1;

/// A log on disk and the truth about it.
#[derive(Clone, Debug)]
pub(crate) struct LogData {
    pub(crate) path: PathBuf,
    pub(crate) truth: Truth,
}

/// What every reader must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Truth {
    /// Rows, without the header.
    pub(crate) rows: u64,
    /// Rows of registered agents.
    pub(crate) agent_rows: u64,
    /// Bytes, inflated.
    pub(crate) bytes: u64,
    /// Bytes on disk; another length is another file.
    pub(crate) stored_bytes: u64,
}

impl LogData {
    /// The real case: the people of one organisation, and a few hundred rows of an agent.
    pub(crate) fn few_groups(folder: &Path, rows: u64) -> Result<Self> {
        Self::found_or_made(
            folder,
            &format!("few-groups-{rows}.csv"),
            plain(rows, Callers::Organisation),
        )
    }

    /// Callers so many that the rows fall into about that many groups by user, object and client.
    pub(crate) fn many_groups(folder: &Path, rows: u64, groups: u64) -> Result<Self> {
        let name = format!("many-groups-{rows}-{groups}.csv");
        Self::found_or_made(folder, &name, plain(rows, Callers::Groups(groups)))
    }

    /// The same log as gzip.
    pub(crate) fn compressed(&self, folder: &Path) -> Result<Self> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        Self::found_or_made(folder, &format!("{name}.gz"), |file| {
            let mut plain = BufReader::new(File::open(&self.path)?);
            let mut encoder = GzEncoder::new(file, Compression::default());
            io::copy(&mut plain, &mut encoder)?;
            encoder.finish()?;
            Ok(self.truth)
        })
    }

    /// Removes the log. What is said of it goes last, so that a log without it is made afresh.
    pub(crate) fn remove(&self) -> Result<()> {
        for path in [&self.path, &truth_beside(&self.path)] {
            fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }

    fn found_or_made(
        folder: &Path,
        name: &str,
        make: impl FnOnce(&mut BufWriter<File>) -> io::Result<Truth>,
    ) -> Result<Self> {
        let path = folder.join(name);
        if let Some(truth) = found(&path) {
            return Ok(Self { path, truth });
        }
        eprintln!("Making {}", path.display());
        let cannot = || format!("cannot write {}", path.display());
        fs::create_dir_all(folder).with_context(cannot)?;
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&path).with_context(cannot)?);
        let made = make(&mut file).and_then(|truth| file.flush().map(|()| truth));
        if made.is_err() {
            // What a full disk holds of it is of no use, and its place is.
            let _ = fs::remove_file(&path);
        }
        let stored_bytes = made.as_ref().ok().and_then(|_| length(&path)).unwrap_or_default();
        let truth = Truth { stored_bytes, ..made.with_context(cannot)? };
        fs::write(truth_beside(&path), serde_json::to_vec(&truth)?).with_context(cannot)?;
        Ok(Self { path, truth })
    }
}

fn plain(rows: u64, callers: Callers) -> impl FnOnce(&mut BufWriter<File>) -> io::Result<Truth> {
    move |file| {
        let said = big_file::write_of(rows, SEED, callers, file)?;
        Ok(Truth {
            rows: said.rows,
            agent_rows: said.agent_rows,
            bytes: said.bytes,
            stored_bytes: 0,
        })
    }
}

/// What an earlier run said of the file, if the file is whole.
fn found(path: &Path) -> Option<Truth> {
    let truth: Truth = serde_json::from_slice(&fs::read(truth_beside(path)).ok()?).ok()?;
    (length(path)? == truth.stored_bytes).then_some(truth)
}

fn length(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|metadata| metadata.len())
}

fn truth_beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".json");
    PathBuf::from(name)
}
