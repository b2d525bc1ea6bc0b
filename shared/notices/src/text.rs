//! The body for people.

use std::fmt::Write as _;

use assessment::findings::{Findings, Risk, SubjectBasis, SubjectEstimate};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use deadlines::{Obligation, Stage, Standing};
use incident::{Alert, Incident};

use crate::Context;

/// Lines of a plain-text mail are broken here.
const LINE_CHARACTERS_MAX: usize = 76;

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
    what_to_do(&mut page, incident, context);
    page.section("HOW SURE WE ARE");
    how_sure(&mut page, &incident.findings);
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

fn headline(incident: &Incident, alert: &Alert, context: &Context, now: DateTime<Utc>) -> String {
    let organisation = &context.organisation;
    match alert.stage {
        Stage::Opened => format!(
            "{organisation}: a possible personal data breach by the AI agent {} was detected.",
            incident.agent.as_str()
        ),
        Stage::Worsened => format!(
            "{organisation}: incident {} is worse than first reported: severity is now {}.",
            incident.incident_id,
            incident.findings.severity.level.name()
        ),
        Stage::Remaining { hours } => {
            let late = now - alert.due_at;
            let mut line = format!(
                "{organisation}: {hours} {} left to notify in incident {}.",
                if hours == 1 { "hour was" } else { "hours were" },
                incident.incident_id
            );
            if late < TimeDelta::minutes(5) {
                line = line.replace(" was left", " is left").replace(" were left", " are left");
            } else {
                let _ = write!(
                    line,
                    " This reminder is late by {}; what is left now stands below.",
                    span(late)
                );
            }
            line
        }
        Stage::Overdue => format!(
            "{organisation}: the time to notify in incident {} has passed, and no notification is recorded.",
            incident.incident_id
        ),
    }
}

fn what_happened(incident: &Incident, context: &Context) -> String {
    let findings = &incident.findings;
    let agent = match &context.agent_title {
        Some(title) => format!("The agent {} ({title})", incident.agent.as_str()),
        None => format!("An agent that nobody registered ({})", incident.agent.as_str()),
    };
    let org = match &context.org_name {
        Some(name) => format!("in the Salesforce org {name} ({})", incident.org_id),
        None => format!("in the Salesforce org {}", incident.org_id),
    };
    format!(
        "{agent} worked {org} against its rules, between {} and {} UTC: {} in {}.",
        findings.first_event_at.format("%-d %b %Y %H:%M"),
        findings.last_event_at.format("%-d %b %Y %H:%M"),
        counted(findings.record_count, "record"),
        counted(findings.row_count, "logged call"),
    )
}

fn how_bad(page: &mut Page, findings: &Findings) {
    let severity = &findings.severity;
    page.line(&format!(
        "Severity: {}. {}",
        severity.level.name().to_uppercase(),
        sentence(&severity.arithmetic)
    ));
    page.line(&format!("Persons: {}", persons(&findings.subject_estimate)));
    page.line("Data:");
    for (object, exposure) in &findings.exposures {
        let category = exposure.category.map_or("not in the data map", |category| category.label());
        page.item(
            "-",
            &format!(
                "{object}: {category}; {} in {}",
                counted(exposure.record_count, "record"),
                counted(exposure.row_count, "logged call")
            ),
        );
    }
    page.line(&format!("Why (score {} of 100):", findings.score));
    for signal in &findings.signals {
        page.item("-", &format!("{} (+{})", signal.reason, signal.weight));
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

/// With a capital at the front and a full stop at the end.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
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
            let mut since = format!(
                "{} {} at {}",
                obligation.limit.value,
                if obligation.start_assumed {
                    "hours from our detection"
                } else {
                    "hours from awareness"
                },
                in_zone(started_at, context.time_zone)
            );
            if obligation.start_assumed {
                since.push_str(
                    ". Awareness is assumed at detection until a person records when the organisation \
                     became aware",
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
                    unknown_facts.join(", ")
                ),
            );
        }
    }
}

fn what_to_do(page: &mut Page, incident: &Incident, context: &Context) {
    let owner = context.agent_owner.as_deref().unwrap_or("whoever runs it (nobody registered it)");
    page.item(
        "1.",
        &format!(
            "Contain: have {owner} stop the agent {} and revoke its sessions and connected app in \
             Salesforce.",
            incident.agent.as_str()
        ),
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
    page.item("3.", "Record when the organisation became aware; the clock is counted from there.");
    page.item(
        "4.",
        "Start the notification. It says: nature of the breach, categories and approximate numbers of persons \
         and records, a contact point, likely consequences, measures taken (Art. 33(3)). What is not known yet \
         may follow in phases (Art. 33(4)).",
    );
}

fn how_sure(page: &mut Page, findings: &Findings) {
    page.line(
        "The log rows say what was called, by whom and how many records came back. They rarely name the \
         records or what left Salesforce afterwards.",
    );
    let undecided: u64 = findings.gaps.values().sum();
    if undecided > 0 {
        page.line(&format!(
            "{} by this agent could not be decided either way and {} not part of the numbers above.",
            counted(undecided, "row"),
            if undecided == 1 { "is" } else { "are" }
        ));
    }
}

fn in_zone(at: DateTime<Utc>, zone: Tz) -> String {
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
    } else {
        format!("OVERDUE by {}", span(-remaining))
    }
}

fn span(delta: TimeDelta) -> String {
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
struct Page(String);

impl Page {
    fn section(&mut self, title: &str) {
        self.0.push('\n');
        self.0.push_str(title);
        self.0.push('\n');
    }

    fn line(&mut self, text: &str) {
        self.wrap("", 0, text);
    }

    fn item(&mut self, mark: &str, text: &str) {
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
