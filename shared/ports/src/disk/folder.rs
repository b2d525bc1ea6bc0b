//! A folder of JSON files that are replaced whole, by one writer at a time.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{PortError, Result, json::place};

const LOCK: &str = ".lock";
/// A file on its way. One is enough, since only who holds the lock writes; what is left of a writer that was cut off is
/// written over.
const UNFINISHED: &str = ".new";

#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn open(folder: PathBuf) -> Result<Self> {
        if folder.is_dir() {
            return Ok(Self(folder));
        }
        Err(PortError::NotFound { what: format!("the folder {}", folder.display()) })
    }

    pub(super) fn create(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).map_err(|error| failed("making a folder", &folder, &error))?;
        Ok(Self(folder))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names of everything in it, sorted.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let failed = |error: io::Error| failed("listing a folder", &self.0, &error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(failed)? {
            // A name that is not text is none of ours.
            names.extend(entry.map_err(failed)?.file_name().into_string());
        }
        names.sort_unstable();
        Ok(names)
    }

    /// What a file holds; `None` where there is none. Needs no lock, because files are replaced in one step.
    pub(super) fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let path = self.path(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("reading a file", &path, &error)),
        };
        let unreadable = |error: serde_json::Error| PortError::Unreadable {
            what: path.display().to_string(),
            reason: format!("{}; mend it there, or put a copy in its place", place(&error)),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(unreadable)
    }

    /// Does `work` while nobody else writes, in this process or in another. Waits for whoever does.
    pub(super) fn locked<R>(&self, work: impl FnOnce() -> Result<R>) -> Result<R> {
        let path = self.path(LOCK);
        let failed = |error: io::Error| failed("locking a folder", &path, &error);
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(failed)?;
        lock.lock().map_err(failed)?;
        // The lock goes with the open file, so also where this process is cut off.
        let done = work();
        drop(lock);
        done
    }

    /// Replaces a file whole: whoever reads it, and whoever starts after the power failed, finds what was there before
    /// or all that is there now. Only under the lock.
    pub(super) fn replace(&self, name: &str, record: &impl Serialize) -> Result<()> {
        let (path, unfinished) = (self.path(name), self.path(UNFINISHED));
        let mut json = serde_json::to_vec_pretty(record).map_err(|error| {
            PortError::Unreadable { what: path.display().to_string(), reason: place(&error) }
        })?;
        json.push(b'\n');
        let written = || {
            let mut file = File::create(&unfinished)?;
            file.write_all(&json)?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
            sync_names(&self.0)
        };
        written().map_err(|error| failed("writing a file", &path, &error))
    }
}

/// Makes a rename last. Elsewhere than on Unix a folder cannot be opened for that, and the file system sees to it.
fn sync_names(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn failed(call: &'static str, path: &Path, error: &io::Error) -> PortError {
    PortError::Unavailable { call, reason: format!("{}: {error}", path.display()) }
}
