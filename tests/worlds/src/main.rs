//! Writes seeded worlds to disk.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Parser, Subcommand};
use worlds::{LogFile, World, big_file, events_folder};

/// Seeded Salesforce event logs of a made-up organisation.
#[derive(Parser)]
#[command(name = "worlds")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the files under `events/` afresh. What another version wrote is removed from its folders
    /// `morning`, `bad` and `invocations`: files by the names `*.csv`, `*.csv.gz` and `*.json`.
    Write {
        /// The folder, usually `events/`.
        folder: PathBuf,
    },
    /// Write good days, without a leak, as plain hourly files.
    Quiet {
        /// Another seed, another world.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Days from 24 November 2026 on.
        #[arg(long, default_value_t = 1)]
        days: u64,
        /// Where the files go, one folder for each event type.
        folder: PathBuf,
    },
    /// Write one `RestApi` file of that many rows, about 420 bytes each.
    Big {
        /// Rows.
        rows: u64,
        /// The file; `-` for standard output.
        file: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Write { folder } => {
            for generated in events_folder::FOLDERS {
                remove_stale(&folder.join(generated))?;
            }
            for (path, bytes) in events_folder::files() {
                write(&folder.join(path), &bytes)?;
            }
        }
        Command::Quiet { seed, days, folder } => {
            for file in World::quiet(seed, days).files {
                write(&folder.join(LogFile::key(&file)), &file.to_csv())?;
            }
        }
        Command::Big { rows, file } => {
            let mut writer: Box<dyn Write> = if file == Path::new("-") {
                Box::new(io::stdout().lock())
            } else {
                let created = File::create(&file)
                    .with_context(|| format!("cannot create {}", file.display()))?;
                Box::new(BufWriter::new(created))
            };
            big_file::write(rows, 1, &mut writer)
                .and_then(|_| writer.flush())
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

fn remove_stale(folder: &Path) -> anyhow::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let unreadable = || format!("cannot read the folder {}", folder.display());
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        let name =
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if [".csv", ".csv.gz", ".json"].iter().any(|ending| name.ends_with(ending)) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}
