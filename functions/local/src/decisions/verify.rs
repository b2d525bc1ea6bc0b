//! Whether records are whole.

use std::{collections::BTreeSet, io::Write, process::ExitCode};

use incident::{Flaw, IncidentId, TimelineHead, audit};
use ports::{PortError, RawIncident, Which};
use serde_json::{Value, json};

use super::{REFUSED, no_such_incident, world::World};

/// What was found of one incident.
struct Checked {
    incident_id: IncidentId,
    entries: usize,
    heads: usize,
    found: Found,
}

enum Found {
    Flaws(Vec<Flaw>),
    /// What is stored is no record at all.
    Unreadable(String),
    /// Its head was put away, and it is not there.
    Gone,
}

impl Checked {
    fn is_whole(&self) -> bool {
        matches!(&self.found, Found::Flaws(flaws) if flaws.is_empty())
    }

    fn print(&self, out: &mut impl Write, has_heads: bool) -> std::io::Result<()> {
        let Self { incident_id, entries, heads, found } = self;
        match found {
            Found::Flaws(flaws) if flaws.is_empty() && has_heads => {
                writeln!(
                    out,
                    "{incident_id}: whole; {entries} entries, and the {heads} heads that were put away fit"
                )
            }
            Found::Flaws(flaws) if flaws.is_empty() => {
                writeln!(out, "{incident_id}: whole; {entries} entries")
            }
            Found::Flaws(flaws) => {
                writeln!(out, "{incident_id}: NOT WHOLE")?;
                flaws.iter().try_for_each(|flaw| writeln!(out, "  {flaw}"))
            }
            Found::Unreadable(reason) => writeln!(out, "{incident_id}: NOT WHOLE\n  {reason}"),
            Found::Gone => writeln!(
                out,
                "{incident_id}: GONE\n  its head was put away, and no such incident is there"
            ),
        }
    }

    fn json(&self) -> Value {
        let flaws = match &self.found {
            Found::Flaws(flaws) => json!(flaws),
            Found::Unreadable(reason) => json!([{ "flaw": "unreadable", "reason": reason }]),
            Found::Gone => json!([{ "flaw": "gone" }]),
        };
        json!({
            "incident_id": self.incident_id,
            "whole": self.is_whole(),
            "entries": self.entries,
            "heads": self.heads,
            "flaws": flaws,
        })
    }
}

/// Checks these incidents, or all; of all, also whether one is gone.
pub(super) async fn verify(
    out: &mut impl Write,
    world: &World,
    json: bool,
    incidents: Vec<IncidentId>,
) -> anyhow::Result<ExitCode> {
    let heads = world.heads().await?;
    let is_all = incidents.is_empty();
    let incidents = if is_all { world.ports.incidents.list(Which::All).await? } else { incidents };
    let mut checked = Vec::new();
    for incident_id in &incidents {
        let of_it: Vec<TimelineHead> = heads
            .iter()
            .filter(|(id, _)| id == incident_id)
            .map(|(_, head)| head.clone())
            .collect();
        let (entries, found) = match world.ports.incidents.raw(incident_id).await {
            Ok(Some(RawIncident { incident, timeline, alerts })) => {
                (timeline.len(), Found::Flaws(audit(&incident, &alerts, &timeline, &of_it)))
            }
            Ok(None) if of_it.is_empty() => return Err(no_such_incident(incident_id)),
            Ok(None) => (0, Found::Gone),
            Err(error @ PortError::Unreadable { .. }) => (0, Found::Unreadable(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        checked.push(Checked {
            incident_id: incident_id.clone(),
            entries,
            heads: of_it.len(),
            found,
        });
    }
    // An incident that is gone altogether has no chain to break, but its head was put away.
    if is_all {
        let known: BTreeSet<&IncidentId> = incidents.iter().collect();
        let put_away: BTreeSet<&IncidentId> = heads.iter().map(|(id, _)| id).collect();
        for incident_id in put_away.difference(&known) {
            let heads = heads.iter().filter(|(id, _)| id == *incident_id).count();
            let incident_id = (*incident_id).clone();
            checked.push(Checked { incident_id, entries: 0, heads, found: Found::Gone });
        }
    }
    let is_whole = checked.iter().all(Checked::is_whole);
    if json {
        let said = json!({
            "whole": is_whole,
            "heads_are_put_away": world.has_heads(),
            "incidents": checked.iter().map(Checked::json).collect::<Vec<_>>(),
        });
        writeln!(out, "{}", serde_json::to_string_pretty(&said)?)?;
    } else {
        for of_it in &checked {
            of_it.print(out, world.has_heads())?;
        }
        if checked.is_empty() {
            writeln!(out, "There is no incident to check.")?;
        }
        if !world.has_heads() {
            writeln!(
                out,
                "No heads of timelines are put away for this: one that was written anew as a whole would not be noticed."
            )?;
        }
    }
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}
