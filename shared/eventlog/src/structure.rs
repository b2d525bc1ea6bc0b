//! Where the fields and rows of regular CSV stand, found 64 bytes at a time.
//!
//! A block becomes three masks with one bit for each byte: quotes, commas, newlines. A running exclusive or over
//! the quotes tells what lies inside a quoted field, so that commas and newlines outside are the separators. That
//! holds for rows as RFC 4180 has them, and the masks show where it does not: a quote that opens after something
//! else than a separator, or closes before something else. There the scan stops, and whoever reads walks that row
//! byte by byte.

#![expect(
    clippy::inline_always,
    reason = "what is not compiled into each processor's own loop is compiled without its instructions"
)]

mod classify;

use std::ops::Range;

use classify::{BLOCK_BYTES, Blocks, Masks, for_each_block, returns};

/// Separators are written this many at a time, more than there are: what is too much is overwritten.
const STRIDE: usize = 8;

/// A row that was found, in positions from where the scan began.
pub(crate) struct FoundRow {
    /// Its separators among all; each ends a field, and the last is the newline.
    pub(crate) separators: Range<usize>,
    /// Its first byte.
    pub(crate) start: usize,
    /// Its newline.
    pub(crate) end: usize,
    /// Newlines inside its quoted fields.
    pub(crate) inner_newlines: u64,
    /// Whether any of its quoted fields holds a quote.
    pub(crate) has_doubled_quotes: bool,
}

/// What the block before leaves for the next.
#[derive(Clone, Copy, Debug)]
struct Carry {
    /// All ones inside a quoted field.
    inside: u64,
    /// Whether the last byte closed a field.
    closing: u64,
    /// Whether a quote may open at the next byte: after a separator or a closing quote.
    may_open: u64,
    /// Whether the last byte was a carriage return behind a closing quote.
    after_return: u64,
}

const AT_ROW_START: Carry = Carry { inside: 0, closing: 0, may_open: 1, after_return: 0 };

/// The rows of a stretch of bytes that starts where a row starts.
#[derive(Debug)]
pub(crate) struct Structure {
    separators: Vec<u32>,
    separator_count: usize,
    /// For each whole row the number of separators up to its end.
    row_ends: Vec<usize>,
    inner_newlines: Vec<u32>,
    doubled_quotes: Vec<u32>,
    given_rows: usize,
    given_separators: usize,
    given_newlines: usize,
    given_doubled: usize,
    start: usize,
    is_irregular: bool,
    is_scanned: bool,
}

impl Structure {
    pub(crate) fn new() -> Self {
        Self {
            separators: Vec::new(),
            separator_count: 0,
            row_ends: Vec::new(),
            inner_newlines: Vec::new(),
            doubled_quotes: Vec::new(),
            given_rows: 0,
            given_separators: 0,
            given_newlines: 0,
            given_doubled: 0,
            start: 0,
            is_irregular: false,
            is_scanned: false,
        }
    }

    /// Forgets what was found.
    pub(crate) fn clear(&mut self) {
        self.separator_count = 0;
        self.row_ends.clear();
        self.inner_newlines.clear();
        self.doubled_quotes.clear();
        self.given_rows = 0;
        self.given_separators = 0;
        self.given_newlines = 0;
        self.given_doubled = 0;
        self.start = 0;
        self.is_irregular = false;
        self.is_scanned = false;
    }

    /// Whether there was a scan since the last [`Structure::clear`].
    pub(crate) fn is_scanned(&self) -> bool {
        self.is_scanned
    }

    /// Whether a row was given since the last scan.
    pub(crate) fn has_given_rows(&self) -> bool {
        self.given_rows > 0
    }

    /// Whether the row after those that were found is not regular.
    pub(crate) fn is_irregular(&self) -> bool {
        self.is_irregular
    }

    /// The separators of all rows, as positions from where the scan began.
    pub(crate) fn separators(&self, of: Range<usize>) -> &[u32] {
        self.separators.get(of).unwrap_or_default()
    }

    /// The next row that was found whole.
    pub(crate) fn next_row(&mut self) -> Option<FoundRow> {
        let last = *self.row_ends.get(self.given_rows)?;
        let separators = self.given_separators..last;
        let end = widened(*self.separators.get(last.checked_sub(1)?)?);
        let start = self.start;
        let inner_newlines = take_before(&self.inner_newlines, &mut self.given_newlines, end);
        let doubled = take_before(&self.doubled_quotes, &mut self.given_doubled, end);
        self.given_rows = self.given_rows.saturating_add(1);
        self.given_separators = last;
        self.start = end.saturating_add(1);
        let has_doubled_quotes = doubled > 0;
        Some(FoundRow { separators, start, end, inner_newlines, has_doubled_quotes })
    }

    /// Finds the whole rows of `bytes`, up to the first that is not regular.
    pub(crate) fn scan(&mut self, bytes: &[u8]) {
        self.clear();
        self.is_scanned = true;
        for_each_block(bytes, &mut Scan { found: self, base: 0, carry: AT_ROW_START });
    }

    #[inline(always)]
    fn push_separators(&mut self, base: u32, mut bits: u64) {
        let count = usize::try_from(bits.count_ones()).unwrap_or(0);
        let needed = self.separator_count.saturating_add(BLOCK_BYTES);
        if self.separators.len() < needed {
            self.separators.resize(needed.saturating_mul(2), 0);
        }
        let mut at = self.separator_count;
        self.separator_count = at.saturating_add(count);
        while at < self.separator_count {
            let room = self.separators.get_mut(at..).and_then(<[u32]>::first_chunk_mut::<STRIDE>);
            if let Some(room) = room {
                let mut next = || {
                    let position = base.wrapping_add(bits.trailing_zeros());
                    bits &= bits.wrapping_sub(1);
                    position
                };
                // Written out, because a loop is compiled as one.
                *room = [next(), next(), next(), next(), next(), next(), next(), next()];
            }
            at = at.saturating_add(STRIDE);
        }
    }
}

/// A scan under way.
struct Scan<'a> {
    found: &'a mut Structure,
    /// Position of the block's first byte.
    base: u32,
    carry: Carry,
}

impl Blocks for Scan<'_> {
    #[inline(always)]
    fn take(&mut self, block: &[u8; BLOCK_BYTES], masks: Masks, present: u64) -> bool {
        let Masks { quotes, quoted, commas, newlines } = masks;
        let Self { found, base, carry } = self;
        let inside = quoted ^ carry.inside;
        let opening = quotes & inside;
        let closing = quotes & !inside;
        let row_ends = newlines & !inside;
        let separators = row_ends | (commas & !inside);
        let may_open = separators | closing;
        let after_closing = (closing << 1) | carry.closing;
        let mut irregular = opening & !((may_open << 1) | carry.may_open);
        let unusual = after_closing & !(separators | opening);
        if (unusual | carry.after_return) != 0 {
            // Lines that end with CRLF have a carriage return behind the last closing quote.
            let returns = unusual & returns(block);
            let after_return = (returns << 1) | carry.after_return;
            irregular |= (unusual & !returns) | (after_return & !row_ends);
            carry.after_return = returns >> 63;
        }
        irregular &= present;
        carry.inside = if inside >> 63 == 1 { u64::MAX } else { 0 };
        carry.closing = closing >> 63;
        carry.may_open = may_open >> 63;

        // Only what lies before the first irregularity is known to be what it seems.
        let sound = if irregular == 0 { present } else { present & below_lowest(irregular) };
        let mut ends = row_ends & sound;
        while ends != 0 {
            let before = separators & below_lowest(ends);
            let rank = usize::try_from(before.count_ones()).unwrap_or(0);
            found.row_ends.push(found.separator_count.saturating_add(rank).saturating_add(1));
            ends &= ends.wrapping_sub(1);
        }
        push_positions(&mut found.inner_newlines, *base, newlines & inside & sound);
        push_positions(&mut found.doubled_quotes, *base, opening & after_closing & sound);
        found.push_separators(*base, separators & sound);
        found.is_irregular = irregular != 0;
        *base = base.wrapping_add(64);
        irregular == 0
    }
}

/// Adds positions that are rare.
#[inline(always)]
fn push_positions(to: &mut Vec<u32>, base: u32, mut bits: u64) {
    while bits != 0 {
        to.push(base.wrapping_add(bits.trailing_zeros()));
        bits &= bits.wrapping_sub(1);
    }
}

/// How many positions from `given` on lie before `end`; moves `given` behind them.
fn take_before(positions: &[u32], given: &mut usize, end: usize) -> u64 {
    let mut count = 0_u64;
    while positions.get(*given).is_some_and(|at| widened(*at) < end) {
        *given = given.saturating_add(1);
        count = count.saturating_add(1);
    }
    count
}

/// Ones below the lowest one of `bits`.
#[inline(always)]
fn below_lowest(bits: u64) -> u64 {
    (bits & bits.wrapping_neg()).wrapping_sub(1)
}

fn widened(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Default)]
    struct Seen(Vec<([u8; BLOCK_BYTES], Masks, u64)>);

    impl Blocks for Seen {
        fn take(&mut self, block: &[u8; BLOCK_BYTES], masks: Masks, present: u64) -> bool {
            self.0.push((*block, masks, present));
            true
        }
    }

    /// Rows as lists of field ends, by a plain walk; `None` at the first row that is not regular.
    fn walked(bytes: &[u8]) -> Vec<Vec<usize>> {
        let mut rows = Vec::new();
        let mut row = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            // At the start of a field.
            if bytes[at] == b'"' {
                at += 1;
                loop {
                    match (bytes.get(at), bytes.get(at + 1)) {
                        (None, _) => return rows,
                        (Some(b'"'), Some(b'"')) => at += 2,
                        (Some(b'"'), _) => break at += 1,
                        _ => at += 1,
                    }
                }
                if bytes.get(at) == Some(&b'\r') && bytes.get(at + 1) == Some(&b'\n') {
                    at += 1;
                }
            } else {
                while bytes.get(at).is_some_and(|byte| !b",\n\"".contains(byte)) {
                    at += 1;
                }
            }
            match bytes.get(at) {
                Some(b',') => row.push(at),
                Some(b'\n') => {
                    row.push(at);
                    rows.push(std::mem::take(&mut row));
                }
                _ => return rows,
            }
            at += 1;
        }
        rows
    }

    fn found(bytes: &[u8]) -> Vec<Vec<usize>> {
        let mut structure = Structure::new();
        structure.scan(bytes);
        let mut rows = Vec::new();
        let mut start = 0;
        while let Some(row) = structure.next_row() {
            assert_eq!(row.start, start);
            start = row.end + 1;
            let inner = bytes[row.start..row.end].split(|byte| *byte == b'\n').count() - 1;
            assert_eq!(row.inner_newlines, u64::try_from(inner).unwrap());
            rows.push(structure.separators(row.separators).iter().map(|at| widened(*at)).collect());
        }
        rows
    }

    #[test]
    fn stops_before_a_row_whose_quotes_are_out_of_place() {
        for irregular in ["a\"b,c\n", "\"a\" ,b\n", " \"a\",b\n", "\"a\"b,c\n", "\"a\"\rb\n"] {
            let text = format!("a,b\n\"c\",\"d\"\r\n{irregular}e,f\n");
            let mut structure = Structure::new();
            structure.scan(text.as_bytes());
            assert!(structure.is_irregular(), "{irregular:?}");
            assert_eq!(found(text.as_bytes()).len(), 2, "{irregular:?}");
        }
    }

    proptest! {
        #[test]
        fn finds_what_a_plain_walk_finds(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "a", "\"", "\"\"", ",", "\n", "\r\n", "\"x\"", "\"a,b\nc\"", "\"\"\"q\"\"\"", " ",
                    "\",\"", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                ]),
                0..60,
            )
        ) {
            let bytes = pieces.concat().into_bytes();
            prop_assert_eq!(found(&bytes), walked(&bytes));
        }

        #[test]
        fn every_processors_way_is_the_plain_way(
            bytes in prop::collection::vec(
                prop::sample::select(b"\",\na\r\xA2\x8A\xAC".to_vec()),
                0..200,
            )
        ) {
            let (mut ours, mut plain) = (Seen::default(), Seen::default());
            for_each_block(&bytes, &mut ours);
            classify::for_each_block_portably(&bytes, &mut plain);
            prop_assert_eq!(ours.0, plain.0);
        }
    }
}
