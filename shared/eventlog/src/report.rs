//! What reading a file came to: an account of every row.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    audit_trail::{MAX_TAMPERING_ROWS, NAME, TamperingRow, latest},
    event_type::{EventType, is_known_irrelevant},
    recall::Moment,
    row::Hour,
};

/// Why a row could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineReason {
    /// No `EVENT_TYPE` column, or nothing in it; in JSON, nothing that names the event.
    NoEventType,
    /// No `ORGANIZATION_ID` column, or nothing in it; in JSON, neither the event nor an envelope names the org.
    NoOrganization,
    /// `ORGANIZATION_ID` holds something else than an id.
    BadOrganization,
    /// Neither `TIMESTAMP_DERIVED` nor `TIMESTAMP` says anything, in Setup Audit Trail not `CreatedDate`.
    NoTime,
    /// A timestamp in a form that Salesforce does not write.
    BadTime,
    /// More or fewer fields than the header has columns, so that values cannot be told apart.
    FieldCount,
    /// A closing quote is followed by more text.
    MalformedQuoting,
    /// The file ends inside a quoted field.
    UnterminatedQuote,
    /// Larger than the limit for a row.
    Oversized,
    /// A header, after more than a thousand that differ from one another.
    TooManyHeaders,
    /// A column that is read is not UTF-8.
    InvalidText,
    /// Not JSON, in a file of JSON.
    MalformedJson,
    /// The file ends inside an object, or before the array around the objects is closed.
    UnterminatedJson,
    /// More brackets inside each other, or envelopes around an event, than the limit.
    TooDeeplyNested,
    /// An object with more values than the limit.
    TooManyValues,
    /// A line of a gateway that does not say which org was called.
    NoGatewayOrganization,
}

impl std::fmt::Display for QuarantineReason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::NoEventType => {
                "nothing names the event: EVENT_TYPE in a row; detail-type, channel or attributes.type in JSON"
            }
            Self::NoOrganization => {
                "ORGANIZATION_ID is missing or empty; what a query, CometD or AppFlow fetched has none: land it in a folder orgs/ID/, or have the export add OrganizationId to each"
            }
            Self::BadOrganization => "ORGANIZATION_ID is not an id of 15 or 18 characters",
            Self::NoTime => {
                "TIMESTAMP_DERIVED and TIMESTAMP, in Setup Audit Trail CreatedDate, are missing or empty"
            }
            Self::BadTime => "the timestamp is not in a form that Salesforce writes",
            Self::FieldCount => "the row has another number of fields than the header",
            Self::MalformedQuoting => "a closing quote is followed by more text",
            Self::UnterminatedQuote => "the file ends inside a quoted field",
            Self::Oversized => "the row is larger than the limit",
            Self::TooManyHeaders => "one header too many: the file has over a thousand that differ",
            Self::InvalidText => "a column that is read is not UTF-8",
            Self::MalformedJson => "this is not JSON",
            Self::UnterminatedJson => "the file ends inside a JSON object or array",
            Self::TooDeeplyNested => "the JSON is nested more deeply than the limit",
            Self::TooManyValues => "the JSON object has more values than the limit",
            Self::NoGatewayOrganization => {
                "the gateway does not say which Salesforce org was called; add salesforceOrgId to its log format (unmapped.salesforce_org_id in OCSF)"
            }
        })
    }
}

/// Something that cannot be judged because the log does not have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Gap {
    /// The header lacks a column that rows of this type need.
    MissingColumn {
        /// The type; `None` where the missing column is `EVENT_TYPE` itself, or one of Setup Audit Trail.
        event_type: Option<EventType>,
        /// The column.
        column: String,
    },
    /// Rows whose value in a column is not on a scale that is known, so that it is left out.
    UnknownScale {
        /// The type.
        event_type: EventType,
        /// The column.
        column: String,
    },
    /// Rows of a type that is not read.
    UnknownEventType {
        /// `EVENT_TYPE`, letters, digits and underscores only, at most 64 of them.
        name: String,
    },
}

/// A gap and the number of rows that it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedGap {
    /// The gap.
    #[serde(flatten)]
    pub gap: Gap,
    /// Rows; 0 for a file that has a header only.
    pub rows: u64,
}

/// Rows of one org, event type and hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourCount {
    /// Salesforce org, 15 characters.
    pub org_id: String,
    /// The kind of log.
    pub event_type: EventType,
    /// The hour.
    pub hour: Hour,
    /// All rows.
    pub rows: u64,
    /// Rows that agents made.
    pub agent_rows: u64,
}

/// What reading a file came to. `rows` is the sum of `agent_rows`, `other_rows`, `unread_rows` and
/// `quarantined_rows`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReport {
    /// Rows, without header and blank lines.
    pub rows: u64,
    /// Rows that agents made.
    pub agent_rows: u64,
    /// Rows that people or the platform made.
    pub other_rows: u64,
    /// Those of the latter that came through a machine's door, and that another row may yet prove to be an agent's.
    #[serde(default)]
    pub unclaimed_rows: u64,
    /// Rows that agents made, as other rows tell. They are in `agent_rows`.
    #[serde(default)]
    pub joined_rows: u64,
    /// Rows of types that are not read.
    pub unread_rows: u64,
    /// Those of the latter that are of a type known to tell of no access.
    #[serde(default)]
    pub irrelevant_rows: u64,
    /// Rows that could not be read.
    pub quarantined_rows: u64,
    /// The latter by reason.
    pub quarantined: BTreeMap<QuarantineReason, u64>,
    /// What the log does not have, in order.
    pub gaps: Vec<CountedGap>,
    /// Rows by `EVENT_TYPE`, unread ones included, quarantined ones not.
    pub rows_by_event_type: BTreeMap<String, u64>,
    /// Rows by org, event type and hour, in order.
    pub hours: Vec<HourCount>,
    /// Rows that are in none of `hours`, because there were more than [`MAX_HOURS`] of them.
    pub rows_beyond_hours: u64,
    /// Rows of Setup Audit Trail that tell of the logs themselves, the last [`MAX_TAMPERING_ROWS`] of them, in order. They
    /// are in `other_rows`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tampering: Vec<TamperingRow>,
    /// The first moment in the file.
    pub first_at: Option<DateTime<Utc>>,
    /// The last moment in the file.
    pub last_at: Option<DateTime<Utc>>,
    /// Columns of the header; 0 for an empty file, and for JSON.
    pub columns: u64,
    /// Whether the file was gzip.
    pub is_gzip: bool,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes after inflation; equal to `read_bytes` for a plain file.
    pub inflated_bytes: u64,
}

impl FileReport {
    /// Adds the report of a later part of the same file.
    pub fn add(&mut self, other: &Self) {
        fn sum<K: Clone + Ord>(into: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
            for (key, rows) in from {
                let count = into.entry(key.clone()).or_default();
                *count = count.saturating_add(*rows);
            }
        }
        for (into, from) in [
            (&mut self.rows, other.rows),
            (&mut self.agent_rows, other.agent_rows),
            (&mut self.other_rows, other.other_rows),
            (&mut self.unclaimed_rows, other.unclaimed_rows),
            (&mut self.joined_rows, other.joined_rows),
            (&mut self.unread_rows, other.unread_rows),
            (&mut self.irrelevant_rows, other.irrelevant_rows),
            (&mut self.quarantined_rows, other.quarantined_rows),
            (&mut self.rows_beyond_hours, other.rows_beyond_hours),
            (&mut self.read_bytes, other.read_bytes),
            (&mut self.inflated_bytes, other.inflated_bytes),
        ] {
            *into = into.saturating_add(from);
        }
        sum(&mut self.quarantined, &other.quarantined);
        sum(&mut self.rows_by_event_type, &other.rows_by_event_type);
        let mut gaps = BTreeMap::new();
        for CountedGap { gap, rows } in self.gaps.drain(..).chain(other.gaps.iter().cloned()) {
            let count: &mut u64 = gaps.entry(gap).or_default();
            *count = count.saturating_add(rows);
        }
        self.gaps = gaps.into_iter().map(|(gap, rows)| CountedGap { gap, rows }).collect();
        let mut hours = BTreeMap::new();
        for hour in self.hours.drain(..).chain(other.hours.iter().cloned()) {
            let counts: &mut (u64, u64) =
                hours.entry((hour.org_id, hour.event_type, hour.hour)).or_default();
            counts.0 = counts.0.saturating_add(hour.rows);
            counts.1 = counts.1.saturating_add(hour.agent_rows);
        }
        let counted = hours.into_iter().map(|((org_id, event_type, hour), (rows, agent_rows))| {
            HourCount { org_id, event_type, hour, rows, agent_rows }
        });
        self.hours = counted.collect();
        let tampering = self.tampering.drain(..).chain(other.tampering.iter().cloned());
        self.tampering = latest(tampering);
        self.first_at = self.first_at.into_iter().chain(other.first_at).min();
        self.last_at = self.last_at.into_iter().chain(other.last_at).max();
        if self.columns == 0 {
            self.columns = other.columns;
        }
    }

    /// Whether the file held nothing, not even a header.
    pub fn is_empty(&self) -> bool {
        self.columns == 0 && self.rows == 0
    }
}

/// Most hours that a report lists one by one. A real file has 1, or 24 and a few late ones.
pub const MAX_HOURS: usize = 10_000;

/// Most names of unknown event types that a report lists one by one.
const MAX_UNKNOWN_NAMES: usize = 100;

/// Stands for all unknown event types beyond the ones that are listed.
const FURTHER_NAMES: &str = "further_names";

/// Longest name of an unknown event type.
const MAX_UNKNOWN_NAME_CHARACTERS: usize = 64;

/// A report while rows are still coming.
#[derive(Debug, Default)]
pub(crate) struct Accounting {
    report: FileReport,
    gaps: BTreeMap<Gap, u64>,
    unknown_names: usize,
    rows_by_event_type: BTreeMap<EventType, u64>,
    hours: BTreeMap<(EventType, Hour), BTreeMap<String, (u64, u64)>>,
    hour_count: usize,
    run: Option<Run>,
}

/// Rows of one type, org and hour that came one after the other, not yet added up.
#[derive(Debug)]
struct Run {
    event_type: EventType,
    org_id: String,
    hour: Hour,
    /// The end of the hour, exclusive.
    until: DateTime<Utc>,
    rows: u64,
    agent_rows: u64,
    first_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
}

impl Run {
    fn holds(&self, event_type: EventType, org_id: &str, at: DateTime<Utc>) -> bool {
        self.event_type == event_type
            && (self.hour.start()..self.until).contains(&at)
            && self.org_id == org_id
    }
}

impl Accounting {
    pub(crate) fn header(&mut self, columns: usize) {
        self.report.columns = u64::try_from(columns).unwrap_or(u64::MAX);
    }

    pub(crate) fn gap(&mut self, event_type: Option<EventType>, column: &str, rows: u64) {
        let gap = Gap::MissingColumn { event_type, column: column.to_owned() };
        let count = self.gaps.entry(gap).or_default();
        *count = count.saturating_add(rows);
    }

    /// A value on a scale that nobody knows.
    pub(crate) fn unknown_scale(&mut self, event_type: EventType, column: &str) {
        let gap = Gap::UnknownScale { event_type, column: column.to_owned() };
        let count = self.gaps.entry(gap).or_default();
        *count = count.saturating_add(1);
    }

    pub(crate) fn quarantined(&mut self, reason: QuarantineReason) {
        self.report.rows = self.report.rows.saturating_add(1);
        self.report.quarantined_rows = self.report.quarantined_rows.saturating_add(1);
        let count = self.report.quarantined.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    pub(crate) fn unread(&mut self, event_type: &[u8]) {
        self.report.rows = self.report.rows.saturating_add(1);
        self.report.unread_rows = self.report.unread_rows.saturating_add(1);
        let mut name: String = event_type
            .iter()
            .filter(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .take(MAX_UNKNOWN_NAME_CHARACTERS)
            .map(|byte| char::from(*byte))
            .collect();
        if name.is_empty() {
            "unnamed".clone_into(&mut name);
        }
        if !self.report.rows_by_event_type.contains_key(&name) {
            if self.unknown_names < MAX_UNKNOWN_NAMES {
                self.unknown_names = self.unknown_names.saturating_add(1);
            } else {
                FURTHER_NAMES.clone_into(&mut name);
            }
        }
        let count = self.report.rows_by_event_type.entry(name.clone()).or_default();
        *count = count.saturating_add(1);
        if std::str::from_utf8(event_type).is_ok_and(is_known_irrelevant) {
            self.report.irrelevant_rows = self.report.irrelevant_rows.saturating_add(1);
            return;
        }
        let count = self.gaps.entry(Gap::UnknownEventType { name }).or_default();
        *count = count.saturating_add(1);
    }

    /// A row of Setup Audit Trail that tells of the logs themselves.
    pub(crate) fn tampering(&mut self, row: TamperingRow) {
        self.report.rows = self.report.rows.saturating_add(1);
        self.report.other_rows = self.report.other_rows.saturating_add(1);
        let count = self.report.rows_by_event_type.entry(NAME.to_owned()).or_default();
        *count = count.saturating_add(1);
        self.report.tampering.push(row);
        if self.report.tampering.len() >= MAX_TAMPERING_ROWS.saturating_mul(2) {
            self.report.tampering = latest(std::mem::take(&mut self.report.tampering));
        }
    }

    pub(crate) fn joined(&mut self) {
        self.report.joined_rows = self.report.joined_rows.saturating_add(1);
    }

    pub(crate) fn unclaimed(&mut self) {
        self.report.unclaimed_rows = self.report.unclaimed_rows.saturating_add(1);
    }

    pub(crate) fn read(
        &mut self,
        event_type: EventType,
        org_id: &str,
        at: DateTime<Utc>,
        is_agents: bool,
    ) {
        if !self.run.as_ref().is_some_and(|run| run.holds(event_type, org_id, at)) {
            self.end_run();
            let hour = Hour::containing(at);
            let until = hour.start().checked_add_signed(TimeDelta::hours(1)).unwrap_or(at);
            let org_id = org_id.to_owned();
            let (rows, agent_rows, first_at, last_at) = (0, 0, at, at);
            self.run =
                Some(Run { event_type, org_id, hour, until, rows, agent_rows, first_at, last_at });
        }
        if let Some(run) = &mut self.run {
            run.rows = run.rows.saturating_add(1);
            run.agent_rows = run.agent_rows.saturating_add(u64::from(is_agents));
            run.first_at = run.first_at.min(at);
            run.last_at = run.last_at.max(at);
        }
    }

    /// A row of people at a moment of an hour: as [`Accounting::read`], for a file of them.
    pub(crate) fn read_in_hour(&mut self, event_type: EventType, org_id: &str, moment: Moment) {
        match &mut self.run {
            Some(run)
                if run.hour.start() == moment.hour_start
                    && run.event_type == event_type
                    && run.org_id == org_id =>
            {
                let at = moment.at();
                run.rows = run.rows.saturating_add(1);
                run.first_at = run.first_at.min(at);
                run.last_at = run.last_at.max(at);
            }
            _ => self.read(event_type, org_id, moment.at(), false),
        }
    }

    /// Adds the run up.
    fn end_run(&mut self) {
        let Some(Run { event_type, org_id, hour, rows, agent_rows, first_at, last_at, .. }) =
            self.run.take()
        else {
            return;
        };
        let report = &mut self.report;
        report.rows = report.rows.saturating_add(rows);
        report.agent_rows = report.agent_rows.saturating_add(agent_rows);
        report.other_rows = report.other_rows.saturating_add(rows.saturating_sub(agent_rows));
        report.first_at = Some(report.first_at.map_or(first_at, |first| first.min(first_at)));
        report.last_at = Some(report.last_at.map_or(last_at, |last| last.max(last_at)));
        let count = self.rows_by_event_type.entry(event_type).or_default();
        *count = count.saturating_add(rows);

        let orgs = self.hours.entry((event_type, hour)).or_default();
        if let Some((known_rows, known_agent_rows)) = orgs.get_mut(&org_id) {
            *known_rows = known_rows.saturating_add(rows);
            *known_agent_rows = known_agent_rows.saturating_add(agent_rows);
        } else if self.hour_count < MAX_HOURS {
            self.hour_count = self.hour_count.saturating_add(1);
            orgs.insert(org_id, (rows, agent_rows));
        } else {
            if orgs.is_empty() {
                self.hours.remove(&(event_type, hour));
            }
            report.rows_beyond_hours = report.rows_beyond_hours.saturating_add(rows);
        }
    }

    pub(crate) fn finish(
        mut self,
        is_gzip: bool,
        read_bytes: u64,
        inflated_bytes: u64,
    ) -> FileReport {
        self.end_run();
        let mut report = self.report;
        for (event_type, rows) in self.rows_by_event_type {
            // An unknown name may be a known one once it is cleaned.
            let count = report.rows_by_event_type.entry(event_type.name().to_owned()).or_default();
            *count = count.saturating_add(rows);
        }
        report.gaps = self.gaps.into_iter().map(|(gap, rows)| CountedGap { gap, rows }).collect();
        report.hours = self
            .hours
            .into_iter()
            .flat_map(|((event_type, hour), orgs)| {
                orgs.into_iter().map(move |(org_id, (rows, agent_rows))| HourCount {
                    org_id,
                    event_type,
                    hour,
                    rows,
                    agent_rows,
                })
            })
            .collect();
        report.hours.sort_by(|left, right| {
            (&left.org_id, left.event_type, left.hour).cmp(&(
                &right.org_id,
                right.event_type,
                right.hour,
            ))
        });
        report.tampering = latest(report.tampering);
        report.is_gzip = is_gzip;
        report.read_bytes = read_bytes;
        report.inflated_bytes = inflated_bytes;
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_unknown_types_are_cleaned_and_their_number_is_bounded() {
        let mut accounting = Accounting::default();
        accounting.unread(b"Aura <script> Request, a.b@example.com");
        accounting.unread("\u{e4}".as_bytes());
        for number in 0..500 {
            accounting.unread(format!("Type{number}").as_bytes());
        }
        let report = accounting.finish(false, 0, 0);
        assert!(report.rows_by_event_type.contains_key("AurascriptRequestabexamplecom"));
        assert!(report.rows_by_event_type.contains_key("unnamed"));
        assert_eq!(report.rows_by_event_type.len(), MAX_UNKNOWN_NAMES + 1);
        assert_eq!(report.rows_by_event_type.values().sum::<u64>(), 502);
        assert_eq!(report.rows_by_event_type.get(FURTHER_NAMES), Some(&402));
    }

    #[test]
    fn an_unknown_name_that_is_cleaned_into_a_known_one_adds_to_it() {
        let mut accounting = Accounting::default();
        accounting.unread(b"Login\xFF");
        let at = DateTime::from_timestamp(0, 0).unwrap();
        accounting.read(EventType::Login, "00D5g000004Hq3K", at, false);
        let report = accounting.finish(false, 0, 0);
        assert_eq!(report.rows, 2);
        assert_eq!(report.rows_by_event_type, BTreeMap::from([("Login".to_owned(), 2)]));
    }

    #[test]
    fn hours_beyond_the_limit_are_counted_together() {
        let mut accounting = Accounting::default();
        for hour in 0..10_005 {
            let at = DateTime::from_timestamp(hour * 3_600, 0).unwrap();
            accounting.read(EventType::Login, "00D5g000004Hq3K", at, hour % 2 == 0);
        }
        let report = accounting.finish(false, 0, 0);
        assert_eq!(report.hours.len(), MAX_HOURS);
        assert_eq!(report.rows_beyond_hours, 5);
        assert_eq!((report.rows, report.agent_rows), (10_005, 5_003));
    }
}
