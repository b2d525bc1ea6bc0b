//! Rows that lie in files in any order, any split and any number of times add up to the same.

use std::collections::BTreeMap;

use bolero::check;
use eventlog::{
    attribution::AgentKey,
    extract::{
        DEFAULT_CHUNK_ROWS, ExtractBuilder, ExtractChunk, ExtractKey, ExtractReader, merge_unique,
    },
    tally::{AgentHour, Tally},
};

use crate::{
    reading::{LIMITS, directory, read},
    soup,
};

const TYPES: [&str; 4] = ["RestApi", "RestApi", "Report", "BulkApi"];
const HOURS: [&str; 3] = ["2026-11-24T09", "2026-11-24T10", "2026-11-24T09"];
const ORGS: [&str; 4] =
    ["00D5g000004Hq3K", "00D5g000004Hq3KEAE", "00D5g000004Zz9Z", "00D5g000004Hq3K"];
const USERS: [&str; 3] = ["0055g00000Bot01", "0055g00000Ann01", "0055g00000Bot01AAB"];
const CLIENTS: [&str; 3] = ["", "curl/8.1", "Salesforce Mobile"];
const URIS: [&str; 4] = [
    "",
    "/services/data/v61.0/sobjects/Contact/0035g00000AbCdE",
    "/services/data/v61.0/sobjects/Account/0015g00000AbCdE",
    "/services/data/v61.0/query?q=SELECT+Email+FROM+Lead",
];
const COUNTS: [&str; 4] = ["", "1", "25", "18446744073709551615"];

/// Bytes that say one row.
const ROW_BYTES: usize = 5;

#[test]
fn the_same_rows_in_any_files_add_up_to_the_same() {
    let check = |input: &[u8]| {
        let Some((files, specifications)) = input.split_first_chunk::<3>() else { return };
        let rows: Vec<_> =
            specifications.chunks_exact(ROW_BYTES).map(|bytes| (row_of(bytes), bytes[4])).collect();
        let in_one = file_of(rows.iter().map(|(row, _)| row));
        let wanted = added_up(&extracts_of(&in_one, DEFAULT_CHUNK_ROWS));
        let chunk_rows = 1 + usize::from(files[0] % 5);

        // Each row lies in the file that it names, and in a second one if it says so.
        let mut split: BTreeMap<u8, Vec<&String>> = BTreeMap::new();
        for (row, place) in &rows {
            split.entry(place % 4).or_default().push(row);
            if place & 0x80 != 0 {
                split.entry(place / 4 % 4).or_default().push(row);
            }
        }
        let mut extracts: Vec<ExtractChunk> = Vec::new();
        for (number, rows) in &mut split {
            let turn = usize::from(files[1]) % rows.len();
            rows.rotate_left(turn);
            if files[2] >> number & 1 == 1 {
                rows.reverse();
            }
            extracts.extend(extracts_of(&file_of(rows.iter().copied()), chunk_rows));
        }
        if files[2] & 0x10 != 0 {
            extracts.reverse();
        }
        if files[2] & 0x20 != 0 {
            extracts.extend(extracts_of(&in_one, chunk_rows));
        }
        assert_eq!(added_up(&extracts), wanted);
    };
    check!(name = "tally").with_iterations(0).for_each(check);
    crate::inputs::each(200, check);
}

fn row_of(bytes: &[u8]) -> String {
    let pick = |from: &'static [&'static str], by: u8| from[usize::from(by) % from.len()];
    let (kind, time, caller, what) = (bytes[0], bytes[1], bytes[2], bytes[3]);
    format!(
        "{},{}:{:02}:00.000Z,,{},{},{},,,{},{}\n",
        pick(&TYPES, kind),
        pick(&HOURS, kind / 4),
        time % 60,
        pick(&ORGS, kind / 16),
        pick(&USERS, caller),
        pick(&CLIENTS, caller / 4),
        pick(&URIS, what),
        pick(&COUNTS, what / 4),
    )
}

fn file_of<'a>(rows: impl Iterator<Item = &'a String>) -> String {
    rows.fold(soup::HEADER.to_owned(), |file, row| file + row)
}

fn extracts_of(file: &str, chunk_rows: usize) -> Vec<ExtractChunk> {
    let outcome = read(file.as_bytes(), &LIMITS);
    assert!(outcome.refusal.is_none() && outcome.quarantined.is_empty(), "{outcome:?}");
    let mut builder = ExtractBuilder::new(chunk_rows);
    let mut extracts = Vec::new();
    for (row, _) in outcome.rows {
        extracts.extend(builder.push(row).unwrap());
    }
    extracts.extend(builder.finish().unwrap());
    extracts
}

/// Every hour from the union of its extracts, as functions do it.
fn added_up(extracts: &[ExtractChunk]) -> BTreeMap<ExtractKey, BTreeMap<AgentKey, AgentHour>> {
    let mut hours: BTreeMap<ExtractKey, Vec<&ExtractChunk>> = BTreeMap::new();
    for extract in extracts {
        hours.entry(extract.key.clone()).or_default().push(extract);
    }
    let directory = directory();
    hours
        .into_iter()
        .map(|(key, extracts)| {
            let mut tally = Tally::new(key.org_id.clone(), key.event_type, key.hour);
            let sources = extracts.iter().map(|extract| ExtractReader::new(&*extract.bytes));
            for row in merge_unique(sources) {
                let row = row.unwrap();
                tally.add(&row, &directory.attribute_row(&row));
            }
            (key, tally.finish())
        })
        .collect()
}
