//! Extracts: the same bytes for the same rows, and every row back once.

use std::{collections::BTreeSet, convert::Infallible};

use eventlog::{
    extract::{ExtractBuilder, ExtractChunk, ExtractError, ExtractReader, merge_unique},
    row::AccessRow,
};
use proptest::prelude::*;

use crate::support::{any_row, row_of};

fn chunks(rows: &[AccessRow], max_chunk_rows: usize) -> Vec<ExtractChunk> {
    let mut builder = ExtractBuilder::new(max_chunk_rows);
    let mut chunks = Vec::new();
    for row in rows {
        chunks.extend(builder.push(row.clone()).unwrap());
    }
    chunks.extend(builder.finish().unwrap());
    chunks
}

fn read(chunk: &ExtractChunk) -> Vec<AccessRow> {
    ExtractReader::new(chunk.bytes.as_slice()).collect::<Result<_, _>>().unwrap()
}

fn merged(chunks: &[ExtractChunk]) -> Vec<AccessRow> {
    merge_unique(chunks.iter().map(|chunk| ExtractReader::new(chunk.bytes.as_slice())))
        .collect::<Result<_, _>>()
        .unwrap()
}

#[test]
fn rows_of_several_hours_go_to_extracts_of_their_own() {
    let mut row = row_of("RestApi", &[]);
    let mut rows = Vec::new();
    for number in 0..4 {
        row.row_hash = format!("{number:032x}");
        row.at += chrono::TimeDelta::minutes(30);
        rows.push(row.clone());
    }
    let chunks = chunks(&rows, 100);
    let hours: Vec<_> =
        chunks.iter().map(|chunk| (chunk.key.hour.key(), chunk.row_count)).collect();
    assert_eq!(
        hours,
        [
            ("2026-11-24T09".to_owned(), 1),
            ("2026-11-24T10".to_owned(), 2),
            ("2026-11-24T11".to_owned(), 1)
        ]
    );
}

#[test]
fn the_gzip_header_of_an_extract_holds_no_time_and_no_system() {
    let chunk = chunks(&[row_of("RestApi", &[])], 10).remove(0);
    assert_eq!(chunk.bytes[4..8], [0; 4]);
    assert_eq!(chunk.bytes[9], 255);
}

/// A row can name 2,000 records: 16,384 of them would be more than a function has memory.
#[test]
fn a_builder_gives_rows_out_before_they_take_too_much_memory() {
    let mut row = row_of("RestApi", &[]);
    row.record_ids = (0..2_000).map(|number| format!("0035g{number:010}")).collect();
    let mut builder = ExtractBuilder::default();
    let mut given = Vec::new();
    for number in 0..600_u32 {
        row.row_hash = format!("{number:032x}");
        given.extend(builder.push(row.clone()).unwrap());
    }
    let counts: Vec<usize> = given.iter().map(|chunk| chunk.row_count).collect();
    assert!(counts.len() >= 2 && counts.iter().all(|count| *count < 250), "{counts:?}");
    given.extend(builder.finish().unwrap());
    assert_eq!(merged(&given).len(), 600);
}

#[test]
fn a_builder_gives_rows_out_before_it_holds_too_many() {
    let mut row = row_of("RestApi", &[]);
    let mut builder = ExtractBuilder::new(10);
    let mut given = 0;
    let mut held = 0_usize;
    for number in 0..1_000_i64 {
        row.row_hash = format!("{number:032x}");
        row.at =
            chrono::DateTime::from_timestamp(1_795_500_000 + 3_600 * (number % 50), 0).unwrap();
        held += 1;
        if let Some(chunk) = builder.push(row.clone()).unwrap() {
            given += chunk.row_count;
            held -= chunk.row_count;
        }
        assert!(held <= 40, "{held}");
    }
    let rest: usize = builder.finish().unwrap().iter().map(|chunk| chunk.row_count).sum();
    assert_eq!(given + rest, 1_000);
}

#[test]
fn a_broken_extract_is_an_error_and_not_an_end() {
    let chunk = chunks(&[row_of("RestApi", &[])], 10).remove(0);
    let cut = &chunk.bytes[..chunk.bytes.len() - 9];
    let results: Vec<_> = ExtractReader::new(cut).collect();
    assert!(matches!(results.last(), Some(Err(ExtractError::Unreadable(_)))), "{results:?}");

    let merged: Vec<_> =
        merge_unique([ExtractReader::new(chunk.bytes.as_slice()), ExtractReader::new(cut)])
            .collect();
    assert!(merged.iter().any(Result::is_err));
}

#[test]
fn rows_out_of_order_are_refused() {
    use std::io::Write;
    let mut first = row_of("RestApi", &[("REQUEST_ID", "1")]);
    let mut lines = Vec::new();
    for hash in ["b", "a"] {
        first.row_hash = hash.to_owned();
        serde_json::to_writer(&mut lines, &first).unwrap();
        lines.push(b'\n');
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&lines).unwrap();
    let bytes = encoder.finish().unwrap();
    let results: Vec<_> = ExtractReader::new(bytes.as_slice()).collect();
    assert!(matches!(results[1], Err(ExtractError::OutOfOrder { line_number: 2 })));
    assert_eq!(results.len(), 2);
}

#[test]
fn of_rows_that_share_a_hash_and_differ_the_same_one_stays_in_any_order() {
    let first = row_of("RestApi", &[("ROWS_PROCESSED", "1")]);
    let mut second = first.clone();
    second.record_count = Some(2);
    let source = |row: &AccessRow| vec![Ok::<_, Infallible>(row.clone())].into_iter();
    let one: Vec<_> = merge_unique([source(&first), source(&second)]).collect();
    let other: Vec<_> = merge_unique([source(&second), source(&first)]).collect();
    assert_eq!(one, other);
    assert_eq!(one.len(), 1);
}

proptest! {
    #[test]
    fn an_extract_gives_its_rows_back_and_its_bytes_do_not_depend_on_their_order(
        rows in proptest::collection::vec(any_row(), 1..40)
    ) {
        let forwards = chunks(&rows, 1_000);
        let mut turned = rows.clone();
        turned.reverse();
        turned.extend(rows.iter().take(5).cloned());
        prop_assert_eq!(&chunks(&turned, 1_000), &forwards);
        prop_assert_eq!(forwards.len(), 1);
        let back = read(&forwards[0]);
        prop_assert_eq!(back.iter().cloned().collect::<BTreeSet<_>>(), rows.iter().cloned().collect());
        prop_assert!(back.is_sorted_by(|one, next| one.row_hash < next.row_hash));
        prop_assert_eq!(forwards[0].name.len(), 64);
    }

    #[test]
    fn however_rows_are_split_and_repeated_the_union_is_the_same(
        rows in proptest::collection::vec(any_row(), 1..60),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
        max_chunk_rows in 1_usize..20,
    ) {
        let whole = merged(&chunks(&rows, 1_000));
        let mut members = Vec::new();
        for cut in &cuts {
            let (first, second) = rows.split_at(cut.index(rows.len()));
            members.extend(chunks(second, max_chunk_rows));
            members.extend(chunks(first, max_chunk_rows));
        }
        members.extend(chunks(&rows, max_chunk_rows));
        prop_assert_eq!(merged(&members), whole);
    }
}
