//! The incidents, a line for each.

use std::{
    cmp::Reverse,
    io::{self, Write},
    process::ExitCode,
};

use chrono::{DateTime, Utc};
use incident::{Clock, Incident};
use ports::{PortError, Which};
use serde_json::{Value, json};

use super::{clocks, world::World};
use crate::COULD_NOT_READ;

/// Prints those that are open, or all. One that cannot be read is named, and keeps none of the others from being shown.
pub(super) async fn list(
    out: &mut impl Write,
    world: &World,
    json: bool,
    all: bool,
) -> anyhow::Result<ExitCode> {
    let which = if all { Which::All } else { Which::Open };
    let mut incidents = Vec::new();
    let mut unread = Vec::new();
    for incident_id in world.ports.incidents.list(which).await? {
        match world.ports.incidents.incident(&incident_id).await {
            Ok(found) => incidents.extend(found),
            Err(error @ PortError::Unreadable { .. }) => {
                unread.push((incident_id, error.to_string()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    incidents.sort_by_cached_key(|incident| {
        // The worse of two that end at once; those without a clock last.
        let first = clocks::first(incident).map(|(clock, _)| clock.ends_at);
        (first.is_none(), first, Reverse(incident.severity()), incident.incident_id.clone())
    });
    let now = world.ports.clock.now();
    if json {
        let lines: Vec<Value> = incidents.iter().map(|incident| line(incident, now)).collect();
        let unread: Vec<Value> = unread
            .iter()
            .map(|(incident_id, reason)| json!({ "incident_id": incident_id, "reason": reason }))
            .collect();
        let said = json!({
            "as_of": crate::report::instant(now),
            "incidents": lines,
            "unreadable": unread,
        });
        writeln!(out, "{}", serde_json::to_string_pretty(&said)?)?;
    } else {
        if incidents.is_empty() && unread.is_empty() {
            let hint = if all { "There is no incident." } else { "No incident is open." };
            writeln!(out, "{hint}")?;
        }
        for incident in &incidents {
            print(out, incident, world, now)?;
        }
        for (incident_id, reason) in &unread {
            writeln!(out, "{incident_id}  CANNOT BE READ: {reason}")?;
        }
    }
    Ok(if unread.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(COULD_NOT_READ) })
}

fn print(
    out: &mut impl Write,
    incident: &Incident,
    world: &World,
    now: DateTime<Utc>,
) -> io::Result<()> {
    writeln!(
        out,
        "{}  {:<8}  {:<9}  {}",
        incident.incident_id,
        incident.severity().name().to_uppercase(),
        incident.status.name(),
        incident.agent.as_str(),
    )?;
    if incident.status.is_done() {
        return Ok(());
    }
    match clocks::first(incident) {
        Some((clock, duty)) => {
            let words = clocks::words(clock, world.zone(), now);
            writeln!(out, "  {words}: {}", duty.regime_id)?;
        }
        None => writeln!(out, "  no clock runs")?,
    }
    let counts = Counts::of(incident, now);
    let seen = if incident.acknowledged_at.is_some() { "" } else { "; nobody has acknowledged it" };
    let assigned = match &incident.assigned_to {
        Some(assignee) => format!("; assigned to {assignee}"),
        None => "; assigned to nobody".to_owned(),
    };
    writeln!(
        out,
        "  {} apply, {} may, {} not started{}{assigned}{seen}",
        counts.applying,
        counts.possible,
        counts.not_started,
        if counts.overdue > 0 { format!(", {} OVERDUE", counts.overdue) } else { String::new() },
    )
}

/// How many duties of an incident wait.
struct Counts {
    applying: usize,
    possible: usize,
    not_started: usize,
    /// Of those that apply, whose clocks are over.
    overdue: usize,
}

impl Counts {
    fn of(incident: &Incident, now: DateTime<Utc>) -> Self {
        let clocks: Vec<Clock> = incident.running().into_iter().filter_map(Clock::of).collect();
        let possible = clocks.iter().filter(|clock| clock.is_possible).count();
        let is_over = |clock: &&Clock| !clock.is_possible && clock.ends_at <= now;
        Self {
            applying: clocks.len().saturating_sub(possible),
            possible,
            not_started: incident.not_started().len(),
            overdue: clocks.iter().filter(is_over).count(),
        }
    }
}

/// An incident for machines, without what fills pages.
fn line(incident: &Incident, now: DateTime<Utc>) -> Value {
    let counts = Counts::of(incident, now);
    json!({
        "incident_id": incident.incident_id,
        "org_id": incident.org_id,
        "agent": incident.agent,
        "status": incident.status,
        "severity": incident.severity(),
        "score": incident.findings.score,
        "revision": incident.revision,
        "assigned_to": incident.assigned_to,
        "acknowledged_at": incident.acknowledged_at.map(crate::report::instant),
        "first_clock": clocks::first(incident)
            .map(|(clock, _)| clocks::json(clock, &incident.running_with(clock), now)),
        "duties_applying": counts.applying,
        "duties_possible": counts.possible,
        "duties_not_started": counts.not_started,
        "duties_overdue": counts.overdue,
    })
}
