//! Single JSON objects out of a stream, in bounded memory.
//!
//! How objects stand in a file differs by who wrote it: one a line, in one array, printed over many lines, glued
//! together with nothing between, or inside the answer of a query. All are read by one walk over the bytes, which knows
//! strings, brackets and no more; whether an object is JSON, its parser tells. Each byte is looked at once.

use std::io::Read;

use super::container::{Container, KeyTracker};
use crate::report::QuarantineReason;

/// Most brackets that may be open at once, of containers and of a record each.
pub(super) const MAX_DEPTH: usize = 64;

/// Most values of a record. Events have 20 to 60.
pub(super) const MAX_VALUES: usize = 10_000;

const CHUNK_BYTES: usize = 128 * 1024;

/// An object, or what could not be read as one.
pub(super) struct Piece<'a> {
    /// Physical line on which it starts, from 1.
    pub(super) line_number: u64,
    /// Bytes before it, after inflation.
    pub(super) byte_offset: u64,
    /// Why it is set aside; `None` for an object whose brackets match.
    pub(super) failure: Option<QuarantineReason>,
    /// The bytes as they stood; the first ones only of what is too large.
    pub(super) raw: &'a [u8],
    /// The org that the container of the object names.
    pub(super) org_id: Option<&'a str>,
}

/// What the walk is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Between objects: white space, commas, brackets of containers.
    Between,
    /// In an object, which is kept.
    Record,
    /// In an object that is over a limit: walked to its end and not kept.
    Skipped(QuarantineReason),
    /// Behind the array in a container: walked to the end of the container and not kept.
    Rest,
    /// In what is no JSON: skipped up to a line that begins with a bracket.
    Garbage(QuarantineReason),
}

/// What encloses the current object.
#[derive(Debug)]
enum Level {
    Array,
    Container(Container),
}

/// Brackets and strings of one object.
#[derive(Debug, Default)]
struct Walk {
    depth: usize,
    /// Whether the open brackets are braces, the innermost in the lowest bit.
    braces: u64,
    in_string: bool,
    escaped: bool,
    /// The last byte that is neither white space nor inside a string; a quote stands for a string.
    last: u8,
    values: usize,
    key: KeyTracker,
}

/// What a byte did to a walk.
enum Step {
    Within,
    /// The object ended with this byte.
    End,
    /// This byte opened the array that a container is there for.
    ContainersArray,
    /// No JSON goes on like this.
    Malformed,
    TooDeep,
}

impl Walk {
    /// A walk that has an object open, and saw this byte last.
    fn in_object(last: u8) -> Self {
        Self { depth: 1, braces: 1, last, ..Self::default() }
    }

    fn step(&mut self, byte: u8) -> Step {
        if self.in_string {
            return self.step_in_string(byte);
        }
        if byte.is_ascii_whitespace() {
            return Step::Within;
        }
        let last = std::mem::replace(&mut self.last, byte);
        let is_in_object = self.braces & 1 == 1;
        match byte {
            b'"' => {
                self.in_string = true;
                let is_key = self.depth == 1 && is_in_object && matches!(last, b'{' | b',');
                self.key.start(is_key);
            }
            b'{' | b'[' => return self.open(byte, last, is_in_object),
            b'}' | b']' => {
                if is_in_object != (byte == b'}') {
                    return Step::Malformed;
                }
                self.depth = self.depth.saturating_sub(1);
                self.braces >>= 1;
                if self.depth == 0 {
                    return Step::End;
                }
            }
            b',' => self.values = self.values.saturating_add(1),
            _ => {}
        }
        Step::Within
    }

    fn open(&mut self, bracket: u8, last: u8, is_in_object: bool) -> Step {
        let is_expected = match last {
            b':' => is_in_object,
            b'[' => true,
            b',' => !is_in_object,
            _ => false,
        };
        if !is_expected {
            return Step::Malformed;
        }
        if bracket == b'[' && self.depth == 1 && self.key.is_containers() {
            return Step::ContainersArray;
        }
        if self.depth >= MAX_DEPTH {
            return Step::TooDeep;
        }
        self.depth = self.depth.saturating_add(1);
        self.braces = self.braces << 1 | u64::from(bracket == b'{');
        self.values = self.values.saturating_add(1);
        Step::Within
    }

    fn step_in_string(&mut self, byte: u8) -> Step {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => {
                self.in_string = false;
                self.key.end();
                return Step::Within;
            }
            // JSON writes a newline as \n: a string that runs over the end of its line is not closed.
            b'\n' => return Step::Malformed,
            _ => {}
        }
        self.key.push(byte);
        Step::Within
    }
}

/// Reads objects from a stream.
pub(super) struct Splitter<R> {
    source: R,
    chunk: Vec<u8>,
    position: usize,
    filled: usize,
    /// What is kept of the current object, or of the current garbage.
    kept: Vec<u8>,
    mode: Mode,
    levels: Vec<Level>,
    walk: Walk,
    max_record_bytes: usize,
    max_skipped_bytes: usize,
    line_number: u64,
    byte_offset: u64,
    /// Whether only white space stood on this line so far.
    at_line_start: bool,
    started_line: u64,
    started_offset: u64,
    has_ended: bool,
}

/// That a piece ended, and whether something is wrong with it.
struct Ended(Option<QuarantineReason>);

impl<R: Read> Splitter<R> {
    /// A splitter of what is left of `source`, which stands at this offset of the file, in its first line. Of what is
    /// skipped, the first `max_skipped_bytes` are kept to be shown.
    pub(super) fn new(
        source: R,
        byte_offset: u64,
        max_record_bytes: usize,
        max_skipped_bytes: usize,
    ) -> Self {
        Self {
            source,
            chunk: vec![0; CHUNK_BYTES],
            position: 0,
            filled: 0,
            kept: Vec::new(),
            mode: Mode::Between,
            levels: Vec::new(),
            walk: Walk::default(),
            max_record_bytes,
            max_skipped_bytes: max_skipped_bytes.min(max_record_bytes),
            line_number: 1,
            byte_offset,
            at_line_start: true,
            started_line: 1,
            started_offset: byte_offset,
            has_ended: false,
        }
    }

    /// The next object, or the next run of bytes that is none; `None` at the end. A source that fails has given all
    /// objects before the failure, and not the one that it broke off in.
    pub(super) fn next_piece(&mut self) -> Result<Option<Piece<'_>>, std::io::Error> {
        loop {
            let Some(byte) = self.byte_at_hand()? else {
                return Ok(self.at_end().map(|ended| self.piece(&ended)));
            };
            if let Some(ended) = self.take(byte) {
                return Ok(Some(self.piece(&ended)));
            }
        }
    }

    /// The next byte, which is taken by [`Splitter::consume`] only.
    fn byte_at_hand(&mut self) -> Result<Option<u8>, std::io::Error> {
        while self.position >= self.filled {
            match self.source.read(&mut self.chunk) {
                Ok(0) => return Ok(None),
                Ok(count) => {
                    self.position = 0;
                    self.filled = count.min(self.chunk.len());
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.chunk.get(self.position).copied())
    }

    fn consume(&mut self, byte: u8) {
        self.position = self.position.saturating_add(1);
        self.byte_offset = self.byte_offset.saturating_add(1);
        if byte == b'\n' {
            self.line_number = self.line_number.saturating_add(1);
            self.at_line_start = true;
        } else if !byte.is_ascii_whitespace() {
            self.at_line_start = false;
        }
    }

    /// Begins a piece at the byte at hand.
    fn start(&mut self, mode: Mode) {
        self.mode = mode;
        self.kept.clear();
        self.started_line = self.line_number;
        self.started_offset = self.byte_offset;
    }

    /// Looks at the byte at hand and takes it, unless it begins the next object.
    fn take(&mut self, byte: u8) -> Option<Ended> {
        match self.mode {
            Mode::Between => {
                self.take_between(byte);
                None
            }
            Mode::Garbage(reason) => {
                // Inside a container only an object is sure to be no part of what is broken.
                let resumes = byte == b'{' || (byte == b'[' && self.levels.is_empty());
                if self.at_line_start && resumes {
                    self.mode = Mode::Between;
                    return Some(Ended(Some(reason)));
                }
                if self.kept.len() < self.max_skipped_bytes {
                    self.kept.push(byte);
                }
                self.consume(byte);
                None
            }
            Mode::Record | Mode::Skipped(_) | Mode::Rest => self.take_in_object(byte),
        }
    }

    fn take_between(&mut self, byte: u8) {
        match byte {
            b'{' => {
                self.start(Mode::Record);
                self.walk = Walk::in_object(byte);
                self.kept.push(byte);
            }
            b'[' if self.levels.len() < MAX_DEPTH => self.levels.push(Level::Array),
            b']' if matches!(self.levels.last(), Some(Level::Array)) => {
                self.levels.pop();
                if matches!(self.levels.last(), Some(Level::Container(_))) {
                    self.mode = Mode::Rest;
                    self.walk = Walk::in_object(byte);
                }
            }
            b',' => {}
            _ if byte.is_ascii_whitespace() => {}
            _ => {
                let is_too_deep = byte == b'[';
                self.start(Mode::Garbage(if is_too_deep {
                    QuarantineReason::TooDeeplyNested
                } else {
                    QuarantineReason::MalformedJson
                }));
                self.kept.push(byte);
            }
        }
        self.consume(byte);
    }

    fn take_in_object(&mut self, byte: u8) -> Option<Ended> {
        match self.walk.step(byte) {
            Step::Within => {
                self.keep(byte);
                self.consume(byte);
                None
            }
            Step::End => {
                self.keep(byte);
                self.consume(byte);
                match std::mem::replace(&mut self.mode, Mode::Between) {
                    Mode::Rest => {
                        self.levels.pop();
                        None
                    }
                    Mode::Skipped(reason) => Some(Ended(Some(reason))),
                    _ => Some(Ended(None)),
                }
            }
            Step::ContainersArray => {
                // In the rest of a container that is there already: a second array of the kind.
                if self.mode != Mode::Rest {
                    self.levels.push(Level::Container(Container::of(&self.kept)));
                }
                if self.levels.len() < MAX_DEPTH {
                    self.mode = Mode::Between;
                    self.levels.push(Level::Array);
                } else {
                    self.start(Mode::Garbage(QuarantineReason::TooDeeplyNested));
                }
                self.consume(byte);
                None
            }
            // The object before was cut off, and here is the next.
            Step::Malformed if self.at_line_start && byte == b'{' => {
                self.spoil(QuarantineReason::MalformedJson);
                self.mode = Mode::Between;
                Some(Ended(Some(QuarantineReason::MalformedJson)))
            }
            Step::Malformed => {
                self.spoil(QuarantineReason::MalformedJson);
                None
            }
            Step::TooDeep => {
                self.spoil(QuarantineReason::TooDeeplyNested);
                None
            }
        }
    }

    /// Goes on as garbage from the byte at hand, with what is kept.
    fn spoil(&mut self, reason: QuarantineReason) {
        if self.mode == Mode::Rest {
            self.levels.pop();
            self.start(Mode::Garbage(reason));
        } else {
            self.mode = Mode::Garbage(reason);
            self.kept.truncate(self.max_skipped_bytes);
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.mode != Mode::Record {
            return;
        }
        let failure = if self.kept.len() >= self.max_record_bytes {
            Some(QuarantineReason::Oversized)
        } else if self.walk.values > MAX_VALUES {
            Some(QuarantineReason::TooManyValues)
        } else {
            None
        };
        if let Some(reason) = failure {
            self.mode = Mode::Skipped(reason);
            self.kept.truncate(self.max_skipped_bytes);
        } else {
            self.kept.push(byte);
        }
    }

    /// What is left when the source ends.
    fn at_end(&mut self) -> Option<Ended> {
        if self.has_ended {
            return None;
        }
        self.has_ended = true;
        match std::mem::replace(&mut self.mode, Mode::Between) {
            Mode::Record | Mode::Skipped(_) => {
                Some(Ended(Some(QuarantineReason::UnterminatedJson)))
            }
            Mode::Garbage(reason) => Some(Ended(Some(reason))),
            // A container that was not closed: nobody knows how much is missing.
            Mode::Between | Mode::Rest if !self.levels.is_empty() => {
                self.start(Mode::Between);
                Some(Ended(Some(QuarantineReason::UnterminatedJson)))
            }
            Mode::Between | Mode::Rest => None,
        }
    }

    fn piece(&self, ended: &Ended) -> Piece<'_> {
        let mut orgs = self.levels.iter().rev().filter_map(|level| match level {
            Level::Container(container) => container.org_id(),
            Level::Array => None,
        });
        Piece {
            line_number: self.started_line,
            byte_offset: self.started_offset,
            failure: ended.0,
            raw: &self.kept,
            org_id: orgs.next(),
        }
    }
}

/// Whether a text that is JSON by itself keeps to the limits of a record. The strings of a record may hold such texts.
pub(super) fn fits(text: &[u8]) -> bool {
    let (mut depth, mut values) = (0_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth = depth.saturating_add(1);
                values = values.saturating_add(1);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values = values.saturating_add(1),
            _ => {}
        }
        if depth > MAX_DEPTH || values > MAX_VALUES {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    type Told = (u64, u64, Option<QuarantineReason>, String);

    fn pieces_with(data: &[u8], max_record_bytes: usize) -> Vec<Told> {
        let mut splitter = Splitter::new(data, 0, max_record_bytes, 1_000);
        let mut told = Vec::new();
        while let Some(piece) = splitter.next_piece().unwrap() {
            let raw = String::from_utf8_lossy(piece.raw).into_owned();
            told.push((piece.line_number, piece.byte_offset, piece.failure, raw));
        }
        told
    }

    fn pieces(data: &str) -> Vec<Told> {
        pieces_with(data.as_bytes(), 1_000)
    }

    fn object(line_number: u64, byte_offset: u64, raw: &str) -> Told {
        (line_number, byte_offset, None, raw.to_owned())
    }

    fn failed(line: u64, offset: u64, reason: QuarantineReason, raw: &str) -> Told {
        (line, offset, Some(reason), raw.to_owned())
    }

    #[test]
    fn every_layout_gives_the_same_objects() {
        for data in [
            "{\"a\":1}\n{\"b\":[2]}\n",
            "[{\"a\":1},{\"b\":[2]}]",
            "[\n{\"a\":1},\n{\"b\":[2]}\n]\n",
            "{\"a\":1}{\"b\":[2]}",
            "{\"a\":1},\r\n{\"b\":[2]},",
            "[[{\"a\":1}],[{\"b\":[2]}]]",
            "{\"totalSize\":2,\"records\":[{\"a\":1},{\"b\":[2]}],\"done\":{\"x\":[1]}}",
            "{\"totalSize\":2,\"records\":[{\"a\":1}]}\n{\"records\":[{\"b\":[2]}]}",
            "{\"records\":[{\"a\":1}],\"records\":[{\"b\":[2]}]}",
        ] {
            let found: Vec<_> =
                pieces(data).into_iter().map(|(_, _, why, raw)| (why, raw)).collect();
            let expected = [(None, "{\"a\":1}".to_owned()), (None, "{\"b\":[2]}".to_owned())];
            assert_eq!(found, expected, "{data}");
        }
    }

    #[test]
    fn a_piece_knows_its_line_and_offset() {
        assert_eq!(
            pieces("[\n {\"a\":\n1},\n{\"b\":2}]"),
            [object(2, 3, "{\"a\":\n1}"), object(4, 13, "{\"b\":2}")]
        );
    }

    #[test]
    fn brackets_and_quotes_inside_strings_are_text() {
        let data = r#"{"a":"}{\"[","records":"[{"}"#;
        assert_eq!(pieces(data), [object(1, 0, data)]);
    }

    #[test]
    fn reading_goes_on_at_the_next_line_that_begins_an_object() {
        let malformed = QuarantineReason::MalformedJson;
        assert_eq!(
            pieces("{\"a\":1}\nnot json {\"x\":1}\nnor this\n{\"b\":2}\n"),
            [
                object(1, 0, "{\"a\":1}"),
                failed(2, 8, malformed, "not json {\"x\":1}\nnor this\n"),
                object(4, 34, "{\"b\":2}"),
            ]
        );
        for cut in ["{\"a\":1,", "{\"a\":1", "{\"a\":\"x", "{\"a\":[1", "{\"a\":1]", "{\"a\":[1}"] {
            let found = pieces(&format!("{cut}\n{{\"b\":2}}\n"));
            assert_eq!(found.len(), 2, "{cut}: {found:?}");
            assert_eq!(found[0].2, Some(malformed), "{cut}");
            assert_eq!(found[1].3, "{\"b\":2}", "{cut}");
        }
    }

    #[test]
    fn what_is_not_closed_is_told() {
        let unterminated = QuarantineReason::UnterminatedJson;
        assert_eq!(pieces("{\"a\":"), [failed(1, 0, unterminated, "{\"a\":")]);
        assert_eq!(
            pieces("[{\"a\":1},"),
            [object(1, 1, "{\"a\":1}"), failed(1, 9, unterminated, "")]
        );
        assert_eq!(
            pieces("{\"records\":[{\"a\":1}]"),
            [object(1, 12, "{\"a\":1}"), failed(1, 20, unterminated, "")]
        );
    }

    #[test]
    fn what_is_over_a_limit_is_skipped_and_what_comes_after_is_read() {
        let large = format!("{{\"a\":\"{}\"}}\n{{\"b\":2}}", "x".repeat(5_000));
        let found = pieces(&large);
        assert_eq!(found[0].2, Some(QuarantineReason::Oversized));
        assert_eq!(found[0].3.len(), 1_000);
        assert_eq!(found[1].3, "{\"b\":2}");

        let many = format!("{{\"a\":[{}1]}}{{\"b\":2}}", "1,".repeat(MAX_VALUES + 1));
        let found = pieces_with(many.as_bytes(), 1 << 20);
        assert_eq!(found[0].2, Some(QuarantineReason::TooManyValues));
        assert_eq!(found[1].3, "{\"b\":2}");

        for open in ["[", "{\"a\":"] {
            let deep = format!("{{\"a\":{}\n{{\"b\":2}}", open.repeat(100));
            let found = pieces_with(deep.as_bytes(), 1 << 20);
            assert_eq!(found[0].2, Some(QuarantineReason::TooDeeplyNested), "{open}");
            assert_eq!(found[1].3, "{\"b\":2}");
        }
        let found = pieces(&format!("{}\n{{\"b\":2}}", "[".repeat(100)));
        assert_eq!(found[0].2, Some(QuarantineReason::TooDeeplyNested));
        assert_eq!(found[1].3, "{\"b\":2}");
    }

    #[test]
    fn the_org_of_a_container_holds_for_its_objects_only() {
        let data = "{\"OrganizationId\":\"00D5g000004Hq3K\",\"records\":[{\"a\":1}]}{\"b\":2}";
        let mut splitter = Splitter::new(data.as_bytes(), 0, 1_000, 1_000);
        assert_eq!(splitter.next_piece().unwrap().unwrap().org_id, Some("00D5g000004Hq3K"));
        assert_eq!(splitter.next_piece().unwrap().unwrap().org_id, None);
    }
}
