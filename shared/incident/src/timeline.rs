//! Everything that happened to an incident, append-only and chained.
//!
//! The hash of an entry is SHA-256 over the entry without its hash, written in the JSON Canonicalization Scheme (RFC
//! 8785). `docs/EVIDENCE.md` says how to check a chain without this program.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Event;

/// The command that made an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandMark {
    /// Its id, chosen by whoever gave it.
    pub command_id: String,
    /// Hash of what it says, so that the same id is never taken for another command.
    pub digest: String,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// Counted from 1 within the incident.
    pub sequence: u64,
    /// The version of the incident that it is part of: one change may bring several entries.
    pub version: u64,
    /// When it became known.
    pub at: DateTime<Utc>,
    /// Who recorded it: a function, or a person.
    pub actor: String,
    /// The command behind it, where a person gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandMark>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// Hash of the entry before; empty for the first.
    pub previous_hash: String,
    /// Hash of this entry.
    pub hash: String,
}

/// The end of a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineHead {
    /// Sequence of the last entry; 0 for an empty timeline.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
}

/// What is said of an entry before it has a place in the chain.
pub(crate) struct Unchained {
    pub(crate) version: u64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) actor: String,
    pub(crate) command: Option<CommandMark>,
    pub(crate) event: Event,
}

impl TimelineHead {
    /// The entry that follows this head.
    pub(crate) fn next(&self, entry: Unchained) -> TimelineEntry {
        let mut entry = TimelineEntry {
            sequence: self.sequence.saturating_add(1),
            version: entry.version,
            at: entry.at,
            actor: entry.actor,
            command: entry.command,
            event: entry.event,
            previous_hash: self.hash.clone(),
            hash: String::new(),
        };
        entry.hash = entry.computed_hash();
        entry
    }
}

impl TimelineEntry {
    fn computed_hash(&self) -> String {
        // An entry is plain data with text for keys; if it could not be written, an empty hash is one that never
        // verifies.
        serde_json::to_value(self).ok().and_then(|value| entry_hash(&value)).unwrap_or_default()
    }
}

/// The hash that an entry ought to have, as it is stored; `None` where it is no JSON object.
pub(crate) fn entry_hash(stored: &Value) -> Option<String> {
    let mut fields = stored.as_object()?.clone();
    fields.remove("hash");
    digest(&Value::Object(fields))
}

/// SHA-256 over the canonical form of a value, in hex.
pub(crate) fn digest(value: &Value) -> Option<String> {
    let canonical = serde_json_canonicalizer::to_vec(value).ok()?;
    Some(hex::encode(Sha256::digest(canonical)))
}
