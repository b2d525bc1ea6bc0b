//! Files of this machine as objects: what is to be read where it lies, and what is kept in a temporary folder.

use std::{
    io::{self, Read as _, Seek as _},
    ops::Range,
    path::PathBuf,
    pin::Pin,
    task::{Context, Poll},
};

use async_trait::async_trait;
use ports::{ObjectReader, ObjectStore, PortError, Result};
use tempfile::TempDir;
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf},
};

/// The bucket of what is to be read; its keys are paths, or `-` for standard input.
pub(crate) const INPUT: &str = "file";

/// Input where it lies; everything else under a temporary folder that goes when this does.
pub(crate) struct LocalObjects {
    kept: TempDir,
}

impl LocalObjects {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { kept: tempfile::Builder::new().prefix("breachclock-").tempdir()? })
    }

    fn path(&self, bucket: &str, key: &str) -> PathBuf {
        if bucket == INPUT { PathBuf::from(key) } else { self.kept.path().join(bucket).join(key) }
    }
}

/// A file that is read where the reader stands. Whoever reads a log does so in a thread of its own, so that nobody else
/// waits; handing each piece over from yet another thread would take longer than to read it.
struct Straight(std::fs::File);

impl AsyncRead for Straight {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = into.initialize_unfilled();
        let read = loop {
            match self.0.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        Poll::Ready(read.map(|count| into.advance(count)))
    }
}

fn failed(call: &'static str, error: &io::Error) -> PortError {
    PortError::Unavailable { call, reason: error.to_string() }
}

impl LocalObjects {
    async fn file(&self, bucket: &str, key: &str) -> Result<Straight> {
        let mut path = self.path(bucket, key);
        if bucket == INPUT && key == "-" {
            path = self.kept.path().join("standard-input");
            // It can be read once only, and a file whose rows turn out to be joined is read again.
            if !path.exists() {
                let kept = File::create(&path).await;
                let mut kept = kept.map_err(|error| failed("making a file", &error))?;
                tokio::io::copy(&mut tokio::io::stdin(), &mut kept)
                    .await
                    .map_err(|error| failed("reading standard input", &error))?;
                kept.flush().await.map_err(|error| failed("writing a file", &error))?;
            }
        }
        std::fs::File::open(&path).map(Straight).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => PortError::NotFound { what: path.display().to_string() },
            _ => failed("opening a file", &error),
        })
    }
}

#[async_trait]
impl ObjectStore for LocalObjects {
    async fn open(&self, bucket: &str, key: &str, _version: Option<&str>) -> Result<ObjectReader> {
        let file = self.file(bucket, key).await?;
        let size_bytes = file.0.metadata().ok().map(|metadata| metadata.len());
        // When a file was last written here says nothing of when its log came from Salesforce.
        Ok(ObjectReader { body: Box::pin(file), size_bytes, e_tag: None, landed_at: None })
    }

    async fn open_range(
        &self,
        bucket: &str,
        key: &str,
        _version: Option<&str>,
        range: Range<u64>,
    ) -> Result<ObjectReader> {
        let mut file = self.file(bucket, key).await?;
        let sought = file.0.seek(io::SeekFrom::Start(range.start));
        sought.map_err(|error| failed("reading a file", &error))?;
        let length = file.0.metadata().ok().map(|metadata| metadata.len());
        let size_bytes = length.map(|length| length.min(range.end).saturating_sub(range.start));
        let body = Box::pin(file.take(range.end.saturating_sub(range.start)));
        Ok(ObjectReader { body, size_bytes, e_tag: None, landed_at: None })
    }

    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<()> {
        let path = self.path(bucket, key);
        let folder = path.parent().map_or_else(|| self.kept.path().to_owned(), PathBuf::from);
        tokio::fs::create_dir_all(folder)
            .await
            .map_err(|error| failed("making a folder", &error))?;
        tokio::fs::write(path, body).await.map_err(|error| failed("writing a file", &error))
    }

    /// `prefix` ends at a folder, as the prefixes of extracts do.
    async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        let mut entries = match tokio::fs::read_dir(self.path(bucket, prefix)).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(keys),
            entries => entries.map_err(|error| failed("listing a folder", &error))?,
        };
        while let Some(entry) =
            entries.next_entry().await.map_err(|error| failed("listing a folder", &error))?
        {
            keys.push(format!("{prefix}{}", entry.file_name().to_string_lossy()));
        }
        keys.sort_unstable();
        Ok(keys)
    }
}
