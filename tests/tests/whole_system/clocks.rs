//! What is due is noticed in two ways, each without the other, and every day somebody says that there is a watch at all.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chrono::{NaiveDate, TimeDelta, Utc};
use deadlines::Stage;
use incident::{AlertState, Event, Incident, IncidentId, TimelineHead};
use local_stack::{Email, wait_until};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ALERT_TIMEOUT, System, same};

/// Far enough ahead for a schedule to be made of it.
const AHEAD: TimeDelta = TimeDelta::seconds(4);
const HALF: Stage = Stage::RemainingShare { percent: 50 };

pub(super) async fn with_the_sweep_turned_off_a_schedule_alone_tells_of_what_is_due(
    system: &mut System,
) -> Result<()> {
    system.stack.stop_sweep().await?;
    let incident = system.incident_of_the_morning().await?;
    let told_by = half_of_the_span_passes(system, &incident).await?;
    same("who raised it", &told_by.as_str(), &"notify")
}

pub(super) async fn with_the_schedules_lost_the_sweep_alone_tells_of_what_is_due(
    system: &mut System,
) -> Result<()> {
    let incident = system.incident_of_the_morning().await?;
    // The first run in an empty table judges the duties of all that is open, and puts every reminder where it belongs: that
    // must lie behind when one is moved.
    system.stack.invoke("remind", &json!({ "source": "aws.events", "detail": {} })).await?;
    system.stack.lose_schedules().await?;
    let told_by = half_of_the_span_passes(system, &incident).await?;
    same("who raised it", &told_by.as_str(), &"remind")
}

/// Has a reminder fall due in some seconds, waits until legal is told, and answers with who raised it.
async fn half_of_the_span_passes(system: &System, incident: &Incident) -> Result<String> {
    let started = Instant::now();
    let mut reminder = system.alert(incident, HALF).await?;
    ensure!(reminder.state == AlertState::Scheduled, "not waiting: {reminder:?}");
    reminder.due_at = Utc::now() + AHEAD;
    system.stack.put_alert(&reminder).await?;
    system.told(incident, HALF, started).await?;
    wait_until("the reminder to be recorded as published", ALERT_TIMEOUT, async || {
        let alert = system.alert(incident, HALF).await?;
        Ok(matches!(alert.state, AlertState::Published { .. }).then_some(()))
    })
    .await?;
    let timeline = system.stack.timeline_of(incident).await?;
    let raised = timeline.into_iter().find(|entry| match &entry.event {
        Event::AlertsOwed { late_seconds } => late_seconds.contains_key(&reminder.alert_id),
        _ => false,
    });
    Ok(raised.context("nobody raised it")?.actor)
}

/// The heads of a day, as the bucket keeps them.
#[derive(Deserialize)]
struct Heads {
    day: NaiveDate,
    heads: Vec<HeadOf>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct HeadOf {
    incident_id: IncidentId,
    #[serde(flatten)]
    head: TimelineHead,
}

pub(super) async fn every_day_the_heads_are_put_away_and_legal_is_told(
    system: &mut System,
) -> Result<()> {
    // Nobody watches, and nothing is open: also that is said.
    system.stack.stop_sweep().await?;
    wait_until("the sweep to be forgotten", Duration::from_secs(10), async || {
        system.stack.clear().await?;
        tokio::time::sleep(super::QUIET).await;
        let email = attest(system).await?;
        Ok(email.subject.contains("NOBODY WATCHES").then_some(()))
    })
    .await?;
    system.stack.invoke("remind", &json!({ "source": "aws.events", "detail": {} })).await?;
    let email = attest(system).await?;
    ensure!(email.subject.contains("nothing open"), "{}", email.subject);
    ensure!(!email.subject.contains("NOBODY WATCHES"), "{}", email.subject);
    ensure!(heads(system).await?.is_empty(), "a head of no incident");

    let started = Instant::now();
    let incident = system.incident_of_the_morning().await?;
    let email = attest(system).await?;
    ensure!(email.subject.contains("1 open"), "{}", email.subject);
    ensure!(email.body.contains(incident.incident_id.as_str()), "{}", email.body);
    let (incident_id, head) = (incident.incident_id, incident.timeline_head);
    same("heads", &heads(system).await?, &vec![HeadOf { incident_id, head }])?;
    let body = wait_until("the webhook to be told", ALERT_TIMEOUT, async || {
        let alerts = system.receiver.alerts()?;
        let is_daily = |stage: Option<&str>| stage == Some("daily");
        let mut daily = alerts
            .iter()
            .filter(|(request, told)| request.at > started && is_daily(told.attribute("stage")));
        daily.next().map(|(_, told)| told.json()).transpose()
    })
    .await?;
    let open = body.pointer("/data/open").and_then(Value::as_array).map(Vec::len);
    same("open incidents told", &open, &Some(1))
}

/// Runs `attest` by hand, and waits for the email that it sends.
async fn attest(system: &System) -> Result<Email> {
    let before = system.stack.emulator().emails()?.len();
    system.stack.invoke("attest", &json!({})).await?;
    wait_until("the daily notice", ALERT_TIMEOUT, async || {
        let emails = system.stack.emulator().emails()?;
        let is_daily = |email: &Email| email.subject.contains("daily notice");
        Ok(emails.into_iter().skip(before).find(is_daily))
    })
    .await
}

/// The heads of today.
async fn heads(system: &System) -> Result<Vec<HeadOf>> {
    let bucket = &system.stack.outputs().evidence_bucket;
    let keys = system.stack.object_keys(bucket, "heads/").await?;
    let key = keys.last().context("nothing was put away")?;
    let Heads { day, heads } = serde_json::from_slice(&system.stack.object(bucket, key).await?)?;
    ensure!(key.starts_with(&format!("heads/{day}T")), "a name that does not tell the day: {key}");
    Ok(heads)
}
