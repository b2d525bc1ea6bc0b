//! The simulator: a queue of messages, a clock, a die.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Poll,
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use eventlog::{attribution::AgentKey, row::Hour};
use flate2::read::MultiGzDecoder;
use incident::{Alert, AlertState, IncidentId, audit};
use pipeline::{
    assess::assess_day,
    catalog,
    ingest::{IngestSettings, LandedObject, ingest},
    notify::{attend, wake},
    remind::sweep,
};
use ports::{
    IncidentTable, Ports, RawIncident, Schedule, Work,
    failing::{Fault, FaultPlan, failing},
    memory::{
        ManualClock, MemoryAccess, MemoryCatalog, MemoryIncidents, MemoryJoins, MemoryObjects,
        MemoryPublisher, MemoryQueue, MemorySchedules,
    },
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use worlds::{CANARY_PERSONAL_DATA, LogFile, World};

/// How many messages may be under way at once.
const UNDER_WAY_MAX: usize = 4;

const LANDING: &str = "landing";
const CONFIGURATION: &str = "configuration";
const FILES_OF_CONFIGURATION: [(&str, &str); 5] = [
    ("agents.yaml", include_str!("../../../../infra/config/agents.yaml")),
    ("data-map.yaml", include_str!("../../../../infra/config/data-map.yaml")),
    ("organisation.yaml", include_str!("../../../../infra/config/organisation.yaml")),
    ("orgs.yaml", include_str!("../../../../infra/config/orgs.yaml")),
    ("recipients.yaml", include_str!("../../../../infra/config/recipients.yaml")),
];

const JOINED_FILES: [(&str, &str); 5] = [
    ("bulk-api.csv", include_str!("../data/joined/bulk-api.csv")),
    ("rest-api.csv", include_str!("../data/joined/rest-api.csv")),
    ("report-export.csv", include_str!("../data/joined/report-export.csv")),
    ("login.csv", include_str!("../data/joined/login.csv")),
    ("bulk-api-request.csv", include_str!("../data/joined/bulk-api-request.csv")),
];

/// The files that land, in the order of an undisturbed morning.
pub(crate) struct Story {
    files: Vec<(String, Vec<u8>)>,
    /// A file of the configuration that is changed meanwhile, with its new text.
    reconfigured: Option<(&'static str, String)>,
    /// Whether plain files are read in small parts.
    in_parts: bool,
}

impl Story {
    /// The leak and a little of everything around it.
    pub(crate) fn morning() -> Self {
        Self::of(&thinned(6))
    }

    /// The rows that make the incident, in two files.
    pub(crate) fn short() -> Self {
        let files = thinned(1);
        let of = |event_type| files.iter().filter(move |file| file.event_type == event_type);
        let few: Vec<LogFile> = of("BulkApi2").chain(of("Report")).cloned().collect();
        let with_leak = |file: &&LogFile| file.rows.iter().any(is_copilots);
        Self::of(&few.iter().filter(with_leak).cloned().collect::<Vec<_>>())
    }

    /// The rows of [`Story::morning`] as hourly files, late hourly files and daily files.
    pub(crate) fn morning_late_and_daily() -> Self {
        let hourly = thinned(6);
        let mut files = worlds::recut::late_hourly(&hourly, 30, 5);
        files.extend(worlds::recut::daily(&worlds::recut::with_reordered_columns(&hourly, 5)));
        Self::of(&files)
    }

    /// Rows that do not say whose they are, each with the rows that do in another file: a bulk job, a session, a login
    /// and a request of agents, the same of a person, and a job whose login leads to another agent than the job does.
    pub(crate) fn joined() -> Self {
        let files = JOINED_FILES
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect();
        Self { files, reconfigured: None, in_parts: false }
    }

    /// The same, but every file is plain and is read in parts of few rows.
    pub(crate) fn in_parts(mut self) -> Self {
        for (_, body) in &mut self.files {
            if body.starts_with(&[0x1F, 0x8B]) {
                let mut plain = Vec::new();
                io::copy(&mut MultiGzDecoder::new(&body[..]), &mut plain).unwrap();
                *body = plain;
            }
        }
        Self { in_parts: true, ..self }
    }

    fn of(files: &[LogFile]) -> Self {
        let files = files.iter().map(|file| (file.key(), file.to_csv_gz())).collect();
        Self { files, reconfigured: None, in_parts: false }
    }

    /// The same, but meanwhile, in the given file of the configuration, `from` becomes `to`.
    pub(crate) fn reconfigured(self, name: &'static str, from: &str, to: &str) -> Self {
        let files = FILES_OF_CONFIGURATION;
        let text = files.iter().find(|(file, _)| *file == name).unwrap().1;
        assert!(text.contains(from), "{name} does not hold {from}");
        Self { reconfigured: Some((name, text.replace(from, to))), ..self }
    }
}

fn is_copilots(row: &worlds::Row) -> bool {
    let ids = ["0055g00000Bot01", "0Xx5g0000008aBc"];
    row.values.values().any(|value| ids.iter().any(|id| value.starts_with(id)))
}

/// The morning, with all rows of the agent that goes wrong and so many others of each file.
fn thinned(others: usize) -> Vec<LogFile> {
    let mut files = World::morning(1).files;
    for file in &mut files {
        let mut kept = 0;
        file.rows.retain(|row| {
            is_copilots(row) || {
                kept += 1;
                kept <= others
            }
        });
    }
    // The hours around the leak tell the whole story.
    let hours = ["2026-11-24T09", "2026-11-24T10"].map(|key| Hour::from_key(key).unwrap());
    files.retain(|file| {
        hours.contains(&Hour::containing(file.hour)) && file.rows.iter().any(is_copilots)
    });
    files
}

/// What goes wrong.
pub(crate) struct Faults {
    seed: u64,
    /// Messages are delivered in another order, some more than once, and several at once.
    disorderly: bool,
    /// Of a thousand calls, how many fail.
    failing_per_mille: u32,
    /// One call that fails.
    single: Option<(u64, Fault)>,
}

impl Faults {
    pub(crate) fn none() -> Self {
        Self { seed: 0, disorderly: false, failing_per_mille: 0, single: None }
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        Self { seed, disorderly: true, failing_per_mille: 60, single: None }
    }

    pub(crate) fn reordered(seed: u64) -> Self {
        Self { seed, disorderly: true, failing_per_mille: 0, single: None }
    }

    /// For stories of so many calls that hardly one message would come to its end otherwise.
    pub(crate) fn seldom(seed: u64) -> Self {
        Self { failing_per_mille: 5, ..Self::seeded(seed) }
    }

    pub(crate) fn refuse_call(call: u64) -> Self {
        Self { single: Some((call, Fault::Before)), ..Self::none() }
    }

    pub(crate) fn lose_answer_of_call(call: u64) -> Self {
        Self { single: Some((call, Fault::After)), ..Self::none() }
    }
}

struct Plan {
    /// Set by whoever lets others run before its next call; only where several messages are delivered at once.
    gave_way: AtomicBool,
    disorderly: bool,
    calls: AtomicU64,
    die: Mutex<ChaCha8Rng>,
    failing_per_mille: u32,
    single: Option<(u64, Fault)>,
}

impl FaultPlan for Plan {
    fn next(&self, _call: &'static str) -> Fault {
        // Whoever made a call no longer waits for its turn; of several calls at once one may be made in the same poll.
        self.gave_way.store(false, Ordering::Relaxed);
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        if let Some((_, fault)) = self.single.filter(|(at, _)| *at == call) {
            return fault;
        }
        let mut die = self.die.lock().unwrap();
        if die.random_ratio(self.failing_per_mille, 1_000) {
            if die.random_bool(0.5) { Fault::Before } else { Fault::After }
        } else {
            Fault::None
        }
    }

    fn gives_way(&self) -> bool {
        self.gave_way.store(self.disorderly, Ordering::Relaxed);
        self.disorderly
    }
}

#[derive(Clone)]
enum Message {
    Work(Work),
    Changed(String, AgentKey, NaiveDate),
    Alert(IncidentId, String),
    Wake(Schedule),
    Minute,
    Reconfigured,
}

/// A message being worked on; in the end, whether it was worked through.
type Delivery = Pin<Box<dyn Future<Output = bool>>>;

/// What a run came to.
pub(crate) struct Outcome {
    /// Tallies, judged days and incidents' findings, as JSON.
    pub(crate) findings: BTreeMap<String, serde_json::Value>,
    pub(crate) alerts: Vec<Alert>,
    /// Ids of the alerts that the topic took.
    pub(crate) published: BTreeSet<String>,
    pub(crate) incidents: Vec<RawIncident>,
    /// Everything that was said: log lines, messages, extracts, incidents.
    pub(crate) spoken: Vec<String>,
    pub(crate) call_count: u64,
    /// Of these, until every file was judged and everybody told of it.
    pub(crate) call_count_of_the_morning: u64,
    pub(crate) ended_at: DateTime<Utc>,
    /// Open obligations without a record that they are overdue, though every clock has run out.
    unrecorded: Vec<String>,
}

impl Outcome {
    /// Tallies and judged days that hold a row, and the findings of one agent's incident.
    pub(crate) fn judged(&self, agent: &str) -> BTreeMap<String, serde_json::Value> {
        let holds_rows = |value: &serde_json::Value| {
            let is_some = |name| value.get(name).is_some_and(|found| *found != json(&0));
            value.get("lines").map_or_else(|| is_some("row_count"), |lines| *lines != json(&[0; 0]))
        };
        let is_of = |key: &str, value: &serde_json::Value| {
            !key.starts_with("incident") || value["agent"] == agent
        };
        let findings = self.findings.clone().into_iter();
        findings.filter(|(key, value)| holds_rows(value) && is_of(key, value)).collect()
    }

    /// Rows and records of an agent's hours of one type, and how many of the rows were joined.
    pub(crate) fn counts(&self, agent: &str, event_type: &str) -> [u64; 3] {
        let mut counts = [0; 3];
        for hour in self
            .findings
            .values()
            .filter(|value| value["agent"] == agent && value["event_type"] == event_type)
        {
            for line in hour["lines"].as_array().unwrap() {
                for (count, name) in
                    counts.iter_mut().zip(["row_count", "record_count", "joined_row_count"])
                {
                    *count += line[name].as_u64().unwrap_or(0);
                }
            }
        }
        counts
    }

    pub(crate) fn incident_count(&self) -> usize {
        self.incidents.len()
    }

    /// What the checkers object to.
    pub(crate) fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        for alert in &self.alerts {
            match &alert.state {
                AlertState::Published { .. } if !self.published.contains(&alert.alert_id) => {
                    broken.push(format!("{} was never published", alert.alert_id));
                }
                AlertState::Published { .. } | AlertState::Withdrawn { .. } => {}
                // Clocks of months go on after the story.
                AlertState::Scheduled if alert.due_at > self.ended_at => {}
                state => broken.push(format!("{} is still {state:?}", alert.alert_id)),
            }
        }
        for regime in &self.unrecorded {
            broken.push(format!("{regime} was not recorded as overdue"));
        }
        for RawIncident { incident, alerts, timeline } in &self.incidents {
            let flaws = audit(incident, alerts, timeline, &[]);
            broken.extend(flaws.iter().map(|flaw| format!("an incident's record: {flaw}")));
        }
        if self.spoken.iter().any(|line| line.contains(CANARY_PERSONAL_DATA)) {
            broken.push("personal data stands where it must not".to_owned());
        }
        broken
    }
}

/// Runs a story to its end: until every message is worked through, and then until the clocks have run out.
pub(crate) fn simulate(story: &Story, faults: &Faults) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(Simulation::new(story, faults).run(story))
}

struct Simulation {
    objects: Arc<MemoryObjects>,
    access: Arc<MemoryAccess>,
    incidents: Arc<MemoryIncidents>,
    publisher: Arc<MemoryPublisher>,
    schedules: Arc<MemorySchedules>,
    queue: Arc<MemoryQueue>,
    clock: Arc<ManualClock>,
    now: DateTime<Utc>,
    plan: Arc<Plan>,
    sound: Ports,
    ports: Ports,
    settings: IngestSettings,
    die: ChaCha8Rng,
    disorderly: bool,
    pending: Vec<Message>,
}

impl Simulation {
    fn new(story: &Story, faults: &Faults) -> Self {
        let now: DateTime<Utc> = "2026-11-24T15:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::at(now));
        let (objects, access) =
            (Arc::new(MemoryObjects::default()), Arc::new(MemoryAccess::default()));
        let incidents = Arc::new(MemoryIncidents::default());
        let publisher = Arc::new(MemoryPublisher::default());
        let schedules = Arc::new(MemorySchedules::new(clock.clone()));
        let queue = Arc::new(MemoryQueue::default());
        let sound = Ports {
            objects: objects.clone(),
            access: access.clone(),
            joins: Arc::new(MemoryJoins::default()),
            queue: queue.clone(),
            incidents: incidents.clone(),
            catalog: Arc::new(MemoryCatalog::default()),
            schedules: schedules.clone(),
            publisher: publisher.clone(),
            clock: clock.clone(),
        };
        let plan = Arc::new(Plan {
            gave_way: AtomicBool::new(false),
            disorderly: faults.disorderly,
            calls: AtomicU64::new(0),
            die: Mutex::new(ChaCha8Rng::seed_from_u64(faults.seed.wrapping_add(1))),
            failing_per_mille: faults.failing_per_mille,
            single: faults.single,
        });
        let dynamic: Arc<dyn FaultPlan> = plan.clone();
        let settings = IngestSettings { chunk_rows_max: 40, ..IngestSettings::new("records") };
        Self {
            ports: failing(&sound, &dynamic),
            objects,
            access,
            incidents,
            publisher,
            schedules,
            queue,
            clock,
            now,
            plan,
            sound,
            settings: if story.in_parts {
                IngestSettings { whole_bytes_max: 400, part_bytes: 200, ..settings }
            } else {
                settings
            },
            die: ChaCha8Rng::seed_from_u64(faults.seed),
            disorderly: faults.disorderly,
            pending: landings(story),
        }
    }

    async fn run(mut self, story: &Story) -> Outcome {
        let log = Log::default();
        let writer = log.clone();
        let _logging = tracing::subscriber::set_default(
            tracing_subscriber::fmt()
                .json()
                .with_max_level(tracing::Level::TRACE)
                .with_writer(move || writer.clone())
                .finish(),
        );
        for (key, body) in &story.files {
            self.sound.objects.put(LANDING, key, body.clone()).await.unwrap();
        }
        for (name, text) in FILES_OF_CONFIGURATION {
            self.sound.objects.put(CONFIGURATION, name, text.as_bytes().to_vec()).await.unwrap();
        }
        let loaded = catalog::load(&self.sound, CONFIGURATION).await.unwrap();
        assert_eq!(loaded, catalog::Loaded::Accepted { version: 1 });
        if let Some((name, text)) = &story.reconfigured {
            self.sound.objects.put(CONFIGURATION, name, text.clone().into_bytes()).await.unwrap();
            self.pending.push(Message::Reconfigured);
        }
        self.work_through().await;
        if story.reconfigured.is_some() {
            // What was tallied before the change is tallied by it once its file comes again.
            self.pending = landings(story);
            self.work_through().await;
        }
        let call_count_of_the_morning = self.plan.calls.load(Ordering::Relaxed);
        // Until the clocks of days have run out, and long enough after that for the slowest retry. A minute in which
        // nothing is due is a sweep that finds nothing, so time goes from one instant to the next.
        let end = self.now + TimeDelta::hours(80);
        while let Some(next) = self.next_attention().filter(|next| *next <= end) {
            self.pass((next - self.now).max(TimeDelta::zero()) + TimeDelta::seconds(30));
            self.pending.push(Message::Minute);
            self.work_through().await;
        }
        self.pass(end - self.now);
        self.pending.push(Message::Minute);
        self.work_through().await;
        Outcome { call_count_of_the_morning, ..self.outcome(&log).await }
    }

    /// Delivers messages until none is left. Several may be under way at once: then one call of one of them is made
    /// at a time, and the die says whose is next.
    async fn work_through(&mut self) {
        let mut under_way: Vec<(Message, Delivery)> = Vec::new();
        let most = if self.disorderly { UNDER_WAY_MAX } else { 1 };
        for turn in 0_u32.. {
            assert!(turn < 500_000, "messages never come to an end");
            self.take_streams();
            if under_way.is_empty() && self.pending.is_empty() {
                break;
            }
            let may_start = under_way.len() < most && !self.pending.is_empty();
            if may_start && (under_way.is_empty() || self.die.random_ratio(1, 4)) {
                let message = self.take_message();
                let (ports, settings) = (self.ports.clone(), self.settings.clone());
                under_way.push((message.clone(), Box::pin(deliver(ports, settings, message))));
                continue;
            }
            let index = if self.disorderly { self.die.random_range(0..under_way.len()) } else { 0 };
            if let Some(is_delivered) = self.one_call_of(&mut under_way[index].1).await {
                let (message, _) = under_way.swap_remove(index);
                if !is_delivered {
                    self.pending.push(message);
                }
                self.pass(TimeDelta::milliseconds(20));
            }
        }
    }

    /// The message that is delivered next: the first, or where it is disorderly any.
    fn take_message(&mut self) -> Message {
        if !self.disorderly {
            return self.pending.remove(0);
        }
        let index = self.die.random_range(0..self.pending.len());
        let message = self.pending.remove(index);
        if self.die.random_ratio(1, 12) {
            // Delivered twice, or dropped and delivered again later: the queue cannot tell.
            self.pending.push(message.clone());
        }
        message
    }

    /// Lets a delivery go on until it is before its next call, or at its end. While it waits for a thread of its
    /// own nobody else moves, so that a seed repeats exactly.
    async fn one_call_of(&self, delivery: &mut Delivery) -> Option<bool> {
        self.plan.gave_way.store(false, Ordering::Relaxed);
        std::future::poll_fn(|context| match delivery.as_mut().poll(context) {
            Poll::Ready(is_delivered) => Poll::Ready(Some(is_delivered)),
            Poll::Pending if self.plan.gave_way.load(Ordering::Relaxed) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    fn take_streams(&mut self) {
        self.pending.extend(self.queue.take().into_iter().map(Message::Work));
        let changed = self.access.take_stream().into_iter();
        self.pending.extend(changed.map(|(org, agent, day)| Message::Changed(org, agent, day)));
        let alerts = self.incidents.take_stream().into_iter();
        self.pending.extend(alerts.map(|(id, alert_id)| Message::Alert(id, alert_id)));
        self.pending.extend(self.schedules.due(self.now).into_iter().map(Message::Wake));
    }

    fn next_attention(&self) -> Option<DateTime<Utc>> {
        self.incidents.all_alerts().iter().filter_map(Alert::attention_at).min()
    }

    fn pass(&mut self, time: TimeDelta) {
        self.now += time;
        self.clock.set(self.now);
    }

    async fn outcome(self, log: &Log) -> Outcome {
        let mut findings = BTreeMap::new();
        for record in self.access.all_agent_hours() {
            let hour = &record.agent_hour;
            let key = format!(
                "hour {} {} {} {}",
                hour.org_id,
                hour.agent.as_str(),
                hour.hour.key(),
                hour.event_type.name()
            );
            findings.insert(key, json(hour));
        }
        for record in self.access.all_days() {
            let day = &record.findings;
            findings.insert(
                format!("day {} {} {}", day.org_id, day.agent.as_str(), day.day),
                json(day),
            );
        }
        let mut spoken: Vec<String> = Vec::new();
        let mut incidents = Vec::new();
        let mut unrecorded = Vec::new();
        for incident in self.incidents.incidents() {
            for duty in incident.running() {
                let has_ended = duty.watched_at().is_some_and(|ends_at| ends_at <= self.now);
                if has_ended && !incident.overdue_since.contains_key(&duty.regime_id) {
                    unrecorded.push(duty.regime_id.clone());
                }
            }
            findings.insert(format!("incident {}", incident.incident_id), json(&incident.findings));
            spoken.push(json(&incident).to_string());
            incidents.push(self.incidents.raw(&incident.incident_id).await.unwrap().unwrap());
        }
        let mut published = BTreeSet::new();
        for notice in self.publisher.published() {
            let alert_id =
                notice.json.pointer("/data/alert_id").unwrap().as_str().unwrap().to_owned();
            published.insert(alert_id);
            spoken.push(format!("{} {} {}", notice.subject, notice.text, notice.json));
        }
        for ((bucket, key), body) in self.objects.objects() {
            if bucket == "records" && key.starts_with("extracts/") {
                let reader = eventlog::extract::ExtractReader::new(io::Cursor::new(body));
                spoken.extend(reader.map(|row| json(&row.unwrap()).to_string()));
            }
        }
        let lines = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(lines.contains("read a file"), "the log was not captured");
        spoken.push(lines);
        Outcome {
            findings,
            alerts: self.incidents.all_alerts(),
            published,
            incidents,
            ended_at: self.now,
            spoken,
            call_count: self.plan.calls.load(Ordering::Relaxed),
            call_count_of_the_morning: 0,
            unrecorded,
        }
    }
}

fn landings(story: &Story) -> Vec<Message> {
    story.files.iter().map(|(key, _)| Message::Work(Work::Read(landed(key)))).collect()
}

async fn deliver(ports: Ports, settings: IngestSettings, message: Message) -> bool {
    match message {
        Message::Work(work) => ingest(&ports, &settings, &work).await.is_ok(),
        Message::Changed(org_id, agent, day) => {
            assess_day(&ports, &org_id, &agent, day).await.is_ok()
        }
        Message::Alert(incident_id, alert_id) => {
            attend(&ports, &incident_id, &alert_id).await.is_ok()
        }
        Message::Wake(Schedule { incident_id, alert_id, .. }) => {
            wake(&ports, &incident_id, &alert_id).await.is_ok()
        }
        Message::Reconfigured => catalog::load(&ports, CONFIGURATION).await.is_ok(),
        Message::Minute => {
            // A sweep that fails is not repeated: the next minute brings the next.
            let _ = sweep(&ports).await;
            true
        }
    }
}

fn json(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap()
}

/// What was logged during one run.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn landed(key: &str) -> LandedObject {
    LandedObject { bucket: LANDING.to_owned(), key: key.to_owned(), version: None }
}
