//! The promises of the ports, held by the adapters in memory, alone and behind a fault plan, and by the one on disk.

mod disk;
mod failing;
mod suite;

use std::sync::Arc;

use ports::{
    Ports, SystemClock,
    memory::{
        MemoryAccess, MemoryCatalog, MemoryIncidents, MemoryJoins, MemoryObjects, MemoryPublisher,
        MemoryQueue, MemorySchedules,
    },
};

/// Ports in memory, empty.
fn in_memory() -> Ports {
    Ports {
        objects: Arc::new(MemoryObjects::default()),
        access: Arc::new(MemoryAccess::default()),
        joins: Arc::new(MemoryJoins::default()),
        queue: Arc::new(MemoryQueue::default()),
        incidents: Arc::new(MemoryIncidents::default()),
        catalog: Arc::new(MemoryCatalog::default()),
        schedules: Arc::new(MemorySchedules::new(Arc::new(SystemClock))),
        publisher: Arc::new(MemoryPublisher::default()),
        clock: Arc::new(SystemClock),
    }
}

#[tokio::test]
async fn the_adapters_in_memory_keep_every_promise() {
    suite::every_promise(&in_memory(), "records", "00D5g000004Hq3K").await;
}

#[tokio::test]
async fn an_alert_has_one_schedule_in_memory() {
    let schedules = Arc::new(MemorySchedules::new(Arc::new(SystemClock)));
    let ports = Ports { schedules: schedules.clone(), ..in_memory() };
    suite::one_schedule_per_alert(&ports, "00D5g000004Hq3K", async |alert_id| {
        let standing = schedules.standing().into_iter();
        standing.filter(|of| of.alert_id == alert_id).map(|of| of.at).collect()
    })
    .await;
}

#[tokio::test]
async fn a_store_that_holds_other_things_keeps_every_promise() {
    let ports = in_memory();
    suite::every_promise(&ports, "records", "00D5g000004Hq3K").await;
    suite::every_promise(&ports, "records", "00D5g000004Hq3L").await;
}
