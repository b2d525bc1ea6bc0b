//! Any sequence of what can happen to one clock, against a model small enough to be seen to be right.

use std::collections::{BTreeMap, BTreeSet};

use assessment::findings::SeverityLevel;
use chrono::{DateTime, TimeDelta, Utc};
use incident::{Action, Alert, AlertState, Event};
use proptest::prelude::*;

use crate::support::{Kept, REGIME, findings, ids, notification, one_duty, opened_at};

const LEVELS: [SeverityLevel; 5] = [
    SeverityLevel::Info,
    SeverityLevel::Low,
    SeverityLevel::Medium,
    SeverityLevel::High,
    SeverityLevel::Critical,
];

/// Minutes until an alert is raised again, by how often it was raised; the last one from then on.
const PAUSES: [i64; 5] = [2, 4, 8, 16, 30];

#[derive(Clone, Debug)]
enum Op {
    /// New findings of that severity; the rows tell findings of one severity apart.
    Extend {
        level: usize,
        row_count: u64,
    },
    Advance {
        minutes: i64,
    },
    /// To the next moment at which an alert wants attention, and so many minutes on.
    AdvanceToNext {
        minutes: i64,
    },
    Sweep,
    /// The topic takes one of the owed alerts. Where it does not, nothing is recorded and the alert stays owed.
    Publish {
        which: usize,
    },
    Acknowledge,
    DecideNot,
    Send,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => (0..LEVELS.len(), 1_u64..3)
            .prop_map(|(level, row_count)| Op::Extend { level, row_count }),
        6 => prop_oneof![0_i64..40, 300_i64..1_500].prop_map(|minutes| Op::Advance { minutes }),
        6 => (-2_i64..12).prop_map(|minutes| Op::AdvanceToNext { minutes }),
        10 => Just(Op::Sweep),
        8 => (0_usize..4).prop_map(|which| Op::Publish { which }),
        2 => Just(Op::Acknowledge),
        2 => Just(Op::DecideNot),
        1 => Just(Op::Send),
    ];
    proptest::collection::vec(op, 1..60)
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Scheduled,
    Owed { attempt: usize, next_attempt_at: DateTime<Utc> },
    Published { repeat_at: Option<DateTime<Utc>> },
    Withdrawn,
}

#[derive(Clone, Debug)]
struct ModelAlert {
    stage: &'static str,
    due_at: DateTime<Utc>,
    state: State,
    acknowledged: bool,
}

impl ModelAlert {
    fn scheduled(stage: &'static str, due_at: DateTime<Utc>) -> Self {
        Self { stage, due_at, state: State::Scheduled, acknowledged: false }
    }

    fn is_due(&self, now: DateTime<Utc>) -> bool {
        match self.state {
            State::Scheduled => self.due_at <= now,
            State::Owed { next_attempt_at, .. } => next_attempt_at <= now,
            State::Published { repeat_at } => repeat_at.is_some_and(|at| at <= now),
            State::Withdrawn => false,
        }
    }

    fn is_out(&self) -> bool {
        matches!(self.state, State::Owed { .. } | State::Published { .. })
    }

    fn raise(&mut self, now: DateTime<Utc>) {
        self.state = match self.state {
            State::Owed { attempt, .. } => owed(attempt + 1, now),
            _ => owed(1, now),
        };
    }

    fn quieten(&mut self) {
        if let State::Published { repeat_at } = &mut self.state {
            *repeat_at = None;
        }
    }
}

/// What the incident ought to be, told without its code.
struct Model {
    version: u64,
    due_at: DateTime<Utc>,
    found: (SeverityLevel, u64),
    announced: SeverityLevel,
    /// News of the incident, in the order in which it came.
    news: Vec<ModelAlert>,
    /// Reminders of the clock, the earliest first.
    reminders: Vec<ModelAlert>,
    /// The first sweep at or after the due instant at which the clock ran.
    overdue_since: Option<DateTime<Utc>>,
    /// The severity at which a person decided that nobody is notified.
    decided_at: Option<SeverityLevel>,
    sent: BTreeSet<DateTime<Utc>>,
}

fn owed(attempt: usize, now: DateTime<Utc>) -> State {
    let pause = PAUSES[(attempt - 1).min(PAUSES.len() - 1)];
    State::Owed { attempt, next_attempt_at: now + TimeDelta::minutes(pause) }
}

impl Model {
    fn open(level: SeverityLevel, now: DateTime<Utc>) -> Self {
        let due_at = now + TimeDelta::hours(72);
        let reminders = [
            ("remaining-50-percent", 36 * 60),
            ("remaining-25-percent", 18 * 60),
            ("remaining-10-percent", 432),
            ("remaining-60-minutes", 60),
            ("overdue", 0),
        ];
        let reminders = reminders.map(|(stage, minutes)| {
            ModelAlert::scheduled(stage, due_at - TimeDelta::minutes(minutes))
        });
        let mut model = Self {
            version: 1,
            due_at,
            found: (level, 1),
            announced: level,
            news: Vec::new(),
            reminders: reminders.into(),
            overdue_since: None,
            decided_at: None,
            sent: BTreeSet::new(),
        };
        model.tell("opened", now);
        model
    }

    fn runs(&self) -> bool {
        self.sent.is_empty() && self.decided_at.is_none()
    }

    fn tell(&mut self, stage: &'static str, now: DateTime<Utc>) {
        let mut news = ModelAlert::scheduled(stage, now);
        news.raise(now);
        self.news.push(news);
    }

    /// What follows from every change.
    fn change(&mut self, now: DateTime<Utc>) {
        self.version += 1;
        let runs = self.runs();
        for reminder in &mut self.reminders {
            if runs
                && reminder.state == State::Withdrawn
                && (reminder.due_at > now || reminder.stage == "overdue")
            {
                *reminder = ModelAlert::scheduled(reminder.stage, reminder.due_at);
            }
        }
    }

    fn extend(&mut self, found: (SeverityLevel, u64), now: DateTime<Utc>) {
        if found == self.found {
            return;
        }
        self.found = found;
        let is_lifted =
            self.sent.is_empty() && self.decided_at.is_some_and(|decided| found.0 > decided);
        if is_lifted {
            self.decided_at = None;
        }
        if found.0 > self.announced {
            self.announced = found.0;
            self.tell("worsened", now);
        } else if is_lifted {
            self.tell("duties-changed", now);
        }
        self.change(now);
    }

    fn sweep(&mut self, now: DateTime<Utc>) {
        let is_any = self.news.iter().chain(&self.reminders).any(|alert| alert.is_due(now));
        if !is_any {
            return;
        }
        self.news.iter_mut().filter(|news| news.is_due(now)).for_each(|news| news.raise(now));
        let runs = self.runs();
        let latest = self.reminders.iter().rposition(|one| one.is_due(now) || one.is_out());
        for (position, reminder) in self.reminders.iter_mut().enumerate() {
            if !reminder.is_due(now) {
                continue;
            }
            if runs && Some(position) == latest {
                reminder.raise(now);
                if reminder.stage == "overdue" {
                    self.overdue_since.get_or_insert(now);
                }
            } else if matches!(reminder.state, State::Published { .. }) {
                reminder.quieten();
            } else {
                reminder.state = State::Withdrawn;
            }
        }
        self.change(now);
    }

    fn publish(&mut self, stage: &str, of_news: Option<usize>, now: DateTime<Utc>) {
        let hours = match self.found.0 {
            SeverityLevel::Critical => 4,
            SeverityLevel::High => 12,
            _ => 24,
        };
        let runs = self.runs();
        let same = if of_news.is_some() { &mut self.news } else { &mut self.reminders };
        let position = of_news
            .unwrap_or_else(|| same.iter().position(|reminder| reminder.stage == stage).unwrap());
        if of_news.is_none() && !runs {
            same[position].state = State::Withdrawn;
        } else {
            same.iter_mut().for_each(ModelAlert::quieten);
            let repeat_at = Some(now + TimeDelta::hours(hours));
            let repeat_at = repeat_at.filter(|_| !same[position].acknowledged);
            same[position].state = State::Published { repeat_at };
        }
        self.change(now);
    }

    /// Whether there is anything to acknowledge.
    fn acknowledge(&mut self, now: DateTime<Utc>) -> bool {
        let mut is_any = false;
        for alert in self.news.iter_mut().chain(&mut self.reminders) {
            if alert.is_out() && !alert.acknowledged {
                is_any = true;
                alert.acknowledged = true;
                alert.quieten();
            }
        }
        if is_any {
            self.change(now);
        }
        is_any
    }

    /// Whether there is anything to decide.
    fn decide_not(&mut self, now: DateTime<Utc>) -> bool {
        let is_open = self.runs();
        if is_open {
            self.decided_at = Some(self.found.0);
            self.change(now);
        }
        is_open
    }

    /// Whether it is not on record already.
    fn send(&mut self, now: DateTime<Utc>) -> bool {
        let is_new = self.sent.insert(now);
        if is_new {
            self.change(now);
        }
        is_new
    }

    fn assert_agrees(&self, kept: &Kept) {
        let incident = kept.incident();
        assert_eq!(incident.version, self.version);
        assert_eq!(incident.announced_severity, self.announced);
        assert_eq!(incident.overdue_since.get(REGIME).copied(), self.overdue_since);
        assert_eq!(!incident.running().is_empty(), self.runs());
        assert_eq!(incident.obligation(REGIME).unwrap().due_at, Some(self.due_at));
        let was_late = self.sent.first().is_some_and(|sent_at| *sent_at > self.due_at);
        assert_eq!(incident.was_late(REGIME), was_late);
        let (news, reminders) = by_clock(kept);
        assert_eq!(found(&news), expected(&self.news));
        assert_eq!(found(&reminders), expected(&self.reminders));
    }
}

/// News in the order in which it came, and reminders in that of their instants.
fn by_clock(kept: &Kept) -> (Vec<&Alert>, Vec<&Alert>) {
    let (mut news, mut reminders): (Vec<&Alert>, Vec<&Alert>) =
        kept.alerts().partition(|alert| alert.clock.is_none());
    // The number of the entry that owed it stands at the end of its name; the first has none.
    news.sort_by_key(|alert| {
        alert.alert_id.rsplit('.').next().unwrap().parse::<u64>().unwrap_or_default()
    });
    reminders.sort_by_key(|alert| alert.due_at);
    (news, reminders)
}

type Seen = (String, DateTime<Utc>, State, bool);

fn found(alerts: &[&Alert]) -> Vec<Seen> {
    let state = |alert: &Alert| match &alert.state {
        AlertState::Scheduled => State::Scheduled,
        AlertState::Owed { attempt, next_attempt_at, .. } => State::Owed {
            attempt: usize::try_from(*attempt).unwrap(),
            next_attempt_at: *next_attempt_at,
        },
        AlertState::Published { repeat_at, .. } => State::Published { repeat_at: *repeat_at },
        AlertState::Withdrawn { .. } => State::Withdrawn,
    };
    alerts
        .iter()
        .map(|alert| {
            let is_acknowledged = alert.acknowledged_at.is_some();
            (alert.stage.name(), alert.due_at, state(alert), is_acknowledged)
        })
        .collect()
}

fn expected(alerts: &[ModelAlert]) -> Vec<Seen> {
    let seen = |alert: &ModelAlert| {
        (alert.stage.to_owned(), alert.due_at, alert.state.clone(), alert.acknowledged)
    };
    alerts.iter().map(seen).collect()
}

/// What holds after every step, whatever the model says.
fn assert_invariants(kept: &Kept, last_sweep: Option<DateTime<Utc>>) {
    let mut owed_so_far = BTreeSet::new();
    let mut overdue_count = 0;
    for entry in &kept.timeline {
        match &entry.event {
            Event::AlertsOwed { late_seconds } => owed_so_far.extend(late_seconds.keys()),
            Event::AlertPublished { alert_id, .. } => {
                assert!(owed_so_far.contains(alert_id), "{alert_id} was never owed");
            }
            Event::ObligationsOverdue { .. } => overdue_count += 1,
            _ => {}
        }
    }
    assert_eq!(overdue_count, kept.incident().overdue_since.len(), "recorded once each");
    let by_id: BTreeMap<&str, &Alert> =
        kept.alerts().map(|alert| (alert.alert_id.as_str(), alert)).collect();
    let runs = !kept.incident().running().is_empty();
    for alert in kept.alerts() {
        let is_passed = last_sweep.is_some_and(|swept_at| alert.due_at <= swept_at);
        // An overdue notice may have come back since that sweep.
        if is_passed && alert.stage.name() != "overdue" {
            assert!(!alert.is_scheduled(), "{} was passed over", alert.alert_id);
        }
        let AlertState::Withdrawn { reason, .. } = &alert.state else { continue };
        if reason == "no duty of that clock is open any more" {
            continue;
        }
        let (named, _) = reason.split_once(' ').unwrap();
        assert_eq!(by_id[named].clock, alert.clock);
        assert!(by_id[named].due_at > alert.due_at, "{named} is not more urgent");
    }
    assert!(!runs || kept.alert("overdue").attention_at().is_some() || overdue_count == 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_incident_does_as_the_model_says(first in 0..LEVELS.len(), ops in ops()) {
        let mut now = opened_at();
        let mut last_sweep = None;
        let mut kept = Kept::open(one_duty(), findings(LEVELS[first], 1));
        let mut model = Model::open(LEVELS[first], now);
        model.assert_agrees(&kept);
        for op in ops {
            match op {
                Op::Extend { level, row_count } => {
                    kept.extend(findings(LEVELS[level], row_count), now);
                    model.extend((LEVELS[level], row_count), now);
                }
                Op::Advance { minutes } => now += TimeDelta::minutes(minutes),
                Op::AdvanceToNext { minutes } => {
                    let later = kept.alerts().filter_map(Alert::attention_at);
                    if let Some(next) = later.filter(|at| *at > now).min() {
                        now = now.max(next + TimeDelta::minutes(minutes));
                    }
                }
                Op::Sweep => {
                    kept.sweep(now);
                    model.sweep(now);
                    last_sweep = Some(now);
                }
                Op::Publish { which } => {
                    let (news, reminders) = by_clock(&kept);
                    let of_news = news.iter().enumerate().map(|(position, one)| (Some(position), *one));
                    let owed: Vec<(Option<usize>, String, String)> = of_news
                        .chain(reminders.iter().map(|reminder| (None, *reminder)))
                        .filter(|(_, alert)| alert.is_owed())
                        .map(|(of, alert)| (of, alert.stage.name(), alert.alert_id.clone()))
                        .collect();
                    if let Some((of_news, stage, alert_id)) = owed.get(which) {
                        kept.publish(alert_id, now);
                        model.publish(stage, *of_news, now);
                    }
                }
                Op::Acknowledge => {
                    let done = kept.command(Action::Acknowledge, now).is_ok();
                    prop_assert_eq!(done, model.acknowledge(now));
                }
                Op::DecideNot => {
                    let action = Action::Decide {
                        regime_ids: ids(&[REGIME]),
                        notify: false,
                        reason: "test persons".to_owned(),
                    };
                    prop_assert_eq!(kept.command(action, now).is_ok(), model.decide_not(now));
                }
                Op::Send => {
                    let action = Action::RecordSent {
                        regime_ids: ids(&[REGIME]),
                        notification: notification(now),
                    };
                    prop_assert_eq!(kept.command(action, now).is_ok(), model.send(now));
                }
            }
            model.assert_agrees(&kept);
            assert_invariants(&kept, last_sweep);
        }
    }
}
