//! How an incident opens, grows, is announced and falls overdue.

use std::collections::BTreeMap;

use assessment::findings::{Findings, SeverityLevel};
use chrono::{DateTime, Utc};
use deadlines::{
    Awareness, Facts, Law, Obligation, Organisation, ReminderPolicy, Stage, TriggerTimes,
    obligations, reminders,
};
use eventlog::attribution::AgentKey;
use serde::{Deserialize, Serialize};

use crate::{Alert, AlertState, Change, IncidentId, TimelineEntry, TimelineHead, TimelineKind};

/// Most alerts in one change: a transaction of DynamoDB holds 100 items, and each alert brings up to two entries of
/// the timeline.
const ALERTS_MAX: usize = 30;

/// What decides duties and reminders beside the incident itself.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The law.
    pub law: Law,
    /// What is known of the organisation: its role, whether the GDPR applies.
    pub facts: Facts,
    /// Its time zone and its targets for duties without a number.
    pub organisation: Organisation,
    /// When to remind.
    pub reminders: ReminderPolicy,
}

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The judgement says so; no person has yet.
    Suspected,
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
    /// Where it stands.
    pub status: Status,
    /// Moves forward by one with every change.
    pub version: u64,
    /// The moments that start clocks.
    pub times: TriggerTimes,
    /// What was found: a pure function of the judged days.
    pub findings: Findings,
    /// The duties that follow.
    pub obligations: Vec<Obligation>,
    /// Duties whose due instant passed without a record that they were met, with the moment of that record.
    pub overdue_since: BTreeMap<String, DateTime<Utc>>,
    /// The worst severity that an alert has spoken of.
    pub announced_severity: SeverityLevel,
    /// The end of the timeline.
    pub timeline_head: TimelineHead,
}

impl Incident {
    /// Opens the incident of an episode: judges the duties, owes the first alert at once and plans the rest.
    ///
    /// `landed_at` is when the first log that tells of it reached us.
    pub fn open(
        findings: Findings,
        episode: u32,
        landed_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        policy: &Policy,
        actor: &str,
    ) -> Change {
        let incident_id = IncidentId::derive(&findings.org_id, &findings.agent, episode);
        let mut incident = Self {
            org_id: findings.org_id.clone(),
            agent: findings.agent.clone(),
            episode,
            status: Status::Suspected,
            version: 0,
            times: TriggerTimes {
                occurred: Some(findings.first_event_at),
                landed: landed_at,
                detected: Some(now),
                aware: Some(Awareness::assumed(now)),
                ..TriggerTimes::default()
            },
            obligations: Vec::new(),
            overdue_since: BTreeMap::new(),
            announced_severity: findings.severity.level,
            timeline_head: TimelineHead::default(),
            findings,
            incident_id,
        };
        let opened = TimelineKind::Opened {
            severity: incident.findings.severity.level,
            score: incident.findings.score,
            scoring_version: incident.findings.scoring_version.clone(),
        };
        let mut timeline = vec![incident.timeline_head.append(now, actor, opened)];
        let first = Alert::new(
            &incident.incident_id,
            None,
            Stage::Opened,
            None,
            now,
            AlertState::owed(now),
        );
        timeline.push(incident.record_owed(&first, now, actor));
        let mut alerts = vec![first];
        incident.judge_obligations(policy, now, actor, &mut timeline, &mut alerts);
        incident.changed(0, timeline, alerts)
    }

    /// Takes in what was found anew; `None` where nothing changed.
    ///
    /// Owes an alert where the severity is now worse than any that was announced.
    pub fn extend(
        &self,
        findings: Findings,
        now: DateTime<Utc>,
        policy: &Policy,
        actor: &str,
    ) -> Option<Change> {
        if findings == self.findings {
            return None;
        }
        let mut incident = self.clone();
        incident.times.occurred = Some(findings.first_event_at);
        incident.findings = findings;
        let severity = incident.findings.severity.level;
        let changed = TimelineKind::FindingsChanged {
            severity,
            score: incident.findings.score,
            row_count: incident.findings.row_count,
            scoring_version: incident.findings.scoring_version.clone(),
        };
        let mut timeline = vec![incident.timeline_head.append(now, actor, changed)];
        let mut alerts = Vec::new();
        if severity > incident.announced_severity {
            incident.announced_severity = severity;
            let alert = Alert::new(
                &incident.incident_id,
                None,
                Stage::Worsened,
                Some(severity.name()),
                now,
                AlertState::owed(now),
            );
            timeline.push(incident.record_owed(&alert, now, actor));
            alerts.push(alert);
        }
        incident.judge_obligations(policy, now, actor, &mut timeline, &mut alerts);
        Some(incident.changed(self.version, timeline, alerts))
    }

    /// Raises what is due at `now` out of `alerts`, this incident's alerts as they stand. `None` where nothing
    /// is due.
    ///
    /// Of several messages of one clock only the most urgent is worth sending: where a later one is due as well,
    /// as after an outage, or has been owed or published already, the earlier one is withdrawn and says for which.
    /// A clock whose due instant has passed is recorded as overdue. At most [`ALERTS_MAX`] alerts are raised at
    /// once; the next sweep finds the rest.
    pub fn raise_due(&self, alerts: &[Alert], now: DateTime<Utc>, actor: &str) -> Option<Change> {
        let is_due = |alert: &Alert| alert.attention_at().is_some_and(|at| at <= now);
        let is_out = |alert: &Alert| {
            matches!(alert.state, AlertState::Owed { .. } | AlertState::Published { .. })
        };
        let mut most_urgent: BTreeMap<&str, &Alert> = BTreeMap::new();
        for alert in alerts.iter().filter(|alert| is_due(alert) || is_out(alert)) {
            if let Some(regime_id) = &alert.regime_id {
                let known = most_urgent.entry(regime_id).or_insert(alert);
                if known.due_at < alert.due_at {
                    *known = alert;
                }
            }
        }
        let mut due_alerts: Vec<&Alert> = alerts.iter().filter(|alert| is_due(alert)).collect();
        due_alerts
            .sort_by(|a, b| b.due_at.cmp(&a.due_at).then_with(|| a.alert_id.cmp(&b.alert_id)));
        let mut incident = self.clone();
        let mut timeline = Vec::new();
        let mut written = Vec::new();
        for alert in due_alerts.into_iter().take(ALERTS_MAX) {
            let more_urgent = alert
                .regime_id
                .as_deref()
                .and_then(|regime_id| most_urgent.get(regime_id))
                .filter(|urgent| urgent.due_at > alert.due_at);
            if let Some(more_urgent) = more_urgent {
                let reason =
                    format!("{} speaks of the same clock and is more urgent", more_urgent.alert_id);
                written.push(alert.withdrawn(now, reason.clone()));
                timeline.push(incident.timeline_head.append(
                    now,
                    actor,
                    TimelineKind::AlertWithdrawn { alert_id: alert.alert_id.clone(), reason },
                ));
                continue;
            }
            timeline.extend(incident.record_overdue(alert, now, actor));
            let raised = alert.raised(now);
            timeline.push(incident.record_owed(&raised, now, actor));
            written.push(raised);
        }
        (!written.is_empty()).then(|| incident.changed(self.version, timeline, written))
    }

    /// Records a duty as overdue, the first time that its overdue notice is raised.
    fn record_overdue(
        &mut self,
        alert: &Alert,
        now: DateTime<Utc>,
        actor: &str,
    ) -> Option<TimelineEntry> {
        let regime_id = alert.regime_id.clone().filter(|_| alert.stage == Stage::Overdue)?;
        if self.overdue_since.contains_key(&regime_id) {
            return None;
        }
        self.overdue_since.insert(regime_id.clone(), now);
        let overdue = TimelineKind::ObligationOverdue { regime_id, due_at: alert.due_at };
        Some(self.timeline_head.append(now, actor, overdue))
    }

    /// Records that the topic took an alert.
    pub fn published(
        &self,
        alert: &Alert,
        message_id: &str,
        now: DateTime<Utc>,
        actor: &str,
    ) -> Change {
        let mut incident = self.clone();
        let entry = incident.timeline_head.append(
            now,
            actor,
            TimelineKind::AlertPublished {
                alert_id: alert.alert_id.clone(),
                message_id: message_id.to_owned(),
            },
        );
        let state = AlertState::Published { at: now, message_id: message_id.to_owned() };
        let published = Alert { state, ..alert.clone() };
        incident.changed(self.version, vec![entry], vec![published])
    }

    /// The open obligation that falls due first.
    pub fn most_urgent(&self) -> Option<&Obligation> {
        self.obligations
            .iter()
            .filter(|obligation| obligation.is_open())
            .min_by_key(|obligation| obligation.due_at)
    }

    /// Judges every duty afresh and plans the reminders of those that are new or fall due at another instant.
    fn judge_obligations(
        &mut self,
        policy: &Policy,
        now: DateTime<Utc>,
        actor: &str,
        timeline: &mut Vec<TimelineEntry>,
        alerts: &mut Vec<Alert>,
    ) {
        let judged = obligations(&policy.law, &policy.facts, &self.times, &policy.organisation);
        for obligation in &judged {
            let before =
                self.obligations.iter().find(|known| known.regime_id == obligation.regime_id);
            if before == Some(obligation) {
                continue;
            }
            timeline.push(self.timeline_head.append(
                now,
                actor,
                TimelineKind::ObligationJudged {
                    regime_id: obligation.regime_id.clone(),
                    due_at: obligation.due_at,
                    start_assumed: obligation.start_assumed,
                    law_version: obligation.law_version.clone(),
                },
            ));
            if before.is_some_and(|before| before.due_at == obligation.due_at) {
                continue;
            }
            if let (true, Some(start), Some(due_at)) =
                (obligation.is_open(), obligation.started_at, obligation.due_at)
            {
                alerts.extend(reminders(&policy.reminders, start, due_at).into_iter().map(
                    |reminder| {
                        Alert::new(
                            &self.incident_id,
                            Some(&obligation.regime_id),
                            reminder.stage,
                            None,
                            reminder.at,
                            AlertState::Scheduled,
                        )
                    },
                ));
            }
        }
        self.obligations = judged;
    }

    fn record_owed(&mut self, alert: &Alert, now: DateTime<Utc>, actor: &str) -> TimelineEntry {
        let owed = TimelineKind::AlertOwed {
            alert_id: alert.alert_id.clone(),
            attempt: alert.attempt(),
            late_seconds: (now - alert.due_at).num_seconds(),
        };
        self.timeline_head.append(now, actor, owed)
    }

    fn changed(
        mut self,
        expected_version: u64,
        timeline: Vec<TimelineEntry>,
        alerts: Vec<Alert>,
    ) -> Change {
        self.version = expected_version.saturating_add(1);
        Change { expected_version, incident: self, timeline, alerts }
    }
}
