//! Names in tables and buckets: the one place that knows how they are written and read back.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use eventlog::{
    attribution::AgentKey,
    event_type::EventType,
    joins::{JoinKey, LinkedCaller},
    row::Hour,
};
use incident::IncidentId;
use sha2::{Digest, Sha256};

use crate::Which;

const AGENT: &str = "AGENT#";
const HOUR: &str = "HOUR#";
const DAY: &str = "DAY#";
const INCIDENT: &str = "INCIDENT#";
const ALERT: &str = "ALERT#";
const TIMELINE: &str = "TIMELINE#";
const DELIVERY: &str = "DELIVERY#";
const OPEN: &str = "open";
const DONE: &str = "done";

/// How many partitions the index of alerts that want attention is spread over.
pub const ATTENTION_SHARDS: u32 = 8;

/// Partition of the notes that functions leave for themselves; the name of each is its sort key.
pub const MARKER_PARTITION: &str = "MARKER";

/// Sort key of an incident's own item.
pub const INCIDENT_ITEM: &str = "INCIDENT";
/// What sort keys of alerts start with.
pub const ALERT_PREFIX: &str = ALERT;
/// What sort keys of timeline entries start with.
pub const TIMELINE_PREFIX: &str = TIMELINE;
/// What sort keys of judged days start with.
pub const DAY_PREFIX: &str = DAY;

/// What sort keys of a key's owners start with.
pub const LINK_PREFIX: &str = "LINK#";
/// What sort keys of the files that seek a key start with.
pub const SEEKER_PREFIX: &str = "SEEKER#";
/// What sort keys of the rows that tell of an org's logs themselves start with.
pub const TAMPERING_PREFIX: &str = "TAMPERING#";
/// Sort key of an org's delivery health.
pub const DELIVERY_HEALTH_ITEM: &str = "HEALTH";

/// Attribute of an alert's item that says how far it has come.
pub const ALERT_STATE: &str = "state";
/// Its value while the alert waits for publication.
pub const ALERT_OWED: &str = "owed";

/// Its value while the alert waits for its time.
pub const ALERT_SCHEDULED: &str = "scheduled";

/// Partition of everything about an agent in an org.
pub fn agent_partition(org_id: &str, agent: &AgentKey) -> String {
    format!("{AGENT}{org_id}#{}", agent.as_str())
}

/// Sort key of an agent's hour; sorts by time.
pub fn agent_hour_sort(hour: Hour, event_type: EventType) -> String {
    format!("{HOUR}{}#{}", hour.key(), event_type.name())
}

/// What the sort keys of an agent's hours in a UTC day start with.
pub fn agent_hours_of(day: NaiveDate) -> String {
    format!("{HOUR}{}T", day.format("%Y-%m-%d"))
}

/// Sort key of a judged day.
pub fn day_sort(day: NaiveDate) -> String {
    format!("{DAY}{}", day.format("%Y-%m-%d"))
}

/// Partition of the hours of one event type in one org.
pub fn hour_partition(org_id: &str, event_type: EventType) -> String {
    format!("{HOUR}{org_id}#{}", event_type.name())
}

/// Partition of an org's arrivals, its delivery health, and what was done to its logs.
pub fn delivery_partition(org_id: &str) -> String {
    format!("{DELIVERY}{org_id}")
}

/// Sort key of the arrivals of a day; sorts by time.
pub fn arrivals_sort(day: NaiveDate, event_type: EventType) -> String {
    format!("{}#{}", day_sort(day), event_type.name())
}

/// Sort key of a row that tells of the logs themselves.
pub fn tampering_sort(row_hash: &str) -> String {
    format!("{TAMPERING_PREFIX}{row_hash}")
}

/// What lies between the sort keys of the arrivals of that day and all later ones.
pub fn arrivals_since(day: NaiveDate) -> (String, String) {
    // `~` sorts after every digit.
    (day_sort(day), format!("{DAY}~"))
}

/// Partition of the files read on a day.
pub fn file_partition(read_at: DateTime<Utc>) -> String {
    format!("FILE#{}", read_at.format("%Y-%m-%d"))
}

/// Partition of who owns a key that rows share, and of the files that seek it.
pub fn join_partition(key: &JoinKey) -> String {
    format!("JOIN#{}#{}#{}", key.org_id, key.kind.name(), key.value)
}

/// Sort key of a caller that owns a key; surer ones sort first.
pub fn link_sort(caller: &LinkedCaller) -> String {
    format!("{LINK_PREFIX}{}", caller.sort_key())
}

/// Sort key of a file that seeks a key.
pub fn seeker_sort(source_hash: &str) -> String {
    format!("{SEEKER_PREFIX}{source_hash}")
}

/// Partition of the parts of a file.
pub fn part_partition(source_hash: &str) -> String {
    format!("PARTS#{source_hash}")
}

/// Sort key of a part; sorts by number.
pub fn part_sort(number: u32) -> String {
    format!("PART#{number:08}")
}

/// What sort keys of parts start with.
pub const PART_PREFIX: &str = "PART#";

/// Partition of everything about an incident.
pub fn incident_partition(incident_id: &IncidentId) -> String {
    format!("{INCIDENT}{incident_id}")
}

/// Sort key of an alert.
pub fn alert_sort(alert_id: &str) -> String {
    format!("{ALERT}{alert_id}")
}

/// Sort key of a timeline entry; sorts by sequence.
pub fn timeline_sort(sequence: u64) -> String {
    format!("{TIMELINE}{sequence:08}")
}

/// Partition of the attention index for an incident.
pub fn attention_shard(incident_id: &IncidentId) -> String {
    shard_name(shard_of(incident_id))
}

fn shard_of(incident_id: &IncidentId) -> u32 {
    let sum = incident_id
        .as_str()
        .bytes()
        .fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    sum % ATTENTION_SHARDS
}

/// Name of a partition of the attention index.
pub fn shard_name(shard: u32) -> String {
    format!("attention-{shard}")
}

/// Partition of the same index that lists an incident: the open ones lie apart from the done ones, so that listing them
/// costs what is open.
pub fn listing_shard(incident_id: &IncidentId, is_done: bool) -> String {
    let kind = if is_done { DONE } else { OPEN };
    format!("{kind}-{}", shard_of(incident_id))
}

/// The partitions that list these incidents.
pub fn listing_shards(which: Which) -> impl Iterator<Item = String> {
    let kinds: &[&str] = match which {
        Which::Open => &[OPEN],
        Which::All => &[OPEN, DONE],
    };
    kinds.iter().flat_map(|kind| (0..ATTENTION_SHARDS).map(move |shard| format!("{kind}-{shard}")))
}

/// Name of an alert's schedule. A hash, because a name holds 64 characters and ids of alerts grow with the names of
/// duties.
pub fn schedule_name(alert_id: &str) -> String {
    hex::encode(Sha256::digest(alert_id))
}

/// An instant that sorts as text.
pub fn sortable(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// An agent's day that has to be judged again, as told by the key of a changed item of the access table.
/// `None` for an item that changes no judgement.
pub fn changed_day(partition: &str, sort: &str) -> Option<(String, AgentKey, NaiveDate)> {
    let (org_id, agent) = partition.strip_prefix(AGENT)?.split_once('#')?;
    let (hour, _event_type) = sort.strip_prefix(HOUR)?.split_once('#')?;
    let day = Hour::from_key(hour)?.start().date_naive();
    Some((org_id.to_owned(), AgentKey(agent.to_owned()), day))
}

/// The incident whose own item that is, as told by its key.
pub fn listed_incident(partition: &str, sort: &str) -> Option<IncidentId> {
    let incident_id = partition.strip_prefix(INCIDENT)?;
    (sort == INCIDENT_ITEM).then(|| IncidentId(incident_id.to_owned()))
}

/// The alert that an item of the incident table is, as told by its key.
pub fn changed_alert(partition: &str, sort: &str) -> Option<(IncidentId, String)> {
    let incident_id = partition.strip_prefix(INCIDENT)?;
    let alert_id = sort.strip_prefix(ALERT)?;
    Some((IncidentId(incident_id.to_owned()), alert_id.to_owned()))
}

/// What the names of an hour's extracts start with.
pub fn extract_prefix(org_id: &str, event_type: EventType, hour: Hour) -> String {
    format!("extracts/{org_id}/{}/{}/", event_type.name(), hour.key())
}

/// Name of an extract; `content_hash` makes writing it twice write the same.
pub fn extract_key(org_id: &str, event_type: EventType, hour: Hour, content_hash: &str) -> String {
    format!("{}{content_hash}.jsonl.gz", extract_prefix(org_id, event_type, hour))
}

/// Name of a part of a file's quarantined rows.
pub fn quarantine_key(source_hash: &str, part: u32) -> String {
    format!("quarantine/{source_hash}/part-{part:05}.jsonl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_back_as_they_were_written() {
        let agent = AgentKey("unregistered:app:0H4#odd".to_owned());
        let hour = Hour::from_key("2026-11-24T09").unwrap();
        let partition = agent_partition("00D5g000004Hq3K", &agent);
        let sort = agent_hour_sort(hour, EventType::RestApi);
        let day = hour.start().date_naive();
        assert!(sort.starts_with(&agent_hours_of(day)));
        assert_eq!(
            changed_day(&partition, &sort),
            Some(("00D5g000004Hq3K".to_owned(), agent, day))
        );
        assert_eq!(changed_day(&partition, &day_sort(day)), None);

        let incident_id = IncidentId("BC-0123456789AB".to_owned());
        assert_eq!(
            changed_alert(&incident_partition(&incident_id), &alert_sort("a.b")),
            Some((incident_id.clone(), "a.b".to_owned()))
        );
        assert_eq!(changed_alert(&incident_partition(&incident_id), INCIDENT_ITEM), None);
        let partition = incident_partition(&incident_id);
        assert_eq!(listed_incident(&partition, INCIDENT_ITEM), Some(incident_id));
        assert_eq!(listed_incident(&partition, &alert_sort("a.b")), None);
        assert_eq!(listed_incident(MARKER_PARTITION, INCIDENT_ITEM), None);
    }

    #[test]
    fn an_incident_lies_in_one_shard_of_those_that_list_it() {
        let shards = |which| listing_shards(which).collect::<Vec<_>>();
        for number in 0..100 {
            let incident_id = IncidentId(format!("BC-{number}"));
            let [open, done] = [false, true].map(|is_done| listing_shard(&incident_id, is_done));
            assert!(shards(Which::Open).contains(&open) && !shards(Which::Open).contains(&done));
            assert!(shards(Which::All).contains(&open) && shards(Which::All).contains(&done));
        }
        assert!(shards(Which::All).iter().all(|shard| !shard.starts_with("attention")));
    }

    #[test]
    fn arrivals_of_a_day_and_later_lie_between_their_bounds() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let (from, to) = arrivals_since(day("2026-11-24"));
        let lies_between = |sort: &str| (from.as_str()..=to.as_str()).contains(&sort);
        for later in ["2026-11-24", "2026-11-25", "2027-01-01"] {
            assert!(lies_between(&arrivals_sort(day(later), EventType::Api)), "{later}");
        }
        assert!(!lies_between(&arrivals_sort(day("2026-11-23"), EventType::WaveChange)));
        assert!(!lies_between(DELIVERY_HEALTH_ITEM));
        assert!(!lies_between(&tampering_sort("0a")));
    }

    #[test]
    fn names_of_schedules_are_what_the_service_takes_and_tell_alerts_apart() {
        let name = schedule_name("BC-0123456789AB.eu-gdpr-33-1.overdue");
        assert_eq!(name, "f44e250f46955215ca11b72cbe72ba71b32784c26625874d46984513c1c491c4");
        assert_ne!(name, schedule_name("BC-0123456789AB.eu-gdpr-33-1.opened"));
    }

    #[test]
    fn instants_sort_as_text() {
        let early: DateTime<Utc> = "2026-11-24T09:59:59.999Z".parse().unwrap();
        let late: DateTime<Utc> = "2026-11-24T10:00:00Z".parse().unwrap();
        assert!(sortable(early) < sortable(late));
        assert_eq!(sortable(late), "2026-11-24T10:00:00.000Z");
    }
}
