//! The words of an alert about a row of Setup Audit Trail: event logs deleted, or no longer made.

use assessment::findings::SeverityLevel;
use chrono::{DateTime, Utc};
use eventlog::audit_trail::{LogTampering, TamperingRow};
use serde_json::{Value, json};

use super::{DeliveryContext, attributes, instant};
use crate::{
    Notice,
    page::{Page, in_zone},
    subject::ascii,
};

/// What the message is called where machines read it.
const NEWS: &str = "log-tampering";

/// What was not logged cannot be judged later either.
const SEVERITY: SeverityLevel = SeverityLevel::High;

pub(super) fn notice(
    alert_id: &str,
    row: &TamperingRow,
    context: &DeliveryContext,
    now: DateTime<Utc>,
) -> Notice {
    Notice {
        subject: subject(row, context),
        text: text(alert_id, row, context),
        json: body(alert_id, row, context, now),
        attributes: attributes(SEVERITY, NEWS, context),
    }
}

/// The org's name comes last: it may be long, and gives way.
fn subject(row: &TamperingRow, context: &DeliveryContext) -> String {
    let news = match row.kind {
        LogTampering::Deletion => "LOG DELETION allowed or done",
        LogTampering::GenerationStopped => "EVENT LOGS turned off",
    };
    ascii(&format!("[{}] {news} in {}", context.environment, context.org_name))
}

fn text(alert_id: &str, row: &TamperingRow, context: &DeliveryContext) -> String {
    let DeliveryContext { organisation, org_name, .. } = context;
    let mut page = Page::default();
    page.line(&match row.kind {
        LogTampering::Deletion => format!(
            "{organisation}: event log files of the Salesforce org {org_name} may have been deleted, or somebody \
             was allowed to delete them."
        ),
        LogTampering::GenerationStopped => format!(
            "{organisation}: the making of event logs in the Salesforce org {org_name} was turned off."
        ),
    });
    page.section("WHAT HAPPENED");
    let who = match &row.user_id {
        Some(user_id) => format!("by the user with the id {user_id}"),
        None => "by a user whom the export does not name".to_owned(),
    };
    page.line(&format!(
        "A row of Setup Audit Trail tells of it: {}, {who}.",
        in_zone(row.at, context.time_zone)
    ));
    page.section("WHAT THAT MEANS");
    page.line(match row.kind {
        LogTampering::Deletion => {
            "A log file that is deleted before it lands here is never judged, and what agents did in its hours opens \
             no incident. What has landed here cannot be deleted from there."
        }
        LogTampering::GenerationStopped => {
            "From then on no log is made. What agents do is not judged, and no incident opens for it; it cannot be \
             judged later either."
        }
    });
    page.line(
        "For legal: this message starts no clock. Logs that were stopped or deleted on purpose are a fact to weigh in \
         any incident of this time.",
    );
    page.section("WHAT TO DO NOW");
    page.item(
        "1.",
        "Salesforce: Setup, View Setup Audit Trail. Read the row of that moment, and those of the same user around it.",
    );
    page.item(
        "2.",
        "Ask whether it was meant. Where nobody knows of it, take the user's account for stolen: freeze it, and end \
         its sessions.",
    );
    page.item(
        "3.",
        match row.kind {
            LogTampering::Deletion => {
                "Setup, Event Monitoring Settings: turn \"Delete event monitoring data\" off. Take the permission \
                 \"Delete Event Monitoring Records\" from whoever does not need it."
            }
            LogTampering::GenerationStopped => {
                "Setup, Event Monitoring Settings: have log files made again. The hours until then are lost; note \
                 which."
            }
        },
    );
    page.item(
        "4.",
        "Query EventLogFile and land at once what is still there. Compare it with the hours that came here.",
    );
    page.section("HOW SURE WE ARE");
    page.line(
        "Salesforce does not say how it words such rows. This one names the logs, the setting or the permission as \
         they are documented; it may only speak of them, or have made things safer. A row that is worded otherwise is \
         not noticed. What the row says is not kept here, because it may name persons.",
    );
    page.section("REFERENCE");
    page.line(&format!(
        "Alert {alert_id}, Salesforce org {}, environment {}. Told once for this row, however often it is exported.",
        context.org_id, context.environment
    ));
    page.0
}

fn body(
    alert_id: &str,
    row: &TamperingRow,
    context: &DeliveryContext,
    now: DateTime<Utc>,
) -> Value {
    json!({
        "type": format!("delivery.{NEWS}"),
        "timestamp": instant(now),
        "data": {
            "alert_id": alert_id,
            "environment": context.environment,
            "organisation": context.organisation,
            "org_id": context.org_id,
            "severity": SEVERITY.name(),
            "tampering": {
                "kind": row.kind.name(),
                "at": instant(row.at),
                "user_id": row.user_id,
                "row_hash": row.row_hash,
            },
        },
    })
}
