//! How rows are kept between reading and adding up: extracts.
//!
//! An extract is rows of one org, event type and hour, sorted by their hash, as JSON lines in gzip. It is
//! named by the SHA-256 of those lines, and its bytes are a function of the rows alone: the same rows
//! make the same extract under the same name. An hour is the union of all its extracts.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    io::{BufRead, BufReader, Read, Write},
};

use flate2::{Compression, GzBuilder, bufread::MultiGzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    event_type::EventType,
    row::{AccessRow, Hour},
};

/// Rows in a chunk, unless told otherwise.
pub const DEFAULT_CHUNK_ROWS: usize = 16_384;

/// How many full chunks' worth of rows a builder holds before it gives the largest one out early.
const HELD_CHUNKS: usize = 2;

/// How much of memory the rows that a builder holds may take before it gives some out early: a row can name 2,000
/// records.
const HELD_BYTES_MAX: usize = 24 << 20;

/// About what an entry of a set takes beside its text.
const ENTRY_BYTES: usize = 48;

/// About what the ids, names and keys of a row take beside it.
const TEXTS_BYTES: usize = 512;

/// Longest line that is read, with its newline. The names, ids and texts of a row are bounded, and come to far less.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// What cannot be known of the operating system that wrote a gzip file (RFC 1952, section 2.3.1).
const UNKNOWN_OPERATING_SYSTEM: u8 = 255;

/// What rows of an extract have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExtractKey {
    /// Salesforce org, 15 characters.
    pub org_id: String,
    /// The kind of log.
    pub event_type: EventType,
    /// The hour.
    pub hour: Hour,
}

impl ExtractKey {
    /// Where a row belongs.
    pub fn of(row: &AccessRow) -> Self {
        Self { org_id: row.org_id.clone(), event_type: row.event_type, hour: row.hour() }
    }
}

/// One extract, ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtractChunk {
    /// Where its rows belong.
    pub key: ExtractKey,
    /// Hex of SHA-256 over its uncompressed lines.
    pub name: String,
    /// Its bytes, gzip.
    pub bytes: Vec<u8>,
    /// Rows in it, no two with the same hash.
    pub row_count: usize,
}

/// What is wrong with an extract, or kept one from being written.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// The bytes could not be read or inflated.
    #[error("the extract could not be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// A line is not a row.
    #[error(
        "line {line_number} of the extract is no access row from column {column} on; write the extract anew"
    )]
    BadRow {
        /// The line, from 1.
        line_number: u64,
        /// The column, from 1. The parser's own message is not kept: it may quote a value.
        column: usize,
    },
    /// A line is longer than any row is, so that it was not written here.
    #[error(
        "line {line_number} of the extract is too long for an access row; write the extract anew"
    )]
    LineTooLong {
        /// The line, from 1.
        line_number: u64,
    },
    /// Rows do not ascend by their hash, so that it cannot be merged.
    #[error("line {line_number} of the extract is out of order; write the extract anew")]
    OutOfOrder {
        /// The line, from 1.
        line_number: u64,
    },
    /// A row could not be written.
    #[error("a row could not be written as JSON: {0}")]
    Unwritable(serde_json::Error),
}

/// Collects rows as they come and gives them out as extracts.
///
/// Holds at most two chunks' worth of rows, and some 24 MB: when a key has a chunk full, or when all keys together are
/// over that, a chunk comes out of [`ExtractBuilder::push`]. What comes out is a function of the sequence of
/// rows, so the same file makes the same extracts.
#[derive(Debug)]
pub struct ExtractBuilder {
    max_chunk_rows: usize,
    held: BTreeMap<ExtractKey, Held>,
    held_rows: usize,
    held_bytes: usize,
}

/// The rows of a key.
#[derive(Debug, Default)]
struct Held {
    rows: Vec<AccessRow>,
    bytes: usize,
}

impl Default for ExtractBuilder {
    fn default() -> Self {
        Self::new(DEFAULT_CHUNK_ROWS)
    }
}

impl ExtractBuilder {
    /// A builder of chunks of at most so many rows (at least one).
    pub fn new(max_chunk_rows: usize) -> Self {
        Self {
            max_chunk_rows: max_chunk_rows.max(1),
            held: BTreeMap::new(),
            held_rows: 0,
            held_bytes: 0,
        }
    }

    /// Takes a row; gives out a chunk when one is full.
    pub fn push(&mut self, row: AccessRow) -> Result<Option<ExtractChunk>, ExtractError> {
        let key = ExtractKey::of(&row);
        let bytes = approximate_bytes(&row);
        let held = self.held.entry(key.clone()).or_default();
        held.rows.push(row);
        held.bytes = held.bytes.saturating_add(bytes);
        self.held_rows = self.held_rows.saturating_add(1);
        self.held_bytes = self.held_bytes.saturating_add(bytes);
        let full = if held.rows.len() >= self.max_chunk_rows {
            Some(key)
        } else if self.held_bytes >= HELD_BYTES_MAX
            || self.held_rows >= self.max_chunk_rows.saturating_mul(HELD_CHUNKS)
        {
            let largest = self.held.iter().max_by_key(|(key, held)| (held.bytes, Reverse(*key)));
            largest.map(|(key, _)| key.clone())
        } else {
            None
        };
        full.map(|key| self.take(key)).transpose()
    }

    fn take(&mut self, key: ExtractKey) -> Result<ExtractChunk, ExtractError> {
        let Held { rows, bytes } = self.held.remove(&key).unwrap_or_default();
        self.held_rows = self.held_rows.saturating_sub(rows.len());
        self.held_bytes = self.held_bytes.saturating_sub(bytes);
        write_extract(key, rows)
    }

    /// Gives out what is left, in the order of the keys.
    pub fn finish(self) -> Result<Vec<ExtractChunk>, ExtractError> {
        self.held.into_iter().map(|(key, held)| write_extract(key, held.rows)).collect()
    }
}

/// About what a row takes in memory: what has no bound of a few hundred bytes is counted.
fn approximate_bytes(row: &AccessRow) -> usize {
    let sets = [&row.objects, &row.fields, &row.record_ids];
    let entries = sets.into_iter().flatten().map(|entry| entry.len().saturating_add(ENTRY_BYTES));
    entries.fold(size_of::<AccessRow>().saturating_add(TEXTS_BYTES), usize::saturating_add)
}

fn write_extract(key: ExtractKey, mut rows: Vec<AccessRow>) -> Result<ExtractChunk, ExtractError> {
    rows.sort_unstable();
    rows.dedup_by(|later, earlier| later.row_hash == earlier.row_hash);
    let mut hash = Sha256::new();
    let mut encoder: GzEncoder<Vec<u8>> = GzBuilder::new()
        .mtime(0)
        .operating_system(UNKNOWN_OPERATING_SYSTEM)
        .write(Vec::new(), Compression::default());
    let mut line = Vec::new();
    for row in &rows {
        line.clear();
        serde_json::to_writer(&mut line, row).map_err(ExtractError::Unwritable)?;
        line.push(b'\n');
        hash.update(&line);
        encoder.write_all(&line)?;
    }
    Ok(ExtractChunk {
        key,
        name: hex::encode(hash.finalize()),
        bytes: encoder.finish()?,
        row_count: rows.len(),
    })
}

/// Streams the rows of one extract back, in the order of their hashes.
pub struct ExtractReader<R: Read> {
    lines: BufReader<MultiGzDecoder<BufReader<R>>>,
    line: Vec<u8>,
    line_number: u64,
    last_hash: String,
    has_failed: bool,
}

impl<R: Read> ExtractReader<R> {
    /// Reads an extract from its bytes.
    pub fn new(source: R) -> Self {
        Self {
            lines: BufReader::new(MultiGzDecoder::new(BufReader::new(source))),
            line: Vec::new(),
            line_number: 0,
            last_hash: String::new(),
            has_failed: false,
        }
    }

    fn read(&mut self) -> Result<Option<AccessRow>, ExtractError> {
        self.line.clear();
        let mut bounded = self.lines.by_ref().take(MAX_LINE_BYTES);
        if bounded.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.line_number = self.line_number.saturating_add(1);
        let line_number = self.line_number;
        if bounded.limit() == 0 && !self.line.ends_with(b"\n") {
            return Err(ExtractError::LineTooLong { line_number });
        }
        let row: AccessRow = serde_json::from_slice(&self.line)
            .map_err(|error| ExtractError::BadRow { line_number, column: error.column() })?;
        if row.row_hash <= self.last_hash {
            return Err(ExtractError::OutOfOrder { line_number });
        }
        self.last_hash.clone_from(&row.row_hash);
        Ok(Some(row))
    }
}

impl<R: Read> Iterator for ExtractReader<R> {
    type Item = Result<AccessRow, ExtractError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let row = self.read().transpose();
        self.has_failed = matches!(row, Some(Err(_)));
        row
    }
}

/// Merges sorted rows of several extracts into one ascending sequence in which each hash comes once. Holds
/// one row of each source. Of rows that share a hash and yet differ (they were normalised by different
/// versions), the smallest stays, so that the order of the sources does not show.
///
/// An error of a source comes out as an item and ends the sequence: an hour that lacks a member must not
/// be added up.
pub fn merge_unique<S, E>(sources: impl IntoIterator<Item = S>) -> MergeUnique<S, E>
where
    S: Iterator<Item = Result<AccessRow, E>>,
{
    let mut merge =
        MergeUnique { sources: Vec::new(), heap: BinaryHeap::new(), failure: None, is_done: false };
    for (index, source) in sources.into_iter().enumerate() {
        merge.sources.push(source);
        merge.advance(index);
    }
    merge
}

/// What [`merge_unique`] makes.
pub struct MergeUnique<S, E> {
    sources: Vec<S>,
    heap: BinaryHeap<Reverse<(AccessRow, usize)>>,
    failure: Option<E>,
    is_done: bool,
}

impl<S, E> MergeUnique<S, E>
where
    S: Iterator<Item = Result<AccessRow, E>>,
{
    fn advance(&mut self, index: usize) {
        match self.sources.get_mut(index).and_then(Iterator::next) {
            Some(Ok(row)) => self.heap.push(Reverse((row, index))),
            Some(Err(failure)) => self.failure = Some(failure),
            None => {}
        }
    }
}

impl<S, E> Iterator for MergeUnique<S, E>
where
    S: Iterator<Item = Result<AccessRow, E>>,
{
    type Item = Result<AccessRow, E>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        if let Some(failure) = self.failure.take() {
            self.is_done = true;
            return Some(Err(failure));
        }
        let Reverse((row, index)) = self.heap.pop()?;
        self.advance(index);
        while self.heap.peek().is_some_and(|Reverse((next, _))| next.row_hash == row.row_hash) {
            if let Some(Reverse((_, index))) = self.heap.pop() {
                self.advance(index);
            }
        }
        Some(Ok(row))
    }
}
