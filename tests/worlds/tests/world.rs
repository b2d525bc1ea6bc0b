//! What a world promises, recounted from its files and the configuration alone.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking, its helpers included"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use chrono::{DateTime, NaiveDate, Timelike, Utc};
use serde::Deserialize;
use worlds::{CANARY_PERSONAL_DATA, LogFile, ORG_ID, Row, SUPPORT_COPILOT, World, schema};

const SEEDS: [u64; 4] = [1, 2, 77, 123_456];

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[derive(Deserialize)]
struct AgentsFile {
    people_applications: Vec<String>,
    agents: Vec<Agent>,
}

#[derive(Deserialize)]
struct Agent {
    name: String,
    orgs: Vec<String>,
    identities: Vec<BTreeMap<String, String>>,
    purposes: Vec<Purpose>,
}

#[derive(Deserialize)]
struct Purpose {
    objects: BTreeSet<String>,
    operations: BTreeSet<String>,
    channels: BTreeSet<String>,
    records_per_hour: u64,
    records_per_day: u64,
    hours: Option<Hours>,
}

#[derive(Deserialize)]
struct Hours {
    from: String,
    to: String,
    time_zone: chrono_tz::Tz,
}

fn agents_file() -> AgentsFile {
    let text = std::fs::read_to_string(repository().join("infra/config/agents.yaml")).unwrap();
    serde_yaml_ng::from_str(&text).unwrap()
}

/// The rows as the csv crate reads them from the file's bytes.
fn parse(file: &LogFile) -> Vec<BTreeMap<String, String>> {
    let bytes = file.to_csv();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    reader.deserialize().map(Result::unwrap).collect()
}

type Fields = BTreeMap<String, String>;

fn field<'a>(row: &'a Fields, column: &str) -> &'a str {
    row.get(column).map_or("", String::as_str)
}

fn time(row: &Fields) -> DateTime<Utc> {
    row["TIMESTAMP_DERIVED"].parse().unwrap()
}

/// The registered agent that the row itself names.
fn agent_of<'a>(agents: &'a AgentsFile, row: &Fields) -> Option<&'a Agent> {
    agents.agents.iter().find(|agent| {
        agent.identities.iter().flatten().any(|(kind, value)| {
            let column = match kind.as_str() {
                "bot" => "BOT_IDENTIFIER",
                "connected_app" => "CONNECTED_APP_ID",
                "user" => "USER_ID",
                "client" => "CLIENT_NAME",
                other => panic!("this test does not know identities by {other}"),
            };
            field(row, column) == value
        })
    })
}

struct Access {
    channel: &'static str,
    operation: &'static str,
    object: Option<String>,
    records: u64,
}

/// A strict reading of a row; `None` for a login, which accesses nothing.
fn access_of(row: &Fields) -> Option<Access> {
    let number = |column: &str| field(row, column).parse::<u64>().unwrap();
    let by_method = |method: &str, path: &str| match method {
        // Managing a bulk job touches no record.
        _ if (path.contains("/jobs/") || path.starts_with("/services/async/"))
            && !["/result", "/results"].iter().any(|end| path.ends_with(end)) =>
        {
            "describe"
        }
        "POST" => "create",
        "PATCH" => "update",
        "DELETE" => "delete",
        _ if path.ends_with("/describe")
            || path.ends_with("/sobjects/")
            || path.ends_with("/limits/") =>
        {
            "describe"
        }
        _ => "read",
    };
    let object = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    let access = |channel, operation, name: &str, records| {
        Some(Access { channel, operation, object: object(name), records })
    };
    match row["EVENT_TYPE"].as_str() {
        "Login" => None,
        "RestApi" => {
            let counts = row["QUERY"].starts_with("SELECT COUNT()");
            let operation =
                if counts { "describe" } else { by_method(&row["METHOD"], &row["URI"]) };
            let records = if row["REQUEST_STATUS"] == "S" { number("ROWS_PROCESSED") } else { 0 };
            access("rest", operation, &row["ENTITY_NAME"], records)
        }
        "API" => {
            let operation = if row["METHOD_NAME"] == "query" { "read" } else { "update" };
            access("soap", operation, &row["ENTITY_NAME"], number("ROWS_PROCESSED"))
        }
        "BulkApi" => access("bulk", "export", &row["ENTITY_TYPE"], number("ROWS_PROCESSED")),
        "BulkApi2" => access("bulk", "export", &row["ENTITY_TYPE"], number("RECORDS_PROCESSED")),
        "BulkApiRequest" => access("bulk", "export", "", 0),
        "UniqueQuery" => {
            let query = &row["QUERY_IDENTIFIER"];
            let name = query.split(" FROM ").nth(1).unwrap().split(' ').next().unwrap();
            let operation = if query.contains("COUNT()") { "describe" } else { "read" };
            access("query", operation, name, 0)
        }
        "ApiTotalUsage" => {
            let operation = match (row["API_FAMILY"].as_str(), row["API_RESOURCE"].as_str()) {
                ("SOAP", "query") => "read",
                ("SOAP", method) => {
                    assert_eq!(method, "update");
                    "update"
                }
                (_, path) => by_method(&row["HTTP_METHOD"], path),
            };
            access("api_usage", operation, &row["ENTITY_NAME"], 0)
        }
        other => panic!("an agent has a row of {other}"),
    }
}

/// Accesses outside of what the configuration allows, by agent; and volumes over its limits.
struct Violations {
    rows: Vec<(String, DateTime<Utc>, Option<String>, u64)>,
    volumes: Vec<String>,
}

fn violations(world: &World) -> Violations {
    let agents = agents_file();
    let mut found = Violations { rows: Vec::new(), volumes: Vec::new() };
    let mut by_hour: BTreeMap<(String, DateTime<Utc>), u64> = BTreeMap::new();
    let mut by_day: BTreeMap<(String, NaiveDate), u64> = BTreeMap::new();
    for row in world.files.iter().flat_map(parse) {
        let Some(agent) = agent_of(&agents, &row) else { continue };
        assert_eq!(agent.orgs, [row["ORGANIZATION_ID"].clone()]);
        let at = time(&row);
        let Some(access) = access_of(&row) else {
            assert_eq!(agent.name, SUPPORT_COPILOT, "only the agent that goes wrong logs in");
            continue;
        };
        let allowed = agent.purposes.iter().any(|purpose| {
            purpose.channels.contains(access.channel)
                && purpose.operations.contains(access.operation)
                && access.object.as_ref().is_none_or(|object| purpose.objects.contains(object))
                && purpose.hours.as_ref().is_none_or(|hours| {
                    let local = at.with_timezone(&hours.time_zone).format("%H:%M").to_string();
                    hours.from <= local && local < hours.to
                })
        });
        if allowed {
            let hour =
                at.with_minute(0).unwrap().with_second(0).unwrap().with_nanosecond(0).unwrap();
            *by_hour.entry((agent.name.clone(), hour)).or_default() += access.records;
            *by_day.entry((agent.name.clone(), at.date_naive())).or_default() += access.records;
        } else {
            found.rows.push((agent.name.clone(), at, access.object, access.records));
        }
    }
    let limit = |name: &str, of: fn(&Purpose) -> u64| {
        agents
            .agents
            .iter()
            .find(|agent| agent.name == name)
            .map(|agent| of(&agent.purposes[0]))
            .unwrap()
    };
    for ((agent, hour), records) in by_hour {
        if records > limit(&agent, |purpose| purpose.records_per_hour) {
            found.volumes.push(format!("{agent} {hour}: {records}"));
        }
    }
    for ((agent, day), records) in by_day {
        if records > limit(&agent, |purpose| purpose.records_per_day) {
            found.volumes.push(format!("{agent} {day}: {records}"));
        }
    }
    found
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_other_ones() {
    let bytes =
        |seed| World::morning(seed).files.iter().flat_map(LogFile::to_csv).collect::<Vec<u8>>();
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
    let file = World::quiet(1, 1).files.remove(0);
    assert_eq!(file.to_csv_gz(), file.to_csv_gz());
}

#[test]
fn headers_are_those_of_live_orgs_and_hold_what_the_reference_lists() {
    let carried_over = include_str!("data/headers.txt");
    assert_eq!(carried_over.lines().count(), schema::SCHEMAS.len());
    for line in carried_over.lines() {
        let [event_type, kind, columns] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let schema = schema::Schema::of(event_type).unwrap();
        let mut header: Vec<&str> = schema.columns().collect();
        if kind == "observed" {
            assert_eq!(schema.order, schema::Order::Observed);
        } else {
            assert_eq!(schema.order, schema::Order::Plausible);
            header.sort_unstable();
        }
        assert_eq!(header.join(","), columns, "{event_type}");
    }
    for file in World::morning(1).files {
        let schema = schema::Schema::of(file.event_type).unwrap();
        assert!(file.header.iter().eq(schema.columns()), "{}", file.name);
    }
}

#[test]
fn files_parse_to_the_rows_they_were_made_from() {
    for file in World::morning(1).files {
        assert!(file.to_csv().starts_with(b"\"EVENT_TYPE\",\"TIMESTAMP\","));
        let parsed = parse(&file);
        assert_eq!(parsed.len(), file.rows.len());
        for (fields, row) in parsed.iter().zip(&file.rows) {
            let filled: BTreeMap<&str, &str> = fields
                .iter()
                .map(|(column, value)| (column.as_str(), value.as_str()))
                .filter(|(_, value)| !value.is_empty())
                .collect();
            // Equality both ways: no column of a row is left out because its header lacks it.
            let made: BTreeMap<&str, &str> = row
                .values
                .iter()
                .map(|(column, value)| (column.as_ref(), value.as_str()))
                .filter(|(_, value)| !value.is_empty())
                .collect();
            assert_eq!(filled, made, "{}", file.name);
            assert_eq!(fields["EVENT_TYPE"], file.event_type);
            assert_eq!(fields["ORGANIZATION_ID"], ORG_ID);
            let (at, hour) = (time(fields), file.hour);
            assert_eq!(at, row.at);
            assert!(hour <= at && at < hour + chrono::TimeDelta::hours(1), "{}", file.name);
            assert_eq!(at.format("%Y%m%d%H%M%S%.3f").to_string(), fields["TIMESTAMP"]);
        }
    }
}

#[test]
fn a_morning_has_every_type_and_the_hours_of_night_and_day() {
    let world = World::morning(1);
    let types: BTreeSet<&str> = world.files.iter().map(|file| file.event_type).collect();
    let all: BTreeSet<&str> = schema::SCHEMAS.iter().map(|schema| schema.event_type).collect();
    assert_eq!(types, all);
    let hours: BTreeSet<u32> = world.files.iter().map(|file| file.hour.hour()).collect();
    assert_eq!(hours, BTreeSet::from([0, 1, 2, 3, 6, 7, 8, 9, 10, 11]));
    let names: BTreeSet<&String> = world.files.iter().map(|file| &file.name).collect();
    assert_eq!(names.len(), world.files.len());
    let people: BTreeSet<&str> = world
        .files
        .iter()
        .flat_map(|file| &file.rows)
        .map(|row| row.value("USER_ID"))
        .filter(|user| user.contains("Emp"))
        .collect();
    assert_eq!(people.len(), 40);
}

#[test]
fn no_two_rows_are_alike() {
    let world = World::quiet(1, 3);
    let rows: Vec<&Row> = world.files.iter().flat_map(|file| &file.rows).collect();
    let distinct: BTreeSet<_> = rows.iter().map(|row| &row.values).collect();
    assert_eq!(distinct.len(), rows.len());
}

#[test]
fn the_truth_agrees_with_a_recount_by_the_configuration() {
    let agents = agents_file();
    for seed in SEEDS {
        let world = World::morning(seed);
        let mut rows = 0;
        let mut rows_by_agent: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        let mut records_by_agent: BTreeMap<String, u64> = BTreeMap::new();
        for row in world.files.iter().flat_map(parse) {
            rows += 1;
            let Some(agent) = agent_of(&agents, &row) else { continue };
            *rows_by_agent
                .entry(agent.name.clone())
                .or_default()
                .entry(row["EVENT_TYPE"].clone())
                .or_default() += 1;
            *records_by_agent.entry(agent.name.clone()).or_default() +=
                access_of(&row).map_or(0, |access| access.records);
        }
        assert_eq!(world.truth.rows, rows);
        assert_eq!(world.truth.rows_by_agent, rows_by_agent);
        assert_eq!(world.truth.records_by_agent, records_by_agent);
        assert_eq!(rows_by_agent.len(), agents.agents.len(), "every registered agent is at work");
    }
}

#[test]
fn the_only_violations_of_a_morning_are_its_leak() {
    for seed in SEEDS {
        let world = World::morning(seed);
        let [leak] = &world.truth.leaks[..] else { panic!("one leak") };
        let found = violations(&world);
        assert_eq!(found.volumes, Vec::<String>::new());
        let mut objects: BTreeMap<String, u64> = BTreeMap::new();
        for (agent, at, object, records) in &found.rows {
            assert_eq!(agent, SUPPORT_COPILOT, "{at}: {object:?}");
            if let Some(object) = object
                && *records > 0
            {
                *objects.entry(object.clone()).or_default() += records;
            }
        }
        assert_eq!(objects, leak.objects);
        assert_eq!(leak.records, objects.values().sum::<u64>());
        assert_eq!((leak.agent.as_str(), leak.org.as_str()), (SUPPORT_COPILOT, ORG_ID));
        assert_eq!(Some(leak.first_at), found.rows.iter().map(|row| row.1).min());
        assert_eq!(Some(leak.last_at), found.rows.iter().map(|row| row.1).max());
        assert_eq!(leak.first_at.format("%H:%M").to_string(), "09:12");
    }
}

#[test]
fn quiet_days_have_no_violation_and_begin_like_the_morning() {
    for seed in SEEDS {
        let quiet = World::quiet(seed, 5);
        let found = violations(&quiet);
        assert!(found.rows.is_empty() && found.volumes.is_empty(), "{:?}", found.volumes);
        assert!(quiet.truth.leaks.is_empty());

        let rows = |world: &World| -> BTreeSet<BTreeMap<_, String>> {
            world.files.iter().flat_map(|file| &file.rows).map(|row| row.values.clone()).collect()
        };
        let (morning, first_day) = (rows(&World::morning(seed)), rows(&World::quiet(seed, 1)));
        assert!(first_day.is_subset(&morning) && first_day.is_subset(&rows(&quiet)));
        let leak = u64::try_from(morning.len() - first_day.len()).unwrap();
        assert_eq!(World::morning(seed).truth.rows - World::quiet(seed, 1).truth.rows, leak);
    }
}

/// An app that the configuration does not know would rightly be taken for an agent nobody registered.
#[test]
fn every_connected_app_is_an_agents_or_one_that_people_use() {
    let agents = agents_file();
    for row in World::morning(1).files.iter().flat_map(parse) {
        if !field(&row, "CONNECTED_APP_ID").is_empty() && agent_of(&agents, &row).is_none() {
            let name = field(&row, "CONNECTED_APP_NAME");
            assert!(agents.people_applications.iter().any(|known| known == name), "{row:?}");
        }
    }
}

#[test]
fn the_canary_stands_where_logs_hold_personal_data_of_agents_and_people() {
    let agents = agents_file();
    let mut seen: BTreeSet<(bool, String, String)> = BTreeSet::new();
    for row in World::morning(1).files.iter().flat_map(parse) {
        let is_agent = agent_of(&agents, &row).is_some();
        for (column, value) in &row {
            if value.contains(CANARY_PERSONAL_DATA) {
                seen.insert((is_agent, row["EVENT_TYPE"].clone(), column.clone()));
            }
        }
    }
    for (is_agent, event_type, column) in [
        (true, "RestApi", "QUERY"),
        (true, "RestApi", "URI"),
        (true, "RestApi", "EXCEPTION_MESSAGE"),
        (true, "UniqueQuery", "QUERY_IDENTIFIER"),
        (true, "ApiTotalUsage", "USER_NAME"),
        (true, "BulkApiRequest", "ERROR_MESSAGE"),
        (true, "Login", "USER_NAME"),
        (false, "RestApi", "QUERY"),
        (false, "RestApi", "EXCEPTION_MESSAGE"),
        (false, "URI", "URI"),
        (false, "ReportExport", "REPORT_DESCRIPTION"),
        (false, "Login", "USER_NAME"),
    ] {
        assert!(
            seen.contains(&(is_agent, event_type.to_owned(), column.to_owned())),
            "{event_type}.{column}"
        );
    }
}
