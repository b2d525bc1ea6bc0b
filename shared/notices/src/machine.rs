//! The body for machines.

use chrono::{DateTime, SecondsFormat, Utc};
use incident::{Alert, Incident};
use serde_json::{Value, json};

use crate::{Context, worst_objects};

/// `{type, timestamp, data}`; thin enough for any receiver, complete enough to open a ticket from.
pub(crate) fn body(
    incident: &Incident,
    alert: &Alert,
    context: &Context,
    now: DateTime<Utc>,
) -> Value {
    let findings = &incident.findings;
    let obligations: Vec<Value> = incident
        .obligations
        .iter()
        .filter(|obligation| obligation.is_open())
        .map(|obligation| {
            json!({
                "regime": obligation.regime_id,
                "article": obligation.article,
                "title": obligation.title,
                "who_notifies": obligation.who_notifies,
                "who_is_told": obligation.who_is_told,
                "standing": obligation.standing.name(),
                "unknown_facts": obligation.standing.unknown_facts(),
                "because": obligation.standing.because(),
                "started_at": obligation.started_at.map(instant),
                "start_assumed": obligation.start_assumed,
                "due_at": obligation.due_at.map(instant),
                "remaining_minutes": obligation.due_at.map(|due_at| (due_at - now).num_minutes()),
                "overdue": incident.overdue_since.contains_key(&obligation.regime_id),
                "law_version": obligation.law_version,
            })
        })
        .collect();
    let signals: Vec<Value> = findings
        .signals
        .iter()
        .map(|signal| {
            json!({ "rule": signal.rule, "weight": signal.weight, "reason": signal.reason })
        })
        .collect();
    let (worst, more_objects) = worst_objects(findings);
    let objects: Vec<Value> = worst
        .into_iter()
        .map(|(object, exposure)| {
            json!({
                "object": object,
                "category": exposure.category,
                "rows": exposure.row_count,
                "records": exposure.record_count,
            })
        })
        .collect();
    json!({
        "type": format!("incident.{}", alert.stage.name()),
        "timestamp": instant(now),
        "data": {
            "alert_id": alert.alert_id,
            "incident_id": incident.incident_id,
            "regime": alert.regime_id,
            "environment": context.environment,
            "organisation": context.organisation,
            "org_id": incident.org_id,
            "agent": incident.agent,
            "status": incident.status,
            "severity": findings.severity,
            "score": findings.score,
            "signals": signals,
            "objects": objects,
            "more_objects": more_objects,
            "rows": findings.row_count,
            "records": findings.record_count,
            "subject_estimate": findings.subject_estimate,
            "first_event_at": instant(findings.first_event_at),
            "last_event_at": instant(findings.last_event_at),
            "detected_at": incident.times.detected.map(instant),
            "obligations": obligations,
            "scoring_version": findings.scoring_version,
        },
    })
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
