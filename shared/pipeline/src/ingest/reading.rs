//! An object is read in a thread of its own, and what comes out is stored meanwhile.

use std::{
    collections::{BTreeSet, HashSet},
    pin::Pin,
    sync::Arc,
};

use assessment::{Configuration, configuration::Org};
use chrono::{DateTime, Utc};
use eventlog::{
    attribution::{AgentDirectory, Attribution},
    extract::{ExtractBuilder, ExtractChunk, ExtractKey},
    joins::{JoinKey, Joined, KnownLinks, Link, offered_links},
    reader::{Part, QuarantinedRow, ReadError, RowSink, SinkError, read_log, read_part},
    report::FileReport,
    row::AccessRow,
};
use ports::{FileRecord, LandedObject, PortError, Ports, keys};
use serde_json::json;
use tokio::{io::AsyncRead, sync::mpsc};
use tokio_util::io::SyncIoBridge;

use super::{IngestSettings, joining::Joining};
use crate::Result;

/// Extracts and quarantine parts that may wait for their write; with one chunk under way this bounds memory.
const WAITING_WRITES_MAX: usize = 2;

/// Quarantined rows are stored in parts of about this size.
const QUARANTINE_PART_BYTES: usize = 4 * 1024 * 1024;

/// Links and sought keys are handed over by so many.
const KEYS_PER_BATCH: usize = 200;

/// Keys that were handed over are remembered, up to so many, so that a session is not handed over row by row.
const KEYS_REMEMBERED: usize = 20_000;

/// What a reading of a file is for.
#[derive(Clone, Debug)]
pub(super) enum Pass {
    /// To keep the rows that say whose they are, and to learn what the file offers and seeks.
    First,
    /// To learn again what the file seeks.
    Seek,
    /// To keep the rows that these links lead to.
    Join(Arc<KnownLinks>),
}

/// Bytes as they come.
pub(super) type Body = Pin<Box<dyn AsyncRead + Send>>;

/// What is read: an object, or a part of it.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) landed: LandedObject,
    pub(super) source_hash: String,
    pub(super) read_at: DateTime<Utc>,
    pub(super) part: Option<(u32, Part)>,
    /// The org of what names none.
    pub(super) org_of_unnamed: Option<String>,
}

impl Reading {
    /// All of it.
    pub(super) fn whole(
        landed: &LandedObject,
        file: &FileRecord,
        configuration: &Configuration,
    ) -> Self {
        Self {
            landed: landed.clone(),
            source_hash: file.source_hash.clone(),
            read_at: file.read_at,
            part: None,
            org_of_unnamed: org_of_unnamed(&landed.key, &configuration.orgs),
        }
    }

    async fn open(&self, ports: &Ports) -> Result<Body> {
        let LandedObject { bucket, key, version } = &self.landed;
        let version = version.as_deref();
        let opened = match &self.part {
            Some((_, part)) => {
                ports.objects.open_range(bucket, key, version, part.from..part.until).await
            }
            None => ports.objects.open(bucket, key, version).await,
        };
        Ok(opened?.body)
    }

    /// Name of some of its quarantined rows.
    fn quarantine_key(&self, number: u32) -> String {
        match &self.part {
            Some((part, _)) => {
                keys::quarantine_key(&format!("{}-{part:05}", self.source_hash), number)
            }
            None => keys::quarantine_key(&self.source_hash, number),
        }
    }
}

/// The org of what names none: the one whose folder it landed in, as `orgs/00D5g000004Hq3K/`, else the only one there is.
/// Where several are configured, nobody can know.
fn org_of_unnamed(key: &str, orgs: &[Org]) -> Option<String> {
    let folders: Vec<&str> = key.split('/').collect();
    let (_name, folders) = folders.split_last()?;
    let named = folders.iter().zip(folders.iter().skip(1)).rev().find_map(|(folder, name)| {
        let is_org = matches!(name.len(), 15 | 18)
            && name.starts_with("00D")
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let org_id = name.get(..15).filter(|_| is_org)?;
        (*folder == "orgs").then(|| org_id.to_owned())
    });
    named.or_else(|| match orgs {
        [only] => Some(only.org_id.clone()),
        _ => None,
    })
}

/// What a reading came to.
pub(super) struct PassRead {
    /// The hours that kept rows are of.
    pub(super) touched: BTreeSet<ExtractKey>,
    /// How it ended.
    pub(super) read: std::result::Result<FileReport, ReadError>,
}

/// Something to be stored, on its way from the reading thread.
enum Produced {
    Extract(ExtractChunk),
    QuarantinePart(Vec<u8>),
    Offered(Vec<Link>),
    Sought(Vec<JoinKey>),
}

/// Reads the source, which may have been opened, and stores what comes out.
pub(super) async fn read_and_store(
    ports: &Ports,
    settings: &IngestSettings,
    directory: Arc<AgentDirectory>,
    source: &Reading,
    opened: Option<Body>,
    pass: Pass,
    joining: &mut Joining,
) -> Result<PassRead> {
    let (sender, mut receiver) = mpsc::channel(WAITING_WRITES_MAX);
    let (limits, chunk_rows_max) = (settings.limits, settings.chunk_rows_max);
    let (landed, part) = (source.landed.clone(), source.part.clone());
    let org_of_unnamed = source.org_of_unnamed.clone();
    let body = match opened {
        Some(body) => body,
        None => source.open(ports).await?,
    };
    let reading = tokio::task::spawn_blocking(move || {
        let mut sink = Storing {
            extracts: ExtractBuilder::new(chunk_rows_max),
            quarantine: Vec::new(),
            directory: directory.clone(),
            pass,
            offered: Batch::default(),
            sought: Batch::default(),
            landed,
            org_of_unnamed,
            sender,
        };
        let body = SyncIoBridge::new(body);
        let read = match &part {
            Some((_, part)) => read_part(body, part, &directory, &limits, &mut sink),
            None => read_log(body, &directory, &limits, &mut sink),
        };
        // What came before a break is kept; where the receiver is gone there is nobody left to tell.
        let finished = sink.finish();
        (read, finished)
    });
    let mut touched = BTreeSet::new();
    let mut quarantine_parts = 0_u32;
    while let Some(produced) = receiver.recv().await {
        let (key, bytes) = match produced {
            Produced::Extract(chunk) => {
                let ExtractKey { org_id, event_type, hour } = &chunk.key;
                let key = keys::extract_key(org_id, *event_type, *hour, &chunk.name);
                touched.insert(chunk.key);
                (key, chunk.bytes)
            }
            Produced::QuarantinePart(bytes) => {
                quarantine_parts = quarantine_parts.saturating_add(1);
                (source.quarantine_key(quarantine_parts), bytes)
            }
            Produced::Offered(links) => {
                joining.offer(ports, links).await?;
                continue;
            }
            Produced::Sought(keys) => {
                joining.seek(ports, keys).await?;
                continue;
            }
        };
        ports.objects.put(&settings.records_bucket, &key, bytes).await?;
    }
    let (read, finished) = reading.await?;
    finished.map_err(|error| PortError::Unreadable {
        what: "an extract".to_owned(),
        reason: error.to_string(),
    })?;
    Ok(PassRead { touched, read })
}

/// Gathers what is handed over together, each once as far as it is remembered.
struct Batch<T> {
    remembered: HashSet<T>,
    waiting: Vec<T>,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self { remembered: HashSet::new(), waiting: Vec::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Batch<T> {
    /// Takes one; gives a batch out when it is full.
    fn push(&mut self, item: T) -> Option<Vec<T>> {
        if self.remembered.contains(&item) {
            return None;
        }
        if self.remembered.len() >= KEYS_REMEMBERED {
            self.remembered.clear();
        }
        self.remembered.insert(item.clone());
        self.waiting.push(item);
        (self.waiting.len() >= KEYS_PER_BATCH).then(|| std::mem::take(&mut self.waiting))
    }
}

/// Gathers rows into extracts and hands them over.
struct Storing {
    extracts: ExtractBuilder,
    quarantine: Vec<u8>,
    directory: Arc<AgentDirectory>,
    pass: Pass,
    offered: Batch<Link>,
    sought: Batch<JoinKey>,
    landed: LandedObject,
    org_of_unnamed: Option<String>,
    sender: mpsc::Sender<Produced>,
}

impl Storing {
    fn hand_over(&self, produced: Produced) -> std::result::Result<(), SinkError> {
        self.sender.blocking_send(produced).map_err(|_| "the storing side has ended".into())
    }

    fn finish(self) -> std::result::Result<(), SinkError> {
        let Self { extracts, quarantine, offered, sought, sender, .. } = self;
        let send = |produced| {
            sender
                .blocking_send(produced)
                .map_err(|_| SinkError::from("the storing side has ended"))
        };
        for chunk in extracts.finish()? {
            send(Produced::Extract(chunk))?;
        }
        send(Produced::Offered(offered.waiting))?;
        send(Produced::Sought(sought.waiting))?;
        if quarantine.is_empty() { Ok(()) } else { send(Produced::QuarantinePart(quarantine)) }
    }
}

impl RowSink for Storing {
    fn agent_row(
        &mut self,
        row: AccessRow,
        attribution: Attribution,
    ) -> std::result::Result<(), SinkError> {
        match &self.pass {
            Pass::First => {
                for link in offered_links(&row, &attribution) {
                    if let Some(links) = self.offered.push(link) {
                        self.hand_over(Produced::Offered(links))?;
                    }
                }
            }
            // The first reading has kept, or will keep, what says itself whose it is.
            Pass::Seek | Pass::Join(_) if row.joined.is_none() => return Ok(()),
            Pass::Seek | Pass::Join(_) => {}
        }
        match self.extracts.push(row)? {
            Some(chunk) => self.hand_over(Produced::Extract(chunk)),
            None => Ok(()),
        }
    }

    fn unclaimed(
        &mut self,
        sought: Vec<JoinKey>,
    ) -> std::result::Result<Option<Joined>, SinkError> {
        if let Pass::Join(links) = &self.pass {
            return Ok(links.join(&self.directory, &sought));
        }
        for key in sought {
            if let Some(keys) = self.sought.push(key) {
                self.hand_over(Produced::Sought(keys))?;
            }
        }
        Ok(None)
    }

    fn org_of_unnamed(&self) -> Option<&str> {
        self.org_of_unnamed.as_deref()
    }

    fn quarantined(&mut self, row: QuarantinedRow) -> std::result::Result<(), SinkError> {
        if !matches!(self.pass, Pass::First) {
            return Ok(());
        }
        let line = json!({
            "bucket": self.landed.bucket,
            "key": self.landed.key,
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
