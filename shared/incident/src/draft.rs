//! A decision in the making.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use deadlines::{Facts, Law, Organisation, ReminderPolicy, Stage};

use crate::{
    Alert, AlertState, Case, Change, Clock, CommandMark, Event, PlannedAlert, TimelineEntry,
    TimelineHead, timeline::Unchained,
};

/// Most items in one change: a transaction of DynamoDB holds no more. The incident is one of them, and so is each entry
/// of its timeline and each alert. What does not fit comes with the next change.
const ITEMS_MAX: usize = 100;
/// Most items that one decision touches beside the incident, so that there is room for what follows from it: duties
/// judged, decisions lifted, news, reminders.
pub(crate) const ITEMS_OF_A_DECISION_MAX: usize = 80;

/// What decides duties and reminders beside the incident itself.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The law, with the organisation's own duties.
    pub law: std::sync::Arc<Law>,
    /// What is known of the organisation: its role, its countries, those of the persons.
    pub facts: Facts,
    /// Its time zone and its targets for duties without a number.
    pub organisation: Organisation,
    /// When to remind.
    pub reminders: ReminderPolicy,
}

/// Who decides, when, and by which policy.
#[derive(Clone, Copy, Debug)]
pub struct Deciding<'a> {
    /// Now.
    pub now: DateTime<Utc>,
    /// A function, or a person.
    pub actor: &'a str,
    /// Law, facts of the organisation, reminders.
    pub policy: &'a Policy,
}

/// A case to which events are being added.
pub(crate) struct Draft<'a> {
    pub(crate) case: Case,
    pub(crate) by: Deciding<'a>,
    version: u64,
    command: Option<CommandMark>,
    entries: Vec<TimelineEntry>,
    touched: BTreeSet<String>,
}

impl<'a> Draft<'a> {
    /// Of a case as it stands.
    pub(crate) fn of(case: &Case, by: Deciding<'a>) -> Self {
        Self {
            version: case.incident.version.saturating_add(1),
            case: case.clone(),
            by,
            command: None,
            entries: Vec::new(),
            touched: BTreeSet::new(),
        }
    }

    /// Of a case that begins with this event; `None` where it is not one to begin with.
    pub(crate) fn opening(event: Event, by: Deciding<'a>) -> Option<Self> {
        let first =
            Unchained { version: 1, at: by.now, actor: by.actor.to_owned(), command: None, event };
        let entry = TimelineHead::default().next(first);
        let case = Case::opened(&entry)?;
        let (entries, touched) = (vec![entry], BTreeSet::new());
        Some(Self { case, by, version: 1, command: None, entries, touched })
    }

    /// From now on every entry bears the mark of this command.
    pub(crate) fn by_command(&mut self, mark: CommandMark) {
        self.command = Some(mark);
    }

    /// Adds an event and what follows from it.
    pub(crate) fn record(&mut self, event: Event) {
        let entry = self.case.incident.timeline_head.next(Unchained {
            version: self.version,
            at: self.by.now,
            actor: self.by.actor.to_owned(),
            command: self.command.clone(),
            event,
        });
        let before = self.case.alerts.clone();
        self.case.apply(&entry);
        let changed = self.case.alerts.iter().filter(|(id, alert)| before.get(*id) != Some(alert));
        self.touched.extend(changed.map(|(id, _)| id.clone()));
        self.entries.push(entry);
    }

    /// Owes news of the incident as a whole, from now on.
    pub(crate) fn owe_news(&mut self, stage: Stage) {
        let sequence = self.case.incident.timeline_head.sequence.to_string();
        let detail = (stage != Stage::Opened).then_some(sequence.as_str());
        let now = self.by.now;
        let alert = Alert::scheduled(&self.case.incident.incident_id, None, stage, detail, now);
        let alert_id = alert.alert_id.clone();
        self.record(Event::AlertsPlanned { alerts: vec![planned(alert)] });
        self.record(Event::AlertsOwed { late_seconds: [(alert_id, 0)].into() });
    }

    /// Plans the reminders of every running clock that has none yet.
    ///
    /// What lies behind already is left out, but for the overdue notice: whoever is told now is told how much time is
    /// left. A clock that stopped needs nothing: its messages are withdrawn when their time comes.
    pub(crate) fn plan_reminders(&mut self) {
        let unrecorded = self.unrecorded();
        let missing: Vec<PlannedAlert> = self
            .wanted_reminders()
            .into_iter()
            .filter(|wanted| self.is_missing(wanted, &unrecorded))
            .map(planned)
            .take(self.room())
            .collect();
        if !missing.is_empty() {
            self.record(Event::AlertsPlanned { alerts: missing });
        }
    }

    /// How many alerts one more entry may touch.
    fn room(&self) -> usize {
        // The incident and that entry.
        let taken = 2_usize.saturating_add(self.entries.len()).saturating_add(self.touched.len());
        ITEMS_MAX.saturating_sub(taken)
    }

    /// Whether a wanted reminder is not planned, or for another instant.
    ///
    /// An overdue notice is missing as well where it was withdrawn while nothing ran, or was sent before a duty came
    /// whose clock ends at the same instant: no clock ends without a record of it.
    fn is_missing(&self, wanted: &Alert, unrecorded: &BTreeSet<Clock>) -> bool {
        let is_overdue = wanted.stage == Stage::Overdue;
        self.case.alerts.get(&wanted.alert_id).is_none_or(|known| match known.state {
            AlertState::Scheduled => known.due_at != wanted.due_at,
            AlertState::Withdrawn { .. } => is_overdue || wanted.due_at > self.by.now,
            AlertState::Owed { .. } => false,
            AlertState::Published { .. } => {
                let is_unrecorded = wanted.clock.is_some_and(|clock| unrecorded.contains(&clock));
                is_overdue && wanted.due_at <= self.by.now && is_unrecorded
            }
        })
    }

    /// The clocks of which a duty runs that is not on record as overdue.
    fn unrecorded(&self) -> BTreeSet<Clock> {
        let incident = &self.case.incident;
        let running = incident.running().into_iter();
        running
            .filter(|duty| !incident.overdue_since.contains_key(&duty.regime_id))
            .filter_map(Clock::of)
            .collect()
    }

    /// The nearest first. Of two duties that end together and started apart, the one that started earlier reminds of
    /// both.
    fn wanted_reminders(&self) -> Vec<Alert> {
        let incident = &self.case.incident;
        let severity = incident.severity().name();
        let mut earliest: BTreeMap<String, Alert> = BTreeMap::new();
        for obligation in incident.running() {
            let (Some(clock), Some(start)) = (Clock::of(obligation), obligation.started_at) else {
                continue;
            };
            let plan =
                self.by.policy.reminders.plan(&obligation.regime_id, severity, clock.is_possible);
            for reminder in deadlines::reminders(plan, start, clock.ends_at) {
                let (id, at) = (&incident.incident_id, reminder.at);
                let alert = Alert::scheduled(id, Some(clock), reminder.stage, None, at);
                let known = earliest.entry(alert.alert_id.clone()).or_insert(alert);
                known.due_at = known.due_at.min(at);
            }
        }
        let mut wanted: Vec<Alert> = earliest
            .into_values()
            .filter(|alert| alert.stage == Stage::Overdue || alert.due_at > self.by.now)
            .collect();
        wanted.sort_by(|a, b| a.due_at.cmp(&b.due_at).then_with(|| a.alert_id.cmp(&b.alert_id)));
        wanted
    }

    /// When a message that is published now is sent again.
    pub(crate) fn repeat_at(&self, clock: Option<Clock>) -> Option<DateTime<Utc>> {
        let severity = self.case.incident.severity().name();
        let reminders = &self.by.policy.reminders;
        let general = || reminders.plan("", severity, clock.is_some_and(|clock| clock.is_possible));
        let running = clock.map(|clock| self.case.incident.running_with(clock)).unwrap_or_default();
        let of_duties = running.iter().map(|obligation| {
            let is_possible = clock.is_some_and(|clock| clock.is_possible);
            reminders.plan(&obligation.regime_id, severity, is_possible)
        });
        let plans = of_duties.chain(clock.is_none().then(general));
        let hours = plans.filter_map(|plan| plan.repeat_hours).filter(|hours| *hours > 0).min()?;
        self.by.now.checked_add_signed(TimeDelta::try_hours(i64::from(hours))?)
    }

    /// The change, to be written whole or not at all.
    pub(crate) fn finish(mut self) -> Change {
        self.plan_reminders();
        let Self { case, version, entries, touched, .. } = self;
        let mut alerts: Vec<Alert> =
            touched.iter().filter_map(|id| case.alerts.get(id)).cloned().collect();
        // Whoever reads the changes in this order publishes before it plans.
        alerts.sort_by_key(|alert| !alert.is_owed());
        Change {
            expected_version: version.saturating_sub(1),
            incident: case.incident,
            timeline: entries,
            alerts,
        }
    }
}

fn planned(alert: Alert) -> PlannedAlert {
    let Alert { alert_id, clock, stage, due_at, .. } = alert;
    PlannedAlert { alert_id, clock, stage, due_at }
}
