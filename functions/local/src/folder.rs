//! The folder that `scan --keep` writes: incidents, and what decisions on them need.
//!
//! | path | what |
//! |---|---|
//! | `configuration.json` | the configuration that was in force |
//! | `days.json` | the judged days, for an incident that is split |
//! | `incidents/BC-….json` | one incident with its timeline and its messages |

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use ports::{DayRecord, StoredConfiguration};
use serde::{Serialize, de::DeserializeOwned};

const CONFIGURATION: &str = "configuration.json";
const DAYS: &str = "days.json";

/// Where the incidents of a folder lie.
pub(crate) fn incidents(folder: &Path) -> PathBuf {
    folder.join("incidents")
}

/// Makes the folder, and keeps what decisions need beside the incidents.
pub(crate) fn keep(
    folder: &Path,
    configuration: &StoredConfiguration,
    days: &[DayRecord],
) -> anyhow::Result<()> {
    write(&folder.join(CONFIGURATION), configuration)?;
    write(&folder.join(DAYS), &days)
}

pub(crate) fn configuration(folder: &Path) -> anyhow::Result<StoredConfiguration> {
    read(&folder.join(CONFIGURATION))
}

pub(crate) fn days(folder: &Path) -> anyhow::Result<Vec<DayRecord>> {
    read(&folder.join(DAYS))
}

/// The judged days of a folder that an earlier scan kept; none where there was none.
pub(crate) fn days_if_kept(folder: &Path) -> anyhow::Result<Vec<DayRecord>> {
    if folder.join(DAYS).exists() { days(folder) } else { Ok(Vec::new()) }
}

fn write(path: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let json = serde_json::to_vec_pretty(value)?;
    fs::write(path, json).with_context(|| format!("{} cannot be written", path.display()))
}

fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let json = fs::read(path).with_context(|| {
        format!("{} cannot be read; is it a folder that `scan --keep` wrote?", path.display())
    })?;
    serde_json::from_slice(&json).with_context(|| format!("{} is damaged", path.display()))
}
