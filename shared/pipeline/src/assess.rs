//! A changed hour becomes a judged day, and judged days an incident.

use assessment::{
    configuration::OrgKind,
    findings::{DayFindings, Findings},
    fold, judge_day,
};
use chrono::{DateTime, NaiveDate, Utc};
use eventlog::{attribution::AgentKey, tally::AgentHour};
use incident::{Case, Deciding, Incident, IncidentId, Opening};
use ports::{Committed, DayRecord, Ports, Written};

use crate::{DECISION_ATTEMPTS, PipelineError, Result, cases::case, configuration, policy::policy};

const ACTOR: &str = "assess";

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
            return decide(ports, org_id, agent, day, landed_at).await;
        }
    }
    let what = format!("the day {day} of agent {}", agent.as_str());
    Err(PipelineError::Contended { what, attempts: DECISION_ATTEMPTS })
}

/// Opens the first incident of an agent in an org, or extends those that the day is part of.
async fn decide(
    ports: &Ports,
    org_id: &str,
    agent: &AgentKey,
    day: NaiveDate,
    landed_at: Option<DateTime<Utc>>,
) -> Result<Assessed> {
    let stored = configuration(ports).await?;
    let org = stored.configuration.org(org_id);
    if org.is_some_and(|org| org.kind == OrgKind::Sandbox) {
        return Ok(Assessed::Unchanged);
    }
    let episodes = episodes(ports, org_id, agent).await?;
    if episodes.is_empty() {
        return decide_on(ports, &IncidentId::derive(org_id, agent, 1), (org_id, agent), landed_at)
            .await;
    }
    let mut assessed = Assessed::Unchanged;
    // One at most, but while a split is being written.
    for incident in episodes.iter().filter(|incident| incident.covers(day)) {
        let id = &incident.incident_id;
        match decide_on(ports, id, (org_id, agent), landed_at).await? {
            Assessed::Unchanged => {}
            changed => assessed = changed,
        }
        tell_the_whole(ports, id).await?;
    }
    Ok(assessed)
}

async fn decide_on(
    ports: &Ports,
    incident_id: &IncidentId,
    (org_id, agent): (&str, &AgentKey),
    landed_at: Option<DateTime<Utc>>,
) -> Result<Assessed> {
    for _ in 0..DECISION_ATTEMPTS {
        // The incident is read before the days: if a day changes in between, whoever changed it commits too,
        // and this commit then meets another version.
        let before = case(ports, incident_id).await?;
        let stored = configuration(ports).await?;
        let configuration = &stored.configuration;
        let policy = policy(configuration, org_id)?;
        let mut days = days_of(ports, org_id, agent).await?;
        if let Some(case) = &before {
            days.retain(|day| case.incident.covers(day.day));
        }
        let Some(findings) = fold(&days, configuration) else {
            return Ok(Assessed::Unchanged);
        };
        let by = Deciding { now: ports.clock.now(), actor: ACTOR, policy: &policy };
        let change = match &before {
            Some(case) => case.extend(findings, by),
            None => open(findings, landed_at, by),
        };
        let Some(change) = change else {
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
            let incident_id = incident_id.clone();
            return Ok(match before {
                Some(_) => Assessed::Extended(incident_id),
                None => Assessed::Opened(incident_id),
            });
        }
    }
    let what = format!("incident {incident_id}");
    Err(PipelineError::Contended { what, attempts: DECISION_ATTEMPTS })
}

fn open(
    findings: Findings,
    landed_at: Option<DateTime<Utc>>,
    by: Deciding<'_>,
) -> Option<incident::Change> {
    if !findings.opens_incident() {
        return None;
    }
    Case::open(Opening { findings, episode: 1, landed_at }, by)
}

/// An incident that is part of another one has its clocks there, so what it has come to is told there. Whoever was cut
/// off before that comes again, and finds the difference.
async fn tell_the_whole(ports: &Ports, incident_id: &IncidentId) -> Result<()> {
    let Some(part) = case(ports, incident_id).await? else {
        return Ok(());
    };
    let Some(whole_id) = &part.incident.merged_into else {
        return Ok(());
    };
    let decision = |whole: &Case, by: Deciding<'_>| whole.extend_part(part.as_part(), by);
    crate::cases::decide(ports, whole_id, ACTOR, decision).await?;
    Ok(())
}

/// The incidents of an agent in an org, in the order of their episodes, which are counted from 1 without a gap.
pub(crate) async fn episodes(
    ports: &Ports,
    org_id: &str,
    agent: &AgentKey,
) -> Result<Vec<Incident>> {
    let mut episodes = Vec::new();
    for episode in 1_u32.. {
        let incident_id = IncidentId::derive(org_id, agent, episode);
        match ports.incidents.incident(&incident_id).await? {
            Some(incident) => episodes.push(incident),
            None => break,
        }
    }
    Ok(episodes)
}

/// The judged days of an agent in an org.
pub(crate) async fn days_of(
    ports: &Ports,
    org_id: &str,
    agent: &AgentKey,
) -> Result<Vec<DayFindings>> {
    let days = ports.access.days(org_id, agent).await?;
    Ok(days.into_iter().map(|record| record.findings).collect())
}
