//! The sweep: every minute, what is due is owed, and what is overdue is recorded.

use incident::{Case, IncidentId};
use ports::Ports;

use crate::{
    Result,
    cases::{Written, decide},
};

const ACTOR: &str = "remind";

/// How many incidents one sweep takes; the rest wait for the next, the longest waiting first.
const INCIDENTS_MAX: u32 = 500;

/// The note of when the last sweep came to its end.
pub(crate) const SWEPT: &str = "swept";

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Incidents that wanted attention.
    pub incident_count: u64,
    /// Alerts that are owed now, or owed once more.
    pub owed_count: u64,
    /// Those of them that were owed before and were not published in time.
    pub unsent_count: u64,
    /// Obligations that were found overdue.
    pub overdue_count: u64,
    /// Incidents that could not be swept; the next sweep tries them again.
    pub failed_count: u64,
}

/// Raises every alert that is due, and those that `notify` has not published in time.
///
/// One incident that cannot be swept does not hold up the others, nor the account of them. What it costs grows with what
/// is due, not with what is open: an index holds the instants at which alerts want attention.
pub async fn sweep(ports: &Ports) -> Result<Swept> {
    let waiting = ports.incidents.wanting_attention(ports.clock.now(), INCIDENTS_MAX).await?;
    let mut swept = Swept::default();
    for incident_id in waiting {
        swept.incident_count = swept.incident_count.saturating_add(1);
        if let Err(error) = raise(ports, &incident_id, &mut swept).await {
            tracing::error!(%incident_id, %error, "an incident could not be swept");
            swept.failed_count = swept.failed_count.saturating_add(1);
        }
    }
    ports.incidents.put_marker(SWEPT, &ports.clock.now().to_rfc3339()).await?;
    Ok(swept)
}

async fn raise(ports: &Ports, incident_id: &IncidentId, swept: &mut Swept) -> Result<()> {
    let written = decide(ports, incident_id, ACTOR, Case::raise_due).await?;
    let Some(Written { before, change }) = written else {
        return Ok(());
    };
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let raised = || change.alerts.iter().filter(|alert| alert.is_owed());
    let owed = raised().count();
    let unsent = raised().filter(|alert| alert.attempt() > 1).count();
    let before = before.incident.overdue_since.len();
    let overdue = change.incident.overdue_since.len().saturating_sub(before);
    swept.owed_count = swept.owed_count.saturating_add(count(owed));
    swept.unsent_count = swept.unsent_count.saturating_add(count(unsent));
    swept.overdue_count = swept.overdue_count.saturating_add(count(overdue));
    tracing::info!(%incident_id, owed, unsent, overdue, "raised what is due");
    Ok(())
}
