//! Every worked case of GDPR Art. 33(1) in the oracle file, compared to the instant.
#![expect(clippy::panic, reason = "tests may")]

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use deadlines::{Awareness, Facts, Law, Standing, TriggerTimes, obligations};
use serde::Deserialize;

const ORACLE: &str = include_str!("fixtures/oracle-eu-gdpr-33-1.csv");

#[derive(Deserialize)]
struct OracleRow {
    case_id: String,
    start_utc: String,
    time_zone: Tz,
    facts_json: String,
    due_utc: String,
    due_local: String,
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    (!text.is_empty()).then(|| text.parse().unwrap_or_else(|error| panic!("{text}: {error}")))
}

#[test]
fn every_case_of_article_33_1_ends_at_its_instant() {
    let law = Law::embedded().unwrap();
    let mut cases = 0;
    let mut reader = csv::Reader::from_reader(ORACLE.as_bytes());
    for row in reader.deserialize() {
        let OracleRow { case_id, start_utc, time_zone, facts_json, due_utc, due_local } =
            row.unwrap();
        let facts: Facts = serde_json::from_str(&facts_json).unwrap();
        let times = TriggerTimes {
            aware: instant(&start_utc).map(|at| Awareness { at, assumed: false }),
            ..TriggerTimes::default()
        };
        let obligation = obligations(&law, &facts, &times).remove(0);
        // The table reads a fact that a case leaves out as not met; we keep such a duty in view as possible.
        let found = match obligation.standing {
            Standing::Applies => obligation.due_at,
            Standing::Possible { .. } | Standing::DoesNotApply { .. } => None,
        };
        assert_eq!(found, instant(&due_utc), "{case_id}");
        if let Some(found) = found {
            let expected = DateTime::parse_from_rfc3339(&due_local).unwrap();
            let local = found.with_timezone(&time_zone).fixed_offset();
            assert_eq!(
                local.to_rfc3339_opts(SecondsFormat::AutoSi, false),
                expected.to_rfc3339_opts(SecondsFormat::AutoSi, false),
                "{case_id}, local"
            );
        }
        cases += 1;
    }
    assert_eq!(cases, 34, "the oracle file has lost or gained rows");
}
