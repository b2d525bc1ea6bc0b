//! What a judgement says: verdicts, signals, score, severity and the estimate of persons.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use eventlog::{attribution::AgentKey, joins::Confidence};
use serde::{Deserialize, Serialize};

/// Data categories of the severity matrix, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataCategory {
    /// No personal data.
    NonPersonal,
    /// Names, addresses, phone numbers, birth dates, employers.
    ContactIdentity,
    /// Activity, purchases, preferences, location.
    Behavioural,
    /// National numbers, passports, tax numbers.
    IdentityNumber,
    /// Accounts, cards, income, passwords, tokens.
    FinancialCredentials,
    /// Criminal convictions and offences: GDPR Art. 10.
    Criminal,
    /// Special categories: GDPR Art. 9.
    SpecialCategory,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeverityLevel {
    /// No personal data breach.
    Info,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

/// The risk to the rights and freedoms of persons: GDPR Art. 33(1) and 34(1). A proposal to the person who
/// decides, never the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Unlikely to result in a risk.
    Unlikely,
    /// A risk.
    Risk,
    /// A high risk.
    HighRisk,
}

/// Severity with the arithmetic behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Severity {
    /// The level at the upper bound of persons.
    pub level: SeverityLevel,
    /// The proposed risk at the upper bound.
    pub risk: Risk,
    /// The level at the lower bound; differs from `level` when the result is provisional.
    pub level_at_lower: SeverityLevel,
    /// The category that decided.
    pub category: DataCategory,
    /// One sentence that shows the arithmetic.
    pub arithmetic: String,
    /// Version of the matrix.
    pub matrix_version: String,
}

/// How many persons may be affected. Logs rarely name the records that a query returned, so this is an
/// interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectEstimate {
    /// Distinct record ids seen in the log rows.
    pub exact: u64,
    /// At least so many.
    pub lower: u64,
    /// At most so many, as far as the logs count records; `None` where rows do not count what they
    /// returned and the object's population is not known.
    pub upper: Option<u64>,
    /// Where the bounds come from.
    pub basis: SubjectBasis,
}

/// Where the bounds of a [`SubjectEstimate`] come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectBasis {
    /// Only record ids.
    #[default]
    RecordIds,
    /// Records counted by the log.
    RecordsCounted,
    /// Records counted by the log, cut to the population of the object in the data map.
    ObjectPopulation,
    /// Rows that do not count what they returned.
    Uncounted,
}

/// Three-valued: a gap is never silently either of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Covered by a declared purpose.
    Compliant,
    /// Cannot be decided: see [`GapReason`].
    Gap,
    /// Against a rule.
    Violation,
}

/// Why an access could not be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// Nobody registered the agent.
    UnregisteredAgent,
    /// The object is in no data map.
    UnclassifiedObject,
    /// The row does not name the object.
    ObjectNotNamed,
    /// The row does not say what was done.
    OperationNotNamed,
    /// The row does not say how many records it returned.
    RecordsNotCounted,
    /// The org is not in the configuration.
    UnknownOrg,
}

/// A rule. Its name stands in findings for ever: rename none, retire instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// An object that no purpose of the agent names.
    ObjectOutsidePurpose,
    /// An operation that the purpose does not name.
    OperationOutsidePurpose,
    /// A channel that the purpose does not name.
    ChannelOutsidePurpose,
    /// More records in an hour than declared.
    RecordsPerHour,
    /// More records in a day than declared.
    RecordsPerDay,
    /// Outside the declared hours.
    OutsideHours,
    /// In an org where the agent has no business.
    WrongOrg,
    /// An agent that nobody registered read personal data.
    UndeclaredAgent,
    /// A registered agent without a purpose.
    NoPurpose,
    /// A login over TLS 1.1 or older.
    OutdatedTls,
}

/// One reason for suspicion, with its weight and its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// The rule.
    pub rule: Rule,
    /// Points that it adds to the score.
    pub weight: u32,
    /// One sentence that a lawyer understands, without personal data.
    pub reason: String,
    /// Objects concerned.
    pub objects: BTreeSet<String>,
    /// Log rows concerned.
    pub row_count: u64,
    /// Records concerned, as counted by the log.
    pub record_count: u64,
    /// First row.
    pub first_at: DateTime<Utc>,
    /// Last row.
    pub last_at: DateTime<Utc>,
    /// Hashes of some of the rows.
    pub evidence: BTreeSet<String>,
}

/// What an agent did with one object, in violation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectExposure {
    /// Category of the object or of the worst field named; `None` where it is in no data map.
    pub category: Option<DataCategory>,
    /// Log rows.
    pub row_count: u64,
    /// Records counted.
    pub record_count: u64,
    /// Succeeded rows that do not count.
    pub uncounted_row_count: u64,
    /// The most records that one row returned. One answer holds no record twice, so this many are distinct.
    #[serde(default)]
    pub largest_record_count: u64,
    /// Distinct record ids, the smallest ones where there are more than fit.
    pub record_ids: BTreeSet<String>,
    /// Whether there were more.
    pub record_ids_cut: bool,
    /// Fields named by the queries in violation.
    pub fields: BTreeSet<String>,
}

/// The judgement of one agent's day (UTC) in one org: what [`crate::judge_day`] makes of the tallies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayFindings {
    /// Salesforce org.
    pub org_id: String,
    /// The agent.
    pub agent: AgentKey,
    /// The UTC day.
    pub day: NaiveDate,
    /// Log rows judged.
    pub row_count: u64,
    /// Rows by verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// Rows by reason of the gap. A row may lack several things, and a row in violation may lack something
    /// too (the object's category), so these need not add up to the rows with the verdict.
    pub gaps: BTreeMap<GapReason, u64>,
    /// Log rows that some signal rests on, each once.
    #[serde(default)]
    pub suspect_row_count: u64,
    /// Records counted in those rows, each row once.
    #[serde(default)]
    pub suspect_record_count: u64,
    /// Of `suspect_row_count` those that are not certainly the agent's, by how sure that is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unsure_row_counts: BTreeMap<Confidence, u64>,
    /// Signals, in the order of their rules. Empty on a clean day.
    pub signals: Vec<Signal>,
    /// What was exposed in violation, by object.
    pub exposures: BTreeMap<String, ObjectExposure>,
    /// The rules and weights that made this.
    pub scoring_version: String,
}

/// The judgement of an episode: the days of one agent in one org, folded. A pure function of the days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Salesforce org.
    pub org_id: String,
    /// The agent.
    pub agent: AgentKey,
    /// First row in violation.
    pub first_event_at: DateTime<Utc>,
    /// Last row in violation.
    pub last_event_at: DateTime<Utc>,
    /// 0 to 100: the sum of the weights, cut at 100.
    pub score: u32,
    /// The signals, heaviest first, one for each rule.
    pub signals: Vec<Signal>,
    /// How bad.
    pub severity: Severity,
    /// What was exposed, by object.
    pub exposures: BTreeMap<String, ObjectExposure>,
    /// Log rows in violation.
    pub row_count: u64,
    /// Those that are not certainly the agent's, by how sure that is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unsure_row_counts: BTreeMap<Confidence, u64>,
    /// Records counted in them.
    pub record_count: u64,
    /// How many persons.
    pub subject_estimate: SubjectEstimate,
    /// Rows that could not be decided, by reason.
    pub gaps: BTreeMap<GapReason, u64>,
    /// The rules and weights that made this.
    pub scoring_version: String,
}

impl Findings {
    /// Whether this is an incident rather than a note: see the crate documentation, "How a score comes about".
    pub fn opens_incident(&self) -> bool {
        self.score >= crate::INCIDENT_SCORE
    }
}

impl SeverityLevel {
    /// The word, as it stands in alerts and message attributes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl DataCategory {
    /// What the category is, in the words of the GDPR where it has them.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NonPersonal => "no personal data",
            Self::ContactIdentity => "contact and identity data",
            Self::Behavioural => "behaviour and activity",
            Self::IdentityNumber => "identity numbers (GDPR Art. 87)",
            Self::FinancialCredentials => "financial data or credentials",
            Self::Criminal => "criminal convictions and offences (GDPR Art. 10)",
            Self::SpecialCategory => "special categories of data (GDPR Art. 9)",
        }
    }
}
