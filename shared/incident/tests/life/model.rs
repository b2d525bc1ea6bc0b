//! Any sequence of what can happen to an incident, against a model small enough to be seen to be right.

use std::collections::{BTreeMap, BTreeSet};

use assessment::findings::SeverityLevel;
use chrono::{DateTime, TimeDelta, Utc};
use incident::{Alert, AlertState, TimelineKind, verify};
use proptest::prelude::*;

use crate::support::{Kept, REGIME, findings, opened_at, policy};

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
    /// The topic takes one of the owed alerts.
    PublishSucceeds {
        which: usize,
    },
    /// The topic does not: nothing is recorded, the alert stays owed.
    PublishFails,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        2 => (0..LEVELS.len(), 1_u64..3)
            .prop_map(|(level, row_count)| Op::Extend { level, row_count }),
        3 => prop_oneof![0_i64..40, 300_i64..1_500].prop_map(|minutes| Op::Advance { minutes }),
        3 => (-2_i64..12).prop_map(|minutes| Op::AdvanceToNext { minutes }),
        5 => Just(Op::Sweep),
        2 => (0_usize..8).prop_map(|which| Op::PublishSucceeds { which }),
        1 => Just(Op::PublishFails),
    ];
    proptest::collection::vec(op, 1..60)
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Scheduled,
    Owed { attempt: usize, next_attempt_at: DateTime<Utc> },
    Published,
    Withdrawn,
}

#[derive(Clone, Debug)]
struct ModelAlert {
    due_at: DateTime<Utc>,
    of_clock: bool,
    state: State,
}

/// What the incident ought to be, told without its code.
struct Model {
    version: u64,
    due_at: DateTime<Utc>,
    found: (SeverityLevel, u64),
    announced: SeverityLevel,
    /// By stage; a stage of its own for each level that it worsened to.
    alerts: BTreeMap<String, ModelAlert>,
    /// The first sweep at or after the due instant.
    overdue_since: Option<DateTime<Utc>>,
}

fn owed(attempt: usize, now: DateTime<Utc>) -> State {
    let pause = PAUSES[(attempt - 1).min(PAUSES.len() - 1)];
    State::Owed { attempt, next_attempt_at: now + TimeDelta::minutes(pause) }
}

impl Model {
    fn open(level: SeverityLevel, now: DateTime<Utc>) -> Self {
        let due_at = now + TimeDelta::hours(72);
        let mut alerts = BTreeMap::new();
        let opened = ModelAlert { due_at: now, of_clock: false, state: owed(1, now) };
        alerts.insert("opened".to_owned(), opened);
        for (name, hours) in [
            ("remaining-48h", 48),
            ("remaining-24h", 24),
            ("remaining-12h", 12),
            ("remaining-6h", 6),
            ("remaining-1h", 1),
            ("overdue", 0),
        ] {
            let due_at = due_at - TimeDelta::hours(hours);
            let state = State::Scheduled;
            alerts.insert(name.to_owned(), ModelAlert { due_at, of_clock: true, state });
        }
        Self {
            version: 1,
            due_at,
            found: (level, 1),
            announced: level,
            alerts,
            overdue_since: None,
        }
    }

    fn extend(&mut self, found: (SeverityLevel, u64), now: DateTime<Utc>) {
        if found == self.found {
            return;
        }
        self.found = found;
        self.version += 1;
        if found.0 > self.announced {
            self.announced = found.0;
            let worsened = ModelAlert { due_at: now, of_clock: false, state: owed(1, now) };
            self.alerts.insert(format!("worsened.{}", found.0.name()), worsened);
        }
    }

    fn sweep(&mut self, now: DateTime<Utc>) {
        let is_due = |alert: &ModelAlert| match alert.state {
            State::Scheduled => alert.due_at <= now,
            State::Owed { next_attempt_at, .. } => next_attempt_at <= now,
            State::Published | State::Withdrawn => false,
        };
        let is_out =
            |alert: &ModelAlert| matches!(alert.state, State::Owed { .. } | State::Published);
        let latest_of_clock = self
            .alerts
            .values()
            .filter(|alert| alert.of_clock && (is_due(alert) || is_out(alert)))
            .map(|alert| alert.due_at)
            .max();
        let mut has_changed = false;
        for alert in self.alerts.values_mut().filter(|alert| is_due(alert)) {
            has_changed = true;
            alert.state = match alert.state {
                _ if alert.of_clock && Some(alert.due_at) != latest_of_clock => State::Withdrawn,
                State::Owed { attempt, .. } => owed(attempt + 1, now),
                _ => owed(1, now),
            };
        }
        self.version += u64::from(has_changed);
        if self.due_at <= now {
            self.overdue_since.get_or_insert(now);
        }
    }

    fn assert_agrees(&self, kept: &Kept) {
        assert_eq!(kept.incident.version, self.version);
        assert_eq!(kept.incident.announced_severity, self.announced);
        assert_eq!(kept.incident.overdue_since.get(REGIME).copied(), self.overdue_since);
        let found: BTreeMap<String, (DateTime<Utc>, State)> = kept
            .alerts
            .values()
            .map(|alert| {
                let state = match &alert.state {
                    AlertState::Scheduled => State::Scheduled,
                    AlertState::Owed { attempt, next_attempt_at, .. } => State::Owed {
                        attempt: usize::try_from(*attempt).unwrap(),
                        next_attempt_at: *next_attempt_at,
                    },
                    AlertState::Published { .. } => State::Published,
                    AlertState::Withdrawn { .. } => State::Withdrawn,
                };
                (stage_of(&alert.alert_id), (alert.due_at, state))
            })
            .collect();
        let expected: BTreeMap<String, (DateTime<Utc>, State)> = self
            .alerts
            .iter()
            .map(|(stage, alert)| (stage.clone(), (alert.due_at, alert.state.clone())))
            .collect();
        assert_eq!(found, expected);
    }
}

/// The end of an alert's id: `remaining-24h`, `worsened.high`.
fn stage_of(alert_id: &str) -> String {
    alert_id.splitn(3, '.').last().unwrap().to_owned()
}

/// What holds after every step, whatever the model says.
fn assert_invariants(kept: &Kept, last_sweep: Option<DateTime<Utc>>) {
    assert_eq!(verify(&kept.timeline, &kept.incident.timeline_head), None);
    assert_eq!(
        kept.incident.most_urgent().unwrap().due_at.unwrap() - opened_at(),
        TimeDelta::hours(72)
    );
    let mut owed_so_far = BTreeSet::new();
    let mut overdue_count = 0;
    for entry in &kept.timeline {
        match &entry.event {
            TimelineKind::AlertOwed { alert_id, .. } => {
                owed_so_far.insert(alert_id.as_str());
            }
            TimelineKind::AlertPublished { alert_id, .. } => {
                assert!(owed_so_far.contains(alert_id.as_str()), "{alert_id} was never owed");
            }
            TimelineKind::ObligationOverdue { .. } => overdue_count += 1,
            _ => {}
        }
    }
    assert_eq!(overdue_count, kept.incident.overdue_since.len(), "recorded once each");
    for alert in kept.alerts.values() {
        if last_sweep.is_some_and(|swept_at| alert.due_at <= swept_at) {
            assert_ne!(alert.state, AlertState::Scheduled, "{} was passed over", alert.alert_id);
        }
        if let AlertState::Withdrawn { reason, .. } = &alert.state {
            let (named, _) = reason.split_once(' ').unwrap();
            let more_urgent = &kept.alerts[named];
            assert_eq!(more_urgent.regime_id, alert.regime_id);
            assert!(more_urgent.due_at > alert.due_at, "{named} is not more urgent");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_incident_does_as_the_model_says(first in 0..LEVELS.len(), ops in ops()) {
        let mut now = opened_at();
        let mut last_sweep = None;
        let mut kept = Kept::open(LEVELS[first]);
        let mut model = Model::open(LEVELS[first], now);
        model.assert_agrees(&kept);
        for op in ops {
            match op {
                Op::Extend { level, row_count } => {
                    let found = findings(LEVELS[level], row_count);
                    if let Some(change) = kept.incident.extend(found, now, &policy(), "assess") {
                        kept.keep(change);
                    }
                    model.extend((LEVELS[level], row_count), now);
                }
                Op::Advance { minutes } => now += TimeDelta::minutes(minutes),
                Op::AdvanceToNext { minutes } => {
                    let later = kept.alerts.values().filter_map(Alert::attention_at);
                    if let Some(next) = later.filter(|at| *at > now).min() {
                        now = now.max(next + TimeDelta::minutes(minutes));
                    }
                }
                Op::Sweep => {
                    kept.sweep(now);
                    model.sweep(now);
                    last_sweep = Some(now);
                }
                Op::PublishSucceeds { which } => {
                    let owed: Vec<String> = kept
                        .alerts
                        .values()
                        .filter(|alert| alert.is_owed())
                        .map(|alert| alert.alert_id.clone())
                        .collect();
                    if let Some(alert_id) = owed.get(which) {
                        kept.publish(alert_id, now);
                        model.version += 1;
                        model.alerts.get_mut(&stage_of(alert_id)).unwrap().state = State::Published;
                    }
                }
                Op::PublishFails => {}
            }
            model.assert_agrees(&kept);
            assert_invariants(&kept, last_sweep);
        }
    }
}
