//! What the ports promise, asked of any adapter.
//!
//! The whole-system tests include this file by its path and run it on the adapters for AWS. Every function takes
//! a name of its own (an org id that nobody else uses), so that a store may hold other things; but no function of
//! the deployed system may be at work on the same tables, because it would take up the alerts written here.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken promise is a failed test"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use assessment::{
    configuration::{Configuration, ConfigurationFiles},
    delivery::{Arrival, Arrivals, DayArrivals, Watch, judge},
    findings::{
        DataCategory, DayFindings, Findings, Risk, Severity, SeverityLevel, SubjectEstimate,
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use deadlines::{Facts, Law, Organisation, ReminderPolicy};
use eventlog::{
    attribution::{AgentKey, AttributedBy},
    audit_trail::{LogTampering, TamperingRow},
    event_type::EventType,
    extract::ExtractKey,
    joins::{JoinKey, JoinKind, Link, LinkedCaller, MAX_CALLERS_PER_KEY},
    report::FileReport,
    row::{Channel, Hour, Identity, Operation},
    tally::{AgentHour, TallyKey, TallyLine},
};
use incident::{Alert, Case, Change, Deciding, Incident, IncidentId, Opening, Policy, audit};
use ports::{
    AgentHourRecord, ArrivalsRecord, Committed, ConfigurationRefusal, Coverage, DayRecord,
    DeliveryHealthRecord, FileOutcome, FileRecord, HourRecord, LandedObject, PartRecord, PortError,
    Ports, RawIncident, Schedule, Scheduled, StoredConfiguration, Which, Written, keys,
};
use serde::Serialize;
use serde_json::Value;
use tokio::io::AsyncReadExt;

/// Asks for every promise. `bucket` exists; `org_id` is used by nobody else.
pub(crate) async fn every_promise(ports: &Ports, bucket: &str, org_id: &str) {
    objects(ports, bucket, org_id).await;
    access(ports, org_id).await;
    joins(ports, org_id).await;
    delivery(ports, org_id).await;
    incidents(ports, org_id).await;
    exactly_as_stored(ports, org_id).await;
    lists(ports, org_id).await;
    attention(ports, org_id).await;
    crowds(ports, org_id).await;
    markers(ports, org_id).await;
    catalog(ports).await;
    schedules(ports, org_id).await;
    publisher(ports, org_id).await;
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn agent(name: &str) -> AgentKey {
    AgentKey(name.to_owned())
}

async fn read(ports: &Ports, bucket: &str, key: &str) -> Vec<u8> {
    let mut object = ports.objects.open(bucket, key, None).await.unwrap();
    let mut bytes = Vec::new();
    object.body.read_to_end(&mut bytes).await.unwrap();
    if let Some(size_bytes) = object.size_bytes {
        assert_eq!(size_bytes, u64::try_from(bytes.len()).unwrap(), "the size of {key}");
    }
    bytes
}

/// A put is seen by the next list, and read back as it was written.
pub(crate) async fn objects(ports: &Ports, bucket: &str, org_id: &str) {
    let prefix = format!("conformance/{org_id}/a/");
    assert_eq!(ports.objects.list(bucket, &prefix).await.unwrap(), [""; 0]);
    let names = ["b + c 100%.csv", "a.csv", "caf\u{e9} #1.csv", "nested/d.csv"];
    let mut expected: Vec<String> = Vec::new();
    for name in names {
        let key = format!("{prefix}{name}");
        ports.objects.put(bucket, &key, name.as_bytes().to_vec()).await.unwrap();
        expected.push(key);
        expected.sort_unstable();
        let listed = ports.objects.list(bucket, &prefix).await.unwrap();
        assert_eq!(listed, expected, "a put is seen by the next list, and lists are sorted");
    }
    for name in names {
        assert_eq!(read(ports, bucket, &format!("{prefix}{name}")).await, name.as_bytes());
    }
    let whole = prefix.clone() + "ranges.csv";
    // Larger than what is fetched in one piece, and no multiple of it, and made of blocks that no piece is a multiple of.
    let block: Vec<u8> = (0..4_099_u32).flat_map(u32::to_le_bytes).collect();
    let mut bytes = block.repeat(1_220);
    bytes.truncate(20_000_003);
    ports.objects.put(bucket, &whole, bytes.clone()).await.unwrap();
    assert!(read(ports, bucket, &whole).await == bytes, "a large object is read as it is");
    for range in [0..1, 0..20_000_003, 7..8_388_615, 16_777_215..16_777_217, 19_999_999..30_000_000]
    {
        let mut opened =
            ports.objects.open_range(bucket, &whole, None, range.clone()).await.unwrap();
        let mut found = Vec::new();
        opened.body.read_to_end(&mut found).await.unwrap();
        let [from, until] = [range.start, range.end].map(|at| usize::try_from(at).unwrap());
        assert!(found == bytes[from..until.min(bytes.len())], "the range {range:?}");
    }
    let missing = ports.objects.open_range(bucket, &(whole + "no"), None, 0..9).await.map(|_| ());
    assert!(matches!(missing, Err(PortError::NotFound { .. })), "{missing:?}");
    expected.push(prefix.clone() + "ranges.csv");
    expected.sort_unstable();

    let neighbour = format!("conformance/{org_id}/ab.csv");
    ports.objects.put(bucket, &neighbour, Vec::new()).await.unwrap();
    assert_eq!(ports.objects.list(bucket, &prefix).await.unwrap(), expected);
    assert_eq!(read(ports, bucket, &neighbour).await, b"", "an empty object is an object");

    let again = expected[0].as_str();
    ports.objects.put(bucket, again, b"second".to_vec()).await.unwrap();
    assert_eq!(read(ports, bucket, again).await, b"second");
    assert_eq!(ports.objects.list(bucket, &prefix).await.unwrap(), expected);

    let missing = format!("{prefix}missing.csv");
    match ports.objects.open(bucket, &missing, None).await.map(|_| ()) {
        Err(PortError::NotFound { what }) => assert!(what.contains(&missing), "{what}"),
        other => panic!("an object that is not there is not found: {other:?}"),
    }
}

/// Arrivals and delivery health stand on the version that was read; arrivals come back by day, from a day on.
pub(crate) async fn delivery(ports: &Ports, org_id: &str) {
    let access = &ports.access;
    let record = |day: &str, event_type, version| {
        let hour = Hour::from_key(&format!("{day}T09")).unwrap();
        let arrival = Arrival::at(at("2026-11-24T14:00:00Z"), version);
        let arrivals = DayArrivals {
            org_id: org_id.to_owned(),
            event_type,
            day: day.parse().unwrap(),
            hours: BTreeMap::from([(hour, arrival)]),
        };
        ArrivalsRecord { arrivals, version }
    };
    let day = "2026-11-24".parse().unwrap();
    assert_eq!(access.arrivals(org_id, EventType::Api, day).await.unwrap(), None);
    let mut standing = None;
    for (version, expected) in [
        (2, Written::Superseded),
        (1, Written::Yes),
        (1, Written::Superseded),
        (3, Written::Superseded),
        (2, Written::Yes),
    ] {
        let next = record("2026-11-24", EventType::Api, version);
        assert_eq!(access.put_arrivals(&next).await.unwrap(), expected, "version {version}");
        if expected == Written::Yes {
            standing = Some(next);
        }
        assert_eq!(access.arrivals(org_id, EventType::Api, day).await.unwrap(), standing);
    }
    let (early, late) = (
        record("2026-11-23", EventType::Api, 1),
        [record("2026-11-24", EventType::Uri, 1), record("2027-01-01", EventType::RestApi, 1)],
    );
    for record in late.iter().rev().chain([&early]) {
        assert_eq!(access.put_arrivals(record).await.unwrap(), Written::Yes);
    }
    let expected: Vec<_> = standing.into_iter().chain(late).collect();
    assert_eq!(access.arrivals_since(org_id, day).await.unwrap(), expected);

    assert_eq!(access.tampering(org_id).await.unwrap(), []);
    let row = |hour: u32, row_hash: &str, user_id: Option<&str>| TamperingRow {
        at: at(&format!("2026-11-24T{hour:02}:00:00Z")),
        row_hash: row_hash.to_owned(),
        org_id: org_id.to_owned(),
        kind: LogTampering::GenerationStopped,
        user_id: user_id.map(str::to_owned),
    };
    for row in [row(11, "0a", None), row(10, "0b", None), row(11, "0a", Some("0055g00000Bot01"))] {
        access.put_tampering(&row, at("2026-11-24T14:00:00Z")).await.unwrap();
    }
    let expected_rows = [row(10, "0b", None), row(11, "0a", Some("0055g00000Bot01"))];
    assert_eq!(access.tampering(org_id).await.unwrap(), expected_rows);

    assert_eq!(access.delivery_health(org_id).await.unwrap(), None);
    let looked_at = at("2026-11-25T10:00:00Z");
    let arrivals: Arrivals = expected.into_iter().map(|record| record.arrivals).collect();
    let mut health = DeliveryHealthRecord {
        org_id: org_id.to_owned(),
        delivery: judge(&arrivals, &BTreeSet::new(), looked_at, looked_at),
        watch: Watch::begun(looked_at),
        version: 1,
    };
    assert_eq!(access.put_delivery_health(&health).await.unwrap(), Written::Yes);
    assert_eq!(access.put_delivery_health(&health).await.unwrap(), Written::Superseded);
    health.version = 2;
    assert_eq!(access.put_delivery_health(&health).await.unwrap(), Written::Yes);
    assert_eq!(access.delivery_health(org_id).await.unwrap(), Some(health));
    assert_eq!(access.arrivals_since(org_id, day).await.unwrap().len(), 3, "nothing else is a day");
}

fn line(record_id_count: u32) -> TallyLine {
    TallyLine {
        key: TallyKey {
            objects: BTreeSet::from(["Contact".to_owned()]),
            channel: Channel::Rest,
            operation: Operation::Read,
            purpose: None,
            tls_protocol: None,
        },
        row_count: 3,
        failed_row_count: 0,
        record_count: 30,
        uncounted_row_count: 0,
        largest_record_count: 20,
        response_bytes: 4_096,
        first_at: at("2026-11-24T09:00:00.001Z"),
        last_at: at("2026-11-24T09:59:59.999Z"),
        // Spread out, so that a long list stays long when it is compressed.
        record_ids: (0..record_id_count)
            .map(|number| format!("003{:012x}", u64::from(number) * 0x9E37_79B9))
            .collect(),
        record_ids_cut: false,
        fields: BTreeSet::from(["Contact.Email".to_owned()]),
        source_addresses: BTreeSet::new(),
        cipher_suites: BTreeSet::new(),
        limited_call_count: 0,
        attributed_by: AttributedBy::ConnectedApp,
        unsure_row_counts: BTreeMap::new(),
        joined_row_count: 0,
        evidence: BTreeSet::new(),
    }
}

fn agent_hour(org_id: &str, name: &str, hour: &str, event_type: EventType) -> AgentHourRecord {
    AgentHourRecord {
        agent_hour: AgentHour {
            org_id: org_id.to_owned(),
            agent: agent(name),
            event_type,
            hour: Hour::from_key(hour).unwrap(),
            lines: vec![line(2)],
        },
        member_count: 1,
        configuration_version: 1,
        landed_at: at("2026-11-24T10:05:00Z"),
    }
}

fn hour_record(org_id: &str) -> HourRecord {
    HourRecord {
        org_id: org_id.to_owned(),
        event_type: EventType::RestApi,
        hour: Hour::from_key("2026-11-24T09").unwrap(),
        member_count: 1,
        configuration_version: 1,
        agents: BTreeSet::from([agent("support-copilot")]),
        is_complete: true,
        landed_at: at("2026-11-24T10:05:00Z"),
    }
}

fn day_record(org_id: &str, name: &str, day: &str) -> DayRecord {
    DayRecord {
        findings: DayFindings {
            org_id: org_id.to_owned(),
            agent: agent(name),
            day: day.parse().unwrap(),
            row_count: 3,
            verdicts: BTreeMap::new(),
            unsure_row_counts: BTreeMap::new(),
            gaps: BTreeMap::new(),
            suspect_row_count: 0,
            suspect_record_count: 0,
            signals: Vec::new(),
            exposures: BTreeMap::new(),
            scoring_version: "test".to_owned(),
        },
        member_count: 1,
        configuration_version: 1,
        judged_at: at("2026-11-24T10:06:00Z"),
    }
}

/// Members and configuration of a write.
type Version = (u64, u64);

/// A write, and whether it stands, each after those before it. Neither may fall.
const WRITES: [(Version, Written); 11] = [
    ((2, 2), Written::Yes),
    ((2, 2), Written::Yes),
    ((1, 2), Written::Superseded),
    ((1, 9), Written::Superseded),
    ((2, 1), Written::Superseded),
    ((9, 1), Written::Superseded),
    ((2, 3), Written::Yes),
    ((3, 3), Written::Yes),
    ((2, 10), Written::Superseded),
    ((10, 10), Written::Yes),
    ((9, 9), Written::Superseded),
];

/// A lesser write never covers a greater one; what comes back is what was written.
pub(crate) async fn access(ports: &Ports, org_id: &str) {
    let access = &ports.access;
    let day = "2026-11-24".parse().unwrap();
    let (event_type, hour) = (EventType::RestApi, Hour::from_key("2026-11-24T09").unwrap());
    assert_eq!(access.hour(org_id, event_type, hour).await.unwrap(), None);
    assert_eq!(access.agent_day(org_id, &agent("writes"), day).await.unwrap(), []);
    assert_eq!(access.days(org_id, &agent("writes")).await.unwrap(), []);

    let mut standing: (Option<HourRecord>, _, _) = (None, None, None);
    for (number, (version, expected)) in WRITES.into_iter().enumerate() {
        // Each write says something else, so that it shows which one stands.
        let moment =
            at("2026-11-24T10:00:00Z") + TimeDelta::seconds(i64::try_from(number).unwrap());
        let what = format!("write {number} of {version:?}");
        let (member_count, configuration_version) = version;

        let mark = HourRecord {
            member_count,
            configuration_version,
            landed_at: moment,
            ..hour_record(org_id)
        };
        let read = standing.0.as_ref().map(HourRecord::coverage);
        assert_eq!(access.put_hour(&mark, read).await.unwrap(), expected, "{what} of an hour");
        let tallies = AgentHourRecord {
            member_count,
            configuration_version,
            landed_at: moment,
            ..agent_hour(org_id, "writes", "2026-11-24T09", event_type)
        };
        assert_eq!(access.put_agent_hour(&tallies).await.unwrap(), expected, "{what} of tallies");
        let judged = DayRecord {
            member_count,
            configuration_version,
            judged_at: moment,
            ..day_record(org_id, "writes", "2026-11-24")
        };
        assert_eq!(access.put_day(&judged).await.unwrap(), expected, "{what} of a day");

        if expected == Written::Yes {
            standing = (Some(mark), Some(tallies), Some(judged));
        }
        let (mark, tallies, judged) = standing.clone();
        assert_eq!(access.hour(org_id, event_type, hour).await.unwrap(), mark, "after {what}");
        let found = access.agent_day(org_id, &agent("writes"), day).await.unwrap();
        assert_eq!(found, Vec::from_iter(tallies), "after {what}");
        let found = access.days(org_id, &agent("writes")).await.unwrap();
        assert_eq!(found, Vec::from_iter(judged), "after {what}");
    }
    marks_read_before(ports, org_id).await;
    days_of_agents(ports, org_id).await;

    let file = FileRecord {
        bucket: "landing".to_owned(),
        key: format!("conformance/{org_id}/a + b.csv"),
        e_tag: "e-tag".to_owned(),
        source_hash: format!("conformance-{org_id}"),
        read_at: at("2026-11-24T10:05:00Z"),
        outcome: FileOutcome::Broken { reason: "it breaks off".to_owned() },
        size_bytes: 12,
        row_count: 3,
        agent_row_count: 1,
        joined_row_count: 0,
        unclaimed_row_count: 0,
        rows_by_event_type: BTreeMap::new(),
        quarantined: BTreeMap::new(),
        gaps: BTreeMap::new(),
    };
    access.put_file(&file).await.unwrap();
    access.put_file(&file).await.unwrap();
    parts_of_files(ports, org_id).await;
}

/// A link stands once, is announced once, and is found by its key alone; so is whoever seeks it.
pub(crate) async fn joins(ports: &Ports, org_id: &str) {
    let now = at("2026-11-24T10:00:00Z");
    let key =
        |kind, value: &str| JoinKey { org_id: org_id.to_owned(), kind, value: value.to_owned() };
    let caller = |app: &str| LinkedCaller {
        event_type: EventType::BulkApiRequest,
        identity: Identity { connected_app_id: Some(app.to_owned()), ..Identity::default() },
    };
    let job = key(JoinKind::Job, "7505g00000aBcDe");
    let joins = &ports.joins;
    assert_eq!(joins.callers(&job).await.unwrap(), []);
    assert_eq!(joins.seekers(&job).await.unwrap(), []);

    let first = Link { key: job.clone(), caller: caller("0H45g0000000001") };
    let second = Link { key: job.clone(), caller: caller("0H45g0000000002") };
    let elsewhere = Link { key: key(JoinKind::Session, "7505g00000aBcDe"), ..first.clone() };
    for link in [&second, &first, &elsewhere, &first] {
        assert!(!joins.put_link(link, now).await.unwrap(), "{link:?} was not announced");
    }
    let mut both = [first.caller.clone(), second.caller.clone()];
    both.sort_by_key(LinkedCaller::sort_key);
    assert_eq!(joins.callers(&job).await.unwrap(), both, "each once, in order");
    joins.announced(&first, now).await.unwrap();
    assert!(joins.put_link(&first, now).await.unwrap(), "putting a link again unsays nothing");
    assert!(!joins.put_link(&second, now).await.unwrap());
    assert!(!joins.put_link(&elsewhere, now).await.unwrap());
    assert_eq!(joins.callers(&job).await.unwrap().len(), 2);

    let file = |name: &str| LandedObject {
        bucket: "landing".to_owned(),
        key: name.to_owned(),
        version: Some("v1".to_owned()),
    };
    for (source_hash, name) in [("b", "second.csv"), ("a", "first.csv"), ("b", "second.csv")] {
        joins.put_seeker(&job, source_hash, &file(name), now).await.unwrap();
    }
    assert_eq!(joins.seekers(&job).await.unwrap(), [file("first.csv"), file("second.csv")]);
    assert_eq!(joins.seekers(&elsewhere.key).await.unwrap(), []);
    assert_eq!(joins.callers(&job).await.unwrap().len(), 2, "a seeker owns nothing");
    of_many_callers_the_surest(ports, &key(JoinKind::Session, "shared")).await;
}

/// However many names are claimed in a session, the app that holds it is found.
async fn of_many_callers_the_surest(ports: &Ports, key: &JoinKey) {
    let now = at("2026-11-24T10:00:00Z");
    let claimed = (0..MAX_CALLERS_PER_KEY + 6).map(|number| LinkedCaller {
        event_type: EventType::RestApi,
        identity: Identity { client_name: Some(format!("n{number}")), ..Identity::default() },
    });
    let app = LinkedCaller {
        event_type: EventType::RestApi,
        identity: Identity {
            connected_app_id: Some("0H45g0000000001".to_owned()),
            ..Identity::default()
        },
    };
    for caller in claimed.chain([app.clone()]) {
        let link = Link { key: key.clone(), caller };
        ports.joins.put_link(&link, now).await.unwrap();
    }
    let callers = ports.joins.callers(key).await.unwrap();
    assert_eq!((callers.len(), callers.first()), (MAX_CALLERS_PER_KEY, Some(&app)));
}

/// Parts are found by their file, in order, each as it was last written.
async fn parts_of_files(ports: &Ports, org_id: &str) {
    let source_hash = format!("parts-{org_id}");
    assert_eq!(ports.access.parts(&source_hash).await.unwrap(), []);
    let key = ExtractKey {
        org_id: org_id.to_owned(),
        event_type: EventType::RestApi,
        hour: Hour::from_key("2026-11-24T09").unwrap(),
    };
    let part = |number, rows, broken: Option<&str>| PartRecord {
        source_hash: source_hash.clone(),
        number,
        read_at: at("2026-11-24T10:05:00Z"),
        report: FileReport { rows, ..FileReport::default() },
        joined_row_count: 2,
        touched: BTreeSet::from([key.clone()]),
        broken: broken.map(str::to_owned),
    };
    for record in [part(10, 1, None), part(9, 2, Some("it breaks off")), part(9, 3, None)] {
        ports.access.put_part(&record).await.unwrap();
    }
    let found = ports.access.parts(&source_hash).await.unwrap();
    assert_eq!(found, [part(9, 3, None), part(10, 1, None)]);
}

/// What a writer of an hour's mark had read, what stands by then, what it covers itself, and whether it is written.
const MARKS: [(Option<Version>, Option<Version>, Version, Written); 9] = [
    (None, None, (1, 1), Written::Yes),
    (None, Some((1, 1)), (2, 1), Written::Superseded),
    (None, Some((1, 1)), (2, 2), Written::Superseded),
    (Some((1, 1)), Some((1, 1)), (2, 2), Written::Yes),
    // Another writer of the same configuration was quicker, with fewer extracts and with more: it may have named agents
    // that have no rows any more.
    (Some((1, 2)), Some((2, 2)), (3, 2), Written::Superseded),
    (Some((1, 2)), Some((4, 2)), (3, 2), Written::Superseded),
    // The configuration changed since, or the mark of the configuration before grew.
    (Some((1, 1)), Some((1, 2)), (2, 2), Written::Superseded),
    (Some((1, 1)), Some((2, 1)), (2, 2), Written::Superseded),
    (Some((1, 2)), Some((1, 2)), (2, 1), Written::Superseded),
];

/// A mark that was not read is not written over.
async fn marks_read_before(ports: &Ports, org_id: &str) {
    let coverage =
        |(member_count, configuration_version)| Coverage { member_count, configuration_version };
    let start = Hour::from_key("2026-11-20T00").unwrap().start();
    for (number, (read, there, new, expected)) in MARKS.into_iter().enumerate() {
        let hour = Hour::containing(start + TimeDelta::hours(i64::try_from(number).unwrap()));
        let mark = |(member_count, configuration_version), name| HourRecord {
            hour,
            member_count,
            configuration_version,
            agents: BTreeSet::from([agent(name)]),
            ..hour_record(org_id)
        };
        let what = format!("mark {number}: read {read:?}, there {there:?}, new {new:?}");
        if let Some(there) = there {
            let written = ports.access.put_hour(&mark(there, "there"), None).await.unwrap();
            assert_eq!(written, Written::Yes, "{what}");
        }
        let written = ports.access.put_hour(&mark(new, "new"), read.map(coverage)).await.unwrap();
        assert_eq!(written, expected, "{what}");
        let found = ports.access.hour(org_id, EventType::RestApi, hour).await.unwrap();
        let standing = if expected == Written::Yes {
            Some(mark(new, "new"))
        } else {
            there.map(|there| mark(there, "there"))
        };
        assert_eq!(found, standing, "{what}");
    }
}

/// Hours and days come by agent and day, and in order, whatever the order of the writes.
async fn days_of_agents(ports: &Ports, org_id: &str) {
    let access = &ports.access;
    let odd = "unregistered:app:0H4#odd";
    let mut of_the_day = Vec::new();
    for (name, hour, event_type, is_of_the_day) in [
        (odd, "2026-11-24T23", EventType::Report, true),
        (odd, "2026-11-24T09", EventType::Uri, true),
        (odd, "2026-11-24T09", EventType::Api, true),
        (odd, "2026-11-24T09", EventType::RestApi, true),
        (odd, "2026-11-24T00", EventType::RestApi, true),
        (odd, "2026-11-23T23", EventType::RestApi, false),
        (odd, "2026-11-25T00", EventType::RestApi, false),
        ("unregistered:app:0H4", "2026-11-24T09", EventType::RestApi, false),
        ("unregistered:app:0H4#odd2", "2026-11-24T09", EventType::RestApi, false),
    ] {
        let mut record = agent_hour(org_id, name, hour, event_type);
        if event_type == EventType::Uri {
            // Longer than what is stored as it is.
            record.agent_hour.lines = vec![line(1_000)];
        }
        assert_eq!(access.put_agent_hour(&record).await.unwrap(), Written::Yes);
        if is_of_the_day {
            of_the_day.push(record);
        }
    }
    of_the_day.sort_by_key(|record| (record.agent_hour.hour, record.agent_hour.event_type));
    let day = "2026-11-24".parse().unwrap();
    assert_eq!(access.agent_day(org_id, &agent(odd), day).await.unwrap(), of_the_day);
    assert_eq!(access.agent_day("00D000000000000", &agent(odd), day).await.unwrap(), []);

    let days = ["2026-11-24", "2026-10-31", "2026-11-02"];
    for day in days {
        access.put_day(&day_record(org_id, odd, day)).await.unwrap();
    }
    access.put_day(&day_record(org_id, "unregistered:app:0H4", days[0])).await.unwrap();
    let found = access.days(org_id, &agent(odd)).await.unwrap();
    let found: Vec<String> = found.iter().map(|record| record.findings.day.to_string()).collect();
    assert_eq!(found, ["2026-10-31", "2026-11-02", "2026-11-24"]);
}

fn findings(org_id: &str, name: &str, row_count: u64) -> Findings {
    let level = SeverityLevel::High;
    Findings {
        org_id: org_id.to_owned(),
        agent: agent(name),
        first_event_at: at("2026-11-24T09:12:00Z"),
        last_event_at: at("2026-11-24T09:40:00Z"),
        score: 80,
        signals: Vec::new(),
        severity: Severity {
            level,
            risk: Risk::Risk,
            level_at_lower: level,
            category: DataCategory::ContactIdentity,
            arithmetic: "as the test says".to_owned(),
            matrix_version: "test".to_owned(),
        },
        exposures: BTreeMap::new(),
        row_count,
        record_count: row_count,
        subject_estimate: SubjectEstimate::default(),
        unsure_row_counts: BTreeMap::new(),
        gaps: BTreeMap::new(),
        scoring_version: "test".to_owned(),
    }
}

/// Made once: reading the law is most of the work of opening an incident.
static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let facts = Facts::default()
        .with("role", "controller")
        .with("personal_data_breach", true)
        .with("gdpr_applies", true);
    Policy {
        law: Arc::new(Law::embedded().unwrap().only(&["eu-gdpr-33-1"]).unwrap()),
        facts,
        organisation: Organisation::in_zone(chrono_tz::Europe::Berlin),
        reminders: once(),
    }
});

/// Reminders of which none is sent again.
fn once() -> ReminderPolicy {
    let mut reminders = ReminderPolicy::default();
    reminders.by_severity.clear();
    reminders.general.repeat_hours = None;
    reminders
}

pub(crate) fn by(now: DateTime<Utc>) -> Deciding<'static> {
    Deciding { now, actor: "conformance", policy: &POLICY }
}

/// The incident with its alerts, as it stands in the table.
async fn case(ports: &Ports, incident_id: &IncidentId) -> Case {
    let incident = ports.incidents.incident(incident_id).await.unwrap().unwrap();
    Case::new(incident, ports.incidents.alerts(incident_id).await.unwrap())
}

/// The message that is owed when an incident opens.
pub(crate) fn first_message(change: &Change) -> &Alert {
    change.alerts.iter().find(|alert| alert.is_owed()).unwrap()
}

/// The opening of an incident of that agent.
pub(crate) fn opened(org_id: &str, name: &str, now: DateTime<Utc>) -> Change {
    let opening = Opening { findings: findings(org_id, name, 1), episode: 1, landed_at: None };
    Case::open(opening, by(now)).unwrap()
}

pub(crate) fn extended(incident: &Incident, row_count: u64, now: DateTime<Utc>) -> Change {
    let found = findings(&incident.org_id, incident.agent.as_str(), row_count);
    Case::new(incident.clone(), []).extend(found, by(now)).unwrap()
}

/// The incident with everything about it, as it stands in the table.
async fn standing(
    ports: &Ports,
    incident_id: &IncidentId,
) -> (Option<Incident>, Vec<Alert>, Vec<incident::TimelineEntry>) {
    (
        ports.incidents.incident(incident_id).await.unwrap(),
        ports.incidents.alerts(incident_id).await.unwrap(),
        ports.incidents.timeline(incident_id).await.unwrap(),
    )
}

fn by_id(alerts: &[Alert]) -> Vec<Alert> {
    let mut alerts = alerts.to_vec();
    alerts.sort_by(|a, b| a.alert_id.cmp(&b.alert_id));
    alerts
}

/// A change is written whole, on its version, or not at all.
pub(crate) async fn incidents(ports: &Ports, org_id: &str) {
    let now = at("2026-11-24T10:00:00.123Z");
    let change = opened(org_id, "commits", now);
    let id = change.incident.incident_id.clone();
    assert_eq!(standing(ports, &id).await, (None, vec![], vec![]));
    assert_eq!(ports.incidents.alert(&id, &change.alerts[0].alert_id).await.unwrap(), None);

    // On a version that it does not have, not even an incident that is not there is written.
    let early = extended(&change.incident, 2, now);
    assert_eq!(ports.incidents.commit(&early).await.unwrap(), Committed::Conflict);
    assert_eq!(standing(ports, &id).await, (None, vec![], vec![]));

    assert_eq!(ports.incidents.commit(&change).await.unwrap(), Committed::Yes);
    let written = (Some(change.incident.clone()), by_id(&change.alerts), change.timeline.clone());
    assert_eq!(standing(ports, &id).await, written);
    for alert in &change.alerts {
        let found = ports.incidents.alert(&id, &alert.alert_id).await.unwrap();
        assert_eq!(found.as_ref(), Some(alert));
    }
    assert_eq!(ports.incidents.alert(&id, "no-such-alert").await.unwrap(), None);

    // Opened once more by another writer: nothing of it is written, neither alerts nor timeline.
    let other = opened(org_id, "commits", now + TimeDelta::hours(1));
    assert_eq!(other.incident.incident_id, id);
    assert_eq!(ports.incidents.commit(&other).await.unwrap(), Committed::Conflict);
    assert_eq!(standing(ports, &id).await, written);

    // Of two decisions on one version one stands, whole.
    let first = first_message(&change).alert_id.clone();
    let sent = case(ports, &id).await.published(&first, "receipt", by(now)).unwrap();
    let more = extended(&change.incident, 2, now);
    let (first, second) =
        tokio::join!(ports.incidents.commit(&sent), ports.incidents.commit(&more));
    let outcomes = (first.unwrap(), second.unwrap());
    let winner = match outcomes {
        (Committed::Yes, Committed::Conflict) => &sent,
        (Committed::Conflict, Committed::Yes) => &more,
        _ => panic!("one of two stands: {outcomes:?}"),
    };
    let mut incident = winner.incident.clone();
    let (found, _, timeline) = standing(ports, &id).await;
    assert_eq!(found.as_ref(), Some(&incident));
    assert_eq!(timeline.len(), change.timeline.len() + winner.timeline.len());

    // Long enough for an order by text to differ from the order by number.
    for row_count in 3..15 {
        let change = extended(&incident, row_count, now);
        assert_eq!(ports.incidents.commit(&change).await.unwrap(), Committed::Yes);
        assert_eq!(ports.incidents.commit(&change).await.unwrap(), Committed::Conflict);
        incident = change.incident;
    }
    let (found, _, timeline) = standing(ports, &id).await;
    assert_eq!(found.as_ref(), Some(&incident));
    assert!(timeline.len() > 10);
    let raw = ports.incidents.raw(&id).await.unwrap().unwrap();
    assert_eq!(audit(&raw.incident, &raw.alerts, &raw.timeline, &[]), []);
}

/// Everything about an incident can be had as it is stored, and no entry of a timeline is ever written over.
pub(crate) async fn exactly_as_stored(ports: &Ports, org_id: &str) {
    let now = at("2026-11-24T10:00:00.123Z");
    let change = opened(org_id, "is-kept", now);
    let id = &change.incident.incident_id;
    assert_eq!(ports.incidents.raw(id).await.unwrap(), None);
    assert_eq!(ports.incidents.commit(&change).await.unwrap(), Committed::Yes);
    let (mut incident, mut timeline) = (change.incident.clone(), change.timeline.clone());
    let mut alerts: BTreeMap<String, Alert> = BTreeMap::new();
    alerts.extend(change.alerts.iter().map(|alert| (alert.alert_id.clone(), alert.clone())));
    for row_count in 2..12 {
        let more = extended(&incident, row_count, now);
        assert_eq!(ports.incidents.commit(&more).await.unwrap(), Committed::Yes);
        timeline.extend(more.timeline);
        alerts.extend(more.alerts.into_iter().map(|alert| (alert.alert_id.clone(), alert)));
        incident = more.incident;
    }
    let expected = RawIncident {
        incident: json(&incident),
        timeline: timeline.iter().map(json).collect(),
        alerts: alerts.values().map(json).collect(),
    };
    assert_eq!(ports.incidents.raw(id).await.unwrap().as_ref(), Some(&expected));

    // On the version that stands, but with an entry of a number that is taken.
    let mut forged = extended(&incident, 100, now);
    forged.timeline.push(timeline[4].clone());
    assert_eq!(ports.incidents.commit(&forged).await.unwrap(), Committed::Conflict);
    assert_eq!(ports.incidents.raw(id).await.unwrap(), Some(expected));
}

fn json(record: &impl Serialize) -> Value {
    serde_json::to_value(record).unwrap()
}

/// Incidents are listed in the order of their opening, each once.
pub(crate) async fn lists(ports: &Ports, org_id: &str) {
    let start = at("2026-11-20T10:00:00Z");
    // Neither the order of the writes nor that of the names.
    let [third, mut moved, first, second] =
        [("lists-a", 2), ("lists-b", -1), ("lists-c", 0), ("lists-d", 1)].map(
            |(name, milliseconds)| {
                opened(org_id, name, start + TimeDelta::milliseconds(milliseconds))
            },
        );
    let twins = ["lists-e", "lists-f"].map(|name| opened(org_id, name, start + TimeDelta::days(1)));
    for change in twins.iter().chain([&third, &moved, &first, &second]) {
        assert_eq!(ports.incidents.commit(change).await.unwrap(), Committed::Yes);
    }
    // Changed later on, and opened when it was. The moment of the other one's opening was wrong, and is set right.
    let later = extended(&first.incident, 2, start + TimeDelta::days(9));
    assert_eq!(ports.incidents.commit(&later).await.unwrap(), Committed::Yes);
    moved = extended(&moved.incident, 2, start + TimeDelta::days(9));
    moved.incident.times.detected = Some(start + TimeDelta::days(2));
    assert_eq!(ports.incidents.commit(&moved).await.unwrap(), Committed::Yes);

    let name = |change: Change| change.incident.incident_id;
    let mut twins = twins.map(name);
    twins.sort_unstable();
    let ours: Vec<IncidentId> =
        [first, second, third].map(name).into_iter().chain(twins).chain([name(moved)]).collect();
    for which in [Which::Open, Which::All] {
        let listed = ports.incidents.list(which).await.unwrap();
        let listed: Vec<_> = listed.into_iter().filter(|id| ours.contains(id)).collect();
        assert_eq!(listed, ours, "{which:?}");
    }
}

/// A function finds the notes that it left, each under its name.
pub(crate) async fn markers(ports: &Ports, org_id: &str) {
    let (law, sweep) = (format!("law {org_id}"), format!("sweep#{org_id}/1"));
    assert_eq!(ports.incidents.marker(&law).await.unwrap(), None);
    for value in ["2026-11", "", "a \"law\" of 2027\n"] {
        ports.incidents.put_marker(&law, value).await.unwrap();
        assert_eq!(ports.incidents.marker(&law).await.unwrap().as_deref(), Some(value));
    }
    assert_eq!(ports.incidents.marker(&sweep).await.unwrap(), None);
    ports.incidents.put_marker(&sweep, "once").await.unwrap();
    assert_eq!(ports.incidents.marker(&law).await.unwrap().as_deref(), Some("a \"law\" of 2027\n"));
    // A note is no incident.
    let listed = ports.incidents.list(Which::All).await.unwrap();
    assert!(listed.iter().all(|id| id.as_str().starts_with("BC-")), "{listed:?}");
}

/// The incidents of `of` that want attention at `now`, the longest waiting first.
async fn waiting(ports: &Ports, of: &[&IncidentId], now: DateTime<Utc>) -> Vec<IncidentId> {
    let found = ports.incidents.wanting_attention(now, 10_000).await.unwrap();
    let distinct: BTreeSet<&IncidentId> = found.iter().collect();
    assert_eq!(distinct.len(), found.len(), "each incident once");
    found.into_iter().filter(|id| of.contains(&id)).collect()
}

/// The index holds scheduled alerts at their time, owed ones at their next attempt, and no others.
pub(crate) async fn attention(ports: &Ports, org_id: &str) {
    let start = at("2026-11-24T10:00:00Z");
    let change = opened(org_id, "waits", start);
    let id = change.incident.incident_id.clone();
    let later = opened(org_id, "waits-too", start + TimeDelta::minutes(1));
    let later_id = later.incident.incident_id.clone();
    // Written in the other order, so that the order of answers is not that of writes.
    assert_eq!(ports.incidents.commit(&later).await.unwrap(), Committed::Yes);
    assert_eq!(ports.incidents.commit(&change).await.unwrap(), Committed::Yes);
    let both = [&id, &later_id];

    // Owed: at the next attempt, two minutes on, and to the millisecond.
    let next_attempt_at = start + TimeDelta::minutes(2);
    let just_before = next_attempt_at - TimeDelta::milliseconds(1);
    assert_eq!(waiting(ports, &both, just_before).await, []);
    assert_eq!(waiting(ports, &both, next_attempt_at).await, std::slice::from_ref(&id));
    let both_wait = next_attempt_at + TimeDelta::minutes(1);
    assert_eq!(waiting(ports, &both, both_wait).await, [id.clone(), later_id.clone()]);
    for limit in [0, 1] {
        let found = ports.incidents.wanting_attention(both_wait, limit).await;
        assert!(found.unwrap().len() <= usize::try_from(limit).unwrap(), "at most {limit}");
    }

    // Raised again: at the attempt after, four minutes on.
    let raised = case(ports, &id).await.raise_due(by(next_attempt_at)).unwrap();
    assert_eq!(ports.incidents.commit(&raised).await.unwrap(), Committed::Yes);
    let second_attempt_at = next_attempt_at + TimeDelta::minutes(4);
    let just_before = second_attempt_at - TimeDelta::milliseconds(1);
    assert_eq!(waiting(ports, &[&id], just_before).await, []);
    assert_eq!(waiting(ports, &[&id], second_attempt_at).await, std::slice::from_ref(&id));

    // Published: gone, until the first reminder is due.
    let first = &first_message(&raised).alert_id;
    let sent = case(ports, &id).await.published(first, "receipt", by(second_attempt_at)).unwrap();
    assert_eq!(ports.incidents.commit(&sent).await.unwrap(), Committed::Yes);
    let scheduled = change.alerts.iter().filter(|alert| !alert.is_owed());
    let reminder_at = scheduled.filter_map(Alert::attention_at).min().unwrap();
    assert!(second_attempt_at < reminder_at);
    let just_before = reminder_at - TimeDelta::milliseconds(1);
    assert_eq!(waiting(ports, &[&id], just_before).await, []);
    assert_eq!(waiting(ports, &[&id], reminder_at).await, std::slice::from_ref(&id));

    // All overdue at once: one is owed, the withdrawn ones are gone; and once that one is published, nothing is
    // left.
    let passed = start + TimeDelta::hours(73);
    let overdue = case(ports, &id).await.raise_due(by(passed)).unwrap();
    assert_eq!(ports.incidents.commit(&overdue).await.unwrap(), Committed::Yes);
    let next_attempt_at = passed + TimeDelta::minutes(2);
    assert_eq!(waiting(ports, &[&id], passed).await, []);
    assert_eq!(waiting(ports, &[&id], next_attempt_at).await, std::slice::from_ref(&id));
    let last = &first_message(&overdue).alert_id;
    let sent = case(ports, &id).await.published(last, "receipt", by(passed)).unwrap();
    assert_eq!(ports.incidents.commit(&sent).await.unwrap(), Committed::Yes);
    assert_eq!(waiting(ports, &[&id], at("2036-11-24T10:00:00Z")).await, []);
}

/// An incident with more alerts than a sweep takes incidents hides no other, wherever the two lie.
pub(crate) async fn crowds(ports: &Ports, org_id: &str) {
    let start = at("2026-11-24T10:00:00Z");
    let crowd = opened(org_id, "crowds", start);
    let shard = keys::attention_shard(&crowd.incident.incident_id);
    let hidden = (0..1_000)
        .map(|number| opened(org_id, &format!("is-hidden-{number}"), start))
        .find(|change| keys::attention_shard(&change.incident.incident_id) == shard)
        .unwrap();
    // So long ago that nothing else in the store was waiting then.
    let long_ago = at("1980-01-01T00:00:00Z");
    let waiting = |of: &Change, hour: i64| {
        let scheduled = of.alerts.iter().find(|alert| !alert.is_owed()).unwrap().clone();
        let due_at = long_ago + TimeDelta::hours(hour);
        Alert { alert_id: format!("{}.{hour}", scheduled.alert_id), due_at, ..scheduled }
    };
    let crowd_alerts: Vec<Alert> = (0..5).map(|hour| waiting(&crowd, hour)).collect();
    let hidden_alerts = vec![waiting(&hidden, 9)];
    let ids = [&crowd, &hidden].map(|change| change.incident.incident_id.clone());
    let before_all = ports.incidents.wanting_attention(long_ago + TimeDelta::days(1), 10).await;
    assert_eq!(before_all.unwrap(), []);
    for (mut change, alerts) in [(crowd, crowd_alerts), (hidden, hidden_alerts)] {
        change.alerts.extend(alerts);
        assert_eq!(ports.incidents.commit(&change).await.unwrap(), Committed::Yes);
    }
    let found = async |limit| {
        ports.incidents.wanting_attention(long_ago + TimeDelta::days(1), limit).await.unwrap()
    };
    assert_eq!(found(2).await, ids);
    assert_eq!(found(1).await, ids[..1]);
    for id in &ids {
        for alert in ports.incidents.alerts(id).await.unwrap() {
            if alert.due_at < start {
                let case = case(ports, id).await;
                let sent = case.published(&alert.alert_id, "receipt", by(start)).unwrap();
                assert_eq!(ports.incidents.commit(&sent).await.unwrap(), Committed::Yes);
            }
        }
    }
    assert_eq!(found(10).await, []);
}

const FILES_OF_CONFIGURATION: [(&str, &str); 5] = [
    ("agents.yaml", include_str!("../../../../infra/config/agents.yaml")),
    ("data-map.yaml", include_str!("../../../../infra/config/data-map.yaml")),
    ("organisation.yaml", include_str!("../../../../infra/config/organisation.yaml")),
    ("orgs.yaml", include_str!("../../../../infra/config/orgs.yaml")),
    ("recipients.yaml", include_str!("../../../../infra/config/recipients.yaml")),
];

fn stored(version: u64, digest: &str) -> StoredConfiguration {
    let files = FILES_OF_CONFIGURATION.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let files = ConfigurationFiles::from_folder(files).unwrap();
    let configuration = Configuration::parse(&files).unwrap();
    let loaded_at = at("2026-11-24T05:00:00Z");
    StoredConfiguration { version, loaded_at, digest: digest.to_owned(), configuration }
}

/// A configuration comes into force one version after the last, once; and a refusal leaves it in force.
pub(crate) async fn catalog(ports: &Ports) {
    let catalog = &ports.catalog;
    let in_force = || async { catalog.current().await.unwrap() };
    let before = in_force().await.map_or(0, |current| current.version);
    let (next, after_next) = (stored(before + 1, "next"), stored(before + 2, "after next"));
    assert_eq!(catalog.put(&after_next).await.unwrap(), Written::Superseded, "no step is left out");
    assert_eq!(in_force().await.map_or(0, |current| current.version), before);
    assert_eq!(catalog.put(&next).await.unwrap(), Written::Yes);
    let json = |stored: &StoredConfiguration| serde_json::to_value(stored).unwrap();
    assert_eq!(json(in_force().await.unwrap().as_ref()), json(&next));

    assert_eq!(catalog.put(&stored(before + 1, "late")).await.unwrap(), Written::Superseded);
    assert_eq!(in_force().await.unwrap().digest, "next");
    let refusal = ConfigurationRefusal {
        at: at("2026-11-24T06:00:00Z"),
        digest: "bad".to_owned(),
        problems: vec!["agents.yaml:3: the agent has no owner".to_owned()],
    };
    catalog.put_refusal(&refusal).await.unwrap();
    assert_eq!(in_force().await.unwrap().digest, "next", "the last good one stays");
    assert_eq!(catalog.put(&after_next).await.unwrap(), Written::Yes);
    let current = in_force().await.unwrap();
    assert_eq!((current.version, current.digest.as_str()), (before + 2, "after next"));
}

fn schedule(org_id: &str, alert: &str, at: DateTime<Utc>) -> Schedule {
    let incident_id = IncidentId::derive(org_id, &agent("sleeps"), 1);
    // Longer than a name of the service may be.
    let alert_id =
        format!("{incident_id}.eu-a-regime-with-a-long-name-article-33-paragraph-1.{alert}");
    Schedule { incident_id, alert_id, at }
}

/// What lies ahead is taken however often it is put, and what lies behind is told from it.
pub(crate) async fn schedules(ports: &Ports, org_id: &str) {
    let now = ports.clock.now();
    let put = async |alert: &str, ahead: TimeDelta| {
        ports.schedules.put(&schedule(org_id, alert, now + ahead)).await.unwrap()
    };
    for (alert, ahead, expected) in [
        ("first", TimeDelta::days(300), Scheduled::Yes),
        ("first", TimeDelta::days(300), Scheduled::Yes),
        ("first", TimeDelta::days(200), Scheduled::Yes),
        ("second", TimeDelta::milliseconds(-1), Scheduled::Past),
        ("second", TimeDelta::days(-300), Scheduled::Past),
        ("first", TimeDelta::zero(), Scheduled::Past),
        ("second", TimeDelta::days(300), Scheduled::Yes),
    ] {
        assert_eq!(put(alert, ahead).await, expected, "{alert} {ahead}");
    }
}

/// An alert has one schedule, at the whole second of the instant that was put last or right after. `standing_at`
/// answers at which instants an alert has schedules.
pub(crate) async fn one_schedule_per_alert(
    ports: &Ports,
    org_id: &str,
    standing_at: impl AsyncFn(&str) -> Vec<DateTime<Utc>>,
) {
    let start = ports.clock.now() + TimeDelta::days(300);
    let other = schedule(org_id, "stays", start);
    assert_eq!(ports.schedules.put(&other).await.unwrap(), Scheduled::Yes);
    for ahead in [0, 86_400_000, 86_400_000, 1, -3_600_000] {
        let next = schedule(org_id, "moves", start + TimeDelta::milliseconds(ahead));
        assert_eq!(ports.schedules.put(&next).await.unwrap(), Scheduled::Yes);
        let standing = standing_at(&next.alert_id).await;
        assert_eq!(standing.len(), 1, "{ahead} ms: {standing:?}");
        let delay = standing[0] - next.at;
        assert!((0..1_000).contains(&delay.num_milliseconds()), "{ahead} ms: {delay}");
        let past = Schedule { at: at("2020-11-24T10:00:00Z"), ..next };
        assert_eq!(ports.schedules.put(&past).await.unwrap(), Scheduled::Past);
        assert_eq!(standing_at(&past.alert_id).await, standing, "what is past changes nothing");
    }
    assert_eq!(standing_at(&other.alert_id).await.len(), 1);
}

/// Every message has a receipt of its own.
pub(crate) async fn publisher(ports: &Ports, org_id: &str) {
    let now = at("2026-11-24T10:00:00Z");
    let change = opened(org_id, "publishes", now);
    let context = notices::Context {
        organisation: "Example Ltd".to_owned(),
        environment: "test".to_owned(),
        time_zone: chrono_tz::Europe::Dublin,
        org_name: None,
        agent_title: None,
        agent_owner: None,
    };
    let notice = notices::notice(&change.incident, &change.alerts[0], &context, now);
    let first = ports.publisher.publish(&notice).await.unwrap();
    let second = ports.publisher.publish(&notice).await.unwrap();
    assert!(!first.is_empty() && !second.is_empty());
    assert_ne!(first, second);
}
