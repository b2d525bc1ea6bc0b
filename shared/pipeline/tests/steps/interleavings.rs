//! Two steps at once, in every order of their calls in which one is stopped for the other a few times.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use assessment::findings::Findings;
use chrono::{NaiveDate, TimeDelta};
use eventlog::row::Hour;
use incident::{AlertState, audit};
use pipeline::{assess::assess_day, notify::publish_owed, remind::sweep};
use ports::{
    AgentHourRecord, IncidentTable, Ports,
    failing::{Fault, FaultPlan, failing},
};

use crate::support::{ORG, World, first_message, opened, support_copilot};

/// Lets the other one run before each call.
struct OneByOne(AtomicBool);

impl FaultPlan for OneByOne {
    fn next(&self, _call: &'static str) -> Fault {
        Fault::None
    }

    fn gives_way(&self) -> bool {
        self.0.store(true, Ordering::Relaxed);
        true
    }
}

type Step = Pin<Box<dyn Future<Output = ()>>>;

/// How often one of two may be stopped in favour of the other. Every pair of calls meets in either order by one such stop;
/// three leave room for a writer that reads, is overtaken, and overtakes again.
const STOPS_MAX: usize = 3;

/// Whether the one that runs is stopped in favour of the other, at every point where both can go on; then the next such
/// row of choices.
#[derive(Default)]
struct Choices {
    taken: Vec<bool>,
    at: usize,
    turn: usize,
}

impl Choices {
    fn choose(&mut self) -> usize {
        if self.at == self.taken.len() {
            self.taken.push(false);
        }
        if self.taken[self.at] {
            self.turn = 1 - self.turn;
        }
        self.at += 1;
        self.turn
    }

    /// Moves to the next row of choices; false where all were made.
    fn advance(&mut self) -> bool {
        self.at = 0;
        self.turn = 0;
        while let Some((last, before)) = self.taken.split_last() {
            let stops = before.iter().filter(|is_stop| **is_stop).count();
            if !last && stops < STOPS_MAX {
                break;
            }
            self.taken.pop();
        }
        self.taken.last_mut().map(|is_stop| *is_stop = true).is_some()
    }
}

/// Runs two steps to their end, one call of one of them at a time.
async fn together(world: &World, choices: &mut Choices, steps: [&dyn Fn(Ports) -> Step; 2]) {
    let plan = Arc::new(OneByOne(AtomicBool::new(false)));
    let dynamic: Arc<dyn FaultPlan> = plan.clone();
    let ports = failing(&world.ports, &dynamic);
    let mut running: Vec<Step> = steps.map(|step| step(ports.clone())).into();
    while !running.is_empty() {
        let turn = if running.len() == 2 { choices.choose() } else { 0 };
        plan.0.store(false, Ordering::Relaxed);
        let has_ended = poll_fn(|context| match running[turn].as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending if plan.0.load(Ordering::Relaxed) => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        })
        .await;
        if has_ended {
            drop(running.remove(turn));
        }
    }
}

fn assess(day: NaiveDate) -> impl Fn(Ports) -> Step {
    move |ports| {
        Box::pin(async move {
            assess_day(&ports, ORG, &support_copilot(), day).await.unwrap();
        })
    }
}

fn land_and_assess(record: AgentHourRecord) -> impl Fn(Ports) -> Step {
    let day = record.agent_hour.hour.start().date_naive();
    move |ports| {
        let record = record.clone();
        Box::pin(async move {
            ports.access.put_agent_hour(&record).await.unwrap();
            assess_day(&ports, ORG, &support_copilot(), day).await.unwrap();
        })
    }
}

/// The hour that makes the leak of the sample morning, and the same once more so many hours later.
async fn two_hours(later: i64) -> [AgentHourRecord; 2] {
    let world = World::configured().await;
    let day = world.land_the_leak().await;
    let hours = world.ports.access.agent_day(ORG, &support_copilot(), day).await.unwrap();
    let leak = hours.into_iter().max_by_key(|record| {
        record.agent_hour.lines.iter().map(|line| line.record_count).sum::<u64>()
    });
    let first = leak.unwrap();
    let mut second = first.clone();
    let hour = first.agent_hour.hour.start() + TimeDelta::hours(later);
    second.agent_hour.hour = Hour::containing(hour);
    for line in &mut second.agent_hour.lines {
        line.first_at += TimeDelta::hours(later);
        line.last_at += TimeDelta::hours(later);
    }
    [first, second]
}

async fn found(world: &World) -> Findings {
    let incidents = world.incidents.incidents();
    assert_eq!(incidents.len(), 1);
    let incident = &incidents[0];
    let raw = world.incidents.raw(&incident.incident_id).await.unwrap().unwrap();
    assert_eq!(audit(&raw.incident, &raw.alerts, &raw.timeline, &[]), []);
    incident.findings.clone()
}

#[tokio::test]
async fn whatever_the_order_of_two_judgements_the_incident_knows_of_both_hours() {
    for later in [1, 24] {
        let [first, second] = two_hours(later).await;
        let day = first.agent_hour.hour.start().date_naive();

        let one_after_the_other = World::configured().await;
        land_and_assess(first.clone())(one_after_the_other.ports.clone()).await;
        let of_one = found(&one_after_the_other).await;
        land_and_assess(second.clone())(one_after_the_other.ports.clone()).await;
        let expected = found(&one_after_the_other).await;
        assert!(expected.row_count > of_one.row_count);

        let mut choices = Choices::default();
        let mut order_count = 0;
        loop {
            let world = World::configured().await;
            world.ports.access.put_agent_hour(&first).await.unwrap();
            together(&world, &mut choices, [&assess(day), &land_and_assess(second.clone())]).await;
            assert_eq!(found(&world).await, expected, "{later} hours later: {:?}", choices.taken);
            order_count += 1;
            if !choices.advance() {
                break;
            }
        }
        assert!(order_count > 500, "{order_count}");
    }
}

#[tokio::test]
async fn whatever_the_order_of_publishing_and_sweeping_no_alert_is_lost() {
    let mut choices = Choices::default();
    loop {
        let world = World::configured().await;
        let opening = opened("first", world.now());
        let id = opening.incident.incident_id.clone();
        let alert_id = first_message(&opening).to_owned();
        world.ports.incidents.commit(&opening).await.unwrap();
        world.pass(TimeDelta::hours(55));
        let publish = {
            let id = id.clone();
            move |ports: Ports| -> Step {
                let (id, alert_id) = (id.clone(), alert_id.clone());
                Box::pin(async move {
                    publish_owed(&ports, &id, &alert_id).await.unwrap();
                })
            }
        };
        let minute = |ports: Ports| -> Step {
            Box::pin(async move {
                assert_eq!(sweep(&ports).await.unwrap().failed_count, 0);
            })
        };
        together(&world, &mut choices, [&publish, &minute]).await;
        assert_eq!(world.publisher.published().len(), 1);
        for alert in world.ports.incidents.alerts(&id).await.unwrap() {
            let is_published = matches!(alert.state, AlertState::Published { .. });
            let what = format!("{} {:?}: {:?}", alert.stage.name(), alert.state, choices.taken);
            match alert.stage.name().as_str() {
                "opened" => assert!(is_published, "{what}"),
                "remaining-25-percent" => assert!(alert.is_owed(), "{what}"),
                _ => assert_eq!(alert.state, AlertState::Scheduled, "{what}"),
            }
        }
        let incident = world.incidents.incident(&id).await.unwrap().unwrap();
        assert_eq!(incident.version, 3, "one change of each: {:?}", choices.taken);
        let raw = world.incidents.raw(&id).await.unwrap().unwrap();
        assert_eq!(audit(&raw.incident, &raw.alerts, &raw.timeline, &[]), []);
        if !choices.advance() {
            break;
        }
    }
}
