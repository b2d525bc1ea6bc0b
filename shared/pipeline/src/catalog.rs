//! The configuration files become the configuration in force.

use assessment::configuration::{Configuration, ConfigurationError, ConfigurationFiles};
use ports::{ConfigurationRefusal, PortError, Ports, StoredConfiguration, Written};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

use crate::{DECISION_ATTEMPTS, PipelineError, Result};

/// A configuration file larger than this is refused unread.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// What became of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// It is in force.
    Accepted {
        /// Counted from 1.
        version: u64,
    },
    /// It is the one that is in force already.
    Unchanged {
        /// Counted from 1.
        version: u64,
    },
    /// Nothing is in force yet, and files that must be there are still missing.
    Incomplete {
        /// How many.
        missing: usize,
    },
    /// It was refused; the last good one stays in force.
    Refused {
        /// One sentence each, with file and line.
        problems: Vec<String>,
    },
}

/// Loads the configuration from the files in a bucket, all or none.
///
/// What is in force is read before the files are: of two loaders that race, the one that read older files finds
/// another version in force and starts over, so that older files never replace newer ones.
pub async fn load(ports: &Ports, bucket: &str) -> Result<Loaded> {
    for _ in 0..DECISION_ATTEMPTS {
        let current = ports.catalog.current().await?;
        let files = read_files(ports, bucket).await?;
        if let Some(loaded) = put_in_force(ports, current.as_deref(), &files).await? {
            return Ok(loaded);
        }
    }
    Err(PipelineError::Contended {
        what: "the configuration in force".to_owned(),
        attempts: DECISION_ATTEMPTS,
    })
}

async fn read_files(ports: &Ports, bucket: &str) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for key in ports.objects.list(bucket, "").await? {
        if ConfigurationFiles::stem(&key).is_some() {
            let text = read_text(ports, bucket, &key).await?;
            files.push((key, text));
        }
    }
    Ok(files)
}

/// `None` where another loader was quicker.
async fn put_in_force(
    ports: &Ports,
    current: Option<&StoredConfiguration>,
    files: &[(String, String)],
) -> Result<Option<Loaded>> {
    let digest = digest(files);
    if let Some(current) = current.filter(|current| current.digest == digest) {
        return Ok(Some(Loaded::Unchanged { version: current.version }));
    }
    let now = ports.clock.now();
    let names = files.iter().map(|(name, _)| name.as_str());
    let missing = ConfigurationFiles::missing_from(names).count();
    if current.is_none() && missing > 0 {
        // The files of a first configuration are put one by one; each but the last finds the others missing.
        tracing::info!(missing, "waiting for the rest of the first configuration");
        return Ok(Some(Loaded::Incomplete { missing }));
    }
    match parse(files) {
        Err(error) => {
            let problems: Vec<String> = error.problems.iter().map(ToString::to_string).collect();
            tracing::warn!(problem_count = problems.len(), "refused a configuration");
            let refusal = ConfigurationRefusal { at: now, digest, problems: problems.clone() };
            ports.catalog.put_refusal(&refusal).await?;
            Ok(Some(Loaded::Refused { problems }))
        }
        Ok(configuration) => {
            let version = current.map_or(0, |current| current.version).saturating_add(1);
            let stored = StoredConfiguration { version, loaded_at: now, digest, configuration };
            if ports.catalog.put(&stored).await? == Written::Superseded {
                return Ok(None);
            }
            tracing::info!(version, "put a configuration in force");
            Ok(Some(Loaded::Accepted { version }))
        }
    }
}

/// Reads the files of a configuration, given as name and text.
pub fn parse(files: &[(String, String)]) -> std::result::Result<Configuration, ConfigurationError> {
    Configuration::parse(&ConfigurationFiles::from_folder(files.iter().cloned())?)
}

fn digest(files: &[(String, String)]) -> String {
    let mut hasher = Sha256::new();
    for (name, text) in files {
        for part in [name, text] {
            hasher.update(part.len().to_be_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hex::encode(hasher.finalize())
}

async fn read_text(ports: &Ports, bucket: &str, key: &str) -> Result<String> {
    let object = ports.objects.open(bucket, key, None).await?;
    let what = format!("s3://{bucket}/{key}");
    let unreadable = |reason: String| PortError::Unreadable { what: what.clone(), reason };
    let mut bytes = Vec::new();
    let mut limited = object.body.take(FILE_BYTES_MAX.saturating_add(1));
    limited.read_to_end(&mut bytes).await.map_err(|error| unreadable(error.to_string()))?;
    let size_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if size_bytes > FILE_BYTES_MAX {
        return Err(PortError::TooLarge { what, size_bytes, limit_bytes: FILE_BYTES_MAX }.into());
    }
    // A file that is not UTF-8 is refused by the parser, at its line, like any other mistake.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
