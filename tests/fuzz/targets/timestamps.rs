//! Any text as a moment, in both columns: read as chrono reads it, or not at all.

use bolero::check;
use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use eventlog::report::QuarantineReason;

use crate::reading::{WIDE_LIMITS, read};

/// Letters that moments are made of, so that random bytes come near to some.
const LETTERS: &[u8; 16] = b"0123456789-:.TZ+";

#[test]
fn any_text_is_the_moment_that_chrono_says_or_none() {
    let check = |input: &[u8]| {
        check_text(&String::from_utf8_lossy(input));
        let letters = input.iter().map(|byte| char::from(LETTERS[usize::from(byte % 16)]));
        check_text(&letters.collect::<String>());
        if let Some((seconds, rest)) = input.split_first_chunk::<8>() {
            check_moment(i64::from_le_bytes(*seconds), rest);
        }
    };
    check!(name = "timestamps").with_iterations(0).for_each(check);
    crate::inputs::each(200, check);
}

fn check_text(text: &str) {
    if let Some(derived) = moment(text, "") {
        // What we take beside RFC 3339: a space for the T, an offset without its colon, a leap second without its
        // minute's end. All else must be what chrono reads.
        let mut strict = text.trim().trim_matches('"').trim().replacen(' ', "T", 1);
        let bytes = strict.as_bytes();
        if bytes[bytes.len() - 5..].iter().all(|byte| *byte != b':')
            && matches!(bytes[bytes.len() - 5], b'+' | b'-')
        {
            strict.insert(strict.len() - 2, ':');
        }
        // A point with nothing behind it.
        if !strict.as_bytes().get(20).is_some_and(u8::is_ascii_digit)
            && strict.as_bytes()[19] == b'.'
        {
            strict.remove(19);
        }
        if strict.get(17..19) == Some("60") {
            strict.replace_range(17..19, "59");
        }
        let wanted = DateTime::parse_from_rfc3339(&strict)
            .unwrap_or_else(|error| panic!("{error}: {text:?} was read as {derived}"));
        assert_eq!(derived, wanted.to_utc(), "{text:?}");
    } else if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        assert!(!is_usual(text), "{text:?} is {at}, and was not read");
    }
    if let Some(compact) = moment("", text) {
        let mut strict = text.trim().trim_matches('"').trim().to_owned();
        if strict.get(12..14) == Some("60") {
            strict.replace_range(12..14, "59");
        }
        // A point with nothing behind it.
        let strict = strict.trim_end_matches('.');
        let wanted = NaiveDateTime::parse_from_str(strict, "%Y%m%d%H%M%S%.f")
            .unwrap_or_else(|error| panic!("{error}: {text:?} was read as {compact}"));
        assert_eq!(compact, wanted.and_utc(), "{text:?}");
    }
}

/// Whether a moment is written as RFC 3339 has it, in letters that logs have.
fn is_usual(text: &str) -> bool {
    text.is_ascii() && !text.contains(['t', ' ', '_']) && text.len() <= 40
}

/// Every moment of the years that are written with four digits, in each form that Salesforce has for it.
fn check_moment(seconds: i64, rest: &[u8]) {
    let nanoseconds =
        rest.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    // A day less at either end, so that no offset leads out of them.
    let years = 315_537_724_800_i64;
    let at = DateTime::from_timestamp(
        seconds.rem_euclid(years) - 62_135_510_400,
        nanoseconds % 1_000_000_000,
    );
    let Some(at) = at else { return };
    let texts = [
        at.to_rfc3339_opts(SecondsFormat::Nanos, true),
        at.to_rfc3339_opts(SecondsFormat::Nanos, false),
        at.format("%Y-%m-%dT%H:%M:%S%.9f+0000").to_string(),
        at.with_timezone(&chrono::FixedOffset::east_opt(5_400).unwrap()).to_rfc3339(),
    ];
    for text in &texts {
        assert_eq!(moment(text, ""), Some(at), "{text}");
    }
    assert_eq!(moment("", &at.format("%Y%m%d%H%M%S%.9f").to_string()), Some(at));
}

/// When a row happened that has these two texts, if it could be read.
fn moment(derived: &str, compact: &str) -> Option<DateTime<Utc>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let columns = ["EVENT_TYPE", "TIMESTAMP_DERIVED", "TIMESTAMP", "ORGANIZATION_ID", "USER_ID"];
    writer.write_record(columns).unwrap();
    let row = ["RestApi", derived, compact, "00D5g000004Hq3K", "0055g00000Bot01"];
    writer.write_record(row).unwrap();
    let data = writer.into_inner().unwrap();
    let outcome = read(data.as_slice(), &WIDE_LIMITS);
    // Control characters make a file look like no text at all.
    if outcome.refusal.is_some() {
        return None;
    }
    match (outcome.rows.as_slice(), outcome.quarantined.as_slice()) {
        ([(row, _)], []) => Some(row.at),
        ([], [row]) => {
            let is_of_time =
                matches!(row.reason, QuarantineReason::NoTime | QuarantineReason::BadTime);
            assert!(is_of_time, "{row:?}");
            None
        }
        other => panic!("one row became {other:?}"),
    }
}
