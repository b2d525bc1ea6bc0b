//! What is stored beside the pure crates' own types: who wrote it, from how much, and when.

use std::collections::{BTreeMap, BTreeSet};

use assessment::{
    configuration::Configuration,
    delivery::{DayArrivals, OrgDelivery, Watch},
    findings::DayFindings,
};
use chrono::{DateTime, Utc};
use eventlog::{
    attribution::AgentKey, event_type::EventType, extract::ExtractKey, joins::Link, reader::Part,
    report::FileReport, row::Hour, tally::AgentHour,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a judgement or a tally rests on.
///
/// Both numbers only ever move forward. A record may be written over another only where neither falls: a writer
/// that read an older configuration, or fewer extracts, is refused and decides afresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// How many extracts. They are never removed, so more of them cover more.
    pub member_count: u64,
    /// Version of the configuration.
    pub configuration_version: u64,
}

impl Coverage {
    /// Whether this may be written over `other`.
    pub fn covers(self, other: Self) -> bool {
        self.member_count >= other.member_count
            && self.configuration_version >= other.configuration_version
    }

    /// Whether the mark of an hour that covers this may be written where `there` stands, by a writer that had
    /// read `read`.
    ///
    /// Another configuration may name other agents, and so may another extract: a row that was given to one agent by its
    /// login goes to another one by its job. Whoever was named must be written as empty, so a mark is written over
    /// only by whoever has read it.
    pub fn follows(self, read: Option<Self>, there: Option<Self>) -> bool {
        match (read, there) {
            (None, None) => true,
            (Some(read), Some(there)) => self.covers(there) && there == read,
            _ => false,
        }
    }
}

/// An incident with everything about it, as JSON and not as this version reads it: whoever checks it must see what
/// somebody added or took away by hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawIncident {
    /// The incident; null where it is gone and something of it is left.
    pub incident: Value,
    /// Its timeline, in the order in which it is stored.
    pub timeline: Vec<Value>,
    /// Its alerts, in the order of their ids.
    pub alerts: Vec<Value>,
}

/// One agent's hour, with the size of the set that it was computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentHourRecord {
    /// The tallies.
    pub agent_hour: AgentHour,
    /// How many extracts the hour was the union of. Extracts are never removed, so more of them cover more.
    pub member_count: u64,
    /// Version of the configuration by which rows were given to agents.
    pub configuration_version: u64,
    /// When the first file that tells of this hour was read.
    pub landed_at: DateTime<Utc>,
}

impl AgentHourRecord {
    /// What it rests on.
    pub fn coverage(&self) -> Coverage {
        Coverage {
            member_count: self.member_count,
            configuration_version: self.configuration_version,
        }
    }
}

/// An hour of one event type in one org.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourRecord {
    /// Salesforce org.
    pub org_id: String,
    /// The kind of log.
    pub event_type: EventType,
    /// The hour.
    pub hour: Hour,
    /// How many extracts it is the union of.
    pub member_count: u64,
    /// Version of the configuration by which rows were given to agents.
    pub configuration_version: u64,
    /// Who has rows in it, or had by an earlier configuration.
    pub agents: BTreeSet<AgentKey>,
    /// Whether the hours of all of them are written.
    pub is_complete: bool,
    /// When the first file that tells of this hour was read.
    pub landed_at: DateTime<Utc>,
}

impl HourRecord {
    /// What it rests on.
    pub fn coverage(&self) -> Coverage {
        Coverage {
            member_count: self.member_count,
            configuration_version: self.configuration_version,
        }
    }
}

/// The judgement of an agent's day, with the size of the set that it was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayRecord {
    /// The judgement.
    pub findings: DayFindings,
    /// Extracts under the day's hours, added up.
    pub member_count: u64,
    /// Version of the configuration that it was judged by.
    pub configuration_version: u64,
    /// When it was judged.
    pub judged_at: DateTime<Utc>,
}

impl DayRecord {
    /// What it rests on.
    pub fn coverage(&self) -> Coverage {
        Coverage {
            member_count: self.member_count,
            configuration_version: self.configuration_version,
        }
    }
}

/// An object that has landed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LandedObject {
    /// Bucket.
    pub bucket: String,
    /// Key, decoded.
    pub key: String,
    /// The version that landed, where the bucket keeps versions. A later one under the same key lands on its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What is to be done with a landed object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum Work {
    /// It has landed: read it.
    Read(LandedObject),
    /// It was read, and some of its rows may now be joined to others that landed since.
    Join(LandedObject),
    /// It is large: read this part of it.
    ReadPart(PartWork),
    /// It is read in parts: see to it that those that were read count, whatever becomes of the others.
    LookAtParts(PartsLook),
}

/// A landed object that is read in parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartedObject {
    /// The object.
    #[serde(flatten)]
    pub object: LandedObject,
    /// What the store calls its content.
    #[serde(default)]
    pub e_tag: String,
    /// Its size.
    #[serde(default)]
    pub size_bytes: u64,
    /// How many parts there are.
    pub count: u32,
    /// When it was decided to read the object in parts.
    pub read_at: DateTime<Utc>,
    /// When the object landed.
    pub landed_at: DateTime<Utc>,
}

/// A part of a landed object, to be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartWork {
    /// Of what.
    #[serde(flatten)]
    pub of: PartedObject,
    /// Which part, from 0.
    pub number: u32,
    /// Where it lies.
    pub part: Part,
}

/// A look at how far the reading of an object's parts is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartsLook {
    /// Of what.
    #[serde(flatten)]
    pub of: PartedObject,
    /// Which look, from 1.
    pub look: u32,
}

/// What became of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// Hash of bucket, key and version of the file.
    pub source_hash: String,
    /// Which part, from 0.
    pub number: u32,
    /// When it was read.
    pub read_at: DateTime<Utc>,
    /// What the reading came to.
    pub report: FileReport,
    /// Rows that are an agent's as other files tell, beside those of the report.
    pub joined_row_count: u64,
    /// The hours that its kept rows are of.
    pub touched: BTreeSet<ExtractKey>,
    /// Why it was not read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

/// A link, and whether the files that seek its key have been sent for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRecord {
    /// The link.
    pub link: Link,
    /// Whether every file that sought its key before was sent for. One that seeks it later finds it.
    pub is_announced: bool,
    /// When it was written.
    pub linked_at: DateTime<Utc>,
}

/// When the logs of a UTC day came, of one org and event type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivalsRecord {
    /// The arrivals.
    pub arrivals: DayArrivals,
    /// Counted from 1; one more with every change.
    pub version: u64,
}

/// How an org's logs come, at the last look, and what is remembered from one look to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryHealthRecord {
    /// Salesforce org, 15 characters.
    pub org_id: String,
    /// The judgement.
    pub delivery: OrgDelivery,
    /// Open blind spots, and alerts that are owed for them.
    pub watch: Watch,
    /// Counted from 1; one more with every change.
    pub version: u64,
}

/// What became of a landed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Bucket.
    pub bucket: String,
    /// Key, decoded.
    pub key: String,
    /// What the store calls this content.
    pub e_tag: String,
    /// Hash of bucket, key and content tag: names the file here, and its rows in quarantine.
    pub source_hash: String,
    /// When it was read.
    pub read_at: DateTime<Utc>,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: FileOutcome,
    /// Bytes read, as stored.
    pub size_bytes: u64,
    /// Log rows.
    pub row_count: u64,
    /// Rows that agents made.
    pub agent_row_count: u64,
    /// Those of the latter that are known to be an agent's from another row only.
    #[serde(default)]
    pub joined_row_count: u64,
    /// Rows of machines whose agent, if there is one, is not known yet.
    #[serde(default)]
    pub unclaimed_row_count: u64,
    /// Rows by event type.
    pub rows_by_event_type: BTreeMap<String, u64>,
    /// Rows that could not be read, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// What could not be understood, by name, with the number of rows.
    pub gaps: BTreeMap<String, u64>,
}

/// How the reading of a file ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum FileOutcome {
    /// Read to its end.
    Read,
    /// Large: its parts are being read.
    InParts {
        /// How many there are.
        part_count: u32,
    },
    /// Not meant to be read, as a downloader's manifest.
    Ignored {
        /// Why.
        reason: String,
    },
    /// Read up to a point; what came before it is judged.
    Broken {
        /// What happened there.
        reason: String,
    },
    /// Not an event log.
    Refused {
        /// Why.
        reason: String,
    },
}

/// A configuration in force.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredConfiguration {
    /// Counted from 1.
    pub version: u64,
    /// When it was loaded.
    pub loaded_at: DateTime<Utc>,
    /// SHA-256 over the files, so that loading them again changes nothing.
    pub digest: String,
    /// The configuration itself.
    pub configuration: Configuration,
}

/// A configuration that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationRefusal {
    /// When.
    pub at: DateTime<Utc>,
    /// SHA-256 over the files.
    pub digest: String,
    /// One sentence each, with file and line.
    pub problems: Vec<String>,
}
