//! What each decision does, one at a time.

use assessment::findings::SeverityLevel;
use chrono::TimeDelta;
use deadlines::Stage;
use incident::{AlertState, TimelineKind, verify};

use crate::support::{Kept, REGIME, at, findings, kinds, open, opened_at, policy, told};

#[test]
fn opening_owes_the_first_alert_at_once_and_schedules_the_reminders_of_the_clock() {
    let change = open(SeverityLevel::High);
    let planned: Vec<(String, String, bool)> = change
        .alerts
        .iter()
        .map(|alert| (alert.stage.name(), alert.due_at.to_rfc3339(), alert.is_owed()))
        .collect();
    let expected = [
        ("opened", "2026-11-24T10:00:00+00:00", true),
        ("remaining-48h", "2026-11-25T10:00:00+00:00", false),
        ("remaining-24h", "2026-11-26T10:00:00+00:00", false),
        ("remaining-12h", "2026-11-26T22:00:00+00:00", false),
        ("remaining-6h", "2026-11-27T04:00:00+00:00", false),
        ("remaining-1h", "2026-11-27T09:00:00+00:00", false),
        ("overdue", "2026-11-27T10:00:00+00:00", false),
    ];
    let expected = expected.map(|(stage, due, owed)| (stage.to_owned(), due.to_owned(), owed));
    assert_eq!(planned, expected);
    assert_eq!(
        change.alerts[0].state,
        AlertState::Owed {
            since: opened_at(),
            attempt: 1,
            next_attempt_at: opened_at() + TimeDelta::minutes(2),
        }
    );
    assert!(change.alerts[1..].iter().all(|alert| alert.state == AlertState::Scheduled));
    // News of the incident belongs to no clock; a reminder to the one that it counts down.
    assert_eq!(change.alerts[0].regime_id, None);
    assert!(change.alerts[1..].iter().all(|alert| alert.regime_id.as_deref() == Some(REGIME)));
}

#[test]
fn opening_keeps_the_moments_apart_and_calls_awareness_assumed() {
    let change = open(SeverityLevel::High);
    let incident = change.incident;
    assert_eq!((change.expected_version, incident.version), (0, 1));
    assert_eq!(incident.times.occurred, Some(at("2026-11-24T09:12:00Z")));
    assert_eq!(incident.times.landed, Some(at("2026-11-24T09:59:00Z")));
    assert_eq!(incident.times.detected, Some(opened_at()));
    let aware = incident.times.aware.unwrap();
    assert_eq!((aware.at, aware.assumed), (opened_at(), true));
    let obligation = incident.most_urgent().unwrap();
    assert_eq!(obligation.due_at, Some(at("2026-11-27T10:00:00Z")));
    assert!(obligation.start_assumed);
    assert_eq!(kinds(&change.timeline), ["opened", "alert_owed", "obligation_judged"]);
    assert_eq!(verify(&change.timeline, &incident.timeline_head), None);
}

#[test]
fn a_duty_that_does_not_apply_is_recorded_and_reminds_nobody() {
    let mut policy = policy();
    policy.facts = policy.facts.with("gdpr_applies", false);
    let found = findings(SeverityLevel::High, 1);
    let change = incident::Incident::open(found, 1, None, opened_at(), &policy, "assess");
    assert_eq!(change.alerts.len(), 1, "{:#?}", change.alerts);
    assert_eq!(change.alerts[0].stage, Stage::Opened);
    assert_eq!(change.incident.most_urgent(), None);
    assert_eq!(kinds(&change.timeline), ["opened", "alert_owed", "obligation_judged"]);
}

#[test]
fn opening_twice_gives_the_same_names() {
    assert_eq!(open(SeverityLevel::High), open(SeverityLevel::High));
    let change = open(SeverityLevel::High);
    let mut ids: Vec<&str> = change.alerts.iter().map(|alert| alert.alert_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), change.alerts.len(), "each alert has a name of its own");
}

#[test]
fn the_same_findings_change_nothing() {
    let incident = open(SeverityLevel::High).incident;
    let same = incident.findings.clone();
    let later = opened_at() + TimeDelta::hours(3);
    assert_eq!(incident.extend(same, later, &policy(), "assess"), None);
}

#[test]
fn more_rows_of_the_same_severity_are_recorded_without_an_alert() {
    let incident = open(SeverityLevel::High).incident;
    let later = opened_at() + TimeDelta::hours(3);
    let change =
        incident.extend(findings(SeverityLevel::High, 2), later, &policy(), "assess").unwrap();
    assert_eq!(change.alerts, []);
    assert_eq!(kinds(&change.timeline), ["findings_changed"]);
    assert_eq!(change.incident.findings.row_count, 2);
    assert_eq!((change.expected_version, change.incident.version), (1, 2));
}

#[test]
fn a_worse_severity_owes_one_alert_and_never_a_second_for_the_same_level() {
    let mut kept = Kept::open(SeverityLevel::Medium);
    let mut alerts_of = |level, row_count| {
        let now = opened_at() + TimeDelta::minutes(i64::try_from(row_count).unwrap());
        let change =
            kept.incident.extend(findings(level, row_count), now, &policy(), "assess").unwrap();
        let ids: Vec<String> = change.alerts.iter().map(|alert| alert.alert_id.clone()).collect();
        assert!(
            change.alerts.iter().all(|alert| alert.is_owed()
                && alert.stage == Stage::Worsened
                && alert.due_at == now)
        );
        kept.keep(change);
        ids
    };
    let high = alerts_of(SeverityLevel::High, 2);
    assert_eq!(high.len(), 1);
    assert!(high[0].ends_with(".incident.worsened.high"), "{high:?}");
    // Less severe, and as severe as was said before: no news that cannot wait.
    assert_eq!(alerts_of(SeverityLevel::Low, 3), [""; 0]);
    assert_eq!(alerts_of(SeverityLevel::High, 4), [""; 0]);
    let critical = alerts_of(SeverityLevel::Critical, 5);
    assert_eq!(critical.len(), 1);
    assert_ne!(critical, high);
}

#[test]
fn an_earlier_access_found_later_moves_the_occurrence_and_not_the_clock() {
    let incident = open(SeverityLevel::High).incident;
    let mut found = findings(SeverityLevel::High, 2);
    found.first_event_at = at("2026-11-20T01:00:00Z");
    let later = opened_at() + TimeDelta::hours(30);
    let change = incident.extend(found, later, &policy(), "assess").unwrap();
    assert_eq!(change.incident.times.occurred, Some(at("2026-11-20T01:00:00Z")));
    assert_eq!(change.incident.times.detected, incident.times.detected);
    assert_eq!(change.incident.times.aware, incident.times.aware);
    assert_eq!(change.incident.obligations, incident.obligations);
    assert_eq!(change.alerts, [], "no reminder is planned a second time");
}

#[test]
fn where_nothing_is_due_a_sweep_changes_nothing() {
    let mut kept = Kept::open(SeverityLevel::High);
    assert_eq!(kept.sweep(opened_at() + TimeDelta::seconds(119)), None);
    let opened = kept.of(Stage::Opened).alert_id.clone();
    kept.publish(&opened, opened_at() + TimeDelta::seconds(120));
    assert_eq!(kept.sweep(at("2026-11-25T09:59:59.999Z")), None);
    assert_eq!(kept.incident.version, 2);
}

#[test]
fn only_what_is_due_is_raised() {
    let mut kept = Kept::open(SeverityLevel::High);
    let opened = kept.of(Stage::Opened).alert_id.clone();
    kept.publish(&opened, opened_at());
    let now = at("2026-11-25T10:00:20Z");
    let change = kept.sweep(now).unwrap();
    assert_eq!(told(&change), (vec![("remaining-48h".to_owned(), 1)], vec![]));
    let TimelineKind::AlertOwed { attempt: 1, late_seconds: 20, .. } = &change.timeline[0].event
    else {
        panic!("{:?}", change.timeline);
    };
    assert_eq!(kept.of(Stage::Remaining { hours: 24 }).state, AlertState::Scheduled);
}

#[test]
fn what_was_not_published_is_raised_again_after_growing_pauses() {
    let mut kept = Kept::open(SeverityLevel::High);
    let mut raised = Vec::new();
    for minute in 0..=100 {
        if let Some(change) = kept.sweep(opened_at() + TimeDelta::minutes(minute)) {
            assert_eq!(told(&change).0.len(), 1);
            raised.push((minute, told(&change).0[0].1));
        }
    }
    assert_eq!(raised, [(2, 2), (6, 3), (14, 4), (30, 5), (60, 6), (90, 7)]);
    let AlertState::Owed { since, .. } = kept.of(Stage::Opened).state else { panic!() };
    assert_eq!(since, opened_at(), "it is owed since the first time");
}

#[test]
fn after_an_outage_one_message_of_the_clock_is_sent_and_the_rest_say_for_which_they_give_way() {
    let mut kept = Kept::open(SeverityLevel::High);
    let opened = kept.of(Stage::Opened).alert_id.clone();
    kept.publish(&opened, opened_at());
    let change = kept.sweep(at("2026-11-27T05:00:00Z")).unwrap();
    let winner = kept.of(Stage::Remaining { hours: 6 }).alert_id.clone();
    let (owed, withdrawn) = told(&change);
    assert_eq!(owed, [("remaining-6h".to_owned(), 1)]);
    let stages: Vec<&str> = withdrawn.iter().map(|(stage, _)| stage.as_str()).collect();
    assert_eq!(stages, ["remaining-12h", "remaining-24h", "remaining-48h"]);
    assert!(withdrawn.iter().all(|(_, reason)| reason.contains(&winner)), "{withdrawn:?}");
    assert_eq!(
        kinds(&change.timeline),
        ["alert_owed", "alert_withdrawn", "alert_withdrawn", "alert_withdrawn"]
    );
    assert!(change.incident.overdue_since.is_empty());
}

#[test]
fn news_of_the_incident_does_not_give_way_to_a_reminder() {
    let mut kept = Kept::open(SeverityLevel::High);
    let change = kept.sweep(at("2026-11-25T10:00:00Z")).unwrap();
    let (mut owed, withdrawn) = told(&change);
    owed.sort();
    assert_eq!(owed, [("opened".to_owned(), 2), ("remaining-48h".to_owned(), 1)]);
    assert_eq!(withdrawn, []);
}

#[test]
fn an_unsent_reminder_gives_way_to_the_next_of_its_clock() {
    let mut kept = Kept::open(SeverityLevel::High);
    let opened = kept.of(Stage::Opened).alert_id.clone();
    kept.publish(&opened, opened_at());
    kept.sweep(at("2026-11-25T10:00:00Z")).unwrap();
    let change = kept.sweep(at("2026-11-26T10:00:00Z")).unwrap();
    let (owed, withdrawn) = told(&change);
    assert_eq!(owed, [("remaining-24h".to_owned(), 1)]);
    assert_eq!(withdrawn[0].0, "remaining-48h");
}

#[test]
fn an_earlier_reminder_is_not_sent_after_a_later_one() {
    let mut kept = Kept::open(SeverityLevel::High);
    let opened = kept.of(Stage::Opened).alert_id.clone();
    kept.publish(&opened, opened_at());
    // The first is owed and not sent; before its next attempt the second is due, and sent.
    kept.sweep(at("2026-11-26T09:59:00Z")).unwrap();
    let change = kept.sweep(at("2026-11-26T10:00:00Z")).unwrap();
    assert_eq!(told(&change), (vec![("remaining-24h".to_owned(), 1)], vec![]));
    let later = kept.of(Stage::Remaining { hours: 24 }).alert_id.clone();
    kept.publish(&later, at("2026-11-26T10:00:10Z"));
    let change = kept.sweep(at("2026-11-26T10:01:00Z")).unwrap();
    let (owed, withdrawn) = told(&change);
    assert_eq!(owed, []);
    assert_eq!(withdrawn[0].0, "remaining-48h");
    assert!(withdrawn[0].1.contains(&later), "{withdrawn:?}");
}

#[test]
fn a_passed_due_instant_is_recorded_once_and_legal_is_told_until_the_topic_takes_it() {
    let mut kept = Kept::open(SeverityLevel::High);
    let opened = kept.of(Stage::Opened).alert_id.clone();
    kept.publish(&opened, opened_at());
    assert!(kept.sweep(at("2026-11-27T09:59:59Z")).unwrap().incident.overdue_since.is_empty());
    let passed = at("2026-11-27T10:00:30Z");
    let change = kept.sweep(passed).unwrap();
    assert_eq!(kept.incident.overdue_since.get(REGIME), Some(&passed));
    let recorded = change.timeline.iter().find_map(|entry| match &entry.event {
        TimelineKind::ObligationOverdue { regime_id, due_at } => {
            Some((regime_id.as_str(), *due_at))
        }
        _ => None,
    });
    assert_eq!(recorded, Some((REGIME, at("2026-11-27T10:00:00Z"))));
    let again = kept.sweep(passed + TimeDelta::minutes(5)).unwrap();
    assert!(told(&again).0.contains(&("overdue".to_owned(), 2)));
    assert!(!kinds(&again.timeline).contains(&"obligation_overdue"));
    assert_eq!(kept.incident.overdue_since.get(REGIME), Some(&passed));
}

#[test]
fn a_published_alert_keeps_its_receipt_and_wants_no_more_attention() {
    let mut kept = Kept::open(SeverityLevel::High);
    let alert = kept.of(Stage::Opened).clone();
    let now = opened_at() + TimeDelta::seconds(3);
    let change = kept.incident.published(&alert, "receipt-1", now, "notify");
    assert_eq!(change.alerts.len(), 1);
    let published = &change.alerts[0];
    assert_eq!(
        published.state,
        AlertState::Published { at: now, message_id: "receipt-1".to_owned() }
    );
    assert_eq!(published.attention_at(), None);
    assert_eq!(published.attempt(), 0);
    let receipt = TimelineKind::AlertPublished {
        alert_id: alert.alert_id,
        message_id: "receipt-1".to_owned(),
    };
    assert_eq!(change.timeline[0].event, receipt);
    assert_eq!(change.timeline[0].actor, "notify");
    kept.keep(change);
    assert_eq!(kept.sweep(opened_at() + TimeDelta::hours(23)), None);
    assert_eq!(verify(&kept.timeline, &kept.incident.timeline_head), None);
}

#[test]
fn an_alert_is_stored_flat_and_comes_back_as_it_was() {
    let mut kept = Kept::open(SeverityLevel::High);
    kept.sweep(at("2026-11-27T11:00:00Z")).unwrap();
    let opened = kept.of(Stage::Opened).alert_id.clone();
    kept.publish(&opened, at("2026-11-27T11:00:01Z"));
    for alert in kept.all() {
        let stored = serde_json::to_value(&alert).unwrap();
        assert_eq!(serde_json::from_value::<incident::Alert>(stored).unwrap(), alert);
    }
    for entry in kept.timeline {
        let stored = serde_json::to_value(&entry).unwrap();
        assert_eq!(serde_json::from_value::<incident::TimelineEntry>(stored).unwrap(), entry);
    }
    let stored = serde_json::to_value(&kept.incident).unwrap();
    assert_eq!(serde_json::from_value::<incident::Incident>(stored).unwrap(), kept.incident);
}
