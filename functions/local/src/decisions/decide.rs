//! What people decide.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use deadlines::TriggerKind;
use incident::{Action, Event, IncidentId, Notification};
use pipeline::{
    PipelineError,
    decide::{DecideError, Decided, MergeCommand, carry_out, merge, split},
};
use ports::PortError;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    REFUSED,
    arguments::{Command, Deciding, Joining, Reasoned},
    clocks, no_such_incident,
    world::World,
};

/// Carries a decision out and says what it came to.
pub(super) async fn decide(
    out: &mut impl Write,
    world: &World,
    json: bool,
    command: Command,
) -> anyhow::Result<ExitCode> {
    let ports = &world.ports;
    let actor = world.actor()?;
    let decided = match command {
        Command::Merge { joining, into } => {
            let Joining { incident, reason, command_id } = joining;
            let command = MergeCommand { command_id: id_of(command_id), reason };
            for id in [&incident, &into] {
                if ports.incidents.incident(id).await?.is_none() {
                    return Err(no_such_incident(id));
                }
            }
            merge(ports, &incident, &into, &command, actor).await
        }
        Command::Split { joining, from } => {
            let Joining { incident, reason, command_id } = joining;
            let command = MergeCommand { command_id: id_of(command_id), reason };
            existing(split(ports, &incident, from, &command, actor).await, &incident)?
        }
        decision => {
            let now = instant_of(world, &decision).await?.unwrap_or_else(|| ports.clock.now());
            let (incident_id, deciding, action) = action(decision, now)?;
            if let Action::CorrectFact { fact, value, .. } = &action
                && let Some(mistake) = world.mistake(fact, value)?
            {
                return refuse(out, json, &mistake);
            }
            let command = incident::Command {
                command_id: id_of(deciding.command_id),
                decided_on: deciding.revision,
                action,
            };
            existing(carry_out(ports, &incident_id, &command, actor).await, &incident_id)?
        }
    };
    match decided {
        Ok(decided) => tell(out, world, json, &decided),
        Err(DecideError::Refused(refusal)) => refuse(out, json, &refusal.to_string()),
        Err(DecideError::Pipeline(error)) => Err(error.into()),
    }
}

fn refuse(out: &mut impl Write, json: bool, why: &str) -> anyhow::Result<ExitCode> {
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&json!({ "refused": why }))?)?;
    } else {
        writeln!(std::io::stderr(), "breachclock: refused: {why}")?;
    }
    Ok(ExitCode::from(REFUSED))
}

/// Says of an incident that is not there how to find those that are.
fn existing(
    decided: Result<Decided, DecideError>,
    incident_id: &IncidentId,
) -> anyhow::Result<Result<Decided, DecideError>> {
    match decided {
        Err(DecideError::Pipeline(PipelineError::Port(PortError::NotFound { .. }))) => {
            Err(no_such_incident(incident_id))
        }
        decided => Ok(decided),
    }
}

/// When something was that a decision leaves out and that the record of the same command has: said again, it is still the
/// same command.
async fn instant_of(world: &World, decision: &Command) -> anyhow::Result<Option<DateTime<Utc>>> {
    let (Command::Contain { incident, at: None, deciding, .. }
    | Command::Sent { incident, at: None, deciding, .. }) = decision
    else {
        return Ok(None);
    };
    let Some(command_id) = deciding.command_id.as_deref().map(str::trim) else { return Ok(None) };
    let timeline = world.ports.incidents.timeline(incident).await?;
    let recorded = timeline
        .into_iter()
        .find(|entry| entry.command.as_ref().is_some_and(|mark| mark.command_id == command_id));
    Ok(recorded.and_then(|entry| match entry.event {
        Event::Contained { measure_at, .. } => Some(measure_at),
        Event::NotificationSent { notification, .. } => Some(notification.sent_at),
        _ => None,
    }))
}

/// What a decision is, in the words of the incident.
fn action(command: Command, now: DateTime<Utc>) -> anyhow::Result<(IncidentId, Deciding, Action)> {
    let reasoned = |reasoned: Reasoned, action: &dyn Fn(String) -> Action| {
        let Reasoned { incident, reason, deciding } = reasoned;
        (incident, deciding, action(reason))
    };
    Ok(match command {
        Command::Acknowledge { incident, deciding } => (incident, deciding, Action::Acknowledge),
        Command::Assign { incident, to, deciding } => (incident, deciding, Action::Assign { to }),
        Command::Comment { incident, text, deciding } => {
            (incident, deciding, Action::Comment { text })
        }
        Command::Contain { incident, measure, at, deciding } => {
            (incident, deciding, Action::Contain { measure, measure_at: at.unwrap_or(now) })
        }
        Command::Confirm(said) => reasoned(said, &|reason| Action::Confirm { reason }),
        Command::Dismiss(said) => reasoned(said, &|reason| Action::Dismiss { reason }),
        Command::Close(said) => reasoned(said, &|reason| Action::Close { reason }),
        Command::Reopen(said) => reasoned(said, &|reason| Action::Reopen { reason }),
        Command::Aware { reasoned: said, at } => reasoned(said, &|reason| Action::SetMoment {
            moment: TriggerKind::Aware,
            moment_at: at,
            reason,
        }),
        Command::Moment { reasoned: said, moment, at } => reasoned(said, &|reason| {
            Action::SetMoment { moment: moment.into(), moment_at: at, reason }
        }),
        Command::Risk { reasoned: said, risk } => {
            reasoned(said, &|reason| Action::AssessRisk { risk: risk.into(), reason })
        }
        Command::Decide { reasoned: said, duties, notify, .. } => {
            reasoned(said, &|reason| Action::Decide { regime_ids: duties.clone(), notify, reason })
        }
        Command::Delay { reasoned: said, duties } => {
            reasoned(said, &|reason| Action::ExplainDelay { regime_ids: duties.clone(), reason })
        }
        Command::Fact { reasoned: said, fact, value } => {
            // What is no JSON is a word.
            let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
            reasoned(said, &|reason| Action::CorrectFact {
                fact: fact.clone(),
                value: value.clone(),
                reason,
            })
        }
        Command::Sent { incident, duties, to, at, reference, phase, attach, deciding } => {
            let notification = Notification {
                sent_at: at.unwrap_or(now),
                recipient: to,
                reference,
                phase: phase.into(),
                attachments: hashes(&attach)?,
            };
            (incident, deciding, Action::RecordSent { regime_ids: duties, notification })
        }
        Command::List { .. }
        | Command::Show { .. }
        | Command::Verify { .. }
        | Command::Merge { .. }
        | Command::Split { .. } => bail!("this is no decision on one incident"),
    })
}

fn id_of(command_id: Option<String>) -> String {
    command_id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string())
}

/// SHA-256 of each file, by its name.
fn hashes(files: &[PathBuf]) -> anyhow::Result<BTreeMap<String, String>> {
    let mut hashes = BTreeMap::new();
    for path in files {
        let unreadable = || format!("the attachment {} cannot be read", path.display());
        let bytes = fs::read(path).with_context(unreadable)?;
        let name = file_name(path)?;
        let hash = hex::encode(Sha256::digest(&bytes));
        if hashes.insert(name.clone(), hash).is_some() {
            bail!("two attachments are named {name}; give them different names");
        }
    }
    Ok(hashes)
}

fn file_name(path: &Path) -> anyhow::Result<String> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).with_context(|| format!("{} has no name in plain text", path.display()))
}

/// Says how the incident stands now.
fn tell(
    out: &mut impl Write,
    world: &World,
    json: bool,
    decided: &Decided,
) -> anyhow::Result<ExitCode> {
    let Decided { incident, done_before } = decided;
    let now = world.ports.clock.now();
    let first = clocks::first(incident);
    if json {
        let said = json!({
            "incident_id": incident.incident_id,
            "status": incident.status,
            "revision": incident.revision,
            "done_before": done_before,
            "first_clock": first
                .map(|(clock, _)| clocks::json(clock, &incident.running_with(clock), now)),
        });
        writeln!(out, "{}", serde_json::to_string_pretty(&said)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let done = if *done_before { "was recorded before, and changes nothing" } else { "recorded" };
    let (id, status, revision) = (&incident.incident_id, incident.status.name(), incident.revision);
    writeln!(out, "{id}: {done}. It is {status}, at revision {revision}.")?;
    match first {
        Some((clock, duty)) => {
            let words = clocks::words(clock, world.zone(), now);
            writeln!(out, "Next: {words}: {}, {}", duty.regime_id, duty.article)?;
        }
        None if incident.status.is_done() => {}
        None => writeln!(out, "No clock runs.")?,
    }
    Ok(ExitCode::SUCCESS)
}
