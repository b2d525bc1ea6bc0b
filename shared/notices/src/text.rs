//! The body for people.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use deadlines::Stage;
use incident::{Alert, ClockKind, Incident};

use crate::{
    Context,
    clocks::{RunningClock, clock_in_focus, running_clocks},
    due, evidence,
    page::{Page, span},
    steps,
};

/// A message that comes later than this after its time says so.
const UNREMARKABLE_MINUTES: i64 = 5;

pub(crate) fn text(
    incident: &Incident,
    alert: &Alert,
    context: &Context,
    now: DateTime<Utc>,
) -> String {
    let mut page = Page::default();
    page.line(&headline(incident, alert, context, now));
    page.section("WHAT HAPPENED");
    evidence::what_happened(&mut page, incident, context);
    page.section("HOW BAD IT IS");
    evidence::how_bad(&mut page, &incident.findings);
    page.section("WHAT IS DUE");
    due::what_is_due(&mut page, incident, alert, context, now);
    page.section("WHAT TO DO NOW");
    steps::what_to_do(&mut page, incident, alert, context, now);
    page.section("HOW SURE WE ARE");
    evidence::how_sure(&mut page, incident);
    page.section("REFERENCE");
    page.line(&format!(
        "Incident {}, {}, revision {}, Salesforce org {}, environment {}. Judged by rules of {}, law data of {}.",
        incident.incident_id,
        incident.status.name(),
        incident.revision,
        incident.org_id,
        context.environment,
        incident.findings.scoring_version,
        incident.law_version,
    ));
    page.line(&format!("Alert {}", alert.alert_id));
    page.line(
        "Computed from event logs and law data. This is not legal advice, and the decision is yours.",
    );
    page.0
}

/// How late the message is, where that is worth a word. A repetition comes when it is meant to.
pub(crate) fn lateness(alert: &Alert, now: DateTime<Utc>) -> Option<TimeDelta> {
    Some(now - alert.due_at)
        .filter(|late| alert.repetition == 0 && *late >= TimeDelta::minutes(UNREMARKABLE_MINUTES))
}

/// The time that is left of a clock, as a reminder tells it: in round numbers where it comes at its time.
pub(crate) fn time_left(
    running: &RunningClock<'_>,
    alert: &Alert,
    now: DateTime<Utc>,
) -> TimeDelta {
    let is_on_time = alert.repetition == 0 && lateness(alert, now).is_none();
    running.clock.ends_at - if is_on_time { alert.due_at } else { now }
}

fn headline(incident: &Incident, alert: &Alert, context: &Context, now: DateTime<Utc>) -> String {
    let organisation = &context.organisation;
    let id = &incident.incident_id;
    let mut line = match alert.stage {
        Stage::Opened => format!(
            "{organisation}: a possible personal data breach by {} was detected.",
            evidence::agent_phrase(incident, context)
        ),
        Stage::Worsened => format!(
            "{organisation}: incident {id} is worse than first reported: severity is now {}.",
            incident.severity().name()
        ),
        Stage::Reopened => format!(
            "{organisation}: incident {id} goes on. New evidence came after it was closed or dismissed."
        ),
        Stage::DutiesChanged => format!(
            "{organisation}: in incident {id} duties came, went or fall due at another time. This is where things \
             stand now."
        ),
        Stage::RemainingShare { .. } | Stage::RemainingTime { .. } | Stage::Overdue => {
            let clocks = running_clocks(incident);
            let end = clock_in_focus(&clocks, alert)
                .map_or_else(|| stopped_clock(alert), |running| of_clock(&running, alert, now));
            format!("{organisation}, incident {id}: {end}")
        }
    };
    if incident.status.is_done() {
        let _ = write!(line, " The incident has been {} meanwhile.", incident.status.name());
    }
    if let Some(late) = lateness(alert, now) {
        let _ = write!(
            line,
            " This message is {} late; where things stand now is written below.",
            span(late)
        );
    }
    if alert.repetition > 0 {
        let times = if alert.repetition == 1 { "once" } else { "several times" };
        let _ = write!(
            line,
            " This message was sent {times} before, and nobody has acknowledged it. Where things stand now is written \
             below."
        );
    }
    line
}

fn stopped_clock(alert: &Alert) -> String {
    let which = alert.clock.map(|clock| clock.ends_at.format(" of %Y-%m-%d %H:%M UTC").to_string());
    format!("the clock{} runs no more.", which.unwrap_or_default())
}

/// How a clock stands, behind "incident BC-…: ".
fn of_clock(running: &RunningClock<'_>, alert: &Alert, now: DateTime<Utc>) -> String {
    let is_one = running.duties.len() == 1;
    let duties =
        if is_one { "1 duty".to_owned() } else { format!("{} duties", running.duties.len()) };
    let is_possible = running.clock.is_possible;
    if running.is_over(now) {
        return match (running.clock.kind, is_possible) {
            (ClockKind::Limit, false) => {
                format!("the time for {duties} has passed, and no notification is on record here.")
            }
            (ClockKind::Limit, true) => format!(
                "the time for {duties} has passed, if {}. Nobody has answered the question that decides.",
                if is_one { "it applies" } else { "they apply" }
            ),
            (ClockKind::Target, _) => format!(
                "the internal target for {duties}{} has passed, and no notification is on record here. The target is \
                 ours, not a limit of the law.",
                if is_possible { " that may apply" } else { "" }
            ),
        };
    }
    let left = span(time_left(running, alert, now));
    match (running.clock.kind, is_possible) {
        (ClockKind::Limit, false) => {
            format!("{left} left until {duties} {} due.", if is_one { "is" } else { "are" })
        }
        (ClockKind::Limit, true) => format!(
            "{left} left to answer whether {duties} {}, and to meet {}.",
            if is_one { "applies" } else { "apply" },
            if is_one { "it" } else { "them" }
        ),
        (ClockKind::Target, false) => format!(
            "{left} left until the internal target of {duties}. It is ours, not a limit of the law."
        ),
        (ClockKind::Target, true) => format!(
            "{left} left until the internal target of {duties} that may apply. It is ours, not a limit of the law."
        ),
    }
}
