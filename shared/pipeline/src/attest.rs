//! Once a day: the ends of all timelines are put away where nobody can change them, and legal hears how many clocks run.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use incident::{Clock, ClockKind, Incident, IncidentId, TimelineHead, audit};
use notices::{Daily, DailyContext, OpenIncident, UrgentClock, daily_notice};
use ports::{PortError, Ports, RawIncident, Which};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;

use crate::{Result, configuration, remind::SWEPT};

/// What the names of the objects start with.
pub const PREFIX: &str = "heads/";

/// How many of the last runs a run holds records against. Each earlier head was held against in its time; a month of them
/// has legal told of a record that was written anew every day for a month.
const RUNS_COMPARED_MAX: usize = 31;

/// The ends of all timelines at a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heads {
    /// The UTC day.
    pub day: NaiveDate,
    /// When they were read.
    pub at: DateTime<Utc>,
    /// In the order of the incidents' names.
    pub heads: Vec<HeadOf>,
}

/// The end of one timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadOf {
    /// The incident.
    pub incident_id: IncidentId,
    /// Its end.
    #[serde(flatten)]
    pub head: TimelineHead,
}

/// What a day's run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attested {
    /// Heads that were put away.
    pub head_count: u64,
    /// Incidents that are open.
    pub open_count: u64,
    /// Open incidents of which the record is not whole.
    pub broken_count: u64,
}

/// Checks the record of every open incident, against the heads of the runs before too; puts the heads of all timelines
/// away, and tells legal how many clocks run, also when none does: the absence of that message says that nobody watches.
///
/// What cannot be put away or checked is told in the message, which goes out in any case.
pub async fn attest(ports: &Ports, bucket: &str) -> Result<Attested> {
    let mut flaws = Vec::new();
    let earlier = latest_heads(ports, bucket).await.unwrap_or_else(|error| {
        tracing::error!(%error, "the heads of earlier runs could not be read");
        flaws.push("the heads of earlier runs could not be read; see the log of attest".to_owned());
        Vec::new()
    });
    let head_count = put_heads(ports, bucket).await.unwrap_or_else(|error| {
        tracing::error!(%error, "the heads of timelines could not be put away");
        flaws
            .push("the heads of timelines could not be put away; see the log of attest".to_owned());
        0
    });
    let stored = configuration(ports).await?;
    let open_ids = ports.incidents.list(Which::Open).await?;
    let all = ports.incidents.list(Which::All).await?;
    let mut open = Vec::new();
    let mut broken_count = 0_u64;
    for incident_id in &open_ids {
        let found = look(ports, incident_id, &earlier).await;
        match found {
            Ok(None) => {}
            Ok(Some((incident, of_it))) => {
                broken_count = broken_count.saturating_add(u64::from(!of_it.is_empty()));
                flaws.extend(of_it.into_iter().map(|flaw| format!("{incident_id}: {flaw}")));
                open.push(summary(&incident, ports.clock.now()));
            }
            Err(error) => {
                tracing::error!(%incident_id, %error, "a record could not be checked");
                broken_count = broken_count.saturating_add(1);
                flaws.push(format!("{incident_id} could not be read; see the log of attest"));
            }
        }
    }
    let gone: BTreeSet<&IncidentId> =
        earlier.iter().map(|(id, _)| id).filter(|id| !all.contains(id)).collect();
    for incident_id in gone {
        broken_count = broken_count.saturating_add(1);
        flaws.push(format!("{incident_id} is gone: its head was put away, and it is not there"));
    }
    let organisation = &stored.configuration.organisation;
    let now = ports.clock.now();
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let swept = ports.incidents.marker(SWEPT).await?;
    let attested = Attested { head_count, open_count: count(open.len()), broken_count };
    let daily = Daily {
        date: now.with_timezone(&organisation.time_zone).date_naive(),
        open,
        closed_count: count(all.len().saturating_sub(open_ids.len())),
        last_sweep_at: swept.and_then(|at| at.parse().ok()),
        heads_written: head_count,
        chain_flaws: flaws,
    };
    let context = DailyContext {
        organisation: organisation.name.clone(),
        environment: organisation.environment.clone(),
        time_zone: organisation.time_zone,
    };
    let message_id = ports.publisher.publish(&daily_notice(&daily, &context, now)).await?;
    tracing::info!(message_id, open = attested.open_count, "told legal how many clocks run");
    Ok(attested)
}

/// An incident, and what is wrong with its record.
async fn look(
    ports: &Ports,
    incident_id: &IncidentId,
    earlier: &[(IncidentId, TimelineHead)],
) -> Result<Option<(Incident, Vec<String>)>> {
    let Some(incident) = ports.incidents.incident(incident_id).await? else {
        return Ok(None);
    };
    let Some(RawIncident { incident: stored, timeline, alerts }) =
        ports.incidents.raw(incident_id).await?
    else {
        return Ok(None);
    };
    let of_it = earlier.iter().filter(|(id, _)| id == incident_id);
    let heads: Vec<TimelineHead> = of_it.map(|(_, head)| head.clone()).collect();
    let flaws = audit(&stored, &alerts, &timeline, &heads);
    Ok(Some((incident, flaws.iter().map(ToString::to_string).collect())))
}

fn summary(incident: &Incident, now: DateTime<Utc>) -> OpenIncident {
    let running = incident.running();
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let is_over = |ends_at: DateTime<Utc>| ends_at <= now;
    let overdue = running.iter().filter(|duty| duty.watched_at().is_some_and(is_over)).count();
    let most_urgent = running.first().and_then(|duty| Clock::of(duty)).map(|clock| UrgentClock {
        ends_at: clock.ends_at,
        is_possible: clock.is_possible,
        is_target: clock.kind == ClockKind::Target,
    });
    OpenIncident {
        incident_id: incident.incident_id.0.clone(),
        org_id: incident.org_id.clone(),
        severity: incident.severity(),
        status: incident.status.name().to_owned(),
        most_urgent,
        running_count: count(running.len()),
        overdue_count: count(overdue),
        not_started_count: count(incident.not_started().len()),
        awareness_assumed: incident.times.aware.is_some_and(|aware| aware.assumed),
        acknowledged: incident.acknowledged_at.is_some(),
    }
}

/// Puts the heads away, in an object of its own for each run: a name that is written again has a lock on every version, but
/// whoever reads it reads the last. Answers with how many.
async fn put_heads(ports: &Ports, bucket: &str) -> Result<u64> {
    let at = ports.clock.now();
    let mut ids = ports.incidents.list(Which::All).await?;
    ids.sort_unstable();
    let mut heads = Vec::new();
    for incident_id in ids {
        if let Some(incident) = ports.incidents.incident(&incident_id).await? {
            heads.push(HeadOf { incident_id, head: incident.timeline_head });
        }
    }
    let count = u64::try_from(heads.len()).unwrap_or(u64::MAX);
    let day = at.date_naive();
    let body = Heads { day, at, heads };
    let json = serde_json::to_vec(&body).map_err(|error| PortError::Unreadable {
        what: "the heads of timelines".to_owned(),
        reason: error.to_string(),
    })?;
    let name = at.format("%Y-%m-%dT%H%M%S%.3fZ");
    ports.objects.put(bucket, &format!("{PREFIX}{name}.json"), json).await?;
    tracing::info!(%day, count, "put the heads of all timelines away");
    Ok(count)
}

/// Every head that was put away, the oldest first.
pub async fn heads(ports: &Ports, bucket: &str) -> Result<Vec<(IncidentId, TimelineHead)>> {
    let keys = ports.objects.list(bucket, PREFIX).await?;
    read(ports, bucket, &keys).await
}

/// Those of the last runs.
async fn latest_heads(ports: &Ports, bucket: &str) -> Result<Vec<(IncidentId, TimelineHead)>> {
    let mut keys = ports.objects.list(bucket, PREFIX).await?;
    keys.sort_unstable();
    let latest = keys.split_off(keys.len().saturating_sub(RUNS_COMPARED_MAX));
    read(ports, bucket, &latest).await
}

async fn read(
    ports: &Ports,
    bucket: &str,
    keys: &[String],
) -> Result<Vec<(IncidentId, TimelineHead)>> {
    let mut heads = Vec::new();
    for key in keys {
        let mut object = ports.objects.open(bucket, key, None).await?;
        let mut json = Vec::new();
        let unreadable =
            |reason: String| PortError::Unreadable { what: format!("s3://{bucket}/{key}"), reason };
        object.body.read_to_end(&mut json).await.map_err(|error| unreadable(error.to_string()))?;
        let of_run: Heads =
            serde_json::from_slice(&json).map_err(|error| unreadable(error.to_string()))?;
        heads.extend(of_run.heads.into_iter().map(|head| (head.incident_id, head.head)));
    }
    Ok(heads)
}
