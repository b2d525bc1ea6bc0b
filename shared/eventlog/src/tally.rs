//! What an agent did in an hour, added up from a set of rows.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    attribution::{AgentKey, AttributedBy},
    event_type::EventType,
    row::{Channel, Hour, Operation},
};

/// One agent's rows of one event type in one hour of one org, as lines by object, channel, operation
/// and purpose. A pure function of the set of rows: order, split and repetition do not show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentHour {
    /// Salesforce org, 15 characters.
    pub org_id: String,
    /// The agent.
    pub agent: AgentKey,
    /// The kind of log.
    pub event_type: EventType,
    /// The hour.
    pub hour: Hour,
    /// The lines, in the order of their keys.
    pub lines: Vec<TallyLine>,
}

/// What a line is counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TallyKey {
    /// The objects that the rows touched together; empty where they do not say. Rows that touch several
    /// objects at once count under the whole set, so that records are never counted twice.
    pub objects: BTreeSet<String>,
    /// The door.
    pub channel: Channel,
    /// What was done.
    pub operation: Operation,
    /// The purpose that the identity declares, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// The rows of one key, added up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TallyLine {
    /// What the line is counted by.
    pub key: TallyKey,
    /// Log rows.
    pub row_count: u64,
    /// Rows that the log calls refused or failed; they are in `row_count` and add no records.
    pub failed_row_count: u64,
    /// Records returned, summed over the rows that count them.
    pub record_count: u64,
    /// Succeeded rows that do not say how many records they returned.
    pub uncounted_row_count: u64,
    /// The most records that one row returned.
    pub largest_record_count: u64,
    /// Bytes sent.
    pub response_bytes: u64,
    /// First row.
    pub first_at: DateTime<Utc>,
    /// Last row.
    pub last_at: DateTime<Utc>,
    /// Distinct record ids named, the smallest ones where there are more than fit.
    pub record_ids: BTreeSet<String>,
    /// Whether more record ids were named than are kept.
    pub record_ids_cut: bool,
    /// Fields named by queries, as `Object.Field`.
    pub fields: BTreeSet<String>,
    /// Where the calls came from, as written; the smallest ones where there are more than fit.
    pub source_addresses: BTreeSet<String>,
    /// The weakest ground on which a row was given to the agent.
    pub attributed_by: AttributedBy,
    /// Hashes of some of the rows (the smallest), as evidence.
    pub evidence: BTreeSet<String>,
}
