//! A changed hour becomes a judged day, and judged days an incident.

use assessment::{configuration::OrgKind, findings::Findings, fold, judge_day};
use chrono::{DateTime, NaiveDate, Utc};
use eventlog::{attribution::AgentKey, tally::AgentHour};
use incident::{Change, Incident, IncidentId};
use ports::{Committed, DayRecord, Ports, Written};

use crate::{DECISION_ATTEMPTS, PipelineError, Result, configuration, policy};

const ACTOR: &str = "assess";

/// Incidents are counted from 1 within an org and an agent; until incidents can be closed there is one.
const EPISODE: u32 = 1;

/// What became of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assessed {
    /// Nothing that makes an incident, or nothing new.
    Unchanged,
    /// An incident was opened.
    Opened(IncidentId),
    /// New evidence joined the open incident.
    Extended(IncidentId),
}

/// Judges one agent's day afresh from its tallies, and opens or extends the incident.
///
/// Safe to run at any time, any number of times and at once: the judgement is a pure function of the tallies,
/// written only over one that covers no more, and the incident is committed on the version that was read
/// before the days were.
pub async fn assess_day(
    ports: &Ports,
    org_id: &str,
    agent: &AgentKey,
    day: NaiveDate,
) -> Result<Assessed> {
    for _ in 0..DECISION_ATTEMPTS {
        let stored = configuration(ports).await?;
        let records = ports.access.agent_day(org_id, agent, day).await?;
        let landed_at = records.iter().map(|record| record.landed_at).min();
        let member_count = records.iter().map(|record| record.member_count).sum();
        let hours: Vec<AgentHour> = records.into_iter().map(|record| record.agent_hour).collect();
        let findings = judge_day(&stored.configuration, org_id, agent, day, &hours);
        let signal_count = findings.signals.len();
        let judged = DayRecord {
            findings,
            member_count,
            configuration_version: stored.version,
            judged_at: ports.clock.now(),
        };
        // Refused where another judgement rests on more, or on a later configuration: look afresh.
        if ports.access.put_day(&judged).await? == Written::Yes {
            tracing::info!(org_id, agent = agent.as_str(), %day, signal_count, "judged a day");
            return decide(ports, org_id, agent, landed_at).await;
        }
    }
    let what = format!("the day {day} of agent {}", agent.as_str());
    Err(PipelineError::Contended { what, attempts: DECISION_ATTEMPTS })
}

async fn decide(
    ports: &Ports,
    org_id: &str,
    agent: &AgentKey,
    landed_at: Option<DateTime<Utc>>,
) -> Result<Assessed> {
    let incident_id = IncidentId::derive(org_id, agent, EPISODE);
    for _ in 0..DECISION_ATTEMPTS {
        // The incident is read before the days: if a day changes in between, whoever changed it commits too,
        // and this commit then meets another version.
        let before = ports.incidents.incident(&incident_id).await?;
        let stored = configuration(ports).await?;
        let configuration = &stored.configuration;
        let org = configuration.org(org_id);
        if org.is_some_and(|org| org.kind == OrgKind::Sandbox) {
            return Ok(Assessed::Unchanged);
        }
        let policy = policy(configuration)?;
        let days = ports.access.days(org_id, agent).await?;
        let days: Vec<_> = days.into_iter().map(|record| record.findings).collect();
        let Some(findings) = fold(&days, configuration) else {
            return Ok(Assessed::Unchanged);
        };
        let now = ports.clock.now();
        let Some((change, assessed)) =
            change(before.as_ref(), findings, landed_at, now, &policy, &incident_id)
        else {
            return Ok(Assessed::Unchanged);
        };
        if ports.incidents.commit(&change).await? == Committed::Yes {
            let findings = &change.incident.findings;
            tracing::info!(
                %incident_id,
                org_id,
                agent = agent.as_str(),
                severity = findings.severity.level.name(),
                score = findings.score,
                row_count = findings.row_count,
                opened = before.is_none(),
                "committed an incident"
            );
            return Ok(assessed);
        }
    }
    let what = format!("incident {incident_id}");
    Err(PipelineError::Contended { what, attempts: DECISION_ATTEMPTS })
}

fn change(
    before: Option<&Incident>,
    findings: Findings,
    landed_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    policy: &incident::Policy,
    incident_id: &IncidentId,
) -> Option<(Change, Assessed)> {
    match before {
        Some(incident) => incident
            .extend(findings, now, policy, ACTOR)
            .map(|change| (change, Assessed::Extended(incident_id.clone()))),
        None if findings.opens_incident() => Some((
            Incident::open(findings, EPISODE, landed_at, now, policy, ACTOR),
            Assessed::Opened(incident_id.clone()),
        )),
        None => None,
    }
}
