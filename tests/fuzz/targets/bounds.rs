//! Files made to cost as much as they can, in lengths that show whether memory follows.

use std::io::{Read, Write as _};

use eventlog::{
    attribution::Attribution,
    extract::{ExtractError, ExtractReader},
    reader::{QuarantinedRow, ReadLimits, RowSink, SinkError, read_log},
    report::{FileReport, QuarantineReason},
    row::AccessRow,
};
use flate2::{Compression, write::GzEncoder};

use crate::{
    allocations::{Allocations, measured},
    reading::directory,
    soup,
};

const MIB: usize = 1 << 20;

/// Rows of at most a quarter of a mebibyte, so that files of one and of three are both far over it.
const LIMITS: ReadLimits = ReadLimits {
    max_row_bytes: MIB / 4,
    max_quarantined_bytes: 64 << 10,
    max_inflated_bytes: 1 << 40,
    max_inflation_ratio: 300,
    ratio_applies_above_bytes: 32 << 20,
};

/// Memory for each byte that a row may have, at the most: a row of nothing but commas is that many fields.
const PEAK_BYTES_PER_ROW_BYTE: u64 = 96;

/// What growing tables make of a difference.
const SLACK_BYTES: u64 = 64 << 10;

struct Nobody;

impl RowSink for Nobody {
    fn agent_row(&mut self, _: AccessRow, _: Attribution) -> Result<(), SinkError> {
        Ok(())
    }

    fn quarantined(&mut self, _: QuarantinedRow) -> Result<(), SinkError> {
        Ok(())
    }
}

/// So many bytes: what comes first, and then the same over and over, made while it is read.
struct Made {
    first: &'static [u8],
    then: &'static [u8],
    at: usize,
    bytes: usize,
}

impl Read for Made {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let Self { first, then, at, bytes } = self;
        let rest = match at.checked_sub(first.len()) {
            Some(behind) => &then[behind % then.len()..],
            None => &first[*at..],
        };
        let count = into.len().min(rest.len()).min(*bytes - *at);
        into[..count].copy_from_slice(&rest[..count]);
        *at += count;
        Ok(count)
    }
}

fn read(first: &'static [u8], then: &'static [u8], bytes: usize) -> (FileReport, Allocations) {
    let source = soup::HEADER.as_bytes().chain(Made { first, then, at: 0, bytes });
    let directory = directory();
    let (report, allocations) = measured(|| read_log(source, &directory, &LIMITS, &mut Nobody));
    (report.unwrap(), allocations)
}

#[test]
fn no_row_takes_memory_beyond_its_limit_and_each_is_told_as_oversized() {
    for (first, then) in [
        (&b""[..], &[b'x'; 4_096][..]),
        (b"", &[b','; 4_096]),
        (b"", &[b'"'; 4_096]),
        (b"\"", &[b'\n'; 4_096]),
        (b"", b"\"\",\"\","),
        (b"a\"", b"b, \"c"),
    ] {
        let (report, small) = read(first, then, MIB);
        let (_, large) = read(first, then, 3 * MIB);
        assert_eq!(report.rows, report.quarantined[&QuarantineReason::Oversized], "{then:?}");
        let most = PEAK_BYTES_PER_ROW_BYTE * u64::try_from(LIMITS.max_row_bytes).unwrap();
        assert!(small.peak_bytes <= most, "{small:?} for {:?}", &then[..6]);
        assert!(large.peak_bytes <= small.peak_bytes + SLACK_BYTES, "{small:?} {large:?}");
    }
}

#[test]
fn small_rows_take_no_memory_however_many_and_however_odd() {
    for then in
        [&b"\n"[..], b"a\"b,\"c\" d\n", b"Nope,,,,,,,,,\n", b",,,,\n", b"\"a\n\nb\",\"\"\"\"\n"]
    {
        let (_, small) = read(b"", then, MIB);
        let (_, large) = read(b"", then, 3 * MIB);
        assert!(large.peak_bytes <= small.peak_bytes + SLACK_BYTES, "{small:?} {large:?}");
    }
}

#[test]
fn an_extract_of_one_endless_line_is_refused_in_bounded_memory() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let blanks = vec![b' '; MIB];
    for _ in 0..16 {
        encoder.write_all(&blanks).unwrap();
    }
    let bytes = encoder.finish().unwrap();
    let (first, allocations) = measured(|| ExtractReader::new(bytes.as_slice()).next());
    assert!(matches!(first, Some(Err(ExtractError::LineTooLong { line_number: 1 }))), "{first:?}");
    assert!(allocations.peak_bytes <= 3 << 20, "{allocations:?}");
}
