//! What a sweep costs, with few and with many open duties: it ought to grow with what is due and not with what is open.
#![expect(missing_docs, reason = "criterion's macro makes a public function")]
#![expect(clippy::unwrap_used, reason = "benches may")]

use std::{collections::BTreeMap, sync::Arc};

use assessment::findings::{
    DataCategory, Findings, Risk, Severity, SeverityLevel, SubjectEstimate,
};
use chrono::{DateTime, TimeDelta, Utc};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use deadlines::{Facts, Law, Organisation, ReminderPolicy, Stage};
use eventlog::attribution::AgentKey;
use incident::{Alert, AlertState, Case, Change, Deciding, IncidentId, Opening, Policy};
use pipeline::{catalog, remind::sweep};
use ports::{
    Clock as _, IncidentTable as _, Ports,
    memory::{
        ManualClock, MemoryAccess, MemoryCatalog, MemoryIncidents, MemoryJoins, MemoryObjects,
        MemoryPublisher, MemoryQueue, MemorySchedules,
    },
};
use tokio::runtime::Builder;

const ORG: &str = "00D5g000004Hq3K";
/// Duties whose clocks run in each incident.
const DUTIES: [&str; 10] = [
    "eu-gdpr-33-1",
    "eu-gdpr-33-5",
    "eu-gdpr-34",
    "uk-gdpr-33-1",
    "uk-gdpr-34",
    "ch-fadp-24-1",
    "ch-fadp-24-4",
    "us-ca-civ-1798-82-individuals",
    "us-ny-gbl-899-aa-individuals",
    "us-ny-gbl-899-aa-authority",
];
const FILES_OF_CONFIGURATION: [(&str, &str); 5] = [
    ("agents.yaml", include_str!("../../../infra/config/agents.yaml")),
    ("data-map.yaml", include_str!("../../../infra/config/data-map.yaml")),
    ("organisation.yaml", include_str!("../../../infra/config/organisation.yaml")),
    ("orgs.yaml", include_str!("../../../infra/config/orgs.yaml")),
    ("recipients.yaml", include_str!("../../../infra/config/recipients.yaml")),
];

struct World {
    ports: Ports,
    incidents: Arc<MemoryIncidents>,
    now: DateTime<Utc>,
    due_so_far: u64,
}

impl World {
    /// With so many open duties, none of which is due.
    async fn with_open_duties(count: u64) -> Self {
        let now: DateTime<Utc> = "2026-11-24T15:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::at(now));
        let incidents = Arc::new(MemoryIncidents::default());
        let ports = Ports {
            objects: Arc::new(MemoryObjects::default()),
            access: Arc::new(MemoryAccess::default()),
            joins: Arc::new(MemoryJoins::default()),
            queue: Arc::new(MemoryQueue::default()),
            incidents: incidents.clone(),
            catalog: Arc::new(MemoryCatalog::default()),
            schedules: Arc::new(MemorySchedules::new(clock.clone())),
            publisher: Arc::new(MemoryPublisher::default()),
            clock: clock.clone(),
        };
        for (name, text) in FILES_OF_CONFIGURATION {
            let body = text.as_bytes().to_vec();
            ports.objects.put("configuration", name, body).await.unwrap();
        }
        catalog::load(&ports, "configuration").await.unwrap();
        let template = opened(clock.now());
        let open_of_one = u64::try_from(template.incident.running().len()).unwrap();
        for number in 0..count.div_ceil(open_of_one) {
            incidents.commit(&copied(&template, number)).await.unwrap();
        }
        incidents.take_stream();
        Self { ports, incidents, now, due_so_far: 0 }
    }

    /// Makes one message due in each of so many incidents.
    async fn make_due(&mut self, count: u64) {
        for number in 0..count {
            let id = id_of(number);
            let incident = self.incidents.incident(&id).await.unwrap().unwrap();
            self.due_so_far += 1;
            let alert = Alert {
                alert_id: format!("{id}.bench.{}", self.due_so_far),
                incident_id: id,
                clock: None,
                stage: Stage::DutiesChanged,
                due_at: self.now - TimeDelta::minutes(1),
                state: AlertState::Scheduled,
                repetition: 0,
                acknowledged_at: None,
            };
            let expected_version = incident.version;
            let mut incident = incident;
            incident.version += 1;
            let change =
                Change { expected_version, incident, timeline: Vec::new(), alerts: vec![alert] };
            self.incidents.commit(&change).await.unwrap();
        }
        self.incidents.take_stream();
    }
}

fn id_of(number: u64) -> IncidentId {
    IncidentId(format!("BC-{number:012X}"))
}

/// The same incident under another name, without its timeline, which no sweep reads.
fn copied(template: &Change, number: u64) -> Change {
    let id = id_of(number);
    let mut change = template.clone();
    change.timeline.clear();
    let before = change.incident.incident_id.0.clone();
    change.incident.incident_id = id.clone();
    change.alerts.retain(Alert::is_scheduled);
    for alert in &mut change.alerts {
        alert.alert_id = alert.alert_id.replace(&before, &id.0);
        alert.incident_id = id.clone();
    }
    change
}

fn opened(now: DateTime<Utc>) -> Change {
    let level = SeverityLevel::High;
    let findings = Findings {
        org_id: ORG.to_owned(),
        agent: AgentKey("support-copilot".to_owned()),
        first_event_at: now - TimeDelta::hours(2),
        last_event_at: now - TimeDelta::hours(1),
        score: 80,
        signals: Vec::new(),
        severity: Severity {
            level,
            risk: Risk::Risk,
            level_at_lower: level,
            category: DataCategory::ContactIdentity,
            arithmetic: "as the bench says".to_owned(),
            matrix_version: "bench".to_owned(),
        },
        exposures: BTreeMap::new(),
        row_count: 1,
        record_count: 1,
        subject_estimate: SubjectEstimate::default(),
        unsure_row_counts: BTreeMap::new(),
        gaps: BTreeMap::new(),
        scoring_version: "bench".to_owned(),
    };
    let facts = Facts::default()
        .with("role", "controller")
        .with("personal_data_breach", true)
        .with("gdpr_applies", true)
        .with("uk_gdpr_applies", true)
        .with("fadp_applies", true)
        .with("risk", "high_risk")
        .with("subject_country", vec!["DE", "GB", "CH", "US"])
        .with("subject_region", vec!["US-CA", "US-NY"]);
    let policy = Policy {
        law: Arc::new(Law::embedded().unwrap().only(&DUTIES).unwrap()),
        facts,
        organisation: Organisation::in_zone(chrono_tz::Europe::Berlin),
        reminders: ReminderPolicy::default(),
    };
    let by = Deciding { now, actor: "bench", policy: &policy };
    Case::open(Opening { findings, episode: 1, landed_at: None }, by).unwrap()
}

fn sweeps(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().build().unwrap();
    let mut group = criterion.benchmark_group("sweep");
    group.sample_size(20);
    for open in [1_000_u64, 100_000] {
        let mut world = runtime.block_on(World::with_open_duties(open));
        let ports = world.ports.clone();
        for due in [0_u64, 10, 100] {
            let name = BenchmarkId::new(format!("{due} due"), format!("{open} open"));
            group.bench_function(name, |bencher| {
                bencher.iter_batched(
                    || runtime.block_on(world.make_due(due)),
                    |()| {
                        let swept = runtime.block_on(sweep(&ports)).unwrap();
                        assert_eq!(swept.owed_count, due);
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, sweeps);
criterion_main!(benches);
