//! Any text as a query: names come out of it, values never.

use bolero::check;
use eventlog::soql::{QueryShape, shape};

use crate::{allocations::measured, soup};

/// Memory for each byte of a query: a word takes a few times its length while it is looked at.
const PEAK_BYTES_PER_BYTE: u64 = 64;

const PEAK_BYTES: u64 = 256 << 10;

#[test]
fn any_query_gives_names_and_no_value() {
    let check = |input: &[u8]| {
        check_query(&String::from_utf8_lossy(input));
        check_query(&String::from_utf8_lossy(&soup::of(input, &soup::SOQL)));
    };
    check!(name = "soql").with_iterations(0).for_each(check);
    crate::inputs::each(1_000, check);
}

fn check_query(query: &str) {
    // Tables of names are made by whoever asks first.
    shape(query);
    let (found, allocations) = measured(|| shape(query));
    let most = PEAK_BYTES + PEAK_BYTES_PER_BYTE * u64::try_from(query.len()).unwrap();
    assert!(allocations.peak_bytes <= most, "{allocations:?} for {} bytes", query.len());

    let QueryShape { objects, fields, limit, is_count } = &found;
    assert!(objects.len() <= 64 && fields.len() <= 500);
    for name in objects.iter().chain(fields) {
        assert!(!name.is_empty());
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_.:%()".contains(letter);
        assert!(name.chars().all(is_plain), "{name}");
    }
    assert!(!is_count || !objects.is_empty());
    assert!(limit.is_none() || query.to_ascii_uppercase().contains("LIMIT"));
    // In braces, a search has its text, in which a quote is a quote. An address has its quotes and backslashes
    // percent-encoded, and is decoded before literals are told, as Salesforce does.
    if !["{", "%27", "%5C", "%5c"].iter().any(|mark| query.contains(mark)) {
        assert_eq!(shape(&with_other_literals(query)), found, "a literal shows");
    }
}

/// The same query with something else in each of its literals.
fn with_other_literals(query: &str) -> String {
    let mut other = String::new();
    let mut rest = query;
    while let Some((before, behind)) = rest.split_once('\'') {
        other.push_str(before);
        other.push_str("'canary FROM Canary LIMIT 7");
        let mut is_escaped = false;
        let end = behind.find(|letter| {
            let ends = letter == '\'' && !is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
            ends
        });
        match end {
            Some(end) => {
                other.push('\'');
                rest = behind.get(end + 1..).unwrap();
            }
            None => return other,
        }
    }
    other + rest
}
