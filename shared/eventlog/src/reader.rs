//! Reads one file, of any size, into a sink.

use std::{borrow::Cow, collections::BTreeMap, io::Read};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    ahead::inflate_ahead,
    anomaly::normalised_score,
    attribution::{AgentDirectory, Attribution, Caller, has_app},
    audit_trail::{self, AuditColumn, AuditRow},
    columns::{Header, known_columns},
    event_type::{EventType, Witness},
    format::{
        BYTE_ORDER_MARK, Contents, InflateFailure, InflateLimits, LooksLike, SNIFFED_BYTES, Totals,
        sniff,
    },
    joins::{JoinKey, Joined, may_seek, seeks_by_request, sought_keys},
    json::{Events, Laid},
    normalise::{Fields, NotText},
    recall::{KnownCaller, Person, Recall},
    records::{Record, RecordReader, RecordState},
    report::{Accounting, FileReport, QuarantineReason},
    row::AccessRow,
    timestamp,
};

/// How much of a file, and of a row, is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Largest row in bytes; a larger one is quarantined. Rows of 2.3 MB are known.
    pub max_row_bytes: usize,
    /// How many bytes of a quarantined row are handed to the sink.
    pub max_quarantined_bytes: usize,
    /// Most bytes that a gzip file may inflate to.
    pub max_inflated_bytes: u64,
    /// Most bytes that a gzip file may inflate to for each byte read. Logs come to 10 to 50.
    pub max_inflation_ratio: u64,
    /// The ratio is not looked at before this many bytes have been inflated.
    pub ratio_applies_above_bytes: u64,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            max_row_bytes: 8 << 20,
            max_quarantined_bytes: 64 << 10,
            max_inflated_bytes: 64 << 30,
            max_inflation_ratio: 300,
            ratio_applies_above_bytes: 32 << 20,
        }
    }
}

/// A row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantinedRow {
    /// Physical line on which it starts, from 1.
    pub line_number: u64,
    /// Bytes before it, after inflation.
    pub byte_offset: u64,
    /// Why.
    pub reason: QuarantineReason,
    /// The column at fault, where it is one.
    pub column: Option<&'static str>,
    /// The row as it stood, cut to the limit. May hold personal data: to be stored, never logged.
    pub raw: Vec<u8>,
}

/// What a sink could not do.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Takes what is read, in the order of the file.
pub trait RowSink {
    /// A row that an agent made; `attribution` is [`Attribution::Agent`].
    fn agent_row(&mut self, row: AccessRow, attribution: Attribution) -> Result<(), SinkError>;

    /// A row that came through a machine's door and does not say whose it is: `sought` are the keys by which another row
    /// may, the surest first. Whoever knows of such a row, and that an agent made it, answers with what it says, and the
    /// row comes to [`RowSink::agent_row`]; else it is counted among the others. The same keys need not be asked for
    /// again after the answer that nobody is known.
    fn unclaimed(&mut self, sought: Vec<JoinKey>) -> Result<Option<Joined>, SinkError> {
        let _ = sought;
        Ok(None)
    }

    /// The org of real-time events and rows of Setup Audit Trail that name none, as most that were queried do. Files do
    /// not say; whoever holds them may know. Whatever else names no org is not read.
    fn org_of_unnamed(&self) -> Option<&str> {
        None
    }

    /// A row that could not be read.
    fn quarantined(&mut self, row: QuarantinedRow) -> Result<(), SinkError>;
}

/// Why a file was not read to its end. What was read before has been given to the sink, and is accounted
/// for in the partial report.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not an event log at all; nothing was read.
    #[error(
        "this is no event log but {looks_like}; export the EventLogFile as CSV with its header line, or events as JSON, plain or gzip"
    )]
    NotAnEventLogFile {
        /// What it seems to be.
        looks_like: LooksLike,
    },
    /// The source failed; reading it again may succeed.
    #[error("the file could not be read beyond {} bytes: {source}", partial.read_bytes)]
    Source {
        /// What the source said.
        source: std::io::Error,
        /// What was read before.
        partial: Box<FileReport>,
    },
    /// The gzip data ends early: the file was cut, most often while it was uploaded.
    #[error(
        "the gzip data ends early, after {} rows; the file was cut: upload it again",
        partial.rows
    )]
    TruncatedGzip {
        /// What was read before.
        partial: Box<FileReport>,
    },
    /// The gzip data is corrupt.
    #[error("the gzip data is corrupt after {} rows; upload the file again", partial.rows)]
    CorruptGzip {
        /// What was read before.
        partial: Box<FileReport>,
    },
    /// The gzip data inflates to more than the limits allow.
    #[error(
        "the gzip data inflates from {} to more than {} bytes, over the limits; split the file, or raise the limits if it is genuine",
        partial.read_bytes, partial.inflated_bytes
    )]
    InflationBomb {
        /// What was read before.
        partial: Box<FileReport>,
    },
    /// The sink failed.
    #[error("a row could not be handed on: {source}")]
    Sink {
        /// What the sink said.
        source: SinkError,
        /// What was read before.
        partial: Box<FileReport>,
    },
}

impl ReadError {
    /// What was read before the error; `None` where nothing could be.
    pub fn partial(&self) -> Option<&FileReport> {
        match self {
            Self::NotAnEventLogFile { .. } => None,
            Self::Source { partial, .. }
            | Self::TruncatedGzip { partial }
            | Self::CorruptGzip { partial }
            | Self::InflationBomb { partial }
            | Self::Sink { partial, .. } => Some(partial),
        }
    }

    /// Whether reading the same bytes again must fail again.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::Source { .. } | Self::Sink { .. })
    }
}

/// Why reading stopped, before the report is there.
enum Stop {
    NotAnEventLogFile(LooksLike),
    Source(std::io::Error),
    Sink(SinkError),
}

/// Reads an event log, CSV or JSON, plain or gzip, and gives agents' rows and unreadable rows to `sink` as they
/// come. Memory does not grow with the file. Gzip is inflated in a thread of its own.
///
/// An empty file, and one that has a header only, are read: their report has no rows.
pub fn read_log(
    source: impl Read + Send,
    directory: &AgentDirectory,
    limits: &ReadLimits,
    sink: &mut dyn RowSink,
) -> Result<FileReport, ReadError> {
    let contents = Contents::open(source, limits.of_inflation())
        .map_err(|source| ReadError::Source { source, partial: Box::default() })?;
    let mut reading = Reading::new(directory, limits, sink);
    if contents.is_gzip() {
        return inflate_ahead(contents, |ahead| {
            let mut records = limits.records(ahead);
            let outcome = reading.run(&mut records);
            reading.end(outcome, records.source().totals())
        });
    }
    let mut records = limits.records(contents);
    let outcome = reading.run(&mut records);
    reading.end(outcome, records.source().totals())
}

/// A stretch of a file that starts where a record starts and ends where one ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Part {
    /// Its first byte.
    pub from: u64,
    /// The byte behind its last.
    pub until: u64,
    /// Physical line on which it starts, from 1.
    pub line_number: u64,
    /// The columns of its rows, by the header that stands before it in the file.
    pub columns: Vec<String>,
}

/// Cuts a plain CSV event log into parts of about `part_bytes`, each at the end of a record, so that parts read on
/// their own come to what the whole would. Reads to the end, finds where records end, and looks at nothing else.
///
/// `None` for what cannot be cut, gzip among it, and for what is no event log: to be read whole.
pub fn find_parts(
    source: impl Read,
    limits: &ReadLimits,
    part_bytes: u64,
) -> std::io::Result<Option<Vec<Part>>> {
    let contents = Contents::open(source, limits.of_inflation())?;
    if contents.is_gzip() {
        return Ok(None);
    }
    let mut records = limits.records(contents);
    let Ok(Some(mut header)) = first_header(&mut records) else { return Ok(None) };
    let start = (records.byte_offset(), records.next_line_number());
    let mut parts = vec![header.part_from(start)];
    let mut headers = 0_u32;
    while let Some(record) = records.next_record()? {
        let (at, line_number) = (record.byte_offset, record.line_number);
        let is_header = header.is_repeated_in(&record);
        let is_full = parts.last().is_some_and(|part| at.saturating_sub(part.from) >= part_bytes);
        if is_full {
            end_last(&mut parts, at);
            parts.push(header.part_from((at, line_number)));
        }
        if is_header && !header.is(&record) {
            headers = headers.saturating_add(1);
            if headers > MAX_HEADERS {
                return Ok(None);
            }
            header = BoundHeader::of(&record);
        }
    }
    end_last(&mut parts, records.byte_offset());
    Ok(Some(parts))
}

fn end_last(parts: &mut [Part], until: u64) {
    if let Some(last) = parts.last_mut() {
        last.until = until;
    }
}

/// Reads a part of a CSV event log as [`read_log`] would read it within the whole. `source` has its bytes only.
pub fn read_part(
    source: impl Read,
    part: &Part,
    directory: &AgentDirectory,
    limits: &ReadLimits,
    sink: &mut dyn RowSink,
) -> Result<FileReport, ReadError> {
    let mut records = limits.records(Contents::plain(source, limits.of_inflation()));
    records.begin_at(part.line_number, part.from);
    let mut reading = Reading::new(directory, limits, sink);
    let header = BoundHeader::of_columns(part.columns.clone());
    reading.begin(&header);
    let outcome = reading.rows(&mut records, header);
    reading.end(outcome, records.source().totals())
}

impl ReadLimits {
    fn of_inflation(&self) -> InflateLimits {
        InflateLimits {
            max_inflated_bytes: self.max_inflated_bytes,
            max_ratio: self.max_inflation_ratio,
            ratio_applies_above_bytes: self.ratio_applies_above_bytes,
        }
    }

    fn records<R: Read>(&self, contents: R) -> RecordReader<R> {
        RecordReader::new(contents, self.max_row_bytes, self.max_quarantined_bytes)
    }
}

fn skip_byte_order_mark<R: Read>(records: &mut RecordReader<R>) -> std::io::Result<()> {
    if records.peek(SNIFFED_BYTES)?.starts_with(BYTE_ORDER_MARK) {
        records.skip(BYTE_ORDER_MARK.len());
    }
    Ok(())
}

/// The first header of a file; `None` where it is empty.
fn first_header<R: Read>(records: &mut RecordReader<R>) -> Result<Option<BoundHeader>, Stop> {
    let first_bytes = records.peek(SNIFFED_BYTES).map_err(Stop::Source)?;
    if let Some(looks_like) = sniff(first_bytes) {
        return Err(Stop::NotAnEventLogFile(looks_like));
    }
    skip_byte_order_mark(records).map_err(Stop::Source)?;
    loop {
        let Some(record) = records.next_record().map_err(Stop::Source)? else { return Ok(None) };
        if record.is_blank() {
            continue;
        }
        let bound = BoundHeader::of(&record);
        let is_log = bound.header.is_event_log() || bound.audit.is_some();
        if record.state != RecordState::Whole || !is_log {
            return Err(Stop::NotAnEventLogFile(LooksLike::OtherText));
        }
        return Ok(Some(bound));
    }
}

struct Reading<'a> {
    directory: &'a AgentDirectory,
    limits: &'a ReadLimits,
    sink: &'a mut dyn RowSink,
    accounting: Accounting,
    recall: Recall,
}

/// Most headers of a file that differ from the one before. Binding one takes as long as reading hundreds of rows.
const MAX_HEADERS: u32 = 1_000;

/// A header and what it lacks for each type, found once.
struct BoundHeader {
    columns: Vec<String>,
    header: Header,
    missing: BTreeMap<EventType, Vec<&'static str>>,
    /// Where the columns of Setup Audit Trail stand, if this is a header of it.
    audit: Option<BTreeMap<AuditColumn, usize>>,
}

impl BoundHeader {
    fn of(record: &Record<'_>) -> Self {
        let name = |position| String::from_utf8_lossy(&record.field(position)).into_owned();
        Self::of_columns((0..record.len()).map(name).collect())
    }

    fn of_columns(columns: Vec<String>) -> Self {
        let header = Header::bind(columns.iter().map(String::as_str));
        let missing = EventType::ALL
            .into_iter()
            .map(|event_type| (event_type, header.missing(event_type)))
            .filter(|(_, missing)| !missing.is_empty())
            .collect();
        let is_event_log = header.columns.event_type.is_some();
        let audit = if is_event_log { None } else { audit_trail::bind(&columns) };
        Self { columns, header, missing, audit }
    }

    /// Whether a header has these columns.
    fn is(&self, record: &Record<'_>) -> bool {
        record.len() == self.columns.len()
            && self
                .columns
                .iter()
                .enumerate()
                .all(|(position, name)| *record.field(position) == *name.as_bytes())
    }

    /// Files that were glued together have a header in the middle; it may differ from the first.
    fn is_repeated_in(&self, record: &Record<'_>) -> bool {
        // What people wrote stands in these rows, and may be anything.
        if self.audit.is_some() && record.len() == self.header.width {
            return self.is(record);
        }
        let is_name = |position| {
            let name = record.field(position);
            // `EVENT_TYPE` and no type: types do not begin so.
            name.first().is_some_and(|byte| matches!(byte, b'E' | b'e'))
                && name.eq_ignore_ascii_case(b"EVENT_TYPE")
        };
        match self.header.columns.event_type {
            Some(position) if record.len() == self.header.width => is_name(position),
            _ => record.state == RecordState::Whole && (0..record.len()).any(is_name),
        }
    }

    /// A part of rows with these columns, whose end is not known yet.
    fn part_from(&self, (from, line_number): (u64, u64)) -> Part {
        Part { from, until: from, line_number, columns: self.columns.clone() }
    }
}

/// A row that is set aside.
#[derive(Clone, Copy)]
struct Unreadable {
    reason: QuarantineReason,
    column: Option<&'static str>,
}

impl From<QuarantineReason> for Unreadable {
    fn from(reason: QuarantineReason) -> Self {
        Self { reason, column: None }
    }
}

/// Why a row was not read.
enum RowStop {
    Unreadable(Unreadable),
    Sink(SinkError),
}

impl From<Unreadable> for RowStop {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

impl From<NotText> for RowStop {
    fn from(not_text: NotText) -> Self {
        Self::Unreadable(not_text.into())
    }
}

impl From<NotText> for Unreadable {
    fn from(NotText { column }: NotText) -> Self {
        Self { reason: QuarantineReason::InvalidText, column: Some(column) }
    }
}

impl<'a> Reading<'a> {
    fn new(
        directory: &'a AgentDirectory,
        limits: &'a ReadLimits,
        sink: &'a mut dyn RowSink,
    ) -> Self {
        let (accounting, recall) = (Accounting::default(), Recall::default());
        Self { directory, limits, sink, accounting, recall }
    }

    fn run<R: Read>(&mut self, records: &mut RecordReader<R>) -> Result<(), Stop> {
        if let Some(LooksLike::Json) = sniff(records.peek(SNIFFED_BYTES).map_err(Stop::Source)?) {
            skip_byte_order_mark(records).map_err(Stop::Source)?;
            return self.run_json(records);
        }
        let Some(bound) = first_header(records)? else { return Ok(()) };
        self.begin(&bound);
        self.rows(records, bound)
    }

    /// Takes the first header.
    fn begin(&mut self, bound: &BoundHeader) {
        self.accounting.header(bound.header.width);
        self.recall.bind(&bound.header.columns);
        if bound.header.columns.event_type.is_none() && bound.audit.is_none() {
            self.accounting.gap(None, "EVENT_TYPE", 0);
        }
    }

    fn rows<R: Read>(
        &mut self,
        records: &mut RecordReader<R>,
        mut bound: BoundHeader,
    ) -> Result<(), Stop> {
        let mut headers = 0_u32;
        loop {
            let Some(record) = records.next_record().map_err(Stop::Source)? else { return Ok(()) };
            if self.recalls(&record, &bound) || record.is_blank() {
                continue;
            }
            if bound.is_repeated_in(&record) {
                if bound.is(&record) {
                    continue;
                }
                headers = headers.saturating_add(1);
                if headers > MAX_HEADERS {
                    self.quarantine(&record, QuarantineReason::TooManyHeaders.into())?;
                    continue;
                }
                bound = BoundHeader::of(&record);
                self.recall.bind(&bound.header.columns);
                continue;
            }
            if let Err(unreadable) = self.row(&record, &bound)? {
                self.quarantine(&record, unreadable)?;
            }
        }
    }

    /// Reads JSON, laid out in rows under one header that has every column.
    fn run_json<R: Read>(&mut self, records: &mut RecordReader<R>) -> Result<(), Stop> {
        let byte_offset = records.byte_offset();
        let ReadLimits { max_row_bytes, max_quarantined_bytes, .. } = *self.limits;
        let mut events = Events::new(
            records.rest(),
            byte_offset,
            max_row_bytes,
            max_quarantined_bytes,
            self.sink.org_of_unnamed().map(str::to_owned),
        );
        let bound = BoundHeader {
            columns: Vec::new(),
            header: Header::bind(events.columns()),
            missing: BTreeMap::new(),
            audit: None,
        };
        while let Some(item) = events.next_item().map_err(Stop::Source)? {
            let outcome = match &item.row {
                Ok(Laid::Row(row)) => self.json_row(row, &bound)?,
                Ok(Laid::Audit(row)) => self.audit_row(row).map_err(Unreadable::from),
                Err(reason) => Err(Unreadable::from(*reason)),
            };
            if let Err(unreadable) = outcome {
                self.accounting.quarantined(unreadable.reason);
                let raw = item.raw.get(..max_quarantined_bytes).unwrap_or(item.raw);
                self.sink
                    .quarantined(QuarantinedRow {
                        line_number: item.line_number,
                        byte_offset: item.byte_offset,
                        reason: unreadable.reason,
                        column: unreadable.column,
                        raw: raw.to_vec(),
                    })
                    .map_err(Stop::Sink)?;
            }
        }
        Ok(())
    }

    fn json_row(
        &mut self,
        row: &Record<'_>,
        bound: &BoundHeader,
    ) -> Result<Result<(), Unreadable>, Stop> {
        let outcome = self.row(row, bound)?;
        let columns = &bound.header.columns;
        let is_empty =
            |column: Option<usize>| column.is_none_or(|column| row.field(column).is_empty());
        let name = columns.event_type.map(|column| row.field(column)).unwrap_or_default();
        let Some(event_type) = self.recall.event_type(&name) else { return Ok(outcome) };
        match outcome {
            Err(Unreadable { reason: QuarantineReason::NoOrganization, .. })
                if event_type.witness() == Witness::Gateway =>
            {
                Ok(Err(QuarantineReason::NoGatewayOrganization.into()))
            }
            Ok(())
                if event_type.witness() == Witness::EventLogFile
                    && known_columns(event_type).contains(&"USER_ID")
                    && is_empty(columns.user_id)
                    && is_empty(columns.user_id_derived) =>
            {
                self.accounting.gap(Some(event_type), "USER_ID", 1);
                Ok(Ok(()))
            }
            Ok(()) if event_type.is_anomaly() => {
                let score = columns.score.map(|column| row.field(column)).unwrap_or_default();
                let is_on_scale = std::str::from_utf8(&score)
                    .is_ok_and(|score| normalised_score(event_type, score).is_some());
                if !score.is_empty() && !is_on_scale {
                    self.accounting.unknown_scale(event_type, "SCORE");
                }
                Ok(Ok(()))
            }
            outcome => Ok(outcome),
        }
    }

    /// The report, and how the reading ended.
    fn end(self, outcome: Result<(), Stop>, totals: Totals) -> Result<FileReport, ReadError> {
        let Totals { is_gzip, read_bytes, inflated_bytes } = totals;
        let report = self.accounting.finish(is_gzip, read_bytes, inflated_bytes);
        match outcome {
            Ok(()) => Ok(report),
            Err(Stop::NotAnEventLogFile(looks_like)) => {
                Err(ReadError::NotAnEventLogFile { looks_like })
            }
            Err(Stop::Sink(source)) => Err(ReadError::Sink { source, partial: Box::new(report) }),
            Err(Stop::Source(source)) => {
                let partial = Box::new(report);
                let failure = source
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<InflateFailure>())
                    .copied();
                Err(match failure {
                    Some(InflateFailure::Bomb) => ReadError::InflationBomb { partial },
                    Some(InflateFailure::Truncated) => ReadError::TruncatedGzip { partial },
                    Some(InflateFailure::Corrupt) => ReadError::CorruptGzip { partial },
                    None => ReadError::Source { source, partial },
                })
            }
        }
    }

    fn quarantine(&mut self, record: &Record<'_>, unreadable: Unreadable) -> Result<(), Stop> {
        self.accounting.quarantined(unreadable.reason);
        let raw = record.raw.get(..self.limits.max_quarantined_bytes).unwrap_or(record.raw);
        self.sink
            .quarantined(QuarantinedRow {
                line_number: record.line_number,
                byte_offset: record.byte_offset,
                reason: unreadable.reason,
                column: unreadable.column,
                raw: raw.to_vec(),
            })
            .map_err(Stop::Sink)
    }

    fn row(
        &mut self,
        record: &Record<'_>,
        bound: &BoundHeader,
    ) -> Result<Result<(), Unreadable>, Stop> {
        let header = &bound.header;
        if let Err(reason) = check_shape(record, header) {
            return Ok(Err(reason.into()));
        }
        if let Some(positions) = &bound.audit {
            let fields = Fields::new(record, header);
            let row = audit_row_of(&fields, positions);
            return Ok(row.and_then(|row| self.audit_row(&row).map_err(Unreadable::from)));
        }
        let Some(event_type_column) = header.columns.event_type else {
            self.accounting.gap(None, "EVENT_TYPE", 1);
            return Ok(Err(QuarantineReason::NoEventType.into()));
        };
        let name = record.field(event_type_column);
        if name.is_empty() {
            return Ok(Err(QuarantineReason::NoEventType.into()));
        }
        let Some(event_type) = self.recall.event_type(&name) else {
            self.accounting.unread(&name);
            return Ok(Ok(()));
        };
        for column in bound.missing.get(&event_type).into_iter().flatten() {
            self.accounting.gap(Some(event_type), column, 1);
        }
        let fields = Fields::new(record, header);
        match self.read(event_type, &fields) {
            Err(RowStop::Unreadable(unreadable)) => Ok(Err(unreadable)),
            Err(RowStop::Sink(error)) => Err(Stop::Sink(error)),
            Ok(None) => Ok(Ok(())),
            Ok(Some((row, attribution))) => {
                self.sink.agent_row(row, attribution).map_err(Stop::Sink)?;
                Ok(Ok(()))
            }
        }
    }

    /// A row of Setup Audit Trail: one that tells of the logs themselves was made by somebody, the others tell of no
    /// access.
    fn audit_row(&mut self, row: &AuditRow) -> Result<(), QuarantineReason> {
        let tampering = row.read(self.sink.org_of_unnamed())?;
        for column in row.missing() {
            self.accounting.gap(None, column, 1);
        }
        match tampering {
            Some(tampering) => self.accounting.tampering(tampering),
            None => self.accounting.unread(audit_trail::NAME.as_bytes()),
        }
        Ok(())
    }

    /// Whether a row is like one before that no agent made, but for its moment in the hour and for what says nothing
    /// of who acted. If so, it is accounted for.
    fn recalls(&mut self, record: &Record<'_>, bound: &BoundHeader) -> bool {
        let Header { width, columns, .. } = &bound.header;
        if record.state != RecordState::Whole || record.len() != *width {
            return false;
        }
        let Some(caller) = self.recall.callers.get(record) else { return false };
        if !bound.missing.is_empty() && bound.missing.contains_key(&caller.event_type) {
            return false;
        }
        let is_unclaimed = match caller.person {
            Person::Surely => false,
            Person::UnlessJoined => match self.recall.unclaimed.get(record) {
                Some(is_unclaimed) => *is_unclaimed,
                None => return false,
            },
        };
        let Some(time) = columns.timestamp_derived else { return false };
        let Some(moment) = self.recall.moment_in_hour(&record.field(time)) else { return false };
        self.accounting.read_in_hour(caller.event_type, &caller.org_id, moment);
        if is_unclaimed {
            self.accounting.unclaimed();
        }
        true
    }

    /// Reads as much of a row as it takes to know that no agent made it, and the rest if one did.
    fn read(
        &mut self,
        event_type: EventType,
        fields: &Fields<'_>,
    ) -> Result<Option<(AccessRow, Attribution)>, RowStop> {
        let columns = fields.columns();
        let org = fields.column(columns.organization_id);
        if org.is_empty() {
            return Err(Unreadable::from(QuarantineReason::NoOrganization).into());
        }
        let Some(org_id) = self.recall.org_id(&org) else {
            fields.text(columns.organization_id, "ORGANIZATION_ID")?;
            return Err(Unreadable::from(QuarantineReason::BadOrganization).into());
        };
        let at = self.moment(fields)?;
        let texts = CallerTexts::of(fields)?;
        let caller = texts.caller();
        if is_platform(fields, &caller)? {
            self.accounting.read(event_type, &org_id, at, false);
            return Ok(None);
        }
        let attribution = self.directory.attribute_caller(event_type, &caller);
        if attribution.is_agent() {
            let row = fields.access_row(event_type, org_id.to_string(), at, &caller)?;
            self.accounting.read(event_type, &org_id, at, true);
            return Ok(Some((row, attribution)));
        }
        // Whoever names an application and is no agent uses an application of people.
        let may_be_joined = may_seek(event_type) && !has_app(&caller);
        let person = if may_be_joined { Person::UnlessJoined } else { Person::Surely };
        let joined = if may_be_joined { self.joined(event_type, &org_id, fields)? } else { None };
        let Some(joined) = joined else {
            // A name that the platform uses says nothing by itself.
            if !caller.client_name.starts_with(PLATFORM_CLIENT) {
                let known = KnownCaller { event_type, org_id: org_id.clone(), person };
                self.recall.callers.insert(fields.record(), known);
            }
            self.accounting.read(event_type, &org_id, at, false);
            return Ok(None);
        };
        let row = fields.access_row(event_type, org_id.to_string(), at, &caller)?;
        let attribution = self.directory.attribute_joined(&joined);
        self.accounting.joined();
        self.accounting.read(event_type, &org_id, at, true);
        Ok(Some((AccessRow { joined: Some(joined), ..row }, attribution)))
    }

    /// When it happened.
    fn moment(&mut self, fields: &Fields<'_>) -> Result<DateTime<Utc>, Unreadable> {
        let columns = fields.columns();
        let derived = fields.column(columns.timestamp_derived);
        if let Some(at) = self.recall.moment(&derived) {
            return Ok(at);
        }
        fields.text(columns.timestamp_derived, "TIMESTAMP_DERIVED")?;
        let compact = fields.text(columns.timestamp, "TIMESTAMP")?;
        let is_absent = derived.is_empty() && compact.is_empty();
        let reason = if is_absent { QuarantineReason::NoTime } else { QuarantineReason::BadTime };
        timestamp::parse_compact(&compact).ok_or(reason.into())
    }

    /// Asks for another row that says who made this one.
    fn joined(
        &mut self,
        event_type: EventType,
        org_id: &str,
        fields: &Fields<'_>,
    ) -> Result<Option<Joined>, RowStop> {
        if !fields.may_be_a_machines(event_type)? {
            return Ok(None);
        }
        if let Some(is_unclaimed) = self.recall.unclaimed.get(fields.record()) {
            if *is_unclaimed {
                self.accounting.unclaimed();
            }
            return Ok(None);
        }
        let sought = sought_keys(org_id, event_type, &fields.join_keys());
        let seeks = !sought.is_empty();
        let joined = if seeks { self.sink.unclaimed(sought).map_err(RowStop::Sink)? } else { None };
        if joined.is_none() {
            if seeks {
                self.accounting.unclaimed();
            }
            if !seeks_by_request(event_type) {
                self.recall.unclaimed.insert(fields.record(), seeks);
            }
        }
        Ok(joined)
    }
}

/// A row of Setup Audit Trail, from its columns.
fn audit_row_of(
    fields: &Fields<'_>,
    positions: &BTreeMap<AuditColumn, usize>,
) -> Result<AuditRow, Unreadable> {
    let mut row = AuditRow::default();
    for (column, position) in positions {
        let text = fields.text(Some(*position), column.name())?;
        row.0.insert(*column, text.into_owned());
    }
    Ok(row)
}

/// What the client of the platform's own calls is called.
const PLATFORM_CLIENT: &str = "SfdcInternalAPI/";

/// Whether the platform made the row itself: it is logged as a call of the Tooling API without an address.
fn is_platform(fields: &Fields<'_>, caller: &Caller<'_>) -> Result<bool, NotText> {
    let columns = fields.columns();
    Ok(caller.bot_id.is_empty()
        && caller.planner_id.is_empty()
        && caller.client_name.starts_with(PLATFORM_CLIENT)
        && fields.text(columns.api_type, "API_TYPE")? == "T"
        && fields.text(columns.client_ip, "CLIENT_IP")?.is_empty())
}

/// The columns that say who acted, decoded.
struct CallerTexts<'a> {
    user_id: Cow<'a, str>,
    connected_app_id: Cow<'a, str>,
    connected_app_name: Cow<'a, str>,
    client_name: Cow<'a, str>,
    bot_id: Cow<'a, str>,
    planner_id: Cow<'a, str>,
    user_agent: Cow<'a, str>,
    client_category: Cow<'a, str>,
}

impl<'a> CallerTexts<'a> {
    fn of(fields: &Fields<'a>) -> Result<Self, NotText> {
        let columns = fields.columns();
        let mut user_id = fields.text(columns.user_id, "USER_ID")?;
        if user_id.is_empty() {
            user_id = fields.text(columns.user_id_derived, "USER_ID_DERIVED")?;
        }
        let mut user_agent = fields.text(columns.user_agent, "USER_AGENT")?;
        // RestApi and ApexRestApi write a number, which names nobody and is kept with the row alone.
        if user_agent.bytes().all(|byte| byte.is_ascii_digit()) {
            user_agent = fields.text(columns.browser_type, "BROWSER_TYPE")?;
        }
        Ok(Self {
            user_id,
            connected_app_id: fields.text(columns.connected_app_id, "CONNECTED_APP_ID")?,
            connected_app_name: fields.text(columns.connected_app_name, "CONNECTED_APP_NAME")?,
            client_name: fields.text(columns.client_name, "CLIENT_NAME")?,
            bot_id: fields.text(columns.bot_id, "BOT_ID")?,
            planner_id: fields.text(columns.planner_id, "PLANNER_ID")?,
            user_agent,
            client_category: fields.text(columns.api_client_category, "API_CLIENT_CATEGORY")?,
        })
    }

    fn caller(&self) -> Caller<'_> {
        Caller {
            user_id: &self.user_id,
            connected_app_id: &self.connected_app_id,
            connected_app_name: &self.connected_app_name,
            client_name: &self.client_name,
            bot_id: &self.bot_id,
            planner_id: &self.planner_id,
            user_agent: &self.user_agent,
            client_category: &self.client_category,
        }
    }
}

fn check_shape(record: &Record<'_>, header: &Header) -> Result<(), QuarantineReason> {
    match record.state {
        RecordState::Whole => {}
        RecordState::MalformedQuoting => return Err(QuarantineReason::MalformedQuoting),
        RecordState::UnterminatedQuote => return Err(QuarantineReason::UnterminatedQuote),
        RecordState::Oversized => return Err(QuarantineReason::Oversized),
        RecordState::TooManyFields => return Err(QuarantineReason::FieldCount),
    }
    // A comma at the end of each line adds an empty field.
    let has_only_empty_extras = record.len() >= header.width
        && (header.width..record.len()).all(|position| record.field(position).is_empty());
    if has_only_empty_extras { Ok(()) } else { Err(QuarantineReason::FieldCount) }
}
