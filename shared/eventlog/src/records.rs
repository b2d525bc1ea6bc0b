//! CSV records out of a stream, in bounded memory.
//!
//! What Salesforce and the tools that re-export its logs write is RFC 4180 with liberties: quoted or
//! not, a space after the comma, quotes left undoubled. A record carries where it stood in the file, so
//! that one which cannot be read can be shown. A record over the size limit is skipped, not held.

use std::{borrow::Cow, io::Read, ops::RangeInclusive};

use crate::structure::{FoundRow, Structure};

/// Where a field stands, counted from the start of its record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Field {
    start: usize,
    end: usize,
    has_doubled_quotes: bool,
}

impl Field {
    /// A field without quotes around or inside it.
    pub(crate) fn between(start: usize, end: usize) -> Self {
        Self { start, end, has_doubled_quotes: false }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start >= self.end
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordState {
    /// All fields are there.
    Whole,
    /// A closing quote was followed by something else than a comma.
    MalformedQuoting,
    /// The data ended inside a quoted field.
    UnterminatedQuote,
    /// More bytes than the limit; only the first ones are kept.
    Oversized,
    /// More fields than any log has; only the first ones are told apart.
    TooManyFields,
}

/// One record, borrowed from the reader's buffer.
pub(crate) struct Record<'a> {
    /// Physical line on which it starts, from 1.
    pub(crate) line_number: u64,
    /// Bytes before it in the file, after inflation.
    pub(crate) byte_offset: u64,
    /// Whether it can be read.
    pub(crate) state: RecordState,
    /// The record as it stood, without its line end.
    pub(crate) raw: &'a [u8],
    layout: Layout<'a>,
}

/// Where the fields of a record stand.
#[derive(Clone, Copy)]
enum Layout<'a> {
    /// Found byte by byte.
    Walked(&'a [Field]),
    /// Found by the structure of the buffer: the separator behind each field, and the position that the record
    /// starts at in the same count. A quote stands only around a field, or doubled inside it.
    Separated { separators: &'a [u32], start: u32, has_doubled_quotes: bool },
}

impl<'a> Record<'a> {
    /// A record whose values, and where each stands among them, come from elsewhere than CSV.
    pub(crate) fn laid_out(
        line_number: u64,
        byte_offset: u64,
        values: &'a [u8],
        fields: &'a [Field],
    ) -> Self {
        let layout = Layout::Walked(fields);
        Self { line_number, byte_offset, state: RecordState::Whole, raw: values, layout }
    }

    /// Number of fields.
    pub(crate) fn len(&self) -> usize {
        match self.layout {
            Layout::Walked(fields) => fields.len(),
            Layout::Separated { separators, .. } => separators.len(),
        }
    }

    /// Whether nothing stood on the line.
    pub(crate) fn is_blank(&self) -> bool {
        self.raw.iter().all(u8::is_ascii_whitespace)
    }

    /// The bytes of columns that stand side by side, with quotes and the separators between them. `None` where the
    /// record was walked, and where it has no such columns.
    pub(crate) fn as_it_stands(&self, columns: &RangeInclusive<usize>) -> Option<&'a [u8]> {
        let Layout::Separated { separators, start, .. } = self.layout else { return None };
        let index = |at: u32| usize::try_from(at.wrapping_sub(start)).unwrap_or(usize::MAX);
        let from = match columns.start().checked_sub(1) {
            Some(before) => index(*separators.get(before)?).wrapping_add(1),
            None => 0,
        };
        let to = index(*separators.get(*columns.end())?).min(self.raw.len());
        self.raw.get(from..to)
    }

    /// The bytes of a field: unquoted, trimmed, and one pair of surrounding quotes taken off, which
    /// Salesforce writes around values that have special characters. Empty where there is none.
    pub(crate) fn field(&self, position: usize) -> Cow<'a, [u8]> {
        let (bytes, has_doubled_quotes) = match self.layout {
            Layout::Walked(fields) => {
                let Some(field) = fields.get(position) else { return Cow::Borrowed(&[]) };
                // `raw` may have lost the carriage return that the last field ends with.
                let end = field.end.min(self.raw.len());
                let bytes = self.raw.get(field.start..end).unwrap_or_default();
                (bytes, field.has_doubled_quotes)
            }
            Layout::Separated { separators, start, has_doubled_quotes } => {
                let bytes = separated(self.raw, separators, start, position);
                match bytes.strip_prefix(b"\"") {
                    None => return Cow::Borrowed(bytes.trim_ascii()),
                    // The last field of a record may end with a carriage return behind its quote.
                    Some(inner) => {
                        let inner = inner.strip_suffix(b"\r").unwrap_or(inner);
                        let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
                        (inner, has_doubled_quotes && inner.contains(&b'"'))
                    }
                }
            }
        };
        if has_doubled_quotes {
            let mut value = Vec::with_capacity(bytes.len());
            let mut after_quote = false;
            for byte in bytes {
                if *byte == b'"' && after_quote {
                    after_quote = false;
                } else {
                    after_quote = *byte == b'"';
                    value.push(*byte);
                }
            }
            Cow::Owned(strip(&value).to_vec())
        } else {
            Cow::Borrowed(strip(bytes))
        }
    }
}

/// A field as it stands between its separators.
fn separated<'a>(raw: &'a [u8], separators: &[u32], start: u32, position: usize) -> &'a [u8] {
    let Some(end) = separators.get(position) else { return &[] };
    let from = match position.checked_sub(1) {
        Some(before) => {
            separators.get(before).map_or(0, |at| at.wrapping_sub(start).wrapping_add(1))
        }
        None => 0,
    };
    let index = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
    // The last separator is the newline, and `raw` may have lost the carriage return before it.
    let to = index(end.wrapping_sub(start)).min(raw.len());
    raw.get(index(from)..to).unwrap_or_default()
}

fn strip(bytes: &[u8]) -> &[u8] {
    let trimmed = bytes.trim_ascii();
    trimmed
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .map_or(trimmed, <[u8]>::trim_ascii)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scan {
    FieldStart,
    Unquoted,
    Quoted,
    /// A quote was seen inside a quoted field: the end of it, or the first of two.
    QuoteInQuoted,
    /// After the closing quote, where only spaces may stand.
    AfterQuoted,
}

impl Scan {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::QuoteInQuoted,
            (Self::FieldStart | Self::QuoteInQuoted, b'"') | (Self::Quoted, _) => Self::Quoted,
            (_, b',' | b'\n') | (Self::FieldStart, b' ') => Self::FieldStart,
            (Self::QuoteInQuoted | Self::AfterQuoted, b' ' | b'\r') => Self::AfterQuoted,
            _ => Self::Unquoted,
        }
    }
}

/// How far a record has been walked.
struct Walk {
    scan: Scan,
    field: Field,
    /// Bytes walked.
    position: usize,
    newlines: u64,
    is_malformed: bool,
    has_too_many_fields: bool,
}

impl Walk {
    fn new() -> Self {
        Self {
            scan: Scan::FieldStart,
            field: Field::default(),
            position: 0,
            newlines: 0,
            is_malformed: false,
            has_too_many_fields: false,
        }
    }

    /// Walks over one byte; says whether it ended the record.
    fn step(&mut self, byte: u8, fields: &mut Vec<Field>) -> bool {
        let here = self.position;
        let before = self.scan;
        self.position = here.saturating_add(1);
        self.scan = before.after(byte);
        self.newlines = self.newlines.saturating_add(u64::from(byte == b'\n'));
        match (before, self.scan) {
            (Scan::FieldStart, Scan::Quoted) => self.field.start = self.position,
            (Scan::QuoteInQuoted, Scan::Quoted) => self.field.has_doubled_quotes = true,
            (Scan::QuoteInQuoted, Scan::AfterQuoted) => self.field.end = here.saturating_sub(1),
            (Scan::QuoteInQuoted | Scan::AfterQuoted, Scan::Unquoted) => self.is_malformed = true,
            (_, Scan::FieldStart) if byte != b' ' => {
                self.end_field(before, here, fields);
                return byte == b'\n';
            }
            _ => {}
        }
        false
    }

    /// Ends the current field before `end`.
    fn end_field(&mut self, scan: Scan, end: usize, fields: &mut Vec<Field>) {
        self.field.end = match scan {
            Scan::QuoteInQuoted => end.saturating_sub(1),
            Scan::AfterQuoted => self.field.end,
            Scan::FieldStart | Scan::Unquoted | Scan::Quoted => end,
        };
        if fields.len() < MAX_FIELDS {
            fields.push(self.field);
        } else {
            self.has_too_many_fields = true;
        }
        self.field = Field { start: self.position, ..Field::default() };
    }
}

/// The source behind what is buffered, and the failure that filling the buffer met.
struct RestOfSource<'a, R> {
    source: &'a mut R,
    failure: &'a mut Option<std::io::Error>,
}

impl<R: Read> Read for RestOfSource<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => self.source.read(into),
        }
    }
}

const INITIAL_BUFFER_BYTES: usize = 256 * 1024;

/// How much is looked through for rows at a time, so that the positions of separators stay few when the buffer has
/// grown. A row that is larger is walked.
const SCANNED_BYTES: usize = INITIAL_BUFFER_BYTES;

/// Most fields of a record. The widest log has some hundred columns.
const MAX_FIELDS: usize = 4_096;

/// Reads records from a stream.
pub(crate) struct RecordReader<R> {
    source: R,
    buffer: Vec<u8>,
    /// Start of the current record in `buffer`.
    start: usize,
    /// End of the data in `buffer`.
    end: usize,
    fields: Vec<Field>,
    structure: Structure,
    max_record_bytes: usize,
    kept_oversized_bytes: usize,
    next_line_number: u64,
    next_byte_offset: u64,
    at_end: bool,
    failure: Option<std::io::Error>,
}

impl<R: Read> RecordReader<R> {
    pub(crate) fn new(source: R, max_record_bytes: usize, kept_oversized_bytes: usize) -> Self {
        let buffer_bytes = INITIAL_BUFFER_BYTES.min(buffer_limit(max_record_bytes));
        Self {
            source,
            buffer: vec![0; buffer_bytes],
            start: 0,
            end: 0,
            fields: Vec::new(),
            structure: Structure::new(),
            max_record_bytes,
            kept_oversized_bytes: kept_oversized_bytes.min(max_record_bytes),
            next_line_number: 1,
            next_byte_offset: 0,
            at_end: false,
            failure: None,
        }
    }

    /// Counts lines and bytes as in the file that the source is a part of.
    pub(crate) fn begin_at(&mut self, line_number: u64, byte_offset: u64) {
        self.next_line_number = line_number;
        self.next_byte_offset = byte_offset;
    }

    /// The line on which the next record starts.
    pub(crate) fn next_line_number(&self) -> u64 {
        self.next_line_number
    }

    /// Bytes given out so far, after inflation.
    pub(crate) fn byte_offset(&self) -> u64 {
        self.next_byte_offset
    }

    /// What is left of the data, as bytes.
    pub(crate) fn rest(&mut self) -> impl Read + '_ {
        let buffered = self.buffer.get(self.start..self.end).unwrap_or_default();
        buffered.chain(RestOfSource { source: &mut self.source, failure: &mut self.failure })
    }

    /// The source, to ask what it knows.
    pub(crate) fn source(&self) -> &R {
        &self.source
    }

    /// The first bytes of the data, up to `wanted`, without taking them.
    pub(crate) fn peek(&mut self, wanted: usize) -> Result<&[u8], std::io::Error> {
        self.fill();
        let available = self.buffer.get(self.start..self.end).unwrap_or_default();
        if available.is_empty()
            && let Some(failure) = self.failure.take()
        {
            return Err(failure);
        }
        Ok(available.get(..wanted.min(available.len())).unwrap_or_default())
    }

    /// Steps over bytes at the front, a byte order mark.
    pub(crate) fn skip(&mut self, count: usize) {
        let count = count.min(self.end.saturating_sub(self.start));
        self.start = self.start.saturating_add(count);
        self.next_byte_offset = self.next_byte_offset.saturating_add(length(count));
        self.structure.clear();
    }

    /// Moves what is left to the front and reads until the buffer is full or the source ends.
    fn fill(&mut self) {
        self.structure.clear();
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end = self.end.saturating_sub(self.start);
            self.start = 0;
        }
        while !self.at_end {
            let Some(free) = self.buffer.get_mut(self.end..) else { break };
            if free.is_empty() {
                break;
            }
            match self.source.read(free) {
                Ok(0) => self.at_end = true,
                Ok(count) => self.end = self.end.saturating_add(count).min(self.buffer.len()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error);
                    self.at_end = true;
                }
            }
        }
    }

    /// The next record; `None` at the end. A source that fails gives all records before the failure
    /// first, and not the one that it broke off in.
    pub(crate) fn next_record(&mut self) -> Result<Option<Record<'_>>, std::io::Error> {
        match self.find_row() {
            Some(row)
                if row.end.saturating_sub(row.start) <= self.max_record_bytes
                    && row.separators.len() <= MAX_FIELDS =>
            {
                Ok(Some(self.found_record(row)))
            }
            _ => self.walk_record(),
        }
    }

    /// The next row by the structure of the buffer, which is filled as it is used up; `None` where the next record
    /// has to be walked: it is irregular, the last one without a line end, or larger than the buffer.
    fn find_row(&mut self) -> Option<FoundRow> {
        loop {
            if let Some(row) = self.structure.next_row() {
                return Some(row);
            }
            if self.structure.is_irregular() {
                self.structure.clear();
                return None;
            }
            let remaining = self.end.saturating_sub(self.start);
            if self.structure.is_scanned() && remaining > SCANNED_BYTES {
                if !self.structure.has_given_rows() {
                    self.structure.clear();
                    return None;
                }
            } else if self.structure.is_scanned() {
                let is_full = self.start == 0 && self.end == self.buffer.len();
                if self.at_end || is_full {
                    self.structure.clear();
                    return None;
                }
                self.fill();
            }
            let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
            self.structure.scan(bytes.get(..SCANNED_BYTES).unwrap_or(bytes));
        }
    }

    fn found_record(&mut self, row: FoundRow) -> Record<'_> {
        let FoundRow { separators, start, end, inner_newlines, has_doubled_quotes } = row;
        let line_number = self.next_line_number;
        let byte_offset = self.next_byte_offset;
        let taken = end.saturating_sub(start).saturating_add(1);
        let from = self.start;
        self.start = from.saturating_add(taken);
        self.next_line_number = line_number.saturating_add(inner_newlines).saturating_add(1);
        self.next_byte_offset = byte_offset.saturating_add(length(taken));
        let raw = self.buffer.get(from..self.start.saturating_sub(1)).unwrap_or_default();
        Record {
            line_number,
            byte_offset,
            state: RecordState::Whole,
            raw: raw.strip_suffix(b"\r").unwrap_or(raw),
            layout: Layout::Separated {
                separators: self.structure.separators(separators),
                start: u32::try_from(start).unwrap_or(u32::MAX),
                has_doubled_quotes,
            },
        }
    }

    /// The next record, walked byte by byte.
    fn walk_record(&mut self) -> Result<Option<Record<'_>>, std::io::Error> {
        self.structure.clear();
        self.fields.clear();
        let mut walk = Walk::new();
        let line_number = self.next_line_number;
        let byte_offset = self.next_byte_offset;

        let record_end = loop {
            let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
            let mut unwalked = bytes.get(walk.position..).unwrap_or_default().iter();
            if unwalked.any(|byte| walk.step(*byte, &mut self.fields)) {
                break walk.position.saturating_sub(1);
            }
            if self.at_end {
                if let Some(failure) = self.failure.take() {
                    return Err(failure);
                }
                if walk.position == 0 {
                    return Ok(None);
                }
                walk.end_field(walk.scan, walk.position, &mut self.fields);
                break walk.position;
            }
            if walk.position > self.max_record_bytes {
                return Ok(Some(self.skip_oversized(&walk)));
            }
            if self.start == 0 && self.end == self.buffer.len() {
                let doubled = self.buffer.len().saturating_mul(2);
                self.buffer.resize(doubled.min(buffer_limit(self.max_record_bytes)), 0);
            }
            self.fill();
        };

        let Walk { scan, position, newlines, is_malformed, has_too_many_fields, .. } = walk;
        let start = self.start;
        self.start = self.start.saturating_add(position);
        self.next_line_number = self.next_line_number.saturating_add(newlines);
        self.next_byte_offset = self.next_byte_offset.saturating_add(length(position));
        let raw = self.buffer.get(start..start.saturating_add(record_end)).unwrap_or_default();
        if record_end > self.max_record_bytes {
            let kept = raw.get(..self.kept_oversized_bytes).unwrap_or(raw);
            let state = RecordState::Oversized;
            return Ok(Some(Record {
                line_number,
                byte_offset,
                state,
                raw: kept,
                layout: Layout::Walked(&[]),
            }));
        }
        Ok(Some(Record {
            line_number,
            byte_offset,
            state: if scan == Scan::Quoted {
                RecordState::UnterminatedQuote
            } else if is_malformed {
                RecordState::MalformedQuoting
            } else if has_too_many_fields {
                RecordState::TooManyFields
            } else {
                RecordState::Whole
            },
            raw: raw.strip_suffix(b"\r").unwrap_or(raw),
            layout: Layout::Walked(&self.fields),
        }))
    }

    /// Reads to the end of a record without keeping more than its first bytes.
    fn skip_oversized(&mut self, walk: &Walk) -> Record<'_> {
        let line_number = self.next_line_number;
        let byte_offset = self.next_byte_offset;
        let kept_end = self.start.saturating_add(self.kept_oversized_bytes).min(self.end);
        let kept = self.buffer.get(self.start..kept_end).unwrap_or_default().to_vec();
        let Walk { mut scan, mut position, mut newlines, .. } = *walk;
        let mut skipped = length(position);
        loop {
            self.start = self.start.saturating_add(position);
            self.fill();
            let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
            let end = bytes.iter().position(|byte| {
                scan = scan.after(*byte);
                newlines = newlines.saturating_add(u64::from(*byte == b'\n'));
                *byte == b'\n' && scan == Scan::FieldStart
            });
            position = end.map_or(bytes.len(), |end| end.saturating_add(1));
            skipped = skipped.saturating_add(length(position));
            if end.is_some() || position == 0 {
                self.start = self.start.saturating_add(position);
                break;
            }
        }
        self.next_line_number = self.next_line_number.saturating_add(newlines);
        self.next_byte_offset = self.next_byte_offset.saturating_add(skipped);
        self.fields.clear();
        // The kept bytes go behind the data, into the room that the buffer has left for them.
        let needed = self.end.saturating_add(kept.len());
        if self.buffer.len() < needed {
            self.buffer.resize(needed, 0);
        }
        if let Some(room) = self.buffer.get_mut(self.end..needed) {
            room.copy_from_slice(&kept);
        }
        Record {
            line_number,
            byte_offset,
            state: RecordState::Oversized,
            raw: self.buffer.get(self.end..needed).unwrap_or_default(),
            layout: Layout::Walked(&self.fields),
        }
    }
}

/// The most that the buffer grows to: a record at its limit and the byte that shows it is over.
fn buffer_limit(max_record_bytes: usize) -> usize {
    max_record_bytes.saturating_add(1).max(16)
}

/// A length as the 64-bit number that positions in a file are.
fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(data: &[u8]) -> Vec<(RecordState, u64, Vec<String>)> {
        let mut reader = RecordReader::new(data, 1 << 20, 64);
        let mut records = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            let fields = (0..record.len())
                .map(|position| String::from_utf8_lossy(&record.field(position)).into_owned())
                .collect();
            records.push((record.state, record.line_number, fields));
        }
        records
    }

    fn fields(data: &str) -> Vec<String> {
        read(data.as_bytes()).remove(0).2
    }

    #[test]
    fn quoted_and_unquoted_fields_with_a_space_after_the_comma() {
        assert_eq!(fields("\"a,b\", \"c\",d ,\"\"\r\n"), ["a,b", "c", "d", ""]);
    }

    #[test]
    fn the_last_field_before_crlf_is_kept_however_the_record_is_read() {
        // The space before the second record's quote makes it one that is walked.
        let records = read(b"a,b\r\n \"c\",d\r\n");
        assert_eq!(records[0].2, ["a", "b"]);
        assert_eq!(records[1].2, ["c", "d"]);
    }

    #[test]
    fn a_newline_inside_quotes_belongs_to_the_field() {
        let records = read(b"\"a\nb\",c\nd,e");
        assert_eq!(records[0].2, ["a\nb", "c"]);
        assert_eq!(records[1], (RecordState::Whole, 3, vec!["d".to_owned(), "e".to_owned()]));
    }

    #[test]
    fn an_undoubled_quote_spoils_its_own_line_only() {
        let records = read(b"\"say \"hi\" now\",x\n\"good\",y\n");
        assert_eq!(records[0].0, RecordState::MalformedQuoting);
        assert_eq!(records[1].2, ["good", "y"]);
    }

    #[test]
    fn a_quote_that_never_closes_is_told() {
        assert_eq!(read(b"\"a\",\"b\n")[0].0, RecordState::UnterminatedQuote);
    }

    #[test]
    fn an_oversized_record_is_cut_and_the_next_one_read() {
        let mut data = b"first,1\n\"".to_vec();
        data.extend(std::iter::repeat_n(b'x', 100_000));
        data.extend(b"\n\",2\nlast,3\n");
        let mut reader = RecordReader::new(data.as_slice(), 1_000, 10);
        assert_eq!(&*reader.next_record().unwrap().unwrap().field(0), b"first");
        let oversized = reader.next_record().unwrap().unwrap();
        assert_eq!((oversized.state, oversized.raw), (RecordState::Oversized, &b"\"xxxxxxxxx"[..]));
        let last = reader.next_record().unwrap().unwrap();
        assert_eq!((&*last.field(0), last.line_number), (&b"last"[..], 4));
        assert!(reader.next_record().unwrap().is_none());
        assert_eq!(reader.byte_offset(), u64::try_from(data.len()).unwrap());
    }

    #[test]
    fn records_before_a_failure_are_given() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("gone"))
            }
        }
        let mut reader = RecordReader::new((&b"a,b\nc,"[..]).chain(Broken), 1_000, 10);
        assert!(reader.next_record().unwrap().is_some());
        assert_eq!(reader.next_record().err().map(|error| error.to_string()), Some("gone".into()));
    }

    /// A source that hands out a few bytes at a time.
    struct Dribble<'a>(&'a [u8]);
    impl Read for Dribble<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let count = 3.min(into.len()).min(self.0.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_csv_crate(
            rows in proptest::collection::vec(
                proptest::collection::vec("[ -~\n\u{e4}]{0,12}", 1..6), 1..30),
            max in 200_usize..4_000,
        ) {
            let mut writer = csv::WriterBuilder::new()
                .flexible(true).quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let data = writer.into_inner().unwrap();
            let mut reader = RecordReader::new(Dribble(&data), max, 10);
            for row in &rows {
                let record = reader.next_record().unwrap().unwrap();
                prop_assert_eq!(record.state, RecordState::Whole);
                let got: Vec<_> = (0..record.len()).map(|at| record.field(at).into_owned()).collect();
                let wanted: Vec<_> = row.iter().map(|value| strip(value.as_bytes()).to_vec()).collect();
                prop_assert_eq!(got, wanted);
            }
            prop_assert!(reader.next_record().unwrap().is_none());
        }

        #[test]
        fn a_record_that_is_found_is_the_record_that_is_walked(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "a", " ", "\"", "\"\"", ",", "\n", "\r\n", "\r", "\"x\"", "\"a,b\nc\"", "\"\"\"q\"\"\"",
                    "\" y \"", "\",\"", "long enough to reach from one block of bytes into the one after it, and on",
                ]),
                0..80,
            ),
            max in 40_usize..400,
        ) {
            let data = pieces.concat().into_bytes();
            let mut found = RecordReader::new(Dribble(&data), max, 10);
            let mut walked = RecordReader::new(Dribble(&data), max, 10);
            loop {
                let (found, walked) = (found.next_record().unwrap(), walked.walk_record().unwrap());
                let all = |record: Record<'_>| {
                    let fields: Vec<_> =
                        (0..record.len()).map(|at| record.field(at).into_owned()).collect();
                    let Record { line_number, byte_offset, state, raw, .. } = record;
                    (line_number, byte_offset, state, raw.to_vec(), fields)
                };
                let is_end = walked.is_none();
                prop_assert_eq!(found.map(all), walked.map(all));
                if is_end {
                    break;
                }
            }
        }

        #[test]
        fn never_fails_and_never_stalls_on_any_bytes(
            data in proptest::collection::vec(
                prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b' '), any::<u8>()], 0..400),
            max in 1_usize..64,
        ) {
            let mut reader = RecordReader::new(data.as_slice(), max, 8);
            let mut records = 0;
            while reader.next_record().unwrap().is_some() {
                records += 1;
                prop_assert!(records <= data.len() + 1);
            }
            prop_assert_eq!(reader.byte_offset(), u64::try_from(data.len()).unwrap());
        }
    }
}
