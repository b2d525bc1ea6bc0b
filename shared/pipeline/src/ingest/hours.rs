//! An hour of one org and event type is brought up to date.

use std::{collections::BTreeMap, io, sync::Arc};

use chrono::{DateTime, Utc};
use eventlog::{
    attribution::{AgentDirectory, AgentKey},
    extract::{ExtractError, ExtractKey, ExtractReader, merge_unique},
    tally::{AgentHour, Tally},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use ports::{AgentHourRecord, HourRecord, ObjectStore, PortError, Ports, Written, keys};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::{IngestSettings, reading::Body};
use crate::{DECISION_ATTEMPTS, PipelineError, Result, configuration};

/// Brings one hour up to date: the tallies of every agent, from the union of all its extracts.
///
/// The configuration is read for each hour anew: a long file must not give an hour back to an older one. Where
/// another writer covers more extracts or a later configuration, the hour is looked at afresh.
pub(super) async fn tally_hour(
    ports: &Ports,
    settings: &IngestSettings,
    hour: &ExtractKey,
    read_at: DateTime<Utc>,
) -> Result<()> {
    let mut sums = None;
    for _ in 0..DECISION_ATTEMPTS {
        if let Written::Yes = write_hour(ports, settings, hour, read_at, &mut sums).await? {
            return Ok(());
        }
    }
    Err(PipelineError::Contended {
        what: format!("the hour {} {}", hour.event_type.name(), hour.hour.key()),
        attempts: DECISION_ATTEMPTS,
    })
}

/// What the extracts of an hour add up to by a configuration: the same for whoever adds the same.
struct Sums {
    members: Vec<String>,
    configuration_version: u64,
    agent_hours: BTreeMap<AgentKey, AgentHour>,
}

async fn write_hour(
    ports: &Ports,
    settings: &IngestSettings,
    hour: &ExtractKey,
    read_at: DateTime<Utc>,
    sums: &mut Option<Sums>,
) -> Result<Written> {
    let ExtractKey { org_id, event_type, hour: at } = hour;
    let stored = configuration(ports).await?;
    let prefix = keys::extract_prefix(org_id, *event_type, *at);
    let members = ports.objects.list(&settings.records_bucket, &prefix).await?;
    let before = ports.access.hour(org_id, *event_type, *at).await?;
    let mut mark = HourRecord {
        org_id: org_id.clone(),
        event_type: *event_type,
        hour: *at,
        member_count: u64::try_from(members.len()).unwrap_or(u64::MAX),
        configuration_version: stored.version,
        agents: before.as_ref().map(|mark| mark.agents.clone()).unwrap_or_default(),
        is_complete: false,
        landed_at: before.as_ref().map_or(read_at, |mark| mark.landed_at.min(read_at)),
    };
    let read = before.as_ref().map(HourRecord::coverage);
    if before.is_some_and(|before| before.is_complete && before.coverage().covers(mark.coverage()))
    {
        return Ok(Written::Yes);
    }
    let is_added_up = sums.as_ref().is_some_and(|sums| {
        sums.members == members && sums.configuration_version == stored.version
    });
    if !is_added_up {
        let directory = Arc::new(stored.configuration.directory());
        let agent_hours = add_up(ports, settings, hour, &members, directory).await?;
        let configuration_version = stored.version;
        *sums = Some(Sums { members, configuration_version, agent_hours });
    }
    let mut agent_hours = sums.as_ref().map(|sums| sums.agent_hours.clone()).unwrap_or_default();
    // Every agent is in the mark before its hour is written, so that none is forgotten when this is cut off.
    mark.agents.extend(agent_hours.keys().cloned());
    if ports.access.put_hour(&mark, read).await? == Written::Superseded {
        return Ok(Written::Superseded);
    }
    // An agent that had rows by an earlier configuration and has none by this one is written as empty.
    for agent in &mark.agents {
        let empty = || AgentHour {
            org_id: org_id.clone(),
            agent: agent.clone(),
            event_type: *event_type,
            hour: *at,
            lines: Vec::new(),
        };
        agent_hours.entry(agent.clone()).or_insert_with(empty);
    }
    for agent_hour in agent_hours.into_values() {
        let record = AgentHourRecord {
            agent_hour,
            member_count: mark.member_count,
            configuration_version: mark.configuration_version,
            landed_at: mark.landed_at,
        };
        if ports.access.put_agent_hour(&record).await? == Written::Superseded {
            return Ok(Written::Superseded);
        }
    }
    mark.is_complete = true;
    Ok(ports.access.put_hour(&mark, Some(mark.coverage())).await?)
}

/// Bytes of extracts that are held while they are added up, as they are stored; beyond 2,048 extracts, more by 16 KiB
/// each.
const HELD_BYTES: u64 = 32 << 20;

/// Pieces that are fetched at a time when an hour is begun.
const PIECES_AT_ONCE: usize = 16;

/// How much of an extract is fetched at a time: all of it, as a rule.
fn piece_bytes(member_count: usize) -> u64 {
    let of_each = HELD_BYTES / u64::try_from(member_count.max(1)).unwrap_or(u64::MAX);
    of_each.clamp(16 << 10, 4 << 20)
}

/// Fetches a piece of an extract, and tells where the next one starts.
async fn piece(
    objects: &dyn ObjectStore,
    (bucket, member): (&str, &str),
    from: u64,
    piece_bytes: u64,
) -> ports::Result<(io::Cursor<Vec<u8>>, Option<u64>)> {
    let until = from.saturating_add(piece_bytes);
    let mut body = objects.open_range(bucket, member, None, from..until).await?.body;
    let mut bytes = Vec::new();
    body.read_to_end(&mut bytes).await.map_err(|error| PortError::Unavailable {
        call: "reading an extract",
        reason: error.to_string(),
    })?;
    let is_last = u64::try_from(bytes.len()).is_ok_and(|length| length < piece_bytes);
    Ok((io::Cursor::new(bytes), (!is_last).then_some(until)))
}

/// An extract, fetched piece by piece. Between two pieces nothing is open: an hour can have more extracts than a
/// process may have connections.
async fn in_pieces(
    objects: Arc<dyn ObjectStore>,
    bucket: String,
    member: String,
    piece_bytes: u64,
) -> ports::Result<Body> {
    let (first, next) = piece(&*objects, (&bucket, &member), 0, piece_bytes).await?;
    let rest = stream::try_unfold(next, move |next| {
        let (objects, bucket, member) = (objects.clone(), bucket.clone(), member.clone());
        async move {
            let Some(from) = next else { return Ok(None) };
            let fetched = piece(&*objects, (&bucket, &member), from, piece_bytes).await;
            fetched.map(Some).map_err(io::Error::other)
        }
    });
    Ok(Box::pin(first.chain(StreamReader::new(Box::pin(rest)))))
}

/// Adds up the union of the extracts, in a thread of its own. Memory is a piece and a row of each extract, and the
/// tallies.
async fn add_up(
    ports: &Ports,
    settings: &IngestSettings,
    hour: &ExtractKey,
    members: &[String],
    directory: Arc<AgentDirectory>,
) -> Result<BTreeMap<AgentKey, AgentHour>> {
    let piece_bytes = piece_bytes(members.len());
    let bodies: Vec<Body> = stream::iter(members.to_vec())
        .map(|member| {
            in_pieces(ports.objects.clone(), settings.records_bucket.clone(), member, piece_bytes)
        })
        .buffered(PIECES_AT_ONCE)
        .try_collect()
        .await?;
    let ExtractKey { org_id, event_type, hour: at } = hour.clone();
    let adding = tokio::task::spawn_blocking(move || {
        let mut tally = Tally::new(org_id, event_type, at);
        let sources = bodies.into_iter().map(|body| ExtractReader::new(SyncIoBridge::new(body)));
        for row in merge_unique(sources) {
            let row = row?;
            tally.add(&row, &directory.attribute_row(&row));
        }
        Ok::<_, ExtractError>(tally.finish())
    });
    adding.await?.map_err(|error| {
        let what = format!("an extract of {} {}", hour.event_type.name(), hour.hour.key());
        let reason = format!("{what}: {error}");
        match error {
            ExtractError::Unreadable(cause) if cause.kind() == io::ErrorKind::Other => {
                PortError::Unavailable { call: "reading an extract", reason }.into()
            }
            _ => PortError::Unreadable { what, reason: error.to_string() }.into(),
        }
    })
}
