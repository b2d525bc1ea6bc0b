//! Every worked example of `law/counting-rules.json`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use deadlines::{
    Awareness, CountingRule, Facts, Law, Method, Obligation, Organisation, TriggerKind,
    TriggerTimes, obligations,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    start: Option<DateTime<Utc>>,
    start_latest: Option<DateTime<Utc>>,
    zone: Tz,
    /// As `72 hours`.
    limit: Option<String>,
    counting: Option<String>,
    extension: Option<String>,
    /// A regime of the law, where the example is about one.
    regime: Option<String>,
    /// The authority's country.
    country: Option<String>,
    facts: Option<Value>,
    due: Option<DateTime<Utc>>,
    latest: Option<DateTime<Utc>>,
    why: String,
}

/// A regime that has nothing but the rule.
fn law_of(rule: &CountingRule, example: &Example) -> Law {
    if let Some(id) = &example.regime {
        return Law::embedded().unwrap().only(&[id]).unwrap();
    }
    let (value, unit) = example.limit.as_deref().unwrap().split_once(' ').unwrap();
    let mut regime = json!({
        "id": "example", "version": "test", "title": "example", "jurisdiction": "EU",
        "article": "example", "who_notifies": "one", "who_is_told": "another", "applies_when": [],
        "starts_at": "aware", "limit": {"value": value.parse::<u32>().unwrap(), "unit": unit},
        "place": "authority", "phased": false, "status": "in_force", "source": "example",
        "verified": true,
    });
    regime["counting"] = json!(example.counting.as_deref().unwrap_or(match rule.method {
        Method::FullClockHours => "exact-hours",
        _ => &rule.id,
    }));
    match rule.method {
        Method::NextWorkingDay { .. } | Method::NoonOfNextWorkingDay { .. } => {
            regime["extension"] = json!(rule.id);
        }
        Method::FullClockHours | Method::TwoWorkingDays { .. } => {
            regime["latest_readings"] = json!([rule.id]);
        }
        _ => {}
    }
    if let Some(extension) = &example.extension {
        regime["extension"] = json!(extension);
    }
    let file = json!({"schema": "test", "law_version": "test", "regimes": [regime]});
    Law::from_json(&file.to_string()).unwrap()
}

fn judged(rule: &CountingRule, example: &Example) -> Obligation {
    let mut facts: Facts =
        serde_json::from_value(example.facts.clone().unwrap_or(json!({}))).unwrap();
    facts = facts.with("authority_country", example.country.as_deref().unwrap_or("DE"));
    let mut times = TriggerTimes::default();
    if let Some(start) = example.start {
        let aware = Awareness::decided(start);
        times.aware =
            Some(example.start_latest.map_or(aware, |latest| aware.or_as_late_as(latest)));
    } else {
        times = times.with(TriggerKind::Detected, "2026-11-09T07:00:00Z".parse().unwrap());
    }
    let law = law_of(rule, example);
    obligations(&law, &facts, &times, &Organisation::in_zone(example.zone)).remove(0)
}

#[test]
fn every_worked_example_ends_at_its_instant() {
    let law = Law::embedded().unwrap();
    let mut examples = 0;
    for rule in law.counting_rules().iter() {
        for value in &rule.examples {
            let example: Example = serde_json::from_value(value.clone())
                .unwrap_or_else(|error| panic!("{}: {error} in {value}", rule.id));
            let obligation = judged(rule, &example);
            let name = format!("{}: {}", rule.id, example.why);
            if example.latest.is_none() || example.due.is_some() {
                assert_eq!(obligation.due_at, example.due, "{name}");
            }
            if let Some(latest) = example.latest {
                assert_eq!(obligation.latest_defensible_at, Some(latest), "{name}");
            }
            examples += 1;
        }
    }
    assert_eq!(examples, 20, "examples were lost or gained");
}
