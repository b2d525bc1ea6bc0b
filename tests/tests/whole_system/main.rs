//! The whole system, deployed on the local stack: what reaches the landing bucket, and what comes out at the end.
//!
//! The cases run one after another on one stack, each from an empty system; `cargo xtask test NAME` runs those whose
//! names contain NAME. What is right is taken from the generator's own account of the morning, or from the same rows
//! landed without any disturbance.

mod clocks;
#[path = "../../../shared/ports/tests/conformance/suite.rs"]
mod conformance;
mod decisions;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use chrono::{TimeDelta, Utc};
use deadlines::Stage;
use incident::{Alert, AlertState, Incident};
use libtest_mimic::{Arguments, Trial};
use local_stack::{Answer, LocalStack, WebhookReceiver, repository, wait_until};
use ports::{FileOutcome, FileRecord};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use worlds::{CANARY_PERSONAL_DATA, LogFile, ORG_ID, SUPPORT_COPILOT, World};

const READ_TIMEOUT: Duration = Duration::from_mins(2);
const ALERT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long nothing must change before the system counts as having come to rest.
const QUIET: Duration = Duration::from_millis(900);
const FUNCTIONS: [&str; 6] = ["ingest", "assess", "notify", "remind", "catalog", "attest"];

fn main() -> ExitCode {
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let session = Arc::new(Session::default());
    let conclusion = libtest_mimic::run(&arguments, trials(&session));
    // Ends the stack; `exit` would leave that to the pipe between the two.
    drop(session);
    conclusion.exit_code()
}

fn trials(session: &Arc<Session>) -> Vec<Trial> {
    macro_rules! trials {
        ($($case:ident),* $(,)?) => {
            vec![$({
                let session = Arc::clone(session);
                Trial::test(stringify!($case), move || {
                    session.run(async |system: &mut System| $case(system).await)
                })
            }),*]
        };
    }
    use clocks::{
        every_day_the_heads_are_put_away_and_legal_is_told,
        with_the_schedules_lost_the_sweep_alone_tells_of_what_is_due,
        with_the_sweep_turned_off_a_schedule_alone_tells_of_what_is_due,
    };
    use decisions::{
        an_edit_made_beside_the_program_is_found, what_a_person_decides_moves_and_stops_the_clocks,
    };
    trials![
        the_morning_leads_to_the_one_incident_there_is,
        the_adapters_for_aws_keep_what_the_ports_promise,
        the_same_object_three_times_counts_once,
        order_split_and_repetition_do_not_show,
        two_hundred_files_at_once,
        functions_killed_at_work_lose_nothing,
        a_poison_message_goes_to_dead_letters_and_holds_up_nobody,
        bad_files_are_read_as_far_as_they_go_or_refused_with_a_reason,
        a_key_with_spaces_and_plus_is_read_in_every_shape_of_event,
        a_webhook_that_was_down_is_told_again,
        an_alert_that_could_not_be_published_is_published_later,
        with_the_sweep_turned_off_a_schedule_alone_tells_of_what_is_due,
        with_the_schedules_lost_the_sweep_alone_tells_of_what_is_due,
        every_day_the_heads_are_put_away_and_legal_is_told,
        what_a_person_decides_moves_and_stops_the_clocks,
        an_edit_made_beside_the_program_is_found,
    ]
}

/// What the cases share.
#[derive(Default)]
struct Session {
    system: Mutex<Option<System>>,
}

struct System {
    // Dropped first: its drop needs no runtime, the receiver's does.
    stack: LocalStack,
    receiver: WebhookReceiver,
    undisturbed: OnceLock<Outcome>,
    runtime: Arc<Runtime>,
}

/// What must not depend on how the rows came.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    findings: Vec<Value>,
    agent_hours: Vec<Value>,
}

impl Session {
    fn run(
        &self,
        case: impl AsyncFnOnce(&mut System) -> Result<()>,
    ) -> std::result::Result<(), libtest_mimic::Failed> {
        // The whole chain of causes belongs into the report, not only the last link.
        self.attempt(case).map_err(|problem| format!("{problem:#}").into())
    }

    fn attempt(&self, case: impl AsyncFnOnce(&mut System) -> Result<()>) -> Result<()> {
        let mut system = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        if system.is_none() {
            *system = Some(System::start()?);
        }
        let system = system.as_mut().context("no system")?;
        let runtime = Arc::clone(&system.runtime);
        runtime.block_on(async {
            system.empty().await?;
            case(system)
                .await
                .with_context(|| format!("logs: {}", system.stack.emulator().folder().display()))
        })?;
        Ok(())
    }
}

impl System {
    fn start() -> Result<Self> {
        let runtime = Arc::new(Runtime::new()?);
        let (stack, receiver) = runtime.block_on(async {
            let stack =
                LocalStack::start("whole-system", &repository().join("infra/config")).await?;
            let receiver = WebhookReceiver::start().await?;
            stack.subscribe(&receiver).await?;
            anyhow::Ok((stack, receiver))
        })?;
        Ok(Self { stack, receiver, undisturbed: OnceLock::new(), runtime })
    }

    /// An empty system, at rest, with nothing turned off.
    async fn empty(&mut self) -> Result<()> {
        self.receiver.answer_with(Answer::Accept);
        self.stack.start_sweep().await?;
        self.stack.allow_schedules().await?;
        wait_until("the system to stay empty", READ_TIMEOUT, async || {
            self.stack.clear().await?;
            tokio::time::sleep(QUIET).await;
            let outcome = self.outcome().await?;
            let empty = outcome.findings.is_empty()
                && outcome.agent_hours.is_empty()
                && self.stack.depth(&self.stack.outputs().landing_queue_url).await? == 0
                && self.stack.dead_letters().await? == 0;
            Ok(empty.then_some(()))
        })
        .await
    }

    async fn outcome(&self) -> Result<Outcome> {
        let incidents = self.stack.incidents_of(ORG_ID).await?;
        let hours = self.stack.agent_hours_of(ORG_ID).await?;
        Ok(Outcome {
            findings: incidents
                .iter()
                .map(|incident| serde_json::to_value(&incident.findings))
                .collect::<std::result::Result<_, _>>()?,
            agent_hours: hours
                .iter()
                .map(serde_json::to_value)
                .collect::<std::result::Result<_, _>>()?,
        })
    }

    /// Lands files one after another.
    async fn land(&self, files: &[LogFile]) -> Result<()> {
        for file in files {
            self.stack.land(&file.key(), file.to_csv()).await?;
        }
        Ok(())
    }

    /// Waits until every one of these files was read and nothing moves any more, and answers with the outcome.
    async fn judged(&self, files: &[LogFile]) -> Result<Outcome> {
        let keys: BTreeSet<String> = files.iter().map(LogFile::key).collect();
        self.read(&keys).await?;
        self.rest().await
    }

    async fn read(&self, keys: &BTreeSet<String>) -> Result<Vec<FileRecord>> {
        let what = format!("{} files to be read", keys.len());
        wait_until(&what, READ_TIMEOUT, async || {
            let mut files = self.stack.files().await?;
            files.retain(|file| keys.contains(&file.key));
            let read: BTreeSet<&String> = files.iter().map(|file| &file.key).collect();
            Ok((read.len() == keys.len()).then_some(files))
        })
        .await
    }

    async fn rest(&self) -> Result<Outcome> {
        let started = Instant::now();
        let mut outcome = self.outcome().await?;
        let mut since = Instant::now();
        while since.elapsed() < QUIET {
            ensure!(started.elapsed() < READ_TIMEOUT, "the system does not come to rest");
            tokio::time::sleep(Duration::from_millis(100)).await;
            let now = self.outcome().await?;
            let waiting = self.stack.depth(&self.stack.outputs().landing_queue_url).await?;
            if now != outcome || waiting > 0 {
                (outcome, since) = (now, Instant::now());
            }
        }
        Ok(outcome)
    }

    /// The outcome of the morning when nothing disturbs it. Leaves the system empty.
    async fn undisturbed(&mut self) -> Result<&Outcome> {
        if self.undisturbed.get().is_none() {
            let world = World::morning(1);
            self.land(&world.files).await?;
            let outcome = self.judged(&world.files).await?;
            ensure!(!outcome.findings.is_empty(), "the morning led to no incident");
            self.empty().await?;
            self.undisturbed.get_or_init(|| outcome);
        }
        self.undisturbed.get().context("just set")
    }

    async fn the_incident(&self) -> Result<Incident> {
        wait_until("the incident", ALERT_TIMEOUT, async || {
            Ok(self.stack.incidents_of(ORG_ID).await?.pop())
        })
        .await
    }

    /// The incident of the morning, once legal was told of it and nothing moves any more.
    async fn incident_of_the_morning(&self) -> Result<Incident> {
        let world = World::morning(1);
        let started = Instant::now();
        self.land(&world.files).await?;
        self.judged(&world.files).await?;
        let incident = self.the_incident().await?;
        self.told(&incident, Stage::Opened, started).await?;
        wait_until("every message that is owed to be out", ALERT_TIMEOUT, async || {
            let alerts = self.stack.alerts_of(&incident).await?;
            Ok((!alerts.iter().any(Alert::is_owed)).then_some(()))
        })
        .await?;
        self.the_incident().await
    }

    /// The first alert of that stage, by the instant that it is due.
    async fn alert(&self, incident: &Incident, stage: Stage) -> Result<Alert> {
        let alerts = self.stack.alerts_of(incident).await?;
        let found = alerts.into_iter().find(|alert| alert.stage == stage);
        found.with_context(|| format!("no alert {}", stage.name()))
    }

    /// Waits for the webhook to accept an alert of this stage of this incident.
    async fn told(&self, incident: &Incident, stage: Stage, since: Instant) -> Result<Value> {
        let what = format!("the webhook to be told {} of {}", stage.name(), incident.incident_id);
        wait_until(&what, Duration::from_mins(4), async || {
            for (request, notification) in self.receiver.alerts()? {
                let body = notification.json()?;
                let of_incident =
                    body.pointer("/data/incident_id") == Some(&json!(incident.incident_id));
                if request.at >= since
                    && of_incident
                    && notification.attribute("stage") == Some(&stage.name())
                {
                    return Ok(Some(body));
                }
            }
            Ok(None)
        })
        .await
    }
}

async fn the_morning_leads_to_the_one_incident_there_is(system: &mut System) -> Result<()> {
    let world = World::morning(1);
    let leak = world.truth.leaks.first().context("a morning without a leak")?;
    let started = Instant::now();
    system.land(&world.files).await?;
    let outcome = system.judged(&world.files).await?;
    ensure!(outcome.findings.len() == 1, "not one incident but {}", outcome.findings.len());

    let incident = system.the_incident().await?;
    let findings = &incident.findings;
    ensure!(
        incident.agent.as_str() == SUPPORT_COPILOT,
        "the wrong agent: {}",
        incident.agent.as_str()
    );
    same("first row", &findings.first_event_at, &leak.first_at)?;
    same("last row", &findings.last_event_at, &leak.last_at)?;
    for object in leak.objects.keys() {
        ensure!(findings.exposures.contains_key(object), "{object} is not among the exposed");
    }
    ensure!(
        findings.signals.iter().all(|signal| signal.row_count > 0 && !signal.evidence.is_empty()),
        "a signal without evidence: {:?}",
        findings.signals
    );

    let rows: u64 = system.stack.files().await?.iter().map(|file| file.row_count).sum();
    same("rows read", &rows, &world.truth.rows)?;

    let body = system.told(&incident, Stage::Opened, started).await?;
    same("agent told", &body.pointer("/data/agent"), &Some(&json!(SUPPORT_COPILOT)))?;
    let detected = incident.times.detected.context("no moment of detection")?;
    // Where the persons live that infra/config names, and the one duty of the organisation's own.
    let limits = [
        ("eu-gdpr-33-1", Some(72)),
        ("uk-gdpr-33-1", Some(72)),
        ("own-insurer", Some(24)),
        ("ch-fadp-24-1", None),
    ];
    for (regime_id, hours) in limits {
        let duty = incident.obligation(regime_id).with_context(|| format!("no {regime_id}"))?;
        let due_at = hours.map(|hours| detected + TimeDelta::hours(hours));
        same(regime_id, &duty.due_at, &due_at)?;
        ensure!(duty.watched_at().is_some(), "nobody watches {regime_id}");
    }
    let stages: BTreeSet<String> = system
        .stack
        .alerts_of(&incident)
        .await?
        .iter()
        .filter(|alert| alert.state == AlertState::Scheduled)
        .map(|alert| alert.stage.name())
        .collect();
    let shares = [50, 25, 10].map(|percent| Stage::RemainingShare { percent });
    for stage in shares.iter().chain(&[Stage::RemainingTime { minutes: 60 }, Stage::Overdue]) {
        ensure!(stages.contains(&stage.name()), "no {} is planned: {stages:?}", stage.name());
    }

    let emails = system.stack.emulator().emails()?;
    let email = emails.last().context("no email went out")?;
    ensure!(email.subject.len() < 100, "a subject too long for SNS: {}", email.subject);
    ensure!(email.body.contains(incident.incident_id.as_str()), "the email names no incident");

    let mut public = vec![serde_json::to_string(&incident)?];
    public.extend(emails.into_iter().map(|email| email.subject + &email.body));
    for request in system.receiver.received() {
        public.push(String::from_utf8(request.body)?);
    }
    for function in FUNCTIONS {
        let lines = system.stack.log_lines(function).await?;
        // The one may not have had its minute yet, the other has its hour.
        let is_timed = ["remind", "attest"].contains(&function);
        ensure!(!lines.is_empty() || is_timed, "{function} logged nothing");
        public.extend(lines);
    }
    let shown = public.iter().find(|text| text.contains(CANARY_PERSONAL_DATA));
    ensure!(shown.is_none(), "personal data got out: {shown:?}");
    Ok(())
}

async fn the_adapters_for_aws_keep_what_the_ports_promise(system: &mut System) -> Result<()> {
    let ports = system.stack.ports_of_their_own().await?;
    let bucket = &system.stack.outputs().records_bucket;
    conformance::every_promise(&ports, bucket, "00DCONFORMANCE1").await;
    let standing_at = async |alert_id: &str| {
        let standing_at = system.stack.scheduled_at(alert_id).await;
        standing_at.into_iter().collect()
    };
    conformance::one_schedule_per_alert(&ports, "00DCONFORMANCE1", standing_at).await;
    Ok(())
}

async fn the_same_object_three_times_counts_once(system: &mut System) -> Result<()> {
    system.undisturbed().await?;
    let world = World::morning(1);
    for _ in 0..3 {
        system.land(&world.files).await?;
    }
    // And the same event once more, as a queue may deliver it.
    for file in &world.files {
        system.stack.enqueue(&event_bridge(system, &file.key())).await?;
    }
    let outcome = system.judged(&world.files).await?;
    same("outcome", &outcome, system.undisturbed().await?)
}

async fn order_split_and_repetition_do_not_show(system: &mut System) -> Result<()> {
    system.undisturbed().await?;
    let world = World::morning(1);
    let late = world.late_hourly(30);
    let reversed: Vec<LogFile> = late.iter().rev().cloned().collect();
    let variants = [
        ("hourly, then the late rows, then daily", [late.clone(), world.daily()].concat()),
        ("daily, then hourly", [world.daily(), world.files.clone()].concat()),
        ("late before timely", reversed),
        ("shuffled", world.shuffled(7)),
        ("rows twice", world.duplicated(20)),
        ("columns in another order", world.with_reordered_columns(3)),
        ("columns nobody knows", world.with_extra_columns()),
    ];
    for (name, files) in variants {
        system.land(&files).await.context(name)?;
        let outcome = system.judged(&files).await.context(name)?;
        system.empty().await.context(name)?;
        same(name, &outcome, system.undisturbed().await?)?;
    }
    Ok(())
}

async fn two_hundred_files_at_once(system: &mut System) -> Result<()> {
    system.undisturbed().await?;
    let files = cut(&World::morning(1).files, 200);
    ensure!(files.len() >= 200, "only {} files", files.len());
    land_at_once(system, &files).await?;
    let outcome = system.judged(&files).await?;
    same("dead letters", &system.stack.dead_letters().await?, &0)?;
    same("outcome", &outcome, system.undisturbed().await?)
}

async fn functions_killed_at_work_lose_nothing(system: &mut System) -> Result<()> {
    system.undisturbed().await?;
    let files = cut(&World::morning(1).files, 200);
    land_at_once(system, &files).await?;
    let mut killed = 0;
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        killed += system.stack.emulator().kill_functions()?;
    }
    ensure!(killed > 0, "no function was at work");
    let outcome = system.judged(&files).await?;
    same("outcome", &outcome, system.undisturbed().await?)
}

async fn a_poison_message_goes_to_dead_letters_and_holds_up_nobody(
    system: &mut System,
) -> Result<()> {
    let world = World::morning(1);
    system.stack.enqueue("this is no event").await?;
    system.stack.enqueue(&event_bridge(system, "never/landed.csv")).await?;
    let started = Instant::now();
    system.land(&world.files).await?;
    system.judged(&world.files).await?;
    let incident = system.the_incident().await?;
    system.told(&incident, Stage::Opened, started).await?;
    wait_until("both messages among the dead letters", READ_TIMEOUT, async || {
        Ok((system.stack.dead_letters().await? == 2).then_some(()))
    })
    .await
}

async fn bad_files_are_read_as_far_as_they_go_or_refused_with_a_reason(
    system: &mut System,
) -> Result<()> {
    let mut keys = BTreeSet::new();
    for entry in std::fs::read_dir(repository().join("events/bad"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let key = format!("bad/{name}");
        system.stack.land(&key, std::fs::read(&path)?).await?;
        keys.insert(key);
    }
    let files = system.read(&keys).await?;
    let file = |name: &str| {
        let key = format!("bad/{name}");
        let found = files.iter().find(|file| file.key == key);
        found.with_context(|| format!("no record of {name}"))
    };
    for record in &files {
        let silent = record.row_count == 0
            && record.quarantined.is_empty()
            && record.gaps.is_empty()
            && record.outcome == FileOutcome::Read
            && !["bad/header-only.csv", "bad/empty.csv"].contains(&record.key.as_str());
        ensure!(!silent, "{} was dropped silently", record.key);
    }
    let broken = matches!(&file("truncated.csv.gz")?.outcome, FileOutcome::Broken { reason } if !reason.is_empty());
    ensure!(broken, "the truncated file: {:?}", file("truncated.csv.gz")?);
    ensure!(file("truncated.csv.gz")?.row_count > 0, "the rows before the cut were not read");
    let header_only = file("header-only.csv")?;
    ensure!(
        header_only.outcome == FileOutcome::Read && header_only.row_count == 0,
        "a header without rows: {header_only:?}"
    );
    let garbage = file("binary-garbage.csv")?;
    let refused = matches!(garbage.outcome, FileOutcome::Refused { .. });
    ensure!(refused, "binary garbage is not refused: {garbage:?}");
    let json = file("json-instead-of-csv.csv")?;
    ensure!(
        json.outcome == FileOutcome::Read && json.row_count > 0 && json.quarantined.is_empty(),
        "JSON under the name of CSV is read as what it is: {json:?}"
    );
    for name in ["unknown-type.csv", "missing-user-id.csv"] {
        ensure!(!file(name)?.gaps.is_empty(), "no gap is named for {name}: {:?}", file(name)?);
    }
    let irrelevant = file("another-type.csv")?;
    ensure!(
        irrelevant.gaps.is_empty() && irrelevant.row_count > 0,
        "a type that tells of no access is counted and no gap: {irrelevant:?}"
    );
    for name in ["unreadable-times.csv", "missing-timestamps.csv", "latin-1.csv"] {
        let record = file(name)?;
        ensure!(!record.quarantined.is_empty(), "nothing of {name} in quarantine: {record:?}");
    }
    let records_bucket = &system.stack.outputs().records_bucket;
    let quarantine = system.stack.object_keys(records_bucket, "quarantine/").await?;
    ensure!(!quarantine.is_empty(), "the quarantine is empty");
    wait_until(
        "the file cut short and the one refused among the dead letters",
        READ_TIMEOUT,
        async || Ok((system.stack.dead_letters().await? == 2).then_some(())),
    )
    .await
}

async fn a_key_with_spaces_and_plus_is_read_in_every_shape_of_event(
    system: &mut System,
) -> Result<()> {
    let world = World::morning(1);
    let file = world.files.iter().find(|file| file.event_type == "RestApi").context("no file")?;
    let key = file.awkward_key();
    // EventBridge: the key as it is.
    system.stack.land(&key, file.to_csv_gz()).await?;
    let keys = BTreeSet::from([key.clone()]);
    system.read(&keys).await?;
    system.rest().await?;

    let bucket = &system.stack.outputs().landing_bucket;
    let notification = json!({ "Records": [{
        "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": bucket }, "object": { "key": form_encoded(&key) } },
    }]});
    let wrapped = json!({ "Type": "Notification", "Message": notification.to_string() });
    for (shape, body) in [("a bucket notification", notification), ("one wrapped by SNS", wrapped)]
    {
        system.stack.clear().await?;
        system.stack.enqueue(&body.to_string()).await?;
        system.read(&keys).await.context(shape)?;
        system.rest().await?;
    }
    system
        .stack
        .enqueue(&json!({ "Service": "Amazon S3", "Event": "s3:TestEvent" }).to_string())
        .await?;
    system.rest().await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    same("dead letters", &system.stack.dead_letters().await?, &0)
}

/// On AWS the topic itself tries again for hours; the emulator's does not. What the system does by itself: the clock
/// goes on speaking, with all there is to know.
async fn a_webhook_that_was_down_is_told_again(system: &mut System) -> Result<()> {
    for answer in [Answer::HangUp, Answer::Refuse(500)] {
        system.empty().await?;
        system.receiver.answer_with(answer);
        let started = Instant::now();
        let world = World::morning(1);
        system.land(&world.files).await?;
        system.judged(&world.files).await?;
        let incident = system.the_incident().await?;
        wait_until("the webhook to be tried", ALERT_TIMEOUT, async || {
            let tried = system.receiver.received();
            Ok(tried
                .iter()
                .any(|request| request.at >= started && request.answer == answer)
                .then_some(()))
        })
        .await?;

        system.receiver.answer_with(Answer::Accept);
        // Half the span passes, as far as this alert is concerned.
        let half = Stage::RemainingShare { percent: 50 };
        let mut reminder = system.alert(&incident, half).await?;
        reminder.due_at = Utc::now();
        system.stack.put_alert_unnoticed(&reminder).await?;
        system.stack.invoke("remind", &json!({ "source": "aws.events", "detail": {} })).await?;
        let body = system.told(&incident, half, started).await?;
        let rows = body.pointer("/data/rows").and_then(Value::as_u64);
        same("rows told", &rows, &Some(incident.findings.row_count))?;
    }
    Ok(())
}

/// The incident is written and its alert owed, and then the way out is gone: what a crash between the two leaves.
async fn an_alert_that_could_not_be_published_is_published_later(
    system: &mut System,
) -> Result<()> {
    let lost = system.stack.lose_topic().await?;
    let world = World::morning(1);
    system.land(&world.files).await?;
    system.judged(&world.files).await?;
    let incident = system.the_incident().await?;
    let alert = system.alert(&incident, Stage::Opened).await?;
    ensure!(alert.is_owed(), "published without a topic: {alert:?}");

    system.stack.restore_topic(lost).await?;
    let started = Instant::now();
    system.stack.subscribe(&system.receiver).await?;
    // The sweep offers it again two minutes after the first attempt; those pass here.
    let mut alert = system.alert(&incident, Stage::Opened).await?;
    if let AlertState::Owed { next_attempt_at, .. } = &mut alert.state {
        *next_attempt_at = Utc::now();
        system.stack.put_alert_unnoticed(&alert).await?;
    }
    system.stack.invoke("remind", &json!({ "source": "aws.events", "detail": {} })).await?;
    system.told(&incident, Stage::Opened, started).await?;
    wait_until("the alert to be recorded as published", ALERT_TIMEOUT, async || {
        let alert = system.alert(&incident, Stage::Opened).await?;
        Ok(matches!(alert.state, AlertState::Published { .. }).then_some(()))
    })
    .await
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    bail!("{what}\n     found: {found:?}\n  expected: {expected:?}")
}

/// The same rows in at least `count` files.
fn cut(files: &[LogFile], count: usize) -> Vec<LogFile> {
    let rows: usize = files.iter().map(|file| file.rows.len()).sum();
    let rows_per_file = (rows / count).max(1);
    let mut pieces = Vec::new();
    for file in files {
        for (number, rows) in file.rows.chunks(rows_per_file).enumerate() {
            let name = format!("{number:03}-{}", file.name);
            pieces.push(LogFile { name, rows: rows.to_vec(), ..file.clone() });
        }
    }
    pieces
}

async fn land_at_once(system: &System, files: &[LogFile]) -> Result<()> {
    let mut puts = JoinSet::new();
    for file in files {
        let put = system
            .stack
            .objects()
            .put_object()
            .bucket(&system.stack.outputs().landing_bucket)
            .key(file.key())
            .body(file.to_csv().into());
        puts.spawn(put.send());
    }
    while let Some(put) = puts.join_next().await {
        put?.context("an object was refused")?;
    }
    Ok(())
}

fn event_bridge(system: &System, key: &str) -> String {
    json!({
        "version": "0", "source": "aws.s3", "detail-type": "Object Created",
        "detail": {
            "bucket": { "name": system.stack.outputs().landing_bucket }, "object": { "key": key },
        },
    })
    .to_string()
}

/// As S3 writes keys into bucket notifications.
fn form_encoded(key: &str) -> String {
    key.bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            b'/' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
