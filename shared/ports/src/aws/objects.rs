//! S3.

use async_trait::async_trait;
use aws_sdk_s3::{Client, error::SdkError, primitives::ByteStream};

use super::unavailable;
use crate::{ObjectReader, ObjectStore, PortError, Result};

/// Buckets of S3.
#[derive(Clone, Debug)]
pub struct S3Objects {
    client: Client,
}

impl S3Objects {
    /// Through this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl ObjectStore for S3Objects {
    async fn open(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<ObjectReader> {
        let get = self.client.get_object().bucket(bucket).key(key);
        let answer = get.set_version_id(version.map(str::to_owned)).send().await;
        let object = answer.map_err(|error| match &error {
            SdkError::ServiceError(refused) if refused.err().is_no_such_key() => {
                PortError::NotFound { what: format!("s3://{bucket}/{key}") }
            }
            _ => unavailable("s3:GetObject", error),
        })?;
        Ok(ObjectReader {
            size_bytes: object.content_length().and_then(|length| u64::try_from(length).ok()),
            e_tag: object.e_tag().map(|tag| tag.trim_matches('"').to_owned()),
            landed_at: object
                .last_modified()
                .and_then(|at| chrono::DateTime::from_timestamp(at.secs(), at.subsec_nanos())),
            body: Box::pin(object.body.into_async_read()),
        })
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
