//! What a stream of bytes is, told from its first bytes and never from its name.

use std::{
    io::{BufReader, Cursor, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
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

/// How much of a file was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Whether it is gzip.
    pub(crate) is_gzip: bool,
    /// Bytes taken from the source.
    pub(crate) read_bytes: u64,
    /// Bytes given out.
    pub(crate) inflated_bytes: u64,
}

/// What the source gave, and whether it failed: what the inflater says then is not about the data.
#[derive(Debug, Default)]
struct Account {
    read_bytes: AtomicU64,
    has_failed: AtomicBool,
}

/// Keeps account of a source, and reads as much of it as there is room for: how far it was read when what it gave turns
/// out to be broken, or too much, does not depend on the pieces in which it gave it.
struct Counting<R> {
    source: R,
    account: Arc<Account>,
    /// What it failed with after it had given something.
    failure: Option<std::io::Error>,
    at_end: bool,
}

impl<R> Counting<R> {
    fn new(source: R, account: &Arc<Account>) -> Self {
        Self { source, account: Arc::clone(account), failure: None, at_end: false }
    }
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let mut count = 0_usize;
        while !self.at_end && self.failure.is_none() {
            let Some(room) = into.get_mut(count..).filter(|room| !room.is_empty()) else { break };
            match self.source.read(room) {
                Ok(0) => self.at_end = true,
                Ok(more) => count = count.saturating_add(more),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => self.failure = Some(error),
            }
        }
        let count_bytes = u64::try_from(count).unwrap_or(0);
        self.account.read_bytes.fetch_add(count_bytes, Ordering::Relaxed);
        match self.failure.take_if(|_| count == 0) {
            Some(failure) => {
                self.account.has_failed.store(true, Ordering::Relaxed);
                Err(failure)
            }
            None => Ok(count),
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
    account: Arc<Account>,
    inflated_bytes: u64,
}

impl<R: Read> Contents<R> {
    /// Looks at the first two bytes of `source` and inflates if they are gzip's.
    pub(crate) fn open(source: R, limits: InflateLimits) -> Result<Self, std::io::Error> {
        let account = Arc::new(Account::default());
        let mut counting = Counting::new(source, &account);
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
        Ok(Self { body, limits, account, inflated_bytes: 0 })
    }

    /// Gives the bytes of `source` as they are, whatever they look like.
    pub(crate) fn plain(source: R, limits: InflateLimits) -> Self {
        let account = Arc::new(Account::default());
        let counting = Counting::new(source, &account);
        let body = Body::Plain(Cursor::new(Vec::new()).chain(counting));
        Self { body, limits, account, inflated_bytes: 0 }
    }

    /// How much was read by now.
    pub(crate) fn totals(&self) -> Totals {
        let read_bytes = self.account.read_bytes.load(Ordering::Relaxed);
        Totals { is_gzip: self.is_gzip(), read_bytes, inflated_bytes: self.inflated_bytes }
    }

    /// Whether the source was gzip.
    pub(crate) fn is_gzip(&self) -> bool {
        matches!(self.body, Body::Gzip(_))
    }

    fn is_bomb(&self) -> bool {
        let ratio_limit = self.totals().read_bytes.saturating_mul(self.limits.max_ratio);
        self.inflated_bytes > self.limits.max_inflated_bytes
            || (self.inflated_bytes > self.limits.ratio_applies_above_bytes
                && self.inflated_bytes > ratio_limit)
    }
}

impl<R: Read> Read for Contents<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let length = into.len();
        let result = match &mut self.body {
            Body::Plain(plain) => plain.read(into),
            // One byte beyond the limit shows that it was passed.
            Body::Gzip(gzip) => {
                let left = self.limits.max_inflated_bytes.saturating_sub(self.inflated_bytes);
                let most = usize::try_from(left.saturating_add(1)).unwrap_or(usize::MAX);
                gzip.read(into.get_mut(..most.min(length)).unwrap_or_default())
            }
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
                    && !self.account.has_failed.load(Ordering::Relaxed)
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
