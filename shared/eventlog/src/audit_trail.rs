//! Setup Audit Trail: rows that tell of event logs being deleted, or no longer made.
//!
//! What is documented (REST API guide, *Delete Event Monitoring Data*; Metadata API guide, `EventSettings`):
//!
//! - Log files can be deleted, as whole files, once "Delete event monitoring data" is enabled on the Setup page
//!   *Event Monitoring Settings*; enabling it is recorded in Setup Audit Trail. In metadata that setting is
//!   `enableDeleteMonitoringData`.
//! - Whoever deletes needs the permission "Delete Event Monitoring Records".
//! - Whether log files are made at all is the setting `enableEventLogGeneration`.
//!
//! What is *not* documented, and what no sample shows: the value of `Action` for any of these, the wording of `Display`,
//! and whether the deletion of a file leaves a row itself. So a row is recognised by the documented words, in whichever
//! of its columns they stand. It may miss a row that is worded otherwise; it takes a row that only speaks of these
//! settings for one that touches them, which a person can tell apart in a minute.
//!
//! Rows come as the answer to a query of the object `SetupAuditTrail`, as JSON or as CSV. The page *View Setup Audit
//! Trail* offers a download of its own, whose columns and times are documented nowhere; it is not read.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{objects::id_15, report::QuarantineReason, timestamp};

/// What the object is called in the answer to a query, and in the account of a file.
pub(crate) const NAME: &str = "SetupAuditTrail";

/// What ids of users begin with.
const USER_PREFIX: &str = "005";

/// Most rows that [`latest`] keeps. A real org has a few in its life.
pub const MAX_TAMPERING_ROWS: usize = 100;

/// What a row of Setup Audit Trail tells about the logs themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogTampering {
    /// It concerns the deletion of event monitoring data: the setting, the permission, or a deletion.
    Deletion,
    /// The making of event logs was turned off.
    GenerationStopped,
}

impl LogTampering {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deletion => "deletion",
            Self::GenerationStopped => "generation_stopped",
        }
    }
}

/// A row that tells of the logs themselves; the earlier one is the lesser. Its text is not kept: it may hold names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TamperingRow {
    /// When it was done.
    pub at: DateTime<Utc>,
    /// Hash of the org and of the row's id, or of what it says where it has none: the same in whatever file it comes.
    pub row_hash: String,
    /// Salesforce org, 15 characters.
    pub org_id: String,
    /// What it tells.
    pub kind: LogTampering,
    /// Who did it, 15 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// The last [`MAX_TAMPERING_ROWS`] of these, each once, in order. A set of rows gives the same however it is put
/// together, and a row that fell out does not come back.
pub fn latest(rows: impl IntoIterator<Item = TamperingRow>) -> Vec<TamperingRow> {
    let mut each: BTreeMap<(String, String), TamperingRow> = BTreeMap::new();
    for row in rows {
        let key = (row.org_id.clone(), row.row_hash.clone());
        // Of two copies, the one of an export that has more columns.
        if each.get(&key).is_none_or(|known| *known < row) {
            each.insert(key, row);
        }
    }
    let mut latest: Vec<TamperingRow> = each.into_values().collect();
    latest.sort_unstable();
    let surplus = latest.len().saturating_sub(MAX_TAMPERING_ROWS);
    latest.drain(..surplus);
    latest
}

/// The columns that are read. Of who did it there is the id; `CreatedBy.Username` and `DelegateUser` are names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AuditColumn {
    Id,
    Action,
    Section,
    Display,
    CreatedDate,
    CreatedById,
    OrganizationId,
}

impl AuditColumn {
    const ALL: [Self; 7] = [
        Self::Id,
        Self::Action,
        Self::Section,
        Self::Display,
        Self::CreatedDate,
        Self::CreatedById,
        Self::OrganizationId,
    ];

    /// Its name, as Salesforce spells it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Id => "Id",
            Self::Action => "Action",
            Self::Section => "Section",
            Self::Display => "Display",
            Self::CreatedDate => "CreatedDate",
            Self::CreatedById => "CreatedById",
            Self::OrganizationId => "OrganizationId",
        }
    }

    /// The column of that name, in any case.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name().eq_ignore_ascii_case(name.trim()))
    }
}

/// Where the columns stand in a CSV of a query's answer.
pub(crate) fn bind(names: &[String]) -> Option<BTreeMap<AuditColumn, usize>> {
    let mut positions = BTreeMap::new();
    for (position, name) in names.iter().enumerate() {
        if let Some(column) = AuditColumn::from_name(name) {
            positions.entry(column).or_insert(position);
        }
    }
    let has = |column| positions.contains_key(&column);
    [AuditColumn::Action, AuditColumn::Section, AuditColumn::Display]
        .into_iter()
        .all(has)
        .then_some(positions)
}

/// A row as it stands, whatever it came in. A column that is there and empty is there.
#[derive(Debug, Default)]
pub(crate) struct AuditRow(pub(crate) BTreeMap<AuditColumn, String>);

impl AuditRow {
    fn text(&self, column: AuditColumn) -> &str {
        self.0.get(&column).map_or("", String::as_str)
    }

    /// The columns without which nobody can say what the row tells.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &'static str> {
        [AuditColumn::Action, AuditColumn::Display]
            .into_iter()
            .filter(|column| !self.0.contains_key(column))
            .map(AuditColumn::name)
    }

    /// What it tells of the logs, if anything. A row that says neither its org nor its time is an error whatever it
    /// tells, so that an export that lacks them is noticed before it matters.
    pub(crate) fn read(
        &self,
        org_of_unnamed: Option<&str>,
    ) -> Result<Option<TamperingRow>, QuarantineReason> {
        let named = Some(self.text(AuditColumn::OrganizationId)).filter(|text| !text.is_empty());
        let org = named.or(org_of_unnamed).ok_or(QuarantineReason::NoOrganization)?;
        let org_id = id_15(org).ok_or(QuarantineReason::BadOrganization)?;
        let created = self.text(AuditColumn::CreatedDate);
        if created.is_empty() {
            return Err(QuarantineReason::NoTime);
        }
        let at = timestamp::parse_relayed(created).ok_or(QuarantineReason::BadTime)?;
        let kind = tells_of_log_deletion(
            self.text(AuditColumn::Action),
            self.text(AuditColumn::Section),
            self.text(AuditColumn::Display),
        );
        let user = id_15(self.text(AuditColumn::CreatedById));
        Ok(kind.map(|kind| TamperingRow {
            at,
            row_hash: self.hash(&org_id, at),
            org_id,
            kind,
            user_id: user.filter(|id| id.starts_with(USER_PREFIX)),
        }))
    }

    /// Hex of the first 16 bytes of SHA-256, each part with its length in front.
    fn hash(&self, org_id: &str, at: DateTime<Utc>) -> String {
        let id = id_15(self.text(AuditColumn::Id));
        let instant = at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let says = [
            self.text(AuditColumn::Action),
            self.text(AuditColumn::Section),
            self.text(AuditColumn::Display),
            instant.as_str(),
        ];
        let mut hash = Sha256::new();
        let parts = id.as_deref().map_or_else(|| says.to_vec(), |id| vec![id]);
        for part in [org_id].into_iter().chain(parts) {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        hex::encode(digest.get(..16).unwrap_or(&digest))
    }
}

/// The setting and the permission, as they are labelled and as metadata names them, without anything but letters.
const DELETION_WORDS: [&str; 3] =
    ["deleteeventmonitoringdata", "deleteeventmonitoringrecords", "deletemonitoringdata"];
/// What the logs are called, in the same form.
const LOG_WORDS: [&str; 3] = ["eventmonitoring", "eventlogfile", "eventloggeneration"];
/// How Setup Audit Trail words that something is off now. Taken from rows about other settings.
const OFF_WORDS: [&str; 5] = ["disabled", "turnedoff", "deactivated", "fromontooff", "truetofalse"];

/// Whether a row of Setup Audit Trail tells of event logs being deleted or no longer made, from its columns `Action`,
/// `Section` and `Display`. See above for how sure that is.
///
/// ```
/// use eventlog::audit_trail::{LogTampering, tells_of_log_deletion};
///
/// let display = "Enabled Delete event monitoring data";
/// assert_eq!(tells_of_log_deletion("", "", display), Some(LogTampering::Deletion));
/// assert_eq!(tells_of_log_deletion("passwordexpiry", "Password Policies", ""), None);
/// ```
pub fn tells_of_log_deletion(action: &str, section: &str, display: &str) -> Option<LogTampering> {
    // A mark between the columns, so that no word arises from the end of one and the start of the next.
    let row = [action, section, display].map(letters).join("|");
    let has_any = |words: &[&str]| words.iter().any(|word| row.contains(word));
    let speaks_of_logs = has_any(&LOG_WORDS);
    if has_any(&DELETION_WORDS) || (speaks_of_logs && row.contains("delet")) {
        Some(LogTampering::Deletion)
    } else if speaks_of_logs && has_any(&OFF_WORDS) {
        Some(LogTampering::GenerationStopped)
    } else {
        None
    }
}

/// Letters only, in lower case: labels, sentences and names in metadata become the same.
fn letters(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphabetic)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_words_are_found_in_any_column_and_spelling() {
        for (action, section, display) in [
            ("enableDeleteMonitoringData", "", ""),
            ("", "Event Monitoring Settings", "Enabled deletion"),
            ("", "", "Changed Delete Event Monitoring Data from off to on"),
            ("PermSetEnableUserPerm", "Manage Users", "permission Delete Event Monitoring Records"),
            ("", "", "Deleted 3 EventLogFile records"),
        ] {
            let found = tells_of_log_deletion(action, section, display);
            assert_eq!(found, Some(LogTampering::Deletion), "{action}|{section}|{display}");
        }
        for display in ["Disabled event log generation", "enableEventLogGeneration: true to false"]
        {
            let found = tells_of_log_deletion("", "Security", display);
            assert_eq!(found, Some(LogTampering::GenerationStopped), "{display}");
        }
    }

    #[test]
    fn rows_about_other_things_tell_nothing_of_it() {
        for (action, section, display) in [
            ("passwordexpiry", "Password Policies", "Changed password expiry policy to 180 days"),
            ("deleteduser", "Manage Users", "Deleted user"),
            ("", "Event Monitoring Settings", "Enabled event log generation"),
            ("", "Calendar", "Deleted event type Webinar"),
            ("deleteevent", "monitoringdata", ""),
            ("", "Session Settings", "Disabled session timeout"),
        ] {
            let found = tells_of_log_deletion(action, section, display);
            assert_eq!(found, None, "{action}|{section}|{display}");
        }
    }
}
