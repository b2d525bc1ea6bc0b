//! The daily run: what it puts away, what it finds, what it says.

use chrono::TimeDelta;
use incident::{Case, Incident, TimelineHead};
use pipeline::{
    attest::{Attested, attest, heads},
    remind::sweep,
};
use ports::failing::{Fault, failing};

use crate::{
    FirstOf,
    support::{World, opened},
};

const BUCKET: &str = "evidence";

/// The text of the message that went out last.
fn told(world: &World) -> String {
    let published = world.publisher.published();
    let notice = published.last().unwrap();
    format!("{}\n{}", notice.subject, notice.text)
}

async fn opened_in(world: &World, agent: &str) -> Incident {
    let opening = opened(agent, world.now());
    world.ports.incidents.commit(&opening).await.unwrap();
    opening.incident
}

#[tokio::test]
async fn a_day_without_incidents_is_told_and_so_is_a_watch_that_stands_still() {
    let world = World::configured().await;
    assert_eq!(attest(&world.ports, BUCKET).await.unwrap(), Attested::default());
    assert!(told(&world).contains("NOBODY WATCHES"), "{}", told(&world));
    sweep(&world.ports).await.unwrap();
    attest(&world.ports, BUCKET).await.unwrap();
    assert!(told(&world).contains("nothing open"), "{}", told(&world));
    assert!(!told(&world).contains("NOBODY WATCHES"), "{}", told(&world));
    assert_eq!(heads(&world.ports, BUCKET).await.unwrap(), []);
}

#[tokio::test]
async fn every_run_puts_away_heads_of_its_own_and_none_is_written_over() {
    let world = World::configured().await;
    let first = opened_in(&world, "first").await;
    let attested = attest(&world.ports, BUCKET).await.unwrap();
    assert_eq!(attested, Attested { head_count: 1, open_count: 1, broken_count: 0 });
    world.pass(TimeDelta::minutes(1));
    let second = opened_in(&world, "second").await;
    attest(&world.ports, BUCKET).await.unwrap();
    let of = |incident: &Incident| (incident.incident_id.clone(), incident.timeline_head.clone());
    let mut expected = vec![of(&first), of(&first), of(&second)];
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    let mut found = heads(&world.ports, BUCKET).await.unwrap();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_record_that_was_written_anew_is_told_on_the_next_day_and_on_those_after_it() {
    let world = World::configured().await;
    let incident = opened_in(&world, "first").await;
    attest(&world.ports, BUCKET).await.unwrap();
    assert!(!told(&world).contains("RECORD FLAWED"), "{}", told(&world));

    // The same incident, opened a second later: whole in itself, and another.
    let forged = World::configured().await;
    let anew = opened("first", world.now() + TimeDelta::seconds(1));
    assert_ne!(anew.incident.timeline_head, incident.timeline_head);
    forged.ports.incidents.commit(&anew).await.unwrap();
    let ports = ports::Ports { incidents: forged.incidents.clone(), ..world.ports.clone() };
    for _ in 0..3 {
        world.pass(TimeDelta::days(1));
        assert_eq!(attest(&ports, BUCKET).await.unwrap().broken_count, 1);
        assert!(told(&world).contains("RECORD FLAWED"), "{}", told(&world));
        assert!(told(&world).contains("was written anew"), "{}", told(&world));
    }
}

#[tokio::test]
async fn a_record_that_goes_on_fits_the_heads_of_all_days_before() {
    let world = World::configured().await;
    let mut case = Case::new(opened_in(&world, "first").await, []);
    let mut put_away: Vec<TimelineHead> = Vec::new();
    for _ in 0..3 {
        assert_eq!(attest(&world.ports, BUCKET).await.unwrap().broken_count, 0);
        put_away.push(case.incident.timeline_head.clone());
        world.pass(TimeDelta::days(1));
        sweep(&world.ports).await.unwrap();
        let id = &case.incident.incident_id;
        case = Case::new(world.ports.incidents.incident(id).await.unwrap().unwrap(), []);
    }
    let found: Vec<TimelineHead> =
        heads(&world.ports, BUCKET).await.unwrap().into_iter().map(|(_, head)| head).collect();
    assert_eq!(found, put_away);
}

#[tokio::test]
async fn an_incident_that_is_gone_is_told() {
    let world = World::configured().await;
    let incident = opened_in(&world, "first").await;
    attest(&world.ports, BUCKET).await.unwrap();
    let emptied = World::configured().await;
    let ports = ports::Ports { incidents: emptied.incidents.clone(), ..world.ports.clone() };
    world.pass(TimeDelta::days(1));
    assert_eq!(attest(&ports, BUCKET).await.unwrap().broken_count, 1);
    let gone = format!("{} is gone", incident.incident_id);
    assert!(told(&world).contains(&gone), "{}", told(&world));
}

#[tokio::test]
async fn what_cannot_be_put_away_or_read_back_is_told_and_holds_up_nothing() {
    let world = World::configured().await;
    opened_in(&world, "first").await;
    for (call, sentence) in [
        ("objects.put", "the heads of timelines could not be put away"),
        ("objects.list", "the heads of earlier runs could not be read"),
    ] {
        let plan = FirstOf::call(call, Fault::Before);
        let attested = attest(&failing(&world.ports, &plan), BUCKET).await.unwrap();
        assert_eq!(attested.open_count, 1);
        assert!(told(&world).contains(sentence), "{call}: {}", told(&world));
    }
}
