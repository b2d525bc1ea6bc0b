//! The same rows in other files: what Salesforce and those who fetch its logs do to them. None of it may
//! change what Breachclock finds.

use std::{borrow::Cow, collections::BTreeMap};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use crate::{dice::Dice, log_file::LogFile, schema::Schema};

/// Daily files: sequence 0, all hours of a day and type in one, as Salesforce writes them a day later.
pub fn daily(files: &[LogFile]) -> Vec<LogFile> {
    let mut days: BTreeMap<(&'static str, DateTime<Utc>), Vec<_>> = BTreeMap::new();
    for file in files {
        for row in &file.rows {
            let midnight = row.at.duration_trunc(TimeDelta::days(1)).unwrap_or(row.at);
            days.entry((file.event_type, midnight)).or_default().push(row.clone());
        }
    }
    days.into_iter()
        .filter_map(|((event_type, midnight), rows)| {
            Schema::of(event_type).map(|schema| LogFile::new(schema, midnight, 0, rows))
        })
        .collect()
}

/// Every file in two: sequence 1, and sequence 2 with the `percent_late` rows in a hundred that came late.
/// A file of one row is not split; of every other at least one row is late and one is not.
pub fn late_hourly(files: &[LogFile], percent_late: u64, seed: u64) -> Vec<LogFile> {
    let mut dice = Dice::new(seed, 40);
    let mut cut = Vec::new();
    for file in files {
        let Some(schema) = Schema::of(file.event_type) else { continue };
        let (mut late, mut timely): (Vec<_>, Vec<_>) =
            file.rows.iter().cloned().partition(|_| dice.percent(percent_late));
        if late.is_empty() && timely.len() > 1 {
            late.extend(timely.pop());
        } else if timely.is_empty() {
            timely.extend(late.pop());
        }
        cut.push(LogFile::new(schema, file.hour, 1, timely));
        if !late.is_empty() {
            cut.push(LogFile::new(schema, file.hour, 2, late));
        }
    }
    cut
}

/// The files in another order, and the rows within each.
pub fn shuffled(files: &[LogFile], seed: u64) -> Vec<LogFile> {
    let mut dice = Dice::new(seed, 41);
    let mut files = files.to_vec();
    dice.shuffle(&mut files);
    for file in &mut files {
        dice.shuffle(&mut file.rows);
    }
    files
}

/// `percent` rows in a hundred twice in their file, and every file's first row: late files repeat rows.
pub fn duplicated(files: &[LogFile], percent: u64, seed: u64) -> Vec<LogFile> {
    let mut dice = Dice::new(seed, 42);
    let mut files = files.to_vec();
    for file in &mut files {
        let mut again: Vec<_> =
            file.rows.iter().skip(1).filter(|_| dice.percent(percent)).cloned().collect();
        again.extend(file.rows.first().cloned());
        file.rows.extend(again);
    }
    files
}

/// The columns of each file in another order.
pub fn with_reordered_columns(files: &[LogFile], seed: u64) -> Vec<LogFile> {
    let mut dice = Dice::new(seed, 43);
    let mut files = files.to_vec();
    for file in &mut files {
        dice.shuffle(&mut file.header);
    }
    files
}

/// Columns that no release has yet, one in the middle and one at the end, both filled.
pub fn with_extra_columns(files: &[LogFile]) -> Vec<LogFile> {
    let mut files = files.to_vec();
    for file in &mut files {
        file.header.insert(file.header.len() / 2, Cow::Borrowed("NEXT_RELEASE_FLAG"));
        file.header.push(Cow::Borrowed("NEXT_RELEASE_NOTE"));
        for row in &mut file.rows {
            row.values.insert(Cow::Borrowed("NEXT_RELEASE_FLAG"), "1".to_owned());
            row.values.insert(Cow::Borrowed("NEXT_RELEASE_NOTE"), "a, \"b\"\nc".to_owned());
        }
    }
    files
}
