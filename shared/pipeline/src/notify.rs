//! An owed alert becomes a message, and a planned one a wake-up.

use assessment::configuration::Configuration;
use incident::{Deciding, Incident, IncidentId};
use notices::{Context, notice};
use ports::{Ports, Schedule, Scheduled};

use crate::{
    Result,
    cases::{case, decide},
    configuration,
};

const ACTOR: &str = "notify";

/// A wake-up may come so early: clocks of two machines differ, and one that is turned away does not come again.
const EARLY_SECONDS_MAX: i64 = 60;

/// What became of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notified {
    /// It was published, and that stands in the timeline.
    Published {
        /// The topic's receipt.
        message_id: String,
    },
    /// Its clock stopped before it was published.
    Withdrawn,
    /// It waits for its time, and somebody is woken then.
    Scheduled,
    /// It waits for its time, and only the sweep watches it.
    NotScheduled,
    /// There is nothing to do for it.
    NotOwed,
}

/// Sees to an alert that has changed: publishes it if it is owed, and makes a schedule if it waits for its time.
///
/// A schedule that could not be made holds up nothing: the sweep watches the same alert.
pub async fn attend(ports: &Ports, incident_id: &IncidentId, alert_id: &str) -> Result<Notified> {
    let Some(alert) = ports.incidents.alert(incident_id, alert_id).await? else {
        return Ok(Notified::NotOwed);
    };
    if alert.is_owed() {
        return publish_owed(ports, incident_id, alert_id).await;
    }
    if !alert.is_scheduled() {
        return Ok(Notified::NotOwed);
    }
    let (incident_id, alert_id) = (alert.incident_id, alert.alert_id);
    let schedule = Schedule { incident_id, alert_id, at: alert.due_at };
    match ports.schedules.put(&schedule).await {
        Ok(Scheduled::Yes) => Ok(Notified::Scheduled),
        Ok(Scheduled::Past) => {
            raise(ports, &schedule.incident_id).await?;
            Ok(Notified::NotOwed)
        }
        Err(error) => {
            let Schedule { incident_id, alert_id, .. } = schedule;
            tracing::error!(%incident_id, alert_id, %error, "a reminder could not be scheduled");
            Ok(Notified::NotScheduled)
        }
    }
}

/// What a wake-up does: raises whatever is due in the incident, as the sweep would. Publishing follows from that.
pub async fn wake(ports: &Ports, incident_id: &IncidentId, alert_id: &str) -> Result<()> {
    tracing::info!(%incident_id, alert_id, "woken by the schedule of an alert");
    raise(ports, incident_id).await
}

async fn raise(ports: &Ports, incident_id: &IncidentId) -> Result<()> {
    let early = chrono::TimeDelta::seconds(EARLY_SECONDS_MAX);
    decide(ports, incident_id, ACTOR, |case, by| {
        let waiting = case.alerts.values().filter(|alert| alert.is_scheduled());
        let next = waiting.map(|alert| alert.due_at).filter(|at| *at <= by.now + early).max();
        // As of the instant that it was set for, so that an early wake-up is as good as one in time.
        let now = next.map_or(by.now, |next| next.max(by.now));
        case.raise_due(Deciding { now, ..by })
    })
    .await?;
    Ok(())
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
    let Some(case) = case(ports, incident_id).await? else {
        return Ok(Notified::NotOwed);
    };
    let Some(alert) = case.alerts.get(alert_id).filter(|alert| alert.is_owed()) else {
        return Ok(Notified::NotOwed);
    };
    if !case.is_worth_publishing(alert_id) {
        decide(ports, incident_id, ACTOR, |case, by| case.withdraw_moot(alert_id, by)).await?;
        return Ok(Notified::Withdrawn);
    }
    let stored = configuration(ports).await?;
    let context = context(&stored.configuration, &case.incident);
    let message = notice(&case.incident, alert, &context, ports.clock.now());
    let message_id = ports.publisher.publish(&message).await?;
    tracing::info!(%incident_id, alert_id, message_id, "published an alert");
    // Legal has it. Failing now would publish it again at once, and again; while it is owed the sweep offers it
    // again after minutes, not seconds.
    let recorded = decide(ports, incident_id, ACTOR, |case, by| {
        let is_owed = case.alerts.get(alert_id).is_some_and(incident::Alert::is_owed);
        if is_owed { case.published(alert_id, &message_id, by) } else { None }
    });
    if let Err(error) = recorded.await {
        tracing::error!(%incident_id, alert_id, message_id, %error, "a published alert could not be recorded");
    }
    Ok(Notified::Published { message_id })
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
