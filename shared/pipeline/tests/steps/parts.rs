//! A large file in parts, of which one is not read for a long time.

use std::{io, ops::Range, sync::Arc};

use async_trait::async_trait;
use chrono::TimeDelta;
use futures::stream;
use pipeline::{
    PipelineError,
    ingest::{IngestSettings, LandedObject, ingest},
};
use ports::{FileOutcome, FileRecord, ObjectReader, ObjectStore, Ports, Result, Work};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::StreamReader;

use crate::support::World;

/// By which a file of the sample morning is large.
fn settings() -> IngestSettings {
    let (whole_bytes_max, part_bytes) = (40_000, 15_000);
    IngestSettings { whole_bytes_max, part_bytes, ..IngestSettings::new("records") }
}

async fn land(world: &World, key: &str, body: Vec<u8>) -> Work {
    world.ports.objects.put("landing", key, body).await.unwrap();
    Work::Read(LandedObject { bucket: "landing".to_owned(), key: key.to_owned(), version: None })
}

/// The log of calls with most rows.
fn log_of_calls() -> Vec<u8> {
    let files = worlds::World::morning(1).files;
    let of_calls = files.iter().filter(|file| file.event_type == "RestApi");
    of_calls.max_by_key(|file| file.rows.len()).unwrap().to_csv()
}

fn agent_row_count(world: &World) -> u64 {
    let hours = world.access.all_agent_hours().into_iter();
    hours.flat_map(|hour| hour.agent_hour.lines).map(|line| line.row_count).sum()
}

fn register(world: &World) -> FileRecord {
    world.access.files().remove(0)
}

/// Leaves the file in parts, reads all but the last, and answers with that one and the look.
async fn all_but_the_last(world: &World, body: Vec<u8>) -> (Work, Work) {
    let work = land(world, "RestApi.csv", body).await;
    ingest(&world.ports, &settings(), &work).await.unwrap();
    let mut left = world.queue.take();
    let look = left.pop().unwrap();
    assert!(matches!(look, Work::LookAtParts(_)), "{look:?}");
    let last = left.pop().unwrap();
    assert!(left.len() > 2, "{} parts", left.len());
    for part in left {
        assert_eq!(ingest(&world.ports, &settings(), &part).await.unwrap(), None);
    }
    (last, look)
}

#[tokio::test]
async fn a_part_that_nobody_reads_does_not_keep_the_others_from_being_judged() {
    let whole = World::configured().await;
    let work = land(&whole, "RestApi.csv", log_of_calls()).await;
    ingest(&whole.ports, &IngestSettings::new("records"), &work).await.unwrap();

    let world = World::configured().await;
    let (last, mut look) = all_but_the_last(&world, log_of_calls()).await;
    assert_eq!(agent_row_count(&world), 0, "nobody has added anything up");
    let mut looks = 0;
    loop {
        ingest(&world.ports, &settings(), &look).await.unwrap();
        looks += 1;
        let counted = agent_row_count(&world);
        assert!(counted > 0 && counted < agent_row_count(&whole), "{counted} at look {looks}");
        match world.queue.take().pop() {
            Some(next) => look = next,
            None => break,
        }
        assert!(matches!(register(&world).outcome, FileOutcome::InParts { .. }));
    }
    assert_eq!(looks, 8);
    let FileOutcome::Broken { reason } = register(&world).outcome else { panic!("not told") };
    assert!(reason.ends_with(": it was never read to its end"), "{reason}");

    let closed = ingest(&world.ports, &settings(), &last).await.unwrap().unwrap();
    assert_eq!(register(&world), closed);
    let expected = FileRecord { read_at: closed.read_at, ..register(&whole) };
    assert_eq!(closed, expected, "as if it had been read whole");
    assert_eq!(agent_row_count(&world), agent_row_count(&whole));
    ingest(&world.ports, &settings(), &look).await.unwrap();
    assert_eq!(register(&world), closed, "a look that comes late leaves it so");
    assert_eq!(world.queue.take(), []);
}

/// Two parts are missing when the last look is over; one of them comes, and the other never does.
#[tokio::test]
async fn a_part_that_comes_after_the_last_look_counts_at_once() {
    let world = World::configured().await;
    let work = land(&world, "RestApi.csv", log_of_calls()).await;
    ingest(&world.ports, &settings(), &work).await.unwrap();
    let mut left = world.queue.take();
    let mut look = left.pop().unwrap();
    let (_never, late) = (left.pop().unwrap(), left.pop().unwrap());
    for part in left {
        ingest(&world.ports, &settings(), &part).await.unwrap();
    }
    let closed = loop {
        world.pass(TimeDelta::minutes(15));
        let closed = ingest(&world.ports, &settings(), &look).await.unwrap();
        match world.queue.take().pop() {
            Some(next) => look = next,
            None => break closed.unwrap(),
        }
        assert_eq!(closed, None);
    };
    assert_eq!(register(&world), closed, "what the last look found is told and counted");
    let counted = agent_row_count(&world);
    let later = ingest(&world.ports, &settings(), &late).await.unwrap().unwrap();
    assert_eq!(register(&world), later);
    assert!(later.row_count > closed.row_count);
    assert!(agent_row_count(&world) > counted);
    let FileOutcome::Broken { reason } = later.outcome else { panic!("one is still missing") };
    assert_eq!(reason.matches("never read").count(), 1, "{reason}");
}

#[tokio::test]
async fn a_file_that_breaks_off_in_its_last_part_is_told_with_what_was_read() {
    let world = World::configured().await;
    let (last, _) = all_but_the_last(&world, log_of_calls()).await;
    let objects = Arc::new(BreakingOff(world.ports.objects.clone()));
    let ports = Ports { objects, ..world.ports.clone() };
    let error = ingest(&ports, &settings(), &last).await;
    let Err(PipelineError::File { read: Some(file), .. }) = error else { panic!("{error:?}") };
    assert!(file.row_count > 0, "what was read is counted");
    assert_eq!(register(&world), *file);
    let FileOutcome::Broken { reason } = file.outcome else { panic!("not told") };
    assert!(reason.contains("the line was cut"), "{reason}");
}

/// Buckets from which logs cannot be read to their end.
struct BreakingOff(Arc<dyn ObjectStore>);

#[async_trait]
impl ObjectStore for BreakingOff {
    async fn open(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<ObjectReader> {
        self.0.open(bucket, key, version).await
    }
    async fn open_range(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        range: Range<u64>,
    ) -> Result<ObjectReader> {
        let opened = self.0.open_range(bucket, key, version, range).await?;
        if bucket != "landing" {
            return Ok(opened);
        }
        let cut = stream::iter([Err::<io::Cursor<&[u8]>, _>(io::Error::other("the line was cut"))]);
        let body = Box::pin(opened.body.take(1_000).chain(StreamReader::new(cut)));
        Ok(ObjectReader { body, ..opened })
    }
    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<()> {
        self.0.put(bucket, key, body).await
    }
    async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        self.0.list(bucket, prefix).await
    }
}
