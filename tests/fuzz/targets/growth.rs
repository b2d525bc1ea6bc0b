//! A file that repeats itself takes memory once, and work in proportion to its length.
//!
//! Work is told by what is allocated, which is the same on every machine. Work that allocates nothing shows by the
//! fuzzer's own limit of seconds for one input, which no file of this size comes near to.

use bolero::check;
use eventlog::{reader::ReadLimits, soql::shape};

use crate::{
    allocations::{Allocations, measured},
    reading::{LIMITS, measured_read},
    soup,
};

const SMALL_BYTES: usize = 16 << 10;

const TIMES: usize = 4;

/// What growing buffers make of a difference.
const SLACK_BYTES: u64 = 64 << 10;

#[test]
fn what_is_repeated_costs_memory_once_and_work_in_proportion() {
    let check = |input: &[u8]| {
        if input.is_empty() {
            return;
        }
        check_file(b"", input);
        check_file(soup::HEADER.as_bytes(), input);
        check_file(soup::HEADER.as_bytes(), &soup::of(input, &soup::CSV));
        check_file(b"", &soup::of(input, &soup::JSON));
        check_query(&String::from_utf8_lossy(input));
        check_query(&String::from_utf8_lossy(&soup::of(input, &soup::SOQL)));
    };
    check!(name = "growth").with_iterations(0).for_each(check);
    crate::inputs::each(8, check);
}

fn check_file(header: &[u8], unit: &[u8]) {
    let limits = ReadLimits { max_inflated_bytes: 1 << 20, ..LIMITS };
    let read =
        |bytes| measured_read([header, &repeated(unit, bytes)].concat().as_slice(), &limits).1;
    let (small, large) = (read(SMALL_BYTES), read(SMALL_BYTES * TIMES));
    assert!(large.peak_bytes <= small.peak_bytes + SLACK_BYTES, "{small:?} {large:?}");
    assert_in_proportion(small, large);
}

fn check_query(unit: &str) {
    let read = |bytes| {
        let query = String::from_utf8_lossy(&repeated(unit.as_bytes(), bytes)).into_owned();
        measured(|| shape(&query)).1
    };
    assert_in_proportion(read(SMALL_BYTES), read(SMALL_BYTES * TIMES));
}

/// Vectors that grow double, so that four times may be eight.
fn assert_in_proportion(small: Allocations, large: Allocations) {
    let times = u64::try_from(TIMES).unwrap() * 2;
    assert!(large.total_bytes <= small.total_bytes * times + SLACK_BYTES, "{small:?} {large:?}");
}

fn repeated(unit: &[u8], bytes: usize) -> Vec<u8> {
    unit.iter().copied().cycle().take(bytes).collect()
}
