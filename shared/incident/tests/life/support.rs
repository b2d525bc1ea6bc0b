//! An incident to try things on.

use std::collections::BTreeMap;

use assessment::findings::{
    DataCategory, Findings, Risk, Severity, SeverityLevel, SubjectEstimate,
};
use chrono::{DateTime, Utc};
use deadlines::{Facts, Law, Organisation, ReminderPolicy, Stage};
use eventlog::attribution::AgentKey;
use incident::{Alert, AlertState, Change, Incident, Policy, TimelineEntry, TimelineKind};

/// The one regime that is watched.
pub(crate) const REGIME: &str = "eu-gdpr-33-1";

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// When the incident of these tests is opened: 72 hours later is 27 November, 10:00.
pub(crate) fn opened_at() -> DateTime<Utc> {
    at("2026-11-24T10:00:00Z")
}

pub(crate) fn policy() -> Policy {
    let facts = Facts::default()
        .with("role", "controller")
        .with("personal_data_breach", true)
        .with("gdpr_applies", true);
    Policy {
        law: Law::embedded().unwrap().only(&[REGIME]).unwrap(),
        facts,
        organisation: Organisation::in_zone(chrono_tz::Europe::Berlin),
        reminders: ReminderPolicy::default(),
    }
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
        exposures: BTreeMap::new(),
        row_count,
        record_count: row_count * 10,
        subject_estimate: SubjectEstimate::default(),
        unsure_row_counts: BTreeMap::new(),
        gaps: BTreeMap::new(),
        scoring_version: "test".to_owned(),
    }
}

pub(crate) fn open(level: SeverityLevel) -> Change {
    let landed_at = Some(at("2026-11-24T09:59:00Z"));
    Incident::open(findings(level, 1), 1, landed_at, opened_at(), &policy(), "assess")
}

/// An incident with its alerts and its timeline, as a store would keep them.
pub(crate) struct Kept {
    pub(crate) incident: Incident,
    pub(crate) alerts: BTreeMap<String, Alert>,
    pub(crate) timeline: Vec<TimelineEntry>,
}

impl Kept {
    pub(crate) fn open(level: SeverityLevel) -> Self {
        let change = open(level);
        assert_eq!(change.expected_version, 0, "an incident that does not exist yet");
        let mut kept = Self {
            incident: change.incident.clone(),
            alerts: BTreeMap::new(),
            timeline: Vec::new(),
        };
        kept.take(change);
        kept
    }

    pub(crate) fn keep(&mut self, change: Change) {
        assert_eq!(change.expected_version, self.incident.version, "decided on what stands");
        self.take(change);
    }

    fn take(&mut self, change: Change) {
        assert_eq!(change.incident.version, change.expected_version + 1);
        self.incident = change.incident;
        self.timeline.extend(change.timeline);
        for alert in change.alerts {
            self.alerts.insert(alert.alert_id.clone(), alert);
        }
    }

    /// Sweeps and keeps what came of it.
    pub(crate) fn sweep(&mut self, now: DateTime<Utc>) -> Option<Change> {
        let alerts = self.all();
        let change = self.incident.raise_due(&alerts, now, "remind")?;
        self.keep(change.clone());
        Some(change)
    }

    pub(crate) fn publish(&mut self, alert_id: &str, now: DateTime<Utc>) {
        let change = self.incident.published(&self.alerts[alert_id], "receipt", now, "notify");
        self.keep(change);
    }

    pub(crate) fn all(&self) -> Vec<Alert> {
        self.alerts.values().cloned().collect()
    }

    /// The alert of a stage of the clock.
    pub(crate) fn of(&self, stage: Stage) -> &Alert {
        self.alerts.values().find(|alert| alert.stage == stage).unwrap()
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

/// The kinds of a timeline, by their stored names.
pub(crate) fn kinds(timeline: &[TimelineEntry]) -> Vec<&'static str> {
    let name = |entry: &TimelineEntry| match entry.event {
        TimelineKind::Opened { .. } => "opened",
        TimelineKind::FindingsChanged { .. } => "findings_changed",
        TimelineKind::ObligationJudged { .. } => "obligation_judged",
        TimelineKind::AlertOwed { .. } => "alert_owed",
        TimelineKind::AlertWithdrawn { .. } => "alert_withdrawn",
        TimelineKind::AlertPublished { .. } => "alert_published",
        TimelineKind::ObligationOverdue { .. } => "obligation_overdue",
    };
    timeline.iter().map(name).collect()
}
