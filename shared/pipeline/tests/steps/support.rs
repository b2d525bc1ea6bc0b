//! Ports in memory, with a configuration and a clock.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use assessment::findings::{
    DataCategory, Findings, Risk, Severity, SeverityLevel, SubjectEstimate,
};
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use deadlines::{Facts, Law, Organisation, ReminderPolicy};
use eventlog::attribution::AgentKey;
use incident::{
    Alert, Case, Change, Deciding, Incident, IncidentId, Opening, Policy, TimelineEntry,
};
use pipeline::{
    catalog,
    ingest::{IngestSettings, LandedObject, ingest_object},
};
use ports::{
    Clock, Committed, IncidentTable, Ports, RawIncident, Result, StoredConfiguration, Which,
    memory::{
        ManualClock, MemoryAccess, MemoryCatalog, MemoryIncidents, MemoryJoins, MemoryObjects,
        MemoryPublisher, MemoryQueue, MemorySchedules,
    },
};
use tokio::sync::OnceCell;

/// The org of the sample configuration.
pub(crate) const ORG: &str = "00D5g000004Hq3K";

const FILES_OF_CONFIGURATION: [(&str, &str); 5] = [
    ("agents.yaml", include_str!("../../../../infra/config/agents.yaml")),
    ("data-map.yaml", include_str!("../../../../infra/config/data-map.yaml")),
    ("organisation.yaml", include_str!("../../../../infra/config/organisation.yaml")),
    ("orgs.yaml", include_str!("../../../../infra/config/orgs.yaml")),
    ("recipients.yaml", include_str!("../../../../infra/config/recipients.yaml")),
];

/// The agent that goes wrong in the sample morning.
pub(crate) fn support_copilot() -> AgentKey {
    AgentKey("support-copilot".to_owned())
}

pub(crate) struct World {
    pub(crate) ports: Ports,
    pub(crate) incidents: Arc<MemoryIncidents>,
    pub(crate) publisher: Arc<MemoryPublisher>,
    pub(crate) access: Arc<MemoryAccess>,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) clock: Arc<ManualClock>,
}

impl World {
    /// With nothing in it.
    pub(crate) fn empty() -> Self {
        let clock = Arc::new(ManualClock::at("2026-11-24T15:00:00Z".parse().unwrap()));
        let incidents = Arc::new(MemoryIncidents::default());
        let publisher = Arc::new(MemoryPublisher::default());
        let access = Arc::new(MemoryAccess::default());
        let queue = Arc::new(MemoryQueue::default());
        let ports = Ports {
            objects: Arc::new(MemoryObjects::default()),
            access: access.clone(),
            joins: Arc::new(MemoryJoins::default()),
            queue: queue.clone(),
            incidents: incidents.clone(),
            catalog: Arc::new(MemoryCatalog::default()),
            schedules: Arc::new(MemorySchedules::new(clock.clone())),
            publisher: publisher.clone(),
            clock: clock.clone(),
        };
        Self { ports, incidents, publisher, access, queue, clock }
    }

    /// With the sample configuration in force.
    pub(crate) async fn configured() -> Self {
        // Read once: the tests that try every order need thousands of worlds.
        static SAMPLE: OnceCell<Arc<StoredConfiguration>> = OnceCell::const_new();
        let read = || async {
            let world = Self::with_orgs(str::to_owned).await;
            world.ports.catalog.current().await.unwrap().unwrap()
        };
        let world = Self::empty();
        world.ports.catalog.put(SAMPLE.get_or_init(read).await).await.unwrap();
        world
    }

    /// The same, but its org is a sandbox.
    pub(crate) async fn with_sandbox() -> Self {
        Self::with_orgs(|text| {
            let sandbox = text.replace("kind: production", "kind: sandbox");
            assert_ne!(sandbox, text);
            sandbox
        })
        .await
    }

    /// The same, but its org has to send logs of reports.
    pub(crate) async fn expecting_reports() -> Self {
        Self::with_orgs(|text| format!("{}\n    expected_logs: [Report]\n", text.trim_end())).await
    }

    /// The same, with an org more.
    pub(crate) async fn with_another_org() -> Self {
        Self::with_orgs(|text| {
            let (head, org) = text.split_once("  - org_id").unwrap();
            let other = org.replace(ORG, "00D5g00004Other").replace("Meridian", "Other");
            format!("{head}  - org_id{org}\n  - org_id{other}")
        })
        .await
    }

    async fn with_orgs(orgs: impl Fn(&str) -> String) -> Self {
        let world = Self::empty();
        for (name, text) in FILES_OF_CONFIGURATION {
            let text = if name == "orgs.yaml" { orgs(text) } else { text.to_owned() };
            world.ports.objects.put("configuration", name, text.into_bytes()).await.unwrap();
        }
        let loaded = catalog::load(&world.ports, "configuration").await.unwrap();
        assert_eq!(loaded, catalog::Loaded::Accepted { version: 1 });
        world
    }

    /// Puts the sample configuration into its bucket with one agent under another name.
    pub(crate) async fn rename_agent(&self, from: &str, to: &str) {
        for (name, text) in FILES_OF_CONFIGURATION {
            let text = text.replace(&format!("name: {from}"), &format!("name: {to}"));
            self.ports.objects.put("configuration", name, text.into_bytes()).await.unwrap();
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        self.clock.set(self.now() + time);
    }

    /// The same ports, but another writer is quicker the first so many times.
    pub(crate) fn contended(&self, conflicts: u32) -> Ports {
        let incidents =
            Contended { inner: self.incidents.clone(), conflicts: AtomicU32::new(conflicts) };
        Ports { incidents: Arc::new(incidents), ..self.ports.clone() }
    }

    /// Lands and reads the files that hold the leak of the sample morning; answers with its day.
    pub(crate) async fn land_the_leak(&self) -> NaiveDate {
        let settings = IngestSettings::new("records");
        for file in worlds::World::morning(1).files {
            if file.event_type == "BulkApi2" || file.event_type == "Report" {
                let key = file.key();
                self.ports.objects.put("landing", &key, file.to_csv_gz()).await.unwrap();
                let landed = LandedObject { bucket: "landing".to_owned(), key, version: None };
                ingest_object(&self.ports, &settings, &landed).await.unwrap();
            }
        }
        let changed = self.access.take_stream();
        let (_, _, day) = changed.iter().find(|(_, agent, _)| *agent == support_copilot()).unwrap();
        *day
    }
}

/// An opened incident of that agent.
pub(crate) fn opened(agent: &str, now: DateTime<Utc>) -> Change {
    let level = SeverityLevel::High;
    let findings = Findings {
        org_id: ORG.to_owned(),
        agent: AgentKey(agent.to_owned()),
        first_event_at: now - TimeDelta::hours(2),
        last_event_at: now - TimeDelta::hours(1),
        score: 80,
        signals: Vec::new(),
        severity: Severity {
            level,
            risk: Risk::Risk,
            level_at_lower: level,
            category: DataCategory::ContactIdentity,
            arithmetic: "as the test says".to_owned(),
            matrix_version: "test".to_owned(),
        },
        exposures: BTreeMap::new(),
        row_count: 1,
        record_count: 1,
        subject_estimate: SubjectEstimate::default(),
        unsure_row_counts: BTreeMap::new(),
        gaps: BTreeMap::new(),
        scoring_version: "test".to_owned(),
    };
    let facts = Facts::default()
        .with("role", "controller")
        .with("personal_data_breach", true)
        .with("gdpr_applies", true);
    let policy = Policy {
        law: Arc::new(Law::embedded().unwrap().only(&["eu-gdpr-33-1"]).unwrap()),
        facts,
        organisation: Organisation::in_zone(chrono_tz::Europe::Berlin),
        reminders: ReminderPolicy::default(),
    };
    let by = Deciding { now, actor: "test", policy: &policy };
    Case::open(Opening { findings, episode: 1, landed_at: None }, by).unwrap()
}

/// The message that is owed when an incident opens.
pub(crate) fn first_message(opening: &Change) -> &str {
    let owed = opening.alerts.iter().find(|alert| alert.is_owed()).unwrap();
    &owed.alert_id
}

/// An incident table in which another writer was quicker the first so many times.
struct Contended {
    inner: Arc<MemoryIncidents>,
    conflicts: AtomicU32,
}

#[async_trait]
impl IncidentTable for Contended {
    async fn incident(&self, incident_id: &IncidentId) -> Result<Option<Incident>> {
        self.inner.incident(incident_id).await
    }
    async fn alert(&self, incident_id: &IncidentId, alert_id: &str) -> Result<Option<Alert>> {
        self.inner.alert(incident_id, alert_id).await
    }
    async fn alerts(&self, incident_id: &IncidentId) -> Result<Vec<Alert>> {
        self.inner.alerts(incident_id).await
    }
    async fn timeline(&self, incident_id: &IncidentId) -> Result<Vec<TimelineEntry>> {
        self.inner.timeline(incident_id).await
    }
    async fn raw(&self, incident_id: &IncidentId) -> Result<Option<RawIncident>> {
        self.inner.raw(incident_id).await
    }
    async fn list(&self, which: Which) -> Result<Vec<IncidentId>> {
        self.inner.list(which).await
    }
    async fn commit(&self, change: &Change) -> Result<Committed> {
        let left = self.conflicts.load(Ordering::Relaxed);
        if left > 0 {
            self.conflicts.store(left - 1, Ordering::Relaxed);
            return Ok(Committed::Conflict);
        }
        self.inner.commit(change).await
    }
    async fn wanting_attention(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<IncidentId>> {
        self.inner.wanting_attention(now, limit).await
    }
    async fn marker(&self, name: &str) -> Result<Option<String>> {
        self.inner.marker(name).await
    }
    async fn put_marker(&self, name: &str, value: &str) -> Result<()> {
        self.inner.put_marker(name, value).await
    }
}
