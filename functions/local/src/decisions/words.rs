//! What happened, in a line.

use deadlines::Standing;
use incident::{Event, TimelineEntry};

/// One entry of a timeline, as a person would say it.
pub(super) fn of(entry: &TimelineEntry) -> String {
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
            let (applies, possible) = (count("applies"), count("possible"));
            let coming = changed
                .iter()
                .filter(|duty| matches!(duty.standing, Standing::Coming { .. }))
                .count();
            let not = ruled_out.len().saturating_add(gone.len());
            format!(
                "duties judged by the law of {law_version}: {applies} apply, {possible} may, {coming} are coming, {not} do \
                 not apply, of those that are new or changed"
            )
        }
        Event::AlertsPlanned { alerts } => format!("{} messages planned", alerts.len()),
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
            format!("{} was at {moment_at}: {reason}", moment.word())
        }
        Event::RiskAssessed { risk, reason } => format!("risk {}: {reason}", risk.name()),
        Event::Contained { measure, measure_at } => format!("contained at {measure_at}: {measure}"),
        Event::Decided { regime_ids, notify, reason } => {
            let what = if *notify { "to be notified" } else { "not to be notified" };
            format!("{what}: {}: {reason}", regime_ids.join(", "))
        }
        Event::DecisionLifted { regime_ids, reason } => {
            let duties = regime_ids.join(", ");
            format!("the decision not to notify {duties} no longer holds: {reason}")
        }
        Event::NotificationSent { regime_ids, notification } => format!(
            "notified: {}: to {} at {}{}",
            regime_ids.join(", "),
            notification.recipient,
            notification.sent_at,
            notification.reference.as_ref().map(|it| format!(", {it}")).unwrap_or_default()
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
