//! S3.

use std::{collections::VecDeque, io, ops::Range, pin::Pin};

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata as _, SdkError},
    operation::get_object::GetObjectOutput,
    primitives::ByteStream,
};
use futures::{StreamExt as _, stream};
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

use super::unavailable;
use crate::{ObjectReader, ObjectStore, PortError, Result};

/// Large objects are fetched by pieces of this size.
const PIECE_BYTES: u64 = 4 << 20;

/// Pieces that are under way or wait to be read. One connection gives some 90 MB a second; memory is bounded by these.
const PIECES_AT_ONCE: usize = 3;

/// Buckets of S3.
#[derive(Clone, Debug)]
pub struct S3Objects {
    client: Client,
}

/// Which object.
#[derive(Clone)]
struct Place {
    bucket: String,
    key: String,
    version: Option<String>,
    /// Later pieces are of the same content as the first, or the object is read anew.
    e_tag: Option<String>,
}

impl S3Objects {
    /// Through this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// `None` where the object has no such bytes, as an empty one has none.
    async fn get(&self, place: &Place, range: Range<u64>) -> Result<Option<GetObjectOutput>> {
        let Place { bucket, key, version, e_tag } = place;
        let last = range.end.saturating_sub(1);
        let get = self.client.get_object().bucket(bucket).key(key);
        let get = get.set_version_id(version.clone()).set_if_match(e_tag.clone());
        let answer = get.range(format!("bytes={}-{last}", range.start)).send().await;
        match answer {
            Ok(object) => Ok(Some(object)),
            Err(SdkError::ServiceError(refused))
                if refused.err().code() == Some("InvalidRange") =>
            {
                Ok(None)
            }
            Err(SdkError::ServiceError(refused))
                if refused.err().is_no_such_key()
                    || refused.err().code() == Some("NoSuchVersion") =>
            {
                Err(PortError::NotFound { what: format!("s3://{bucket}/{key}") })
            }
            Err(error) => Err(unavailable("s3:GetObject", error)),
        }
    }

    /// The bytes of a range that are not in the first piece, fetched piece by piece, several at a time.
    fn rest(&self, place: Place, range: Range<u64>) -> impl AsyncRead + Send + use<> {
        let mut starts = VecDeque::new();
        let mut start = range.start;
        while start < range.end {
            starts.push_back(start);
            start = start.saturating_add(PIECE_BYTES);
        }
        let (objects, until) = (self.clone(), range.end);
        let pieces = stream::iter(starts)
            .map(move |from| {
                let (objects, place) = (objects.clone(), place.clone());
                async move {
                    let piece = from..from.saturating_add(PIECE_BYTES).min(until);
                    let object = objects.get(&place, piece).await.map_err(io::Error::other)?;
                    let object = object.ok_or(io::ErrorKind::UnexpectedEof)?;
                    // As it came, in many chunks: to join them would copy it.
                    object.body.collect().await.map_err(io::Error::other)
                }
            })
            .buffered(PIECES_AT_ONCE);
        StreamReader::new(Box::pin(pieces))
    }
}

#[async_trait]
impl ObjectStore for S3Objects {
    async fn open(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<ObjectReader> {
        self.open_range(bucket, key, version, 0..u64::MAX).await
    }

    async fn open_range(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        range: Range<u64>,
    ) -> Result<ObjectReader> {
        let mut place = Place {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version: version.map(str::to_owned),
            e_tag: None,
        };
        let first = range.start..range.start.saturating_add(PIECE_BYTES).min(range.end);
        let Some(object) = self.get(&place, first.clone()).await? else {
            let body = Box::pin(tokio::io::empty());
            return Ok(ObjectReader { body, size_bytes: Some(0), e_tag: None, landed_at: None });
        };
        // A store that knows no ranges answers with the whole.
        let total_bytes = object
            .content_range()
            .and_then(total_of)
            .or_else(|| object.content_length().and_then(|length| u64::try_from(length).ok()));
        let end = range.end.min(total_bytes.unwrap_or(first.end));
        place.e_tag = object.e_tag().map(str::to_owned);
        let e_tag = object.e_tag().map(|tag| tag.trim_matches('"').to_owned());
        let landed_at = object
            .last_modified()
            .and_then(|at| chrono::DateTime::from_timestamp(at.secs(), at.subsec_nanos()));
        let has_more = object.content_range().is_some() && first.end < end;
        let beginning = object.body.into_async_read();
        let body: Pin<Box<dyn AsyncRead + Send>> = if has_more {
            Box::pin(tokio::io::AsyncReadExt::chain(beginning, self.rest(place, first.end..end)))
        } else {
            Box::pin(beginning)
        };
        let size_bytes = Some(end.saturating_sub(range.start));
        Ok(ObjectReader { body, size_bytes, e_tag, landed_at })
    }

    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<()> {
        let put = self.client.put_object().bucket(bucket).key(key).body(ByteStream::from(body));
        put.send().await.map_err(|error| unavailable("s3:PutObject", error))?;
        Ok(())
    }

    async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        let mut pages =
            self.client.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| unavailable("s3:ListObjectsV2", error))?;
            keys.extend(
                page.contents().iter().filter_map(|object| object.key()).map(str::to_owned),
            );
        }
        keys.sort_unstable();
        Ok(keys)
    }
}

/// The size of the whole object in `bytes 0-8388607/26843545600`.
fn total_of(content_range: &str) -> Option<u64> {
    content_range.rsplit_once('/')?.1.parse().ok()
}
