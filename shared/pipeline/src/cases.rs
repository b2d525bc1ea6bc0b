//! Read, decide, write: on the version that was read, and afresh where another was quicker.

use incident::{Case, Change, Deciding, IncidentId};
use ports::{Committed, Ports};

use crate::{DECISION_ATTEMPTS, PipelineError, Result, configuration, policy::policy};

/// An incident with its messages; `None` where there is no such incident.
///
/// The two are read one after the other. If the incident changes in between, a change that was decided on them meets
/// another version and is refused.
pub(crate) async fn case(ports: &Ports, incident_id: &IncidentId) -> Result<Option<Case>> {
    let Some(incident) = ports.incidents.incident(incident_id).await? else {
        return Ok(None);
    };
    let alerts = ports.incidents.alerts(incident_id).await?;
    Ok(Some(Case::new(incident, alerts)))
}

/// A change that was written, and the case before it.
pub(crate) struct Written {
    pub(crate) before: Case,
    pub(crate) change: Change,
}

/// Decides on a case and writes what comes of it. `None` where there is no such incident, or nothing to write.
pub(crate) async fn decide(
    ports: &Ports,
    incident_id: &IncidentId,
    actor: &str,
    mut decision: impl FnMut(&Case, Deciding<'_>) -> Option<Change> + Send,
) -> Result<Option<Written>> {
    for _ in 0..DECISION_ATTEMPTS {
        let Some(before) = case(ports, incident_id).await? else {
            return Ok(None);
        };
        let stored = configuration(ports).await?;
        let policy = policy(&stored.configuration, &before.incident.org_id)?;
        let by = Deciding { now: ports.clock.now(), actor, policy: &policy };
        let Some(change) = decision(&before, by) else {
            return Ok(None);
        };
        if ports.incidents.commit(&change).await? == Committed::Yes {
            return Ok(Some(Written { before, change }));
        }
    }
    let what = format!("incident {incident_id}");
    Err(PipelineError::Contended { what, attempts: DECISION_ATTEMPTS })
}
