//! How the logs come: noted with each file, looked at once an hour, and told where they stay away.

use assessment::{
    Configuration,
    configuration::{Org, OrgKind},
    delivery::{DayArrivals, DeliveryAlert, HISTORY_DAYS, PublishedAlert, Watch, judge},
};
use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use eventlog::{audit_trail::TamperingRow, report::HourCount};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use notices::DeliveryContext;
use ports::{ArrivalsRecord, DeliveryHealthRecord, PortError, Ports, Written};

use crate::{DECISION_ATTEMPTS, PipelineError, Result, configuration};

/// Days of arrivals that are noted at once. A real file has one day, or two; a history that is loaded has hundreds.
const DAYS_AT_ONCE: usize = 16;

/// How often a day is joined afresh because another file of it was quicker. Each conflict is somebody else's success,
/// so this has to be more than the files that are read at once.
const JOIN_ATTEMPTS: u32 = 64;

/// Each org is looked at once in so many minutes, in a minute of its own.
const MINUTES_PER_ROUND: u32 = 60;

/// What a look at the orgs found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Orgs that were looked at.
    pub org_count: u64,
    /// Blind spots that are open in them.
    pub blind_spot_count: u64,
    /// Alerts that went out.
    pub published_count: u64,
    /// Orgs that could not be looked at, or of which an alert could not be published; the next look tries again.
    pub failed_count: u64,
}

/// Notes which hours came with a file. Joining is idempotent: a file that is read again changes nothing.
pub(crate) async fn note_arrivals(
    ports: &Ports,
    hours: &[HourCount],
    landed_at: DateTime<Utc>,
) -> Result<()> {
    let days = stream::iter(DayArrivals::of_file(hours, landed_at)).map(Ok);
    days.try_for_each_concurrent(DAYS_AT_ONCE, |day| note_day(ports, day)).await
}

/// Notes what rows of Setup Audit Trail tell of the logs themselves: each once, however often it comes.
pub(crate) async fn note_tampering(
    ports: &Ports,
    rows: &[TamperingRow],
    now: DateTime<Utc>,
) -> Result<()> {
    for row in rows {
        ports.access.put_tampering(row, now).await?;
        let TamperingRow { org_id, at, row_hash, .. } = row;
        let kind = row.kind.name();
        tracing::warn!(org_id, %at, row_hash, kind, "the org's logs may have been tampered with");
    }
    Ok(())
}

async fn note_day(ports: &Ports, mut arrivals: DayArrivals) -> Result<()> {
    for _ in 0..JOIN_ATTEMPTS {
        let DayArrivals { org_id, event_type, day, .. } = &arrivals;
        let known = ports.access.arrivals(org_id, *event_type, *day).await?;
        if let Some(known) = &known {
            arrivals.join(&known.arrivals);
            if arrivals == known.arrivals {
                return Ok(());
            }
        }
        let version = known.map_or(0, |known| known.version).saturating_add(1);
        let record = ArrivalsRecord { arrivals: arrivals.clone(), version };
        if ports.access.put_arrivals(&record).await? == Written::Yes {
            return Ok(());
        }
    }
    let what = format!("the arrivals of {} on {}", arrivals.event_type.name(), arrivals.day);
    Err(PipelineError::Contended { what, attempts: JOIN_ATTEMPTS })
}

/// Looks at the orgs whose minute it is. One that cannot be looked at does not hold up the others.
pub async fn watch_due(ports: &Ports) -> Result<Watched> {
    let stored = configuration(ports).await?;
    let minute = ports.clock.now().minute();
    let mut watched = Watched::default();
    let orgs = &stored.configuration.orgs;
    for org in orgs.iter().filter(|org| minute_of(&org.org_id) == minute) {
        watched.org_count = watched.org_count.saturating_add(1);
        if let Err(error) = watch_org(ports, &stored.configuration, org, &mut watched).await {
            tracing::error!(org_id = org.org_id, %error, "how an org's logs come could not be looked at");
            watched.failed_count = watched.failed_count.saturating_add(1);
        }
    }
    Ok(watched)
}

/// The minute of the hour in which an org is looked at: a fleet is spread over the hour.
pub fn minute_of(org_id: &str) -> u32 {
    let sum =
        org_id.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    sum % MINUTES_PER_ROUND
}

/// Judges how an org's logs come, keeps that, and then publishes every alert that is owed for it.
///
/// What is owed is stored before it is published, and recorded as published after: cut off anywhere, it is published at
/// the next look, perhaps a second time.
async fn watch_org(
    ports: &Ports,
    configuration: &Configuration,
    org: &Org,
    watched: &mut Watched,
) -> Result<()> {
    let record = look(ports, org).await?;
    let open = u64::try_from(record.watch.open.len()).unwrap_or(u64::MAX);
    watched.blind_spot_count = watched.blind_spot_count.saturating_add(open);
    for alert in &record.watch.owed {
        publish(ports, configuration, org, &record, alert).await?;
        watched.published_count = watched.published_count.saturating_add(1);
    }
    Ok(())
}

async fn look(ports: &Ports, org: &Org) -> Result<DeliveryHealthRecord> {
    let org_id = &org.org_id;
    for _ in 0..DECISION_ATTEMPTS {
        let before = ports.access.delivery_health(org_id).await?;
        let now = ports.clock.now();
        let from = (now - TimeDelta::days(HISTORY_DAYS)).date_naive();
        let days = ports.access.arrivals_since(org_id, from).await?;
        let arrivals = days.into_iter().map(|record| record.arrivals).collect();
        let version = before.as_ref().map_or(0, |before| before.version).saturating_add(1);
        let watch = before.map_or_else(|| Watch::begun(now), |before| before.watch);
        let delivery = judge(&arrivals, &org.expected_logs, watch.watched_since, now);
        // As with incidents: what goes wrong in a sandbox is kept, and wakes nobody.
        let tells = org.kind == OrgKind::Production;
        let rows = ports.access.tampering(org_id).await?;
        let watch = watch.after(org_id, &delivery, tells).after_tampering(rows, now, tells);
        let record = DeliveryHealthRecord { org_id: org_id.clone(), delivery, watch, version };
        if ports.access.put_delivery_health(&record).await? == Written::Yes {
            let (open, owed) = (record.watch.open.len(), record.watch.owed.len());
            tracing::info!(org_id, open, owed, "looked at how an org's logs come");
            return Ok(record);
        }
    }
    let what = format!("the delivery health of org {org_id}");
    Err(PipelineError::Contended { what, attempts: DECISION_ATTEMPTS })
}

async fn publish(
    ports: &Ports,
    configuration: &Configuration,
    org: &Org,
    record: &DeliveryHealthRecord,
    alert: &DeliveryAlert,
) -> Result<()> {
    let context = DeliveryContext {
        organisation: configuration.organisation.name.clone(),
        environment: configuration.organisation.environment.clone(),
        time_zone: configuration.organisation.time_zone,
        org_id: org.org_id.clone(),
        org_name: org.name.clone(),
    };
    let notice = notices::delivery_notice(alert, &record.delivery, &context, ports.clock.now());
    let message_id = ports.publisher.publish(&notice).await?;
    let alert_id = &alert.alert_id;
    tracing::info!(alert_id, message_id, "published an alert");
    let published =
        PublishedAlert { alert_id: alert_id.clone(), at: ports.clock.now(), message_id };
    for _ in 0..DECISION_ATTEMPTS {
        let found = ports.access.delivery_health(&org.org_id).await?;
        let what = || format!("the delivery health of org {}", org.org_id);
        let mut record = found.ok_or_else(|| PortError::NotFound { what: what() })?;
        record.watch = record.watch.after_publishing(published.clone());
        record.version = record.version.saturating_add(1);
        if ports.access.put_delivery_health(&record).await? == Written::Yes {
            return Ok(());
        }
    }
    let what = format!("the delivery health of org {}", org.org_id);
    Err(PipelineError::Contended { what, attempts: DECISION_ATTEMPTS })
}
