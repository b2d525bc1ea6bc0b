//! Every worked case of the two oracle files, compared to the instant.
//!
//! The files read a fact that a case leaves out as not met. The crate does not: it keeps such a duty in view as
//! possible. So here, and only here, each fact that a regime asks for and a case leaves out is filled in as `false`.
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests may")]

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use deadlines::{
    Awareness, Condition, Facts, Law, Organisation, Standing, TriggerKind, TriggerTimes,
    obligations,
};
use serde::Deserialize;
use serde_json::Value;

const EUROPE: &str = include_str!("fixtures/deadline-oracle-eu.csv");
const WORLD: &str = include_str!("fixtures/deadline-oracle-world.csv");

/// Rows that we hold to be wrong, each with the proof from the law's text. There are none.
const DISPUTED: [(&str, &str); 0] = [];

/// The latest starts that a row tells of in its words only: in case G26 the risk was judged anew on Friday 6 November at
/// 14:30 in Berlin.
const LATEST_STARTS: [(&str, &str); 1] = [("eu G26", "2026-11-06T14:30:00+01:00")];

#[derive(Deserialize)]
struct OracleRow {
    case_id: String,
    regime_id: String,
    starts_at_kind: TriggerKind,
    start_utc: String,
    time_zone: Tz,
    facts_json: String,
    due_utc: String,
    due_local: String,
    latest_defensible_utc: String,
    why: String,
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    (!text.is_empty()).then(|| text.parse().unwrap_or_else(|error| panic!("{text}: {error}")))
}

/// The facts of a row, with those that it leaves out as not met.
fn closed_facts(given: &Value, conditions: &[Condition]) -> Facts {
    let mut facts: Facts = serde_json::from_value(given.clone()).unwrap();
    for fact in conditions.iter().flat_map(Condition::facts) {
        if facts.get(fact).is_none() {
            facts = facts.with(fact, false);
        }
    }
    facts
}

fn times(row: &OracleRow, row_name: &str, given: &Value) -> TriggerTimes {
    let mut times = TriggerTimes::default();
    for (fact, kind) in [("aware_utc", TriggerKind::Aware), ("detected_utc", TriggerKind::Detected)]
    {
        if let Some(at) = given.get(fact).and_then(Value::as_str).and_then(instant) {
            times = times.with(kind, at);
        }
    }
    if let Some(start) = instant(&row.start_utc) {
        times = times.with(row.starts_at_kind, start);
    }
    let candidates = given.get("aware_candidates_utc").and_then(Value::as_array);
    let latest_candidate =
        candidates.into_iter().flatten().filter_map(Value::as_str).filter_map(instant).max();
    let told = LATEST_STARTS.iter().find(|(name, _)| *name == row_name);
    let latest = latest_candidate.or_else(|| told.and_then(|(_, at)| instant(at)));
    if let (Some(aware), Some(latest)) = (times.aware, latest) {
        times.aware = Some(Awareness::decided(aware.at).or_as_late_as(latest));
    }
    times
}

/// What differs in a row.
fn differences(law: &Law, file: &str, row: &OracleRow) -> Vec<String> {
    let name = format!("{file} {}", row.case_id);
    let given: Value = serde_json::from_str(&row.facts_json).unwrap();
    let law = law.clone().only(&[&row.regime_id]).unwrap();
    let regime = law.regimes.first().unwrap();
    let facts = closed_facts(&given, &regime.applies_when);
    let organisation = Organisation::in_zone(row.time_zone);
    let obligation = obligations(&law, &facts, &times(row, &name, &given), &organisation).remove(0);
    let mut differences = Vec::new();
    if regime.starts_at != row.starts_at_kind {
        differences.push(format!("{name}: starts at {:?}", regime.starts_at));
    }
    let is_what_if = given.get("what_if") == Some(&Value::Bool(true));
    // The world's file says why there is no clock.
    let expected_standing = match row.why.split_once(':') {
        Some(("not in force", _)) => Some(&["coming"][..]),
        Some(("no duty", _)) => Some(&["does_not_apply", "possible"][..]),
        Some(("no number", _)) => Some(&["applies"][..]),
        _ => None,
    };
    if let Some(expected) = expected_standing {
        if !expected.contains(&obligation.standing.name()) {
            differences.push(format!("{name}: {:?}, {}", obligation.standing, row.why));
        }
        if expected == ["applies"] {
            assert!(
                obligation.target.unwrap().at.is_some(),
                "{name}: an internal target stands in"
            );
        }
    }
    let (due, latest) = match obligation.standing {
        Standing::Applies => (obligation.due_at, obligation.latest_defensible_at),
        // A proposal never falls due; what it would mean can be asked.
        Standing::Coming { .. } if is_what_if => (obligation.would_be_due_at, None),
        Standing::Possible { .. } | Standing::DoesNotApply { .. } => (None, None),
        Standing::Coming { .. } => {
            assert_eq!(obligation.due_at, None, "{name}: what is coming is never due");
            (None, None)
        }
    };
    if due != instant(&row.due_utc) {
        differences.push(format!(
            "{name} {}: due {due:?}, the row says {}, {} ({:?})",
            row.regime_id, row.due_utc, row.why, obligation.standing
        ));
    }
    if !is_what_if && latest != instant(&row.latest_defensible_utc) {
        differences.push(format!(
            "{name} {}: latest {latest:?}, the row says {}, {}",
            row.regime_id, row.latest_defensible_utc, row.why
        ));
    }
    if let Some(due) = due {
        let expected = DateTime::parse_from_rfc3339(&row.due_local).unwrap();
        let local = due.with_timezone(&row.time_zone).fixed_offset();
        let shown = |at: DateTime<_>| at.to_rfc3339_opts(SecondsFormat::AutoSi, false);
        if shown(local) != shown(expected) {
            differences.push(format!("{name}: local {}", shown(local)));
        }
        if !is_what_if {
            assert_eq!(obligation.due_local.unwrap().organisation, expected, "{name}");
        }
    }
    differences
}

fn compare(file: &str, rows: &str, row_count: usize) {
    let law = Law::embedded().unwrap();
    let mut found = Vec::new();
    let mut names = BTreeSet::new();
    for row in csv::Reader::from_reader(rows.as_bytes()).deserialize() {
        let row: OracleRow = row.unwrap();
        let name = format!("{file} {}", row.case_id);
        let is_disputed = DISPUTED.iter().any(|(disputed, _)| *disputed == name);
        assert!(names.insert(name), "{} stands twice", row.case_id);
        let differences = differences(&law, file, &row);
        if is_disputed {
            assert!(!differences.is_empty(), "{} is disputed and agrees", row.case_id);
        } else {
            found.extend(differences);
        }
    }
    assert_eq!(names.len(), row_count, "the oracle file has lost or gained rows");
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}

#[test]
fn every_case_of_europe_ends_at_its_instant() {
    compare("eu", EUROPE, 155);
}

#[test]
fn every_case_of_the_world_ends_at_its_instant() {
    compare("world", WORLD, 128);
}
