//! The messages about logs that stay away, as their readers get them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

use std::{collections::BTreeSet, path::Path};

use assessment::delivery::{Arrival, Arrivals, Watch, judge};
use chrono::{DateTime, TimeDelta, Utc};
use eventlog::{
    audit_trail::{LogTampering, TamperingRow},
    event_type::EventType,
    row::Hour,
};
use notices::{DeliveryContext, Notice, SUBJECT_CHARACTERS_MAX, delivery_notice};
use serde_json::Value;

const ORG: &str = "00D5g000004Hq3K";

fn start() -> DateTime<Utc> {
    "2026-10-05T00:00:00Z".parse().unwrap()
}

fn context(org_name: &str) -> DeliveryContext {
    DeliveryContext {
        organisation: "Meridian Cloud GmbH".to_owned(),
        environment: "demo".to_owned(),
        time_zone: chrono_tz::Europe::Berlin,
        org_id: ORG.to_owned(),
        org_name: org_name.to_owned(),
    }
}

/// Every hour from the start on, four hours after its end.
fn come(arrivals: &mut Arrivals, event_type: EventType, hours: i64) {
    for hour in 0..hours {
        let at = start() + TimeDelta::hours(hour);
        let landed_at = at + TimeDelta::hours(5);
        arrivals.add(event_type, Hour::containing(at), Arrival::at(landed_at, 10));
    }
}

/// The alerts that are owed after two looks, as messages.
fn messages(arrivals: [&Arrivals; 2], due: &[EventType], looks: [i64; 2]) -> Vec<Notice> {
    let due: BTreeSet<EventType> = due.iter().copied().collect();
    let mut watch = Watch::begun(start());
    let mut notices = Vec::new();
    for (arrivals, hours) in arrivals.into_iter().zip(looks) {
        let now = start() + TimeDelta::hours(hours);
        let delivery = judge(arrivals, &due, start(), now);
        watch = watch.after(ORG, &delivery, true);
        for alert in std::mem::take(&mut watch.owed) {
            notices.push(delivery_notice(&alert, &delivery, &context("Meridian production"), now));
        }
    }
    for notice in &notices {
        sound(notice);
    }
    notices
}

/// Holds what every message has to be.
fn sound(notice: &Notice) {
    assert!(notice.subject.len() <= SUBJECT_CHARACTERS_MAX && notice.subject.is_ascii());
    assert!(notice.text.lines().all(|line| line.chars().count() <= 76), "{}", notice.text);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/webhook.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let schema = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    assert!(schema.is_valid(&notice.json), "{:#}", notice.json);
    let mut more = notice.json.clone();
    more["data"]["email"] = "somebody".into();
    assert!(!schema.is_valid(&more));
}

fn page(notices: &[Notice]) -> String {
    let page = |notice: &Notice| {
        format!("Subject: {}\n{:?}\n\n{}", notice.subject, notice.attributes, notice.text)
    };
    notices.iter().map(page).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_type_is_silent_and_comes_again() {
    let mut silent = Arrivals::default();
    come(&mut silent, EventType::RestApi, 672);
    come(&mut silent, EventType::Login, 720);
    let mut back = silent.clone();
    for hour in 682..692 {
        let at = start() + TimeDelta::hours(hour);
        back.add(EventType::RestApi, Hour::containing(at), Arrival::at(at, 1));
    }
    let notices = messages([&silent, &back], &[], [692, 700]);
    assert_eq!(notices.len(), 2);
    insta::assert_snapshot!(page(&notices));
    insta::assert_json_snapshot!(notices.iter().map(|notice| &notice.json).collect::<Vec<_>>());
}

#[test]
fn nothing_comes_from_an_org() {
    let mut arrivals = Arrivals::default();
    come(&mut arrivals, EventType::RestApi, 672);
    come(&mut arrivals, EventType::Login, 672);
    insta::assert_snapshot!(page(&messages([&arrivals, &arrivals], &[], [692, 693])));
}

#[test]
fn one_type_is_silent_and_another_that_has_to_come_never_did() {
    let mut arrivals = Arrivals::default();
    come(&mut arrivals, EventType::RestApi, 672);
    come(&mut arrivals, EventType::Login, 720);
    let due = [EventType::Report];
    insta::assert_snapshot!(page(&messages([&arrivals, &arrivals], &due, [692, 693])));
}

fn tampered(kind: LogTampering, user_id: Option<&str>) -> Notice {
    let row = TamperingRow {
        at: start() + TimeDelta::minutes(581),
        row_hash: "9f86d081884c7d659a2feaa0c55ad015".to_owned(),
        org_id: ORG.to_owned(),
        kind,
        user_id: user_id.map(str::to_owned),
    };
    let now = start() + TimeDelta::hours(11);
    let delivery = judge(&Arrivals::default(), &BTreeSet::new(), start(), now);
    let watch = Watch::begun(start()).after_tampering([row], now, true);
    let notice = delivery_notice(&watch.owed[0], &delivery, &context("Meridian production"), now);
    sound(&notice);
    notice
}

#[test]
fn somebody_may_have_deleted_logs() {
    insta::assert_snapshot!(page(&[tampered(LogTampering::Deletion, Some("0055g0000Admin1"))]));
}

#[test]
fn somebody_turned_logs_off() {
    let notice = tampered(LogTampering::GenerationStopped, None);
    insta::assert_snapshot!(page(std::slice::from_ref(&notice)));
    insta::assert_json_snapshot!(notice.json);
}

#[test]
fn a_long_name_of_an_org_gives_way_in_the_subject() {
    let mut arrivals = Arrivals::default();
    come(&mut arrivals, EventType::RestApi, 672);
    let now = start() + TimeDelta::hours(700);
    let delivery = judge(&arrivals, &BTreeSet::new(), start(), now);
    let watch = Watch::begun(start()).after(ORG, &delivery, true);
    let alert = watch.owed.first().unwrap();
    let notice = delivery_notice(alert, &delivery, &context(&"Größe ".repeat(60)), now);
    sound(&notice);
    assert!(
        notice.subject.starts_with("[demo] BLIND SPOT: all logs of Gr??e"),
        "{}",
        notice.subject
    );
}
