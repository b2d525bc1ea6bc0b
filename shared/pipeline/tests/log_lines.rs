//! No personal data in a log line, whichever thread writes it: the reader works in one of its own, so the log is
//! captured for the whole process. That is why this test has a process to itself.
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::{
    io,
    sync::{Arc, Mutex},
};

use chrono::Utc;
use pipeline::{
    catalog,
    ingest::{IngestSettings, LandedObject, ingest_object},
};
use ports::{
    ObjectStore, Ports, SystemClock,
    memory::{
        MemoryAccess, MemoryCatalog, MemoryIncidents, MemoryJoins, MemoryObjects, MemoryPublisher,
        MemoryQueue, MemorySchedules,
    },
};
use worlds::CANARY_PERSONAL_DATA;

const FILES_OF_CONFIGURATION: [(&str, &str); 5] = [
    ("agents.yaml", include_str!("../../../infra/config/agents.yaml")),
    ("data-map.yaml", include_str!("../../../infra/config/data-map.yaml")),
    ("organisation.yaml", include_str!("../../../infra/config/organisation.yaml")),
    ("orgs.yaml", include_str!("../../../infra/config/orgs.yaml")),
    ("recipients.yaml", include_str!("../../../infra/config/recipients.yaml")),
];

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_goes_to_quarantine_and_into_no_log_line() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    std::thread::spawn(|| tracing::info!("from a thread of its own")).join().unwrap();
    assert!(log.text().contains("from a thread of its own"), "every thread is captured");

    let objects = Arc::new(MemoryObjects::default());
    let ports = Ports {
        objects: objects.clone(),
        access: Arc::new(MemoryAccess::default()),
        joins: Arc::new(MemoryJoins::default()),
        queue: Arc::new(MemoryQueue::default()),
        incidents: Arc::new(MemoryIncidents::default()),
        catalog: Arc::new(MemoryCatalog::default()),
        schedules: Arc::new(MemorySchedules::new(Arc::new(SystemClock))),
        publisher: Arc::new(MemoryPublisher::default()),
        clock: Arc::new(SystemClock),
    };
    for (name, text) in FILES_OF_CONFIGURATION {
        objects.put("configuration", name, text.as_bytes().to_vec()).await.unwrap();
    }
    catalog::load(&ports, "configuration").await.unwrap();
    let key = format!("URI/{}.csv", Utc::now().date_naive());
    let text = format!(
        "EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,USER_ID,URI\n\
         URI,not a time,00D5g000004Hq3K,0055g00000Bot01,/{CANARY_PERSONAL_DATA}\n"
    );
    objects.put("landing", &key, text.into_bytes()).await.unwrap();
    let landed = LandedObject { bucket: "landing".to_owned(), key, version: None };
    let file = ingest_object(&ports, &IngestSettings::new("records"), &landed).await.unwrap();

    assert_eq!(file.quarantined.values().sum::<u64>(), 1);
    let kept = objects.objects();
    let is_kept = kept.iter().any(|((bucket, key), body)| {
        let holds_it = || String::from_utf8_lossy(body).contains(CANARY_PERSONAL_DATA);
        bucket == "records" && key.starts_with("quarantine/") && holds_it()
    });
    assert!(is_kept, "the row is kept as it came");
    assert!(log.text().contains("read a file"));
    assert!(!log.text().contains(CANARY_PERSONAL_DATA), "{}", log.text());
}
