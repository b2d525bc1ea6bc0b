//! All regimes for one incident with subjects in 60 countries. It is to take less than 1 ms.
#![expect(missing_docs, reason = "criterion's macro makes a public function")]
#![expect(clippy::unwrap_used, reason = "benches may")]

use chrono::DateTime;
use criterion::{Criterion, criterion_group, criterion_main};
use deadlines::{Facts, Law, Organisation, TriggerKind, TriggerTimes, obligations};
use serde_json::{Map, Value, json};

const COUNTRIES: [&str; 60] = [
    "AE", "AR", "AT", "AU", "BE", "BG", "BH", "BR", "CA", "CH", "CL", "CN", "CO", "CY", "CZ", "DE",
    "DK", "EE", "EG", "ES", "FI", "FR", "GB", "GR", "HK", "HR", "HU", "ID", "IE", "IL", "IN", "IS",
    "IT", "JP", "KE", "KR", "LT", "LU", "LV", "MT", "MX", "MY", "NG", "NL", "NO", "NZ", "PE", "PH",
    "PL", "PT", "RO", "RS", "SA", "SE", "SG", "SI", "SK", "TH", "TR", "US",
];

const STATES: [&str; 12] = [
    "US-AL", "US-AZ", "US-CA", "US-CO", "US-FL", "US-IA", "US-NY", "US-OR", "US-PA", "US-TX",
    "US-VT", "US-WA",
];

fn facts() -> Facts {
    let counts = |places: &[&str]| {
        let by_place: Map<String, Value> = places
            .iter()
            .map(|place| ((*place).to_owned(), json!({"lower": 400, "upper": 12_000})))
            .collect();
        json!({ "by_place": by_place })
    };
    Facts::default()
        .with("role", json!(["controller", "essential_entity", "financial_entity"]))
        .with("personal_data_breach", true)
        .with("gdpr_applies", true)
        .with("uk_gdpr_applies", true)
        .with("fadp_applies", true)
        .with("significant_incident", true)
        .with("classification", json!({"major": true}))
        .with("risk", "high_risk")
        .with("severity", "critical")
        .with("establishment_country", "DE")
        .with("authority_region", "Hamburg")
        .with("subject_country", json!(COUNTRIES.as_slice()))
        .with("subject_region", json!(STATES.as_slice()))
        .with("subject_count", counts(&COUNTRIES))
        .with("subject_count_in_region", counts(&STATES))
        .with("data_categories", json!(["contact_identity", "identity_number"]))
}

fn all_regimes(criterion: &mut Criterion) {
    let law = Law::embedded().unwrap();
    let facts = facts();
    let start = DateTime::from_timestamp(1_795_600_000, 0).unwrap();
    let times = TriggerKind::ALL
        .into_iter()
        .fold(TriggerTimes::default(), |times, kind| times.with(kind, start));
    let organisation = Organisation::in_zone(chrono_tz::Europe::Berlin);
    let judged = obligations(&law, &facts, &times, &organisation);
    assert!(judged.iter().filter(|obligation| obligation.is_open()).count() > 60);
    criterion.bench_function("all regimes, subjects in 60 countries", |bencher| {
        bencher.iter(|| obligations(&law, &facts, &times, &organisation));
    });
}

criterion_group!(benches, all_regimes);
criterion_main!(benches);
