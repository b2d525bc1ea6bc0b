//! The body for people.

use std::fmt::Write as _;

use assessment::findings::{
    Findings, GapReason, ObjectExposure, Risk, SubjectBasis, SubjectEstimate,
};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use deadlines::{Obligation, Stage, Standing};
use eventlog::joins::Confidence;
use incident::{Alert, Incident};

use crate::{Context, worst_objects};

/// Lines of a plain-text mail are broken here.
const LINE_CHARACTERS_MAX: usize = 76;

/// A message that comes later than this after its time says so.
const UNREMARKABLE_MINUTES: i64 = 5;

/// The obligation that an alert speaks of: its own, or the most urgent one.
pub(crate) fn obligation_of<'a>(incident: &'a Incident, alert: &Alert) -> Option<&'a Obligation> {
    match &alert.regime_id {
        Some(id) => incident.obligations.iter().find(|obligation| obligation.regime_id == *id),
        None => incident.most_urgent(),
    }
}

pub(crate) fn text(
    incident: &Incident,
    alert: &Alert,
    context: &Context,
    now: DateTime<Utc>,
) -> String {
    let mut page = Page::default();
    page.line(&headline(incident, alert, context, now));
    page.section("WHAT HAPPENED");
    page.line(&what_happened(incident, context));
    page.section("HOW BAD IT IS");
    how_bad(&mut page, &incident.findings);
    page.section("WHAT IS DUE");
    what_is_due(&mut page, incident, context, now);
    page.section("WHAT TO DO NOW");
    what_to_do(&mut page, incident, alert, context, now);
    page.section("HOW SURE WE ARE");
    how_sure(&mut page, incident);
    page.section("REFERENCE");
    page.line(&format!(
        "Incident {}, alert {}, Salesforce org {}, environment {}. Judged by rules of {}, law data of {}.",
        incident.incident_id,
        alert.alert_id,
        incident.org_id,
        context.environment,
        incident.findings.scoring_version,
        obligation_of(incident, alert).map_or("-", |obligation| obligation.law_version.as_str()),
    ));
    page.line(
        "Computed from event logs and law data. This is not legal advice, and the decision is yours.",
    );
    page.0
}

/// How late the message is, where that is worth a word.
pub(crate) fn lateness(alert: &Alert, now: DateTime<Utc>) -> Option<TimeDelta> {
    Some(now - alert.due_at).filter(|late| *late >= TimeDelta::minutes(UNREMARKABLE_MINUTES))
}

fn headline(incident: &Incident, alert: &Alert, context: &Context, now: DateTime<Utc>) -> String {
    let organisation = &context.organisation;
    let id = &incident.incident_id;
    let late = lateness(alert, now);
    let mut line = match alert.stage {
        Stage::Opened => format!(
            "{organisation}: a possible personal data breach by {} was detected.",
            agent_phrase(incident, context)
        ),
        Stage::Worsened => format!(
            "{organisation}: incident {id} is worse than first reported: severity is now {}.",
            incident.findings.severity.level.name()
        ),
        Stage::Remaining { hours } => format!(
            "{organisation}: {hours} {} {} left to notify in incident {id}.",
            if hours == 1 { "hour" } else { "hours" },
            match (late.is_some(), hours) {
                (true, 1) => "was",
                (true, _) => "were",
                (false, 1) => "is",
                (false, _) => "are",
            }
        ),
        Stage::Overdue => format!(
            "{organisation}: the time to notify in incident {id} has passed, and no notification is on \
             record here."
        ),
    };
    if let Some(late) = late {
        let _ = write!(
            line,
            " This message is {} late; where things stand now is written below.",
            span(late)
        );
    }
    line
}

/// Who it was, in the middle of a sentence.
fn agent_phrase(incident: &Incident, context: &Context) -> String {
    match &context.agent_title {
        Some(_) => format!("the AI agent {}", incident.agent.as_str()),
        None => format!("an agent that nobody registered ({})", incident.agent.as_str()),
    }
}

fn what_happened(incident: &Incident, context: &Context) -> String {
    let findings = &incident.findings;
    let (agent, what) = match &context.agent_title {
        Some(title) => (
            format!("The agent {} ({title})", incident.agent.as_str()),
            "went beyond what it is registered for",
        ),
        None => (
            format!("An agent that nobody registered ({})", incident.agent.as_str()),
            "read personal data",
        ),
    };
    let org = match &context.org_name {
        Some(name) => format!("in the Salesforce org {name} ({})", incident.org_id),
        None => format!("in the Salesforce org {}", incident.org_id),
    };
    format!(
        "{agent} {what} {org}, between {} and {} UTC: {}.",
        findings.first_event_at.format("%-d %b %Y %H:%M"),
        findings.last_event_at.format("%-d %b %Y %H:%M"),
        amount(findings),
    )
}

fn amount(findings: &Findings) -> String {
    let rows = counted(findings.row_count, "log row");
    let uncounted = findings.exposures.values().any(|exposure| exposure.uncounted_row_count > 0);
    match (findings.record_count, uncounted) {
        (0, true) => format!("an unknown number of records in {rows}"),
        (records, true) => {
            format!(
                "{}, and some that the log does not count, in {rows}",
                counted(records, "record")
            )
        }
        (records, false) => format!("{} in {rows}", counted(records, "record")),
    }
}

fn how_bad(page: &mut Page, findings: &Findings) {
    let severity = &findings.severity;
    page.line(&format!(
        "Severity: {}. What decides it: {}",
        severity.level.name().to_uppercase(),
        severity.arithmetic
    ));
    page.line(&format!("Persons over all data: {}", persons(&findings.subject_estimate)));
    page.line("Data:");
    let (worst, more_objects) = worst_objects(findings);
    for (object, exposure) in worst {
        let category = exposure.category.map_or("not in the data map", |category| category.label());
        page.item("-", &format!("{object}: {category}; {}", records(exposure)));
    }
    if more_objects > 0 {
        page.item("-", &format!("and {more_objects} more, none of a worse kind"));
    }
    page.line(&format!("Why (score {} of 100):", findings.score));
    for signal in &findings.signals {
        page.item("-", &format!("{} (+{})", signal.reason, signal.weight));
    }
}

/// How many records, and how many answers of unknown size beside them.
fn records(exposure: &ObjectExposure) -> String {
    let uncounted = match exposure.uncounted_row_count {
        0 => return counted(exposure.record_count, "record"),
        1 => "1 answer whose records the log does not count".to_owned(),
        answers => format!("{} answers whose records the log does not count", thousands(answers)),
    };
    match exposure.record_count {
        0 => uncounted,
        counted_records => format!("{} and {uncounted}", counted(counted_records, "record")),
    }
}

fn persons(estimate: &SubjectEstimate) -> String {
    let upper = match estimate.upper {
        Some(upper) if upper == estimate.lower => {
            return format!("{} ({}).", thousands(upper), basis(estimate.basis));
        }
        Some(upper) => format!("at most {}", thousands(upper)),
        None => "no upper bound known".to_owned(),
    };
    let named = match estimate.exact {
        0 => "The logs name none of them".to_owned(),
        exact => format!("The logs name {} of them by record id", thousands(exact)),
    };
    format!("at least {}, {upper} ({}). {named}.", thousands(estimate.lower), basis(estimate.basis))
}

const fn basis(basis: SubjectBasis) -> &'static str {
    match basis {
        SubjectBasis::RecordIds => "record ids in the logs",
        SubjectBasis::RecordsCounted => "records counted by the logs",
        SubjectBasis::ObjectPopulation => "records counted, cut to the number that exist",
        SubjectBasis::Uncounted => "some calls do not count what they returned",
    }
}

fn what_is_due(page: &mut Page, incident: &Incident, context: &Context, now: DateTime<Utc>) {
    let mut open: Vec<&Obligation> =
        incident.obligations.iter().filter(|obligation| obligation.is_open()).collect();
    open.sort_by_key(|obligation| obligation.due_at);
    if open.is_empty() {
        page.line("No clock runs at present.");
    }
    for obligation in open {
        page.line(&format!("{}: {}.", obligation.article, obligation.title));
        if let Some(due_at) = obligation.due_at {
            page.item(
                "Due:",
                &format!("{}; {}", in_zone(due_at, context.time_zone), left(due_at, now)),
            );
        }
        page.item("Told:", &obligation.who_is_told);
        if let Some(started_at) = obligation.started_at {
            let start = if obligation.start_assumed {
                "our detection"
            } else {
                obligation.starts_at.word()
            };
            let limit = obligation
                .limit
                .map(|limit| format!("{} {} ", limit.value, limit.unit.word()))
                .unwrap_or_default();
            let mut since =
                format!("{limit}from {start} at {}", in_zone(started_at, context.time_zone));
            if obligation.start_assumed {
                since.push_str(
                    ". No person has said when the organisation became aware, so detection stands in for it",
                );
            }
            page.item("Counted:", &since);
        }
        if let Standing::Possible { unknown_facts } = &obligation.standing {
            page.item(
                "Open:",
                &format!(
                    "the duty depends on {}, which nobody has decided yet. The clock is kept in view until \
                     then",
                    unknown_facts.iter().map(|fact| fact_words(fact)).collect::<Vec<_>>().join(" and on ")
                ),
            );
        }
    }
}

/// A fact of the law's conditions, as a person would name it.
fn fact_words(fact: &str) -> &str {
    match fact {
        "risk" => "the risk to the persons",
        "gdpr_applies" => "whether the GDPR applies to the organisation",
        "role" => "whether the organisation is the controller",
        other => other,
    }
}

fn what_to_do(
    page: &mut Page,
    incident: &Incident,
    alert: &Alert,
    context: &Context,
    now: DateTime<Utc>,
) {
    let agent = incident.agent.as_str();
    let contain = match &context.agent_owner {
        Some(owner) => format!("have {owner} stop the agent {agent}"),
        None => format!("find out who runs {agent} and have it stopped"),
    };
    page.item(
        "1.",
        &format!("Contain: {contain}, and revoke its sessions and connected app in Salesforce."),
    );
    let proposal = match incident.findings.severity.risk {
        Risk::Unlikely => "unlikely to result in a risk: recorded under Art. 33(5), not notified",
        Risk::Risk => "a risk: the authority is notified, Art. 33(1)",
        Risk::HighRisk => {
            "a high risk: the authority is notified, Art. 33(1), and the persons, Art. 34(1)"
        }
    };
    page.item(
        "2.",
        &format!("Decide the risk to the persons. Our proposal, for you to decide: {proposal}."),
    );
    page.item(
        "3.",
        "Write down when the organisation became aware, and on what ground: the 72 hours of Art. 33(1) count \
         from then. If that was before our detection, less time is left than stands above. It cannot be \
         entered here yet, so this clock goes on counting from detection.",
    );
    page.item(
        "4.",
        "Start the notification: it is due without undue delay, and 72 hours are the outer limit (Art. 33(1)). \
         It says: nature of the breach, categories and approximate numbers of persons and records, a contact \
         point, likely consequences, measures taken (Art. 33(3)). What is not known yet may follow in phases \
         (Art. 33(4)).",
    );
    let due_at = obligation_of(incident, alert).and_then(|obligation| obligation.due_at);
    if due_at.is_some_and(|due_at| due_at <= now) {
        page.item(
            "5.",
            "If it has not gone out, send it at once, with the reasons for the delay (Art. 33(1)).",
        );
    }
    if matches!(alert.stage, Stage::Remaining { .. } | Stage::Overdue) {
        page.line(
            "Whether the authority has been told, or you decided that it need not be, cannot be entered here \
             yet: the reminders go on either way.",
        );
    }
}

/// What a row lacks. That nobody registered the agent is said elsewhere.
const fn gap_words(reason: GapReason) -> Option<&'static str> {
    match reason {
        GapReason::UnregisteredAgent => None,
        GapReason::UnclassifiedObject => Some("of objects that are in no data map"),
        GapReason::ObjectNotNamed => Some("without the name of the object"),
        GapReason::OperationNotNamed => Some("without a word on what was done"),
        GapReason::RecordsNotCounted => Some("without the number of records returned"),
        GapReason::UnknownOrg => Some("of an org that the configuration does not name"),
    }
}

fn how_sure(page: &mut Page, incident: &Incident) {
    page.line(
        "The log rows say what was called, by whom and how many records came back. They rarely name the \
         records, and never what left Salesforce afterwards.",
    );
    page.line(if incident.agent.is_registered() {
        "The judgement compares them with what the agent is registered for. Whether this is a personal data \
         breach (Art. 4(12)) is for you to decide."
    } else {
        "Nobody registered what this agent is for, so nothing says that it was allowed, or that it was not. \
         Whether this is a personal data breach (Art. 4(12)) is for you to decide."
    });
    who_acted(page, &incident.findings);
    let open: Vec<String> = incident
        .findings
        .gaps
        .iter()
        .filter_map(|(reason, rows)| {
            Some(format!("{} {}", counted(*rows, "row"), gap_words(*reason)?))
        })
        .collect();
    if !open.is_empty() {
        page.line("What the logs of this agent leave open (a row may lack several things):");
        for gap in open {
            page.item("-", &gap);
        }
    }
}

/// On what ground the rows are this agent's.
fn who_acted(page: &mut Page, findings: &Findings) {
    let unsure: u64 = findings.unsure_row_counts.values().sum();
    let certain = findings.row_count.saturating_sub(unsure);
    if unsure == 0 {
        page.line("Each row bears a mark of this agent that Salesforce wrote: a bot, a planner, a connected app or a user.");
        return;
    }
    page.line(&format!(
        "Who acted is told by a mark that Salesforce wrote (bot, planner, connected app or user) in {} of {}. Of the \
         others:",
        counted(certain, "row"),
        thousands(findings.row_count),
    ));
    for (confidence, rows) in &findings.unsure_row_counts {
        page.item("-", &format!("{} {}", counted(*rows, "row"), confidence_words(*confidence)));
    }
}

fn confidence_words(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Certain => "with such a mark",
        Confidence::High => {
            "with the bulk job or the session of a row that bears the mark, or with a mark that a gateway wrote: nearly \
             certain"
        }
        Confidence::Moderate => {
            "with the request or the login of a row that bears the mark: likely"
        }
        Confidence::Low => "by what the caller says of itself, which anybody can say",
    }
}

pub(crate) fn in_zone(at: DateTime<Utc>, zone: Tz) -> String {
    format!(
        "{} ({zone}), {} UTC",
        at.with_timezone(&zone).format("%A %-d %B %Y %H:%M"),
        at.format("%Y-%m-%d %H:%M")
    )
}

fn left(due_at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let remaining = due_at - now;
    if remaining > TimeDelta::zero() {
        format!("{} left", span(remaining))
    } else if remaining > TimeDelta::minutes(-1) {
        "the time ends now".to_owned()
    } else {
        format!("OVERDUE by {}", span(-remaining))
    }
}

pub(crate) fn span(delta: TimeDelta) -> String {
    let minutes = delta.num_minutes();
    let (hours, minutes) = (minutes / 60, minutes % 60);
    match (hours, minutes) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(count))
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len().saturating_add(digits.len() / 3));
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Plain text, broken at words.
#[derive(Default)]
pub(crate) struct Page(pub(crate) String);

impl Page {
    pub(crate) fn section(&mut self, title: &str) {
        self.0.push('\n');
        self.0.push_str(title);
        self.0.push('\n');
    }

    pub(crate) fn line(&mut self, text: &str) {
        self.wrap("", 0, text);
    }

    pub(crate) fn item(&mut self, mark: &str, text: &str) {
        self.wrap(&format!("  {mark} "), mark.len().saturating_add(3), text);
    }

    fn wrap(&mut self, first: &str, indent: usize, text: &str) {
        let mut width = first.len();
        self.0.push_str(first);
        let mut at_start = true;
        for word in text.split_whitespace() {
            let length = word.chars().count();
            if !at_start && width.saturating_add(length).saturating_add(1) > LINE_CHARACTERS_MAX {
                self.0.push('\n');
                self.0.extend(std::iter::repeat_n(' ', indent));
                width = indent;
                at_start = true;
            }
            if !at_start {
                self.0.push(' ');
                width = width.saturating_add(1);
            }
            self.0.push_str(word);
            width = width.saturating_add(length);
            at_start = false;
        }
        self.0.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped_and_spans_read_as_hours_and_minutes() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(span(TimeDelta::minutes(59)), "59 min");
        assert_eq!(span(TimeDelta::minutes(120)), "2 h");
        assert_eq!(span(TimeDelta::minutes(71 * 60 + 58)), "71 h 58 min");
    }
}
