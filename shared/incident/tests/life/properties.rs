//! What holds of any life by the whole law: commands that make sense and ones that make none, evidence, sweeps,
//! messages, a clock that jumps, law and facts that change midway.

use std::{collections::BTreeSet, sync::Arc};

use assessment::findings::{DataCategory, Findings, SeverityLevel};
use chrono::{DateTime, TimeDelta, Utc};
use deadlines::{Stage, TriggerKind};
use eventlog::attribution::AgentKey;
use incident::{Action, Alert, Change, Clock, Command, Event, IncidentId, Phase, RiskLevel};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use crate::support::{Kept, PERSON, at, exposure, findings, notification, opened_at, whole_law};

/// Alerts of a change that brings as many as fit; what is left comes with the next one.
const FULL: usize = 60;

const LEVELS: [SeverityLevel; 4] =
    [SeverityLevel::Low, SeverityLevel::Medium, SeverityLevel::High, SeverityLevel::Critical];
const CATEGORIES: [Option<DataCategory>; 5] = [
    Some(DataCategory::ContactIdentity),
    Some(DataCategory::IdentityNumber),
    Some(DataCategory::FinancialCredentials),
    Some(DataCategory::SpecialCategory),
    None,
];
const RISKS: [RiskLevel; 3] = [RiskLevel::Unlikely, RiskLevel::Risk, RiskLevel::HighRisk];

#[derive(Clone, Debug)]
enum Op {
    Extend(Found),
    Advance { minutes: i64 },
    Sweep,
    Publish { count: usize },
    Policy(usize),
    Command { action: Draft, is_stale: bool },
}

#[derive(Clone, Debug)]
struct Found {
    level: Index,
    row_count: u64,
    categories: Vec<Index>,
}

/// A command in the making: duties and moments are chosen when it is given.
#[derive(Clone, Debug)]
enum Draft {
    Acknowledge,
    Assign,
    Confirm,
    SetMoment { moment: Index, hours_ago: i64 },
    AssessRisk(Index),
    Contain { hours_ago: i64 },
    Decide { duties: Duties, notify: bool },
    Send { duties: Duties, hours_ago: i64, phase: Index },
    ExplainDelay(Duties),
    CorrectFact { fact: Index, value: Index },
    Comment(String),
    Dismiss,
    Close,
    Reopen,
    TakeIn { row_count: u64, level: Index },
    MergeInto,
}

#[derive(Clone, Debug)]
enum Duties {
    None,
    Nonsense,
    One(Index),
    /// Every one whose clock runs.
    Running,
    /// Every one whose clock has ended.
    Ended,
}

fn found() -> impl Strategy<Value = Found> {
    (any::<Index>(), 1_u64..4, proptest::collection::vec(any::<Index>(), 0..3))
        .prop_map(|(level, row_count, categories)| Found { level, row_count, categories })
}

fn duties() -> impl Strategy<Value = Duties> {
    prop_oneof![
        1 => Just(Duties::None),
        1 => Just(Duties::Nonsense),
        6 => any::<Index>().prop_map(Duties::One),
        3 => Just(Duties::Running),
        2 => Just(Duties::Ended),
    ]
}

fn draft() -> impl Strategy<Value = Draft> {
    let index = any::<Index>;
    prop_oneof![
        2 => Just(Draft::Acknowledge),
        1 => Just(Draft::Assign),
        1 => Just(Draft::Confirm),
        4 => (index(), -2_i64..400)
            .prop_map(|(moment, hours_ago)| Draft::SetMoment { moment, hours_ago }),
        3 => index().prop_map(Draft::AssessRisk),
        1 => (-2_i64..3).prop_map(|hours_ago| Draft::Contain { hours_ago }),
        4 => (duties(), any::<bool>()).prop_map(|(duties, notify)| Draft::Decide { duties, notify }),
        3 => (duties(), -2_i64..5, index())
            .prop_map(|(duties, hours_ago, phase)| Draft::Send { duties, hours_ago, phase }),
        1 => duties().prop_map(Draft::ExplainDelay),
        4 => (index(), index()).prop_map(|(fact, value)| Draft::CorrectFact { fact, value }),
        1 => any::<String>().prop_map(Draft::Comment),
        1 => Just(Draft::Dismiss),
        1 => Just(Draft::Close),
        2 => Just(Draft::Reopen),
        1 => (1_u64..4, index()).prop_map(|(row_count, level)| Draft::TakeIn { row_count, level }),
        1 => Just(Draft::MergeInto),
    ]
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let minutes = prop_oneof![-7_i64..120, 1_000_i64..6_000, 20_000_i64..120_000];
    let op = prop_oneof![
        2 => found().prop_map(Op::Extend),
        4 => minutes.prop_map(|minutes| Op::Advance { minutes }),
        4 => Just(Op::Sweep),
        2 => (1_usize..4).prop_map(|count| Op::Publish { count }),
        1 => (0_usize..4).prop_map(Op::Policy),
        8 => (draft(), prop::bool::weighted(0.1))
            .prop_map(|(action, is_stale)| Op::Command { action, is_stale }),
    ];
    proptest::collection::vec(op, 1..25)
}

impl Found {
    fn findings(&self) -> Findings {
        let mut found = findings(*self.level.get(&LEVELS), self.row_count);
        found.first_event_at = at("2026-11-10T06:00:00Z");
        for (index, number) in self.categories.iter().zip(1..) {
            found.exposures.insert(format!("Object{number}__c"), exposure(*index.get(&CATEGORIES)));
        }
        found
    }
}

impl Duties {
    fn of(&self, kept: &Kept, now: DateTime<Utc>) -> Vec<String> {
        let incident = kept.incident();
        let running = incident.running();
        match self {
            Self::None => Vec::new(),
            Self::Nonsense => vec!["eu-gdpr-33-1".to_owned(), "no-such-duty".to_owned()],
            Self::One(index) => {
                let known = incident.obligations.iter().map(|duty| &duty.regime_id);
                let known: Vec<&String> = known.chain(incident.ruled_out.keys()).collect();
                vec![(*index.get(&known)).clone()]
            }
            Self::Running => running.iter().map(|duty| duty.regime_id.clone()).collect(),
            Self::Ended => {
                let has_ended = running.iter().filter(|duty| duty.watched_at() <= Some(now));
                has_ended.map(|duty| duty.regime_id.clone()).collect()
            }
        }
    }
}

fn facts_and_values() -> ([&'static str; 6], [Value; 6]) {
    let facts = [
        "gdpr_applies",
        "personal_data_breach",
        "subject_count",
        "role",
        "data_unintelligible",
        "",
    ];
    let values = [
        json!(true),
        json!(false),
        json!(null),
        json!({"lower": 400, "upper": 70_000}),
        json!("processor"),
        json!(0.5),
    ];
    (facts, values)
}

impl Draft {
    fn action(&self, kept: &Kept, now: DateTime<Utc>) -> Action {
        let reason = "as the record shows".to_owned();
        match self {
            Self::Acknowledge => Action::Acknowledge,
            Self::Assign => Action::Assign { to: "Ruiz".to_owned() },
            Self::Confirm => Action::Confirm { reason },
            Self::SetMoment { moment, hours_ago } => {
                let moment_at = now - TimeDelta::hours(*hours_ago);
                Action::SetMoment { moment: *moment.get(&TriggerKind::ALL), moment_at, reason }
            }
            Self::AssessRisk(index) => Action::AssessRisk { risk: *index.get(&RISKS), reason },
            Self::Contain { hours_ago } => {
                Action::Contain { measure: reason, measure_at: now - TimeDelta::hours(*hours_ago) }
            }
            Self::Decide { duties, notify } => {
                Action::Decide { regime_ids: duties.of(kept, now), notify: *notify, reason }
            }
            Self::Send { duties, hours_ago, phase } => {
                let phases = [Phase::Complete, Phase::Initial, Phase::Supplementary, Phase::Final];
                let mut notification = notification(now - TimeDelta::hours(*hours_ago));
                notification.phase = *phase.get(&phases);
                Action::RecordSent { regime_ids: duties.of(kept, now), notification }
            }
            Self::ExplainDelay(duties) => {
                Action::ExplainDelay { regime_ids: duties.of(kept, now), reason }
            }
            Self::CorrectFact { fact, value } => {
                let (facts, values) = facts_and_values();
                let fact = (*fact.get(&facts)).to_owned();
                Action::CorrectFact { fact, value: value.get(&values).clone(), reason }
            }
            Self::Comment(text) => Action::Comment { text: text.clone() },
            Self::Dismiss => Action::Dismiss { reason },
            Self::Close => Action::Close { reason },
            Self::Reopen => Action::Reopen { reason },
            Self::TakeIn { row_count, level } => {
                let found = Findings {
                    agent: AgentKey("billing-bot".to_owned()),
                    ..findings(*level.get(&LEVELS), *row_count)
                };
                let other = Kept::open(kept.policy.clone(), found);
                Action::TakeIn { other: Box::new(other.case.as_part()), reason }
            }
            Self::MergeInto => Action::MergeInto { into: IncidentId("BC-0".to_owned()), reason },
        }
    }
}

/// Changes law, facts or reminders.
fn change_policy(kept: &mut Kept, which: usize) {
    let whole = whole_law();
    kept.policy = match which {
        0 => whole,
        1 => {
            // The other half of the law, of another version.
            let ids: Vec<&str> =
                whole.law.regimes.iter().step_by(2).map(|regime| regime.id.as_str()).collect();
            let mut law = (*whole.law).clone().only(&ids).unwrap();
            "2027-01-01".clone_into(&mut law.law_version);
            incident::Policy { law: Arc::new(law), ..whole.clone() }
        }
        2 => {
            // Persons anywhere, of whom nothing is known.
            let facts = whole
                .facts
                .clone()
                .with("subject_country", Value::Null)
                .with("subject_region", Value::Null);
            incident::Policy { facts, ..whole.clone() }
        }
        _ => {
            let mut policy = whole.clone();
            policy.reminders.possible.repeat_hours = Some(6);
            policy.reminders.possible.remaining_percent = vec![75, 50, 25];
            policy
        }
    };
}

fn regime_ids(kept: &Kept) -> BTreeSet<String> {
    kept.incident().obligations.iter().map(|duty| duty.regime_id.clone()).collect()
}

/// No duty goes without an entry that names it and says why.
fn assert_said_what_went(before: &BTreeSet<String>, kept: &Kept, change: &Change) {
    let after = regime_ids(kept);
    let mut said = BTreeSet::new();
    for entry in &change.timeline {
        if let Event::DutiesJudged { ruled_out, gone, .. } = &entry.event {
            assert!(ruled_out.values().all(|because| !because.concat().is_empty()));
            said.extend(ruled_out.keys().chain(gone).cloned());
        }
    }
    for regime_id in before.difference(&after) {
        assert!(said.contains(regime_id), "{regime_id} went and no entry says why");
    }
}

/// The clocks that run without a notice planned, raised or sent for their end, and without a record.
fn unwatched(kept: &Kept) -> Vec<Clock> {
    let incident = kept.incident();
    let has_notice = |clock: Clock| {
        kept.alerts().any(|alert| {
            let is_live = alert.is_owed()
                || alert.is_scheduled()
                || matches!(alert.state, incident::AlertState::Published { .. });
            alert.clock == Some(clock) && alert.stage == Stage::Overdue && is_live
        })
    };
    let mut clocks: Vec<Clock> = incident.running().into_iter().filter_map(Clock::of).collect();
    clocks.dedup();
    clocks.retain(|clock| {
        let duties = incident.running_with(*clock);
        let on_record = |id: &str| incident.overdue_since.contains_key(id);
        !has_notice(*clock) && !duties.iter().all(|duty| on_record(&duty.regime_id))
    });
    clocks
}

fn assert_invariants(kept: &Kept, change: &Change) {
    let is_full = change.alerts.len() + change.timeline.len() >= FULL;
    let unwatched = unwatched(kept);
    assert!(unwatched.is_empty() || is_full, "nobody is told of the end of {unwatched:?}");
    for alert in kept.alerts() {
        let Some(clock) = alert.clock else { continue };
        if alert.stage == Stage::Overdue {
            assert_eq!(alert.due_at, clock.ends_at);
        } else {
            assert!(alert.due_at < clock.ends_at, "{}", alert.alert_id);
        }
    }
    let incident = kept.incident();
    for regime_id in incident.overdue_since.keys() {
        assert!(incident.obligation(regime_id).is_some(), "{regime_id} is overdue and no duty");
    }
    if incident.status.is_done() {
        assert!(incident.running().is_empty());
        let is_repeated = |alert: &Alert| alert.attempt() == 1 && alert.repetition > 0;
        let is_sweep = change.timeline[0].actor == "remind";
        assert!(
            !is_sweep || !change.alerts.iter().any(is_repeated),
            "what is done is not repeated"
        );
    }
}

struct Life {
    kept: Kept,
    now: DateTime<Utc>,
    command_count: usize,
}

impl Life {
    fn step(&mut self, op: &Op) {
        let before = regime_ids(&self.kept);
        let now = self.now;
        let change = match op {
            Op::Extend(found) => self.kept.extend(found.findings(), now),
            Op::Advance { minutes } => {
                self.now += TimeDelta::minutes(*minutes);
                None
            }
            Op::Sweep => self.kept.sweep(now),
            Op::Publish { count } => {
                let owed = self.kept.alerts().filter(|alert| alert.is_owed());
                let owed: Vec<String> =
                    owed.take(*count).map(|alert| alert.alert_id.clone()).collect();
                owed.iter().map(|alert_id| self.kept.publish(alert_id, now)).last()
            }
            Op::Policy(which) => {
                change_policy(&mut self.kept, *which);
                self.kept.rejudge(now)
            }
            Op::Command { action, is_stale } => self.command(action, *is_stale),
        };
        if let Some(change) = change {
            assert_said_what_went(&before, &self.kept, &change);
            assert_invariants(&self.kept, &change);
        }
    }

    fn command(&mut self, draft: &Draft, is_stale: bool) -> Option<Change> {
        self.command_count += 1;
        let decided_on = is_stale.then(|| self.kept.incident().revision - 1);
        let command_id = format!("c-{}", self.command_count);
        let action = draft.action(&self.kept, self.now);
        let command = Command { command_id, decided_on, action };
        match self.kept.give(&command, self.now) {
            Ok(change) => Some(change),
            Err(refusal) => {
                let sentence = refusal.to_string();
                assert!(!sentence.contains("Some(") && sentence.len() > 20, "{sentence}");
                // Whoever tries again hears the same.
                let by = self.kept.by(PERSON, self.now);
                assert_eq!(self.kept.case.carry_out(&command, by), Err(refusal));
                None
            }
        }
    }

    /// Time goes on, and nothing is ever forgotten.
    fn drain(mut self) {
        self.now += TimeDelta::days(500);
        self.kept.is_watched = false;
        let mut changes = 0;
        loop {
            let swept = self.kept.sweep(self.now);
            self.kept.publish_all(self.now);
            let judged = self.kept.rejudge(self.now);
            if swept.is_none() && judged.is_none() {
                break;
            }
            changes += 1;
            assert!(changes < 60, "sweeps that never come to an end");
        }
        self.kept.check();
        let incident = self.kept.incident();
        for duty in incident.running() {
            if duty.watched_at() <= Some(self.now) {
                let is_recorded = incident.overdue_since.contains_key(&duty.regime_id);
                assert!(is_recorded, "{} is over and not on record", duty.regime_id);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn nothing_due_is_missed_and_nothing_goes_unsaid(first in found(), ops in ops()) {
        let kept = Kept::open(whole_law(), first.findings());
        let mut life = Life { kept, now: opened_at(), command_count: 0 };
        for op in &ops {
            life.step(op);
        }
        life.drain();
    }
}
