//! One access told by several witnesses counts once.
//!
//! The Event Log File tells of a call hours after the real-time event did, and a gateway may have told of it before both.
//! None of them names the call in a way that the others know, so the same call cannot be found again row by row. What
//! can be compared is what each witness came to: for the lines of one hour that touched the same objects and were judged
//! alike, the witness with most records stands, and the others add none.
//!
//! Lines that count for different purposes, or of which one is allowed and another is not, are not compared, so that a
//! witness who saw a rule broken is never silenced by one who did not. Hours do not matter here, as they do not for
//! volume. Where witnesses name an access differently it counts twice: too many rather than too few.

use std::{cmp::Reverse, collections::BTreeMap};

use eventlog::{event_type::Witness, row::Hour};

use super::line::{Line, Told};

/// What lines have in common that may be the same accesses.
type Family = (Hour, Vec<String>, bool, Option<(String, bool)>);

/// What a witness came to.
#[derive(Clone, Copy, Default)]
struct Account {
    records: u64,
    succeeded_rows: u64,
}

/// Marks the lines whose records another witness has told in full.
pub(super) fn compare_witnesses(lines: &mut [Line<'_>]) {
    let mut families: BTreeMap<Family, BTreeMap<Witness, Account>> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.counts_records) {
        let accounts = families.entry(family(line)).or_default();
        let account = accounts.entry(line.witness).or_default();
        account.records = account.records.saturating_add(line.record_count());
        account.succeeded_rows = account.succeeded_rows.saturating_add(line.succeeded_row_count());
    }
    families.retain(|_, accounts| accounts.len() > 1);
    if families.is_empty() {
        return;
    }
    for line in lines.iter_mut().filter(|line| line.counts_records) {
        let Some(accounts) = families.get(&family(line)) else { continue };
        // The file is the fullest of equals: it has the counts that the others lack.
        let fullest = accounts.iter().max_by_key(|(witness, account)| {
            (account.records, account.succeeded_rows, Reverse(**witness))
        });
        let own = accounts.get(&line.witness).copied().unwrap_or_default();
        if let Some((witness, account)) = fullest
            && *witness != line.witness
        {
            line.told = if account.succeeded_rows >= own.succeeded_rows {
                Told::RecordsAndCalls
            } else {
                Told::Records
            };
        }
    }
}

fn family(line: &Line<'_>) -> Family {
    (
        line.hour,
        line.objects.iter().map(|object| object.name.clone()).collect(),
        line.unnamed,
        line.counts_for.map(|(purpose, allowed)| (purpose.name.clone(), allowed)),
    )
}
