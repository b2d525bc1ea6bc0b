//! What happened, in a line.

use chrono_tz::Tz;
use deadlines::TriggerKind;
use incident::{Event, TimelineEntry};

use super::clocks::at;

/// One entry of a timeline, as a person would say it.
pub(super) fn of(entry: &TimelineEntry, zone: Tz) -> String {
    match &entry.event {
        Event::Opened { findings, split_from, .. } => {
            let origin = split_from.as_ref().map(|from| format!(", split off from {from}"));
            format!(
                "opened: severity {}, score {}{}",
                findings.severity.level.name(),
                findings.score,
                origin.unwrap_or_default()
            )
        }
        Event::FindingsChanged { findings } => format!(
            "new evidence: severity {}, score {}, {} rows",
            findings.severity.level.name(),
            findings.score,
            findings.row_count
        ),
        Event::DutiesJudged { changed, ruled_out, gone, law_version, .. } => {
            let count =
                |wanted: &str| changed.iter().filter(|duty| duty.standing.name() == wanted).count();
            let counts = [
                (count("applies"), "applies", "apply"),
                (count("possible"), "may apply", "may apply"),
                (count("coming"), "is coming", "are coming"),
                (ruled_out.len(), "does not apply", "do not apply"),
                (gone.len(), "is law no more", "are law no more"),
            ];
            let counts: Vec<String> = counts
                .into_iter()
                .filter(|(count, ..)| *count > 0)
                .map(|(count, one, many)| {
                    format!("{count} {}", if count == 1 { one } else { many })
                })
                .collect();
            format!(
                "duties judged by the law of {law_version}; new or changed: {}",
                counts.join(", ")
            )
        }
        Event::AlertsPlanned { alerts } => match alerts.as_slice() {
            [only] => format!("a message planned: {}", stages([&only.alert_id])),
            several => format!("{} messages planned", several.len()),
        },
        Event::AlertsOwed { late_seconds } => {
            let late = late_seconds.values().max().copied().unwrap_or(0);
            let late =
                if late >= 300 { format!(", {} min late", late / 60) } else { String::new() };
            format!("due: {}{late}", stages(late_seconds.keys()))
        }
        Event::AlertsWithdrawn { reasons } => format!("withdrawn: {}", stages(reasons.keys())),
        Event::AlertPublished { alert_id, message_id, .. } => {
            format!("sent: {} (receipt {message_id})", stages([alert_id]))
        }
        Event::ObligationsOverdue { regime_ids, .. } => {
            format!("OVERDUE: {}", regime_ids.join(", "))
        }
        Event::Acknowledged { alert_ids } => format!("acknowledged: {}", stages(alert_ids)),
        Event::Assigned { to } => format!("assigned to {to}"),
        Event::Confirmed { reason } => format!("confirmed: {reason}"),
        Event::MomentSet { moment, moment_at, reason } => {
            format!("{} was {}: {reason}", moment.word(), at(*moment_at, zone))
        }
        Event::RiskAssessed { risk, reason } => {
            format!("risk assessed: {}: {reason}", risk.words())
        }
        Event::Contained { measure, measure_at } => {
            format!("contained {}: {measure}", at(*measure_at, zone))
        }
        Event::Decided { regime_ids, notify, reason } => {
            let what = if *notify { "to be notified" } else { "not to be notified" };
            format!("{what}: {}: {reason}", regime_ids.join(", "))
        }
        Event::DecisionLifted { regime_ids, reason } => {
            let duties = regime_ids.join(", ");
            format!("the decision not to notify {duties} no longer holds: {reason}")
        }
        Event::NotificationSent { regime_ids, notification } => format!(
            "notified: {}: to {}, {}{}",
            regime_ids.join(", "),
            notification.recipient,
            at(notification.sent_at, zone),
            notification
                .reference
                .as_ref()
                .map(|it| format!(", reference {it}"))
                .unwrap_or_default()
        ),
        Event::DelayExplained { regime_ids, reason } => {
            format!("reasons for the delay of {}: {reason}", regime_ids.join(", "))
        }
        Event::FactCorrected { fact, value, reason } => format!("{fact} is {value}: {reason}"),
        Event::Commented { text } => format!("comment: {text}"),
        Event::Dismissed { reason } => format!("dismissed: {reason}"),
        Event::Closed { reason } => format!("closed: {reason}"),
        Event::Reopened { reason } => format!("reopened: {reason}"),
        Event::TookIn { other, reason } => format!("took in {}: {reason}", other.incident_id),
        Event::MergedInto { into, reason } => format!("merged into {into}: {reason}"),
        Event::SplitOff { into, from_day, reason, .. } => {
            format!("the days from {from_day} on are {into}: {reason}")
        }
    }
}

/// Alerts without the name of the incident, which stands above.
fn stages<'a>(alert_ids: impl IntoIterator<Item = &'a String>) -> String {
    let stages: Vec<&str> = alert_ids
        .into_iter()
        .map(|id| id.split_once('.').map_or(id.as_str(), |(_, stage)| stage))
        .collect();
    stages.join(", ")
}

/// The word of a moment in commands and in JSON.
pub(super) fn moment(moment: TriggerKind) -> String {
    match serde_json::to_value(moment) {
        Ok(serde_json::Value::String(word)) => word,
        _ => moment.word().to_owned(),
    }
}
