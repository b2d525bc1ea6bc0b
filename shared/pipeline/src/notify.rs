//! An owed alert becomes a message.

use assessment::configuration::Configuration;
use incident::{Incident, IncidentId};
use notices::{Context, notice};
use ports::{Committed, PortError, Ports};

use crate::{DECISION_ATTEMPTS, PipelineError, Result, configuration};

const ACTOR: &str = "notify";

/// What became of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notified {
    /// It was published, and that stands in the timeline.
    Published {
        /// The topic's receipt.
        message_id: String,
    },
    /// It is not, or no longer, owed.
    NotOwed,
}

/// Publishes one alert if it is still owed, and records the receipt.
///
/// Publishing comes first: cut off between the two, the alert stays owed and is published again. We would rather
/// tell legal twice than not at all.
pub async fn publish_owed(
    ports: &Ports,
    incident_id: &IncidentId,
    alert_id: &str,
) -> Result<Notified> {
    let Some(alert) = ports.incidents.alert(incident_id, alert_id).await? else {
        return Ok(Notified::NotOwed);
    };
    if !alert.is_owed() {
        return Ok(Notified::NotOwed);
    }
    let stored = configuration(ports).await?;
    let incident = incident(ports, incident_id).await?;
    let context = context(&stored.configuration, &incident);
    let message = notice(&incident, &alert, &context, ports.clock.now());
    let message_id = ports.publisher.publish(&message).await?;
    tracing::info!(%incident_id, alert_id, message_id, "published an alert");
    // Legal has it. Failing now would publish it again at once, and again; while it is owed the sweep offers it
    // again after minutes, not seconds.
    if let Err(error) = record(ports, incident_id, alert_id, &message_id).await {
        tracing::error!(%incident_id, alert_id, message_id, %error, "a published alert could not be recorded");
    }
    Ok(Notified::Published { message_id })
}

async fn record(
    ports: &Ports,
    incident_id: &IncidentId,
    alert_id: &str,
    message_id: &str,
) -> Result<()> {
    for _ in 0..DECISION_ATTEMPTS {
        let incident = incident(ports, incident_id).await?;
        let alert = ports.incidents.alert(incident_id, alert_id).await?;
        let Some(alert) = alert.filter(incident::Alert::is_owed) else {
            return Ok(());
        };
        let change = incident.published(&alert, message_id, ports.clock.now(), ACTOR);
        if ports.incidents.commit(&change).await? == Committed::Yes {
            return Ok(());
        }
    }
    let what = format!("incident {incident_id}");
    Err(PipelineError::Contended { what, attempts: DECISION_ATTEMPTS })
}

async fn incident(ports: &Ports, incident_id: &IncidentId) -> Result<Incident> {
    let found = ports.incidents.incident(incident_id).await?;
    Ok(found.ok_or_else(|| PortError::NotFound { what: format!("incident {incident_id}") })?)
}

/// What a message says of the organisation beside the incident.
pub fn context(configuration: &Configuration, incident: &Incident) -> Context {
    let org = configuration.orgs.iter().find(|org| org.org_id == incident.org_id);
    let agent = configuration.registry.agent(&incident.agent);
    Context {
        organisation: configuration.organisation.name.clone(),
        environment: configuration.organisation.environment.clone(),
        time_zone: configuration.organisation.time_zone,
        org_name: org.map(|org| org.name.clone()),
        agent_title: agent.map(|agent| agent.title.clone()),
        agent_owner: agent.map(|agent| agent.owner.clone()),
    }
}
