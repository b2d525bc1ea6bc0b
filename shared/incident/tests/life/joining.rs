//! Two incidents become one, and one becomes two.

use assessment::findings::{Findings, SeverityLevel};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use deadlines::TriggerKind;
use eventlog::attribution::AgentKey;
use incident::{Action, AlertState, Case, Event, Opening, Part, Refusal, RiskLevel, Status};
use serde_json::json;

use crate::{
    decisions::aware_at,
    support::{
        Kept, REGIME, at, findings, hours_in, ids, kinds, notification, one_duty, opened_at,
        opening, whole_law,
    },
};

/// What another agent did.
fn of_another_agent(level: SeverityLevel, row_count: u64) -> Findings {
    Findings {
        agent: AgentKey("billing-bot".to_owned()),
        first_event_at: at("2026-11-24T08:00:00Z"),
        ..findings(level, row_count)
    }
}

/// The incident of another agent, opened four hours later.
fn another() -> Kept {
    let policy = one_duty();
    let by = incident::Deciding { now: hours_in(4), actor: "assess", policy: &policy };
    let change = Case::open(opening(of_another_agent(SeverityLevel::High, 5)), by).unwrap();
    Kept::begin(policy, change)
}

fn take_in(kept: &mut Kept, part: Part, now: DateTime<Utc>) -> incident::Change {
    let reason = "one person used both agents".to_owned();
    kept.command(Action::TakeIn { other: Box::new(part), reason }, now).unwrap()
}

/// One incident that has taken in another, whose awareness was earlier.
fn merged() -> (Kept, Kept) {
    let (mut kept, mut other) = (Kept::high(), another());
    kept.publish_all(opened_at());
    other.publish_all(hours_in(4));
    other.command(aware_at(at("2026-11-24T09:00:00Z")), hours_in(5)).unwrap();
    take_in(&mut kept, other.case.as_part(), hours_in(6));
    let into = kept.incident().incident_id.clone();
    let reason = "one person used both agents".to_owned();
    other.command(Action::MergeInto { into, reason }, hours_in(6)).unwrap();
    (kept, other)
}

#[test]
fn the_clocks_of_a_merged_incident_start_with_the_earlier_awareness() {
    let (kept, other) = merged();
    let incident = kept.incident();
    assert_eq!(incident.times.aware.unwrap().at, at("2026-11-24T09:00:00Z"));
    assert!(!incident.times.aware.unwrap().assumed, "as the person said");
    assert_eq!(incident.times.occurred, Some(at("2026-11-24T08:00:00Z")));
    assert_eq!(incident.times.detected, Some(opened_at()));
    assert_eq!(kept.due_at(REGIME), at("2026-11-27T09:00:00Z"));
    assert_eq!(kept.owed(), ["duties-changed"]);
    assert_eq!(other.incident().status, Status::Merged);
    assert_eq!(other.incident().merged_into.as_ref(), Some(&incident.incident_id));
    assert!(other.incident().running().is_empty());
}

#[test]
fn every_moment_that_was_known_of_either_is_known_of_both() {
    let (mut kept, mut other) = (Kept::high(), another());
    let classified = Action::SetMoment {
        moment: TriggerKind::Classified,
        moment_at: hours_in(5),
        reason: "major by the number of clients".to_owned(),
    };
    other.command(classified, hours_in(5)).unwrap();
    take_in(&mut kept, other.case.as_part(), hours_in(6));
    assert_eq!(kept.incident().times.classified, Some(hours_in(5)));
}

#[test]
fn what_is_merged_is_quiet_and_says_where_to_decide() {
    let (kept, mut other) = merged();
    other.sweep_and_publish(hours_in(200));
    assert!(other.alerts().all(|alert| alert.attention_at().is_none()));
    assert!(other.incident().overdue_since.is_empty());
    let refusal = other.command(aware_at(hours_in(4)), hours_in(201)).unwrap_err();
    let Refusal::Done { status: "merged", remedy, .. } = &refusal else { panic!("{refusal}") };
    assert!(remedy.contains(kept.incident().incident_id.as_str()), "{remedy}");
    let reopen = Action::Reopen { reason: "it was wrong".to_owned() };
    assert!(matches!(other.command(reopen, hours_in(202)), Err(Refusal::Done { .. })));
    other.command(Action::Comment { text: "see there".to_owned() }, hours_in(203)).unwrap();
}

#[test]
fn the_places_of_both_are_places_of_the_merged_one() {
    let mut policy = whole_law();
    policy.facts = policy.facts.with("subject_country", json!(["DE"]));
    let mut kept = Kept::open(policy.clone(), findings(SeverityLevel::High, 1));
    assert!(kept.incident().ruled_out.contains_key("jp-appi-26-preliminary"));
    policy.facts = policy.facts.with("subject_country", json!(["JP", "DE"]));
    let other = Kept::open(policy.clone(), of_another_agent(SeverityLevel::High, 1));
    take_in(&mut kept, other.case.as_part(), hours_in(1));
    assert_eq!(kept.incident().facts.get("subject_country"), Some(&json!(["DE", "JP"])));
    assert!(!kept.incident().ruled_out.contains_key("jp-appi-26-preliminary"));
    // Where one of them does not know, nobody does.
    let mut kept = Kept::open(policy.clone(), findings(SeverityLevel::High, 1));
    policy.facts = policy.facts.with("subject_country", json!(null));
    let other = Kept::open(policy, of_another_agent(SeverityLevel::High, 1));
    take_in(&mut kept, other.case.as_part(), hours_in(1));
    assert_eq!(kept.incident().facts.get("subject_country"), None);
}

#[test]
fn persons_of_both_are_counted_as_an_interval_and_the_worse_severity_counts() {
    let mut kept = Kept::open(one_duty(), findings(SeverityLevel::Medium, 3));
    take_in(&mut kept, another().case.as_part(), hours_in(5));
    // The duty does not ask for the number, so the facts are those of the last judgement by another law.
    kept.policy = whole_law();
    kept.rejudge(hours_in(5)).unwrap();
    let count = kept.incident().facts.get("subject_count");
    assert_eq!(count, Some(&json!({"lower": 5, "upper": 80})));
    assert_eq!(kept.incident().severity(), SeverityLevel::High);
}

#[test]
fn what_was_sent_of_either_was_sent_of_both() {
    let (mut kept, mut other) = (Kept::high(), another());
    let regime_ids = ids(&[REGIME]);
    let notification = notification(hours_in(5));
    let sent = Action::RecordSent { regime_ids, notification: notification.clone() };
    other.command(sent, hours_in(5)).unwrap();
    take_in(&mut kept, other.case.as_part(), hours_in(6));
    assert_eq!(kept.incident().notifications[REGIME], [notification]);
    assert_eq!(kept.incident().most_urgent(), None);
    // Taken in twice it was still sent once.
    take_in(&mut kept, other.case.as_part(), hours_in(7));
    assert_eq!(kept.incident().notifications[REGIME].len(), 1);
}

fn risk(risk: RiskLevel) -> Action {
    Action::AssessRisk { risk, reason: "as was seen".to_owned() }
}

#[test]
fn a_higher_risk_of_the_other_goes_before_a_lower_one_until_a_person_assesses_both() {
    let (mut kept, mut other) = (Kept::high(), another());
    kept.command(risk(RiskLevel::Unlikely), hours_in(1)).unwrap();
    assert_eq!(kept.incident().most_urgent(), None);
    other.command(risk(RiskLevel::HighRisk), hours_in(5)).unwrap();
    take_in(&mut kept, other.case.as_part(), hours_in(6));
    assert_eq!(kept.incident().facts.get("risk"), Some(&json!("high_risk")));
    assert_eq!(kept.incident().most_urgent().unwrap().regime_id, REGIME, "its clock goes on");
    kept.command(risk(RiskLevel::Unlikely), hours_in(7)).unwrap();
    assert_eq!(kept.incident().most_urgent(), None, "assessed with the other in view");
    let part = Part { findings: of_another_agent(SeverityLevel::High, 9), ..other.case.as_part() };
    let change = kept.case.extend_part(part, kept.by("assess", hours_in(8))).unwrap();
    kept.keep(change);
    assert_eq!(kept.incident().most_urgent(), None, "and evidence leaves that as it is");
}

#[test]
fn of_two_risks_the_higher_one_is_that_of_the_merged_one() {
    use RiskLevel::{HighRisk, Risk, Unlikely};
    // Nobody assessed the other: it may be a risk, so that what is unlikely has to be assessed anew.
    let cases = [
        (Some(Unlikely), Some(Unlikely), Some("no_risk")),
        (Some(Unlikely), None, None),
        (None, Some(Unlikely), None),
        (Some(Risk), None, Some("risk")),
        (Some(Risk), Some(HighRisk), Some("high_risk")),
        (Some(HighRisk), Some(Risk), Some("high_risk")),
        (None, Some(Risk), Some("risk")),
        (None, None, None),
    ];
    for (ours, theirs, expected) in cases {
        let mut kept = Kept::open(whole_law(), findings(SeverityLevel::High, 1));
        let mut other = Kept::open(whole_law(), of_another_agent(SeverityLevel::High, 1));
        if let Some(ours) = ours {
            kept.command(risk(ours), hours_in(1)).unwrap();
        }
        if let Some(theirs) = theirs {
            other.command(risk(theirs), hours_in(1)).unwrap();
        }
        take_in(&mut kept, other.case.as_part(), hours_in(2));
        let found = kept.incident().facts.get("risk").and_then(|risk| risk.as_str());
        assert_eq!(found, expected, "{ours:?} and {theirs:?}");
    }
}

#[test]
fn evidence_of_a_part_is_evidence_of_the_whole() {
    let (mut kept, other) = merged();
    kept.publish_all(hours_in(6));
    let by = kept.by("assess", hours_in(7));
    assert_eq!(kept.case.extend_part(other.case.as_part(), by), None, "nothing new");
    let stranger = Kept::high().case.as_part();
    assert_eq!(kept.case.extend_part(stranger, by), None, "no part of it");
    let part =
        Part { findings: of_another_agent(SeverityLevel::Critical, 6), ..other.case.as_part() };
    let change = kept.case.extend_part(part, by).unwrap();
    kept.keep(change.clone());
    assert_eq!(kept.incident().severity(), SeverityLevel::Critical);
    assert_eq!(kept.owed(), ["worsened"]);
    assert_eq!(kinds(&change.timeline)[0], "took_in");
}

#[test]
fn evidence_of_a_part_leaves_what_a_person_said_of_the_whole() {
    let (mut kept, other) = merged();
    // Weighed with both in view.
    kept.command(aware_at(hours_in(3)), hours_in(7)).unwrap();
    assert_eq!(kept.due_at(REGIME), hours_in(75));
    let part = Part { findings: of_another_agent(SeverityLevel::High, 6), ..other.case.as_part() };
    let change = kept.case.extend_part(part, kept.by("assess", hours_in(8))).unwrap();
    kept.keep(change);
    assert_eq!(kept.due_at(REGIME), hours_in(75));
    assert_eq!(kept.incident().times.aware.unwrap().at, hours_in(3));
}

#[test]
fn a_split_leaves_two_incidents_whose_clocks_keep_their_start() {
    let mut kept = Kept::high();
    kept.command(aware_at(at("2026-11-24T09:30:00Z")), hours_in(1)).unwrap();
    kept.publish_all(hours_in(1));
    let mut both = findings(SeverityLevel::High, 9);
    both.last_event_at = at("2026-11-25T16:00:00Z");
    kept.extend(both, hours_in(31)).unwrap();
    let from_day: NaiveDate = "2026-11-25".parse().unwrap();
    let mut later = findings(SeverityLevel::Medium, 4);
    later.first_event_at = at("2026-11-25T15:00:00Z");
    let opening = Opening { findings: later, episode: 2, landed_at: None };
    let policy = one_duty();
    let by = kept.by("counsel", hours_in(32));
    let change = kept.case.open_split(opening, from_day, by).unwrap();
    let half = Kept::begin(policy, change);
    let into = half.incident().incident_id.clone();
    assert_ne!(into, kept.incident().incident_id);
    let split = Action::SplitOff {
        into: into.clone(),
        from_day,
        findings: Box::new(findings(SeverityLevel::High, 5)),
        reason: "another person, another cause".to_owned(),
    };
    let change = kept.command(split, hours_in(32)).unwrap();
    assert_eq!(kinds(&change.timeline)[0], "split_off");
    let due = at("2026-11-24T09:30:00Z") + TimeDelta::hours(72);
    assert_eq!((kept.due_at(REGIME), half.due_at(REGIME)), (due, due));
    assert_eq!(half.incident().times.occurred, Some(at("2026-11-25T15:00:00Z")));
    assert_eq!(kept.incident().times.occurred, Some(at("2026-11-24T09:12:00Z")));
    let rows = |kept: &Kept| kept.incident().findings.row_count;
    assert_eq!((rows(&kept), rows(&half)), (5, 4));
    for (day, is_first) in [("2026-11-24", true), ("2026-11-25", false), ("2026-11-26", false)] {
        let day = day.parse().unwrap();
        assert_eq!(kept.incident().covers(day), is_first, "{day}");
        assert_eq!(half.incident().covers(day), !is_first, "{day}");
    }
    let Event::Opened { split_from, .. } = &half.timeline[0].event else { panic!() };
    assert_eq!(split_from.as_ref(), Some(&kept.incident().incident_id));
    assert!(matches!(half.alert("opened").state, AlertState::Owed { .. }));
}
