//! What persons decide, and what becomes of it.

use assessment::findings::SeverityLevel;
use chrono::{DateTime, TimeDelta, Utc};
use deadlines::{Stage, TriggerKind};
use incident::{
    Action, AlertState, Change, Command, Event, Outcome, Phase, Refusal, RiskLevel, Status,
};
use serde_json::json;

use crate::support::{
    Kept, PERSON, REGIME, at, findings, hours_in, ids, kinds, notification, one_duty, opened_at,
    whole_law,
};

pub(crate) fn aware_at(moment_at: DateTime<Utc>) -> Action {
    let reason = "the service desk had it in a ticket".to_owned();
    Action::SetMoment { moment: TriggerKind::Aware, moment_at, reason }
}

fn risk(risk: RiskLevel) -> Action {
    Action::AssessRisk { risk, reason: "records of customers".to_owned() }
}

fn not_notify(regime_ids: &[&str]) -> Action {
    let reason = "only test persons were in it".to_owned();
    Action::Decide { regime_ids: ids(regime_ids), notify: false, reason }
}

fn sent(regime_ids: &[&str], sent_at: DateTime<Utc>) -> Action {
    Action::RecordSent { regime_ids: ids(regime_ids), notification: notification(sent_at) }
}

fn dismiss() -> Action {
    Action::Dismiss { reason: "a test of our own".to_owned() }
}

fn close() -> Action {
    Action::Close { reason: "all has been said".to_owned() }
}

fn reopen() -> Action {
    Action::Reopen { reason: "the authority has a question".to_owned() }
}

/// The stages that a change newly owes.
fn news(change: &Change) -> Vec<String> {
    let owed = change.alerts.iter().filter(|alert| alert.is_owed() && alert.attempt() == 1);
    owed.map(|alert| alert.stage.name()).collect()
}

#[test]
fn acknowledging_stops_the_repeats_of_what_was_sent_and_never_the_next_stage() {
    let mut kept = Kept::open(one_duty(), findings(SeverityLevel::Critical, 1));
    kept.publish_all(opened_at());
    kept.sweep_and_publish(at("2026-11-25T22:00:00Z"));
    let version = kept.incident().revision;
    kept.command(Action::Acknowledge, at("2026-11-25T22:10:00Z")).unwrap();
    assert_eq!(kept.incident().acknowledged_at, Some(at("2026-11-25T22:10:00Z")));
    assert_eq!(kept.incident().revision, version, "no decision depends on it");
    for stage in ["opened", "remaining-50-percent"] {
        assert_eq!(kept.alert(stage).attention_at(), None, "{stage}");
    }
    // Nothing until the next stage, and that one comes when it would have.
    assert_eq!(kept.sweep(at("2026-11-26T15:59:59Z")), None);
    kept.sweep_and_publish(at("2026-11-26T16:00:00Z"));
    assert!(kept.alert("remaining-25-percent").attention_at().is_some());
    assert_eq!(kept.incident().acknowledged_at, Some(at("2026-11-25T22:10:00Z")), "the first");
}

#[test]
fn a_message_that_was_acknowledged_before_the_topic_took_it_is_sent_once() {
    let mut kept = Kept::high();
    kept.command(Action::Acknowledge, hours_in(1)).unwrap();
    assert!(kept.alert("opened").is_owed(), "it is still to be sent");
    kept.publish_all(hours_in(1));
    assert_eq!(kept.alert("opened").attention_at(), None);
}

#[test]
fn who_sees_to_it_is_on_record_and_no_decision_depends_on_it() {
    let mut kept = Kept::high();
    let revision = kept.incident().revision;
    kept.command(Action::Assign { to: "  Dr. Ruiz ".to_owned() }, hours_in(1)).unwrap();
    let change = kept.command(Action::Comment { text: "called her".to_owned() }, hours_in(1));
    assert_eq!(kept.incident().assigned_to.as_deref(), Some("Dr. Ruiz"));
    assert_eq!(kept.incident().revision, revision);
    let entry = &change.unwrap().timeline[0];
    assert_eq!(entry.actor, PERSON);
    assert_eq!(entry.command.as_ref().unwrap().command_id, "command-2");
}

#[test]
fn a_confirmation_a_risk_or_a_moment_of_awareness_confirm_and_a_measure_contains() {
    let confirm = || Action::Confirm { reason: "seen in the logs".to_owned() };
    for action in [confirm(), risk(RiskLevel::Risk), aware_at(opened_at())] {
        let mut kept = Kept::high();
        kept.command(action, hours_in(1)).unwrap();
        assert_eq!(kept.incident().status, Status::Confirmed);
        assert_eq!(kept.incident().confirmed_at, Some(hours_in(1)));
    }
    let mut kept = Kept::high();
    let measure = "the agent's session was ended".to_owned();
    kept.command(Action::Contain { measure, measure_at: hours_in(1) }, hours_in(2)).unwrap();
    assert_eq!(kept.incident().status, Status::Contained);
    assert_eq!(kept.incident().measures[0].value, hours_in(1));
    kept.command(confirm(), hours_in(3)).unwrap();
    assert_eq!(kept.incident().status, Status::Contained, "it does not fall back");
}

#[test]
fn awareness_that_was_earlier_moves_the_clock_and_both_judgements_stay() {
    let mut kept = Kept::high();
    kept.publish_all(opened_at());
    let earlier = at("2026-11-24T09:30:00Z");
    let change = kept.command(aware_at(earlier), hours_in(1)).unwrap();
    assert_eq!(kept.due_at(REGIME), earlier + TimeDelta::hours(72));
    assert!(!kept.incident().obligation(REGIME).unwrap().start_assumed);
    assert_eq!(kept.incident().moments[&TriggerKind::Aware].by, PERSON);
    assert_eq!(news(&change), ["duties-changed"]);
    let judged: Vec<DateTime<Utc>> = kept
        .timeline
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::DutiesJudged { changed, .. } => changed[0].due_at,
            _ => None,
        })
        .collect();
    assert_eq!(judged, [hours_in(72), earlier + TimeDelta::hours(72)]);
    // The reminders of the old clock go when their time comes, those of the new one come.
    kept.publish_all(hours_in(1));
    kept.command(Action::Acknowledge, hours_in(1)).unwrap();
    kept.sweep_and_publish(at("2026-11-25T22:00:00Z"));
    let half: Vec<(bool, &AlertState)> = kept
        .alerts()
        .filter(|alert| alert.stage == Stage::RemainingShare { percent: 50 })
        .map(|alert| (alert.clock.unwrap().ends_at == kept.due_at(REGIME), &alert.state))
        .collect();
    assert!(matches!(half[0], (true, AlertState::Published { .. })), "{half:?}");
    let (false, AlertState::Withdrawn { reason, .. }) = half[1] else { panic!("{half:?}") };
    assert_eq!(reason, "no duty of that clock is open any more");
}

#[test]
fn awareness_that_was_so_early_that_all_is_over_is_overdue_with_the_next_sweep() {
    let mut found = findings(SeverityLevel::High, 1);
    found.first_event_at = at("2026-11-01T00:00:00Z");
    let mut kept = Kept::open(one_duty(), found);
    kept.publish_all(opened_at());
    kept.command(aware_at(at("2026-11-02T00:00:00Z")), hours_in(1)).unwrap();
    assert!(kept.incident().overdue_since.is_empty());
    kept.publish_all(hours_in(1));
    kept.sweep(hours_in(1)).unwrap();
    assert_eq!(kept.incident().overdue_since[REGIME], hours_in(1));
    assert_eq!(kept.owed(), ["overdue"]);
}

#[test]
fn awareness_that_was_later_takes_an_overdue_record_back_only_where_due_lies_ahead() {
    let overdue = || {
        let mut kept = Kept::high();
        kept.sweep_and_publish(hours_in(80));
        assert_eq!(kept.incident().overdue_since[REGIME], hours_in(80));
        kept
    };
    // Due after 74 hours, and it is the 81st.
    let mut kept = overdue();
    kept.command(aware_at(hours_in(2)), hours_in(81)).unwrap();
    assert_eq!(kept.incident().overdue_since[REGIME], hours_in(80), "it stands");
    // Due after 92 hours.
    let mut kept = overdue();
    kept.command(aware_at(hours_in(20)), hours_in(81)).unwrap();
    assert!(kept.incident().overdue_since.is_empty());
    let recorded = kinds(&kept.timeline).contains(&"obligations_overdue".to_owned());
    assert!(recorded, "the timeline still tells of it");
    let planned: Vec<String> = kept.planned().into_iter().map(|(stage, _)| stage).collect();
    assert_eq!(planned, ["remaining-10-percent", "remaining-60-minutes", "overdue"]);
    kept.sweep_and_publish(hours_in(92));
    assert_eq!(kept.incident().overdue_since[REGIME], hours_in(92));
}

#[test]
fn an_end_that_comes_back_is_overdue_again() {
    let mut kept = Kept::high();
    kept.sweep_and_publish(hours_in(80));
    kept.command(aware_at(hours_in(20)), hours_in(81)).unwrap();
    assert!(kept.incident().overdue_since.is_empty());
    kept.command(aware_at(opened_at()), hours_in(82)).unwrap();
    kept.sweep_and_publish(hours_in(82));
    assert_eq!(kept.incident().overdue_since[REGIME], hours_in(82));
}

#[test]
fn a_risk_that_is_unlikely_rules_the_duty_out_and_says_why() {
    let mut kept = Kept::high();
    kept.publish_all(opened_at());
    let change = kept.command(risk(RiskLevel::Unlikely), hours_in(1)).unwrap();
    assert_eq!(kept.incident().most_urgent(), None);
    let because = &kept.incident().ruled_out[REGIME];
    assert!(because.concat().contains("risk"), "{because:?}");
    assert_eq!(kinds(&change.timeline)[..2], ["risk_assessed", "duties_judged"]);
    let Event::DutiesJudged { ruled_out, changed, .. } = &change.timeline[1].event else {
        panic!()
    };
    assert_eq!((&ruled_out[REGIME], changed.len()), (because, 0));
    assert_eq!(news(&change), ["duties-changed"]);
    // The clock has stopped, and what was planned for it goes.
    kept.publish_all(hours_in(1));
    kept.command(Action::Acknowledge, hours_in(1)).unwrap();
    kept.sweep_and_publish(hours_in(100));
    assert!(kept.incident().overdue_since.is_empty());
    let withdrawn = |stage: &str| matches!(kept.alert(stage).state, AlertState::Withdrawn { .. });
    assert!(withdrawn("overdue") && withdrawn("remaining-60-minutes"));
}

#[test]
fn a_risk_that_is_raised_brings_the_duty_back_with_its_clock() {
    let mut kept = Kept::high();
    kept.command(risk(RiskLevel::Unlikely), hours_in(1)).unwrap();
    let change = kept.command(risk(RiskLevel::HighRisk), hours_in(2)).unwrap();
    assert_eq!(kept.due_at(REGIME), hours_in(72));
    assert_eq!(news(&change), ["duties-changed"]);
    assert!(!kept.incident().ruled_out.contains_key(REGIME));
    assert_eq!(kept.incident().times.assessed, Some(hours_in(2)));
}

#[test]
fn deciding_not_to_notify_stops_the_clock_and_a_higher_risk_starts_it_again() {
    let mut kept = Kept::high();
    kept.publish_all(opened_at());
    kept.command(not_notify(&[REGIME]), hours_in(1)).unwrap();
    assert_eq!(kept.incident().most_urgent(), None);
    assert_eq!(kept.incident().not_notified[REGIME].by, PERSON);
    assert_eq!(kept.sweep(hours_in(11)), None);
    let change = kept.command(risk(RiskLevel::HighRisk), hours_in(30)).unwrap();
    let lifted = change.timeline.iter().find_map(|entry| match &entry.event {
        Event::DecisionLifted { reason, .. } => Some(reason.as_str()),
        _ => None,
    });
    let expected = "it was decided when the risk was not assessed; it is a high risk now";
    assert_eq!(lifted, Some(expected));
    assert!(kept.incident().not_notified.is_empty());
    assert_eq!(kept.incident().most_urgent().unwrap().regime_id, REGIME);
    assert_eq!(news(&change), ["duties-changed"]);
}

#[test]
fn a_worse_severity_lifts_the_decision_though_no_duty_comes_out_otherwise() {
    let mut kept = Kept::high();
    kept.publish_all(opened_at());
    kept.command(not_notify(&[REGIME]), hours_in(1)).unwrap();
    let change = kept.extend(findings(SeverityLevel::Critical, 2), hours_in(2)).unwrap();
    assert!(kept.incident().not_notified.is_empty());
    assert!(kinds(&change.timeline).contains(&"decision_lifted".to_owned()));
    assert_eq!(kept.incident().most_urgent().unwrap().regime_id, REGIME);
    assert_eq!(news(&change), ["worsened"]);
}

#[test]
fn what_was_notified_after_all_needs_no_decision_any_more() {
    let mut kept = Kept::high();
    kept.publish_all(opened_at());
    kept.command(not_notify(&[REGIME]), hours_in(1)).unwrap();
    kept.command(sent(&[REGIME], hours_in(2)), hours_in(2)).unwrap();
    let change = kept.command(risk(RiskLevel::HighRisk), hours_in(3)).unwrap();
    assert!(!kinds(&change.timeline).contains(&"decision_lifted".to_owned()));
    assert_eq!(news(&change), [""; 0]);
}

#[test]
fn a_decision_that_is_lifted_after_the_end_of_its_clock_leaves_it_overdue() {
    let mut kept = Kept::high();
    kept.publish_all(opened_at());
    kept.command(not_notify(&[REGIME]), hours_in(1)).unwrap();
    kept.sweep_and_publish(hours_in(80));
    assert!(kept.incident().overdue_since.is_empty(), "nobody is to be told");
    kept.command(risk(RiskLevel::HighRisk), hours_in(90)).unwrap();
    kept.sweep_and_publish(hours_in(90));
    assert_eq!(kept.incident().overdue_since[REGIME], hours_in(90));
    assert!(matches!(kept.alert("overdue").state, AlertState::Published { .. }));
}

#[test]
fn deciding_to_notify_is_on_record_and_the_clock_goes_on() {
    let mut kept = Kept::high();
    let notify = |reason: &str| Action::Decide {
        regime_ids: ids(&[REGIME]),
        notify: true,
        reason: reason.to_owned(),
    };
    kept.command(notify("persons are at risk"), hours_in(1)).unwrap();
    assert_eq!(kept.incident().to_notify[REGIME].reason, "persons are at risk");
    assert_eq!(kept.incident().most_urgent().unwrap().regime_id, REGIME);
    kept.command(not_notify(&[REGIME]), hours_in(2)).unwrap();
    assert!(kept.incident().to_notify.is_empty());
    let change = kept.command(notify("on reflection"), hours_in(3)).unwrap();
    assert!(kept.incident().not_notified.is_empty());
    assert_eq!(kept.incident().most_urgent().unwrap().regime_id, REGIME);
    assert_eq!(kinds(&change.timeline)[0], "decided");
}

#[test]
fn what_was_sent_stops_the_clock_and_what_was_sent_late_wants_reasons() {
    let mut kept = Kept::high();
    kept.command(sent(&[REGIME], hours_in(40)), hours_in(41)).unwrap();
    assert_eq!(kept.incident().status, Status::Notified);
    assert_eq!(kept.incident().most_urgent(), None);
    assert!(!kept.incident().was_late(REGIME));
    kept.command(close(), hours_in(42)).unwrap();
    assert_eq!(kept.incident().status, Status::Closed);

    let mut kept = Kept::high();
    kept.sweep_and_publish(hours_in(73));
    kept.command(sent(&[REGIME], hours_in(74)), hours_in(75)).unwrap();
    assert!(kept.incident().was_late(REGIME));
    let refusal = kept.command(close(), hours_in(76)).unwrap_err();
    assert!(matches!(refusal, Refusal::Open { .. }), "{refusal}");
    let reason = "the logs came late themselves".to_owned();
    let regime_ids = ids(&[REGIME]);
    kept.command(Action::ExplainDelay { regime_ids, reason }, hours_in(77)).unwrap();
    kept.command(close(), hours_in(78)).unwrap();
}

#[test]
fn what_was_sent_at_the_due_instant_was_in_time_and_a_moment_later_was_late() {
    for (sent_at, is_late) in
        [(hours_in(72), false), (hours_in(72) + TimeDelta::milliseconds(1), true)]
    {
        let mut kept = Kept::high();
        kept.command(sent(&[REGIME], sent_at), hours_in(73)).unwrap();
        assert_eq!(kept.incident().was_late(REGIME), is_late, "{sent_at}");
    }
}

#[test]
fn information_in_phases_is_kept_and_the_first_message_says_whether_it_was_in_time() {
    let mut kept = Kept::high();
    let phase = |phase, sent_at| Action::RecordSent {
        regime_ids: ids(&[REGIME]),
        notification: incident::Notification { phase, ..notification(sent_at) },
    };
    kept.command(phase(Phase::Initial, hours_in(70)), hours_in(70)).unwrap();
    kept.command(phase(Phase::Supplementary, hours_in(90)), hours_in(90)).unwrap();
    let phases: Vec<Phase> =
        kept.incident().notifications[REGIME].iter().map(|sent| sent.phase).collect();
    assert_eq!(phases, [Phase::Initial, Phase::Supplementary]);
    assert!(!kept.incident().was_late(REGIME));
}

#[test]
fn closing_is_refused_while_a_clock_runs() {
    let mut kept = Kept::high();
    assert!(matches!(kept.command(close(), hours_in(1)), Err(Refusal::Open { .. })));
    kept.command(not_notify(&[REGIME]), hours_in(1)).unwrap();
    kept.command(close(), hours_in(2)).unwrap();
    assert_eq!(kept.incident().ended.as_ref().unwrap().reason, "all has been said");
}

#[test]
fn a_dismissed_incident_stops_every_clock_and_every_message() {
    let mut kept = Kept::open(whole_law(), findings(SeverityLevel::Critical, 1));
    kept.publish_all(opened_at());
    kept.sweep_and_publish(hours_in(40));
    kept.command(dismiss(), hours_in(41)).unwrap();
    assert_eq!(kept.incident().status, Status::Dismissed);
    assert!(kept.incident().running().is_empty());
    assert!(kept.incident().not_started().is_empty());
    kept.sweep_and_publish(hours_in(24 * 400));
    assert!(kept.alerts().all(|alert| alert.attention_at().is_none()));
    assert!(kept.incident().overdue_since.keys().all(|id| {
        kept.timeline.iter().any(|entry| {
            entry.at < hours_in(41)
                && matches!(&entry.event, Event::ObligationsOverdue { regime_ids, .. }
                    if regime_ids.contains(id))
        })
    }));
}

#[test]
fn a_reopened_incident_goes_on_where_it_was() {
    let mut kept = Kept::high();
    kept.publish_all(opened_at());
    kept.command(dismiss(), hours_in(1)).unwrap();
    kept.command(reopen(), hours_in(2)).unwrap();
    assert_eq!(kept.incident().status, Status::Suspected);
    kept.sweep_and_publish(at("2026-11-25T22:00:00Z"));
    assert!(matches!(kept.alert("remaining-50-percent").state, AlertState::Published { .. }));
}

#[test]
fn an_incident_that_is_reopened_after_the_end_of_its_clock_is_overdue() {
    let mut kept = Kept::high();
    kept.publish_all(opened_at());
    kept.command(dismiss(), hours_in(1)).unwrap();
    kept.sweep_and_publish(hours_in(100));
    kept.command(reopen(), hours_in(101)).unwrap();
    kept.sweep_and_publish(hours_in(101));
    assert_eq!(kept.incident().overdue_since[REGIME], hours_in(101));
}

#[test]
fn evidence_of_more_reopens_what_was_closed_or_dismissed() {
    let mut kept = Kept::high();
    kept.publish_all(opened_at());
    kept.command(dismiss(), hours_in(1)).unwrap();
    let mut less = findings(SeverityLevel::Medium, 1);
    less.last_event_at = at("2026-11-24T09:41:00Z");
    kept.extend(less, hours_in(2)).unwrap();
    assert_eq!(kept.incident().status, Status::Dismissed, "it is no more than was known");
    let change = kept.extend(findings(SeverityLevel::High, 2), hours_in(3)).unwrap();
    assert_eq!(kept.incident().status, Status::Suspected);
    assert_eq!(news(&change), ["reopened"]);
    let reopened = change.timeline.iter().find_map(|entry| match &entry.event {
        Event::Reopened { reason } => Some(reason.as_str()),
        _ => None,
    });
    assert_eq!(reopened, Some("new evidence came after it was dismissed"));
    kept.publish_all(hours_in(3));

    kept.command(not_notify(&[REGIME]), hours_in(4)).unwrap();
    kept.command(close(), hours_in(5)).unwrap();
    let change = kept.extend(findings(SeverityLevel::High, 3), hours_in(6)).unwrap();
    assert_eq!(news(&change), ["reopened"]);
    assert!(kept.incident().not_notified.contains_key(REGIME), "no graver, so it stands");
}

#[test]
fn a_fact_that_is_corrected_goes_before_what_was_declared_and_what_was_found() {
    let mut kept = Kept::high();
    let correct = |value| Action::CorrectFact {
        fact: "gdpr_applies".to_owned(),
        value,
        reason: "the register of processing says so".to_owned(),
    };
    kept.command(correct(json!(false)), hours_in(1)).unwrap();
    assert_eq!(kept.incident().most_urgent(), None);
    assert_eq!(kept.incident().answers["gdpr_applies"].by, PERSON);
    kept.extend(findings(SeverityLevel::Critical, 7), hours_in(2)).unwrap();
    assert_eq!(kept.incident().most_urgent(), None, "an answer outlives new evidence");
    // To say that it is not known brings the question back, not a silent no.
    kept.command(correct(json!(null)), hours_in(3)).unwrap();
    let duty = kept.incident().obligation(REGIME).unwrap();
    assert_eq!(duty.standing.unknown_facts(), ["gdpr_applies"]);
    assert_eq!(kept.due_at(REGIME), hours_in(72));
}

#[test]
fn a_command_is_carried_out_once_and_its_id_is_no_other_commands() {
    let mut kept = Kept::high();
    let command = |action| Command { command_id: "c-1".to_owned(), decided_on: None, action };
    kept.give(&command(risk(RiskLevel::Risk)), hours_in(1)).unwrap();
    let again = kept.case.carry_out(&command(risk(RiskLevel::Risk)), kept.by("other", hours_in(9)));
    assert_eq!(again, Ok(Outcome::DoneBefore), "whoever gives it, and whenever");
    let other = command(risk(RiskLevel::HighRisk));
    let refusal = kept.case.carry_out(&other, kept.by(PERSON, hours_in(2))).unwrap_err();
    assert_eq!(refusal, Refusal::OtherCommand { command_id: "c-1".to_owned() });
    // Even on an incident that takes no decision any more.
    kept.command(dismiss(), hours_in(3)).unwrap();
    let again = kept.case.carry_out(&command(risk(RiskLevel::Risk)), kept.by(PERSON, hours_in(4)));
    assert_eq!(again, Ok(Outcome::DoneBefore));
}

#[test]
fn a_decision_on_what_has_changed_is_refused_and_a_remark_is_not() {
    let mut kept = Kept::high();
    let seen = Some(kept.incident().revision);
    kept.publish_all(hours_in(1));
    let command =
        |id: &str, action| Command { command_id: id.to_owned(), decided_on: seen, action };
    // Messages are nothing that a decision could depend on.
    kept.give(&command("c-1", risk(RiskLevel::Risk)), hours_in(1)).unwrap();
    let refusal = kept.give(&command("c-2", not_notify(&[REGIME])), hours_in(2)).unwrap_err();
    assert!(matches!(refusal, Refusal::Changed { decided_on, revision, .. }
        if Some(decided_on) == seen && revision == kept.incident().revision));
    for (id, action) in [
        ("c-3", Action::Comment { text: "noted".to_owned() }),
        ("c-4", Action::Assign { to: "Ruiz".to_owned() }),
        ("c-5", Action::Acknowledge),
    ] {
        kept.give(&command(id, action), hours_in(2)).unwrap();
    }
}

#[test]
fn a_duty_that_is_named_twice_is_notified_once() {
    let mut kept = Kept::high();
    kept.command(sent(&[REGIME, REGIME], hours_in(1)), hours_in(1)).unwrap();
    assert_eq!(kept.incident().notifications[REGIME].len(), 1);
}
