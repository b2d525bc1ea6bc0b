//! However many duties there are, every change can be written.

use crate::support::{Kept, exposure, findings, hours_in, kinds, opened_at, whole_law};
use assessment::findings::{Findings, SeverityLevel};
use deadlines::{Facts, Stage};
use incident::{Action, Alert, AlertState, Event, Policy};

/// Nothing is known, so that nearly every duty is possible; every message repeated, reminded often.
fn everywhere() -> Policy {
    let mut policy = whole_law();
    policy.facts = Facts::default();
    policy.organisation.targets.hours_by_regime =
        (1..).zip(&policy.law.regimes).map(|(hours, regime)| (regime.id.clone(), hours)).collect();
    let often = deadlines::ReminderPlan {
        remaining_percent: vec![75, 50, 25],
        remaining_minutes: vec![60],
        repeat_hours: Some(1),
    };
    policy.reminders.possible = often.clone();
    policy.reminders.general = often;
    policy.reminders.by_severity.clear();
    policy
}

/// Of an object in no data map, so that the data may be of any category.
fn found(level: SeverityLevel, row_count: u64) -> Findings {
    let mut found = findings(level, row_count);
    found.exposures.insert("Unmapped__c".to_owned(), exposure(None));
    found
}

fn kept() -> Kept {
    let mut kept = Kept::open(everywhere(), found(SeverityLevel::Medium, 1));
    kept.is_watched = false;
    kept.publish_all(opened_at());
    let mut clocks: Vec<_> = kept.alerts().filter_map(|alert| alert.clock).collect();
    clocks.dedup();
    let running = kept.incident().running().len();
    assert!(running > 150, "{running} duties are few");
    kept
}

/// All clocks have ended, and their last messages are out.
fn all_over() -> Kept {
    let mut kept = kept();
    kept.sweep_and_publish(hours_in(24 * 30));
    kept
}

#[test]
fn a_clock_for_nearly_every_duty_is_raised_in_as_many_sweeps_as_it_takes() {
    let mut kept = kept();
    let mut sweeps = 0;
    while kept.sweep(hours_in(24 * 90)).is_some() {
        sweeps += 1;
    }
    kept.check();
    assert!(sweeps > 3, "{sweeps} sweeps: all fits into a few transactions");
    let incident = kept.incident();
    for duty in incident.running().iter().filter(|duty| duty.watched_at() < Some(hours_in(2160))) {
        assert!(incident.overdue_since.contains_key(&duty.regime_id), "{}", duty.regime_id);
    }
}

#[test]
fn the_latest_messages_are_acknowledged_first_where_there_are_many() {
    let mut kept = all_over();
    kept.is_watched = true;
    let repeated = |kept: &Kept| {
        let is_repeated = |alert: &&Alert| {
            matches!(alert.state, AlertState::Published { repeat_at: Some(_), .. })
        };
        kept.alerts().filter(is_repeated).count()
    };
    let before = repeated(&kept);
    assert!(before > 100, "{before} messages are few");
    let change = kept.command(Action::Acknowledge, hours_in(24 * 30)).unwrap();
    let Event::Acknowledged { alert_ids } = &change.timeline[0].event else { panic!() };
    assert!(repeated(&kept) <= before - alert_ids.len(), "each of them had been sent again");
    let mut commands = 1;
    while kept.command(Action::Acknowledge, hours_in(24 * 30)).is_ok() {
        commands += 1;
    }
    assert!(commands > 2);
    assert_eq!(repeated(&kept), 0);
}

#[test]
fn decisions_on_all_duties_are_lifted_at_once() {
    let mut kept = kept();
    let all: Vec<String> =
        kept.incident().running().iter().map(|duty| duty.regime_id.clone()).collect();
    let reason = "only test persons were in it".to_owned();
    let decide = Action::Decide { regime_ids: all.clone(), notify: false, reason };
    kept.command(decide, hours_in(1)).unwrap();
    assert!(kept.incident().running().is_empty());
    let change = kept.extend(found(SeverityLevel::Critical, 2), hours_in(2)).unwrap();
    kept.check();
    assert_eq!(kept.incident().running().len(), all.len());
    let lifted = kinds(&change.timeline).iter().filter(|kind| *kind == "decision_lifted").count();
    assert_eq!(lifted, 1, "for one reason");
    assert!(change.alerts.iter().any(|alert| alert.stage == Stage::Worsened));
}

#[test]
fn a_dismissal_silences_all_messages() {
    let mut kept = all_over();
    let dismiss = Action::Dismiss { reason: "a test of our own".to_owned() };
    kept.command(dismiss, hours_in(24 * 30)).unwrap();
    kept.check();
    kept.sweep_and_publish(hours_in(24 * 400));
    assert!(kept.alerts().all(|alert| alert.attention_at().is_none()));
}
