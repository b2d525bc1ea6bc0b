//! Which hours came is noted with each file, and what stays away is told: once, durably, and again when it ends.

use std::{
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use assessment::delivery::Scope;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use eventlog::event_type::EventType;
use pipeline::{
    delivery::{Watched, minute_of, watch_due},
    ingest::{IngestSettings, LandedObject, ingest_object},
};
use ports::{
    ObjectReader, ObjectStore, Ports, Result,
    failing::{Fault, FaultPlan, failing},
};

use crate::support::{ORG, World};

/// Buckets that say when they took an object, as S3 does.
struct Dated {
    inner: Arc<dyn ObjectStore>,
    landed_at: Mutex<DateTime<Utc>>,
}

#[async_trait]
impl ObjectStore for Dated {
    async fn open(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<ObjectReader> {
        let landed_at = Some(*self.landed_at.lock().unwrap());
        Ok(ObjectReader { landed_at, ..self.inner.open(bucket, key, version).await? })
    }
    async fn open_range(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        range: std::ops::Range<u64>,
    ) -> Result<ObjectReader> {
        let landed_at = Some(*self.landed_at.lock().unwrap());
        let opened = self.inner.open_range(bucket, key, version, range).await?;
        Ok(ObjectReader { landed_at, ..opened })
    }
    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<()> {
        self.inner.put(bucket, key, body).await
    }
    async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        self.inner.list(bucket, prefix).await
    }
}

/// A world whose logs are made hour by hour.
struct Delivered {
    world: World,
    ports: Ports,
    objects: Arc<Dated>,
    first: DateTime<Utc>,
}

impl Delivered {
    async fn begun() -> Self {
        let world = World::configured().await;
        let first = "2026-10-05T00:00:00Z".parse().unwrap();
        let inner = world.ports.objects.clone();
        let objects = Arc::new(Dated { inner, landed_at: Mutex::new(first) });
        let ports = Ports { objects: objects.clone(), ..world.ports.clone() };
        Self { world, ports, objects, first }
    }

    fn at(&self, hour: i64) -> DateTime<Utc> {
        self.first + TimeDelta::hours(hour)
    }

    /// Lands one file with a person's row for each of the hours, as of five hours after the last one's beginning.
    async fn land(
        &self,
        ports: &Ports,
        event_type: &str,
        hours: std::ops::Range<i64>,
    ) -> pipeline::Result<()> {
        let landed_at = self.at(hours.end + 4);
        let name = format!("{event_type}-{}-{}.csv", hours.start, hours.end);
        let mut csv =
            String::from("EVENT_TYPE,ORGANIZATION_ID,TIMESTAMP_DERIVED,USER_ID,REQUEST_ID\n");
        for hour in hours {
            let at = self.at(hour).format("%Y-%m-%dT%H:30:00.000Z");
            writeln!(csv, "{event_type},{ORG},{at},0055g00000Human1,{hour}").unwrap();
        }
        *self.objects.landed_at.lock().unwrap() = landed_at;
        self.ports.objects.put("landing", &name, csv.into_bytes()).await?;
        let landed = LandedObject { bucket: "landing".to_owned(), key: name, version: None };
        let settings = IngestSettings::new("records");
        ingest_object(ports, &settings, &landed).await.map(|_| ())
    }

    /// Four weeks around the clock of two types, each hour's file as it comes.
    async fn four_weeks() -> Self {
        let delivered = Self::begun().await;
        for hour in 0..4 * 168 {
            for event_type in ["RestApi", "Login"] {
                delivered.land(&delivered.ports, event_type, hour..hour + 1).await.unwrap();
            }
        }
        delivered
    }

    /// Looks at the org in its minute of that hour.
    async fn look(&self, ports: &Ports, hour: i64) -> Watched {
        self.world.clock.set(self.at(hour) + TimeDelta::minutes(minute_of(ORG).into()));
        watch_due(ports).await.unwrap()
    }

    fn subjects(&self) -> Vec<String> {
        self.world.publisher.published().into_iter().map(|notice| notice.subject).collect()
    }
}

/// Fails every call of a name.
struct Down(&'static str, Fault);

impl FaultPlan for Down {
    fn next(&self, call: &'static str) -> Fault {
        if call == self.0 { self.1 } else { Fault::None }
    }
}

fn down(ports: &Ports, call: &'static str, fault: Fault) -> Ports {
    let plan: Arc<dyn FaultPlan> = Arc::new(Down(call, fault));
    failing(ports, &plan)
}

const SILENT: &str = "[demo] BLIND SPOT: RestApi logs of Meridian production";
const OVER: &str = "[demo] blind spot over: RestApi logs of Meridian production";

#[tokio::test]
async fn a_file_that_is_read_twice_has_come_once() {
    let delivered = Delivered::begun().await;
    delivered.land(&delivered.ports, "RestApi", 0..48).await.unwrap();
    let once = delivered.world.access.all_arrivals();
    assert_eq!(once.len(), 2, "one record a day, though no row is an agent's");
    assert_eq!(once[0].arrivals.hours.len(), 24);
    delivered.world.pass(TimeDelta::hours(9));
    delivered.land(&delivered.ports, "RestApi", 0..48).await.unwrap();
    assert_eq!(delivered.world.access.all_arrivals(), once);

    delivered.land(&delivered.ports, "RestApi", 40..60).await.unwrap();
    let more = delivered.world.access.all_arrivals();
    assert_eq!(more.len(), 3);
    assert_eq!(more[0], once[0], "a day of which the file says nothing stays as it was");
    let hour = more[1].arrivals.hours.values().next_back().unwrap();
    assert_eq!(hour.last_landed_at - hour.first_landed_at, TimeDelta::hours(12));
}

/// Fails the first call of every so many of a name.
struct NowAndThen(&'static str, Fault, AtomicU32);

impl FaultPlan for NowAndThen {
    fn next(&self, call: &'static str) -> Fault {
        let is_due = call == self.0 && self.2.fetch_add(1, Ordering::Relaxed).is_multiple_of(150);
        if is_due { self.1 } else { Fault::None }
    }
}

#[tokio::test]
async fn a_long_history_is_noted_whole_however_often_it_is_cut_off() {
    let delivered = Delivered::begun().await;
    delivered.land(&delivered.ports, "RestApi", 0..9_600).await.unwrap();
    let expected = delivered.world.access.all_arrivals();
    assert_eq!(expected.len(), 400);
    assert!(expected.iter().all(|day| day.arrivals.hours.len() == 24 && day.version == 1));

    for fault in [Fault::Before, Fault::After] {
        let again = Delivered::begun().await;
        let plan: Arc<dyn FaultPlan> =
            Arc::new(NowAndThen("access.put_arrivals", fault, AtomicU32::new(0)));
        let ports = failing(&again.ports, &plan);
        let mut attempts = 1;
        while again.land(&ports, "RestApi", 0..9_600).await.is_err() {
            attempts += 1;
        }
        assert!(attempts > 1, "{fault:?}");
        assert_eq!(again.world.access.all_arrivals(), expected, "{fault:?}");
    }
}

#[tokio::test]
async fn a_file_whose_arrivals_could_not_be_noted_is_not_registered_and_comes_again() {
    let delivered = Delivered::begun().await;
    let landed = LandedObject {
        bucket: "landing".to_owned(),
        key: "Login-0-3.csv".to_owned(),
        version: None,
    };
    let csv = format!(
        "EVENT_TYPE,ORGANIZATION_ID,TIMESTAMP_DERIVED\nLogin,{ORG},2026-10-05T00:30:00.000Z\n"
    );
    delivered.ports.objects.put("landing", &landed.key, csv.into_bytes()).await.unwrap();
    let settings = IngestSettings::new("records");
    let failing = down(&delivered.ports, "access.put_arrivals", Fault::Before);
    ingest_object(&failing, &settings, &landed).await.unwrap_err();
    assert!(delivered.world.access.files().is_empty());
    ingest_object(&delivered.ports, &settings, &landed).await.unwrap();
    assert_eq!(delivered.world.access.all_arrivals().len(), 1);
}

#[tokio::test]
async fn a_silence_is_one_alert_and_its_end_another() {
    let delivered = Delivered::four_weeks().await;
    let ports = &delivered.ports;
    let stop = 4 * 168;
    delivered.land(ports, "Login", stop..stop + 40).await.unwrap();
    for hour in -20..14 {
        let watched = delivered.look(ports, stop + hour).await;
        assert_eq!((watched.org_count, watched.blind_spot_count), (1, 0), "{hour}");
    }
    for hour in 15..40 {
        let watched = delivered.look(ports, stop + hour).await;
        assert_eq!(watched.blind_spot_count, 1, "{hour}");
    }
    assert_eq!(delivered.subjects(), [SILENT]);
    let health = ports.access.delivery_health(ORG).await.unwrap().unwrap();
    assert_eq!(health.watch.open[0].scope, Scope::EventType(EventType::RestApi));
    assert_eq!(health.watch.published.len(), 1);

    delivered.land(ports, "RestApi", stop + 20..stop + 44).await.unwrap();
    for hour in 40..50 {
        assert_eq!(delivered.look(ports, stop + hour).await.blind_spot_count, 0);
    }
    assert_eq!(delivered.subjects(), [SILENT, OVER]);
    let health = ports.access.delivery_health(ORG).await.unwrap().unwrap();
    let rest = &health.delivery.types[&EventType::RestApi];
    assert_eq!(rest.missing_hour_count, 20, "what did not come is still shown");
}

#[tokio::test]
async fn an_org_that_falls_silent_is_one_alert() {
    let delivered = Delivered::four_weeks().await;
    for hour in 10..60 {
        delivered.look(&delivered.ports, 4 * 168 + hour).await;
    }
    assert_eq!(delivered.subjects(), ["[demo] BLIND SPOT: all logs of Meridian production"]);
}

#[tokio::test]
async fn a_quiet_type_is_no_alert() {
    let delivered = Delivered::four_weeks().await;
    for hour in [30, 171, 350, 600] {
        delivered.land(&delivered.ports, "Report", hour..hour + 1).await.unwrap();
    }
    delivered.land(&delivered.ports, "Login", 4 * 168..8 * 168).await.unwrap();
    delivered.land(&delivered.ports, "RestApi", 4 * 168..8 * 168).await.unwrap();
    for day in 0..28 {
        delivered.look(&delivered.ports, 4 * 168 + day * 24).await;
    }
    assert!(delivered.subjects().is_empty(), "{:?}", delivered.subjects());
}

#[tokio::test]
async fn an_alert_that_could_not_be_published_is_owed_until_the_topic_takes_it() {
    let delivered = Delivered::four_weeks().await;
    let stop = 4 * 168;
    delivered.land(&delivered.ports, "Login", stop..stop + 60).await.unwrap();
    for (hour, call, fault) in [
        (20, "access.put_delivery_health", Fault::Before),
        (21, "publisher.publish", Fault::Before),
        (22, "publisher.publish", Fault::Before),
    ] {
        let watched = delivered.look(&down(&delivered.ports, call, fault), stop + hour).await;
        assert_eq!((watched.failed_count, watched.published_count), (1, 0), "{call}");
        assert!(delivered.subjects().is_empty());
    }
    // It comes back before anybody could be told: both are told, in their order.
    delivered.land(&delivered.ports, "RestApi", stop + 10..stop + 60).await.unwrap();
    let watched = delivered.look(&delivered.ports, stop + 23).await;
    assert_eq!((watched.failed_count, watched.published_count), (0, 2));
    assert_eq!(delivered.subjects(), [SILENT, OVER]);
    assert_eq!(delivered.look(&delivered.ports, stop + 24).await.published_count, 0);
}

#[tokio::test]
async fn an_alert_whose_receipt_was_lost_is_told_again_with_the_same_id() {
    let delivered = Delivered::four_weeks().await;
    let stop = 4 * 168;
    let lost = down(&delivered.ports, "publisher.publish", Fault::After);
    assert_eq!(delivered.look(&lost, stop + 20).await.failed_count, 1);
    assert_eq!(delivered.look(&delivered.ports, stop + 21).await.failed_count, 0);
    let ids: Vec<_> = delivered.world.publisher.published();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0].json["data"]["alert_id"], ids[1].json["data"]["alert_id"]);
}

#[tokio::test]
async fn a_type_that_the_configuration_expects_and_that_never_comes_is_an_alert() {
    let delivered = Delivered::four_weeks().await;
    delivered.land(&delivered.ports, "Login", 4 * 168..5 * 168).await.unwrap();
    delivered.land(&delivered.ports, "RestApi", 4 * 168..5 * 168).await.unwrap();
    let catalog = World::expecting_reports().await.ports.catalog.clone();
    let ports = Ports { catalog, ..delivered.ports.clone() };
    for hour in 0..120 {
        // Looked at for the first time, it is given the four days that a daily file may take.
        let watched = delivered.look(&ports, 4 * 168 + hour).await;
        assert_eq!(watched.blind_spot_count, u64::from(hour >= 101), "{hour}");
    }
    assert_eq!(delivered.subjects(), ["[demo] BLIND SPOT: Report logs of Meridian production"]);
}

#[tokio::test]
async fn an_org_is_looked_at_once_an_hour() {
    let delivered = Delivered::begun().await;
    let mut looked_at = Vec::new();
    for minute in 0..120 {
        delivered.world.clock.set(delivered.at(0) + TimeDelta::minutes(minute));
        if watch_due(&delivered.ports).await.unwrap().org_count > 0 {
            looked_at.push(delivered.world.now().minute());
        }
    }
    assert_eq!(looked_at, [minute_of(ORG); 2]);
}

#[tokio::test]
async fn the_blind_spots_of_a_sandbox_are_kept_and_wake_nobody() {
    let sandbox = World::with_sandbox().await;
    let delivered = Delivered::four_weeks().await;
    let catalog = sandbox.ports.catalog.clone();
    let ports = Ports { catalog, ..delivered.ports.clone() };
    assert_eq!(delivered.look(&ports, 4 * 168 + 30).await.blind_spot_count, 1);
    assert!(delivered.subjects().is_empty());
    let health = ports.access.delivery_health(ORG).await.unwrap().unwrap();
    assert!(health.watch.owed.is_empty());
}
