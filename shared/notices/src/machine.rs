//! The body for machines.

use chrono::{DateTime, SecondsFormat, Utc};
use deadlines::{Obligation, Stage};
use incident::{Alert, Clock, ClockKind, Incident};
use serde_json::{Value, json};

use crate::{Context, worst_objects};

/// Most bytes of a body. Amazon SNS takes 256 KiB with the text for people, and the quotes of the body count twice.
pub(crate) const BODY_BYTES_MAX: usize = 96 * 1024;
/// How many entries of a list a body holds at most; where it is too long still, fewer.
const LISTED_MAX: [usize; 6] = [40, 20, 10, 5, 2, 0];
/// Most authorities of one duty: a country has up to 18.
const AUTHORITIES_MAX: usize = 20;

/// `{type, timestamp, data}`; thin enough for any receiver, complete enough to open a ticket from.
pub(crate) fn body(
    incident: &Incident,
    alert: &Alert,
    regimes: &[String],
    context: &Context,
    now: DateTime<Utc>,
) -> Value {
    bounded(|max| {
        let data = data(incident, alert, regimes, context, now, max);
        json!({ "type": type_of(alert.stage), "timestamp": instant(now), "data": data })
    })
}

/// The longest form that fits.
pub(crate) fn bounded(body: impl Fn(usize) -> Value) -> Value {
    let mut forms = LISTED_MAX.into_iter().map(body);
    let fits = |form: &Value| form.to_string().len() <= BODY_BYTES_MAX;
    let mut last = Value::Null;
    for form in &mut forms {
        last = form;
        if fits(&last) {
            break;
        }
    }
    last
}

const fn type_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Opened => "incident.opened",
        Stage::Worsened => "incident.worsened",
        Stage::Reopened => "incident.reopened",
        Stage::DutiesChanged => "incident.duties-changed",
        Stage::RemainingShare { .. } | Stage::RemainingTime { .. } => "incident.reminder",
        Stage::Overdue => "incident.overdue",
    }
}

fn data(
    incident: &Incident,
    alert: &Alert,
    regimes: &[String],
    context: &Context,
    now: DateTime<Utc>,
    max: usize,
) -> Value {
    let findings = &incident.findings;
    let running = incident.running();
    let not_started = incident.not_started();
    let signals: Vec<Value> = findings
        .signals
        .iter()
        .map(|signal| {
            json!({ "rule": signal.rule, "weight": signal.weight, "reason": signal.reason })
        })
        .collect();
    let (worst, more_objects) = worst_objects(findings);
    let objects: Vec<Value> = worst
        .iter()
        .take(max)
        .map(|(object, exposure)| {
            json!({
                "object": object,
                "category": exposure.category,
                "rows": exposure.row_count,
                "records": exposure.record_count,
            })
        })
        .collect();
    let more_objects = more_objects.saturating_add(worst.len().saturating_sub(max));
    let listed: Vec<Value> =
        running.iter().take(max).map(|duty| obligation(duty, incident, now)).collect();
    let waiting: Vec<Value> =
        not_started.iter().take(max).map(|duty| not_started_of(duty)).collect();
    let parts: Vec<Value> = incident
        .parts
        .values()
        .take(max)
        .map(|part| {
            json!({ "incident_id": part.incident_id, "severity": part.findings.severity.level })
        })
        .collect();
    json!({
        "alert_id": alert.alert_id,
        "stage": alert.stage.name(),
        "clock": alert.clock.map(clock),
        "regimes": regimes,
        "repetition": alert.repetition,
        "incident_id": incident.incident_id,
        "revision": incident.revision,
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
        "aware_at": incident.times.aware.map(|aware| instant(aware.at)),
        "aware_assumed": incident.times.aware.is_some_and(|aware| aware.assumed),
        "risk": incident.risk.as_ref().map(|risk| risk.value),
        "acknowledged_at": incident.acknowledged_at.map(instant),
        "parts": parts,
        "more_parts": incident.parts.len().saturating_sub(max),
        "obligations": listed,
        "more_obligations": running.len().saturating_sub(max),
        "not_started": waiting,
        "more_not_started": not_started.len().saturating_sub(max),
        "scoring_version": findings.scoring_version,
        "law_version": incident.law_version,
    })
}

fn clock(clock: Clock) -> Value {
    json!({
        "ends_at": instant(clock.ends_at),
        "kind": match clock.kind {
            ClockKind::Limit => "limit",
            ClockKind::Target => "target",
        },
        "possible": clock.is_possible,
    })
}

fn obligation(duty: &Obligation, incident: &Incident, now: DateTime<Utc>) -> Value {
    let due_local = duty.due_local.map(|local| {
        json!({
            "organisation": local.organisation.to_rfc3339(),
            "organisation_zone": local.organisation_zone,
            "authority": local.authority.map(|at| at.to_rfc3339()),
            "authority_zone": local.authority_zone,
        })
    });
    let authorities: Vec<Value> = duty
        .authorities
        .iter()
        .take(AUTHORITIES_MAX)
        .map(|authority| {
            json!({
                "country": authority.country,
                "region": authority.region,
                "name": authority.name,
                "english_name": authority.english_name,
            })
        })
        .collect();
    let target = duty.target.map(|target| {
        json!({ "at": target.at.map(instant), "hours": target.hours, "basis": target.basis })
    });
    json!({
        "regime": duty.regime_id,
        "jurisdiction": duty.jurisdiction,
        "article": duty.article,
        "title": duty.title,
        "who_notifies": duty.who_notifies,
        "who_is_told": duty.who_is_told,
        "authorities": authorities,
        "more_authorities": duty.authorities.len().saturating_sub(AUTHORITIES_MAX),
        "authority_depends_on": duty.authority_depends_on,
        "standing": duty.standing.name(),
        "unknown_facts": duty.standing.unknown_facts(),
        "started_at": duty.started_at.map(instant),
        "starts_at": duty.starts_at,
        "start_assumed": duty.start_assumed,
        "due_at": duty.due_at.map(instant),
        "due_local": due_local,
        "latest_defensible_at": duty.latest_defensible_at.map(instant),
        "target": target,
        "remaining_minutes": duty.watched_at().map(|at| (at - now).num_minutes()),
        "overdue": incident.overdue_since.contains_key(&duty.regime_id),
        "verified": duty.verified,
        "law_version": duty.law_version,
    })
}

fn not_started_of(duty: &Obligation) -> Value {
    json!({
        "regime": duty.regime_id,
        "article": duty.article,
        "title": duty.title,
        "standing": duty.standing.name(),
        "unknown_facts": duty.standing.unknown_facts(),
        "starts_at": duty.starts_at,
        "question": duty.gap,
        "verified": duty.verified,
    })
}

pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
