//! Gzip is inflated ahead of the reading, in a thread of its own.
//!
//! Inflating takes longer than reading what comes out of it, so that a file takes as long as its inflation where there
//! are two processors. What comes out comes in chunks of one size, whatever the pieces in which the source gave its
//! bytes: how far a file is inflated when a reader stops, or when a limit is passed, does not depend on them.

use std::{
    io::{self, Read},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use crate::format::{Contents, Totals};

const CHUNK_BYTES: usize = 256 << 10;

/// Chunks that wait to be read. With the one that is being filled and the one that is being read this bounds memory.
const WAITING_CHUNKS_MAX: usize = 2;

/// Some of what a file inflates to.
struct Chunk {
    /// Room for [`CHUNK_BYTES`], of which the first `length` are filled.
    bytes: Vec<u8>,
    length: usize,
    /// What was taken from the source, and given out, by its end.
    totals: Totals,
    /// Why nothing comes behind it.
    failure: Option<io::Error>,
}

impl Chunk {
    /// Inflates until the chunk is full, in the room of one that was read. It is the last where it is not full.
    fn fill<R: Read>(contents: &mut Contents<R>, mut bytes: Vec<u8>) -> Self {
        bytes.resize(CHUNK_BYTES, 0);
        let (mut length, mut failure) = (0_usize, None);
        while let Some(room) = bytes.get_mut(length..).filter(|room| !room.is_empty()) {
            match contents.read(room) {
                Ok(0) => break,
                Ok(count) => length = length.saturating_add(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        Self { bytes, length, totals: contents.totals(), failure }
    }

    fn is_last(&self) -> bool {
        self.failure.is_some() || self.length < CHUNK_BYTES
    }
}

/// What comes out of a file, to be read.
pub(crate) struct Ahead {
    chunk: Chunk,
    /// How much of the chunk has been read.
    position: usize,
    filled: Option<Receiver<Chunk>>,
    emptied: Option<SyncSender<Vec<u8>>>,
}

/// Has `read` read what `contents` inflates to. What fits into one chunk needs no other thread.
pub(crate) fn inflate_ahead<R: Read + Send, T>(
    mut contents: Contents<R>,
    read: impl FnOnce(Ahead) -> T,
) -> T {
    let first = Chunk::fill(&mut contents, Vec::new());
    if first.is_last() {
        return read(Ahead { chunk: first, position: 0, filled: None, emptied: None });
    }
    let (sender, filled) = sync_channel(WAITING_CHUNKS_MAX);
    let (emptied, empty) = sync_channel::<Vec<u8>>(WAITING_CHUNKS_MAX);
    thread::scope(|scope| {
        scope.spawn(move || {
            loop {
                let chunk = Chunk::fill(&mut contents, empty.try_recv().unwrap_or_default());
                let is_last = chunk.is_last();
                // Nobody takes it where the reader has stopped.
                if sender.send(chunk).is_err() || is_last {
                    return;
                }
            }
        });
        read(Ahead { chunk: first, position: 0, filled: Some(filled), emptied: Some(emptied) })
    })
}

impl Ahead {
    /// What was taken from the source, and given out, by the end of the chunk that is being read.
    pub(crate) fn totals(&self) -> Totals {
        self.chunk.totals
    }

    /// Goes on to the next chunk; false where there is none.
    fn advance(&mut self) -> bool {
        let Some(next) = self.filled.as_ref().and_then(|filled| filled.recv().ok()) else {
            return false;
        };
        let read = std::mem::replace(&mut self.chunk, next);
        self.position = 0;
        if let Some(emptied) = &self.emptied {
            // It is let go where enough wait to be filled, and where the last has been.
            let _ = emptied.try_send(read.bytes);
        }
        true
    }
}

impl Read for Ahead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut rest =
                self.chunk.bytes.get(self.position..self.chunk.length).unwrap_or_default();
            if !rest.is_empty() || into.is_empty() {
                let count = rest.read(into)?;
                self.position = self.position.saturating_add(count);
                return Ok(count);
            }
            if let Some(failure) = self.chunk.failure.take() {
                self.filled = None;
                return Err(failure);
            }
            if self.chunk.is_last() || !self.advance() {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;
    use crate::format::InflateLimits;

    const LIMITS: InflateLimits = InflateLimits {
        max_inflated_bytes: 1 << 30,
        max_ratio: 1 << 30,
        ratio_applies_above_bytes: 1 << 30,
    };

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn plain(length: usize) -> Vec<u8> {
        (0..length).map(|at| u8::try_from(at * at % 251).unwrap()).collect()
    }

    #[test]
    fn all_comes_out_whatever_its_length() {
        for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 9 * CHUNK_BYTES] {
            let (plain, stream) = (plain(length), gzip(&plain(length)));
            let contents = Contents::open(stream.as_slice(), LIMITS).unwrap();
            let (read, totals) = inflate_ahead(contents, |mut ahead| {
                let mut read = Vec::new();
                ahead.read_to_end(&mut read).unwrap();
                (read, ahead.totals())
            });
            assert!(read == plain, "{length} bytes");
            let [read_bytes, inflated_bytes] =
                [stream.len(), length].map(|count| u64::try_from(count).unwrap());
            assert_eq!(totals, Totals { is_gzip: true, read_bytes, inflated_bytes });
        }
    }

    #[test]
    fn what_comes_before_a_failure_is_given_and_the_failure_once() {
        let (plain, mut stream) = (plain(5 * CHUNK_BYTES), gzip(&plain(5 * CHUNK_BYTES)));
        stream.truncate(stream.len() - 9);
        let contents = Contents::open(stream.as_slice(), LIMITS).unwrap();
        inflate_ahead(contents, |mut ahead| {
            let mut read = Vec::new();
            let error = ahead.read_to_end(&mut read).unwrap_err();
            assert_eq!(error.to_string(), "gzip data ends early");
            assert!(read.len() > 4 * CHUNK_BYTES && plain.starts_with(&read), "{}", read.len());
            assert_eq!(ahead.read(&mut [0; 8]).unwrap(), 0);
        });
    }

    #[test]
    fn a_reader_that_stops_ends_the_inflating() {
        let stream = gzip(&plain(40 * CHUNK_BYTES));
        let contents = Contents::open(stream.as_slice(), LIMITS).unwrap();
        let totals = inflate_ahead(contents, |mut ahead| {
            let mut some = vec![0; CHUNK_BYTES + 1];
            ahead.read_exact(&mut some).unwrap();
            ahead.totals()
        });
        let two_chunks = u64::try_from(2 * CHUNK_BYTES).unwrap();
        assert_eq!(totals.inflated_bytes, two_chunks, "as far as was read, not as far as it went");
    }
}
