//! How numbers, times and names are put in a sentence.

use chrono::{DateTime, Utc};
use eventlog::row::{Channel, Operation};

use crate::findings::{Risk, SeverityLevel};

/// `9,312`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len().saturating_mul(2));
    for (index, digit) in digits.chars().enumerate() {
        let remaining = digits.len().saturating_sub(index);
        if index > 0 && remaining.is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 call`, `41 calls`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// `between 09:12 and 10:47 UTC`, with the dates where they differ.
pub(crate) fn between(first: DateTime<Utc>, last: DateTime<Utc>) -> String {
    let minute = |instant: DateTime<Utc>| instant.format("%H:%M").to_string();
    let dated = |instant: DateTime<Utc>| instant.format("%-d %B %Y %H:%M").to_string();
    if first.date_naive() != last.date_naive() {
        return format!("between {} and {} UTC", dated(first), dated(last));
    }
    if minute(first) == minute(last) {
        return format!("at {} UTC", minute(first));
    }
    format!("between {} and {} UTC", minute(first), minute(last))
}

/// `Case, Contact and 3 more`.
pub(crate) fn listed<'name>(names: impl IntoIterator<Item = &'name str>) -> String {
    const SHOWN_MAX: usize = 3;
    let names: Vec<&str> = names.into_iter().collect();
    let (shown, rest) = names.split_at(names.len().min(SHOWN_MAX));
    match (shown, rest) {
        ([], _) => "records of an object that the log does not name".to_owned(),
        (shown, rest) if !rest.is_empty() => {
            format!("{} and {} more", shown.join(", "), rest.len())
        }
        ([first @ .., last], _) if !first.is_empty() => {
            format!("{} and {last}", first.join(", "))
        }
        (shown, _) => shown.join(", "),
    }
}

/// What was done, in the past tense.
pub(crate) fn did(operation: Operation) -> &'static str {
    match operation {
        Operation::Read => "Read",
        Operation::Export => "Exported",
        Operation::Create => "Created",
        Operation::Update => "Changed",
        Operation::Delete => "Deleted",
        Operation::Describe => "Looked up the shape of",
        Operation::Login => "Logged in to",
        Operation::Other => "Accessed",
    }
}

/// The door, as people call it.
pub(crate) fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Rest => "the REST API",
        Channel::ApexRest => "an Apex REST service",
        Channel::Soap => "the SOAP API",
        Channel::Bulk => "the Bulk API",
        Channel::Report => "reports",
        Channel::ReportExport => "report exports",
        Channel::File => "files",
        Channel::Login => "a login",
        Channel::ApiUsage => "the API",
        Channel::Query => "queries",
        Channel::Ui => "the user interface",
        Channel::Analytics => "CRM Analytics",
        Channel::Search => "the search",
        Channel::Callout => "a callout",
        Channel::Automation => "an automation",
        Channel::Database => "a save to the database",
        Channel::Administration => "the administration",
        Channel::Guard => "a check of rights",
        Channel::Agent => "a conversation",
    }
}

/// The level in a sentence.
pub(crate) fn level_name(level: SeverityLevel) -> &'static str {
    match level {
        SeverityLevel::Info => "info",
        SeverityLevel::Low => "low",
        SeverityLevel::Medium => "medium",
        SeverityLevel::High => "high",
        SeverityLevel::Critical => "critical",
    }
}

/// The risk in a sentence: GDPR Art. 33(1) and 34(1).
pub(crate) fn risk_name(risk: Risk) -> &'static str {
    match risk {
        Risk::Unlikely => "a risk is unlikely",
        Risk::Risk => "a risk",
        Risk::HighRisk => "high risk",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(9_312), "9,312");
        assert_eq!(count(1_234_567), "1,234,567");
    }

    #[test]
    fn lists_end_in_and() {
        assert_eq!(listed(["Case"]), "Case");
        assert_eq!(listed(["Case", "Lead"]), "Case and Lead");
        assert_eq!(listed(["A", "B", "C", "D"]), "A, B, C and 1 more");
    }
}
