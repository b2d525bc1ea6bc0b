//! How an incident opens, grows, is announced, reminds and falls overdue.

use std::collections::{BTreeMap, BTreeSet};

use assessment::findings::Findings;
use chrono::{DateTime, NaiveDate, Utc};
use deadlines::{Awareness, Stage, TriggerTimes};

use crate::{
    Alert, Case, Change, Clock, Deciding, Event, Incident, IncidentId, Part, Status,
    draft::{Draft, ITEMS_OF_A_DECISION_MAX},
};

/// An incident that is to be opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// What was found.
    pub findings: Findings,
    /// Counted from 1 within org and agent.
    pub episode: u32,
    /// When the first log that tells of it reached us.
    pub landed_at: Option<DateTime<Utc>>,
}

impl Case {
    /// Opens the incident of an episode: judges the duties, owes the first alert at once and plans the rest.
    ///
    /// Until a person decides, awareness is assumed at this moment, and every clock says so. An organisation may have
    /// known earlier, by other means.
    pub fn open(opening: Opening, by: Deciding<'_>) -> Option<Change> {
        let times = TriggerTimes {
            occurred: Some(opening.findings.first_event_at),
            landed: opening.landed_at,
            detected: Some(by.now),
            aware: Some(Awareness::assumed(by.now)),
            ..TriggerTimes::default()
        };
        Self::open_with(opening, times, None, by)
    }

    /// Opens the incident that was split off from this one: the days from `from_day` on. Its clocks start when this one's
    /// did, because what was known of the whole was known of the part.
    pub fn open_split(
        &self,
        opening: Opening,
        from_day: NaiveDate,
        by: Deciding<'_>,
    ) -> Option<Change> {
        let times =
            TriggerTimes { occurred: Some(opening.findings.first_event_at), ..self.incident.times };
        Self::open_with(opening, times, Some((self.incident.incident_id.clone(), from_day)), by)
    }

    fn open_with(
        opening: Opening,
        times: TriggerTimes,
        split: Option<(IncidentId, NaiveDate)>,
        by: Deciding<'_>,
    ) -> Option<Change> {
        let Opening { findings, episode, .. } = opening;
        let (split_from, from_day) = split.unzip();
        let opened = Event::Opened {
            incident_id: IncidentId::derive(&findings.org_id, &findings.agent, episode),
            episode,
            agent: findings.agent.clone(),
            times,
            findings: Box::new(findings),
            split_from,
            from_day,
        };
        let mut draft = Draft::opening(opened, by)?;
        draft.judge();
        draft.owe_news(Stage::Opened);
        Some(draft.finish())
    }

    /// Takes in what was found anew; `None` where nothing changed.
    ///
    /// Owes an alert where the severity is now worse than any that was announced, or where duties came, went or moved.
    /// An incident that was closed or dismissed is reopened by evidence of more than was known.
    pub fn extend(&self, findings: Findings, by: Deciding<'_>) -> Option<Change> {
        let incident = &self.incident;
        if findings == incident.findings {
            return None;
        }
        let is_more = findings.row_count > incident.findings.row_count
            || findings.score > incident.findings.score
            || findings.severity.level > incident.findings.severity.level;
        let reopens = is_more && matches!(incident.status, Status::Closed | Status::Dismissed);
        let mut draft = Draft::of(self, by);
        draft.record(Event::FindingsChanged { findings: Box::new(findings) });
        if reopens {
            let was = incident.status.name();
            let reason = format!("new evidence came after it was {was}");
            draft.record(Event::Reopened { reason });
        }
        draft.judge_new_evidence(reopens);
        Some(draft.finish())
    }

    /// Takes in what another incident, which is part of this one, has come to; `None` where nothing changed.
    pub fn extend_part(&self, part: Part, by: Deciding<'_>) -> Option<Change> {
        let known = self.incident.parts.get(&part.incident_id)?;
        if known.findings == part.findings {
            return None;
        }
        let mut draft = Draft::of(self, by);
        let reason = "new evidence of a part of this incident".to_owned();
        draft.record(Event::TookIn { other: Box::new(part), reason });
        draft.judge_new_evidence(false);
        Some(draft.finish())
    }

    /// Judges the duties by the policy as it stands now: the law, or what the organisation declares, may have changed.
    /// `None` where they come out as before.
    pub fn rejudge(&self, by: Deciding<'_>) -> Option<Change> {
        let mut draft = Draft::of(self, by);
        draft.judge_and_tell();
        let change = draft.finish();
        (!change.timeline.is_empty()).then_some(change)
    }

    /// Raises what is due at `now`. `None` where nothing is.
    ///
    /// Of several messages of one clock only the most urgent is worth sending: where a later one is due as well, as after
    /// an outage, or has been owed or published already, the earlier one is withdrawn and says for which. A message of a
    /// clock that runs no more is withdrawn, and one that was sent is not sent again. A clock that has ended is recorded as overdue. What does not fit into one
    /// change comes with the next sweep, the most urgent first.
    pub fn raise_due(&self, by: Deciding<'_>) -> Option<Change> {
        let is_due = |alert: &Alert| alert.attention_at().is_some_and(|at| at <= by.now);
        let mut newest: BTreeMap<Option<Clock>, &Alert> = BTreeMap::new();
        for alert in self.alerts.values().filter(|alert| is_due(alert) || alert.is_out()) {
            let known = newest.entry(alert.clock).or_insert(alert);
            if known.due_at < alert.due_at {
                *known = alert;
            }
        }
        let mut due: Vec<&Alert> = self.alerts.values().filter(|alert| is_due(alert)).collect();
        due.sort_by(|a, b| b.due_at.cmp(&a.due_at).then_with(|| a.alert_id.cmp(&b.alert_id)));
        due.truncate(fitting(&due));
        let mut owed = BTreeMap::new();
        let mut withdrawn = BTreeMap::new();
        let mut ended = BTreeSet::new();
        for alert in due {
            // Of news each is another; of a clock the later message says what the earlier one would.
            let newer = alert
                .clock
                .and_then(|_| newest.get(&alert.clock))
                .filter(|newest| newest.due_at > alert.due_at);
            let id = alert.alert_id.clone();
            if let Some(reason) = self.why_moot(alert) {
                withdrawn.insert(id, reason);
            } else if let Some(newer) = newer {
                let newer = &newer.alert_id;
                let reason = format!("{newer} speaks of the same clock and is more urgent");
                withdrawn.insert(id, reason);
            } else {
                ended.extend(alert.clock.filter(|_| alert.stage == Stage::Overdue));
                owed.insert(id, (by.now - alert.due_at).num_seconds());
            }
        }
        if owed.is_empty() && withdrawn.is_empty() {
            return None;
        }
        let mut draft = Draft::of(self, by);
        if !withdrawn.is_empty() {
            draft.record(Event::AlertsWithdrawn { reasons: withdrawn });
        }
        for clock in ended {
            draft.record_overdue(clock);
        }
        if !owed.is_empty() {
            draft.record(Event::AlertsOwed { late_seconds: owed });
        }
        Some(draft.finish())
    }

    /// Whether an owed alert is still worth publishing.
    pub fn is_worth_publishing(&self, alert_id: &str) -> bool {
        self.alerts
            .get(alert_id)
            .is_some_and(|alert| alert.is_owed() && self.why_moot(alert).is_none())
    }

    /// Withdraws an owed alert whose clock stopped before it was published; `None` where there is no such alert.
    pub fn withdraw_moot(&self, alert_id: &str, by: Deciding<'_>) -> Option<Change> {
        let alert = self.alerts.get(alert_id).filter(|alert| alert.is_owed())?;
        let reason = self.why_moot(alert)?;
        let mut draft = Draft::of(self, by);
        draft.record(Event::AlertsWithdrawn { reasons: [(alert_id.to_owned(), reason)].into() });
        Some(draft.finish())
    }

    /// Records that the topic took an alert.
    pub fn published(&self, alert_id: &str, message_id: &str, by: Deciding<'_>) -> Option<Change> {
        let alert = self.alerts.get(alert_id)?;
        let mut draft = Draft::of(self, by);
        let repeat_at = draft.repeat_at(alert.clock).filter(|_| !self.incident.status.is_done());
        draft.record(Event::AlertPublished {
            alert_id: alert_id.to_owned(),
            message_id: message_id.to_owned(),
            repeat_at,
        });
        Some(draft.finish())
    }

    /// What another incident has to know of this one to take it in.
    pub fn as_part(&self) -> Part {
        let Incident { incident_id, times, findings, facts, notifications, .. } =
            self.incident.clone();
        Part { incident_id, times, findings, facts, notifications }
    }
}

/// How many of these alerts fit into one change. A notice that a clock has ended takes an entry of its own.
fn fitting(due: &[&Alert]) -> usize {
    let mut items = 0_usize;
    let fits = |alert: &&&Alert| {
        items = items.saturating_add(if alert.stage == Stage::Overdue { 2 } else { 1 });
        items <= ITEMS_OF_A_DECISION_MAX
    };
    due.iter().take_while(fits).count()
}

impl Draft<'_> {
    pub(crate) fn judge_new_evidence(&mut self, reopened: bool) {
        let is_news = self.judge();
        let incident = &self.case.incident;
        if incident.status.is_done() {
            return;
        }
        let worse = incident.severity() > incident.announced_severity;
        // Each of these messages lists every clock, so one is enough.
        if reopened {
            self.owe_news(Stage::Reopened);
        } else if worse {
            self.owe_news(Stage::Worsened);
        } else if is_news {
            self.owe_news(Stage::DutiesChanged);
        }
    }

    /// Records the duties of a clock that has ended, each once.
    fn record_overdue(&mut self, clock: Clock) {
        let incident = &self.case.incident;
        let regime_ids: Vec<String> = incident
            .running_with(clock)
            .into_iter()
            .map(|duty| duty.regime_id.clone())
            .filter(|id| !incident.overdue_since.contains_key(id))
            .collect();
        if !regime_ids.is_empty() {
            self.record(Event::ObligationsOverdue { regime_ids, clock });
        }
    }
}
