//! What people decide on an incident.

use chrono::NaiveDate;
use incident::{Action, Case, Command, Deciding, Incident, IncidentId, Opening, Outcome, Refusal};
use ports::{Committed, PortError, Ports};
use thiserror::Error;

use crate::{
    DECISION_ATTEMPTS, PipelineError,
    assess::{days_of, episodes},
    cases::case,
    configuration,
    policy::policy,
};

/// A command was not carried out.
#[derive(Debug, Error)]
pub enum DecideError {
    /// It makes no sense for the incident as it stands.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be read or written; nothing has changed, or what has is completed by the same command again.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

impl From<PortError> for DecideError {
    fn from(error: PortError) -> Self {
        Self::Pipeline(error.into())
    }
}

/// Shorthand of this module.
type Result<T> = std::result::Result<T, DecideError>;

/// What a command came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// The incident from now on.
    pub incident: Incident,
    /// Whether it had been carried out before.
    pub done_before: bool,
}

/// Carries a command out.
///
/// Where somebody else changes the incident at the same moment it is decided afresh on what stands then, and refused if
/// that is not what the person saw.
pub async fn carry_out(
    ports: &Ports,
    incident_id: &IncidentId,
    command: &Command,
    actor: &str,
) -> Result<Decided> {
    for _ in 0..DECISION_ATTEMPTS {
        let case = required(ports, incident_id).await?;
        let stored = configuration(ports).await?;
        let policy = policy(&stored.configuration, &case.incident.org_id)?;
        let by = Deciding { now: ports.clock.now(), actor, policy: &policy };
        match case.carry_out(command, by)? {
            Outcome::DoneBefore => {
                return Ok(Decided { incident: case.incident, done_before: true });
            }
            Outcome::Changed(change) => {
                if ports.incidents.commit(&change).await? == Committed::Yes {
                    let command_id = &command.command_id;
                    tracing::info!(%incident_id, command_id, "carried out a command");
                    return Ok(Decided { incident: change.incident, done_before: false });
                }
            }
        }
    }
    Err(contended(incident_id))
}

/// Merges an incident into another one.
///
/// The other takes it in first: cut off between the two, both clocks run, and the same command again completes it.
pub async fn merge(
    ports: &Ports,
    from: &IncidentId,
    into: &IncidentId,
    command: &MergeCommand,
    actor: &str,
) -> Result<Decided> {
    let MergeCommand { command_id, reason } = command;
    let part = required(ports, from).await?;
    let whole = required(ports, into).await?;
    let is_merged = part.incident.merged_into.as_ref() == Some(into);
    if let Some(elsewhere) = part.incident.merged_into.as_ref().filter(|_| !is_merged) {
        let remedy = format!("it is part of {elsewhere}");
        let (incident_id, status) = (from.clone(), part.incident.status.name());
        return Err(Refusal::Done { incident_id, status, remedy }.into());
    }
    let command = |action| Command { command_id: command_id.clone(), decided_on: None, action };
    let take_in = Action::TakeIn { other: Box::new(part.as_part()), reason: reason.clone() };
    let taken = if whole.incident.parts.contains_key(from) {
        Decided { incident: whole.incident, done_before: true }
    } else {
        carry_out(ports, into, &command(take_in), actor).await?
    };
    if is_merged {
        return Ok(taken);
    }
    let merge_into = Action::MergeInto { into: into.clone(), reason: reason.clone() };
    carry_out(ports, from, &command(merge_into), actor).await?;
    Ok(taken)
}

/// What a person says of a merger or a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeCommand {
    /// Chosen by whoever gives it.
    pub command_id: String,
    /// On what ground.
    pub reason: String,
}

/// Makes the days of an incident from one on an incident of their own. Answers with the new one.
///
/// The new one is opened first: cut off between the two, both have those days, and the same command again completes it.
pub async fn split(
    ports: &Ports,
    incident_id: &IncidentId,
    from_day: NaiveDate,
    command: &MergeCommand,
    actor: &str,
) -> Result<Decided> {
    let MergeCommand { command_id, reason } = command;
    let case = required(ports, incident_id).await?;
    let incident = &case.incident;
    let stored = configuration(ports).await?;
    let policy = policy(&stored.configuration, &incident.org_id)?;
    let episodes = episodes(ports, &incident.org_id, &incident.agent).await?;
    let begun = episodes
        .iter()
        .find(|other| other.from_day == Some(from_day) && other.incident_id != *incident_id);
    if let Some(begun) = begun.filter(|_| incident.until_day == Some(from_day)) {
        return Ok(Decided { incident: begun.clone(), done_before: true });
    }
    let last = incident.until_day;
    if !incident.covers(from_day) || incident.from_day == Some(from_day) || last.is_some() {
        let why = if last.is_some() {
            "its later days are another incident already"
        } else {
            "that is no day within it"
        };
        return Err(Refusal::Pointless(format!(
            "{incident_id} cannot be split at {from_day}: {why}"
        ))
        .into());
    }
    let days = days_of(ports, &incident.org_id, &incident.agent).await?;
    let (before, after): (Vec<_>, Vec<_>) =
        days.into_iter().filter(|day| incident.covers(day.day)).partition(|day| day.day < from_day);
    let fold = |days: &[_]| assessment::fold(days, &stored.configuration);
    let (Some(before), Some(after)) = (fold(&before), fold(&after)) else {
        return Err(Refusal::Pointless(format!(
            "{incident_id} cannot be split at {from_day}: one of the two parts would hold no violation"
        ))
        .into());
    };
    let now = ports.clock.now();
    let by = Deciding { now, actor, policy: &policy };
    let new_id = if let Some(begun) = begun {
        begun.incident_id.clone()
    } else {
        let episode =
            episodes.iter().map(|other| other.episode).max().unwrap_or(0).saturating_add(1);
        let opening = Opening { findings: after, episode, landed_at: None };
        let Some(change) = case.open_split(opening, from_day, by) else {
            return Err(Refusal::Pointless(format!("{incident_id} cannot be split")).into());
        };
        if ports.incidents.commit(&change).await? == Committed::Conflict {
            return Err(contended(incident_id));
        }
        change.incident.incident_id
    };
    let action = Action::SplitOff {
        into: new_id.clone(),
        from_day,
        findings: Box::new(before),
        reason: reason.clone(),
    };
    let command = Command { command_id: command_id.clone(), decided_on: None, action };
    carry_out(ports, incident_id, &command, actor).await?;
    let incident = required(ports, &new_id).await?.incident;
    Ok(Decided { incident, done_before: false })
}

async fn required(ports: &Ports, incident_id: &IncidentId) -> Result<Case> {
    let found = case(ports, incident_id).await?;
    Ok(found.ok_or_else(|| PortError::NotFound { what: format!("incident {incident_id}") })?)
}

fn contended(incident_id: &IncidentId) -> DecideError {
    let what = format!("incident {incident_id}");
    PipelineError::Contended { what, attempts: DECISION_ATTEMPTS }.into()
}
