//! `events/` holds what the generator makes, and each file is the case that its name says.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking, its helpers included"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;
use serde_json::Value;
use worlds::{World, events_folder};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

fn committed(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            committed(&entry.path(), &format!("{name}/"), found);
        } else {
            found.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
}

#[test]
fn the_committed_files_are_what_the_generator_makes() {
    let mut found = BTreeMap::new();
    committed(&folder(), "", &mut found);
    let readme = String::from_utf8(found.remove("README.md").unwrap()).unwrap();
    let made = events_folder::files();
    let missing: Vec<_> = made.keys().filter(|name| !found.contains_key(*name)).collect();
    let stray: Vec<_> = found.keys().filter(|name| !made.contains_key(*name)).collect();
    assert!(
        missing.is_empty() && stray.is_empty(),
        "missing {missing:?}, stray {stray:?}; run: cargo run -p worlds -- write events"
    );
    for (name, bytes) in &made {
        assert!(
            found[name] == *bytes,
            "events/{name} differs; run: cargo run -p worlds -- write events"
        );
    }
    let size: usize = made.values().map(Vec::len).sum();
    assert!(size < 4_000_000, "{size} bytes");
    for name in made.keys().filter(|name| !name.starts_with("morning/")) {
        let file = name.split('/').nth(1).unwrap();
        assert!(readme.contains(&format!("`{file}`")), "events/README.md does not tell of {file}");
    }
}

#[test]
fn the_morning_is_there_whole_some_of_it_compressed() {
    let files = events_folder::files();
    let world = World::morning(events_folder::SEED);
    let mut compressed = 0;
    for file in &world.files {
        let plain = files.get(&format!("morning/{}", file.name)).cloned().unwrap_or_else(|| {
            compressed += 1;
            let mut plain = Vec::new();
            let bytes = &files[&format!("morning/{}.gz", file.name)];
            GzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).unwrap();
            plain
        });
        assert_eq!(plain, file.to_csv());
    }
    assert!(compressed > 5 && compressed < world.files.len(), "{compressed}");
}

fn bad(name: &str) -> Vec<u8> {
    events_folder::files()[&format!("bad/{name}")].clone()
}

#[test]
fn each_bad_file_is_bad_in_its_own_way() {
    let mut plain = Vec::new();
    let error =
        GzDecoder::new(bad("truncated.csv.gz").as_slice()).read_to_end(&mut plain).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(plain.len() > 10_000, "rows before the break can be read");

    assert!(bad("empty.csv").is_empty());
    let header = String::from_utf8(bad("header-only.csv")).unwrap();
    assert_eq!(header.lines().count(), 1);

    let columns = |name: &str| -> BTreeSet<String> {
        let bytes = bad(name);
        csv::Reader::from_reader(bytes.as_slice())
            .headers()
            .unwrap()
            .iter()
            .map(str::to_owned)
            .collect()
    };
    assert!(
        !columns("missing-timestamps.csv").iter().any(|column| column.starts_with("TIMESTAMP"))
    );
    assert!(!columns("missing-user-id.csv").contains("USER_ID"));

    let json = bad("json-instead-of-csv.csv");
    for line in json.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let row: Value = serde_json::from_slice(line).unwrap();
        assert_eq!(row["EVENT_TYPE"], "RestApi");
    }

    assert!(String::from_utf8(bad("binary-garbage.csv")).is_err());
    let latin_1 = bad("latin-1.csv");
    assert!(String::from_utf8(latin_1.clone()).is_err());
    assert_eq!(latin_1.split(|byte| *byte == 0xfc).count() - 1, 2);

    let oversized = bad("oversized-row.csv");
    let lengths: Vec<usize> = csv::Reader::from_reader(oversized.as_slice())
        .byte_records()
        .map(|record| record.unwrap().as_slice().len())
        .collect();
    assert_eq!(lengths.iter().filter(|length| **length > 65_536).count(), 1);
    assert!(lengths.len() > 4 && lengths[0] < 2_000);
}

/// A folder may be read as a whole: what can be read of the bad files must not add to what is found.
#[test]
fn what_can_be_read_of_the_bad_files_names_no_agent_that_the_morning_does_not() {
    let morning: BTreeSet<Vec<u8>> = World::morning(events_folder::SEED)
        .files
        .iter()
        .flat_map(|file| {
            file.to_csv().split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>()
        })
        .collect();
    for (name, bytes) in events_folder::files().iter().filter(|(name, _)| name.starts_with("bad/"))
    {
        let mut plain = bytes.clone();
        if name.strip_suffix(".gz").is_some() {
            plain.clear();
            // It breaks off; what came before is what matters here.
            let _ = GzDecoder::new(bytes.as_slice()).read_to_end(&mut plain);
        }
        let lines: Vec<&[u8]> = plain.split(|byte| *byte == b'\n').collect();
        for line in lines.iter().take(lines.len().saturating_sub(1)) {
            let text = String::from_utf8_lossy(line);
            let names_agent = ["Bot0", "0H45g", "0Xx5g", "meeting-scheduler"]
                .iter()
                .any(|mark| text.contains(mark));
            assert!(!names_agent || morning.contains(*line), "{name}: {text}");
        }
    }
}

fn invocation(name: &str) -> Value {
    serde_json::from_slice(&events_folder::files()[&format!("invocations/{name}")]).unwrap()
}

fn body(name: &str, index: usize) -> Value {
    serde_json::from_str(invocation(name)["Records"][index]["body"].as_str().unwrap()).unwrap()
}

/// As Lambda functions must: `+` is a space, `%2B` a plus.
fn decode(key: &str) -> String {
    percent_encoding::percent_decode_str(&key.replace('+', " ")).decode_utf8().unwrap().into_owned()
}

#[test]
fn a_bucket_notification_encodes_its_key_and_eventbridge_does_not() {
    let world = World::morning(events_folder::SEED);
    let file =
        world.files.iter().find(|file| file.name.starts_with("RestApi_2026-11-24T09_")).unwrap();
    let awkward = file.awkward_key();
    assert!(awkward.contains(' ') && awkward.contains('+'));

    let notification = body("s3-notification-in-sqs.json", 0);
    let key = notification["Records"][0]["s3"]["object"]["key"].as_str().unwrap();
    assert!(key.contains('+') && key.contains("%2B") && !key.contains(' '));
    assert_eq!(decode(key), awkward);

    let wrapped = body("s3-notification-wrapped-by-sns-in-sqs.json", 0);
    let inner: Value = serde_json::from_str(wrapped["Message"].as_str().unwrap()).unwrap();
    assert_eq!(inner, notification);

    let plain = body("eventbridge-object-created-in-sqs.json", 0);
    assert_eq!(plain["detail"]["object"]["key"], file.key());
    let plain = body("eventbridge-awkward-key-in-sqs.json", 0);
    assert_eq!(plain["detail"]["object"]["key"], awkward);
}

#[test]
fn the_other_invocations_are_what_their_names_say() {
    assert_eq!(body("s3-test-event-in-sqs.json", 0)["Event"], "s3:TestEvent");
    assert_eq!(
        body("s3-object-removed-in-sqs.json", 0)["Records"][0]["eventName"],
        "ObjectRemoved:Delete"
    );
    assert_eq!(invocation("eventbridge-scheduled.json")["detail-type"], "Scheduled Event");

    let mixed = invocation("mixed-batch-in-sqs.json");
    let bodies: Vec<&str> = mixed["Records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["body"].as_str().unwrap())
        .collect();
    let readable: Vec<bool> =
        bodies.iter().map(|body| serde_json::from_str::<Value>(body).is_ok()).collect();
    assert_eq!(readable, [true, false, true]);
    let ids: BTreeSet<&str> = mixed["Records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["messageId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 3);

    let stream = invocation("access-table-stream.json");
    let names: Vec<&str> = stream["Records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["eventName"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
    assert_eq!(stream["Records"][0]["dynamodb"]["Keys"]["sk"]["S"], "HOUR#2026-11-24T09#RestApi");
}
