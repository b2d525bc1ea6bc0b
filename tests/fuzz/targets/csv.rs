//! Any bytes as a plain file, and words of CSV behind a header.

use bolero::check;
use eventlog::{report::FileReport, row::AccessRow};

use crate::{
    reading::{LIMITS, Outcome, WIDE_LIMITS, read, read_however_it_comes},
    soup,
};

#[test]
fn any_bytes_are_read_to_the_same_effect_however_they_come() {
    let check = |input: &[u8]| {
        check_file(input);
        let mut words = soup::HEADER.as_bytes().to_vec();
        words.extend(soup::of(input, &soup::CSV));
        check_file(&words);
    };
    check!(name = "csv").with_iterations(0).for_each(check);
    crate::inputs::each(100, check);
}

fn check_file(data: &[u8]) {
    let outcome = read_however_it_comes(data);
    if outcome.report.is_gzip {
        return;
    }
    // Lines are counted from the start, which is not worth it for each of thousands.
    for row in outcome.quarantined.iter().take(20).chain(outcome.quarantined.last()) {
        let at = usize::try_from(row.byte_offset).unwrap();
        assert!(data[at..].starts_with(&row.raw), "not at {at}: {row:?}");
        let lines = data[..at].split(|byte| *byte == b'\n').count();
        assert_eq!(row.line_number, u64::try_from(lines).unwrap());
        assert!(row.raw.len() <= LIMITS.max_quarantined_bytes);
    }
    if outcome.refusal.is_none() {
        assert_the_last_line_may_lack_its_end(data, &outcome);
        assert_agrees_with_the_csv_crate(data);
    }
}

/// A row whose newline has not come is walked byte by byte; the others are found by their structure. Where quotes are
/// irregular, the last newline may be one of a field.
fn assert_the_last_line_may_lack_its_end(data: &[u8], outcome: &Outcome) {
    let Some(without) = data.strip_suffix(b"\n") else { return };
    let walked = read(without, &LIMITS);
    if walked.refusal.is_none() && is_strict(data) {
        assert_eq!(tell(&walked), tell(outcome));
    }
}

/// What a file tells, whatever its bytes.
fn tell(outcome: &Outcome) -> (Vec<&AccessRow>, Vec<String>, FileReport) {
    let rows = outcome.rows.iter().map(|(row, _)| row).collect();
    let reasons = outcome.quarantined.iter().map(|row| format!("{:?}", (row.reason, row.column)));
    let report = FileReport { read_bytes: 0, inflated_bytes: 0, ..outcome.report.clone() };
    (rows, reasons.collect(), report)
}

/// Where every row is as RFC 4180 has it, the csv crate reads it as well; and what it reads, written anew with quotes
/// around every field, comes to the same.
fn assert_agrees_with_the_csv_crate(data: &[u8]) {
    // Which bytes come first decides what a file looks like, and quotes would move them.
    let is_control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r');
    let text = data.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(data).trim_ascii_start();
    let looks_like_json = matches!(text.first(), Some(b'{' | b'['));
    if looks_like_json || data.iter().any(is_control) || !is_strict(data) {
        return;
    }
    let ours = read(data, &WIDE_LIMITS);
    let mut reader =
        ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(data);
    let mut writer = ::csv::WriterBuilder::new()
        .flexible(true)
        .quote_style(::csv::QuoteStyle::Always)
        .from_writer(Vec::new());
    for record in reader.byte_records() {
        writer.write_byte_record(&record.unwrap()).unwrap();
    }
    let anew = read(writer.into_inner().unwrap().as_slice(), &WIDE_LIMITS);
    assert_eq!(anew.refusal, ours.refusal);
    assert_eq!(tell(&anew), tell(&ours));
}

/// Whether quotes stand only around fields or doubled inside them, carriage returns only before newlines, and no line
/// has nothing but spaces, which the two take differently.
fn is_strict(data: &[u8]) -> bool {
    let data = data.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(data);
    let mut rest = data;
    let mut line_start = true;
    while !rest.is_empty() {
        let end = if let Some(inner) = rest.strip_prefix(b"\"") {
            let Some(length) = quoted_length(inner) else { return false };
            1 + length
        } else {
            let end = rest.iter().position(|byte| b",\r\n\"".contains(byte)).unwrap_or(rest.len());
            let ends_line = !matches!(rest.get(end), Some(b',' | b'"'));
            if line_start && ends_line && end > 0 && rest[..end].trim_ascii().is_empty() {
                return false;
            }
            end
        };
        rest = &rest[end..];
        (rest, line_start) = match rest {
            [] => (rest, true),
            [b',', behind @ ..] => (behind, false),
            [b'\n', behind @ ..] | [b'\r', b'\n', behind @ ..] => (behind, true),
            _ => return false,
        };
    }
    true
}

/// Bytes up to and with the closing quote.
fn quoted_length(inner: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match (inner.get(at)?, inner.get(at + 1)) {
            (b'"', Some(b'"')) => at += 2,
            (b'"', _) => return Some(at + 1),
            _ => at += 1,
        }
    }
}
