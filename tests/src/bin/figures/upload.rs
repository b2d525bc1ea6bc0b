//! A big file, made while it is uploaded: it is never in the memory of this program.

use std::io::{self, Write};

use anyhow::{Context as _, Result};
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use tokio::sync::mpsc;
use worlds::big_file;

const PART_BYTES: usize = 16 * 1024 * 1024;
const SEED: u64 = 1;

/// Uploads a `RestApi` file of so many rows, part by part.
pub(crate) async fn big_file(client: &Client, bucket: &str, key: &str, rows: u64) -> Result<()> {
    let upload = client.create_multipart_upload().bucket(bucket).key(key).send().await?;
    let upload_id = upload.upload_id.context("an upload without an id")?;
    let (sender, mut receiver) = mpsc::channel(2);
    let writing = tokio::task::spawn_blocking(move || {
        let mut parts = Parts { part: Vec::with_capacity(PART_BYTES), sender };
        big_file::write(rows, SEED, &mut parts)?;
        parts.send()
    });
    let mut completed = Vec::new();
    let mut number = 0_i32;
    while let Some(part) = receiver.recv().await {
        number = number.saturating_add(1);
        let part = client
            .upload_part()
            .bucket(bucket)
            .key(key)
            .upload_id(&upload_id)
            .part_number(number)
            .body(Vec::into(part))
            .send()
            .await
            .context("a part was refused")?;
        completed.push(CompletedPart::builder().part_number(number).set_e_tag(part.e_tag).build());
    }
    writing.await.context("the generator died")??;
    let parts = CompletedMultipartUpload::builder().set_parts(Some(completed)).build();
    client
        .complete_multipart_upload()
        .bucket(bucket)
        .key(key)
        .upload_id(upload_id)
        .multipart_upload(parts)
        .send()
        .await
        .context("the upload was not completed")?;
    Ok(())
}

struct Parts {
    part: Vec<u8>,
    sender: mpsc::Sender<Vec<u8>>,
}

impl Parts {
    fn send(&mut self) -> io::Result<()> {
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART_BYTES));
        self.sender.blocking_send(part).map_err(|_gone| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend_from_slice(bytes);
        if self.part.len() >= PART_BYTES {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
