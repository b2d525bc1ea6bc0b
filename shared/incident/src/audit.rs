//! Whether what is stored of an incident is what its timeline leads to.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::{Case, TimelineEntry, TimelineHead, timeline::entry_hash};

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "flaw", rename_all = "snake_case")]
pub enum Flaw {
    /// An entry is not what was written: its hash is that of another content.
    EntryEdited {
        /// Where.
        sequence: u64,
    },
    /// The entry that stands here is not the one that followed: one was removed, put in or moved.
    ChainBroken {
        /// Where an entry was expected.
        sequence: u64,
    },
    /// Entries are missing at the end, or the incident is older than its timeline.
    EndMissing {
        /// The last entry that is there.
        last: u64,
        /// The last entry that the incident knows of.
        expected: u64,
    },
    /// An entry cannot be read by this version.
    EntryUnreadable {
        /// Where.
        sequence: u64,
        /// Why.
        reason: String,
    },
    /// The incident does not say what its timeline leads to.
    IncidentEdited {
        /// The fields.
        fields: Vec<String>,
    },
    /// An alert does not say what the timeline leads to, is missing, or was put in.
    AlertEdited {
        /// Which.
        alert_id: String,
    },
    /// A head that was put away does not lie on this chain: the timeline was written anew.
    HeadMismatch {
        /// Where.
        sequence: u64,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EntryEdited { sequence } => {
                write!(formatter, "entry {sequence} was edited: its hash does not fit what it says")
            }
            Self::ChainBroken { sequence } => write!(
                formatter,
                "the chain breaks at entry {sequence}: an entry was removed, put in or moved"
            ),
            Self::EndMissing { last, expected } => write!(
                formatter,
                "the timeline ends with entry {last}, and the incident knows of {expected}"
            ),
            Self::EntryUnreadable { sequence, reason } => {
                write!(formatter, "entry {sequence} cannot be read: {reason}")
            }
            Self::IncidentEdited { fields } => write!(
                formatter,
                "the incident does not say what its timeline leads to, in: {}",
                fields.join(", ")
            ),
            Self::AlertEdited { alert_id } => {
                write!(formatter, "alert {alert_id} does not say what the timeline leads to")
            }
            Self::HeadMismatch { sequence } => write!(
                formatter,
                "entry {sequence} is not the one whose hash was put away: the timeline was written anew"
            ),
        }
    }
}

/// Everything about a stored incident that does not fit together; nothing where it is whole.
///
/// Works on what is stored, byte for byte of meaning, so that a field which this version would not read is seen too.
/// `timeline` in the order of its keys. `heads` are ends of the chain that were put away elsewhere, at any earlier time.
pub fn audit(
    incident: &Value,
    alerts: &[Value],
    timeline: &[Value],
    heads: &[TimelineHead],
) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let chain = check_chain(timeline, &mut flaws);
    let known = incident.get("timeline_head").cloned().unwrap_or_default();
    let known: TimelineHead = serde_json::from_value(known).unwrap_or_default();
    let last = chain.last().map_or(0, |head| head.sequence);
    if known.sequence != last {
        flaws.push(Flaw::EndMissing { last, expected: known.sequence });
    }
    for head in heads {
        if !chain.contains(head) {
            flaws.push(Flaw::HeadMismatch { sequence: head.sequence });
        }
    }
    if flaws.is_empty() {
        compare(incident, alerts, timeline, &mut flaws);
    }
    flaws
}

/// The heads of the chain as the entries have them, from the first on.
fn check_chain(timeline: &[Value], flaws: &mut Vec<Flaw>) -> Vec<TimelineHead> {
    let mut chain: Vec<TimelineHead> = Vec::new();
    let mut expected = 1_u64;
    let mut previous = String::new();
    for entry in timeline {
        let text = |name| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let sequence = entry.get("sequence").and_then(Value::as_u64).unwrap_or_default();
        let hash = text("hash").to_owned();
        if entry_hash(entry).as_deref() != Some(hash.as_str()) {
            flaws.push(Flaw::EntryEdited { sequence: expected });
        }
        if sequence != expected || text("previous_hash") != previous {
            flaws.push(Flaw::ChainBroken { sequence: expected });
        }
        expected = sequence.max(expected).saturating_add(1);
        previous.clone_from(&hash);
        chain.push(TimelineHead { sequence, hash });
    }
    chain
}

/// Of a chain that is whole: whether incident and alerts are what it leads to.
fn compare(incident: &Value, alerts: &[Value], timeline: &[Value], flaws: &mut Vec<Flaw>) {
    let mut entries = Vec::new();
    for (entry, sequence) in timeline.iter().zip(1_u64..) {
        match serde_json::from_value::<TimelineEntry>(entry.clone()) {
            Ok(entry) => entries.push(entry),
            Err(error) => {
                flaws.push(Flaw::EntryUnreadable { sequence, reason: error.to_string() });
                return;
            }
        }
    }
    let Some(case) = Case::replay(&entries) else {
        flaws.push(Flaw::ChainBroken { sequence: 1 });
        return;
    };
    let expected = serde_json::to_value(&case.incident).unwrap_or_default();
    let fields = differing_fields(incident, &expected);
    if !fields.is_empty() {
        flaws.push(Flaw::IncidentEdited { fields });
    }
    let id_of = |alert: &Value| {
        alert.get("alert_id").and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut missing = case.alerts;
    for stored in alerts {
        let alert_id = id_of(stored);
        let expected = missing.remove(&alert_id).and_then(|alert| serde_json::to_value(alert).ok());
        if expected.as_ref() != Some(stored) {
            flaws.push(Flaw::AlertEdited { alert_id });
        }
    }
    flaws.extend(missing.into_keys().map(|alert_id| Flaw::AlertEdited { alert_id }));
}

fn differing_fields(stored: &Value, expected: &Value) -> Vec<String> {
    let (Some(stored), Some(expected)) = (stored.as_object(), expected.as_object()) else {
        return vec!["all".to_owned()];
    };
    let mut names: Vec<String> = stored
        .keys()
        .chain(expected.keys())
        .filter(|name| stored.get(*name) != expected.get(*name))
        .cloned()
        .collect();
    names.sort();
    names.dedup();
    names
}
