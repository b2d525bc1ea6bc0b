//! Any bytes as an extract: rows in their order, or an error with its line.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
};

use bolero::check;
use eventlog::{
    extract::{ExtractBuilder, ExtractError, ExtractReader},
    row::AccessRow,
};
use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};

use crate::allocations::{measured, uncounted};

const PEAK_BYTES: u64 = 512 << 10;

/// Rows of one line, as they are held while it is read.
const PEAK_BYTES_PER_BYTE: u64 = 32;

#[test]
fn any_bytes_are_rows_in_order_or_an_error_with_its_line() {
    let check = |input: &[u8]| {
        check_extract(input);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(input).unwrap();
        check_extract(&encoder.finish().unwrap());
    };
    check!(name = "extract").with_iterations(0).for_each(check);
    crate::inputs::each(300, check);
}

/// How many bytes come out of a stream, to its end or to a break.
fn inflated_length(stream: &[u8]) -> u64 {
    let mut plain = Vec::new();
    // What came out before a break counts too.
    let _ = MultiGzDecoder::new(stream).read_to_end(&mut plain);
    u64::try_from(plain.len()).unwrap()
}

fn check_extract(bytes: &[u8]) {
    let mut rows: Vec<AccessRow> = Vec::new();
    let mut failure = None;
    let ((), allocations) = measured(|| {
        for item in ExtractReader::new(bytes) {
            assert!(failure.is_none(), "more came after {failure:?}");
            match item {
                Ok(row) => uncounted(|| rows.push(row.clone())),
                Err(error) => failure = Some(error),
            }
        }
    });
    let length = inflated_length(bytes);
    let most = PEAK_BYTES + PEAK_BYTES_PER_BYTE * length;
    assert!(allocations.peak_bytes <= most, "{allocations:?} for {length} bytes");
    assert!(rows.is_sorted_by(|one, other| one.row_hash < other.row_hash));
    let lines = u64::try_from(rows.len()).unwrap();
    if let Some(
        ExtractError::BadRow { line_number, .. } | ExtractError::OutOfOrder { line_number },
    ) = failure
    {
        assert_eq!(line_number, lines + 1);
    }
    let mut builder = ExtractBuilder::new(3);
    let mut chunks = Vec::new();
    for row in &rows {
        chunks.extend(builder.push(row.clone()).unwrap());
    }
    chunks.extend(builder.finish().unwrap());
    let back: BTreeSet<AccessRow> = chunks
        .iter()
        .flat_map(|chunk| ExtractReader::new(chunk.bytes.as_slice()))
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(back, rows.into_iter().collect());
}
