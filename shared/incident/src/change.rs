//! A decision about an incident, to be written whole or not at all.

use serde::{Deserialize, Serialize};

use crate::{Alert, Incident, TimelineEntry};

/// What to write, and on which condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The version that the decision was made on; 0 where the incident must not exist yet.
    pub expected_version: u64,
    /// The incident from now on; its version is one more.
    pub incident: Incident,
    /// Entries to append.
    pub timeline: Vec<TimelineEntry>,
    /// Alerts to write over what was there.
    pub alerts: Vec<Alert>,
}
