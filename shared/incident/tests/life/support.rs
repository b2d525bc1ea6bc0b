//! Incidents to try things on, and a store that watches over every change.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use assessment::findings::{
    DataCategory, Findings, ObjectExposure, Risk, Severity, SeverityLevel, SubjectBasis,
    SubjectEstimate,
};
use chrono::{DateTime, TimeDelta, Utc};
use deadlines::{Facts, Law, Organisation, ReminderPolicy};
use eventlog::attribution::AgentKey;
use incident::{
    Action, Alert, AlertState, Case, Change, Command, Deciding, Incident, Notification, Opening,
    Outcome, Phase, Policy, Refusal, TimelineEntry, audit,
};
use serde_json::{Value, json};

/// The one regime of [`one_duty`].
pub(crate) const REGIME: &str = "eu-gdpr-33-1";

/// A transaction of the table holds so many items.
pub(crate) const ITEMS_MAX: usize = 100;

/// Where persons act.
pub(crate) const PERSON: &str = "counsel@example.com";

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// When the incident of these tests is opened: 72 hours later is 27 November, 10:00.
pub(crate) fn opened_at() -> DateTime<Utc> {
    at("2026-11-24T10:00:00Z")
}

pub(crate) fn hours_in(hours: i64) -> DateTime<Utc> {
    opened_at() + TimeDelta::hours(hours)
}

fn policy_of(law: Law, facts: Facts) -> Policy {
    Policy {
        law: Arc::new(law),
        facts,
        organisation: Organisation::in_zone(chrono_tz::Europe::Berlin),
        reminders: ReminderPolicy::default(),
    }
}

/// Nothing but GDPR Art. 33(1), which applies.
pub(crate) fn one_duty() -> Policy {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| {
        let facts = Facts::default()
            .with("role", "controller")
            .with("personal_data_breach", true)
            .with("gdpr_applies", true)
            .with("risk", "risk");
        policy_of(Law::embedded().unwrap().only(&[REGIME]).unwrap(), facts)
    });
    POLICY.clone()
}

/// The whole law, of a controller in Germany with persons in several countries.
pub(crate) fn whole_law() -> Policy {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| {
        let facts = Facts::default()
            .with("role", "controller")
            .with("personal_data_breach", true)
            .with("gdpr_applies", true)
            .with("uk_gdpr_applies", true)
            .with("establishment_country", "DE")
            .with("subject_country", json!(["CH", "DE", "FR", "GB", "US"]))
            .with("subject_region", json!(["US-CA", "US-NY", "US-TX"]));
        policy_of(Law::embedded().unwrap(), facts)
    });
    POLICY.clone()
}

pub(crate) fn findings(level: SeverityLevel, row_count: u64) -> Findings {
    Findings {
        org_id: "00D5g000004Hq3K".to_owned(),
        agent: AgentKey("support-copilot".to_owned()),
        first_event_at: at("2026-11-24T09:12:00Z"),
        last_event_at: at("2026-11-24T09:40:00Z"),
        score: 80,
        signals: Vec::new(),
        severity: Severity {
            level,
            risk: Risk::Risk,
            level_at_lower: level,
            category: DataCategory::ContactIdentity,
            arithmetic: "as the test says".to_owned(),
            matrix_version: "test".to_owned(),
        },
        exposures: [("Contact".to_owned(), exposure(Some(DataCategory::ContactIdentity)))].into(),
        row_count,
        record_count: row_count * 10,
        subject_estimate: SubjectEstimate {
            exact: row_count,
            lower: row_count,
            upper: Some(row_count * 10),
            basis: SubjectBasis::RecordsCounted,
        },
        unsure_row_counts: BTreeMap::new(),
        gaps: BTreeMap::new(),
        scoring_version: "test".to_owned(),
    }
}

/// What was read of one object; of no category where the object is in no data map.
pub(crate) fn exposure(category: Option<DataCategory>) -> ObjectExposure {
    ObjectExposure { category, row_count: 1, record_count: 10, ..ObjectExposure::default() }
}

pub(crate) fn opening(findings: Findings) -> Opening {
    Opening { findings, episode: 1, landed_at: Some(at("2026-11-24T09:59:00Z")) }
}

/// What was sent to an authority.
pub(crate) fn notification(sent_at: DateTime<Utc>) -> Notification {
    Notification {
        sent_at,
        recipient: "BfDI".to_owned(),
        reference: Some("25-190/2026".to_owned()),
        phase: Phase::Complete,
        attachments: BTreeMap::new(),
    }
}

pub(crate) fn ids(regime_ids: &[&str]) -> Vec<String> {
    regime_ids.iter().map(|id| (*id).to_owned()).collect()
}

/// An incident with its alerts and its timeline, as a store would keep them.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) policy: Policy,
    pub(crate) case: Case,
    pub(crate) timeline: Vec<TimelineEntry>,
    /// The same as it is stored.
    pub(crate) stored_timeline: Vec<Value>,
    /// Whether every change is checked, or only [`Kept::check`] does.
    pub(crate) is_watched: bool,
    command_count: u32,
}

impl Kept {
    /// Opened at [`opened_at`].
    pub(crate) fn open(policy: Policy, findings: Findings) -> Self {
        let by = Deciding { now: opened_at(), actor: "assess", policy: &policy };
        let change = Case::open(opening(findings), by).unwrap();
        Self::begin(policy, change)
    }

    /// One duty, severity high.
    pub(crate) fn high() -> Self {
        Self::open(one_duty(), findings(SeverityLevel::High, 1))
    }

    /// With the change that opens it.
    pub(crate) fn begin(policy: Policy, change: Change) -> Self {
        assert_eq!(change.expected_version, 0, "an incident that does not exist yet");
        let mut kept = Self {
            policy,
            case: Case::new(change.incident.clone(), []),
            timeline: Vec::new(),
            stored_timeline: Vec::new(),
            is_watched: true,
            command_count: 0,
        };
        kept.take(change);
        kept
    }

    pub(crate) fn incident(&self) -> &Incident {
        &self.case.incident
    }

    pub(crate) fn keep(&mut self, change: Change) {
        assert_eq!(change.expected_version, self.case.incident.version, "decided on what stands");
        self.take(change);
    }

    /// Writes a change, and sees that it can be written, says what it did, and leaves nothing to find for an auditor.
    fn take(&mut self, change: Change) {
        let items = 1 + change.timeline.len() + change.alerts.len();
        assert!(items <= ITEMS_MAX, "{items} items are more than a transaction holds");
        assert!(!change.timeline.is_empty(), "a change without an entry that says why");
        assert_eq!(change.incident.version, change.expected_version + 1);
        assert!(change.timeline.iter().all(|entry| entry.version == change.incident.version));
        self.case.incident = change.incident;
        for alert in change.alerts {
            self.case.alerts.insert(alert.alert_id.clone(), alert);
        }
        for entry in change.timeline {
            let stored = serde_json::to_value(&entry).unwrap();
            assert_eq!(
                serde_json::from_value::<TimelineEntry>(stored.clone()).unwrap(),
                entry,
                "an entry comes back as it was"
            );
            self.stored_timeline.push(stored);
            self.timeline.push(entry);
        }
        if self.is_watched {
            self.check();
        }
    }

    /// The timeline leads to what is kept, and an auditor finds nothing.
    pub(crate) fn check(&self) {
        assert_eq!(Case::replay(&self.timeline).unwrap(), self.case, "the timeline says it all");
        assert_eq!(self.audited(), []);
    }

    pub(crate) fn audited(&self) -> Vec<incident::Flaw> {
        audit(&self.stored_incident(), &self.stored_alerts(), &self.stored_timeline, &[])
    }

    pub(crate) fn stored_incident(&self) -> Value {
        serde_json::to_value(&self.case.incident).unwrap()
    }

    pub(crate) fn stored_alerts(&self) -> Vec<Value> {
        self.case.alerts.values().map(|alert| serde_json::to_value(alert).unwrap()).collect()
    }

    pub(crate) fn by<'a>(&'a self, actor: &'a str, now: DateTime<Utc>) -> Deciding<'a> {
        Deciding { now, actor, policy: &self.policy }
    }

    /// Takes in new findings.
    pub(crate) fn extend(&mut self, findings: Findings, now: DateTime<Utc>) -> Option<Change> {
        let change = self.case.extend(findings, self.by("assess", now))?;
        self.keep(change.clone());
        Some(change)
    }

    /// Judges by the policy as it stands now.
    pub(crate) fn rejudge(&mut self, now: DateTime<Utc>) -> Option<Change> {
        let change = self.case.rejudge(self.by("assess", now))?;
        self.keep(change.clone());
        Some(change)
    }

    /// Sweeps once.
    pub(crate) fn sweep(&mut self, now: DateTime<Utc>) -> Option<Change> {
        let change = self.case.raise_due(self.by("remind", now))?;
        self.keep(change.clone());
        Some(change)
    }

    /// Sweeps until nothing is due, and publishes everything that is owed.
    pub(crate) fn sweep_and_publish(&mut self, now: DateTime<Utc>) {
        let mut sweeps = 0;
        while self.sweep(now).is_some() {
            sweeps += 1;
            assert!(sweeps < 50, "a sweep that never comes to an end");
        }
        self.publish_all(now);
    }

    pub(crate) fn publish_all(&mut self, now: DateTime<Utc>) {
        let owed: Vec<String> =
            self.alerts().filter(|alert| alert.is_owed()).map(|a| a.alert_id.clone()).collect();
        for alert_id in owed {
            self.publish(&alert_id, now);
        }
    }

    /// What the topic's caller does with an owed alert.
    pub(crate) fn publish(&mut self, alert_id: &str, now: DateTime<Utc>) -> Change {
        let by = self.by("notify", now);
        let change = if self.case.is_worth_publishing(alert_id) {
            self.case.published(alert_id, "receipt", by).unwrap()
        } else {
            self.case.withdraw_moot(alert_id, by).unwrap()
        };
        self.keep(change.clone());
        change
    }

    /// Gives a command with an id of its own, on whatever stands.
    pub(crate) fn command(
        &mut self,
        action: Action,
        now: DateTime<Utc>,
    ) -> Result<Change, Refusal> {
        self.command_count += 1;
        let command_id = format!("command-{}", self.command_count);
        self.give(&Command { command_id, decided_on: None, action }, now)
    }

    /// Gives a command that is to be carried out, and then once more, which does nothing.
    pub(crate) fn give(
        &mut self,
        command: &Command,
        now: DateTime<Utc>,
    ) -> Result<Change, Refusal> {
        let Outcome::Changed(change) = self.case.carry_out(command, self.by(PERSON, now))? else {
            panic!("{} was carried out before", command.command_id);
        };
        self.keep((*change).clone());
        let again = self.case.carry_out(command, self.by(PERSON, now));
        assert_eq!(again, Ok(Outcome::DoneBefore));
        Ok(*change)
    }

    pub(crate) fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.case.alerts.values()
    }

    /// The one alert of a stage, by its name.
    pub(crate) fn alert(&self, stage: &str) -> &Alert {
        let mut of_stage = self.alerts().filter(|alert| alert.stage.name() == stage);
        let alert = of_stage.next().unwrap_or_else(|| panic!("no alert {stage}"));
        assert!(of_stage.next().is_none(), "several alerts {stage}");
        alert
    }

    /// The stages that are owed, in the order of their names.
    pub(crate) fn owed(&self) -> Vec<String> {
        let mut owed: Vec<String> =
            self.alerts().filter(|alert| alert.is_owed()).map(|a| a.stage.name()).collect();
        owed.sort();
        owed
    }

    /// The stages that wait for their time, the earliest first, with the instant.
    pub(crate) fn planned(&self) -> Vec<(String, String)> {
        let mut planned: Vec<&Alert> = self.alerts().filter(|alert| alert.is_scheduled()).collect();
        planned.sort_by_key(|alert| alert.due_at);
        planned
            .into_iter()
            .map(|alert| (alert.stage.name(), alert.due_at.format("%m-%d %H:%M").to_string()))
            .collect()
    }

    pub(crate) fn due_at(&self, regime_id: &str) -> DateTime<Utc> {
        self.incident().obligation(regime_id).unwrap().due_at.unwrap()
    }
}

/// Stage and attempt.
type Owed = (String, u32);
/// Stage and reason.
type Withdrawn = (String, String);

/// The alerts of a sweep, which are owed or withdrawn.
pub(crate) fn told(change: &Change) -> (Vec<Owed>, Vec<Withdrawn>) {
    let mut owed = Vec::new();
    let mut withdrawn = Vec::new();
    for alert in &change.alerts {
        match &alert.state {
            AlertState::Owed { attempt, .. } => owed.push((alert.stage.name(), *attempt)),
            AlertState::Withdrawn { reason, .. } => {
                withdrawn.push((alert.stage.name(), reason.clone()));
            }
            state => panic!("a sweep left {} {state:?}", alert.alert_id),
        }
    }
    (owed, withdrawn)
}

/// The kinds of the entries, by their stored names.
pub(crate) fn kinds(timeline: &[TimelineEntry]) -> Vec<String> {
    let name = |entry: &TimelineEntry| {
        let stored = serde_json::to_value(&entry.event).unwrap();
        stored["kind"].as_str().unwrap().to_owned()
    };
    timeline.iter().map(name).collect()
}
