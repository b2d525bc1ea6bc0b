//! The words of an alert about delivery: logs stay away, or come again, or somebody saw to it that they do not come.

mod tampering;

use std::{collections::BTreeSet, fmt::Write as _};

use assessment::{
    delivery::{
        AlertKind, BlindSpot, Delivery, DeliveryAlert, HISTORY_DAYS, News, OrgDelivery, Scope,
    },
    findings::SeverityLevel,
};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::{
    Attributes, Notice,
    page::{Page, in_zone, span},
    subject::ascii,
};

/// What a message about delivery says of the organisation.
#[derive(Clone, Debug)]
pub struct DeliveryContext {
    /// The controller.
    pub organisation: String,
    /// Stands in every alert, so that a drill is never taken for the real thing.
    pub environment: String,
    /// Instants are shown in this zone beside UTC.
    pub time_zone: Tz,
    /// Salesforce org, 15 characters.
    pub org_id: String,
    /// Its name in the configuration.
    pub org_name: String,
}

/// Writes the message of an alert about delivery, with the state of `delivery`, as of `now`.
pub fn delivery_notice(
    alert: &DeliveryAlert,
    delivery: &OrgDelivery,
    context: &DeliveryContext,
    now: DateTime<Utc>,
) -> Notice {
    match &alert.news {
        News::BlindSpots { kind, blind_spots } => {
            let alert = &SpotsAlert { alert_id: &alert.alert_id, kind: *kind, blind_spots };
            Notice {
                subject: subject(alert, context),
                text: text(alert, delivery, context),
                json: body(alert, delivery, context, now),
                attributes: attributes(severity(alert), kind.name(), context),
            }
        }
        News::Tampering { tampering } => {
            tampering::notice(&alert.alert_id, tampering, context, now)
        }
    }
}

fn attributes(severity: SeverityLevel, news: &str, context: &DeliveryContext) -> Attributes {
    Attributes {
        severity,
        regimes: BTreeSet::new(),
        stage: format!("delivery-{news}"),
        org_id: context.org_id.clone(),
        environment: context.environment.clone(),
        audience: "operations",
    }
}

/// An alert about blind spots.
struct SpotsAlert<'a> {
    alert_id: &'a str,
    kind: AlertKind,
    blind_spots: &'a [BlindSpot],
}

/// High where nothing at all can be seen. The end has that of the beginning, so that whoever heard of one hears of the
/// other.
fn severity(alert: &SpotsAlert<'_>) -> SeverityLevel {
    if alert.blind_spots.iter().any(|spot| spot.scope == Scope::Org) {
        SeverityLevel::High
    } else {
        SeverityLevel::Medium
    }
}

/// The org's name comes last: it may be long, and gives way.
fn subject(alert: &SpotsAlert<'_>, context: &DeliveryContext) -> String {
    let news = match alert.kind {
        AlertKind::Silent => "BLIND SPOT",
        AlertKind::Resumed => "blind spot over",
    };
    let what = logs(alert.blind_spots);
    ascii(&format!("[{}] {news}: {what} of {}", context.environment, context.org_name))
}

/// What it is of, in the middle of a sentence.
fn logs(spots: &[BlindSpot]) -> String {
    match spots {
        [BlindSpot { scope: Scope::Org, .. }, ..] => "all logs".to_owned(),
        [spot] => format!("{} logs", spot.scope.name()),
        _ => format!("{} types of log", spots.len()),
    }
}

fn text(alert: &SpotsAlert<'_>, delivery: &OrgDelivery, context: &DeliveryContext) -> String {
    let DeliveryContext { organisation, org_name, .. } = context;
    let what = logs(alert.blind_spots);
    let mut page = Page::default();
    match alert.kind {
        AlertKind::Silent => {
            page.line(&format!(
                "{organisation}: {what} of the Salesforce org {org_name} have stopped coming."
            ));
            page.section("WHAT CANNOT BE SEEN");
        }
        AlertKind::Resumed => {
            page.line(&format!(
                "{organisation}: {what} of the Salesforce org {org_name} are coming again."
            ));
            page.section("WHAT CAN BE SEEN AGAIN");
        }
    }
    for spot in alert.blind_spots {
        page.item("-", &spot_line(*spot, alert.kind, delivery, context.time_zone));
    }
    match alert.kind {
        AlertKind::Silent => silent(&mut page),
        AlertKind::Resumed => resumed(&mut page),
    }
    page.section("REFERENCE");
    page.line(&format!(
        "Alert {}, Salesforce org {}, environment {}. Judged as of {}.",
        alert.alert_id,
        context.org_id,
        context.environment,
        instant(delivery.as_of)
    ));
    page.0
}

fn spot_line(spot: BlindSpot, kind: AlertKind, delivery: &OrgDelivery, time_zone: Tz) -> String {
    let name = match spot.scope {
        Scope::Org => "Everything",
        Scope::EventType(event_type) => event_type.name(),
    };
    let since = spot.since.map(|hour| in_zone(hour.start(), time_zone));
    let mut line = match (kind, since) {
        (AlertKind::Silent, Some(since)) => format!("{name}: nothing since {since}."),
        (AlertKind::Silent, None) if spot.scope == Scope::Org => {
            format!("Everything: no log of this org has come in {HISTORY_DAYS} days, or ever.")
        }
        (AlertKind::Silent, None) => {
            format!("{name}: never came, and the configuration says that it has to.")
        }
        (AlertKind::Resumed, Some(since)) => format!("{name}: was silent since {since}."),
        (AlertKind::Resumed, None) => format!("{name}: had never come."),
    };
    let Some(found) = of(spot.scope, delivery) else { return line };
    if found.habit_hours_per_week > 0 && kind == AlertKind::Silent {
        line.push_str(&format_habit(found));
    }
    if found.missing_hour_count > 0 {
        let hours = if found.missing_hour_count == 1 { "hour is" } else { "hours are" };
        let _ = write!(line, " {} expected {hours} missing.", found.missing_hour_count);
    }
    line
}

fn format_habit(delivery: &Delivery) -> String {
    let mut habit = format!(
        " By habit it comes in {} of the 168 hours of a week",
        delivery.habit_hours_per_week
    );
    if let Some(lateness) = delivery.lateness {
        let late = span(TimeDelta::minutes(lateness.p95_minutes));
        let _ = write!(habit, ", 95 % of them within {late} of their end");
    }
    habit.push('.');
    habit
}

fn silent(page: &mut Page) {
    page.section("WHAT THAT MEANS");
    page.line(
        "What agents did in these hours is not judged, and no incident opens for it. That nothing is reported does \
         not say that nothing happened.",
    );
    page.line(
        "For legal: this message starts no clock. Should it turn out that logs were stopped or deleted on purpose, \
         that is a fact to weigh in any incident of this time.",
    );
    page.section("WHAT TO CHECK NOW");
    page.item(
        "1.",
        "Salesforce: query EventLogFile for the type and these hours. Where the files are there, the export is at \
         fault. Where they are not, look in Setup, Event Monitoring Settings, whether log files are still made.",
    );
    page.item(
        "2.",
        "The export or relay: its schedule, its log, its credentials and its right to write into the landing bucket.",
    );
    page.item(
        "3.",
        "The landing bucket: whether objects land. Where they do, look at the alarm \"landing dead letters\", and \
         whether the bucket still tells EventBridge of new objects.",
    );
    page.item(
        "4.",
        "Setup Audit Trail: who changed the settings of event monitoring, or allowed log files to be deleted.",
    );
    page.item(
        "5.",
        "Hurry: Salesforce keeps log files for 30 days, and for 1 day without the licence. What is landed late is \
         judged as if it had come in time.",
    );
    page.section("HOW SURE WE ARE");
    page.line(
        "Salesforce makes no file for a type without events, so the type may be silent because nothing happened. It is \
         reported because it stays away against its habit of the weeks before, or because the configuration says \
         that it has to come. The next message about it comes when it comes again.",
    );
}

fn resumed(page: &mut Page) {
    page.section("WHAT TO DO NOW");
    page.item(
        "1.",
        "Land what is still missing from EventLogFile, before Salesforce deletes it after 30 days (1 day without the \
         licence). It is judged as if it had come in time.",
    );
    page.item("2.", "Write down why the logs stayed away, and what could not be seen meanwhile.");
}

fn of(scope: Scope, delivery: &OrgDelivery) -> Option<&Delivery> {
    match scope {
        Scope::Org => Some(&delivery.any_type),
        Scope::EventType(event_type) => delivery.types.get(&event_type),
    }
}

fn body(
    alert: &SpotsAlert<'_>,
    delivery: &OrgDelivery,
    context: &DeliveryContext,
    now: DateTime<Utc>,
) -> Value {
    let spots: Vec<Value> = alert
        .blind_spots
        .iter()
        .map(|spot| {
            let found = of(spot.scope, delivery);
            json!({
                "event_type": match spot.scope {
                    Scope::Org => None,
                    Scope::EventType(event_type) => Some(event_type.name()),
                },
                "since": spot.since.map(|hour| instant(hour.start())),
                "last_hour": found.and_then(|found| found.last_hour).map(|hour| instant(hour.start())),
                "missing_hours": found.map_or(0, |found| found.missing_hour_count),
            })
        })
        .collect();
    json!({
        "type": format!("delivery.{}", alert.kind.name()),
        "timestamp": instant(now),
        "data": {
            "alert_id": alert.alert_id,
            "environment": context.environment,
            "organisation": context.organisation,
            "org_id": context.org_id,
            "severity": severity(alert).name(),
            "blind_spots": spots,
            "as_of": instant(delivery.as_of),
        },
    })
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
