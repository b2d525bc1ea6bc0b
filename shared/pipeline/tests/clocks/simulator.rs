//! The simulator: incidents, a clock, a die.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use assessment::findings::{
    DataCategory, Findings, ObjectExposure, Risk, Severity, SeverityLevel, SubjectBasis,
    SubjectEstimate,
};
use chrono::{DateTime, TimeDelta, Utc};
use deadlines::{Facts, Law, Organisation, ReminderPolicy, TriggerKind};
use eventlog::attribution::AgentKey;
use incident::{
    Action, AlertState, Case, Clock, Command, Deciding, IncidentId, Notification, Opening, Phase,
    Policy, RiskLevel, audit,
};
use pipeline::{
    catalog,
    decide::{DecideError, carry_out},
    notify::{attend, wake},
    rejudge::rejudge_open,
    remind::sweep,
};
use ports::{
    Committed, IncidentTable, Ports, Schedule, Which,
    failing::{Fault, FaultPlan, failing},
    memory::{
        ManualClock, MemoryAccess, MemoryCatalog, MemoryIncidents, MemoryJoins, MemoryObjects,
        MemoryPublisher, MemoryQueue, MemorySchedules,
    },
};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

const ORG: &str = "00D5g000004Hq3K";
const AGENTS: [&str; 3] = ["support-copilot", "billing-bot", "unregistered:app:0H4"];
const CONFIGURATION: &str = "configuration";
const FILES_OF_CONFIGURATION: [(&str, &str); 6] = [
    ("agents.yaml", include_str!("../../../../infra/config/agents.yaml")),
    ("data-map.yaml", include_str!("../../../../infra/config/data-map.yaml")),
    ("law.yaml", include_str!("../../../../infra/config/law.yaml")),
    ("organisation.yaml", include_str!("../../../../infra/config/organisation.yaml")),
    ("orgs.yaml", include_str!("../../../../infra/config/orgs.yaml")),
    ("recipients.yaml", include_str!("../../../../infra/config/recipients.yaml")),
];

/// Which of the two ways of noticing are there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ways {
    pub(crate) sweep: bool,
    pub(crate) schedules: bool,
}

/// What a run came to.
pub(crate) struct Outcome {
    pub(crate) broken: Vec<String>,
    pub(crate) overdue_count: usize,
    pub(crate) published_count: usize,
    pub(crate) timelines: Vec<Vec<Value>>,
}

/// Runs one seed to its end.
pub(crate) fn simulate(seed: u64, ways: Ways, is_disturbed: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(Simulation::new(seed, ways, is_disturbed).run())
}

/// Fails some calls while it is armed.
struct Plan {
    die: Mutex<ChaCha8Rng>,
    per_mille: Mutex<u32>,
}

impl FaultPlan for Plan {
    fn next(&self, _call: &'static str) -> Fault {
        let mut die = self.die.lock().unwrap();
        if !die.random_ratio(*self.per_mille.lock().unwrap(), 1_000) {
            Fault::None
        } else if die.random_bool(0.5) {
            Fault::Before
        } else {
            Fault::After
        }
    }
}

#[derive(Clone)]
enum Message {
    Attend(IncidentId, String),
    Wake(Schedule),
}

struct Simulation {
    die: ChaCha8Rng,
    ways: Ways,
    is_disturbed: bool,
    plan: Arc<Plan>,
    sound: Ports,
    ports: Ports,
    incidents: Arc<MemoryIncidents>,
    schedules: Arc<MemorySchedules>,
    publisher: Arc<MemoryPublisher>,
    clock: Arc<ManualClock>,
    now: DateTime<Utc>,
    sweep_stands_until: Option<DateTime<Utc>>,
    /// What people saw when they last looked, by incident.
    seen: BTreeMap<IncidentId, u64>,
    pending: Vec<Message>,
    rows: u64,
    commands: u64,
    broken: Vec<String>,
}

impl Simulation {
    fn new(seed: u64, ways: Ways, is_disturbed: bool) -> Self {
        let now: DateTime<Utc> = "2026-11-24T15:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::at(now));
        let incidents = Arc::new(MemoryIncidents::default());
        let publisher = Arc::new(MemoryPublisher::default());
        let schedules = Arc::new(MemorySchedules::new(clock.clone()));
        let sound = Ports {
            objects: Arc::new(MemoryObjects::default()),
            access: Arc::new(MemoryAccess::default()),
            joins: Arc::new(MemoryJoins::default()),
            queue: Arc::new(MemoryQueue::default()),
            incidents: incidents.clone(),
            catalog: Arc::new(MemoryCatalog::default()),
            schedules: schedules.clone(),
            publisher: publisher.clone(),
            clock: clock.clone(),
        };
        let plan = Arc::new(Plan {
            die: Mutex::new(ChaCha8Rng::seed_from_u64(seed ^ 0x5EED)),
            per_mille: Mutex::new(0),
        });
        let dynamic: Arc<dyn FaultPlan> = plan.clone();
        Self {
            die: ChaCha8Rng::seed_from_u64(seed),
            ways,
            is_disturbed,
            ports: failing(&sound, &dynamic),
            plan,
            sound,
            incidents,
            schedules,
            publisher,
            clock,
            now,
            sweep_stands_until: None,
            seen: BTreeMap::new(),
            pending: Vec::new(),
            rows: 1,
            commands: 0,
            broken: Vec::new(),
        }
    }

    async fn run(mut self) -> Outcome {
        self.configure(0).await;
        for agent in &AGENTS[..self.die.random_range(1..=AGENTS.len())] {
            self.open(agent).await;
        }
        if self.is_disturbed {
            *self.plan.per_mille.lock().unwrap() = 40;
        }
        for _ in 0..self.die.random_range(15..40) {
            self.step().await;
        }
        // From here on everything works again, and everything that was missed is made good.
        *self.plan.per_mille.lock().unwrap() = 0;
        self.sweep_stands_until = None;
        self.set(self.now);
        // An alert whose publication could not be recorded is owed for up to half an hour more.
        self.pass(TimeDelta::hours(1)).await;
        self.check("once everything works again").await;
        for _ in 0..6 {
            self.acknowledge_all().await;
            self.pass(TimeDelta::hours(30)).await;
        }
        self.check("in the end").await;
        self.outcome().await
    }

    async fn step(&mut self) {
        match self.die.random_range(0..100) {
            0..35 => {
                let minutes = self.die.random_range(1..600);
                self.pass(TimeDelta::minutes(minutes)).await;
            }
            35..55 => {
                // Just before, at, or just after something is due.
                if let Some(next) = self.next_attention() {
                    let off = self.die.random_range(-3..6);
                    let time = next - self.now + TimeDelta::seconds(off * 20);
                    self.pass(time.max(TimeDelta::seconds(1))).await;
                }
            }
            55..67 => self.evidence().await,
            67..88 => self.decision().await,
            88..91 => {
                let version = self.die.random_range(1..4);
                self.configure(version).await;
            }
            91..94 if self.is_disturbed && self.ways.sweep => {
                self.sweep_stands_until = Some(self.now + TimeDelta::days(2));
            }
            94..97 if self.is_disturbed => self.schedules.clear(),
            _ if self.is_disturbed => {
                // The clock of one machine is off for a while.
                let off = TimeDelta::minutes(self.die.random_range(-8..8));
                self.clock.set(self.now + off);
                self.notice().await;
                self.set(self.now);
            }
            _ => self.pass(TimeDelta::minutes(1)).await,
        }
        if !self.is_disturbed {
            self.check("after a step").await;
        }
    }

    fn set(&mut self, now: DateTime<Utc>) {
        self.now = now;
        self.clock.set(now);
    }

    /// Lets time pass, and whoever watches notice what comes due on the way.
    async fn pass(&mut self, time: TimeDelta) {
        let until = self.now + time;
        for _ in 0..400 {
            let Some(next) = self.next_attention().filter(|next| *next < until) else { break };
            self.set(next.max(self.now + TimeDelta::seconds(1)));
            self.notice().await;
        }
        self.set(until.max(self.now));
        self.notice().await;
    }

    /// When something wants attention next, by the table itself.
    fn next_attention(&self) -> Option<DateTime<Utc>> {
        let alerts = self.incidents.all_alerts();
        alerts.iter().filter_map(incident::Alert::attention_at).filter(|at| *at > self.now).min()
    }

    /// What the next two minutes bring: what one sweep judges afresh the next one raises.
    async fn notice(&mut self) {
        for _ in 0..2 {
            self.watch().await;
        }
    }

    async fn watch(&mut self) {
        self.deliver().await;
        let sweeps =
            self.ways.sweep && self.sweep_stands_until.is_none_or(|until| until <= self.now);
        if sweeps {
            // A sweep that fails is not repeated: the next minute brings the next.
            let _ = sweep(&self.ports).await;
            let _ = rejudge_open(&self.ports).await;
        }
        if self.ways.schedules {
            let due = self.schedules.due(self.clock_now());
            self.pending.extend(due.into_iter().map(Message::Wake));
        } else {
            self.schedules.clear();
        }
        self.deliver().await;
    }

    fn clock_now(&self) -> DateTime<Utc> {
        ports::Clock::now(self.clock.as_ref())
    }

    /// Delivers messages until none is left; what fails comes again.
    async fn deliver(&mut self) {
        for _ in 0..10_000 {
            let stream = self.incidents.take_stream().into_iter();
            self.pending.extend(stream.map(|(id, alert_id)| Message::Attend(id, alert_id)));
            if self.pending.is_empty() {
                return;
            }
            let index =
                if self.is_disturbed { self.die.random_range(0..self.pending.len()) } else { 0 };
            let message = self.pending.remove(index);
            if self.is_disturbed && self.die.random_ratio(1, 15) {
                self.pending.push(message.clone());
            }
            let is_done = match &message {
                Message::Attend(id, alert_id) => attend(&self.ports, id, alert_id).await.is_ok(),
                Message::Wake(Schedule { incident_id, alert_id, .. }) => {
                    wake(&self.ports, incident_id, alert_id).await.is_ok()
                }
            };
            if !is_done {
                self.pending.push(message);
            }
        }
        self.broken.push("messages never come to an end".to_owned());
    }

    /// The configuration of that number: other places, other facts, another duty of one's own.
    async fn configure(&mut self, number: u32) {
        for (name, text) in FILES_OF_CONFIGURATION {
            let text = match (name, number) {
                ("orgs.yaml", 1) => text.replace("US-CA", "US-TX"),
                ("orgs.yaml", 2) => text.replace("GB, ", ""),
                ("law.yaml", 3) => text.replace("uk_gdpr_applies: true", "uk_gdpr_applies: false"),
                _ => text.to_owned(),
            };
            self.sound.objects.put(CONFIGURATION, name, text.into_bytes()).await.unwrap();
        }
        catalog::load(&self.sound, CONFIGURATION).await.unwrap();
    }

    /// Opens an incident under an older law, as a version of the program did that is replaced meanwhile.
    async fn open(&mut self, agent: &str) {
        let mut law = Law::embedded().unwrap();
        "2020-01-01".clone_into(&mut law.law_version);
        let newer = ["eu-gdpr-34", "uk-gdpr-33-1", "ch-fadp-24-1"];
        law.regimes.retain(|regime| !newer.contains(&regime.id.as_str()));
        let facts = Facts::default()
            .with("role", "controller")
            .with("personal_data_breach", true)
            .with("establishment_country", "DE")
            .with("gdpr_applies", true)
            .with("subject_country", vec!["DE"]);
        let policy = Policy {
            law: Arc::new(law),
            facts,
            organisation: Organisation::in_zone(chrono_tz::Europe::Berlin),
            reminders: ReminderPolicy::default(),
        };
        let opening =
            Opening { findings: self.findings(agent), episode: 1, landed_at: Some(self.now) };
        let by = Deciding { now: self.now, actor: "assess", policy: &policy };
        let change = Case::open(opening, by).unwrap();
        assert_eq!(self.sound.incidents.commit(&change).await.unwrap(), Committed::Yes);
    }

    fn findings(&mut self, agent: &str) -> Findings {
        self.rows += 1;
        let levels = [SeverityLevel::Medium, SeverityLevel::High, SeverityLevel::Critical];
        let level = *levels.choose(&mut self.die).unwrap();
        let categories = [
            Some(DataCategory::ContactIdentity),
            Some(DataCategory::FinancialCredentials),
            Some(DataCategory::SpecialCategory),
            None,
        ];
        let category = *categories.choose(&mut self.die).unwrap();
        let exposure =
            ObjectExposure { category, row_count: self.rows, ..ObjectExposure::default() };
        let first_event_at = "2026-11-24T09:12:00Z".parse().unwrap();
        Findings {
            org_id: ORG.to_owned(),
            agent: AgentKey(agent.to_owned()),
            first_event_at,
            last_event_at: first_event_at + TimeDelta::minutes(28),
            score: 80,
            signals: Vec::new(),
            severity: Severity {
                level,
                risk: Risk::Risk,
                level_at_lower: level,
                category: category.unwrap_or(DataCategory::ContactIdentity),
                arithmetic: "as the die says".to_owned(),
                matrix_version: "test".to_owned(),
            },
            exposures: [("Contact".to_owned(), exposure)].into(),
            row_count: self.rows,
            record_count: self.rows * 100,
            subject_estimate: SubjectEstimate {
                exact: 0,
                lower: self.die.random_range(0..900),
                upper: self.die.random_bool(0.7).then(|| self.die.random_range(900..90_000)),
                basis: SubjectBasis::RecordsCounted,
            },
            unsure_row_counts: BTreeMap::new(),
            gaps: BTreeMap::new(),
            scoring_version: "test".to_owned(),
        }
    }

    /// New evidence of some incident, decided on as `assess` does.
    async fn evidence(&mut self) {
        let Some(incident_id) = self.some_incident() else { return };
        let agent = self.incidents.incident(&incident_id).await.unwrap().unwrap().agent.0;
        let findings = self.findings(&agent);
        let stored = self.sound.catalog.current().await.unwrap().unwrap();
        // Until it is written: the stream brings it again.
        for _ in 0..200 {
            let Ok(Some(incident)) = self.ports.incidents.incident(&incident_id).await else {
                continue;
            };
            let Ok(alerts) = self.ports.incidents.alerts(&incident_id).await else { continue };
            let policy = pipeline::policy(&stored.configuration, ORG).unwrap();
            let by = Deciding { now: self.clock_now(), actor: "assess", policy: &policy };
            let Some(change) = Case::new(incident, alerts).extend(findings.clone(), by) else {
                break;
            };
            if matches!(self.ports.incidents.commit(&change).await, Ok(Committed::Yes)) {
                break;
            }
        }
        self.deliver().await;
    }

    fn some_incident(&mut self) -> Option<IncidentId> {
        let incidents = self.incidents.incidents();
        incidents.choose(&mut self.die).map(|incident| incident.incident_id.clone())
    }

    /// Somebody decides something, mostly sensible, on what they saw a while ago.
    async fn decision(&mut self) {
        let Some(incident_id) = self.some_incident() else { return };
        let incident = self.incidents.incident(&incident_id).await.unwrap().unwrap();
        let running: Vec<String> =
            incident.running().into_iter().map(|duty| duty.regime_id.clone()).collect();
        let duty = running.choose(&mut self.die).cloned().unwrap_or("eu-gdpr-33-1".to_owned());
        let reason = "as the die says".to_owned();
        let ago = TimeDelta::minutes(self.die.random_range(0..900));
        let action = match self.die.random_range(0..13) {
            0 => Action::Acknowledge,
            1 | 2 => {
                Action::SetMoment { moment: TriggerKind::Aware, moment_at: self.now - ago, reason }
            }
            3 | 4 => {
                let risks = [RiskLevel::Unlikely, RiskLevel::Risk, RiskLevel::HighRisk];
                Action::AssessRisk { risk: *risks.choose(&mut self.die).unwrap(), reason }
            }
            5 => Action::Decide { regime_ids: vec![duty], notify: false, reason },
            6 => Action::Decide { regime_ids: vec![duty], notify: true, reason },
            7 | 8 => Action::RecordSent {
                regime_ids: vec![duty],
                notification: Notification {
                    sent_at: self.now,
                    recipient: "the authority".to_owned(),
                    reference: None,
                    phase: Phase::Initial,
                    attachments: BTreeMap::new(),
                },
            },
            9 => Action::CorrectFact {
                fact: "uk_gdpr_applies".to_owned(),
                value: json!(self.die.random_bool(0.5)),
                reason,
            },
            10 => Action::Dismiss { reason },
            11 => Action::Reopen { reason },
            _ => Action::Close { reason },
        };
        let revision = incident.revision;
        let seen = *self.seen.get(&incident_id).unwrap_or(&revision);
        let decided_on =
            [Some(seen), Some(revision), None].choose(&mut self.die).copied().flatten();
        // People look again now and then.
        if self.die.random_bool(0.6) {
            self.seen.insert(incident_id.clone(), revision);
        }
        self.commands += 1;
        let command =
            Command { command_id: format!("command-{}", self.commands), decided_on, action };
        let mut carried_out = None;
        for _ in 0..200 {
            match carry_out(&self.ports, &incident_id, &command, "a person").await {
                Ok(decided) => {
                    carried_out = Some(decided);
                    break;
                }
                Err(DecideError::Refused(_)) => break,
                // The same again, as a person would.
                Err(DecideError::Pipeline(_)) => {}
            }
        }
        let depends = !matches!(command.action, Action::Acknowledge);
        if let Some(decided) = &carried_out {
            let was_stale = decided_on.is_some_and(|seen| seen < revision);
            if was_stale && depends && !decided.done_before {
                self.broken
                    .push(format!("a decision on revision {decided_on:?} was taken at {revision}"));
            }
            let again = carry_out(&self.sound, &incident_id, &command, "a person").await;
            if !again.is_ok_and(|again| again.done_before) {
                self.broken.push("a command was carried out twice".to_owned());
            }
        }
        self.deliver().await;
    }

    async fn acknowledge_all(&mut self) {
        for incident in self.incidents.incidents() {
            self.commands += 1;
            let command = Command {
                command_id: format!("acknowledge-{}", self.commands),
                decided_on: None,
                action: Action::Acknowledge,
            };
            let _ = carry_out(&self.sound, &incident.incident_id, &command, "a person").await;
        }
        self.deliver().await;
    }

    /// Everything that holds whenever whoever watches has just had a look.
    async fn check(&mut self, when: &str) {
        self.deliver().await;
        let mut broken = Vec::new();
        for incident_id in self.sound.incidents.list(Which::All).await.unwrap() {
            let incident = self.incidents.incident(&incident_id).await.unwrap().unwrap();
            let alerts = self.incidents.alerts(&incident_id).await.unwrap();
            let case = Case::new(incident, alerts);
            broken.extend(self.unnoticed(&case).into_iter().map(|what| format!("{when}: {what}")));
        }
        let published: BTreeSet<String> = self.published().into_iter().collect();
        for alert in self.incidents.all_alerts() {
            let is_published = matches!(alert.state, AlertState::Published { .. });
            if is_published && !published.contains(&alert.alert_id) {
                broken.push(format!("{when}: {} was never published", alert.alert_id));
            }
        }
        self.broken.extend(broken);
    }

    /// Clocks that ended, and messages whose time has come, of which nobody has taken notice.
    fn unnoticed(&self, case: &Case) -> Vec<String> {
        let mut unnoticed = Vec::new();
        let incident = &case.incident;
        for duty in incident.running() {
            let clock = Clock::of(duty).unwrap();
            let id = &duty.regime_id;
            if clock.ends_at <= self.now && !incident.overdue_since.contains_key(id) {
                unnoticed.push(format!("{id} ended at {} and nobody noticed", clock.ends_at));
            }
            let is_watched = case.alerts.values().any(|alert| {
                alert.clock == Some(clock) && alert.stage == deadlines::Stage::Overdue
            });
            if !is_watched {
                unnoticed.push(format!("nobody would notice the end of {id}"));
            }
        }
        for alert in case.alerts.values() {
            let is_due = alert.due_at <= self.now
                && !matches!(
                    alert.state,
                    AlertState::Published { .. } | AlertState::Withdrawn { .. }
                );
            let runs = alert.clock.is_none_or(|clock| !incident.running_with(clock).is_empty());
            if is_due && runs {
                unnoticed.push(format!("{} is {:?}", alert.alert_id, alert.state));
            }
        }
        unnoticed
    }

    fn published(&self) -> Vec<String> {
        let notices = self.publisher.published();
        let id = |notice: &notices::Notice| {
            notice.json.pointer("/data/alert_id").and_then(Value::as_str).unwrap().to_owned()
        };
        notices.iter().map(id).collect()
    }

    async fn outcome(mut self) -> Outcome {
        let mut timelines = Vec::new();
        let mut overdue_count = 0;
        for incident in self.incidents.incidents() {
            overdue_count += incident.overdue_since.len();
            let raw = self.sound.incidents.raw(&incident.incident_id).await.unwrap().unwrap();
            for flaw in audit(&raw.incident, &raw.alerts, &raw.timeline, &[]) {
                self.broken.push(format!("in the end: {}: {flaw}", incident.incident_id));
            }
            timelines.push(raw.timeline);
        }
        let published_count = self.published().len();
        Outcome { broken: self.broken, overdue_count, published_count, timelines }
    }
}
