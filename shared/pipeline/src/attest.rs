//! Once a day: the ends of all timelines are put away where nobody can change them, and legal hears how many clocks run.

use chrono::{DateTime, NaiveDate, Utc};
use incident::{IncidentId, TimelineHead};
use ports::{Ports, Which};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;

use crate::Result;

/// What the names of the objects start with.
pub const PREFIX: &str = "heads/";

/// The ends of all timelines on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heads {
    /// The UTC day.
    pub day: NaiveDate,
    /// When they were read.
    pub at: DateTime<Utc>,
    /// In the order of the incidents' names.
    pub heads: Vec<HeadOf>,
}

/// The end of one timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadOf {
    /// The incident.
    pub incident_id: IncidentId,
    /// Its end.
    #[serde(flatten)]
    pub head: TimelineHead,
}

/// Puts the heads of the day away. Answers with how many. Putting them away again on the same day adds a version of the
/// object; the earlier one stays.
pub async fn put_heads(ports: &Ports, bucket: &str) -> Result<u64> {
    let at = ports.clock.now();
    let mut ids = ports.incidents.list(Which::All).await?;
    ids.sort_unstable();
    let mut heads = Vec::new();
    for incident_id in ids {
        if let Some(incident) = ports.incidents.incident(&incident_id).await? {
            heads.push(HeadOf { incident_id, head: incident.timeline_head });
        }
    }
    let count = u64::try_from(heads.len()).unwrap_or(u64::MAX);
    let day = at.date_naive();
    let body = Heads { day, at, heads };
    let json = serde_json::to_vec(&body).map_err(|error| ports::PortError::Unreadable {
        what: "the heads of the day".to_owned(),
        reason: error.to_string(),
    })?;
    ports.objects.put(bucket, &format!("{PREFIX}{day}.json"), json).await?;
    tracing::info!(%day, count, "put the heads of all timelines away");
    Ok(count)
}

/// Every head that was put away, the oldest first.
pub async fn heads(ports: &Ports, bucket: &str) -> Result<Vec<(IncidentId, TimelineHead)>> {
    let mut heads = Vec::new();
    for key in ports.objects.list(bucket, PREFIX).await? {
        let mut object = ports.objects.open(bucket, &key, None).await?;
        let mut json = Vec::new();
        let unreadable = |reason: String| ports::PortError::Unreadable {
            what: format!("s3://{bucket}/{key}"),
            reason,
        };
        object.body.read_to_end(&mut json).await.map_err(|error| unreadable(error.to_string()))?;
        let of_day: Heads =
            serde_json::from_slice(&json).map_err(|error| unreadable(error.to_string()))?;
        heads.extend(of_day.heads.into_iter().map(|head| (head.incident_id, head.head)));
    }
    Ok(heads)
}
