//! Files that cannot be read, or not wholly, each for a reason of its own. No row in them is an agent's
//! that is not in the morning's files too, so that they add nothing to what a reader finds.

use std::borrow::Cow;

use crate::{
    World,
    dice::Dice,
    log_file::{LogFile, Row},
    organisation::CANARY_PERSONAL_DATA,
};

pub(super) fn files(world: &World) -> Vec<(&'static str, Vec<u8>)> {
    let mut dice = Dice::new(super::SEED, 60);
    // The busiest hour: enough comes out before the break.
    let Some(rest) = world
        .files
        .iter()
        .filter(|file| file.event_type == "RestApi")
        .max_by_key(|file| file.rows.len())
    else {
        return Vec::new();
    };
    let people = people_only(world, "RestApi", 6);
    let logins = people_only(world, "Login", 4);

    let whole = rest.to_csv_gz();
    let truncated = whole.get(..whole.len() / 5 * 3).unwrap_or_default().to_vec();

    // The ZIP and Parquet marks would be a finding of their own: this is nothing at all.
    let mut garbage = vec![0x00, 0xff, 0x13];
    garbage.extend(dice.bytes(4_093));

    vec![
        ("truncated.csv.gz", truncated),
        ("empty.csv", Vec::new()),
        ("header-only.csv", LogFile { rows: Vec::new(), ..people.clone() }.to_csv()),
        ("another-type.csv", another_type(&people)),
        ("unknown-type.csv", with_event_type(&people, "QuantumTelemetry").to_csv()),
        ("json-instead-of-csv.csv", json(&people).into_bytes()),
        ("missing-timestamps.csv", without(&people, &["TIMESTAMP", "TIMESTAMP_DERIVED"]).to_csv()),
        ("missing-user-id.csv", without(&people, &["USER_ID"]).to_csv()),
        ("unreadable-times.csv", unreadable_times(&people).to_csv()),
        ("binary-garbage.csv", garbage),
        ("oversized-row.csv", oversized_row(&people).to_csv()),
        ("latin-1.csv", latin_1(&logins)),
    ]
}

/// Rows of people, a few of them: the users of agents and services do not begin with `Emp`.
fn people_only(world: &World, event_type: &'static str, count: usize) -> LogFile {
    let rows = world
        .files
        .iter()
        .filter(|file| file.event_type == event_type)
        .flat_map(|file| &file.rows)
        .filter(|row| row.value("USER_ID").contains("Emp"))
        .take(count)
        .cloned()
        .collect();
    let file = world.files.iter().find(|file| file.event_type == event_type);
    file.map_or_else(|| LogFile::empty(event_type), |file| LogFile { rows, ..file.clone() })
}

fn map_rows(file: &LogFile, change: impl Fn(usize, Row) -> Row) -> LogFile {
    let rows =
        file.rows.iter().cloned().enumerate().map(|(index, row)| change(index, row)).collect();
    LogFile { rows, ..file.clone() }
}

fn with_event_type(file: &LogFile, name: &'static str) -> LogFile {
    map_rows(file, |_, row| row.with("EVENT_TYPE", name))
}

/// A type of Salesforce's that tells of no access and is not read, with a part of its columns.
fn another_type(people: &LogFile) -> Vec<u8> {
    let header = [
        "EVENT_TYPE",
        "TIMESTAMP",
        "REQUEST_ID",
        "ORGANIZATION_ID",
        "USER_ID",
        "CLIENT_ID",
        "SESSION_KEY",
        "LOGIN_KEY",
        "USER_TYPE",
        "APP_NAME",
        "PAGE_URL",
        "DURATION",
        "TIMESTAMP_DERIVED",
    ];
    let file = map_rows(people, |_, row| {
        row.with("EVENT_TYPE", "LightningInteraction")
            .with("APP_NAME", "one:one")
            .with("PAGE_URL", format!("/lightning/search?term={CANARY_PERSONAL_DATA}"))
            .with("DURATION", "412")
    });
    LogFile { header: header.iter().copied().map(Cow::Borrowed).collect(), ..file }.to_csv()
}

fn without(file: &LogFile, columns: &[&str]) -> LogFile {
    let header =
        file.header.iter().filter(|column| !columns.contains(&column.as_ref())).cloned().collect();
    LogFile { header, ..file.clone() }
}

/// The first row can be read; of the others, none says when it happened.
fn unreadable_times(file: &LogFile) -> LogFile {
    map_rows(file, |index, row| {
        let (time, derived) = match index {
            0 => return row,
            1 => ("", ""),
            2 => ("yesterday", "soon"),
            3 => ("20261324250000.000", "2026-13-24T25:00:00.000Z"),
            _ => ("0", "-"),
        };
        row.with("TIMESTAMP", time).with("TIMESTAMP_DERIVED", derived)
    })
}

/// The third row is 70 kB long, the others are as usual: a reader with a small limit skips only that one.
fn oversized_row(file: &LogFile) -> LogFile {
    map_rows(file, |index, row| {
        if index != 2 {
            return row;
        }
        let ids = vec!["'0035g00000AAAAA'"; 3_700].join(", ");
        row.with("QUERY", format!("SELECT Id FROM Contact WHERE Id IN ({ids})"))
    })
}

/// Bytes of Latin-1 where UTF-8 is due: in the second row where nobody looks, in the third in an id.
fn latin_1(logins: &LogFile) -> Vec<u8> {
    const MARK: u8 = 0x01;
    let file = map_rows(logins, |index, row| match index {
        1 => row.with("USER_NAME", "j\u{1}rgen@meridian-cloud.example"),
        2 => row.with("USER_ID", "0055g00000\u{1}mp03"),
        _ => row,
    });
    file.to_csv().into_iter().map(|byte| if byte == MARK { 0xfc } else { byte }).collect()
}

/// The rows as another tool relays them: one JSON object a line.
fn json(file: &LogFile) -> String {
    let line = |row: &Row| {
        let members: Vec<String> = file
            .header
            .iter()
            .map(|column| format!("{}:{}", quoted(column), quoted(row.value(column))))
            .collect();
        format!("{{{}}}\n", members.join(","))
    };
    file.rows.iter().map(line).collect()
}

/// A JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
