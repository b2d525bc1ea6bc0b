//! The incident as it stands.

use std::collections::BTreeMap;

use assessment::findings::{Findings, SeverityLevel};
use chrono::{DateTime, NaiveDate, Utc};
use deadlines::{Facts, Obligation, TriggerKind, TriggerTimes};
use eventlog::attribution::AgentKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Clock, IncidentId, Part, TimelineHead};

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The judgement says so; no person has yet.
    Suspected,
    /// A person says so: by confirming it, by setting the moment of awareness or by assessing the risk.
    Confirmed,
    /// It does not go on.
    Contained,
    /// Whoever is to be told has been told; no clock runs.
    Notified,
    /// Nothing is left to do.
    Closed,
    /// It is no personal data breach.
    Dismissed,
    /// It is part of another incident, which goes on for both.
    Merged,
}

impl Status {
    /// Whether it asks nothing of anybody any more. New evidence may reopen it.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Closed | Self::Dismissed | Self::Merged)
    }

    /// The word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::Confirmed => "confirmed",
            Self::Contained => "contained",
            Self::Notified => "notified",
            Self::Closed => "closed",
            Self::Dismissed => "dismissed",
            Self::Merged => "merged",
        }
    }
}

/// The risk to the rights and freedoms of the persons, as a person assessed it: GDPR Art. 33(1), 34(1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskLevel {
    /// Unlikely to result in a risk.
    Unlikely,
    /// A risk.
    Risk,
    /// A high risk.
    HighRisk,
}

impl RiskLevel {
    /// The word of the command.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unlikely => "unlikely",
            Self::Risk => "risk",
            Self::HighRisk => "high_risk",
        }
    }

    /// The words of a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unlikely => "unlikely",
            Self::Risk => "a risk",
            Self::HighRisk => "a high risk",
        }
    }

    /// The level that the fact `risk` stands for, where it is known.
    pub(crate) fn of(facts: &Facts) -> Option<Self> {
        let fact = facts.get("risk")?.as_str()?;
        [Self::Unlikely, Self::Risk, Self::HighRisk].into_iter().find(|risk| risk.fact() == fact)
    }

    /// The value of the fact `risk`, as conditions of the law ask for it.
    pub(crate) const fn fact(self) -> &'static str {
        match self {
            Self::Unlikely => "no_risk",
            Self::Risk => "risk",
            Self::HighRisk => "high_risk",
        }
    }
}

/// Which of several messages to one recipient a notification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// All in one.
    Complete,
    /// The first of several.
    Initial,
    /// One in between, or information in phases: GDPR Art. 33(4).
    Supplementary,
    /// The last.
    Final,
}

/// A notification that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// When.
    pub sent_at: DateTime<Utc>,
    /// To whom.
    pub recipient: String,
    /// The recipient's reference, as a file number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Which of several.
    pub phase: Phase,
    /// SHA-256 of what was attached, in hex, by file name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attachments: BTreeMap<String, String>,
}

/// Something that a person said, with the ground.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement<T> {
    /// What.
    pub value: T,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// On what ground.
    pub reason: String,
}

/// A decision not to notify, with what it rested on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotNotified {
    /// Who decided.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// On what ground.
    pub reason: String,
    /// The severity that was known.
    pub severity: SeverityLevel,
    /// The risk that was assessed.
    pub risk: Option<RiskLevel>,
}

/// One incident: an org, an agent and an episode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its name.
    pub incident_id: IncidentId,
    /// Salesforce org, 15 characters.
    pub org_id: String,
    /// The agent.
    pub agent: AgentKey,
    /// Counted from 1 within org and agent.
    pub episode: u32,
    /// The first of the days that are its own, UTC; absent where there is no earlier episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_day: Option<NaiveDate>,
    /// The first day that is not its own any more; absent where there is no later episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_day: Option<NaiveDate>,
    /// Where it stands.
    pub status: Status,
    /// Moves forward by one with every change.
    pub version: u64,
    /// Sequence of the last entry of the timeline on which a decision may depend.
    pub revision: u64,
    /// The moments that start clocks.
    pub times: TriggerTimes,
    /// What was found: a pure function of the judged days.
    pub findings: Findings,
    /// Other incidents that turned out to be part of this one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<IncidentId, Part>,
    /// The incident that this one is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<IncidentId>,
    /// Answers of persons to questions of fact.
    pub answers: BTreeMap<String, Statement<Value>>,
    /// The moments that persons set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moments: BTreeMap<TriggerKind, Statement<DateTime<Utc>>>,
    /// The risk to the persons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Statement<RiskLevel>>,
    /// Version of the law that the duties were judged by.
    pub law_version: String,
    /// The facts that they were judged on.
    pub facts: Facts,
    /// The duties that apply, may apply or are coming, in the order of their names.
    pub obligations: Vec<Obligation>,
    /// The duties that do not apply, and why.
    pub ruled_out: BTreeMap<String, Vec<String>>,
    /// What was sent, by duty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notifications: BTreeMap<String, Vec<Notification>>,
    /// Duties of which a person decided to notify.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub to_notify: BTreeMap<String, Statement<bool>>,
    /// Duties of which a person decided that they are not notified.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_notified: BTreeMap<String, NotNotified>,
    /// Why notifications come late, by duty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub delays: BTreeMap<String, Statement<()>>,
    /// Duties whose clock ended without a record that they were met, with the moment of that record.
    pub overdue_since: BTreeMap<String, DateTime<Utc>>,
    /// The worst severity that an alert has spoken of.
    pub announced_severity: SeverityLevel,
    /// Who sees to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<String>,
    /// When a person last acknowledged messages of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// When a person first said that it is a personal data breach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<DateTime<Utc>>,
    /// What was done to contain it, in the order of recording.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<Statement<DateTime<Utc>>>,
    /// Why it was closed or dismissed, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Statement<Ending>>,
    /// Digests of the commands that were carried out, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub commands: BTreeMap<String, String>,
    /// The end of the timeline.
    pub timeline_head: TimelineHead,
}

/// How an incident ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Nothing is left to do.
    Closed,
    /// It is no personal data breach.
    Dismissed,
}

impl Incident {
    /// The worst severity of what was found in it and in its parts.
    pub fn severity(&self) -> SeverityLevel {
        let parts = self.parts.values().map(|part| part.findings.severity.level);
        parts.fold(self.findings.severity.level, SeverityLevel::max)
    }

    /// The risk as it was assessed: of this incident, else the highest that there was of its parts. That of one part is
    /// unlikely says nothing of the others.
    pub(crate) fn assessed_risk(&self) -> Option<RiskLevel> {
        let of_parts = || {
            let risks = self.parts.values().filter_map(|part| RiskLevel::of(&part.facts));
            risks.filter(|risk| *risk > RiskLevel::Unlikely).max()
        };
        self.risk.as_ref().map(|risk| risk.value).or_else(of_parts)
    }

    /// The duty of that regime, if it applies, may apply or is coming.
    pub fn obligation(&self, regime_id: &str) -> Option<&Obligation> {
        self.obligations.iter().find(|obligation| obligation.regime_id == regime_id)
    }

    /// Whether a record stops the clock of a duty: something was sent, or a person decided that nothing is.
    pub fn is_settled(&self, regime_id: &str) -> bool {
        self.notifications.contains_key(regime_id) || self.not_notified.contains_key(regime_id)
    }

    /// The duties whose clocks run, the most urgent first; those to which the law only invites are not among them.
    pub fn running(&self) -> Vec<&Obligation> {
        if self.status.is_done() {
            return Vec::new();
        }
        let mut running: Vec<&Obligation> = self
            .obligations
            .iter()
            .filter(|obligation| is_watched(obligation) && !self.is_settled(&obligation.regime_id))
            .collect();
        // Of several that end at once a limit goes before a target, and what applies before what may.
        running
            .sort_by_cached_key(|obligation| (Clock::of(obligation), obligation.regime_id.clone()));
        running
    }

    /// The duties whose clocks run and end with this one.
    pub fn running_with(&self, clock: Clock) -> Vec<&Obligation> {
        let mut running = self.running();
        running.retain(|obligation| Clock::of(obligation) == Some(clock));
        running
    }

    /// The duty that falls due first.
    pub fn most_urgent(&self) -> Option<&Obligation> {
        self.running().into_iter().next()
    }

    /// The duties that apply or may apply and whose clocks have not started, because the moment is not on record.
    pub fn not_started(&self) -> Vec<&Obligation> {
        let mut waiting: Vec<&Obligation> = Vec::new();
        if !self.status.is_done() {
            waiting.extend(self.obligations.iter().filter(|obligation| {
                obligation.gap.is_some() && !self.is_settled(&obligation.regime_id)
            }));
        }
        waiting
    }

    /// Whether the notification of a duty went out after its due instant.
    pub fn was_late(&self, regime_id: &str) -> bool {
        let due_at = self.obligation(regime_id).and_then(|obligation| obligation.due_at);
        let first = self
            .notifications
            .get(regime_id)
            .and_then(|sent| sent.iter().map(|notification| notification.sent_at).min());
        due_at.zip(first).is_some_and(|(due_at, sent_at)| sent_at > due_at)
    }

    /// Whether a day of the agent is this incident's.
    pub fn covers(&self, day: NaiveDate) -> bool {
        self.from_day.is_none_or(|from| from <= day)
            && self.until_day.is_none_or(|until| day < until)
    }

    pub(crate) fn current_status(&self) -> Status {
        if self.merged_into.is_some() {
            return Status::Merged;
        }
        match self.ended.as_ref().map(|ended| ended.value) {
            Some(Ending::Closed) => return Status::Closed,
            Some(Ending::Dismissed) => return Status::Dismissed,
            None => {}
        }
        let has_open = self
            .obligations
            .iter()
            .any(|obligation| is_watched(obligation) && !self.is_settled(&obligation.regime_id));
        if !self.notifications.is_empty() && !has_open {
            Status::Notified
        } else if !self.measures.is_empty() {
            Status::Contained
        } else if self.confirmed_at.is_some() {
            Status::Confirmed
        } else {
            Status::Suspected
        }
    }
}

pub(crate) fn is_watched(obligation: &Obligation) -> bool {
    obligation.watched_at().is_some() && !obligation.voluntary
}
