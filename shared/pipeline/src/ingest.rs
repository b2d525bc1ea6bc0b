//! A landed object becomes extracts, and the hours that it touches become tallies.
//!
//! The order of writes is what makes it safe to be cut off and to come again: extracts first, each under the hash
//! of its content; then, hour by hour, who has rows in it, and the tallies of every agent from the union of *all*
//! extracts of that hour; then the mark of the hour as complete; then which hours came; and last the register of the
//! file. A writer lists an hour only after its own extracts stand, so of two racing writers the later one covers both,
//! and the lesser write is refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use eventlog::{
    attribution::{AgentDirectory, AgentKey, Attribution},
    extract::{ExtractBuilder, ExtractChunk, ExtractKey, ExtractReader, merge_unique},
    reader::{QuarantinedRow, ReadError, ReadLimits, RowSink, SinkError, read_log},
    report::{FileReport, Gap},
    row::AccessRow,
    tally::{AgentHour, Tally},
};
use ports::{
    AgentHourRecord, FileOutcome, FileRecord, HourRecord, PortError, Ports, Written, keys,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_util::io::SyncIoBridge;

use crate::{DECISION_ATTEMPTS, PipelineError, Result, configuration, delivery::note_arrivals};

/// Extracts and quarantine parts that may wait for their write; with one chunk under way this bounds memory.
const WAITING_WRITES_MAX: usize = 2;

/// Quarantined rows are stored in parts of about this size.
const QUARANTINE_PART_BYTES: usize = 4 * 1024 * 1024;

/// Settings of the reading.
#[derive(Clone, Debug)]
pub struct IngestSettings {
    /// Bucket of extracts and quarantined rows.
    pub records_bucket: String,
    /// How much of a file, and of a row, is taken.
    pub limits: ReadLimits,
    /// Rows in an extract.
    pub chunk_rows_max: usize,
}

impl IngestSettings {
    /// The usual limits.
    pub fn new(records_bucket: impl Into<String>) -> Self {
        Self {
            records_bucket: records_bucket.into(),
            limits: ReadLimits::default(),
            chunk_rows_max: eventlog::extract::DEFAULT_CHUNK_ROWS,
        }
    }
}

/// An object that has landed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LandedObject {
    /// Bucket.
    pub bucket: String,
    /// Key, decoded.
    pub key: String,
    /// The version that landed, where the bucket keeps versions. A later one under the same key lands on its own.
    pub version: Option<String>,
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
            return Err(refused(landed, "is not there"));
        }
        opened => opened?,
    };
    file.e_tag = object.e_tag.clone().unwrap_or_default();
    file.size_bytes = object.size_bytes.unwrap_or_default();
    let landed_at = object.landed_at.unwrap_or(file.read_at);
    let (touched, read) = read_and_store(ports, settings, object.body, directory, &file).await?;
    for hour in &touched {
        tally_hour(ports, settings, hour, file.read_at).await?;
    }
    if let Some(report) = report_of(&read) {
        note_arrivals(ports, &report.hours, landed_at).await?;
    }
    note(&mut file, &read);
    ports.access.put_file(&file).await?;
    tracing::info!(
        bucket,
        key,
        row_count = file.row_count,
        agent_row_count = file.agent_row_count,
        quarantined_count = file.quarantined.values().sum::<u64>(),
        gap_count = file.gaps.len(),
        hour_count = touched.len(),
        "read a file"
    );
    match read {
        Ok(_) => Ok(file),
        Err(error) => Err(refused(landed, &format!("was not read to its end: {error}"))),
    }
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
        rows_by_event_type: BTreeMap::new(),
        quarantined: BTreeMap::new(),
        gaps: BTreeMap::new(),
    }
}

fn refused(landed: &LandedObject, reason: &str) -> PipelineError {
    PipelineError::File {
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
fn note(file: &mut FileRecord, read: &std::result::Result<FileReport, ReadError>) {
    if let Err(error) = read {
        let reason = error.to_string();
        file.outcome = match error {
            ReadError::NotAnEventLogFile { .. } => FileOutcome::Refused { reason },
            _ => FileOutcome::Broken { reason },
        };
    }
    let Some(report) = report_of(read) else { return };
    file.row_count = report.rows;
    file.agent_row_count = report.agent_rows;
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
        Gap::MissingColumn { event_type: None, column } => format!("no column {column}"),
    }
}

/// Something to be stored, on its way from the reading thread.
enum Produced {
    Extract(ExtractChunk),
    QuarantinePart(Vec<u8>),
}

/// Reads the object in a thread of its own and stores what comes out; answers with the hours that it touches and
/// how the reading ended.
async fn read_and_store(
    ports: &Ports,
    settings: &IngestSettings,
    body: std::pin::Pin<Box<dyn tokio::io::AsyncRead + Send>>,
    directory: Arc<AgentDirectory>,
    file: &FileRecord,
) -> Result<(BTreeSet<ExtractKey>, std::result::Result<FileReport, ReadError>)> {
    let (sender, mut receiver) = mpsc::channel(WAITING_WRITES_MAX);
    let (limits, chunk_rows_max) = (settings.limits, settings.chunk_rows_max);
    let (bucket, key) = (file.bucket.clone(), file.key.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let mut sink = Storing {
            extracts: ExtractBuilder::new(chunk_rows_max),
            quarantine: Vec::new(),
            bucket,
            key,
            sender,
        };
        let read = read_log(SyncIoBridge::new(body), &directory, &limits, &mut sink);
        // What came before a break is kept; where the receiver is gone there is nobody left to tell.
        let finished = sink.finish();
        (read, finished)
    });
    let mut touched = BTreeSet::new();
    let mut part = 0_u32;
    while let Some(produced) = receiver.recv().await {
        let (key, bytes) = match produced {
            Produced::Extract(chunk) => {
                let ExtractKey { org_id, event_type, hour } = &chunk.key;
                let key = keys::extract_key(org_id, *event_type, *hour, &chunk.name);
                touched.insert(chunk.key);
                (key, chunk.bytes)
            }
            Produced::QuarantinePart(bytes) => {
                part = part.saturating_add(1);
                (keys::quarantine_key(&file.source_hash, part), bytes)
            }
        };
        ports.objects.put(&settings.records_bucket, &key, bytes).await?;
    }
    let (read, finished) = reading.await?;
    finished.map_err(|error| PortError::Unreadable {
        what: "an extract".to_owned(),
        reason: error.to_string(),
    })?;
    Ok((touched, read))
}

/// Gathers rows into extracts and hands them over.
struct Storing {
    extracts: ExtractBuilder,
    quarantine: Vec<u8>,
    bucket: String,
    key: String,
    sender: mpsc::Sender<Produced>,
}

impl Storing {
    fn hand_over(&self, produced: Produced) -> std::result::Result<(), SinkError> {
        self.sender.blocking_send(produced).map_err(|_| "the storing side has ended".into())
    }

    fn finish(self) -> std::result::Result<(), SinkError> {
        let Self { extracts, quarantine, sender, .. } = self;
        let send = |produced| {
            sender
                .blocking_send(produced)
                .map_err(|_| SinkError::from("the storing side has ended"))
        };
        for chunk in extracts.finish()? {
            send(Produced::Extract(chunk))?;
        }
        if quarantine.is_empty() { Ok(()) } else { send(Produced::QuarantinePart(quarantine)) }
    }
}

impl RowSink for Storing {
    fn agent_row(
        &mut self,
        row: AccessRow,
        _attribution: Attribution,
    ) -> std::result::Result<(), SinkError> {
        match self.extracts.push(row)? {
            Some(chunk) => self.hand_over(Produced::Extract(chunk)),
            None => Ok(()),
        }
    }

    fn quarantined(&mut self, row: QuarantinedRow) -> std::result::Result<(), SinkError> {
        let line = json!({
            "bucket": self.bucket,
            "key": self.key,
            "line_number": row.line_number,
            "byte_offset": row.byte_offset,
            "reason": row.reason.to_string(),
            "column": row.column,
            "raw": String::from_utf8_lossy(&row.raw),
        });
        self.quarantine.extend_from_slice(line.to_string().as_bytes());
        self.quarantine.push(b'\n');
        if self.quarantine.len() < QUARANTINE_PART_BYTES {
            return Ok(());
        }
        let part = std::mem::take(&mut self.quarantine);
        self.hand_over(Produced::QuarantinePart(part))
    }
}

/// Brings one hour up to date: the tallies of every agent, from the union of all its extracts.
///
/// The configuration is read for each hour anew: a long file must not give an hour back to an older one. Where
/// another writer covers more extracts or a later configuration, the hour is looked at afresh.
async fn tally_hour(
    ports: &Ports,
    settings: &IngestSettings,
    hour: &ExtractKey,
    read_at: DateTime<Utc>,
) -> Result<()> {
    for _ in 0..DECISION_ATTEMPTS {
        if let Written::Yes = write_hour(ports, settings, hour, read_at).await? {
            return Ok(());
        }
    }
    Err(PipelineError::Contended {
        what: format!("the hour {} {}", hour.event_type.name(), hour.hour.key()),
        attempts: DECISION_ATTEMPTS,
    })
}

async fn write_hour(
    ports: &Ports,
    settings: &IngestSettings,
    hour: &ExtractKey,
    read_at: DateTime<Utc>,
) -> Result<Written> {
    let ExtractKey { org_id, event_type, hour: at } = hour;
    let stored = configuration(ports).await?;
    let prefix = keys::extract_prefix(org_id, *event_type, *at);
    let members = ports.objects.list(&settings.records_bucket, &prefix).await?;
    let before = ports.access.hour(org_id, *event_type, *at).await?;
    let mut mark = HourRecord {
        org_id: org_id.clone(),
        event_type: *event_type,
        hour: *at,
        member_count: u64::try_from(members.len()).unwrap_or(u64::MAX),
        configuration_version: stored.version,
        agents: before.as_ref().map(|mark| mark.agents.clone()).unwrap_or_default(),
        is_complete: false,
        landed_at: before.as_ref().map_or(read_at, |mark| mark.landed_at.min(read_at)),
    };
    let read = before.as_ref().map(HourRecord::coverage);
    if before.is_some_and(|before| before.is_complete && before.coverage().covers(mark.coverage()))
    {
        return Ok(Written::Yes);
    }
    let directory = Arc::new(stored.configuration.directory());
    let mut agent_hours = add_up(ports, settings, hour, &members, directory).await?;
    // Every agent is in the mark before its hour is written, so that none is forgotten when this is cut off.
    mark.agents.extend(agent_hours.keys().cloned());
    if ports.access.put_hour(&mark, read).await? == Written::Superseded {
        return Ok(Written::Superseded);
    }
    // An agent that had rows by an earlier configuration and has none by this one is written as empty.
    for agent in &mark.agents {
        let empty = || AgentHour {
            org_id: org_id.clone(),
            agent: agent.clone(),
            event_type: *event_type,
            hour: *at,
            lines: Vec::new(),
        };
        agent_hours.entry(agent.clone()).or_insert_with(empty);
    }
    for agent_hour in agent_hours.into_values() {
        let record = AgentHourRecord {
            agent_hour,
            member_count: mark.member_count,
            configuration_version: mark.configuration_version,
            landed_at: mark.landed_at,
        };
        if ports.access.put_agent_hour(&record).await? == Written::Superseded {
            return Ok(Written::Superseded);
        }
    }
    mark.is_complete = true;
    Ok(ports.access.put_hour(&mark, Some(mark.coverage())).await?)
}

/// Adds up the union of the extracts, in a thread of its own. Memory is one row of each extract and the tallies.
async fn add_up(
    ports: &Ports,
    settings: &IngestSettings,
    hour: &ExtractKey,
    members: &[String],
    directory: Arc<AgentDirectory>,
) -> Result<BTreeMap<AgentKey, AgentHour>> {
    let mut bodies = Vec::with_capacity(members.len());
    for member in members {
        bodies.push(ports.objects.open(&settings.records_bucket, member, None).await?.body);
    }
    let ExtractKey { org_id, event_type, hour: at } = hour.clone();
    let adding = tokio::task::spawn_blocking(move || {
        let mut tally = Tally::new(org_id, event_type, at);
        let sources = bodies.into_iter().map(|body| ExtractReader::new(SyncIoBridge::new(body)));
        for row in merge_unique(sources) {
            let row = row?;
            tally.add(&row, &directory.attribute(row.event_type, &row.identity));
        }
        Ok::<_, eventlog::extract::ExtractError>(tally.finish())
    });
    adding.await?.map_err(|error| {
        let what = format!("an extract of {} {}", hour.event_type.name(), hour.hour.key());
        PortError::Unreadable { what, reason: error.to_string() }.into()
    })
}
