//! An incident with its messages, as its timeline leads to them.

use std::collections::BTreeMap;

use assessment::findings::{Findings, SeverityLevel};
use chrono::{DateTime, Utc};
use deadlines::{Awareness, Facts, Obligation, Stage, TriggerKind, TriggerTimes};

use crate::{
    Alert, AlertState, Event, Incident, NotNotified, Part, PlannedAlert, Statement, Status,
    TimelineEntry, TimelineHead,
    incident::{Ending, RiskLevel},
};

/// An incident with its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The incident.
    pub incident: Incident,
    /// Its alerts, by their ids.
    pub alerts: BTreeMap<String, Alert>,
}

impl Case {
    /// Of an incident and its alerts, as they were read.
    pub fn new(incident: Incident, alerts: impl IntoIterator<Item = Alert>) -> Self {
        let alerts = alerts.into_iter().map(|alert| (alert.alert_id.clone(), alert)).collect();
        Self { incident, alerts }
    }

    /// What a timeline leads to; `None` for one that does not begin with the opening of an incident.
    pub fn replay<'a>(entries: impl IntoIterator<Item = &'a TimelineEntry>) -> Option<Self> {
        let mut entries = entries.into_iter();
        let mut case = Self::opened(entries.next()?)?;
        entries.for_each(|entry| case.apply(entry));
        Some(case)
    }

    /// What the first entry leads to.
    pub(crate) fn opened(entry: &TimelineEntry) -> Option<Self> {
        let Event::Opened { incident_id, episode, agent, times, findings, from_day, .. } =
            &entry.event
        else {
            return None;
        };
        let incident = Incident {
            incident_id: incident_id.clone(),
            org_id: findings.org_id.clone(),
            agent: agent.clone(),
            episode: *episode,
            from_day: *from_day,
            until_day: None,
            status: Status::Suspected,
            version: entry.version,
            revision: entry.sequence,
            times: *times,
            findings: (**findings).clone(),
            parts: BTreeMap::new(),
            merged_into: None,
            answers: BTreeMap::new(),
            moments: BTreeMap::new(),
            risk: None,
            law_version: String::new(),
            facts: Facts::default(),
            obligations: Vec::new(),
            ruled_out: BTreeMap::new(),
            notifications: BTreeMap::new(),
            to_notify: BTreeMap::new(),
            not_notified: BTreeMap::new(),
            delays: BTreeMap::new(),
            overdue_since: BTreeMap::new(),
            announced_severity: SeverityLevel::Info,
            assigned_to: None,
            acknowledged_at: None,
            confirmed_at: None,
            measures: Vec::new(),
            ended: None,
            commands: BTreeMap::new(),
            timeline_head: TimelineHead::default(),
        };
        let mut case = Self { incident, alerts: BTreeMap::new() };
        case.settle(entry);
        Some(case)
    }

    /// What follows from one more entry. There is no other way for a case to change.
    pub(crate) fn apply(&mut self, entry: &TimelineEntry) {
        match &entry.event {
            // The first entry is not applied but made into a case; a second one like it says nothing.
            Event::Opened { .. } => {}
            Event::AlertsPlanned { alerts } => self.plan(alerts),
            Event::AlertsOwed { late_seconds } => {
                self.each(late_seconds.keys(), |alert| alert.raise(entry.at));
            }
            Event::AlertsWithdrawn { reasons } => {
                for (alert_id, reason) in reasons {
                    if let Some(alert) = self.alerts.get_mut(alert_id) {
                        alert.withdraw(entry.at, reason);
                    }
                }
            }
            Event::AlertPublished { alert_id, message_id, repeat_at } => {
                self.publish(alert_id, message_id, *repeat_at, entry.at);
            }
            Event::Acknowledged { alert_ids } => {
                self.incident.acknowledged_at = Some(entry.at);
                self.each(alert_ids, |alert| {
                    alert.acknowledged_at.get_or_insert(entry.at);
                    alert.quieten();
                });
            }
            _ => self.incident.apply(entry),
        }
        self.settle(entry);
    }

    /// What follows from any entry: versions and status.
    fn settle(&mut self, entry: &TimelineEntry) {
        let incident = &mut self.incident;
        incident.version = entry.version;
        incident.timeline_head =
            TimelineHead { sequence: entry.sequence, hash: entry.hash.clone() };
        if let Some(mark) = &entry.command {
            incident.commands.insert(mark.command_id.clone(), mark.digest.clone());
        }
        if entry.event.is_of_substance() {
            incident.revision = entry.sequence;
        }
        incident.status = incident.current_status();
    }

    /// Why an alert is not to be sent any more, where it is not: the clock that it speaks of runs no more. News is told
    /// in any case, and not told again once the incident is done.
    pub(crate) fn why_moot(&self, alert: &Alert) -> Option<String> {
        let status = self.incident.status;
        match alert.clock {
            Some(clock) => self
                .incident
                .running_with(clock)
                .is_empty()
                .then(|| "no duty of that clock is open any more".to_owned()),
            None => (status.is_done() && alert.is_published())
                .then(|| format!("the incident is {}", status.name())),
        }
    }

    fn each<'a>(
        &mut self,
        alert_ids: impl IntoIterator<Item = &'a String>,
        change: impl Fn(&mut Alert),
    ) {
        for alert_id in alert_ids {
            if let Some(alert) = self.alerts.get_mut(alert_id) {
                change(alert);
            }
        }
    }

    fn plan(&mut self, planned: &[PlannedAlert]) {
        for PlannedAlert { alert_id, clock, stage, due_at } in planned {
            if matches!(stage, Stage::Opened | Stage::Worsened | Stage::Reopened) {
                self.incident.announced_severity = self.incident.severity();
            }
            let alert = Alert {
                alert_id: alert_id.clone(),
                incident_id: self.incident.incident_id.clone(),
                clock: *clock,
                stage: *stage,
                due_at: *due_at,
                state: AlertState::Scheduled,
                repetition: 0,
                acknowledged_at: None,
            };
            self.alerts.insert(alert_id.clone(), alert);
        }
    }

    /// The newest message of a clock, or of the incident as a whole, is the one that is sent again.
    fn publish(
        &mut self,
        alert_id: &str,
        message_id: &str,
        repeat_at: Option<DateTime<Utc>>,
        at: DateTime<Utc>,
    ) {
        let Some(alert) = self.alerts.get_mut(alert_id) else { return };
        let repeat_at = repeat_at.filter(|_| alert.acknowledged_at.is_none());
        alert.state = AlertState::Published { at, message_id: message_id.to_owned(), repeat_at };
        let clock = alert.clock;
        for (other_id, other) in &mut self.alerts {
            if other.clock == clock && other_id != alert_id {
                other.quieten();
            }
        }
    }
}

impl Incident {
    fn apply(&mut self, entry: &TimelineEntry) {
        match &entry.event {
            Event::FindingsChanged { findings } => self.find((**findings).clone()),
            Event::DutiesJudged { law_version, facts, changed, ruled_out, gone } => {
                self.law_version.clone_from(law_version);
                self.facts = facts.clone();
                self.judged(changed, ruled_out, gone, entry.at);
            }
            Event::ObligationsOverdue { regime_ids, .. } => {
                for regime_id in regime_ids {
                    self.overdue_since.entry(regime_id.clone()).or_insert(entry.at);
                }
            }
            Event::Assigned { to } => self.assigned_to = Some(to.clone()),
            Event::Confirmed { .. } => {
                self.confirmed_at.get_or_insert(entry.at);
            }
            Event::MomentSet { moment, moment_at, reason } => {
                self.times = self.times.with(*moment, *moment_at);
                self.moments.insert(*moment, said(entry, *moment_at, reason));
                if *moment == TriggerKind::Aware {
                    self.confirmed_at.get_or_insert(entry.at);
                }
            }
            Event::RiskAssessed { risk, reason } => {
                self.risk = Some(said(entry, *risk, reason));
                self.confirmed_at.get_or_insert(entry.at);
                if *risk > RiskLevel::Unlikely {
                    self.times.assessed.get_or_insert(entry.at);
                }
            }
            Event::Contained { measure, measure_at } => {
                self.measures.push(said(entry, *measure_at, measure));
            }
            Event::Decided { regime_ids, notify, reason } => {
                for id in regime_ids {
                    self.decided(entry, id, *notify, reason);
                }
            }
            Event::DecisionLifted { regime_ids, .. } => {
                self.not_notified.retain(|regime_id, _| !regime_ids.contains(regime_id));
            }
            Event::NotificationSent { regime_ids, notification } => {
                for regime_id in regime_ids {
                    let sent = self.notifications.entry(regime_id.clone()).or_default();
                    sent.push(notification.clone());
                }
            }
            Event::DelayExplained { regime_ids, reason } => {
                for regime_id in regime_ids {
                    self.delays.insert(regime_id.clone(), said(entry, (), reason));
                }
            }
            Event::FactCorrected { fact, value, reason } => {
                self.answers.insert(fact.clone(), said(entry, value.clone(), reason));
            }
            Event::Dismissed { reason } => {
                self.ended = Some(said(entry, Ending::Dismissed, reason));
            }
            Event::Closed { reason } => self.ended = Some(said(entry, Ending::Closed, reason)),
            Event::Reopened { .. } => self.ended = None,
            Event::TookIn { other, .. } => self.took_in(other),
            Event::MergedInto { into, .. } => self.merged_into = Some(into.clone()),
            Event::SplitOff { from_day, findings, .. } => {
                self.until_day = Some(*from_day);
                self.find((**findings).clone());
            }
            // Messages and remarks change nothing here.
            Event::Opened { .. }
            | Event::AlertsPlanned { .. }
            | Event::AlertsOwed { .. }
            | Event::AlertsWithdrawn { .. }
            | Event::AlertPublished { .. }
            | Event::Acknowledged { .. }
            | Event::Commented { .. } => {}
        }
    }

    fn find(&mut self, findings: Findings) {
        self.findings = findings;
        self.date_the_first_access();
    }

    /// The first access of all, unless a person has said when it was.
    fn date_the_first_access(&mut self) {
        if !self.moments.contains_key(&TriggerKind::Occurred) {
            let of_parts = self.parts.values().map(|part| part.findings.first_event_at);
            self.times.occurred = of_parts.chain([self.findings.first_event_at]).min();
        }
    }

    fn judged(
        &mut self,
        changed: &[Obligation],
        ruled_out: &BTreeMap<String, Vec<String>>,
        gone: &[String],
        at: DateTime<Utc>,
    ) {
        self.obligations.retain(|known| {
            let id = &known.regime_id;
            !ruled_out.contains_key(id)
                && !gone.contains(id)
                && !changed.iter().any(|obligation| obligation.regime_id == *id)
        });
        for obligation in changed {
            let id = &obligation.regime_id;
            self.ruled_out.remove(id);
            // What is due later than now is not overdue, whatever was recorded of an earlier instant.
            if obligation.watched_at().is_none_or(|watched_at| watched_at > at) {
                self.overdue_since.remove(id);
            }
            self.obligations.push(obligation.clone());
        }
        self.obligations.sort_by(|a, b| a.regime_id.cmp(&b.regime_id));
        for (id, because) in ruled_out {
            self.overdue_since.remove(id);
            self.ruled_out.insert(id.clone(), because.clone());
        }
        for id in gone {
            self.overdue_since.remove(id);
            self.ruled_out.remove(id);
        }
    }

    fn decided(&mut self, entry: &TimelineEntry, regime_id: &str, notify: bool, reason: &str) {
        if notify {
            self.not_notified.remove(regime_id);
            self.to_notify.insert(regime_id.to_owned(), said(entry, true, reason));
            return;
        }
        self.to_notify.remove(regime_id);
        let decision = NotNotified {
            by: entry.actor.clone(),
            at: entry.at,
            reason: reason.to_owned(),
            severity: self.severity(),
            risk: self.assessed_risk(),
        };
        self.not_notified.insert(regime_id.to_owned(), decision);
    }

    fn took_in(&mut self, other: &Part) {
        // What a person says of the whole later on holds, whatever comes of a part.
        if !self.parts.contains_key(&other.incident_id) {
            self.join_moments(&other.times);
            self.forget_lower_risk(other);
        }
        for (regime_id, sent) in &other.notifications {
            let ours = self.notifications.entry(regime_id.clone()).or_default();
            for notification in sent {
                if !ours.contains(notification) {
                    ours.push(notification.clone());
                }
            }
        }
        self.parts.insert(other.incident_id.clone(), other.clone());
        self.date_the_first_access();
    }

    /// The clocks of both start at the earlier of two moments: what was known of either was known.
    fn join_moments(&mut self, theirs: &TriggerTimes) {
        for kind in KNOWLEDGE {
            let both = [self.times.of(kind), theirs.of(kind)];
            if let Some(earlier) = both.into_iter().flatten().map(|moment| moment.at).min() {
                self.times = self.times.with(kind, earlier);
            }
        }
        self.times.aware = earlier_awareness(self.times.aware, theirs.aware);
    }

    /// A risk that was assessed without the other in view is not that of the whole where the other's is higher, or may be.
    fn forget_lower_risk(&mut self, other: &Part) {
        let theirs = RiskLevel::of(&other.facts).unwrap_or(RiskLevel::Risk);
        self.risk = self.risk.take().filter(|ours| ours.value >= theirs);
    }
}

/// Moments at which something became known. The end of handling is none of them: the other may still go on.
const KNOWLEDGE: [TriggerKind; 7] = [
    TriggerKind::Logged,
    TriggerKind::Landed,
    TriggerKind::Detected,
    TriggerKind::Assessed,
    TriggerKind::Classified,
    TriggerKind::MaterialityDetermined,
    TriggerKind::CausalLinkEstablished,
];

fn earlier_awareness(ours: Option<Awareness>, theirs: Option<Awareness>) -> Option<Awareness> {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) if theirs.at < ours.at => Some(theirs),
        (ours, theirs) => ours.or(theirs),
    }
}

/// What the actor of an entry said.
fn said<T>(entry: &TimelineEntry, value: T, reason: &str) -> Statement<T> {
    Statement { value, by: entry.actor.clone(), at: entry.at, reason: reason.to_owned() }
}
