//! What an agent did in an hour, added up from a set of rows.

mod executions;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use self::executions::Executions;
use crate::{
    attribution::{AgentKey, AttributedBy, Attribution},
    event_type::EventType,
    joins::{Confidence, JoinKind},
    row::{AccessRow, Channel, Hour, Operation},
    tls::TlsProtocol,
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
    /// The protocol that logins were secured by, where the rows say. It is part of the key so that the rows over an
    /// outdated one have their own count, times and evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_protocol: Option<TlsProtocol>,
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
    /// Records returned, summed over the rows that count them. Of rows that tell of one run page by page, the one that
    /// says most counts for all; a run that goes on into the next hour counts there again.
    pub record_count: u64,
    /// Succeeded reads and exports that do not say how many records they returned. Rows of types that
    /// only echo others (see [`EventType::counts_records`]) are not among them.
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
    /// Where the calls came from, in canonical text; the smallest ones where there are more than fit.
    pub source_addresses: BTreeSet<String>,
    /// Cipher suites of logins, the smallest ones where there are more than fit.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cipher_suites: BTreeSet<String>,
    /// Rows that say that they counted against the org's limit of API calls, refused and failed ones too.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub limited_call_count: u64,
    /// The weakest ground on which a row was given to the agent.
    pub attributed_by: AttributedBy,
    /// Succeeded rows that are not certainly the agent's, by how sure that is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unsure_row_counts: BTreeMap<Confidence, u64>,
    /// Rows that were joined; they are in `row_count`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub joined_row_count: u64,
    /// Hashes of some of the rows (the smallest), as evidence.
    pub evidence: BTreeSet<String>,
}

/// Most record ids of a line.
pub const MAX_RECORD_IDS_PER_LINE: usize = 1_000;

/// Most record ids of an [`AgentHour`]; over it, every line keeps equally many of its smallest.
pub const MAX_RECORD_IDS: usize = 10_000;

/// Most fields of a line.
pub const MAX_FIELDS_PER_LINE: usize = 500;

/// Most source addresses of a line.
pub const MAX_SOURCE_ADDRESSES: usize = 20;

/// Most cipher suites of a line.
pub const MAX_CIPHER_SUITES: usize = 5;

/// Most row hashes kept as evidence for a line.
pub const MAX_EVIDENCE: usize = 5;

/// Most lines of an [`AgentHour`]. Rows whose keys come after that many smaller ones are added up in one
/// line for each channel, operation, purpose and protocol, whose objects are all that they touched.
pub const MAX_LINES: usize = 400;

/// Most objects named by a line that others were folded into.
pub const MAX_FOLDED_OBJECTS: usize = 200;

/// Most bytes of an [`AgentHour`] as JSON, so that it fits into one item of a table.
pub const MAX_AGENT_HOUR_BYTES: usize = 350_000;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Puts `value` into a set of the `most` smallest; says whether any value was left out.
fn insert_smallest(set: &mut BTreeSet<String>, value: &str, most: usize) -> bool {
    if set.contains(value) {
        return false;
    }
    if set.len() >= most && set.last().is_none_or(|largest| largest.as_str() < value) {
        return true;
    }
    set.insert(value.to_owned());
    cut(set, most)
}

/// Cuts a set to its `most` smallest; says whether it had more.
fn cut(set: &mut BTreeSet<String>, most: usize) -> bool {
    let is_over = set.len() > most;
    while set.len() > most {
        set.pop_last();
    }
    is_over
}

/// On what a row was given to its agent.
#[derive(Clone, Copy)]
struct Ground {
    by: AttributedBy,
    joined_by: Option<JoinKind>,
}

/// A line while rows are still coming.
#[derive(Clone, Debug)]
struct OpenLine {
    /// Without the records of runs.
    line: TallyLine,
    executions: Executions,
}

impl OpenLine {
    fn of(key: TallyKey, row: &AccessRow, ground: Ground) -> Self {
        let mut open =
            Self { line: TallyLine::empty(key, row, ground), executions: Executions::default() };
        open.add(row, ground);
        open
    }

    fn add(&mut self, row: &AccessRow, ground: Ground) {
        let records = row.record_count.filter(|_| row.succeeded);
        if let (Some(execution), Some(records)) = (&row.join_keys.execution, records) {
            self.executions.add(execution, records);
        }
        self.line.add(row, ground);
    }

    /// Adds another line up into this one, whose key stays.
    fn merge(&mut self, other: Self) {
        self.line.merge(other.line);
        self.executions.merge(other.executions);
    }

    fn finish(self) -> TallyLine {
        let Self { mut line, executions } = self;
        line.record_count = line.record_count.saturating_add(executions.record_count());
        line
    }
}

impl TallyLine {
    /// A line of that key at the time of a row, with no rows.
    fn empty(key: TallyKey, row: &AccessRow, ground: Ground) -> Self {
        Self {
            key,
            row_count: 0,
            failed_row_count: 0,
            record_count: 0,
            uncounted_row_count: 0,
            largest_record_count: 0,
            response_bytes: 0,
            first_at: row.at,
            last_at: row.at,
            record_ids: BTreeSet::new(),
            record_ids_cut: false,
            fields: BTreeSet::new(),
            source_addresses: BTreeSet::new(),
            cipher_suites: BTreeSet::new(),
            limited_call_count: 0,
            attributed_by: ground.by,
            unsure_row_counts: BTreeMap::new(),
            joined_row_count: 0,
            evidence: BTreeSet::new(),
        }
    }

    fn add(&mut self, row: &AccessRow, ground: Ground) {
        self.row_count = self.row_count.saturating_add(1);
        if row.succeeded {
            let confidence = Confidence::of(ground.by, ground.joined_by, row.event_type.witness());
            if confidence != Confidence::Certain {
                let count = self.unsure_row_counts.entry(confidence).or_default();
                *count = count.saturating_add(1);
            }
            let is_uncounted = row.record_count.is_none()
                && matches!(row.operation, Operation::Read | Operation::Export)
                && row.event_type.counts_records();
            let records = row.record_count.unwrap_or(0);
            if row.join_keys.execution.is_none() {
                self.record_count = self.record_count.saturating_add(records);
            }
            self.uncounted_row_count =
                self.uncounted_row_count.saturating_add(u64::from(is_uncounted));
            self.largest_record_count = self.largest_record_count.max(records);
            self.response_bytes =
                self.response_bytes.saturating_add(row.response_bytes.unwrap_or(0));
            for id in &row.record_ids {
                self.record_ids_cut |=
                    insert_smallest(&mut self.record_ids, id, MAX_RECORD_IDS_PER_LINE);
            }
        } else {
            self.failed_row_count = self.failed_row_count.saturating_add(1);
        }
        for field in &row.fields {
            insert_smallest(&mut self.fields, field, MAX_FIELDS_PER_LINE);
        }
        if let Some(address) = &row.source_address {
            insert_smallest(&mut self.source_addresses, address, MAX_SOURCE_ADDRESSES);
        }
        if let Some(cipher_suite) = row.tls.as_ref().and_then(|tls| tls.cipher_suite.as_deref()) {
            insert_smallest(&mut self.cipher_suites, cipher_suite, MAX_CIPHER_SUITES);
        }
        let is_limited = row.counts_against_api_limit == Some(true);
        self.limited_call_count = self.limited_call_count.saturating_add(u64::from(is_limited));
        insert_smallest(&mut self.evidence, &row.row_hash, MAX_EVIDENCE);
        self.first_at = self.first_at.min(row.at);
        self.last_at = self.last_at.max(row.at);
        self.attributed_by = self.attributed_by.max(ground.by);
        self.joined_row_count =
            self.joined_row_count.saturating_add(u64::from(ground.joined_by.is_some()));
    }

    /// Adds another line up into this one, whose key stays.
    fn merge(&mut self, other: Self) {
        self.row_count = self.row_count.saturating_add(other.row_count);
        self.failed_row_count = self.failed_row_count.saturating_add(other.failed_row_count);
        self.record_count = self.record_count.saturating_add(other.record_count);
        self.uncounted_row_count =
            self.uncounted_row_count.saturating_add(other.uncounted_row_count);
        self.largest_record_count = self.largest_record_count.max(other.largest_record_count);
        self.response_bytes = self.response_bytes.saturating_add(other.response_bytes);
        self.limited_call_count = self.limited_call_count.saturating_add(other.limited_call_count);
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
        self.record_ids_cut |= other.record_ids_cut;
        for (into, from, most) in [
            (&mut self.fields, other.fields, MAX_FIELDS_PER_LINE),
            (&mut self.source_addresses, other.source_addresses, MAX_SOURCE_ADDRESSES),
            (&mut self.cipher_suites, other.cipher_suites, MAX_CIPHER_SUITES),
            (&mut self.evidence, other.evidence, MAX_EVIDENCE),
        ] {
            into.extend(from);
            cut(into, most);
        }
        self.record_ids.extend(other.record_ids);
        self.record_ids_cut |= cut(&mut self.record_ids, MAX_RECORD_IDS_PER_LINE);
        self.attributed_by = self.attributed_by.max(other.attributed_by);
        for (confidence, rows) in other.unsure_row_counts {
            let count = self.unsure_row_counts.entry(confidence).or_default();
            *count = count.saturating_add(rows);
        }
        self.joined_row_count = self.joined_row_count.saturating_add(other.joined_row_count);
    }
}

/// What lines that do not fit are folded by.
type FoldKey = (Channel, Operation, Option<String>, Option<TlsProtocol>);

/// One agent's lines, while rows are still coming. The lines kept apart are those with the smallest keys
/// of all that ever came, so that neither order nor split of the rows shows.
#[derive(Clone, Debug, Default)]
struct AgentLines {
    lines: BTreeMap<TallyKey, OpenLine>,
    folded: BTreeMap<FoldKey, OpenLine>,
}

impl AgentLines {
    fn add(&mut self, key: TallyKey, row: &AccessRow, ground: Ground) {
        if let Some(line) = self.lines.get_mut(&key) {
            line.add(row, ground);
        } else {
            self.put(OpenLine::of(key, row, ground));
        }
    }

    fn put(&mut self, line: OpenLine) {
        if let Some(known) = self.lines.get_mut(&line.line.key) {
            known.merge(line);
            return;
        }
        self.lines.insert(line.line.key.clone(), line);
        self.cut(MAX_LINES);
    }

    fn cut(&mut self, most: usize) {
        while self.lines.len() > most {
            if let Some((_, line)) = self.lines.pop_last() {
                self.fold(line);
            }
        }
    }

    fn fold(&mut self, line: OpenLine) {
        let key = &line.line.key;
        let fold_key = (key.channel, key.operation, key.purpose.clone(), key.tls_protocol);
        if let Some(folded) = self.folded.get_mut(&fold_key) {
            let objects = &mut folded.line.key.objects;
            objects.extend(line.line.key.objects.iter().cloned());
            cut(objects, MAX_FOLDED_OBJECTS);
            folded.merge(line);
        } else {
            self.folded.insert(fold_key, line);
        }
    }

    fn merge(&mut self, other: Self) {
        for line in other.lines.into_values() {
            self.put(line);
        }
        for line in other.folded.into_values() {
            self.fold(line);
        }
    }

    /// The lines in the order of their keys, no two alike.
    fn into_lines(self) -> Vec<TallyLine> {
        let mut lines = self.lines;
        for folded in self.folded.into_values() {
            match lines.get_mut(&folded.line.key) {
                Some(line) => line.merge(folded),
                None => {
                    lines.insert(folded.line.key.clone(), folded);
                }
            }
        }
        let mut lines: Vec<_> = lines.into_values().map(OpenLine::finish).collect();
        cut_record_ids(&mut lines, MAX_RECORD_IDS);
        lines
    }
}

/// Cuts every line to equally many record ids, as many as fit into `most` together.
fn cut_record_ids(lines: &mut [TallyLine], most: usize) {
    let total = |per_line: usize| -> usize {
        lines.iter().map(|line| line.record_ids.len().min(per_line)).sum()
    };
    if total(MAX_RECORD_IDS_PER_LINE) <= most {
        return;
    }
    let (mut fits, mut too_many) = (0, MAX_RECORD_IDS_PER_LINE);
    while too_many - fits > 1 {
        let middle = usize::midpoint(fits, too_many);
        if total(middle) <= most { fits = middle } else { too_many = middle }
    }
    for line in lines {
        line.record_ids_cut |= cut(&mut line.record_ids, fits);
    }
}

/// Adds up the rows of one org, event type and hour, agent by agent.
///
/// A pure function of the set of rows: whatever their order, and however they are split over tallies that
/// are then merged, the result is the same. Each row must come once; [`crate::extract::merge_unique`]
/// sees to that. Memory is bounded for each agent by the limits of this module.
#[derive(Clone, Debug)]
pub struct Tally {
    org_id: String,
    event_type: EventType,
    hour: Hour,
    agents: BTreeMap<AgentKey, AgentLines>,
}

impl Tally {
    /// An empty tally.
    pub fn new(org_id: impl Into<String>, event_type: EventType, hour: Hour) -> Self {
        Self { org_id: org_id.into(), event_type, hour, agents: BTreeMap::new() }
    }

    /// Adds a row. One that no agent made adds nothing.
    pub fn add(&mut self, row: &AccessRow, attribution: &Attribution) {
        let Attribution::Agent { agent, purpose, by, joined_by } = attribution else { return };
        let ground = Ground { by: *by, joined_by: *joined_by };
        let key = TallyKey {
            objects: row.objects.clone(),
            channel: row.channel,
            operation: row.operation,
            purpose: purpose.clone(),
            tls_protocol: row.tls.as_ref().map(|tls| tls.protocol),
        };
        if let Some(lines) = self.agents.get_mut(agent) {
            lines.add(key, row, ground);
        } else {
            self.agents.entry(agent.clone()).or_default().add(key, row, ground);
        }
    }

    /// Adds another tally of the same org, event type and hour, made of other rows.
    pub fn merge(&mut self, other: Self) {
        for (agent, lines) in other.agents {
            self.agents.entry(agent).or_default().merge(lines);
        }
    }

    /// What each agent did.
    pub fn finish(self) -> BTreeMap<AgentKey, AgentHour> {
        let Self { org_id, event_type, hour, agents } = self;
        agents
            .into_iter()
            .map(|(agent, lines)| {
                let agent_hour = fit(lines, |lines| AgentHour {
                    org_id: org_id.clone(),
                    agent: agent.clone(),
                    event_type,
                    hour,
                    lines,
                });
                (agent, agent_hour)
            })
            .collect()
    }
}

/// Makes an agent's hour that fits into [`MAX_AGENT_HOUR_BYTES`]. The limits above do for what is real;
/// where names are very long and very many, lines are folded and sets are cut further, by halves.
fn fit(lines: AgentLines, agent_hour: impl Fn(Vec<TallyLine>) -> AgentHour) -> AgentHour {
    let whole = agent_hour(lines.clone().into_lines());
    if json_bytes(&whole) <= MAX_AGENT_HOUR_BYTES {
        return whole;
    }
    let mut reduced = lines;
    let mut most = MAX_LINES;
    loop {
        most /= 2;
        reduced.cut(most);
        let mut cut_lines = reduced.clone().into_lines();
        for line in &mut cut_lines {
            line.record_ids_cut |= cut(&mut line.record_ids, most.saturating_mul(2));
            cut(&mut line.fields, most);
        }
        cut_record_ids(&mut cut_lines, most.saturating_mul(20));
        let agent_hour = agent_hour(cut_lines);
        if json_bytes(&agent_hour) <= MAX_AGENT_HOUR_BYTES || most == 0 {
            return agent_hour;
        }
    }
}

/// Length as JSON, which is how an hour is stored.
fn json_bytes(agent_hour: &AgentHour) -> usize {
    serde_json::to_vec(agent_hour).map_or(usize::MAX, |bytes| bytes.len())
}
