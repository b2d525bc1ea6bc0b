//! A landed object becomes extracts, and the hours that it touches become tallies.
//!
//! The order of writes is what makes it safe to be cut off and to come again: extracts first, each under the hash
//! of its content; then, hour by hour, who has rows in it, and the tallies of every agent from the union of *all*
//! extracts of that hour; then the mark of the hour as complete; then which hours came, and what was done to the logs
//! themselves; and last the register of the file. A writer lists an hour only after its own extracts stand, so of two
//! racing writers the later one covers both, and the lesser write is refused.

mod hours;
mod joining;
mod parts;
mod reading;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use eventlog::{
    attribution::AgentDirectory,
    extract::ExtractKey,
    joins::KnownLinks,
    reader::{ReadError, ReadLimits},
    report::{FileReport, Gap},
};
use ports::{FileOutcome, FileRecord, PortError, Ports, Work};
use sha2::{Digest, Sha256};

pub use ports::LandedObject;

use self::{
    hours::tally_hour,
    joining::Joining,
    reading::{Body, Pass, PassRead, Reading, read_and_store},
};
use crate::{
    PipelineError, Result, configuration,
    delivery::{note_arrivals, note_tampering},
};

/// Settings of the reading.
#[derive(Clone, Debug)]
pub struct IngestSettings {
    /// Bucket of extracts and quarantined rows.
    pub records_bucket: String,
    /// How much of a file, and of a row, is taken.
    pub limits: ReadLimits,
    /// Rows in an extract.
    pub chunk_rows_max: usize,
    /// Plain logs larger than this are read in parts, by as many readers as the queue wakes.
    pub whole_bytes_max: u64,
    /// Size of a part.
    pub part_bytes: u64,
}

/// A log of this size takes one reader some ten seconds from S3.
const WHOLE_BYTES_MAX: u64 = 1 << 30;

const PART_BYTES: u64 = 512 << 20;

impl IngestSettings {
    /// The usual limits.
    pub fn new(records_bucket: impl Into<String>) -> Self {
        Self {
            records_bucket: records_bucket.into(),
            limits: ReadLimits::default(),
            chunk_rows_max: eventlog::extract::DEFAULT_CHUNK_ROWS,
            whole_bytes_max: WHOLE_BYTES_MAX,
            part_bytes: PART_BYTES,
        }
    }
}

/// Does what is asked for with a landed object. Safe to repeat.
///
/// # Errors
/// As [`ingest_object`].
pub async fn ingest(
    ports: &Ports,
    settings: &IngestSettings,
    work: &Work,
) -> Result<Option<FileRecord>> {
    match work {
        Work::Read(landed) => ingest_object(ports, settings, landed).await.map(Some),
        Work::Join(landed) => join_object(ports, settings, landed).await.map(|()| None),
        Work::ReadPart(part) => parts::read(ports, settings, part).await,
        Work::LookAtParts(look) => parts::look(ports, settings, look).await,
    }
}

/// Reads one landed object, and brings every hour that it touches up to date. Safe to repeat.
///
/// # Errors
/// Where the object is not an event log or breaks off, its register entry says so, what could be read is
/// judged, and the error makes the message come again and end in the dead letters.
pub async fn ingest_object(
    ports: &Ports,
    settings: &IngestSettings,
    landed: &LandedObject,
) -> Result<FileRecord> {
    let LandedObject { bucket, key, version } = landed;
    let mut file = unread(landed, ports.clock.now());
    if let Some(reason) = not_a_log(key) {
        file.outcome = FileOutcome::Ignored { reason: reason.to_owned() };
        ports.access.put_file(&file).await?;
        return Ok(file);
    }
    let stored = configuration(ports).await?;
    let directory = Arc::new(stored.configuration.directory());
    let object = match ports.objects.open(bucket, key, version.as_deref()).await {
        Err(PortError::NotFound { .. }) => {
            file.outcome = FileOutcome::Refused { reason: "it is not there".to_owned() };
            ports.access.put_file(&file).await?;
            return Err(refused(landed, "is not there", Some(file)));
        }
        opened => opened?,
    };
    file.e_tag = object.e_tag.clone().unwrap_or_default();
    file.size_bytes = object.size_bytes.unwrap_or_default();
    let landed_at = object.landed_at.unwrap_or(file.read_at);
    let mut body = Some(object.body);
    if file.size_bytes > settings.whole_bytes_max
        && let Some(body) = body.take()
        && let Some(parts) = parts::plan(settings, body).await?
    {
        return parts::leave(ports, landed, file, landed_at, parts).await;
    }
    let source = Reading::whole(landed, &file, &stored.configuration);
    let Taken { touched, read, joined_row_count } =
        take(ports, settings, directory, &source, body).await?;
    for hour in &touched {
        tally_hour(ports, settings, hour, file.read_at).await?;
    }
    if let Some(report) = report_of(&read) {
        note_arrivals(ports, &report.hours, landed_at).await?;
        note_tampering(ports, &report.tampering, file.read_at).await?;
    }
    note(&mut file, &read, joined_row_count);
    register(ports, &file, touched.len()).await?;
    match read {
        Ok(_) => Ok(file),
        Err(error) => {
            Err(refused(landed, &format!("was not read to its end: {error}"), Some(file)))
        }
    }
}

/// What was taken from an object or a part of one.
struct Taken {
    touched: BTreeSet<ExtractKey>,
    read: std::result::Result<FileReport, ReadError>,
    joined_row_count: u64,
}

/// Reads a source and stores what comes out, what can be joined to rows of other files with it.
async fn take(
    ports: &Ports,
    settings: &IngestSettings,
    directory: Arc<AgentDirectory>,
    source: &Reading,
    opened: Option<Body>,
) -> Result<Taken> {
    let mut joining = Joining::of(source);
    let PassRead { mut touched, read } = read_and_store(
        ports,
        settings,
        directory.clone(),
        source,
        opened,
        Pass::First,
        &mut joining,
    )
    .await?;
    joining.announce(ports).await?;
    let mut joined_row_count = 0;
    if let Some(links) = joining.found() {
        let joined = join(ports, settings, directory, source, links).await?;
        joined_row_count = rows_joined(&joined.read);
        touched.extend(joined.touched);
    }
    Ok(Taken { touched, read, joined_row_count })
}

/// Puts what became of a file into the register, and says so.
async fn register(ports: &Ports, file: &FileRecord, hour_count: usize) -> Result<()> {
    ports.access.put_file(file).await?;
    tracing::info!(
        bucket = file.bucket,
        key = file.key,
        row_count = file.row_count,
        agent_row_count = file.agent_row_count,
        joined_row_count = file.joined_row_count,
        unclaimed_row_count = file.unclaimed_row_count,
        quarantined_count = file.quarantined.values().sum::<u64>(),
        gap_count = file.gaps.len(),
        hour_count,
        "read a file"
    );
    Ok(())
}

/// Reads an object that was read before, for the rows that links lead to which landed since.
///
/// The register keeps what the first reading found; the tallies say what was joined. An object that is gone, or that
/// cannot be read to its end, was the first reading's to complain of.
async fn join_object(
    ports: &Ports,
    settings: &IngestSettings,
    landed: &LandedObject,
) -> Result<()> {
    let LandedObject { bucket, key, .. } = landed;
    let file = unread(landed, ports.clock.now());
    let stored = configuration(ports).await?;
    let directory = Arc::new(stored.configuration.directory());
    let source = Reading::whole(landed, &file, &stored.configuration);
    let mut joining = Joining::again(&source);
    let again =
        read_and_store(ports, settings, directory.clone(), &source, None, Pass::Seek, &mut joining)
            .await;
    if let Err(PipelineError::Port(PortError::NotFound { .. })) = again {
        tracing::warn!(bucket, key, "a file whose rows were to be joined is gone");
        return Ok(());
    }
    again?;
    let Some(links) = joining.found() else { return Ok(()) };
    let joined = join(ports, settings, directory, &source, links).await?;
    for hour in &joined.touched {
        tally_hour(ports, settings, hour, file.read_at).await?;
    }
    tracing::info!(
        bucket,
        key,
        joined_row_count = rows_joined(&joined.read),
        hour_count = joined.touched.len(),
        "joined rows of a file"
    );
    Ok(())
}

/// Reads a source once more, with links, and keeps what they lead to.
async fn join(
    ports: &Ports,
    settings: &IngestSettings,
    directory: Arc<AgentDirectory>,
    source: &Reading,
    links: Arc<KnownLinks>,
) -> Result<PassRead> {
    let mut nothing_new = Joining::again(source);
    let pass = Pass::Join(links);
    read_and_store(ports, settings, directory, source, None, pass, &mut nothing_new).await
}

fn rows_joined(read: &std::result::Result<FileReport, ReadError>) -> u64 {
    let report = read.as_ref().ok().or_else(|| read.as_ref().err().and_then(ReadError::partial));
    report.map_or(0, |report| report.joined_rows)
}

/// The register entry of a file before anything is known of its content.
fn unread(landed: &LandedObject, read_at: DateTime<Utc>) -> FileRecord {
    let LandedObject { bucket, key, version } = landed;
    FileRecord {
        bucket: bucket.clone(),
        key: key.clone(),
        e_tag: String::new(),
        source_hash: source_hash(bucket, key, version.as_deref().unwrap_or_default()),
        read_at,
        outcome: FileOutcome::Read,
        size_bytes: 0,
        row_count: 0,
        agent_row_count: 0,
        joined_row_count: 0,
        unclaimed_row_count: 0,
        rows_by_event_type: BTreeMap::new(),
        quarantined: BTreeMap::new(),
        gaps: BTreeMap::new(),
    }
}

fn refused(landed: &LandedObject, reason: &str, read: Option<FileRecord>) -> PipelineError {
    PipelineError::File {
        read: read.map(Box::new),
        bucket: landed.bucket.clone(),
        key: landed.key.clone(),
        reason: reason.to_owned(),
    }
}

/// Names that downloaders leave beside logs. What a file holds is told by its content, not by its name; these
/// hold no log whatever their content.
fn not_a_log(key: &str) -> Option<&'static str> {
    let name = key.rsplit('/').next().unwrap_or(key);
    let has_ending = |ending: &str| {
        name.rsplit_once('.').is_some_and(|(_, found)| found.eq_ignore_ascii_case(ending))
    };
    match name {
        "" => Some("a folder marker"),
        "_SUCCESS" => Some("a marker of a finished export"),
        ".eventlog-manifest.json" => Some("a downloader's manifest"),
        "schema_sample.csv" => Some("a sample of a schema, whose row stands in a real file too"),
        _ if has_ending("tmp") => Some("a download that is still under way"),
        _ => None,
    }
}

fn source_hash(bucket: &str, key: &str, version: &str) -> String {
    let mut hasher = Sha256::new();
    for part in [bucket, key, version] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hex::encode(hasher.finalize()).chars().take(32).collect()
}

/// The account of what was read, to the end or to a break.
fn report_of(read: &std::result::Result<FileReport, ReadError>) -> Option<&FileReport> {
    match read {
        Ok(report) => Some(report),
        Err(error) => error.partial(),
    }
}

/// Notes in the register how the reading ended, and what was read by then.
fn note(
    file: &mut FileRecord,
    read: &std::result::Result<FileReport, ReadError>,
    joined_row_count: u64,
) {
    if let Err(error) = read {
        let reason = error.to_string();
        file.outcome = match error {
            ReadError::NotAnEventLogFile { .. } => FileOutcome::Refused { reason },
            _ => FileOutcome::Broken { reason },
        };
    }
    if let Some(report) = report_of(read) {
        note_report(file, report, joined_row_count);
    }
}

fn note_report(file: &mut FileRecord, report: &FileReport, joined_row_count: u64) {
    file.row_count = report.rows;
    file.agent_row_count = report.agent_rows.saturating_add(joined_row_count);
    file.joined_row_count = joined_row_count;
    file.unclaimed_row_count = report.unclaimed_rows.saturating_sub(joined_row_count);
    file.rows_by_event_type.clone_from(&report.rows_by_event_type);
    file.quarantined =
        report.quarantined.iter().map(|(reason, count)| (reason.to_string(), *count)).collect();
    file.gaps = report.gaps.iter().map(|gap| (gap_name(&gap.gap), gap.rows)).collect();
    if file.size_bytes == 0 {
        file.size_bytes = report.read_bytes;
    }
}

/// What a gap is called in registers and summaries.
pub fn gap_name(gap: &Gap) -> String {
    match gap {
        Gap::UnknownEventType { name } => format!("event type {name} is not known"),
        Gap::MissingColumn { event_type: Some(event_type), column } => {
            format!("{} has no column {column}", event_type.name())
        }
        Gap::UnknownScale { event_type, column } => {
            format!("{} has values in {column} whose scale is not known", event_type.name())
        }
        Gap::MissingColumn { event_type: None, column } => format!("no column {column}"),
    }
}
