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

/// Groups of the file of many groups, for each 800 rows: 96,000 with the usual 800,000.
const GROUPS_PER_800_ROWS: u64 = 96;

/// Rows of the large file for each row of the others: 24 million, 10 GB, with the usual 800,000.
const LARGE_FACTOR: u64 = 30;

/// What a file is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The real case: the people of one organisation, and a few hundred rows of an agent.
    FewGroups,
    /// Callers so many that eight rows or so make a group by user, object and client.
    ManyGroups,
    /// [`Kind::FewGroups`], compressed.
    Gzip,
    /// A folder that has [`Kind::FewGroups`] twice.
    Twice,
    /// Thirty times [`Kind::FewGroups`].
    Large,
}

impl Kind {
    /// The files of every run.
    pub const USUAL: [Self; 4] = [Self::FewGroups, Self::ManyGroups, Self::Gzip, Self::Twice];

    /// What the file is called in the tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::FewGroups => "few groups",
            Self::ManyGroups => "many groups",
            Self::Gzip => "few groups, gzip",
            Self::Twice => "few groups, two files",
            Self::Large => "large",
        }
    }

    fn path(self, folder: &Path, rows: u64) -> PathBuf {
        folder.join(match self {
            Self::FewGroups => format!("few-groups-{rows}.csv"),
            Self::ManyGroups => format!("many-groups-{rows}.csv"),
            Self::Gzip => format!("few-groups-{rows}.csv.gz"),
            Self::Twice => format!("few-groups-{rows}-twice"),
            Self::Large => format!("large-{rows}.csv"),
        })
    }
}

/// A log on disk and the truth about it.
#[derive(Clone, Debug)]
pub struct LogData {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub truth: Truth,
}

/// What every reader must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// Rows, without the header.
    pub rows: u64,
    /// Rows of registered agents.
    pub agent_rows: u64,
    /// Bytes, inflated.
    pub bytes: u64,
    /// Bytes on disk; another length is another file.
    pub stored_bytes: u64,
}

impl LogData {
    /// Finds a file that an earlier run has made.
    ///
    /// # Errors
    /// Where it is not there, or not whole.
    pub fn find(folder: &Path, kind: Kind, rows: u64) -> Result<Self> {
        let path = kind.path(folder, rows);
        let truth = found(&path).with_context(|| {
            format!("{} is not there, or not whole: `cargo xtask bench` makes it", path.display())
        })?;
        Ok(Self { path, truth })
    }

    /// Finds a file, or makes it; `rows` are those of the usual files, from which the others take theirs.
    ///
    /// # Errors
    /// Where it cannot be written; nothing is left of it then.
    pub fn make(folder: &Path, kind: Kind, rows: u64) -> Result<Self> {
        if let Ok(found) = Self::find(folder, kind, rows) {
            return Ok(found);
        }
        if kind == Kind::Twice {
            return Self::make_twice(folder, rows);
        }
        let few = match kind {
            Kind::Gzip => Some(Self::make(folder, Kind::FewGroups, rows)?),
            _ => None,
        };
        let path = kind.path(folder, rows);
        let cannot = || format!("cannot write {}", path.display());
        fs::create_dir_all(folder).with_context(cannot)?;
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&path).with_context(cannot)?);
        let written = match (kind, &few) {
            (_, Some(few)) => compress(few, &mut file),
            (Kind::ManyGroups, None) => {
                let groups = rows.saturating_mul(GROUPS_PER_800_ROWS).div_ceil(800);
                write(rows, Callers::Groups(groups), &mut file)
            }
            (Kind::Large, None) => {
                write(rows.saturating_mul(LARGE_FACTOR), Callers::Organisation, &mut file)
            }
            (Kind::FewGroups | Kind::Gzip | Kind::Twice, None) => {
                write(rows, Callers::Organisation, &mut file)
            }
        };
        let written = written.and_then(|truth| {
            file.flush()?;
            Ok(Truth { stored_bytes: fs::metadata(&path)?.len(), ..truth })
        });
        if written.is_err() {
            // What a full disk holds of it is of no use, and its place is.
            let _ = fs::remove_file(&path);
        }
        let truth = written.with_context(cannot)?;
        // What is said of the file comes last, so that a file without it is made afresh.
        fs::write(truth_beside(&path), serde_json::to_vec(&truth)?).with_context(cannot)?;
        Ok(Self { path, truth })
    }

    /// The same rows in two files: agents' rows among them count once.
    fn make_twice(folder: &Path, rows: u64) -> Result<Self> {
        let few = Self::make(folder, Kind::FewGroups, rows)?;
        let path = Kind::Twice.path(folder, rows);
        let cannot = || format!("cannot write {}", path.display());
        fs::create_dir_all(&path).with_context(cannot)?;
        for name in ["one.csv", "other.csv"] {
            let _ = fs::remove_file(path.join(name));
            fs::hard_link(&few.path, path.join(name)).with_context(cannot)?;
        }
        let Truth { rows, agent_rows, bytes, .. } = few.truth;
        let [rows, bytes] = [rows, bytes].map(|of_one| of_one.saturating_mul(2));
        let truth = Truth { rows, agent_rows, bytes, stored_bytes: stored_bytes(&path)? };
        fs::write(truth_beside(&path), serde_json::to_vec(&truth)?).with_context(cannot)?;
        Ok(Self { path, truth })
    }

    /// The file, or those in the folder.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn files(&self) -> io::Result<Vec<PathBuf>> {
        if self.path.is_dir() {
            self.path.read_dir()?.map(|entry| entry.map(|entry| entry.path())).collect()
        } else {
            Ok(vec![self.path.clone()])
        }
    }

    /// Removes the file.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub fn remove(&self) -> Result<()> {
        for path in [&truth_beside(&self.path), &self.path] {
            fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }
}

fn write(rows: u64, callers: Callers, file: &mut impl Write) -> io::Result<Truth> {
    let said = big_file::write_of(rows, SEED, callers, file)?;
    Ok(Truth { rows: said.rows, agent_rows: said.agent_rows, bytes: said.bytes, stored_bytes: 0 })
}

fn compress(plain: &LogData, file: &mut impl Write) -> io::Result<Truth> {
    let mut encoder = GzEncoder::new(file, Compression::default());
    io::copy(&mut BufReader::new(File::open(&plain.path)?), &mut encoder)?;
    encoder.finish()?;
    Ok(plain.truth)
}

/// What an earlier run said of the file, if the file is whole.
fn found(path: &Path) -> Option<Truth> {
    let truth: Truth = serde_json::from_slice(&fs::read(truth_beside(path)).ok()?).ok()?;
    (stored_bytes(path).ok()? == truth.stored_bytes).then_some(truth)
}

/// Length of a file, or of all files of a folder.
fn stored_bytes(path: &Path) -> io::Result<u64> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    path.read_dir()?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}

fn truth_beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".json");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::MultiGzDecoder;

    use super::*;

    #[test]
    fn a_file_is_made_once_found_again_and_made_afresh_when_cut() {
        let folder = std::env::temp_dir().join(format!("bench-data-{}", std::process::id()));
        assert!(LogData::find(&folder, Kind::Gzip, 50).is_err());
        let made = LogData::make(&folder, Kind::Gzip, 50).unwrap();
        let found = LogData::find(&folder, Kind::Gzip, 50).unwrap();
        assert_eq!((&found.path, found.truth), (&made.path, made.truth));
        assert!(LogData::find(&folder, Kind::Gzip, 51).is_err());

        let plain = LogData::find(&folder, Kind::FewGroups, 50).unwrap();
        let mut inflated = Vec::new();
        MultiGzDecoder::new(File::open(&made.path).unwrap()).read_to_end(&mut inflated).unwrap();
        assert_eq!(inflated, fs::read(&plain.path).unwrap());
        assert_eq!(u64::try_from(inflated.len()).unwrap(), made.truth.bytes);
        assert_eq!((made.truth.rows, plain.truth.bytes), (50, made.truth.bytes));

        File::options().write(true).open(&made.path).unwrap().set_len(100).unwrap();
        assert!(LogData::find(&folder, Kind::Gzip, 50).is_err());
        assert_eq!(LogData::make(&folder, Kind::Gzip, 50).unwrap().truth, made.truth);
        made.remove().unwrap();
        assert!(!made.path.exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
