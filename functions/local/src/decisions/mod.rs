//! `breachclock incident`: what people decide, against a folder or a deployed stack.

mod arguments;
mod show;
mod words;
mod world;

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use incident::{Action, Case, IncidentId, Notification, TimelineHead, audit};
use pipeline::decide::{DecideError, Decided, MergeCommand, carry_out, merge, split};
use ports::{RawIncident, Which};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(crate) use arguments::Arguments;
use arguments::{Command, Deciding, Reasoned};
use world::World;

/// A decision that makes no sense, or a record that does not fit together.
const REFUSED: u8 = 1;

pub(crate) async fn run(out: &mut impl Write, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let world = World::of(&arguments).await?;
    let json = arguments.json;
    match arguments.command {
        Command::List { all } => list(out, &world, json, all).await,
        Command::Show { incident, all } => show(out, &world, json, &incident, all).await,
        Command::Verify { incidents } => verify(out, &world, json, incidents).await,
        Command::Merge { reasoned, into } => {
            let Reasoned { incident, reason, deciding } = reasoned;
            let command = MergeCommand { command_id: id_of(&deciding), reason };
            told(out, json, merge(&world.ports, &incident, &into, &command, &world.actor).await)
        }
        Command::Split { reasoned, from } => {
            let Reasoned { incident, reason, deciding } = reasoned;
            let command = MergeCommand { command_id: id_of(&deciding), reason };
            told(out, json, split(&world.ports, &incident, from, &command, &world.actor).await)
        }
        decision => {
            let now = world.ports.clock.now();
            let (incident_id, deciding, action) = action(decision, now)?;
            let command = incident::Command {
                command_id: id_of(&deciding),
                decided_on: deciding.revision,
                action,
            };
            told(out, json, carry_out(&world.ports, &incident_id, &command, &world.actor).await)
        }
    }
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
            moment: deadlines::TriggerKind::Aware,
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
        Command::Fact { incident, fact, value, reason, deciding } => {
            // What is no JSON is a word.
            let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
            (incident, deciding, Action::CorrectFact { fact, value, reason })
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

fn id_of(deciding: &Deciding) -> String {
    deciding.command_id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string())
}

/// SHA-256 of each file, by its name.
fn hashes(files: &[PathBuf]) -> anyhow::Result<BTreeMap<String, String>> {
    let mut hashes = BTreeMap::new();
    for path in files {
        let bytes = fs::read(path)
            .with_context(|| format!("the attachment {} cannot be read", path.display()))?;
        let name = file_name(path)?;
        let hash = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
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

/// Says what a decision came to.
fn told(
    out: &mut impl Write,
    json: bool,
    decided: Result<Decided, DecideError>,
) -> anyhow::Result<ExitCode> {
    let Decided { incident, done_before } = match decided {
        Ok(decided) => decided,
        Err(DecideError::Refused(refusal)) => {
            if json {
                writeln!(out, "{}", json!({ "refused": refusal.to_string() }))?;
            } else {
                writeln!(std::io::stderr(), "breachclock: {refusal}")?;
            }
            return Ok(ExitCode::from(REFUSED));
        }
        Err(DecideError::Pipeline(error)) => return Err(error.into()),
    };
    if json {
        let said = json!({
            "incident_id": incident.incident_id,
            "status": incident.status,
            "revision": incident.revision,
            "version": incident.version,
            "done_before": done_before,
        });
        writeln!(out, "{said}")?;
    } else {
        let done = if done_before { "was recorded before" } else { "recorded" };
        let (id, status, revision) =
            (&incident.incident_id, incident.status.name(), incident.revision);
        writeln!(out, "{id}: {done}. It is {status}, at revision {revision}.")?;
        if let Some(next) = incident.most_urgent() {
            let at = next.watched_at().map(|at| at.to_rfc3339()).unwrap_or_default();
            writeln!(out, "Next: {} ({}), {at}", next.article, next.regime_id)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(
    out: &mut impl Write,
    world: &World,
    json: bool,
    all: bool,
) -> anyhow::Result<ExitCode> {
    let which = if all { Which::All } else { Which::Open };
    let mut incidents = Vec::new();
    for incident_id in world.ports.incidents.list(which).await? {
        incidents.extend(world.ports.incidents.incident(&incident_id).await?);
    }
    incidents.sort_by_key(|incident| {
        let next = incident.most_urgent().and_then(deadlines::Obligation::watched_at);
        (next.is_none(), next, incident.incident_id.clone())
    });
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&incidents)?)?;
    } else {
        let now = world.ports.clock.now();
        show::list(out, &incidents, show::zone(&world.ports).await?, now)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(
    out: &mut impl Write,
    world: &World,
    json: bool,
    incident_id: &IncidentId,
    all: bool,
) -> anyhow::Result<ExitCode> {
    let Some(incident) = world.ports.incidents.incident(incident_id).await? else {
        bail!("there is no incident {incident_id} here; `list --all` names those that there are");
    };
    let alerts = world.ports.incidents.alerts(incident_id).await?;
    let timeline = world.ports.incidents.timeline(incident_id).await?;
    if json {
        let whole = json!({ "incident": incident, "alerts": alerts, "timeline": timeline });
        writeln!(out, "{}", serde_json::to_string_pretty(&whole)?)?;
    } else {
        let page = show::Page {
            case: &Case::new(incident, alerts),
            timeline: &timeline,
            zone: show::zone(&world.ports).await?,
            now: world.ports.clock.now(),
            all,
        };
        page.print(out)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn verify(
    out: &mut impl Write,
    world: &World,
    json: bool,
    incidents: Vec<IncidentId>,
) -> anyhow::Result<ExitCode> {
    let heads = world.heads().await?;
    let is_all = incidents.is_empty();
    let incidents = if is_all { world.ports.incidents.list(Which::All).await? } else { incidents };
    let mut is_whole = true;
    for incident_id in &incidents {
        let raw = world.ports.incidents.raw(incident_id).await?;
        let Some(RawIncident { incident, timeline, alerts }) = raw else {
            bail!(
                "there is no incident {incident_id} here; `list --all` names those that there are"
            );
        };
        let of_it: Vec<TimelineHead> = heads
            .iter()
            .filter(|(id, _)| id == incident_id)
            .map(|(_, head)| head.clone())
            .collect();
        let flaws = audit(&incident, &alerts, &timeline, &of_it);
        is_whole &= flaws.is_empty();
        if json {
            let said = json!({
                "incident_id": incident_id,
                "entries": timeline.len(),
                "heads": of_it.len(),
                "flaws": flaws,
            });
            writeln!(out, "{said}")?;
            continue;
        }
        let entries = timeline.len();
        if flaws.is_empty() {
            let heads = of_it.len();
            writeln!(out, "{incident_id}: whole, {entries} entries, {heads} heads put away fit")?;
        } else {
            writeln!(out, "{incident_id}: NOT WHOLE")?;
            for flaw in &flaws {
                writeln!(out, "  {flaw}")?;
            }
        }
    }
    // An incident that is gone altogether has no chain to break, but its head was put away.
    if is_all {
        let mut gone: Vec<&IncidentId> =
            heads.iter().map(|(id, _)| id).filter(|id| !incidents.contains(id)).collect();
        gone.sort_unstable();
        gone.dedup();
        for incident_id in gone {
            is_whole = false;
            if json {
                writeln!(
                    out,
                    "{}",
                    json!({ "incident_id": incident_id, "flaws": [{ "flaw": "gone" }] })
                )?;
            } else {
                writeln!(
                    out,
                    "{incident_id}: GONE; its head was put away, and no such incident is there"
                )?;
            }
        }
    }
    if !json && !world.has_heads() {
        writeln!(
            out,
            "No heads are put away for a folder: a timeline that was written anew as a whole would not be noticed."
        )?;
    }
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}
