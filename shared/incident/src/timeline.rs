//! Everything that happened to an incident, append-only and chained.

use assessment::findings::SeverityLevel;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TimelineKind {
    /// The judgement said incident.
    Opened {
        /// Severity at that moment.
        severity: SeverityLevel,
        /// Score at that moment.
        score: u32,
        /// Version of rules and weights.
        scoring_version: String,
    },
    /// New evidence changed what was found.
    FindingsChanged {
        /// Severity from now on.
        severity: SeverityLevel,
        /// Score from now on.
        score: u32,
        /// Log rows in violation from now on.
        row_count: u64,
        /// Version of rules and weights.
        scoring_version: String,
    },
    /// A duty was judged for the first time, or differently from before.
    ObligationJudged {
        /// The duty.
        regime_id: String,
        /// Its due instant, if it has one.
        due_at: Option<DateTime<Utc>>,
        /// Whether its start is assumed.
        start_assumed: bool,
        /// Version of the law file.
        law_version: String,
    },
    /// An alert's time has come.
    AlertOwed {
        /// Which.
        alert_id: String,
        /// How often it has been raised.
        attempt: u32,
        /// How late, in seconds.
        late_seconds: i64,
    },
    /// An alert will not be sent.
    AlertWithdrawn {
        /// Which.
        alert_id: String,
        /// Why.
        reason: String,
    },
    /// The topic took an alert.
    AlertPublished {
        /// Which.
        alert_id: String,
        /// The topic's receipt.
        message_id: String,
    },
    /// A due instant has passed without a record that the duty was met.
    ObligationOverdue {
        /// The duty.
        regime_id: String,
        /// When it was due.
        due_at: DateTime<Utc>,
    },
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// Counted from 1 within the incident.
    pub sequence: u64,
    /// When it became known.
    pub at: DateTime<Utc>,
    /// Who recorded it: the function, or later a person.
    pub actor: String,
    /// What happened.
    #[serde(flatten)]
    pub event: TimelineKind,
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

impl TimelineHead {
    /// Makes the next entry and moves the head to it.
    pub(crate) fn append(
        &mut self,
        at: DateTime<Utc>,
        actor: &str,
        event: TimelineKind,
    ) -> TimelineEntry {
        let sequence = self.sequence.saturating_add(1);
        let previous_hash = std::mem::take(&mut self.hash);
        let hash = hash_of(sequence, at, actor, &event, &previous_hash);
        *self = Self { sequence, hash: hash.clone() };
        TimelineEntry { sequence, at, actor: actor.to_owned(), event, previous_hash, hash }
    }
}

/// SHA-256 over five lines: sequence, instant in UTC with microseconds, actor, event as JSON in the order of its
/// fields, hash of the entry before.
fn hash_of(
    sequence: u64,
    at: DateTime<Utc>,
    actor: &str,
    event: &TimelineKind,
    previous_hash: &str,
) -> String {
    let at = at.to_rfc3339_opts(SecondsFormat::Micros, true);
    // An event is plain data; if it could not be written, its debug form still commits to every field.
    let event = serde_json::to_string(event).unwrap_or_else(|_| format!("{event:?}"));
    let mut hasher = Sha256::new();
    hasher.update(format!("{sequence}\n{at}\n{actor}\n{event}\n{previous_hash}"));
    hex::encode(hasher.finalize())
}

/// The sequence number of the first entry that was altered, removed, swapped or is missing at the end; `None`
/// where the chain is whole. `entries` in the order of their sequence.
pub fn verify(entries: &[TimelineEntry], head: &TimelineHead) -> Option<u64> {
    let mut expected = TimelineHead::default();
    for entry in entries {
        let again = expected.append(entry.at, &entry.actor, entry.event.clone());
        if again != *entry {
            return Some(again.sequence);
        }
    }
    (expected != *head).then(|| expected.sequence.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> (Vec<TimelineEntry>, TimelineHead) {
        let at: DateTime<Utc> = "2026-11-24T10:00:00.123Z".parse().unwrap();
        let mut head = TimelineHead::default();
        let entries = (0..4)
            .map(|minute| {
                let event = TimelineKind::AlertPublished {
                    alert_id: format!("alert-{minute}"),
                    message_id: "m".to_owned(),
                };
                head.append(at + chrono::TimeDelta::minutes(minute), "notify", event)
            })
            .collect();
        (entries, head)
    }

    #[test]
    fn a_whole_chain_verifies() {
        let (entries, head) = chain();
        assert_eq!(verify(&entries, &head), None);
        assert_eq!(verify(&[], &TimelineHead::default()), None);
    }

    #[test]
    fn an_edit_a_swap_and_a_removal_are_found_where_they_are() {
        let (entries, head) = chain();
        let mut edited = entries.clone();
        edited[1].actor = "somebody".to_owned();
        assert_eq!(verify(&edited, &head), Some(2));
        let mut swapped = entries.clone();
        swapped.swap(1, 2);
        assert_eq!(verify(&swapped, &head), Some(2));
        let mut removed = entries.clone();
        removed.remove(2);
        assert_eq!(verify(&removed, &head), Some(3));
        assert_eq!(verify(&entries[..3], &head), Some(4));
    }
}
