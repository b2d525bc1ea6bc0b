//! What functions do to an incident: opening, evidence, sweeps, publishing.

use assessment::findings::{DataCategory, SeverityLevel};
use chrono::TimeDelta;
use deadlines::{Stage, Standing};
use incident::{Alert, AlertState, Case, Deciding, Event, Incident, Status, TimelineEntry};

use crate::support::{
    Kept, REGIME, at, exposure, findings, hours_in, kinds, one_duty, opened_at, opening, told,
    whole_law,
};

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
}

#[test]
fn opening_owes_the_first_alert_at_once_and_plans_the_reminders_of_the_clock() {
    let kept = Kept::high();
    assert_eq!(kept.owed(), ["opened"]);
    let expected = [
        ("remaining-50-percent", "11-25 22:00"),
        ("remaining-25-percent", "11-26 16:00"),
        ("remaining-10-percent", "11-27 02:48"),
        ("remaining-60-minutes", "11-27 09:00"),
        ("overdue", "11-27 10:00"),
    ];
    assert_eq!(kept.planned(), pairs(&expected));
    let first = kept.alert("opened");
    assert_eq!(
        first.state,
        AlertState::Owed {
            since: opened_at(),
            attempt: 1,
            next_attempt_at: opened_at() + TimeDelta::minutes(2),
        }
    );
    // News of the incident belongs to no clock; a reminder to the one that it counts down.
    assert_eq!(first.clock, None);
    let ends: Vec<_> = kept.alerts().filter_map(|alert| Some(alert.clock?.ends_at)).collect();
    assert_eq!(ends, [at("2026-11-27T10:00:00Z"); 5]);
}

#[test]
fn opening_keeps_the_moments_apart_and_calls_awareness_assumed() {
    let kept = Kept::high();
    let incident = kept.incident();
    assert_eq!((incident.version, incident.status), (1, Status::Suspected));
    assert_eq!(incident.times.occurred, Some(at("2026-11-24T09:12:00Z")));
    assert_eq!(incident.times.landed, Some(at("2026-11-24T09:59:00Z")));
    assert_eq!(incident.times.detected, Some(opened_at()));
    let aware = incident.times.aware.unwrap();
    assert_eq!((aware.at, aware.assumed), (opened_at(), true));
    let obligation = incident.most_urgent().unwrap();
    assert_eq!(obligation.due_at, Some(at("2026-11-27T10:00:00Z")));
    assert!(obligation.start_assumed);
    let expected = ["opened", "duties_judged", "alerts_planned", "alerts_owed", "alerts_planned"];
    assert_eq!(kinds(&kept.timeline), expected);
}

#[test]
fn a_duty_that_does_not_apply_is_recorded_with_its_reason_and_reminds_nobody() {
    let mut policy = one_duty();
    policy.facts = policy.facts.with("gdpr_applies", false);
    let kept = Kept::open(policy, findings(SeverityLevel::High, 1));
    assert_eq!(kept.alerts().count(), 1);
    assert_eq!(kept.owed(), ["opened"]);
    assert_eq!(kept.incident().most_urgent(), None);
    assert!(kept.incident().ruled_out[REGIME][0].contains("gdpr_applies"));
}

#[test]
fn opening_twice_gives_the_same_names() {
    let open = || {
        let policy = one_duty();
        let by = Deciding { now: opened_at(), actor: "assess", policy: &policy };
        Case::open(opening(findings(SeverityLevel::High, 1)), by).unwrap()
    };
    assert_eq!(open(), open());
    let change = open();
    let mut ids: Vec<&str> = change.alerts.iter().map(|alert| alert.alert_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), change.alerts.len(), "each alert has a name of its own");
}

#[test]
fn opening_by_the_whole_law_tells_what_applies_what_may_and_what_does_not() {
    let kept = Kept::open(whole_law(), findings(SeverityLevel::High, 1));
    let incident = kept.incident();
    let standing = |id| incident.obligation(id).map(|duty| duty.standing.clone());
    let risk_is_open = Standing::Possible { unknown_facts: vec!["risk".to_owned()] };
    assert_eq!(standing("eu-gdpr-33-1"), Some(risk_is_open.clone()));
    assert_eq!(standing("uk-gdpr-33-1"), Some(risk_is_open));
    assert!(incident.ruled_out["eu-gdpr-33-2"].concat().contains("role"));
    let total = incident.obligations.len() + incident.ruled_out.len();
    assert_eq!(total, kept.policy.law.regimes.len(), "every regime is one or the other");
}

#[test]
fn the_same_findings_change_nothing() {
    let mut kept = Kept::high();
    assert_eq!(kept.extend(findings(SeverityLevel::High, 1), hours_in(3)), None);
}

#[test]
fn more_rows_of_the_same_severity_are_recorded_without_an_alert() {
    let mut kept = Kept::high();
    let change = kept.extend(findings(SeverityLevel::High, 2), hours_in(3)).unwrap();
    assert_eq!(change.alerts, []);
    assert_eq!(kinds(&change.timeline), ["findings_changed"]);
    assert_eq!(kept.incident().findings.row_count, 2);
    assert_eq!((change.expected_version, change.incident.version), (1, 2));
}

#[test]
fn a_worse_severity_owes_one_alert_and_never_a_second_for_the_same_level() {
    let mut kept = Kept::open(one_duty(), findings(SeverityLevel::Medium, 1));
    let mut alerts_of = |level, row_count| {
        let now = opened_at() + TimeDelta::minutes(i64::try_from(row_count).unwrap());
        let change = kept.extend(findings(level, row_count), now).unwrap();
        let worse = change.alerts.iter().filter(|alert| alert.stage == Stage::Worsened);
        assert!(worse.clone().all(|alert| alert.is_owed() && alert.due_at == now));
        worse.map(|alert| alert.alert_id.clone()).collect::<Vec<_>>()
    };
    let high = alerts_of(SeverityLevel::High, 2);
    assert_eq!(high.len(), 1);
    // Less severe, and as severe as was said before: no news that cannot wait.
    assert_eq!(alerts_of(SeverityLevel::Low, 3), [""; 0]);
    assert_eq!(alerts_of(SeverityLevel::High, 4), [""; 0]);
    let critical = alerts_of(SeverityLevel::Critical, 5);
    assert_eq!(critical.len(), 1);
    assert_ne!(critical, high);
    assert_eq!(kept.incident().announced_severity, SeverityLevel::Critical);
}

#[test]
fn an_earlier_access_found_later_moves_the_occurrence_and_not_the_clock() {
    let mut kept = Kept::high();
    let before = kept.incident().clone();
    let mut found = findings(SeverityLevel::High, 2);
    found.first_event_at = at("2026-11-20T01:00:00Z");
    let change = kept.extend(found, hours_in(30)).unwrap();
    let incident = kept.incident();
    assert_eq!(incident.times.occurred, Some(at("2026-11-20T01:00:00Z")));
    assert_eq!(incident.times.detected, before.times.detected);
    assert_eq!(incident.times.aware, before.times.aware);
    assert_eq!(incident.obligations, before.obligations);
    assert_eq!(change.alerts, [], "no reminder is planned a second time");
}

#[test]
fn evidence_that_brings_a_duty_tells_of_it_at_once() {
    let mut kept = Kept::open(whole_law(), findings(SeverityLevel::High, 1));
    kept.publish_all(hours_in(1));
    let unknown = kept.incident().obligations.len();
    let mut found = findings(SeverityLevel::High, 2);
    found.exposures.insert("Iban__c".to_owned(), exposure(Some(DataCategory::IdentityNumber)));
    found
        .exposures
        .insert("Card__c".to_owned(), exposure(Some(DataCategory::FinancialCredentials)));
    let change = kept.extend(found, hours_in(2)).unwrap();
    assert!(kept.incident().obligations.len() > unknown, "credentials bring duties");
    let news: Vec<&Alert> = change.alerts.iter().filter(|alert| alert.is_owed()).collect();
    assert_eq!(news.len(), 1);
    assert_eq!(news[0].stage, Stage::DutiesChanged);
}

#[test]
fn an_object_in_no_data_map_leaves_the_categories_open() {
    let mut found = findings(SeverityLevel::High, 1);
    found.exposures.insert("Unmapped__c".to_owned(), exposure(None));
    let kept = Kept::open(whole_law(), found);
    assert_eq!(kept.incident().facts.get("data_categories"), None);
    let kept = Kept::open(whole_law(), findings(SeverityLevel::High, 1));
    let known = kept.incident().facts.get("data_categories").unwrap();
    assert_eq!(*known, serde_json::json!(["contact_identity"]));
}

#[test]
fn where_nothing_is_due_a_sweep_changes_nothing() {
    let mut kept = Kept::high();
    assert_eq!(kept.sweep(opened_at() + TimeDelta::seconds(119)), None);
    let change = kept.publish(&kept.alert("opened").alert_id.clone(), opened_at());
    let AlertState::Published { repeat_at: Some(repeat_at), .. } = change.alerts[0].state else {
        panic!("{:?}", change.alerts);
    };
    assert_eq!(kept.sweep(repeat_at - TimeDelta::milliseconds(1)), None);
    assert_eq!(kept.incident().version, 2);
}

#[test]
fn only_what_is_due_is_raised_and_how_late_is_on_record() {
    let mut kept = Kept::high();
    let opened = kept.alert("opened").alert_id.clone();
    kept.publish(&opened, at("2026-11-25T21:59:00Z"));
    let change = kept.sweep(at("2026-11-25T22:00:20Z")).unwrap();
    assert_eq!(told(&change), (vec![("remaining-50-percent".to_owned(), 1)], vec![]));
    let Event::AlertsOwed { late_seconds } = &change.timeline[0].event else {
        panic!("{:?}", change.timeline);
    };
    let half = kept.alert("remaining-50-percent").alert_id.clone();
    assert_eq!(*late_seconds, [(half, 20)].into());
    assert!(kept.alert("remaining-25-percent").is_scheduled());
}

#[test]
fn what_was_not_published_is_raised_again_after_growing_pauses() {
    let mut kept = Kept::high();
    let mut raised = Vec::new();
    for minute in 0..=100 {
        if let Some(change) = kept.sweep(opened_at() + TimeDelta::minutes(minute)) {
            assert_eq!(told(&change).0.len(), 1);
            raised.push((minute, told(&change).0[0].1));
        }
    }
    assert_eq!(raised, [(2, 2), (6, 3), (14, 4), (30, 5), (60, 6), (90, 7)]);
    let AlertState::Owed { since, .. } = kept.alert("opened").state else { panic!() };
    assert_eq!(since, opened_at(), "it is owed since the first time");
}

#[test]
fn after_an_outage_one_message_of_the_clock_is_sent_and_the_rest_say_for_which_they_give_way() {
    let mut kept = Kept::high();
    kept.publish_all(at("2026-11-27T04:59:00Z"));
    let change = kept.sweep(at("2026-11-27T05:00:00Z")).unwrap();
    let winner = kept.alert("remaining-10-percent").alert_id.clone();
    let (owed, withdrawn) = told(&change);
    assert_eq!(owed, [("remaining-10-percent".to_owned(), 1)]);
    let stages: Vec<&str> = withdrawn.iter().map(|(stage, _)| stage.as_str()).collect();
    assert_eq!(stages, ["remaining-25-percent", "remaining-50-percent"]);
    assert!(withdrawn.iter().all(|(_, reason)| reason.contains(&winner)), "{withdrawn:?}");
    assert_eq!(kinds(&change.timeline), ["alerts_withdrawn", "alerts_owed"]);
    assert!(kept.incident().overdue_since.is_empty());
}

#[test]
fn news_of_the_incident_does_not_give_way_to_a_reminder() {
    let mut kept = Kept::high();
    let change = kept.sweep(at("2026-11-25T22:00:00Z")).unwrap();
    let (mut owed, withdrawn) = told(&change);
    owed.sort();
    assert_eq!(owed, [("opened".to_owned(), 2), ("remaining-50-percent".to_owned(), 1)]);
    assert_eq!(withdrawn, []);
}

#[test]
fn an_unsent_reminder_gives_way_to_the_next_of_its_clock() {
    let mut kept = Kept::high();
    kept.sweep(at("2026-11-25T22:00:00Z")).unwrap();
    let change = kept.sweep(at("2026-11-26T16:00:00Z")).unwrap();
    let (owed, withdrawn) = told(&change);
    assert!(owed.contains(&("remaining-25-percent".to_owned(), 1)), "{owed:?}");
    assert_eq!(withdrawn[0].0, "remaining-50-percent");
}

#[test]
fn an_earlier_reminder_is_not_sent_after_a_later_one() {
    let mut kept = Kept::high();
    // The first is owed and not sent; before its next attempt the second is due, and sent.
    kept.sweep(at("2026-11-26T15:59:00Z")).unwrap();
    let opened = kept.alert("opened").alert_id.clone();
    kept.publish(&opened, at("2026-11-26T15:59:10Z"));
    let change = kept.sweep(at("2026-11-26T16:00:00Z")).unwrap();
    assert_eq!(told(&change), (vec![("remaining-25-percent".to_owned(), 1)], vec![]));
    let later = kept.alert("remaining-25-percent").alert_id.clone();
    kept.publish(&later, at("2026-11-26T16:00:10Z"));
    let change = kept.sweep(at("2026-11-26T16:01:00Z")).unwrap();
    let (owed, withdrawn) = told(&change);
    assert_eq!(owed, []);
    assert_eq!(withdrawn[0].0, "remaining-50-percent");
    assert!(withdrawn[0].1.contains(&later), "{withdrawn:?}");
}

#[test]
fn a_passed_due_instant_is_recorded_once_and_legal_is_told_until_the_topic_takes_it() {
    let mut kept = Kept::high();
    kept.sweep(at("2026-11-27T09:59:59Z")).unwrap();
    assert!(kept.incident().overdue_since.is_empty());
    let passed = at("2026-11-27T10:00:30Z");
    let change = kept.sweep(passed).unwrap();
    assert_eq!(kept.incident().overdue_since[REGIME], passed);
    let recorded = change.timeline.iter().find_map(|entry| match &entry.event {
        Event::ObligationsOverdue { regime_ids, clock } => Some((regime_ids, clock.ends_at)),
        _ => None,
    });
    assert_eq!(recorded, Some((&vec![REGIME.to_owned()], at("2026-11-27T10:00:00Z"))));
    let again = kept.sweep(passed + TimeDelta::minutes(5)).unwrap();
    assert!(told(&again).0.contains(&("overdue".to_owned(), 2)));
    assert!(!kinds(&again.timeline).contains(&"obligations_overdue".to_owned()));
    assert_eq!(kept.incident().overdue_since[REGIME], passed);
}

#[test]
fn a_published_alert_keeps_its_receipt() {
    let mut kept = Kept::high();
    let alert = kept.alert("opened").clone();
    let now = opened_at() + TimeDelta::seconds(3);
    let change = kept.publish(&alert.alert_id, now);
    let repeat_at = Some(now + TimeDelta::hours(12));
    let state = AlertState::Published { at: now, message_id: "receipt".to_owned(), repeat_at };
    assert_eq!(change.alerts[0].state, state);
    let published = Event::AlertPublished {
        alert_id: alert.alert_id,
        message_id: "receipt".to_owned(),
        repeat_at,
    };
    assert_eq!(change.timeline[0].event, published);
    assert_eq!(change.timeline[0].actor, "notify");
    assert_eq!(
        kept.case.published("BC-1.incident.opened", "receipt", kept.by("notify", now)),
        None
    );
}

#[test]
fn a_message_that_nobody_acknowledges_is_sent_again_as_the_severity_asks() {
    for (level, hours) in
        [(SeverityLevel::Critical, 4), (SeverityLevel::High, 12), (SeverityLevel::Medium, 24)]
    {
        let mut kept = Kept::open(one_duty(), findings(level, 1));
        kept.publish_all(opened_at());
        let repeat_at = hours_in(hours);
        assert_eq!(kept.sweep(repeat_at - TimeDelta::seconds(1)), None, "{level:?}");
        let change = kept.sweep(repeat_at).unwrap();
        assert_eq!(told(&change), (vec![("opened".to_owned(), 1)], vec![]));
        assert_eq!(kept.alert("opened").repetition, 1);
        // Published once more, it waits as long again.
        kept.publish_all(repeat_at);
        assert_eq!(kept.alert("opened").attention_at(), Some(hours_in(2 * hours)));
    }
}

#[test]
fn a_message_is_not_sent_again_once_a_newer_one_of_its_clock_is_out() {
    let mut kept = Kept::open(one_duty(), findings(SeverityLevel::Critical, 1));
    kept.publish_all(opened_at());
    kept.sweep_and_publish(at("2026-11-26T15:00:00Z"));
    assert!(kept.alert("remaining-50-percent").attention_at().is_some());
    kept.sweep_and_publish(at("2026-11-26T16:00:00Z"));
    assert_eq!(kept.alert("remaining-50-percent").attention_at(), None);
    // News of the incident is another matter: it goes on until somebody has seen it.
    assert!(kept.alert("opened").attention_at().is_some());
    assert!(kept.alert("remaining-25-percent").attention_at().is_some());
}

#[test]
fn a_message_that_was_sent_stays_sent_where_a_newer_one_goes_out_in_its_place() {
    let mut kept = Kept::open(one_duty(), findings(SeverityLevel::Critical, 1));
    kept.sweep_and_publish(at("2026-11-26T12:00:00Z"));
    // It would be sent again with this sweep, at which the next one is due as well.
    kept.sweep(at("2026-11-26T16:00:00Z")).unwrap();
    assert_eq!(kept.owed(), ["opened", "remaining-25-percent"]);
    let sent = &kept.alert("remaining-50-percent").state;
    assert!(matches!(sent, AlertState::Published { repeat_at: None, .. }), "{sent:?}");
}

#[test]
fn a_law_that_changes_midway_is_told_and_the_old_judgement_stays() {
    let mut kept = Kept::open(one_duty(), findings(SeverityLevel::High, 1));
    kept.publish_all(opened_at());
    assert_eq!(kept.rejudge(hours_in(1)), None, "nothing has changed");
    let both = deadlines::Law::embedded().unwrap().only(&[REGIME, "uk-gdpr-33-1"]).unwrap();
    kept.policy.law = std::sync::Arc::new(both.clone());
    kept.policy.facts = kept.policy.facts.clone().with("uk_gdpr_applies", true);
    let change = kept.rejudge(hours_in(2)).unwrap();
    assert!(kept.incident().obligation("uk-gdpr-33-1").is_some());
    assert_eq!(kept.owed(), ["duties-changed"]);
    assert_eq!(kinds(&change.timeline)[0], "duties_judged");
    kept.publish_all(hours_in(2));
    // One that the law no longer holds is named as gone.
    kept.policy.law = std::sync::Arc::new(both.only(&[REGIME]).unwrap());
    let change = kept.rejudge(hours_in(3)).unwrap();
    let Event::DutiesJudged { gone, .. } = &change.timeline[0].event else { panic!() };
    assert_eq!(*gone, ["uk-gdpr-33-1"]);
    assert_eq!(kept.incident().obligation("uk-gdpr-33-1"), None);
    let judged = kinds(&kept.timeline).iter().filter(|kind| *kind == "duties_judged").count();
    assert_eq!(judged, 3);
}

#[test]
fn two_duties_that_end_together_and_start_apart_are_planned_once() {
    let law = r#"{
        "schema": "breachclock-regimes-1", "law_version": "2026-11-01", "regimes": [REGIMES]
    }"#;
    let regime = |id: &str, starts_at: &str, days: u32| {
        format!(
            r#"{{"id": "{id}", "version": "2026-11-01", "title": "{id}", "jurisdiction": "DE",
                "article": "1", "who_notifies": "controller", "who_is_told": "authority",
                "applies_when": [], "starts_at": "{starts_at}",
                "limit": {{"value": {days}, "unit": "days"}}, "counting": "calendar-days",
                "place": "organisation", "phased": false, "status": "in_force",
                "source": "test", "verified": true}}"#
        )
    };
    // Of an access on the 24th and awareness on the 25th: both end with the last of November.
    let regimes = [regime("a", "occurred", 6), regime("b", "aware", 6)].join(",");
    let law = deadlines::Law::from_json(&law.replace("REGIMES", &regimes)).unwrap();
    let mut policy = one_duty();
    policy.law = std::sync::Arc::new(law);
    let mut kept = Kept::open(policy, findings(SeverityLevel::High, 1));
    let [one, other] = ["a", "b"].map(|id| kept.incident().obligation(id).unwrap().clone());
    assert_eq!(one.due_at, other.due_at);
    assert_ne!(one.started_at, other.started_at);
    assert_eq!(kept.rejudge(hours_in(1)), None, "no reminder moves to and fro");
    // Half of the span from 09:12; of the one from 10:00 it would be 16:30.
    let half = kept.alert("remaining-50-percent").due_at;
    assert_eq!(half, at("2026-11-27T16:06:00Z"), "the earlier start reminds of both");
}

#[test]
fn whatever_is_stored_comes_back_as_it_was() {
    let mut kept = Kept::high();
    kept.sweep(at("2026-11-27T11:00:00Z")).unwrap();
    kept.publish_all(at("2026-11-27T11:00:01Z"));
    for alert in kept.alerts() {
        let stored = serde_json::to_value(alert).unwrap();
        assert_eq!(serde_json::from_value::<Alert>(stored).unwrap(), *alert);
    }
    for (entry, stored) in kept.timeline.iter().zip(&kept.stored_timeline) {
        assert_eq!(serde_json::from_value::<TimelineEntry>(stored.clone()).unwrap(), *entry);
    }
    let stored = kept.stored_incident();
    assert_eq!(serde_json::from_value::<Incident>(stored).unwrap(), *kept.incident());
}
