//! A law or a configuration that changed: the duties of every open incident are judged by it.

use incident::{Case, IncidentId};
use ports::{Ports, Which};
use serde::{Deserialize, Serialize};

use crate::{Result, cases::decide, configuration, policy::policy};

const ACTOR: &str = "remind";

/// The note of how far the open incidents were judged by the law and the configuration in force.
const JUDGED: &str = "judged";

/// Incidents that one look takes; the rest wait for the next minute.
const INCIDENTS_MAX: usize = 200;

/// What a look did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rejudged {
    /// Incidents of which duties came out otherwise.
    pub changed_count: u64,
    /// Incidents that could not be judged; they are tried again with the next change of law or configuration, and with
    /// their next evidence.
    pub failed_count: u64,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    law_version: String,
    configuration_version: u64,
    /// The last of the open incidents that were looked at, in the order of their names; absent once it is all.
    after: Option<IncidentId>,
}

/// Judges the open incidents afresh if the law or the configuration is not the one that they were judged by, some at a
/// time. What comes out as before leaves no trace.
pub async fn rejudge_open(ports: &Ports) -> Result<Rejudged> {
    let stored = configuration(ports).await?;
    let law_version = policy(&stored.configuration, "")?.law.law_version.clone();
    let known = ports.incidents.marker(JUDGED).await?;
    let known = known.and_then(|text| serde_json::from_str::<Progress>(&text).ok());
    let fits = known.filter(|known| {
        known.law_version == law_version && known.configuration_version == stored.version
    });
    let after = match fits {
        Some(Progress { after: None, .. }) => return Ok(Rejudged::default()),
        Some(Progress { after, .. }) => after,
        None => None,
    };
    // An incident that is opened meanwhile is judged by what is in force.
    let mut open = ports.incidents.list(Which::Open).await?;
    open.sort_unstable();
    open.retain(|incident_id| after.as_ref().is_none_or(|after| incident_id > after));
    let is_all = open.len() <= INCIDENTS_MAX;
    open.truncate(INCIDENTS_MAX);
    let mut rejudged = Rejudged::default();
    for incident_id in &open {
        match decide(ports, incident_id, ACTOR, Case::rejudge).await {
            Ok(None) => {}
            Ok(Some(_)) => {
                tracing::info!(%incident_id, law_version, "judged the duties afresh");
                rejudged.changed_count = rejudged.changed_count.saturating_add(1);
            }
            Err(error) => {
                tracing::error!(%incident_id, %error, "the duties could not be judged afresh");
                rejudged.failed_count = rejudged.failed_count.saturating_add(1);
            }
        }
    }
    let progress = Progress {
        law_version,
        configuration_version: stored.version,
        after: open.pop().filter(|_| !is_all),
    };
    if let Ok(note) = serde_json::to_string(&progress) {
        ports.incidents.put_marker(JUDGED, &note).await?;
    }
    Ok(rejudged)
}
