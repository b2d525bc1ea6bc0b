//! What happened, how bad it is, and how sure we are: the evidence, in words.

use assessment::findings::{Findings, GapReason, ObjectExposure, SubjectBasis, SubjectEstimate};
use eventlog::joins::Confidence;
use incident::Incident;

use crate::{
    Context,
    page::{Page, counted, thousands},
    worst_objects,
};

/// Most other incidents that a message lists.
const PARTS_MAX: usize = 10;

/// Who it was, in the middle of a sentence.
pub(crate) fn agent_phrase(incident: &Incident, context: &Context) -> String {
    match &context.agent_title {
        Some(_) => format!("the AI agent {}", incident.agent.as_str()),
        None => format!("an agent that nobody registered ({})", incident.agent.as_str()),
    }
}

pub(crate) fn what_happened(page: &mut Page, incident: &Incident, context: &Context) {
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
    page.line(&format!(
        "{agent} {what} {org}, between {} and {} UTC: {}.",
        findings.first_event_at.format("%-d %b %Y %H:%M"),
        findings.last_event_at.format("%-d %b %Y %H:%M"),
        amount(findings),
    ));
    if incident.parts.is_empty() {
        return;
    }
    page.line("Other incidents are part of this one; their clocks run here:");
    for part in incident.parts.values().take(PARTS_MAX) {
        let findings = &part.findings;
        let severity = findings.severity.level.name();
        let agent = findings.agent.as_str();
        let amount = amount(findings);
        page.item("-", &format!("{} by {agent}, severity {severity}: {amount}.", part.incident_id));
    }
    let more = incident.parts.len().saturating_sub(PARTS_MAX);
    if more > 0 {
        page.item("-", &format!("and {more} more"));
    }
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

pub(crate) fn how_bad(page: &mut Page, findings: &Findings) {
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

pub(crate) fn how_sure(page: &mut Page, incident: &Incident) {
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
