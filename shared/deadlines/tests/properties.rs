//! What holds for every regime, whatever the facts and the instants.
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use deadlines::{
    Condition, Facts, Law, LimitUnit, Method, Obligation, Organisation, Regime, ReminderPolicy,
    Sent, Stage, Standing, TriggerKind, TriggerTimes, obligations, obligations_after, reminders,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

static LAW: LazyLock<Law> = LazyLock::new(|| Law::embedded().unwrap());

const ZONES: [Tz; 6] = [
    chrono_tz::Europe::Berlin,
    chrono_tz::America::Los_Angeles,
    chrono_tz::Asia::Kolkata,
    chrono_tz::Pacific::Auckland,
    chrono_tz::Africa::Cairo,
    chrono_tz::UTC,
];

/// Facts for which a condition holds.
fn meet(condition: &Condition, facts: &mut Map<String, Value>) {
    let mut set = |fact: &String, value: Value| {
        facts.insert(fact.clone(), value);
    };
    match condition {
        Condition::Any { of } => {
            if let Some(first) = of.first() {
                meet(first, facts);
            }
        }
        Condition::All { of } => of.iter().for_each(|part| meet(part, facts)),
        Condition::Eq { fact, value } => set(fact, value.clone()),
        Condition::Neq { fact, .. } => {
            if !facts.contains_key(fact) {
                facts.insert(fact.clone(), json!("something else"));
            }
        }
        Condition::In { fact, values } => set(fact, values.first().unwrap().clone()),
        Condition::AnyOf { fact, values } => set(fact, json!([values.first().unwrap()])),
        Condition::InGroup { fact, .. } => set(fact, json!("DE")),
        Condition::Gt { fact, value } => set(fact, json!(value + 1)),
        Condition::Gte { fact, value } | Condition::Lte { fact, value } => set(fact, json!(value)),
        Condition::Lt { fact, value } => set(fact, json!(value - 1)),
    }
}

fn applying(regime: &Regime) -> Map<String, Value> {
    let mut facts = Map::new();
    for condition in &regime.applies_when {
        meet(condition, &mut facts);
    }
    facts.insert("authority_country".to_owned(), json!("DE"));
    facts.insert("ai.annex".to_owned(), json!("III"));
    facts
}

fn judged(regime: &Regime, facts: &Facts, times: &TriggerTimes, zone: Tz) -> Obligation {
    let law = LAW.clone().only(&[&regime.id]).unwrap();
    obligations(&law, facts, times, &Organisation::in_zone(zone)).remove(0)
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn started(regime: &Regime, seconds: i64) -> TriggerTimes {
    TriggerTimes::default().with(regime.starts_at, at(seconds))
}

fn facts_of(facts: &Map<String, Value>) -> Facts {
    serde_json::from_value(Value::Object(facts.clone())).unwrap()
}

/// The noon of Del. Reg. (EU) 2025/301 Art. 5(4): an end on Sunday runs to Monday noon and one at half past midnight on
/// Monday does not, so by the law's own words an earlier start may end later.
fn ends_at_noon(regime: &Regime) -> bool {
    regime.extension.as_deref().is_some_and(|id| {
        matches!(LAW.counting_rules().get(id).unwrap().method, Method::NoonOfNextWorkingDay { .. })
    })
}

/// The two working days of Reg. (EEC, Euratom) 1182/71 Art. 3(5), in hours: a limit with one of them runs to the end of the
/// second, and one that ends at any hour of the second holds both. So the latest end may be earlier for a later start.
fn holds_two_working_days(regime: &Regime) -> bool {
    regime.limit.is_some_and(|limit| limit.unit == LimitUnit::Hours)
        && regime.latest_readings.iter().any(|id| {
            matches!(LAW.counting_rules().get(id).unwrap().method, Method::TwoWorkingDays { .. })
        })
}

/// From 2018 to 2060.
const SECONDS: std::ops::Range<i64> = 1_527_300_000..2_840_000_000;

#[test]
fn every_regime_can_be_made_to_apply_or_is_coming() {
    for regime in &LAW.regimes {
        let times = started(regime, at_or_after(regime));
        let obligation = judged(regime, &facts_of(&applying(regime)), &times, ZONES[5]);
        let is_law = matches!(obligation.standing, Standing::Applies);
        let is_coming = matches!(obligation.standing, Standing::Coming { .. });
        assert!(is_law || is_coming, "{}: {:?}", regime.id, obligation.standing);
        if is_law {
            let watched = obligation.watched_at();
            assert!(watched.is_some(), "{}: neither limit nor target", regime.id);
            assert!(obligation.due_at.is_none() || obligation.target.is_none(), "{}", regime.id);
        } else {
            assert_eq!(obligation.watched_at(), None, "{}: what is coming is never due", regime.id);
        }
    }
}

/// An instant at which the regime is law, if it ever is.
fn at_or_after(regime: &Regime) -> i64 {
    let day = regime.in_force_until.or_else(|| {
        let bites = regime.bites_from.as_ref().and_then(|bites| bites.days.values().max().copied());
        bites.max(regime.in_force_from)
    });
    let noon = day.map(|day| day.and_hms_opt(12, 0, 0).unwrap().and_utc().timestamp());
    noon.unwrap_or(1_796_000_000)
}

#[test]
fn without_a_fact_no_regime_is_silently_ruled_out() {
    for regime in LAW.regimes.iter().filter(|regime| !regime.applies_when.is_empty()) {
        let obligation =
            judged(regime, &Facts::default(), &started(regime, at_or_after(regime)), ZONES[0]);
        assert!(
            matches!(obligation.standing, Standing::Possible { .. } | Standing::Coming { .. }),
            "{}: {:?}",
            regime.id,
            obligation.standing
        );
        if regime.limit.is_some() && matches!(obligation.standing, Standing::Possible { .. }) {
            assert!(obligation.due_at.is_some(), "{}: the would-be due stays in view", regime.id);
        }
    }
}

#[test]
fn no_regime_takes_another_moment_for_its_start() {
    for regime in &LAW.regimes {
        let mut times = TriggerTimes::default();
        for kind in TriggerKind::ALL.into_iter().filter(|kind| *kind != regime.starts_at) {
            times = times.with(kind, at(at_or_after(regime)));
        }
        let obligation = judged(regime, &facts_of(&applying(regime)), &times, ZONES[0]);
        assert_eq!(obligation.due_at, None, "{}", regime.id);
        assert_eq!(obligation.would_be_due_at, None, "{}", regime.id);
        if matches!(obligation.standing, Standing::Applies) {
            assert_eq!(obligation.gap.as_deref(), Some(regime.starts_at.question()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn an_earlier_start_never_gives_a_later_due(
        index in 0..LAW.regimes.len(),
        zone in 0..ZONES.len(),
        a in SECONDS,
        span in prop_oneof![0_i64..200_000, 0_i64..40_000_000],
    ) {
        let regime = &LAW.regimes[index];
        prop_assume!(!ends_at_noon(regime));
        let facts = facts_of(&applying(regime));
        let due = |seconds| {
            let judged = judged(regime, &facts, &started(regime, seconds), ZONES[zone]);
            judged.due_at.zip(judged.latest_defensible_at)
        };
        if let (Some((early, early_latest)), Some((late, late_latest))) = (due(a), due(a + span)) {
            prop_assert!(early <= late, "{}: {early} and {late}", regime.id);
            if !holds_two_working_days(regime) {
                prop_assert!(early_latest <= late_latest, "{}, latest", regime.id);
            }
        }
    }

    #[test]
    fn a_due_instant_lies_after_its_start_and_before_the_latest_and_hours_are_elapsed_hours(
        index in 0..LAW.regimes.len(),
        zone in 0..ZONES.len(),
        seconds in SECONDS,
    ) {
        let regime = &LAW.regimes[index];
        let facts = facts_of(&applying(regime));
        let obligation = judged(regime, &facts, &started(regime, seconds), ZONES[zone]);
        if let Some(due) = obligation.due_at {
            prop_assert!(at(seconds) < due, "{}", regime.id);
            prop_assert!(due <= obligation.latest_defensible_at.unwrap(), "{}", regime.id);
            let local = obligation.due_local.unwrap();
            prop_assert_eq!(local.organisation.to_utc(), due);
            let limit = regime.limit.filter(|limit| limit.unit == LimitUnit::Hours);
            if let (Some(limit), None) = (limit, &regime.extension) {
                prop_assert_eq!(due - at(seconds), TimeDelta::hours(i64::from(limit.value)));
            }
        }
    }

    #[test]
    fn every_reminder_lies_before_its_due_instant(
        index in 0..LAW.regimes.len(),
        seconds in SECONDS,
    ) {
        let regime = &LAW.regimes[index];
        let facts = facts_of(&applying(regime));
        let obligation = judged(regime, &facts, &started(regime, seconds), ZONES[0]);
        if let Some(due) = obligation.due_at {
            for reminder in reminders(&ReminderPolicy::default().general, at(seconds), due) {
                let is_before = at(seconds) < reminder.at && reminder.at < due;
                prop_assert!(is_before || (reminder.stage == Stage::Overdue && reminder.at == due));
            }
        }
    }

    #[test]
    fn neither_the_order_of_facts_nor_a_second_look_changes_anything(
        (index, other, names, countries, seconds) in (
            0..LAW.regimes.len(),
            0..LAW.regimes.len(),
            Just(vec!["risk", "subject_count", "death", "severity", "authority_region", "role"]).prop_shuffle(),
            Just(vec!["DE", "US", "JP", "BR", "FR"]).prop_shuffle(),
            SECONDS,
        )
    ) {
        let mut facts = applying(&LAW.regimes[index]);
        facts.extend(applying(&LAW.regimes[other]));
        facts.remove("authority_country");
        let given = |names: &[&str], countries: &[&str]| {
            let start: Facts = Facts::default().with("subject_country", json!(countries));
            let first = facts.iter().fold(start, |all, (name, value)| {
                if name == "subject_country" { all } else { all.with(name.clone(), value.clone()) }
            });
            names.iter().fold(first, |all, name| match *name {
                "risk" => all.with("risk", "high_risk"),
                "subject_count" => all.with("subject_count", json!({"lower": 3, "upper": null})),
                "death" => all.with("death", false),
                "severity" => all.with("severity", "high"),
                "authority_region" => all.with("authority_region", "Berlin"),
                _ => all.with("role", json!(["controller", "processor"])),
            })
        };
        let mut times = TriggerTimes::default();
        for kind in TriggerKind::ALL {
            times = times.with(kind, at(seconds));
        }
        let mut sorted_names = names.clone();
        sorted_names.sort_unstable();
        let mut sorted_countries = countries.clone();
        sorted_countries.sort_unstable();
        let organisation = Organisation::in_zone(ZONES[0]);
        let judge = |facts: &Facts| obligations(&LAW, facts, &times, &organisation);
        let shuffled = given(&names, &countries);
        let first = judge(&shuffled);
        prop_assert_eq!(&first, &judge(&shuffled));
        prop_assert_eq!(&first, &judge(&given(&sorted_names, &sorted_countries)));
    }
}

/// Where in the law the regimes stand that others follow.
fn followed() -> Vec<usize> {
    let is_followed = |id: &String| LAW.regimes.iter().any(|regime| regime.follows.contains(id));
    let places = LAW.regimes.iter().enumerate().filter(|(_, regime)| is_followed(&regime.id));
    places.map(|(index, _)| index).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_sending_changes_only_the_duties_that_follow_its_regime(
        index in prop_oneof![0..LAW.regimes.len(), proptest::sample::select(followed())],
        others in proptest::collection::btree_map(0..LAW.regimes.len(), SECONDS, 0..40),
        global in proptest::option::of(SECONDS),
        (sent_at, aware_at) in (SECONDS, SECONDS),
    ) {
        let regime = &LAW.regimes[index];
        let facts = Facts::default().with("risk", "high_risk").with("authority_country", "DE");
        let mut times = TriggerTimes::default().with(TriggerKind::Aware, at(aware_at));
        let organisation = Organisation::in_zone(ZONES[0]);
        let judge = |times: &TriggerTimes, sent: &Sent| {
            obligations_after(&LAW, &facts, times, sent, &organisation)
        };
        let mut sent: Sent = others
            .iter()
            .map(|(index, seconds)| (LAW.regimes[*index].id.clone(), at(*seconds)))
            .collect();
        let before = judge(&times, &sent);
        for kind in TriggerKind::ALL.into_iter().filter(|kind| kind.is_sending()) {
            times = global.map_or(times, |seconds| times.with(kind, at(seconds)));
        }
        prop_assert_eq!(&before, &judge(&times, &sent), "a sending by no law changes nothing");
        sent.insert(regime.id.clone(), at(sent_at));
        for (before, after) in before.iter().zip(judge(&times, &sent)) {
            let follows = &LAW.regime(&after.regime_id).unwrap().follows;
            prop_assert!(*before == after || follows.contains(&regime.id), "{}", after.regime_id);
        }
    }
}

#[test]
fn the_noon_of_dora_is_later_for_a_sunday_than_for_the_night_after_it() {
    let regime = LAW.regime("eu-dora-intermediate").unwrap();
    let mut facts = applying(regime);
    facts.insert("entity_type".to_owned(), json!("payment_institution"));
    facts.insert("nis2_entity".to_owned(), json!(false));
    let due = |start: &str| {
        let times = TriggerTimes::default().with(TriggerKind::InitialSent, start.parse().unwrap());
        judged(regime, &facts_of(&facts), &times, ZONES[0]).due_at.unwrap().to_rfc3339()
    };
    assert_eq!(due("2026-11-12T22:30:00Z"), "2026-11-16T11:00:00+00:00", "ends Sunday 23:30");
    assert_eq!(due("2026-11-12T23:30:00Z"), "2026-11-15T23:30:00+00:00", "ends Monday 00:30");
}

#[test]
fn the_two_working_days_end_later_for_a_friday_than_for_the_night_after_it() {
    let regime = LAW.regime("eu-gdpr-33-1").unwrap();
    let latest = |start: &str| {
        let times = TriggerTimes::default().with(TriggerKind::Aware, start.parse().unwrap());
        let obligation = judged(regime, &facts_of(&applying(regime)), &times, ZONES[0]);
        obligation.latest_defensible_at.unwrap().to_rfc3339()
    };
    assert_eq!(latest("2026-11-06T22:30:00Z"), "2026-11-10T22:59:59+00:00", "ends Monday 23:30");
    assert_eq!(latest("2026-11-06T23:30:00Z"), "2026-11-10T00:00:00+00:00", "ends Tuesday 00:30");
}
