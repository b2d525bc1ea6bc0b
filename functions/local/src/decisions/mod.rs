//! `breachclock incident`: what people decide, against a folder or a deployed stack.

mod answers;
mod arguments;
mod clocks;
mod decide;
mod list;
mod show;
mod verify;
mod words;
mod world;

use std::{io::Write, process::ExitCode};

use anyhow::anyhow;
use incident::IncidentId;

pub(crate) use arguments::Arguments;
use arguments::Command;
use world::World;

/// A decision that makes no sense, or a record that does not fit together.
const REFUSED: u8 = 1;

pub(crate) async fn run(out: &mut impl Write, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let world = World::of(&arguments).await?;
    let json = arguments.json;
    match arguments.command {
        Command::List { all } => list::list(out, &world, json, all).await,
        Command::Show { incident, all } => show::show(out, &world, json, &incident, all).await,
        Command::Verify { incidents } => verify::verify(out, &world, json, incidents).await,
        decision => decide::decide(out, &world, json, decision).await,
    }
}

fn no_such_incident(incident_id: &IncidentId) -> anyhow::Error {
    anyhow!(
        "there is no incident {incident_id} here; `breachclock incident list --all` names those that there are"
    )
}
