//! What a stream of bytes is, told from its first bytes and never from its name.

use std::{
    cell::Cell,
    io::{BufReader, Cursor, Read},
    rc::Rc,
};

use flate2::bufread::MultiGzDecoder;
use serde::{Deserialize, Serialize};

/// What a file looks like that is no event log as CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LooksLike {
    /// JSON: an object, an array, or JSON lines.
    Json,
    /// Apache Parquet.
    Parquet,
    /// A zip archive, or an Office document.
    Zip,
    /// Gzip inside gzip.
    NestedGzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// Zstandard.
    Zstandard,
    /// XML or HTML, as an error page is.
    Markup,
    /// Text in UTF-16.
    Utf16,
    /// Bytes that are no text.
    Binary,
    /// Text whose first line is not the header of an event log.
    OtherText,
}

impl std::fmt::Display for LooksLike {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Json => "JSON",
            Self::Parquet => "a Parquet file",
            Self::Zip => "a zip archive",
            Self::NestedGzip => "gzip inside gzip",
            Self::Bzip2 => "a bzip2 file",
            Self::Xz => "an xz file",
            Self::Zstandard => "a Zstandard file",
            Self::Markup => "XML or HTML",
            Self::Utf16 => "text in UTF-16",
            Self::Binary => "binary data",
            Self::OtherText => "text whose first line is not the header of an event log",
        })
    }
}

/// How many bytes [`sniff`] wants to see.
pub(crate) const SNIFFED_BYTES: usize = 512;

/// The UTF-8 byte order mark.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];

const MAGIC: [(&[u8], LooksLike); 9] = [
    (b"PAR1", LooksLike::Parquet),
    (b"PK\x03\x04", LooksLike::Zip),
    (b"PK\x05\x06", LooksLike::Zip),
    (&GZIP_MAGIC, LooksLike::NestedGzip),
    (b"BZh", LooksLike::Bzip2),
    (b"\xFD7zXZ\x00", LooksLike::Xz),
    (b"\x28\xB5\x2F\xFD", LooksLike::Zstandard),
    (b"\xFF\xFE", LooksLike::Utf16),
    (b"\xFE\xFF", LooksLike::Utf16),
];

/// What the (inflated) data plainly is, if it is plainly not CSV. Whether text is an event log, only its
/// header tells.
pub(crate) fn sniff(first_bytes: &[u8]) -> Option<LooksLike> {
    if let Some((_, looks_like)) = MAGIC.iter().find(|(magic, _)| first_bytes.starts_with(magic)) {
        return Some(*looks_like);
    }
    let text = first_bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(first_bytes);
    match text.trim_ascii_start().first() {
        Some(b'{' | b'[') => return Some(LooksLike::Json),
        Some(b'<') => return Some(LooksLike::Markup),
        _ => {}
    }
    let is_control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r');
    text.iter().any(is_control).then_some(LooksLike::Binary)
}

/// Why compressed data was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InflateFailure {
    /// Inflated more than the limits allow.
    Bomb,
    /// Ended early.
    Truncated,
    /// Not what gzip writes.
    Corrupt,
}

impl std::fmt::Display for InflateFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Bomb => "inflates beyond the limits",
            Self::Truncated => "gzip data ends early",
            Self::Corrupt => "gzip data is corrupt",
        })
    }
}

impl std::error::Error for InflateFailure {}

/// How far a gzip stream may inflate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InflateLimits {
    pub(crate) max_inflated_bytes: u64,
    pub(crate) max_ratio: u64,
    pub(crate) ratio_applies_above_bytes: u64,
}

/// Counts the bytes that the source gave, and remembers whether it failed: what the inflater says then
/// is not about the data.
struct Counting<R> {
    source: R,
    count: Rc<Cell<u64>>,
    failed: Rc<Cell<bool>>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self.source.read(into) {
            Ok(count) => {
                let total = self.count.get().saturating_add(u64::try_from(count).unwrap_or(0));
                self.count.set(total);
                Ok(count)
            }
            Err(error) => {
                if error.kind() != std::io::ErrorKind::Interrupted {
                    self.failed.set(true);
                }
                Err(error)
            }
        }
    }
}

type Whole<R> = std::io::Chain<Cursor<Vec<u8>>, Counting<R>>;

enum Body<R: Read> {
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<BufReader<Whole<R>>>>),
}

/// The data of a file, inflated if it is gzip.
pub(crate) struct Contents<R: Read> {
    body: Body<R>,
    limits: InflateLimits,
    read_bytes: Rc<Cell<u64>>,
    source_failed: Rc<Cell<bool>>,
    inflated_bytes: u64,
}

impl<R: Read> Contents<R> {
    /// Looks at the first two bytes of `source` and inflates if they are gzip's.
    pub(crate) fn open(source: R, limits: InflateLimits) -> Result<Self, std::io::Error> {
        let read_bytes = Rc::new(Cell::new(0));
        let source_failed = Rc::new(Cell::new(false));
        let mut counting =
            Counting { source, count: Rc::clone(&read_bytes), failed: Rc::clone(&source_failed) };
        let mut head = Vec::with_capacity(GZIP_MAGIC.len());
        counting.by_ref().take(2).read_to_end(&mut head)?;
        let is_gzip = head == GZIP_MAGIC;
        let whole = Cursor::new(head).chain(counting);
        let body = if is_gzip {
            let buffered = BufReader::with_capacity(128 * 1024, whole);
            Body::Gzip(Box::new(MultiGzDecoder::new(buffered)))
        } else {
            Body::Plain(whole)
        };
        Ok(Self { body, limits, read_bytes, source_failed, inflated_bytes: 0 })
    }

    /// Gives the bytes of `source` as they are, whatever they look like.
    pub(crate) fn plain(source: R, limits: InflateLimits) -> Self {
        let read_bytes = Rc::new(Cell::new(0));
        let source_failed = Rc::new(Cell::new(false));
        let counting =
            Counting { source, count: Rc::clone(&read_bytes), failed: Rc::clone(&source_failed) };
        let body = Body::Plain(Cursor::new(Vec::new()).chain(counting));
        Self { body, limits, read_bytes, source_failed, inflated_bytes: 0 }
    }

    /// Bytes taken from the source.
    pub(crate) fn read_bytes(&self) -> u64 {
        self.read_bytes.get()
    }

    /// Bytes given out.
    pub(crate) fn inflated_bytes(&self) -> u64 {
        self.inflated_bytes
    }

    /// Whether the source was gzip.
    pub(crate) fn is_gzip(&self) -> bool {
        matches!(self.body, Body::Gzip(_))
    }

    fn is_bomb(&self) -> bool {
        let ratio_limit = self.read_bytes.get().saturating_mul(self.limits.max_ratio);
        self.inflated_bytes > self.limits.max_inflated_bytes
            || (self.inflated_bytes > self.limits.ratio_applies_above_bytes
                && self.inflated_bytes > ratio_limit)
    }
}

impl<R: Read> Read for Contents<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let result = match &mut self.body {
            Body::Plain(plain) => plain.read(into),
            Body::Gzip(gzip) => gzip.read(into),
        };
        match result {
            Ok(count) => {
                let count_bytes = u64::try_from(count).unwrap_or(u64::MAX);
                self.inflated_bytes = self.inflated_bytes.saturating_add(count_bytes);
                if self.is_gzip() && self.is_bomb() {
                    return Err(std::io::Error::other(InflateFailure::Bomb));
                }
                Ok(count)
            }
            Err(error)
                if self.is_gzip()
                    && !self.source_failed.get()
                    && error.kind() != std::io::ErrorKind::Interrupted =>
            {
                let failure = if error.kind() == std::io::ErrorKind::UnexpectedEof {
                    InflateFailure::Truncated
                } else {
                    InflateFailure::Corrupt
                };
                Err(std::io::Error::other(failure))
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_formats_by_their_first_bytes() {
        for (bytes, looks_like) in [
            (&b"PAR1\x15"[..], Some(LooksLike::Parquet)),
            (b"PK\x03\x04", Some(LooksLike::Zip)),
            (b" \n[{\"EVENT_TYPE\"", Some(LooksLike::Json)),
            (b"\xEF\xBB\xBF{", Some(LooksLike::Json)),
            (b"<?xml", Some(LooksLike::Markup)),
            (b"abc\x00\x01", Some(LooksLike::Binary)),
            (b"\x1F\x8B\x08", Some(LooksLike::NestedGzip)),
            (b"\xFF\xFEE\x00", Some(LooksLike::Utf16)),
            (b"\"EVENT_TYPE\",\"TIMESTAMP\"", None),
            (b"", None),
        ] {
            assert_eq!(sniff(bytes), looks_like, "{bytes:?}");
        }
    }
}
