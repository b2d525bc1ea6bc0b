//! A tally line with what was found about it, and the rows that it adds to each verdict.

use std::collections::{BTreeMap, BTreeSet};

use eventlog::{
    event_type::Witness,
    row::{Hour, Operation},
    tally::TallyLine,
};

use crate::{
    findings::{DataCategory, DayFindings, GapReason, Rule, Verdict},
    registry::Purpose,
    weights::touches,
};

/// An object that a line names.
pub(super) struct SeenObject {
    pub(super) name: String,
    /// Its category or its worst field's; `None` where the data map knows neither.
    pub(super) known: Option<DataCategory>,
    pub(super) fields: BTreeSet<String>,
}

impl SeenObject {
    /// What is unknown is never taken for non-personal.
    pub(super) fn category(&self) -> DataCategory {
        self.known.unwrap_or(DataCategory::ContactIdentity)
    }
}

/// What another witness has told of the accesses of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    /// As many records, or more.
    Records,
    /// As many calls too, so that none of these is left without a count.
    RecordsAndCalls,
}

/// A tally line with what was found about it.
pub(super) struct Line<'a> {
    pub(super) tally: &'a TallyLine,
    pub(super) hour: Hour,
    /// False for echoes.
    pub(super) counts_records: bool,
    /// Who tells of it.
    pub(super) witness: Witness,
    /// What of it another witness has told.
    pub(super) told: Told,
    /// What of it another witness has told who saw a rule broken too; of lines that broke one.
    pub(super) told_of_violation: Told,
    pub(super) objects: Vec<SeenObject>,
    /// The row names no object, or one that cannot be an object's name.
    pub(super) unnamed: bool,
    pub(super) rules: BTreeSet<Rule>,
    /// Objects that the best-fitting purpose does not name.
    pub(super) outside: BTreeSet<String>,
    /// The purpose that fits best.
    pub(super) purpose: Option<&'a Purpose>,
    /// The purpose whose limits the records count against, and whether it allows the access. Hours do not choose it: the hour's first and last
    /// row move as it fills, and records that moved to another limit with them could lower a weight.
    pub(super) counts_for: Option<(&'a Purpose, bool)>,
    pub(super) gaps: BTreeSet<GapReason>,
}

impl Line<'_> {
    pub(super) fn operation(&self) -> Operation {
        self.tally.key.operation
    }

    pub(super) fn succeeded_row_count(&self) -> u64 {
        self.tally.row_count.saturating_sub(self.tally.failed_row_count)
    }

    pub(super) fn record_count(&self) -> u64 {
        self.record_count_beside(self.told)
    }

    pub(super) fn uncounted_row_count(&self) -> u64 {
        self.uncounted_row_count_beside(self.told)
    }

    /// Records that the line adds to what was exposed, where it broke a rule.
    pub(super) fn exposed_record_count(&self) -> u64 {
        self.record_count_beside(self.told_of_violation)
    }

    /// Calls without a count of records that the line adds to what was exposed.
    pub(super) fn exposed_uncounted_row_count(&self) -> u64 {
        self.uncounted_row_count_beside(self.told_of_violation)
    }

    /// Records that the line adds beside what another witness has told.
    pub(super) fn record_count_beside(&self, told: Told) -> u64 {
        if self.counts_records && told == Told::Nothing { self.tally.record_count } else { 0 }
    }

    /// Calls without a count of records that the line adds beside what another witness has told.
    pub(super) fn uncounted_row_count_beside(&self, told: Told) -> u64 {
        if self.counts_records && told != Told::RecordsAndCalls {
            self.tally.uncounted_row_count
        } else {
            0
        }
    }

    /// The worst category that the line touches.
    pub(super) fn category(&self) -> DataCategory {
        let unnamed = self.unnamed.then_some(DataCategory::ContactIdentity);
        self.objects
            .iter()
            .map(SeenObject::category)
            .chain(unnamed)
            .max()
            .unwrap_or(DataCategory::NonPersonal)
    }

    /// Whether records left, changed or appeared by these rows. A row that names neither object nor
    /// operation says nothing of the kind.
    pub(super) fn touches(&self) -> bool {
        match self.operation() {
            Operation::Other => !self.objects.is_empty(),
            operation => touches(operation),
        }
    }

    pub(super) fn is_unregistered(&self) -> bool {
        self.gaps.contains(&GapReason::UnregisteredAgent)
    }

    pub(super) fn count_into(&self, findings: &mut DayFindings) {
        let rows = self.tally.row_count;
        let succeeded = self.succeeded_row_count();
        let undecided_agent = self.is_unregistered() || self.gaps.contains(&GapReason::UnknownOrg);
        let (violation, gap) = if undecided_agent {
            (0, rows)
        } else if !self.rules.is_empty() {
            (succeeded, 0)
        } else if self.gaps.contains(&GapReason::ObjectNotNamed)
            || self.gaps.contains(&GapReason::OperationNotNamed)
        {
            (0, succeeded)
        } else if self.gaps.contains(&GapReason::RecordsNotCounted) {
            (0, self.uncounted_row_count().min(succeeded))
        } else {
            (0, 0)
        };
        let compliant = rows.saturating_sub(violation).saturating_sub(gap);
        findings.row_count = findings.row_count.saturating_add(rows);
        for (verdict, rows) in
            [(Verdict::Compliant, compliant), (Verdict::Gap, gap), (Verdict::Violation, violation)]
        {
            if rows > 0 {
                add(&mut findings.verdicts, verdict, rows);
            }
        }
        for reason in &self.gaps {
            let rows = match reason {
                GapReason::UnregisteredAgent | GapReason::UnknownOrg => rows,
                GapReason::RecordsNotCounted => self.uncounted_row_count(),
                _ => succeeded,
            };
            if rows > 0 {
                add(&mut findings.gaps, *reason, rows);
            }
        }
        if !self.rules.is_empty() {
            findings.suspect_row_count = findings.suspect_row_count.saturating_add(succeeded);
            findings.suspect_record_count =
                findings.suspect_record_count.saturating_add(self.exposed_record_count());
            for (confidence, rows) in &self.tally.unsure_row_counts {
                add(&mut findings.unsure_row_counts, *confidence, *rows);
            }
        }
    }
}

pub(super) fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K, more: u64) {
    let known = counts.entry(key).or_default();
    *known = known.saturating_add(more);
}
