//! What the functions need of the world, as traits, and the adapters that give it.
//!
//! | port | AWS | in memory | what it promises |
//! |---|---|---|---|
//! | [`ObjectStore`] | S3 | a map | a put is seen by the next list |
//! | [`AccessTable`] | DynamoDB | a map | a lesser write never covers a greater one |
//! | [`JoinTable`] | DynamoDB | a map | a put is seen by the next look |
//! | [`WorkQueue`] | SQS | a list | what is put comes out at least once |
//! | [`IncidentTable`] | DynamoDB | a map; [`disk`]: a folder | a change is written whole, on its version, or not at all |
//! | [`CatalogTable`] | DynamoDB | a map | the last good configuration stays |
//! | [`Scheduler`] | EventBridge Scheduler | a map | an alert has one schedule, at the instant that was put last |
//! | [`Publisher`] | SNS | a list | a receipt means that the topic has the message |
//! | [`Clock`] | the system | set by the test | – |
//!
//! [`failing`] wraps any of them with an adapter that fails on purpose: before the call, or after it took
//! effect.

pub mod disk;
pub mod failing;
mod json;
pub mod keys;
mod listing;
pub mod memory;
mod record;
mod schedule;
mod system;

#[cfg(feature = "aws")]
pub mod aws;

use std::{ops::Range, pin::Pin, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use eventlog::{
    attribution::AgentKey,
    audit_trail::TamperingRow,
    event_type::EventType,
    joins::{JoinKey, Link, LinkedCaller},
    row::Hour,
};
use incident::{Alert, Change, Incident, IncidentId, TimelineEntry};
use notices::Notice;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _};

pub use listing::Which;
pub use record::{
    AgentHourRecord, ArrivalsRecord, ConfigurationRefusal, Coverage, DayRecord,
    DeliveryHealthRecord, FileOutcome, FileRecord, HourRecord, LandedObject, LinkRecord,
    PartRecord, PartWork, PartedObject, PartsLook, RawIncident, StoredConfiguration, Work,
};
pub use schedule::{DueAlert, Schedule, Scheduled, Wake};
pub use system::SystemClock;

/// A call to the world failed.
#[derive(Debug, Error)]
pub enum PortError {
    /// There is no such thing; asking again will not help.
    #[error("{what} was not found")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// The service refused or did not answer; asking again may help.
    #[error("{call} did not succeed: {reason}")]
    Unavailable {
        /// Which call.
        call: &'static str,
        /// What the service said.
        reason: String,
    },
    /// What came back cannot be understood.
    #[error("{what} holds something that this version cannot read: {reason}")]
    Unreadable {
        /// What was read.
        what: String,
        /// Why.
        reason: String,
    },
    /// What was to be written is larger than the store takes.
    #[error("{what} has {size_bytes} bytes; at most {limit_bytes} fit")]
    TooLarge {
        /// What.
        what: String,
        /// Its size.
        size_bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
}

/// Shorthand for this crate.
pub type Result<T> = std::result::Result<T, PortError>;

/// An object being read.
pub struct ObjectReader {
    /// Its bytes, as they come.
    pub body: Pin<Box<dyn AsyncRead + Send>>,
    /// Its size.
    pub size_bytes: Option<u64>,
    /// What the store calls this content.
    pub e_tag: Option<String>,
    /// When the store took it, where the store says; the same however often it is read.
    pub landed_at: Option<DateTime<Utc>>,
}

/// Whether a conditional write took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It stands.
    Yes,
    /// What was there covers more; nothing was written.
    Superseded,
}

/// Whether a change to an incident took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It stands, whole.
    Yes,
    /// The incident has another version by now; nothing was written. Read it and decide afresh.
    Conflict,
}

/// Buckets.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// Opens an object; the given version of it, where a bucket keeps versions.
    async fn open(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<ObjectReader>;
    /// Opens a range of an object, which ends before `range.end`. A store that knows no ranges reads over what is before.
    async fn open_range(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        range: Range<u64>,
    ) -> Result<ObjectReader> {
        let whole = self.open(bucket, key, version).await?;
        let mut body = whole.body;
        let mut before = (&mut body).take(range.start);
        tokio::io::copy(&mut before, &mut tokio::io::sink()).await.map_err(|error| {
            PortError::Unavailable { call: "opening a range", reason: error.to_string() }
        })?;
        let length = range.end.saturating_sub(range.start);
        Ok(ObjectReader { body: Box::pin(body.take(length)), size_bytes: Some(length), ..whole })
    }
    /// Writes an object whole. Callers name objects after their content or their source, so that writing
    /// twice writes the same.
    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<()>;
    /// The keys that start with `prefix`, sorted.
    async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>>;
}

/// Tallies, the judgement of days, the register of files, and how the logs come.
#[async_trait]
pub trait AccessTable: Send + Sync {
    /// What was last written for an hour.
    async fn hour(
        &self,
        org_id: &str,
        event_type: EventType,
        hour: Hour,
    ) -> Result<Option<HourRecord>>;
    /// Marks an hour, before its agents are written and once they are.
    ///
    /// `read` is what the mark covered when the writer read it. One that was written since may name agents that this one
    /// does not know of, so it is not written over.
    async fn put_hour(&self, record: &HourRecord, read: Option<Coverage>) -> Result<Written>;
    /// Writes one agent's hour whole.
    async fn put_agent_hour(&self, record: &AgentHourRecord) -> Result<Written>;
    /// All hours of an agent's UTC day, of every event type, in the order of hour and type.
    async fn agent_day(
        &self,
        org_id: &str,
        agent: &AgentKey,
        day: NaiveDate,
    ) -> Result<Vec<AgentHourRecord>>;
    /// Writes the judgement of a day.
    async fn put_day(&self, record: &DayRecord) -> Result<Written>;
    /// All judged days of an agent, in order.
    async fn days(&self, org_id: &str, agent: &AgentKey) -> Result<Vec<DayRecord>>;
    /// Notes what became of a file, under the hash of its source.
    async fn put_file(&self, record: &FileRecord) -> Result<()>;
    /// Notes what became of a part of a file.
    async fn put_part(&self, record: &PartRecord) -> Result<()>;
    /// The parts of a file that were read, by the hash of its source, in order.
    async fn parts(&self, source_hash: &str) -> Result<Vec<PartRecord>>;
    /// What is known of a day's arrivals.
    async fn arrivals(
        &self,
        org_id: &str,
        event_type: EventType,
        day: NaiveDate,
    ) -> Result<Option<ArrivalsRecord>>;
    /// All arrivals of an org of that UTC day and later ones, in the order of day and type.
    async fn arrivals_since(&self, org_id: &str, day: NaiveDate) -> Result<Vec<ArrivalsRecord>>;
    /// Writes a day's arrivals, if their version is one more than that of what is there.
    async fn put_arrivals(&self, record: &ArrivalsRecord) -> Result<Written>;
    /// Notes a row of Setup Audit Trail that tells of the logs themselves, once however often it comes.
    async fn put_tampering(&self, row: &TamperingRow, now: DateTime<Utc>) -> Result<()>;
    /// All such rows of an org, in order.
    async fn tampering(&self, org_id: &str) -> Result<Vec<TamperingRow>>;
    /// How an org's logs came at the last look.
    async fn delivery_health(&self, org_id: &str) -> Result<Option<DeliveryHealthRecord>>;
    /// Writes it, if its version is one more than that of what is there.
    async fn put_delivery_health(&self, record: &DeliveryHealthRecord) -> Result<Written>;
}

/// Who owns the keys that rows share, and which files have rows that seek them.
///
/// A file first says what it seeks and then looks for links; a link first stands and then its seekers are looked for.
/// So of a file and a link that meet at the same moment, at least one sees the other.
#[async_trait]
pub trait JoinTable: Send + Sync {
    /// Makes a link stand. Answers whether its key's seekers had been sent for already.
    async fn put_link(&self, link: &Link, now: DateTime<Utc>) -> Result<bool>;
    /// Notes that they have.
    async fn announced(&self, link: &Link, now: DateTime<Utc>) -> Result<()>;
    /// The callers that own a key, the surest [`eventlog::joins::MAX_CALLERS_PER_KEY`] of them, in the order of their
    /// sort keys.
    async fn callers(&self, key: &JoinKey) -> Result<Vec<LinkedCaller>>;
    /// Notes that a file, known by the hash of its source, has rows that seek a key.
    async fn put_seeker(
        &self,
        key: &JoinKey,
        source_hash: &str,
        file: &LandedObject,
        now: DateTime<Utc>,
    ) -> Result<()>;
    /// The files that seek a key.
    async fn seekers(&self, key: &JoinKey) -> Result<Vec<LandedObject>>;
}

/// Longest that work can be put off (`DelaySeconds` of SQS).
pub const MAX_DELAY: TimeDelta = TimeDelta::minutes(15);

/// Work for whoever reads landed files.
#[async_trait]
pub trait WorkQueue: Send + Sync {
    /// Puts work at the end. It is done at least once.
    async fn put(&self, work: &Work) -> Result<()>;
    /// Puts work at the end after a while, of at most [`MAX_DELAY`].
    async fn put_later(&self, work: &Work, delay: TimeDelta) -> Result<()>;
}

/// Incidents with their timelines and alerts.
#[async_trait]
pub trait IncidentTable: Send + Sync {
    /// The incident.
    async fn incident(&self, incident_id: &IncidentId) -> Result<Option<Incident>>;
    /// One alert.
    async fn alert(&self, incident_id: &IncidentId, alert_id: &str) -> Result<Option<Alert>>;
    /// All alerts of an incident, in the order of their ids.
    async fn alerts(&self, incident_id: &IncidentId) -> Result<Vec<Alert>>;
    /// The timeline, in order.
    async fn timeline(&self, incident_id: &IncidentId) -> Result<Vec<TimelineEntry>>;
    /// Everything about an incident, exactly as it is stored and as of one moment; `None` where nothing is.
    async fn raw(&self, incident_id: &IncidentId) -> Result<Option<RawIncident>>;
    /// The incidents, in the order in which they were opened. One that was opened a moment ago may be missing: where the
    /// table is a service, it lists with a delay.
    async fn list(&self, which: Which) -> Result<Vec<IncidentId>>;
    /// Writes a change whole, if the incident still has the expected version and none of the entries is there yet.
    async fn commit(&self, change: &Change) -> Result<Committed>;
    /// The incidents that have an alert which wants attention at `now`, the longest waiting first, at most
    /// `limit`.
    async fn wanting_attention(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<IncidentId>>;
    /// A note that a function left for its next run, as the law by which it judged last.
    async fn marker(&self, name: &str) -> Result<Option<String>>;
    /// Leaves a note, in the place of any other one of that name.
    async fn put_marker(&self, name: &str, value: &str) -> Result<()>;
}

/// The configuration in force.
#[async_trait]
pub trait CatalogTable: Send + Sync {
    /// The last good configuration.
    async fn current(&self) -> Result<Option<Arc<StoredConfiguration>>>;
    /// Puts a new one in force, if its version is one more than the current one's.
    async fn put(&self, configuration: &StoredConfiguration) -> Result<Written>;
    /// Keeps the reasons for which a configuration was refused.
    async fn put_refusal(&self, refusal: &ConfigurationRefusal) -> Result<()>;
}

/// Wakes somebody at the instants of alerts: beside the sweep, a second and independent way to notice what is due.
#[async_trait]
pub trait Scheduler: Send + Sync {
    /// Makes a schedule stand, in the place of any other one of the same alert. It wakes at least once, never before its
    /// instant, and is gone then.
    async fn put(&self, schedule: &Schedule) -> Result<Scheduled>;
}

/// Where alerts go.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Publishes a message and answers with the topic's receipt.
    async fn publish(&self, notice: &Notice) -> Result<String>;
}

/// The time of day.
pub trait Clock: Send + Sync {
    /// Now, in UTC, cut to milliseconds.
    fn now(&self) -> DateTime<Utc>;
}

/// All of them, shared.
#[derive(Clone)]
pub struct Ports {
    /// Buckets.
    pub objects: Arc<dyn ObjectStore>,
    /// Tallies.
    pub access: Arc<dyn AccessTable>,
    /// Joins.
    pub joins: Arc<dyn JoinTable>,
    /// Work for readers.
    pub queue: Arc<dyn WorkQueue>,
    /// Incidents.
    pub incidents: Arc<dyn IncidentTable>,
    /// Configuration.
    pub catalog: Arc<dyn CatalogTable>,
    /// Wake-ups.
    pub schedules: Arc<dyn Scheduler>,
    /// Alerts.
    pub publisher: Arc<dyn Publisher>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}
