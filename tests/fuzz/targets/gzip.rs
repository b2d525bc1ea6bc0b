//! Gzip that is broken, and gzip that inflates beyond all measure.

use std::io::Write as _;

use bolero::check;
use eventlog::report::FileReport;
use flate2::{Compression, write::GzEncoder};

use crate::{
    reading::{LIMITS, Pieces, assert_is_accounted_for, measured_read, read},
    soup,
};

/// What the inflater and its buffer take beside the reader.
const PEAK_BYTES: u64 = 2 << 20;

/// The fields of a header that nothing follows from.
const HEADER: &[u8] = b"\x1F\x8B\x08\0\0\0\0\0\0\xFF";

#[test]
fn any_gzip_is_inflated_within_its_limits_or_refused() {
    let check = |input: &[u8]| {
        let is_gzip = input.starts_with(&HEADER[..2]);
        check_stream(&[if is_gzip { b"" } else { HEADER }, input].concat());
        check_contents(input);
    };
    check!(name = "gzip").with_iterations(0).for_each(check);
    crate::inputs::each(150, check);
}

/// Whatever the stream holds, memory is bounded and no more comes out than is allowed.
fn check_stream(stream: &[u8]) {
    let (whole, allocations) = measured_read(stream, &LIMITS);
    assert!(allocations.peak_bytes <= PEAK_BYTES, "{allocations:?}");
    assert_is_accounted_for(&whole);
    let inflated = whole.report.inflated_bytes;
    assert!(inflated <= LIMITS.max_inflated_bytes + 1, "{inflated} bytes came out");
    // Wherever it breaks off, what was read by then does not depend on the pieces that the bytes come in.
    assert_eq!(read(Pieces { rest: stream, piece: 13 }, &LIMITS), whole);
}

/// Genuine gzip, repeated so that it may be a bomb: read as the plain file is, or refused exactly where it is over a
/// limit.
fn check_contents(input: &[u8]) {
    let Some((times, unit)) = input.split_first() else { return };
    let mut plain = soup::HEADER.as_bytes().to_vec();
    let most = 160 << 10;
    for _ in 0..=usize::from(*times) * 16 {
        if plain.len() + unit.len() > most || unit.is_empty() {
            break;
        }
        plain.extend_from_slice(unit);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&plain).unwrap();
    let stream = encoder.finish().unwrap();

    let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap();
    let (inflated, read_bytes) = (length(&plain), length(&stream));
    let is_bomb = inflated > LIMITS.max_inflated_bytes
        || (inflated > LIMITS.ratio_applies_above_bytes
            && inflated > read_bytes * LIMITS.max_inflation_ratio);
    let from_stream = read(stream.as_slice(), &LIMITS);
    assert_is_accounted_for(&from_stream);
    let mut from_plain = read(plain.as_slice(), &LIMITS);
    if from_plain.refusal.is_some() {
        // No log at all: that is seen before a limit is passed, or behind it.
        assert!(from_stream.refusal.is_some());
    } else if is_bomb {
        let refusal = from_stream.refusal.as_deref().unwrap_or_default();
        assert!(refusal.contains("over the limits"), "{inflated} from {read_bytes}: {refusal}");
    } else {
        from_plain.report = FileReport { is_gzip: true, read_bytes, ..from_plain.report };
        assert_eq!(from_stream, from_plain);
    }
}
