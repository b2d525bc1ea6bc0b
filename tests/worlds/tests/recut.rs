//! The same rows in other files stay the same rows.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking, its helpers included"
)]

use std::collections::BTreeMap;

use worlds::{LogFile, World, recut};

type Values = BTreeMap<String, String>;

/// Every row as the csv crate reads it, without empty columns, and how often it is there.
fn rows(files: &[LogFile]) -> BTreeMap<Values, u64> {
    let mut counts = BTreeMap::new();
    for file in files {
        let bytes = file.to_csv();
        for row in csv::Reader::from_reader(bytes.as_slice()).deserialize() {
            let mut row: Values = row.unwrap();
            row.retain(|_, value| !value.is_empty());
            *counts.entry(row).or_default() += 1;
        }
    }
    counts
}

#[test]
fn daily_files_hold_all_hours_of_a_type() {
    let world = World::quiet(1, 2);
    let daily = world.daily();
    assert_eq!(rows(&daily), rows(&world.files));
    assert_eq!(daily.len(), 26);
    assert!(daily.iter().all(|file| file.sequence == 0));
    assert!(daily.iter().any(|file| file.name.starts_with("RestApi_2026-11-25_0AT")));
}

#[test]
fn late_files_hold_what_the_timely_ones_lack() {
    let world = World::morning(1);
    let late = world.late_hourly(30);
    assert_eq!(rows(&late), rows(&world.files));
    for file in &world.files {
        let parts: Vec<u32> = late
            .iter()
            .filter(|part| part.event_type == file.event_type && part.hour == file.hour)
            .map(|part| part.sequence)
            .collect();
        assert_eq!(parts, if file.rows.len() > 1 { vec![1, 2] } else { vec![1] }, "{}", file.name);
    }
    assert!(late.iter().all(|file| !file.rows.is_empty()));
    let names: std::collections::BTreeSet<_> = late.iter().map(|file| &file.name).collect();
    assert_eq!(names.len(), late.len());
}

#[test]
fn shuffling_changes_the_order_only() {
    let world = World::morning(1);
    let shuffled = world.shuffled(5);
    assert_eq!(rows(&shuffled), rows(&world.files));
    assert_ne!(shuffled, world.files);
    assert_ne!(shuffled, world.shuffled(6));
}

#[test]
fn duplicates_repeat_rows_and_add_none() {
    let world = World::morning(1);
    let (once, twice) = (rows(&world.files), rows(&world.duplicated(20)));
    assert!(once.keys().eq(twice.keys()));
    assert!(once.values().all(|count| *count == 1));
    let repeated = twice.values().filter(|count| **count == 2).count();
    assert!(repeated > once.len() / 10 && repeated < once.len() / 3, "{repeated}");
}

#[test]
fn columns_in_another_order_hold_the_same_values() {
    let world = World::morning(1);
    let reordered = world.with_reordered_columns(3);
    assert_eq!(rows(&reordered), rows(&world.files));
    assert!(reordered.iter().zip(&world.files).all(|(new, old)| new.header != old.header));
}

#[test]
fn extra_columns_leave_the_known_ones_alone() {
    let world = World::quiet(1, 1);
    let extended = world.with_extra_columns();
    let mut known = BTreeMap::new();
    for (mut row, count) in rows(&extended) {
        assert_eq!(row.remove("NEXT_RELEASE_FLAG").as_deref(), Some("1"));
        assert_eq!(row.remove("NEXT_RELEASE_NOTE").as_deref(), Some("a, \"b\"\nc"));
        known.insert(row, count);
    }
    assert_eq!(known, rows(&world.files));
}

#[test]
fn cuts_can_be_laid_over_one_another() {
    let world = World::morning(2);
    let cut = recut::shuffled(&recut::late_hourly(&world.files, 10, 3), 4);
    assert_eq!(rows(&recut::with_reordered_columns(&cut, 5)), rows(&world.files));
}
