//! One access told by several witnesses counts once.
//!
//! The Event Log File tells of a call hours after the real-time event did, and a gateway may have told of it before both.
//! None of them names the call in a way that the others know, so the same call cannot be found again row by row. What
//! can be compared is what each witness came to: for the lines of one hour that touched the same objects through the
//! same door, read or wrote, and were judged alike, the witness with most records stands, and the others add none.
//!
//! Lines that count for different purposes, or of which one is allowed and another is not, are not compared. Hours do
//! not matter to volume, and so not here: what a witness saw outside them may be told in full by one who saw nothing of
//! the kind. So the lines that broke a rule are compared once more, among themselves, for what they exposed, and for what is said
//! of a rule, those that broke that one. Where witnesses name an access differently it counts twice: too many rather than too few.

use std::{cmp::Reverse, collections::BTreeMap};

use eventlog::{
    event_type::Witness,
    row::{Channel, Hour, Operation},
};

use super::line::{Line, Told};

/// Through what an access came, as far as witnesses agree on it: an export may be a run to another of them, and a bulk
/// query a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Door {
    Api,
    Report,
    Other(Channel),
}

impl Door {
    fn of(channel: Channel) -> Self {
        match channel {
            Channel::Rest
            | Channel::ApexRest
            | Channel::Soap
            | Channel::Bulk
            | Channel::ApiUsage
            | Channel::Query => Self::Api,
            Channel::Report | Channel::ReportExport => Self::Report,
            other => Self::Other(other),
        }
    }
}

/// What lines have in common that may be the same accesses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Family {
    hour: Hour,
    door: Door,
    writes: bool,
    objects: Vec<String>,
    unnamed: bool,
    counts_for: Option<(String, bool)>,
}

/// What a witness came to.
#[derive(Clone, Copy, Default)]
struct Account {
    records: u64,
    succeeded_rows: u64,
}

/// Marks the lines whose records another witness has told in full.
pub(super) fn compare_witnesses(lines: &mut [Line<'_>]) {
    let told = told_by_others(&lines.iter().collect::<Vec<_>>());
    for (line, told) in lines.iter_mut().zip(told) {
        line.told = told;
    }
}

/// Marks, of the lines that broke a rule, those whose records another witness of a broken rule has told in full.
pub(super) fn compare_witnesses_of_violations(lines: &mut [Line<'_>]) {
    let mut broken: Vec<&mut Line<'_>> =
        lines.iter_mut().filter(|line| !line.rules.is_empty()).collect();
    let told = told_by_others(&broken.iter().map(|line| &**line).collect::<Vec<_>>());
    for (line, told) in broken.iter_mut().zip(told) {
        line.told_of_violation = told;
    }
}

/// What of each of these lines the others have told.
pub(super) fn told_by_others(lines: &[&Line<'_>]) -> Vec<Told> {
    let mut families: BTreeMap<Family, BTreeMap<Witness, Account>> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.counts_records) {
        let accounts = families.entry(family(line)).or_default();
        let account = accounts.entry(line.witness).or_default();
        account.records = account.records.saturating_add(line.tally.record_count);
        account.succeeded_rows = account.succeeded_rows.saturating_add(line.succeeded_row_count());
    }
    families.retain(|_, accounts| accounts.len() > 1);
    lines.iter().map(|line| told_of(line, &families)).collect()
}

fn told_of(line: &Line<'_>, families: &BTreeMap<Family, BTreeMap<Witness, Account>>) -> Told {
    if !line.counts_records || families.is_empty() {
        return Told::Nothing;
    }
    let Some(accounts) = families.get(&family(line)) else { return Told::Nothing };
    // The file is the fullest of equals: it has the counts that the others lack.
    let fullest = accounts.iter().max_by_key(|(witness, account)| {
        (account.records, account.succeeded_rows, Reverse(**witness))
    });
    let own = accounts.get(&line.witness).copied().unwrap_or_default();
    match fullest {
        Some((witness, account)) if *witness != line.witness => {
            if account.succeeded_rows >= own.succeeded_rows {
                Told::RecordsAndCalls
            } else {
                Told::Records
            }
        }
        _ => Told::Nothing,
    }
}

fn family(line: &Line<'_>) -> Family {
    let writes =
        matches!(line.operation(), Operation::Create | Operation::Update | Operation::Delete);
    Family {
        hour: line.hour,
        door: Door::of(line.tally.key.channel),
        writes,
        objects: line.objects.iter().map(|object| object.name.clone()).collect(),
        unnamed: line.unnamed,
        counts_for: line.counts_for.map(|(purpose, allowed)| (purpose.name.clone(), allowed)),
    }
}
