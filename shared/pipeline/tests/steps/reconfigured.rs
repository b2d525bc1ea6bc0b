//! Two readers of one file, of which one still has the configuration of before.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use pipeline::{
    catalog,
    ingest::{IngestSettings, LandedObject, ingest_object},
};
use ports::{
    Ports,
    failing::{Fault, FaultPlan, failing},
};

use crate::support::{ORG, World, support_copilot};

/// Keeps the names of calls, and pauses before each.
#[derive(Default)]
struct Paused {
    gave_way: AtomicBool,
    calls: Mutex<Vec<&'static str>>,
}

impl FaultPlan for Paused {
    fn next(&self, call: &'static str) -> Fault {
        self.calls.lock().unwrap().push(call);
        Fault::None
    }

    fn gives_way(&self) -> bool {
        self.gave_way.store(true, Ordering::Relaxed);
        true
    }
}

/// A reader that can be stopped between its calls.
struct Reader {
    plan: Arc<Paused>,
    reading: Pin<Box<dyn Future<Output = ()>>>,
}

impl Reader {
    fn of(ports: &Ports, landed: LandedObject) -> Self {
        let plan = Arc::new(Paused::default());
        let dynamic: Arc<dyn FaultPlan> = plan.clone();
        let ports = failing(ports, &dynamic);
        let reading = Box::pin(async move {
            ingest_object(&ports, &IngestSettings::new("records"), &landed).await.unwrap();
        });
        Self { plan, reading }
    }

    /// Goes on until it has made a call so many times, or to its end.
    async fn until(&mut self, call: &str, times: usize) {
        loop {
            let made = self.plan.calls.lock().unwrap().iter().filter(|made| **made == call).count();
            if made >= times {
                return;
            }
            self.plan.gave_way.store(false, Ordering::Relaxed);
            let has_ended = poll_fn(|context| match self.reading.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending if self.plan.gave_way.load(Ordering::Relaxed) => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
            })
            .await;
            if has_ended {
                return;
            }
        }
    }
}

#[tokio::test]
async fn an_agent_that_only_the_older_configuration_knew_is_left_without_rows() {
    let world = World::configured().await;
    let file = worlds::World::morning(1).files.into_iter().find(|file| {
        file.event_type == "BulkApi2"
            && file
                .rows
                .iter()
                .any(|row| row.values.values().any(|v| v.starts_with("0055g00000Bot01")))
    });
    let file = file.unwrap();
    let key = file.key();
    world.ports.objects.put("landing", &key, file.to_csv_gz()).await.unwrap();
    let landed = LandedObject { bucket: "landing".to_owned(), key, version: None };

    let mut older = Reader::of(&world.ports, landed.clone());
    older.until("catalog.current", 2).await;
    world.rename_agent("support-copilot", "help-copilot").await;
    assert_eq!(
        catalog::load(&world.ports, "configuration").await.unwrap(),
        catalog::Loaded::Accepted { version: 2 }
    );
    let mut newer = Reader::of(&world.ports, landed);
    newer.until("access.hour", 1).await;
    older.until("the end", 1).await;
    newer.until("the end", 1).await;

    let day = "2026-11-24".parse().unwrap();
    let renamed = eventlog::attribution::AgentKey("help-copilot".to_owned());
    let hours = world.ports.access.agent_day(ORG, &renamed, day).await.unwrap();
    assert!(hours.iter().any(|record| !record.agent_hour.lines.is_empty()));
    let hours = world.ports.access.agent_day(ORG, &support_copilot(), day).await.unwrap();
    for record in hours {
        assert_eq!(record.agent_hour.lines, [], "its rows are counted for two agents");
    }
}
