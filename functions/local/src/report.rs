//! What a scan prints.

use std::io::{self, Write};

use assessment::delivery::{DeliveryVerdict, LEARNING_DAYS};
use chrono::{DateTime, SecondsFormat, Utc};
use deadlines::{Obligation, Standing};
use eventlog::{
    audit_trail::{LogTampering, TamperingRow},
    row::Hour,
};
use incident::Incident;
use serde_json::{Value, json};

use crate::scan::{Found, Scan};

/// A page for people: each incident as legal would be told of it, then the summary.
pub(crate) fn text(out: &mut impl Write, scan: &Scan) -> io::Result<()> {
    for Found { incident, news } in &scan.incidents {
        let Some(alert) = news else { continue };
        let context = pipeline::notify::context(&scan.configuration, incident);
        let notice = notices::notice(incident, alert, &context, scan.now);
        writeln!(out, "{}", "=".repeat(76))?;
        writeln!(out, "{}\n", notice.subject)?;
        writeln!(out, "{}", notice.text)?;
    }
    writeln!(out, "{}", "=".repeat(76))?;
    summary(out, scan)
}

fn summary(out: &mut impl Write, scan: &Scan) -> io::Result<()> {
    let agent_rows: u64 = scan.rows_by_agent.values().sum();
    writeln!(
        out,
        "{} in {}",
        counted(count(scan.incidents.len()), "incident"),
        counted(scan.file_count, "file")
    )?;
    writeln!(out, "Rows read: {}, of which {agent_rows} by agents", scan.rows)?;
    for (agent, rows) in &scan.rows_by_agent {
        writeln!(out, "  {agent}: {rows}")?;
    }
    writeln!(out, "Rows that could not be decided:{}", none_if(scan.undecided.is_empty()))?;
    for (reason, rows) in &scan.undecided {
        writeln!(out, "  {}: {rows}", name(reason))?;
    }
    writeln!(out, "Not understood in the logs:{}", none_if(scan.log_gaps.is_empty()))?;
    for (gap, rows) in &scan.log_gaps {
        writeln!(out, "  {gap}: {}", counted(*rows, "row"))?;
    }
    writeln!(out, "Rows that could not be read:{}", none_if(scan.quarantined.is_empty()))?;
    for (reason, rows) in &scan.quarantined {
        writeln!(out, "  {reason}: {rows}")?;
    }
    delivery(out, scan)?;
    tampering(out, scan)?;
    if !scan.ignored.is_empty() {
        writeln!(out, "Files passed over:")?;
        for (file, reason) in &scan.ignored {
            writeln!(out, "  {file}: {reason}")?;
        }
    }
    if !scan.unread.is_empty() {
        writeln!(out, "Files that could not be read:")?;
        for (file, reason) in &scan.unread {
            writeln!(out, "  {file}: {reason}")?;
        }
    }
    Ok(())
}

/// Which hours of which types came: a line for each, and what is missing where that can be known.
fn delivery(out: &mut impl Write, scan: &Scan) -> io::Result<()> {
    for (org_id, org) in &scan.delivery {
        let hours = |hour: Option<Hour>| hour.map_or_else(|| "?".to_owned(), Hour::key);
        let (first, last) = (hours(org.any_type.first_hour), hours(org.any_type.last_hour));
        writeln!(out, "Hours of logs from {org_id}, {first} to {last}:")?;
        for (event_type, delivery) in &org.types {
            write!(out, "  {}: {}", event_type.name(), delivery.hour_count)?;
            if let Some(since) = delivery.missing_hours.first() {
                let missing = delivery.missing_hour_count;
                write!(out, "; {missing} missing against its habit, from {}", since.key())?;
            }
            writeln!(out)?;
        }
        if matches!(org.any_type.verdict, DeliveryVerdict::Learning { .. }) {
            let days = LEARNING_DAYS;
            writeln!(out, "  Less than {days} days: too few to know what is missing")?;
        }
    }
    Ok(())
}

/// What was done to the logs themselves, as far as an export of Setup Audit Trail is among the files.
fn tampering(out: &mut impl Write, scan: &Scan) -> io::Result<()> {
    if scan.tampering.is_empty() {
        return Ok(());
    }
    writeln!(out, "Done to the logs themselves, by Setup Audit Trail:")?;
    for row in &scan.tampering {
        let what = match row.kind {
            LogTampering::Deletion => "log files deleted, or their deletion allowed",
            LogTampering::GenerationStopped => "the making of log files turned off",
        };
        let who = row.user_id.as_deref().unwrap_or("a user who is not named");
        writeln!(out, "  {}, {}: {what}, by {who}", row.org_id, instant(row.at))?;
    }
    Ok(())
}

fn none_if(is_empty: bool) -> &'static str {
    if is_empty { " none" } else { "" }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The name that an enum has in JSON.
fn name(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name.replace('_', " "),
        _ => "unnamed".to_owned(),
    }
}

/// One object a line, by `docs/scan.schema.json`.
pub(crate) fn json(out: &mut impl Write, scan: &Scan) -> io::Result<()> {
    for Found { incident, .. } in &scan.incidents {
        writeln!(out, "{}", incident_line(incident, scan.now))?;
    }
    writeln!(out, "{}", summary_line(scan))
}

fn incident_line(incident: &Incident, now: DateTime<Utc>) -> Value {
    let findings = &incident.findings;
    let signals: Vec<Value> = findings
        .signals
        .iter()
        .map(|signal| {
            json!({
                "rule": signal.rule,
                "weight": signal.weight,
                "reason": signal.reason,
                "objects": signal.objects,
                "rows": signal.row_count,
                "records": signal.record_count,
                "first_at": instant(signal.first_at),
                "last_at": instant(signal.last_at),
                "evidence": signal.evidence,
            })
        })
        .collect();
    let objects: Vec<Value> = findings
        .exposures
        .iter()
        .map(|(object, exposure)| {
            json!({
                "object": object,
                "category": exposure.category,
                "rows": exposure.row_count,
                "records": exposure.record_count,
                "record_ids_seen": exposure.record_ids.len(),
                "fields": exposure.fields,
            })
        })
        .collect();
    let obligations: Vec<Value> =
        incident.obligations.iter().map(|duty| obligation(duty, now)).collect();
    json!({
        "kind": "incident",
        "incident_id": incident.incident_id,
        "org_id": incident.org_id,
        "agent": incident.agent,
        "first_event_at": instant(findings.first_event_at),
        "last_event_at": instant(findings.last_event_at),
        "severity": findings.severity.level,
        "risk": findings.severity.risk,
        "severity_arithmetic": findings.severity.arithmetic,
        "score": findings.score,
        "scoring_version": findings.scoring_version,
        "signals": signals,
        "objects": objects,
        "rows": findings.row_count,
        "records": findings.record_count,
        "subject_estimate": findings.subject_estimate,
        "obligations": obligations,
        "ruled_out": incident.ruled_out,
        "law_version": incident.law_version,
    })
}

fn obligation(duty: &Obligation, now: DateTime<Utc>) -> Value {
    let coming_from = match duty.standing {
        Standing::Coming { from } => from,
        _ => None,
    };
    json!({
        "regime": duty.regime_id,
        "jurisdiction": duty.jurisdiction,
        "article": duty.article,
        "title": duty.title,
        "who_is_told": duty.who_is_told,
        "standing": duty.standing.name(),
        "unknown_facts": duty.standing.unknown_facts(),
        "coming_from": coming_from,
        "voluntary": duty.voluntary,
        "starts_at": duty.starts_at,
        "started_at": duty.started_at.map(instant),
        "start_assumed": duty.start_assumed,
        "question": duty.gap,
        "due_at": duty.due_at.map(instant),
        "latest_defensible_at": duty.latest_defensible_at.map(instant),
        "target_at": duty.target.and_then(|target| target.at).map(instant),
        "remaining_minutes": duty.watched_at().map(|at| (at - now).num_minutes()),
        "verified": duty.verified,
    })
}

fn summary_line(scan: &Scan) -> Value {
    let files = |list: &[(String, String)]| -> Vec<Value> {
        list.iter().map(|(file, reason)| json!({ "file": file, "reason": reason })).collect()
    };
    json!({
        "kind": "summary",
        "as_of": instant(scan.now),
        "incidents": scan.incidents.len(),
        "files": scan.file_count,
        "rows": scan.rows,
        "rows_by_event_type": scan.rows_by_event_type,
        "rows_by_agent": scan.rows_by_agent,
        "verdicts": scan.verdicts,
        "undecided": scan.undecided,
        "log_gaps": scan.log_gaps,
        "quarantined": scan.quarantined,
        "delivery": delivery_lines(scan),
        "log_tampering": tampering_lines(scan),
        "files_ignored": files(&scan.ignored),
        "files_unread": files(&scan.unread),
    })
}

fn delivery_lines(scan: &Scan) -> Vec<Value> {
    let mut lines = Vec::new();
    for (org_id, org) in &scan.delivery {
        for (event_type, delivery) in &org.types {
            let hour = |hour: Hour| instant(hour.start());
            lines.push(json!({
                "org_id": org_id,
                "event_type": event_type.name(),
                "verdict": delivery.verdict.name(),
                "hours": delivery.hour_count,
                "first_hour": delivery.first_hour.map(hour),
                "last_hour": delivery.last_hour.map(hour),
                "habit_hours_per_week": delivery.habit_hours_per_week,
                "missing_hours": delivery.missing_hour_count,
                "missing_since": delivery.missing_hours.first().copied().map(hour),
            }));
        }
    }
    lines
}

fn tampering_lines(scan: &Scan) -> Vec<Value> {
    let line = |row: &TamperingRow| {
        json!({
            "org_id": row.org_id,
            "kind": row.kind.name(),
            "at": instant(row.at),
            "user_id": row.user_id,
            "row_hash": row.row_hash,
        })
    };
    scan.tampering.iter().map(line).collect()
}

pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
