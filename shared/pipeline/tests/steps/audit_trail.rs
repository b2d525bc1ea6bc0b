//! An export of Setup Audit Trail lands: what it tells of the logs themselves is told once, durably.

use std::fmt::Write as _;

use assessment::delivery::News;
use chrono::{TimeDelta, Timelike};
use eventlog::{audit_trail::LogTampering, report::QuarantineReason};
use pipeline::{
    delivery::{Watched, minute_of, watch_due},
    ingest::{IngestSettings, LandedObject, ingest, ingest_object},
};
use ports::{
    FileRecord, Ports, Work,
    failing::{Fault, failing},
};

use crate::{
    FirstOf,
    support::{ORG, World},
};

const EXPORT: &str = include_str!("../../../eventlog/tests/fixtures/setup_audit_trail.json");
const CSV: &str = include_str!("../../../eventlog/tests/fixtures/setup_audit_trail.csv");

/// Stands in the texts of the export.
const CANARY: &str = "ottilie.canary.quendt@private-mail.example";

const DELETION: &str = "[demo] LOG DELETION allowed or done in Meridian production";
const TURNED_OFF: &str = "[demo] EVENT LOGS turned off in Meridian production";

async fn land(world: &World, ports: &Ports, key: &str, body: &str) -> pipeline::Result<FileRecord> {
    world.ports.objects.put("landing", key, body.as_bytes().to_vec()).await?;
    let landed = LandedObject { bucket: "landing".to_owned(), key: key.to_owned(), version: None };
    ingest_object(ports, &IngestSettings::new("records"), &landed).await
}

/// Looks at the org in its next minute.
async fn look(world: &World, ports: &Ports) -> Watched {
    world.pass(TimeDelta::minutes(1));
    while world.now().minute() != minute_of(ORG) {
        world.pass(TimeDelta::minutes(1));
    }
    watch_due(ports).await.unwrap()
}

fn subjects(world: &World) -> Vec<String> {
    world.publisher.published().into_iter().map(|notice| notice.subject).collect()
}

fn alert_ids(world: &World) -> Vec<String> {
    let id = |notice: notices::Notice| notice.json["data"]["alert_id"].as_str().unwrap().to_owned();
    world.publisher.published().into_iter().map(id).collect()
}

#[tokio::test]
async fn an_export_that_lands_again_and_again_is_one_alert_for_each_row() {
    let world = World::configured().await;
    let file = land(&world, &world.ports, "trail.json", EXPORT).await.unwrap();
    assert_eq!((file.row_count, file.agent_row_count, file.gaps.len()), (4, 0, 0));
    assert!(file.quarantined.is_empty());
    assert_eq!(look(&world, &world.ports).await.published_count, 2);
    assert_eq!(subjects(&world), [DELETION, TURNED_OFF]);

    land(&world, &world.ports, "trail.json", EXPORT).await.unwrap();
    land(&world, &world.ports, "next-day/trail.json", EXPORT).await.unwrap();
    land(&world, &world.ports, "trail.csv", CSV).await.unwrap();
    for _ in 0..3 {
        assert_eq!(look(&world, &world.ports).await.published_count, 0);
    }
    assert_eq!(subjects(&world).len(), 2);

    let later = EXPORT.replace("0Ym5g00000AudT3CAJ", "0Ym5g00000AudT7CAJ");
    land(&world, &world.ports, "later.json", &later).await.unwrap();
    assert_eq!(look(&world, &world.ports).await.published_count, 1, "another row is other news");
    let health = world.ports.access.delivery_health(ORG).await.unwrap().unwrap();
    let kinds: Vec<_> = health.watch.tampering.iter().map(|row| row.kind).collect();
    assert_eq!(
        kinds,
        [LogTampering::Deletion, LogTampering::GenerationStopped, LogTampering::GenerationStopped]
    );
}

#[tokio::test]
async fn an_export_that_tells_nothing_of_the_logs_is_no_alert() {
    let world = World::configured().await;
    let harmless = EXPORT
        .replace("Enabled Delete event monitoring data", "Enabled something")
        .replace("Disabled event log generation", "Enabled event log generation");
    let file = land(&world, &world.ports, "trail.json", &harmless).await.unwrap();
    assert_eq!((file.row_count, file.quarantined.len(), file.gaps.len()), (4, 0, 0));
    assert_eq!(look(&world, &world.ports).await.published_count, 0);
    assert!(world.access.all_tampering().is_empty());
}

#[tokio::test]
async fn what_a_row_says_is_in_no_record_and_no_message() {
    let world = World::configured().await;
    let file = land(&world, &world.ports, "trail.json", EXPORT).await.unwrap();
    look(&world, &world.ports).await;
    let health = world.ports.access.delivery_health(ORG).await.unwrap().unwrap();
    let rows = world.access.all_tampering();
    let mut kept = serde_json::to_string(&(file, rows, health)).unwrap();
    for notice in world.publisher.published() {
        write!(kept, "{notice:?}").unwrap();
    }
    assert!(kept.contains("0055g0000Admin1") && !kept.contains(CANARY), "{kept}");
}

#[tokio::test]
async fn a_row_that_could_not_be_noted_keeps_the_file_from_being_registered() {
    let world = World::configured().await;
    let plan = FirstOf::call("access.put_tampering", Fault::Before);
    let failing = failing(&world.ports, &plan);
    land(&world, &failing, "trail.json", EXPORT).await.unwrap_err();
    assert!(world.access.files().is_empty());
    land(&world, &failing, "trail.json", EXPORT).await.unwrap();
    assert_eq!(world.access.all_tampering().len(), 2);
}

#[tokio::test]
async fn an_alert_that_was_published_and_not_recorded_comes_again_with_the_same_id() {
    let world = World::configured().await;
    let turned_off = EXPORT.replace("Delete event monitoring data", "something");
    land(&world, &world.ports, "trail.json", &turned_off).await.unwrap();
    let lost = FirstOf::call("publisher.publish", Fault::After);
    assert_eq!(look(&world, &failing(&world.ports, &lost)).await.failed_count, 1);
    let health = world.ports.access.delivery_health(ORG).await.unwrap().unwrap();
    assert!(matches!(health.watch.owed[0].news, News::Tampering { .. }));
    let watched = look(&world, &world.ports).await;
    assert_eq!((watched.failed_count, watched.published_count), (0, 1));
    let ids = alert_ids(&world);
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    assert!(ids[0].starts_with(&format!("{ORG}.log-tampering.")), "{ids:?}");
    assert_eq!(look(&world, &world.ports).await.published_count, 0);
}

#[tokio::test]
async fn an_alert_that_the_topic_refuses_stays_owed() {
    let world = World::configured().await;
    land(&world, &world.ports, "trail.json", EXPORT).await.unwrap();
    for call in ["access.tampering", "access.put_delivery_health", "publisher.publish"] {
        let plan = FirstOf::call(call, Fault::Before);
        assert_eq!(look(&world, &failing(&world.ports, &plan)).await.failed_count, 1, "{call}");
        assert!(subjects(&world).is_empty(), "{call}");
    }
    assert_eq!(look(&world, &world.ports).await.published_count, 2);
    assert_eq!(subjects(&world), [DELETION, TURNED_OFF]);
}

#[tokio::test]
async fn the_rows_of_a_sandbox_are_kept_and_wake_nobody() {
    let world = World::with_sandbox().await;
    land(&world, &world.ports, "trail.json", EXPORT).await.unwrap();
    assert_eq!(look(&world, &world.ports).await.published_count, 0);
    let health = world.ports.access.delivery_health(ORG).await.unwrap().unwrap();
    assert_eq!((health.watch.tampering.len(), health.watch.owed.len()), (2, 0));
}

#[tokio::test]
async fn where_there_are_several_orgs_the_folder_says_which_or_the_rows_are_set_aside() {
    let world = World::with_another_org().await;
    for key in ["trail.json", "orgs/acme/trail.json", "orgs/00D5g000004Hq3K"] {
        let file = land(&world, &world.ports, key, EXPORT).await.unwrap();
        let reason = QuarantineReason::NoOrganization.to_string();
        assert_eq!(file.quarantined.get(&reason), Some(&4), "{key}: {:?}", file.quarantined);
    }
    assert!(world.access.all_tampering().is_empty());
    for org_id in [ORG, "00D5g00004Other"] {
        let key = format!("exports/orgs/{org_id}EAX/2026/trail.json");
        let file = land(&world, &world.ports, &key, EXPORT).await.unwrap();
        assert!(file.quarantined.is_empty());
        assert_eq!(world.ports.access.tampering(org_id).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_large_export_that_is_read_in_parts_tells_the_same() {
    let world = World::configured().await;
    let key = "trail.csv".to_owned();
    world.ports.objects.put("landing", &key, CSV.as_bytes().to_vec()).await.unwrap();
    let settings =
        IngestSettings { whole_bytes_max: 100, part_bytes: 1, ..IngestSettings::new("records") };
    let landed = LandedObject { bucket: "landing".to_owned(), key, version: None };
    let mut works = vec![Work::Read(landed)];
    while let Some(work) = works.pop() {
        ingest(&world.ports, &settings, &work).await.unwrap();
        works.extend(world.queue.take());
    }
    assert_eq!(world.access.files()[0].row_count, 4);
    let in_parts = world.access.all_tampering();
    land(&world, &world.ports, "whole.json", EXPORT).await.unwrap();
    assert_eq!((in_parts.len(), world.access.all_tampering()), (2, in_parts));
}
