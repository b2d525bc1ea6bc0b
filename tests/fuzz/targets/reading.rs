//! Files read as an agent's keeper reads them, and the whole outcome to compare.

use std::io::Read;

use eventlog::{
    attribution::{AgentDirectory, AgentKey, AttributedBy, Attribution, RegisteredIdentity},
    reader::{QuarantinedRow, ReadError, ReadLimits, RowSink, SinkError, read_log},
    report::FileReport,
    row::AccessRow,
};

use crate::allocations::{Allocations, measured, uncounted};

/// So small that input of some kilobytes goes over each of them.
pub(crate) const LIMITS: ReadLimits = ReadLimits {
    max_row_bytes: 2_048,
    max_quarantined_bytes: 64,
    max_inflated_bytes: 128 << 10,
    max_inflation_ratio: 50,
    ratio_applies_above_bytes: 32 << 10,
};

/// So wide that no input that is fuzzed goes over them.
pub(crate) const WIDE_LIMITS: ReadLimits = ReadLimits {
    max_row_bytes: 1 << 20,
    max_quarantined_bytes: 1 << 20,
    max_inflated_bytes: 1 << 30,
    max_inflation_ratio: 10_000,
    ratio_applies_above_bytes: 1 << 30,
};

/// Most memory that reading may take by [`LIMITS`], whatever the file: what stands by itself, ...
const PEAK_BYTES: u64 = 1 << 20;

/// ... and for each byte of a file the callers that are recalled, up to thousands of them.
const PEAK_BYTES_PER_BYTE: u64 = 8;

/// One agent, registered by its app and by its user.
pub(crate) fn directory() -> AgentDirectory {
    let identity = |kind, value: &str| RegisteredIdentity {
        agent: AgentKey("support-copilot".to_owned()),
        kind,
        value: value.to_owned(),
        purpose: None,
    };
    AgentDirectory::new(
        [
            identity(AttributedBy::ConnectedApp, "0H45g0000006mTq"),
            identity(AttributedBy::User, "0055g00000Bot01"),
        ],
        ["Salesforce Mobile"],
    )
}

/// All that came of a file.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) rows: Vec<(AccessRow, Attribution)>,
    pub(crate) quarantined: Vec<QuarantinedRow>,
    /// The whole report, or the partial one of a file that broke off.
    pub(crate) report: FileReport,
    /// Why it was not read to its end.
    pub(crate) refusal: Option<String>,
}

#[derive(Default)]
struct Kept {
    rows: Vec<(AccessRow, Attribution)>,
    quarantined: Vec<QuarantinedRow>,
}

impl RowSink for Kept {
    fn agent_row(&mut self, row: AccessRow, attribution: Attribution) -> Result<(), SinkError> {
        // A copy is kept, and what was given goes back to whoever counts.
        uncounted(|| self.rows.push((row.clone(), attribution.clone())));
        Ok(())
    }

    fn quarantined(&mut self, row: QuarantinedRow) -> Result<(), SinkError> {
        uncounted(|| self.quarantined.push(row.clone()));
        Ok(())
    }
}

/// Reads a file that can be read or must be refused for good.
pub(crate) fn read(source: impl Read + Send, limits: &ReadLimits) -> Outcome {
    measured_read(source, limits).0
}

/// The same, and what it took.
pub(crate) fn measured_read(
    source: impl Read + Send,
    limits: &ReadLimits,
) -> (Outcome, Allocations) {
    let directory = directory();
    let mut kept = Kept::default();
    let (result, allocations) = measured(|| read_log(source, &directory, limits, &mut kept));
    let (report, refusal) = match result {
        Ok(report) => (report, None),
        Err(error) => {
            assert!(error.is_permanent(), "a source that never fails gave {error:?}");
            let refusal = Some(error.to_string());
            let report = match error {
                ReadError::NotAnEventLogFile { .. } => FileReport::default(),
                other => other.partial().unwrap().clone(),
            };
            (report, refusal)
        }
    };
    let Kept { rows, quarantined } = kept;
    (Outcome { rows, quarantined, report, refusal }, allocations)
}

/// Reads a file by [`LIMITS`], whole and in pieces: nothing may differ, memory is bounded, each row is accounted for.
pub(crate) fn read_however_it_comes(data: &[u8]) -> Outcome {
    let (whole, allocations) = measured_read(data, &LIMITS);
    let length = u64::try_from(data.len()).unwrap();
    let most = PEAK_BYTES + PEAK_BYTES_PER_BYTE * length;
    assert!(allocations.peak_bytes <= most, "{allocations:?} for {length} bytes");
    for piece in [1, 7, 64, 1_000] {
        assert_eq!(read(Pieces { rest: data, piece }, &LIMITS), whole, "in pieces of {piece}");
    }
    assert_is_accounted_for(&whole);
    whole
}

/// Each row came to one of four ends, and the report says to which.
pub(crate) fn assert_is_accounted_for(outcome: &Outcome) {
    let Outcome { rows, quarantined, report, .. } = outcome;
    let count = |length: usize| u64::try_from(length).unwrap();
    assert_eq!(
        report.rows,
        report.agent_rows + report.other_rows + report.unread_rows + report.quarantined_rows
    );
    assert_eq!(count(rows.len()), report.agent_rows);
    assert_eq!(count(quarantined.len()), report.quarantined_rows);
    assert_eq!(report.quarantined.values().sum::<u64>(), report.quarantined_rows);
    assert_eq!(
        report.rows_by_event_type.values().sum::<u64>() + report.quarantined_rows,
        report.rows
    );
    let in_hours: u64 = report.hours.iter().map(|hour| hour.rows).sum();
    assert_eq!(in_hours + report.rows_beyond_hours, report.agent_rows + report.other_rows);
    assert!(report.irrelevant_rows <= report.unread_rows);
    assert!(report.unclaimed_rows <= report.other_rows && report.joined_rows <= report.agent_rows);
    assert!(report.first_at <= report.last_at);
    let directory = directory();
    for (row, attribution) in rows {
        assert_eq!(directory.attribute_row(row), *attribution, "attributed anew");
    }
}

/// A source that hands out so many bytes at a time.
pub(crate) struct Pieces<'a> {
    pub(crate) rest: &'a [u8],
    pub(crate) piece: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let (now, rest) = self.rest.split_at(self.piece.min(into.len()).min(self.rest.len()));
        into[..now.len()].copy_from_slice(now);
        self.rest = rest;
        Ok(now.len())
    }
}
