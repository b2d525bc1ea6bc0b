//! JSON as it stands in files: its layouts, its limits, and rows of Event Log Files that were made objects.

use std::{
    io::Read,
    time::{Duration, Instant},
};

use eventlog::{
    attribution::Attribution,
    reader::{ReadError, ReadLimits},
    report::{CountedGap, Gap, QuarantineReason},
    row::{AccessRow, Hour},
    tally::Tally,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{
    real_time::event,
    support::{ORG, USER, log_of, read, read_with},
};

/// The rows of a CSV log as objects, all values as text.
fn objects_of(csv: &[u8]) -> Vec<Map<String, Value>> {
    let mut reader = csv::Reader::from_reader(csv);
    let names = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            names
                .iter()
                .zip(record.iter())
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .collect()
        })
        .collect()
}

fn rows(data: &[u8]) -> Vec<AccessRow> {
    let (kept, report) = read(data);
    assert_eq!(report.quarantined_rows, 0, "{:?}", kept.quarantined);
    kept.rows.into_iter().map(|(row, _)| row).collect()
}

#[test]
fn a_row_is_the_same_row_as_csv_and_as_json() {
    for (event_type, columns) in [
        (
            "RestApi",
            &[
                ("METHOD", "GET"),
                ("URI", "/services/data/v61.0/query"),
                ("QUERY", "SELECT Id FROM Lead"),
                ("ROWS_PROCESSED", "25"),
                ("STATUS_CODE", "200"),
                ("RUN_TIME", ""),
                ("USER_AGENT", "9999"),
            ][..],
        ),
        (
            "API",
            &[
                ("API_TYPE", "P"),
                ("API_VERSION", "58.0"),
                ("METHOD_NAME", "query"),
                ("ENTITY_NAME", "Contact,Lead"),
                ("ROWS_PROCESSED", "27"),
            ],
        ),
        (
            "ApexCallout",
            &[("REQUEST_SIZE", "-1"), ("SUCCESS", "1"), ("URL", "\"https://test.local.test\"")],
        ),
        (
            "Login",
            &[
                ("API_VERSION", "9998.0"),
                ("LOGIN_STATUS", "LOGIN_NO_ERROR"),
                ("SOURCE_IP", "203.0.113.9"),
            ],
        ),
    ] {
        let csv = log_of(event_type, columns);
        let expected = rows(&csv);
        assert_eq!(expected.len(), 1);
        let object = objects_of(&csv).remove(0);
        assert_eq!(rows(Value::Object(object.clone()).to_string().as_bytes()), expected);

        // As tools write it that know the types of the columns.
        let mut typed = object;
        for (name, value) in &mut typed {
            let text = value.as_str().unwrap().to_owned();
            *value = match (name.as_str(), text.as_str()) {
                ("SUCCESS", "1") => json!(true),
                ("TIMESTAMP_DERIVED", text) => {
                    let at: chrono::DateTime<chrono::Utc> = text.parse().unwrap();
                    json!(at.timestamp_millis())
                }
                ("TIMESTAMP", number) => json!(number.parse::<f64>().unwrap()),
                (_, "") => Value::Null,
                ("ENTITY_NAME", names) => json!(names.split(',').collect::<Vec<_>>()),
                ("ROWS_PROCESSED" | "STATUS_CODE" | "REQUEST_SIZE" | "API_VERSION", number) => {
                    json!(number.parse::<f64>().unwrap())
                }
                ("USER_AGENT", number) => json!(number.parse::<u64>().unwrap()),
                _ => json!(text),
            };
        }
        assert_eq!(rows(Value::Object(typed).to_string().as_bytes()), expected, "{event_type}");
    }
}

#[test]
fn quirk_3_a_merged_key_is_nobodys_and_the_row_is_read() {
    let row = |merged: &str| {
        let data = json!({
            "EVENT_TYPE": "Logout", "ORGANIZATION_ID": ORG, "USER_ID": USER, "TIMESTAMP": "20261124091500.128",
            merged: "1",
        });
        rows(data.to_string().as_bytes()).remove(0)
    };
    assert_eq!(row("API_VERSION,USER_INITIATED_LOGOUT"), row("NOBODYS"));
    assert_ne!(row("USER_INITIATED_LOGOUT"), row("NOBODYS"), "the column counts where it is whole");
}

#[test]
fn names_differ_in_case_and_by_release() {
    let lower = json!({"event_type": "RestApi", "organization_id": ORG, "user_identifier": USER, "timestamp": "20261124091500"});
    let upper = json!({"EVENT_TYPE": "RestApi", "ORGANIZATION_ID": ORG, "USER_ID": USER, "TIMESTAMP": "20261124091500"});
    assert_eq!(rows(lower.to_string().as_bytes()), rows(upper.to_string().as_bytes()));
}

#[test]
fn an_object_that_lacks_what_it_needs_is_set_aside_with_the_reason() {
    let data = [
        json!({"a": 1}).to_string(),
        json!({"EVENT_TYPE": "RestApi", "TIMESTAMP": "20261124091500"}).to_string(),
        json!({"EVENT_TYPE": "RestApi", "ORGANIZATION_ID": "x", "TIMESTAMP": "20261124091500"}).to_string(),
        json!({"EVENT_TYPE": "RestApi", "ORGANIZATION_ID": ORG}).to_string(),
        json!({"EVENT_TYPE": "RestApi", "ORGANIZATION_ID": ORG, "TIMESTAMP_DERIVED": "soon"}).to_string(),
        "{\"EVENT_TYPE\": RestApi}".to_owned(),
        "nothing".to_owned(),
        json!({"EVENT_TYPE": "RestApi", "ORGANIZATION_ID": ORG, "USER_ID": USER, "TIMESTAMP": "20261124091500"}).to_string(),
        "{\"EVENT_TYPE\":".to_owned(),
    ]
    .join("\n");
    let (kept, report) = read(data.as_bytes());
    let found: Vec<_> = kept.quarantined.iter().map(|row| (row.line_number, row.reason)).collect();
    assert_eq!(
        found,
        [
            (1, QuarantineReason::NoEventType),
            (2, QuarantineReason::NoOrganization),
            (3, QuarantineReason::BadOrganization),
            (4, QuarantineReason::NoTime),
            (5, QuarantineReason::BadTime),
            (6, QuarantineReason::MalformedJson),
            (7, QuarantineReason::MalformedJson),
            (9, QuarantineReason::UnterminatedJson),
        ]
    );
    assert_eq!((report.rows, report.agent_rows), (9, 1));
    assert_eq!(kept.quarantined[0].raw, br#"{"a":1}"#);
    let second = &kept.quarantined[1];
    assert!(
        data.get(usize::try_from(second.byte_offset).unwrap()..)
            .unwrap()
            .starts_with(std::str::from_utf8(&second.raw).unwrap())
    );
}

#[test]
fn a_row_without_its_user_is_read_and_a_gap() {
    let data =
        json!({"EVENT_TYPE": "RestApi", "ORGANIZATION_ID": ORG, "TIMESTAMP": "20261124091500"});
    let (_, report) = read(data.to_string().as_bytes());
    let gap = Gap::MissingColumn {
        event_type: Some(eventlog::event_type::EventType::RestApi),
        column: "USER_ID".to_owned(),
    };
    assert_eq!(report.gaps, [CountedGap { gap, rows: 1 }]);
}

#[test]
fn an_empty_array_is_an_empty_file_and_a_mark_of_byte_order_is_stepped_over() {
    assert!(read(b"[]\n").1.is_empty());
    let data = format!("\u{feff}{}", event(&json!({"ListViewId": "x"})));
    let (kept, report) = read(data.as_bytes());
    assert_eq!(report.agent_rows, 1, "{:?}", kept.quarantined);
}

#[test]
fn limits_of_rows_and_of_gzip_hold_for_json() {
    let limits =
        ReadLimits { max_row_bytes: 2_000, max_quarantined_bytes: 100, ..ReadLimits::default() };
    let small = event(&json!({"ListViewId": "x"})).to_string();
    let large = event(&json!({"ListViewId": "x", "Records": "x".repeat(3_000)})).to_string();
    let (kept, report) = read_with(format!("{small}\n{large}\n{small}").as_bytes(), &limits);
    assert_eq!(report.unwrap().agent_rows, 2);
    assert_eq!(kept.quarantined[0].reason, QuarantineReason::Oversized);
    assert_eq!((kept.quarantined[0].line_number, kept.quarantined[0].raw.len()), (2, 100));

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    // Ids that differ, so that the bytes do not shrink to nothing.
    for number in 0..2_000_u32 {
        let identifier = format!("{:x}", u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let line = event(&json!({"ListViewId": "x", "EventIdentifier": identifier}));
        std::io::Write::write_all(&mut encoder, format!("{line}\n").as_bytes()).unwrap();
    }
    let whole = encoder.finish().unwrap();
    let (kept, report) = read_with(whole.as_slice(), &ReadLimits::default());
    assert!(report.unwrap().is_gzip);
    assert_eq!(kept.rows.len(), 2_000);
    let (kept, result) = read_with(&whole[..whole.len() / 2], &ReadLimits::default());
    let error = result.unwrap_err();
    assert!(matches!(error, ReadError::TruncatedGzip { .. }), "{error}");
    assert_eq!(error.partial().unwrap().agent_rows, u64::try_from(kept.rows.len()).unwrap());
    assert!(kept.rows.len() > 100);
}

/// A mebibyte in quadratic time takes minutes, in linear time some milliseconds: the bound has room for a busy machine.
#[test]
fn hostile_text_costs_time_in_proportion_to_its_length() {
    let text_of_records = format!("\"Records\":\"{}\"", "\\\"Id\\\":".repeat(50_000));
    for unit in [
        "{\"a\":",
        "[",
        "{",
        "]",
        "}",
        "\"",
        "\\",
        "{\"records\":[",
        "{\"a\":1}",
        "{\"a\":[\n{",
        "x\n{",
        "{\"a\":\"\n",
        ",",
        "{\"message\":\"{",
        "{\"detail\":{\"payload\":",
        text_of_records.as_str(),
    ] {
        let data = unit.repeat((1 << 20) / unit.len());
        let data = if data.starts_with(['{', '[']) { data } else { format!("{{{data}") };
        let began = Instant::now();
        let (_, result) = read_with(data.as_bytes(), &ReadLimits::default());
        assert!(result.is_ok());
        let took = began.elapsed();
        assert!(took < Duration::from_secs(10), "{}: {took:?}", unit.get(..20).unwrap_or(unit));
    }
}

/// Gives its bytes a few at a time.
struct Chunked<'a> {
    data: &'a [u8],
    chunk: usize,
}

impl Read for Chunked<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.chunk.min(into.len()).min(self.data.len());
        into[..count].copy_from_slice(&self.data[..count]);
        self.data = &self.data[count..];
        Ok(count)
    }
}

/// Events and rows of several kinds.
fn any_event() -> impl Strategy<Value = Value> {
    let real_time = (0_u32..40, 0_u32..3_600, "[a-z\"\\\\{}\\[\\]\n,: é]{0,12}", 0_u32..500).prop_map(
        |(number, second, text, rows)| {
            event(&json!({
                "EventIdentifier": format!("e-{number}"),
                "EventDate": 1_795_510_800_000_i64 + i64::from(second) * 1_000,
                "ListViewId": "00B5g000004Hq3K", "ExecutionIdentifier": format!("x-{}", number % 5),
                "QueriedEntities": "Contact", "RowsProcessed": rows, "Name": text,
                "Records": json!({"records": [{"Id": format!("0035g0000{number:06}"), "Name": text}]}).to_string(),
            }))
        },
    );
    let elf = (0_u32..3_600, "[a-z\"{}]{0,12}", 0_u32..500).prop_map(|(second, text, rows)| {
        json!({
            "EVENT_TYPE": "RestApi", "ORGANIZATION_ID": ORG, "USER_ID": USER,
            "TIMESTAMP": format!("2026112409{:02}{:02}", second / 60, second % 60),
            "EXCEPTION_MESSAGE": text, "ROWS_PROCESSED": rows, "METHOD": "GET",
        })
    });
    prop_oneof![real_time, elf]
}

fn lay_out(events: &[Value], layout: usize) -> String {
    let join =
        |between: &str| events.iter().map(Value::to_string).collect::<Vec<_>>().join(between);
    match layout {
        0 => join("\n"),
        1 => format!("[{}]", join(",")),
        2 => join(""),
        3 => serde_json::to_string_pretty(events).unwrap(),
        4 => join(",\r\n"),
        5 => json!({"totalSize": events.len(), "done": true, "records": events}).to_string(),
        _ => events.iter().map(|it| serde_json::to_string_pretty(it).unwrap()).collect(),
    }
}

fn tallies(rows: &[(AccessRow, Attribution)]) -> String {
    let mut unique: Vec<_> = rows.iter().collect();
    unique.sort_by(|(first, _), (second, _)| first.row_hash.cmp(&second.row_hash));
    unique.dedup_by(|(later, _), (earlier, _)| later.row_hash == earlier.row_hash);
    let mut tally = Tally::new(
        ORG,
        eventlog::event_type::EventType::ListViewEvent,
        Hour::from_key("2026-11-24T09").unwrap(),
    );
    for (row, attribution) in unique {
        tally.add(row, attribution);
    }
    serde_json::to_string(&tally.finish().into_values().collect::<Vec<_>>()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn layout_chunks_order_and_repetition_do_not_show(
        events in prop::collection::vec(any_event(), 1..12),
        layout in 0_usize..7,
        chunk in prop::sample::select(vec![1_usize, 2, 7, 4_096]),
        turn in 0_usize..12,
        repeats in any::<bool>(),
    ) {
        // One identifier is one event: what came first under it stands.
        let mut seen = std::collections::BTreeSet::new();
        let events: Vec<_> = events.into_iter().filter(|it| seen.insert(it.get("EventIdentifier").map_or_else(|| it.to_string(), Value::to_string))).collect();
        let (plain, _) = read(lay_out(&events, 0).as_bytes());
        prop_assert_eq!(plain.rows.len(), events.len());

        let mut others = events.clone();
        others.rotate_left(turn % events.len());
        if repeats {
            others.extend(events.clone());
        }
        let data = lay_out(&others, layout);
        let source = Chunked { data: data.as_bytes(), chunk };
        let (kept, report) = read_with(source, &ReadLimits::default());
        let report = report.unwrap();
        prop_assert_eq!(report.quarantined_rows, 0, "{:?}", kept.quarantined);
        prop_assert_eq!(kept.rows.len(), others.len());
        prop_assert_eq!(tallies(&kept.rows), tallies(&plain.rows));
    }

    #[test]
    fn no_bytes_are_too_much_and_every_row_is_accounted_for(
        parts in prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec![
                    "{", "}", "[", "]", "\"", ":", ",", "\n", "\\", "null", "1e999", "{\"EVENT_TYPE\":\"Login\"}",
                    "\"records\":[", "{\"message\":\"{}\"}", "{\"detail\":{\"payload\":{}}}", "\"EventIdentifier\":\"1\"",
                    "{\"class_uid\":6003}", "{\"requestId\":1,\"httpMethod\":2,\"status\":3,\"path\":4}", "\u{feff}",
                ]).prop_map(|it| it.as_bytes().to_vec()),
                prop::collection::vec(any::<u8>(), 0..4),
            ],
            0..60,
        ),
    ) {
        let mut data = b"{".to_vec();
        data.extend(parts.concat());
        let (kept, result) = read_with(data.as_slice(), &ReadLimits::default());
        if let Ok(report) = result {
            let sum = report.agent_rows + report.other_rows + report.unread_rows + report.quarantined_rows;
            prop_assert_eq!(report.rows, sum);
            prop_assert_eq!(usize::try_from(report.quarantined_rows).unwrap(), kept.quarantined.len());
        }
    }
}
