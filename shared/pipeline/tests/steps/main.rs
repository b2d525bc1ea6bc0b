//! Single steps of the pipeline where the simulation would only see that they come right in the end: what one
//! failure costs, how often a decision is made afresh, what a step answers.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

mod attest;
mod audit_trail;
mod delivery;
mod interleavings;
mod parts;
mod reconfigured;
mod support;

use std::sync::Arc;

use chrono::TimeDelta;
use incident::AlertState;
use pipeline::{
    PipelineError,
    assess::{Assessed, assess_day},
    notify::{Notified, publish_owed},
    remind::{Swept, sweep},
};
use ports::{
    IncidentTable,
    failing::{Fault, FaultPlan, failing},
};
use support::{ORG, World, first_message, opened, support_copilot};

/// How often a step decides afresh before it gives up.
const ATTEMPTS: u32 = 8;

/// Fails the first call of a name.
struct FirstOf(&'static str, Fault, std::sync::Mutex<bool>);

impl FirstOf {
    fn call(name: &'static str, fault: Fault) -> Arc<dyn FaultPlan> {
        Arc::new(Self(name, fault, std::sync::Mutex::new(false)))
    }
}

impl FaultPlan for FirstOf {
    fn next(&self, call: &'static str) -> Fault {
        let mut has_failed = self.2.lock().unwrap();
        if call != self.0 || *has_failed {
            return Fault::None;
        }
        *has_failed = true;
        self.1
    }
}

#[tokio::test]
async fn an_incident_that_cannot_be_swept_does_not_hold_up_the_others() {
    let world = World::configured().await;
    for agent in ["first", "second", "third"] {
        world.ports.incidents.commit(&opened(agent, world.now())).await.unwrap();
    }
    world.pass(TimeDelta::minutes(3));
    let plan = FirstOf::call("incidents.incident", Fault::Before);
    let swept = sweep(&failing(&world.ports, &plan)).await.unwrap();
    let expected = Swept {
        incident_count: 3,
        owed_count: 2,
        unsent_count: 2,
        overdue_count: 0,
        failed_count: 1,
    };
    assert_eq!(swept, expected);
    let swept = sweep(&world.ports).await.unwrap();
    let expected = Swept { incident_count: 1, owed_count: 1, unsent_count: 1, ..Swept::default() };
    assert_eq!(swept, expected, "the next sweep takes the one that is left");
    assert_eq!(sweep(&world.ports).await.unwrap(), Swept::default());
}

#[tokio::test]
async fn a_sweep_after_an_outage_says_what_it_found() {
    let world = World::configured().await;
    let opening = opened("first", world.now());
    world.ports.incidents.commit(&opening).await.unwrap();
    world.pass(TimeDelta::hours(73));
    let swept = sweep(&world.ports).await.unwrap();
    let expected = Swept {
        incident_count: 1,
        owed_count: 2,
        unsent_count: 1,
        overdue_count: 1,
        failed_count: 0,
    };
    assert_eq!(swept, expected);
    world.pass(TimeDelta::minutes(5));
    let again = sweep(&world.ports).await.unwrap();
    assert_eq!((again.owed_count, again.unsent_count, again.overdue_count), (2, 2, 0));
}

#[tokio::test]
async fn a_decision_is_made_afresh_while_others_are_quicker_and_given_up_after_eight() {
    for conflicts in [ATTEMPTS - 1, ATTEMPTS] {
        let gives_up = conflicts == ATTEMPTS;
        let world = World::configured().await;
        let opening = opened("first", world.now());
        let id = &opening.incident.incident_id;
        world.ports.incidents.commit(&opening).await.unwrap();

        let alert_id = first_message(&opening);
        let notified = publish_owed(&world.contended(conflicts), id, alert_id).await;
        assert!(matches!(notified, Ok(Notified::Published { .. })), "{notified:?}");
        let alert = world.ports.incidents.alert(id, alert_id).await.unwrap();
        let is_recorded = matches!(alert.unwrap().state, AlertState::Published { .. });
        assert_eq!(is_recorded, !gives_up, "notify after {conflicts} conflicts");

        world.pass(TimeDelta::hours(36));
        let swept = sweep(&world.contended(conflicts)).await.unwrap();
        assert_eq!(swept.failed_count, u64::from(gives_up), "remind after {conflicts} conflicts");
        assert_eq!(swept.owed_count > 0, !gives_up);
    }
}

#[tokio::test]
async fn assess_decides_afresh_and_says_which_incident_kept_changing() {
    let world = World::configured().await;
    let day = world.land_the_leak().await;
    let gave_up =
        assess_day(&world.contended(ATTEMPTS), ORG, &support_copilot(), day).await.unwrap_err();
    assert!(matches!(gave_up, PipelineError::Contended { .. }), "{gave_up}");
    assert!(gave_up.to_string().contains("BC-"), "{gave_up}");
    let assessed =
        assess_day(&world.contended(ATTEMPTS - 1), ORG, &support_copilot(), day).await.unwrap();
    let Assessed::Opened(id) = assessed else {
        panic!("{assessed:?}");
    };
    assert!(world.ports.incidents.incident(&id).await.unwrap().is_some());
    let again = assess_day(&world.ports, ORG, &support_copilot(), day).await.unwrap();
    assert_eq!(again, Assessed::Unchanged);
}

#[tokio::test]
async fn a_sandbox_is_judged_and_never_has_an_incident() {
    let world = World::with_sandbox().await;
    let day = world.land_the_leak().await;
    let assessed = assess_day(&world.ports, ORG, &support_copilot(), day).await.unwrap();
    assert_eq!(assessed, Assessed::Unchanged);
    assert!(world.incidents.incidents().is_empty());
    let days = world.ports.access.days(ORG, &support_copilot()).await.unwrap();
    assert!(!days[0].findings.signals.is_empty(), "the day is judged all the same");
}

#[tokio::test]
async fn what_was_published_and_could_not_be_recorded_stays_owed() {
    let world = World::configured().await;
    let opening = opened("first", world.now());
    let (id, alert_id) = (&opening.incident.incident_id, first_message(&opening));
    world.ports.incidents.commit(&opening).await.unwrap();
    let plan = FirstOf::call("incidents.commit", Fault::Before);
    // Whether it answers with a failure does not matter here: legal has the message, and it will come again.
    let _ = publish_owed(&failing(&world.ports, &plan), id, alert_id).await;
    assert_eq!(world.publisher.published().len(), 1);
    assert!(world.ports.incidents.alert(id, alert_id).await.unwrap().unwrap().is_owed());
    publish_owed(&world.ports, id, alert_id).await.unwrap();
    assert_eq!(world.publisher.published().len(), 2);
    assert_eq!(publish_owed(&world.ports, id, alert_id).await.unwrap(), Notified::NotOwed);
    assert_eq!(world.publisher.published().len(), 2, "recorded, it is not published again");
}

#[tokio::test]
async fn what_the_topic_refuses_is_not_recorded_as_published() {
    let world = World::configured().await;
    let opening = opened("first", world.now());
    let (id, alert_id) = (&opening.incident.incident_id, first_message(&opening));
    world.ports.incidents.commit(&opening).await.unwrap();
    let plan = FirstOf::call("publisher.publish", Fault::Before);
    publish_owed(&failing(&world.ports, &plan), id, alert_id).await.unwrap_err();
    assert!(world.incidents.alert(id, alert_id).await.unwrap().unwrap().is_owed());
}

#[tokio::test]
async fn only_an_owed_alert_is_published() {
    let world = World::configured().await;
    let opening = opened("first", world.now());
    let id = &opening.incident.incident_id;
    world.ports.incidents.commit(&opening).await.unwrap();
    let scheduled = opening.alerts.iter().find(|alert| alert.is_scheduled()).unwrap();
    for alert_id in ["no-such-alert", scheduled.alert_id.as_str()] {
        assert_eq!(publish_owed(&world.ports, id, alert_id).await.unwrap(), Notified::NotOwed);
    }
    assert!(world.publisher.published().is_empty());
}

#[tokio::test]
async fn without_a_configuration_nothing_is_judged_and_the_error_says_what_to_do() {
    let world = World::empty();
    let day = "2026-11-24".parse().unwrap();
    let error = assess_day(&world.ports, ORG, &support_copilot(), day).await.unwrap_err();
    assert!(matches!(error, PipelineError::NoConfiguration));
    assert!(error.to_string().contains("configuration bucket"), "{error}");
}
