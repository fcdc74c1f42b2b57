//! Sends a large file in parts, several at once.

use std::path::Path;

use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::error::{FarmError, Result};
use crate::storage::Storage;

/// S3 takes at most 10,000 parts of at least 5 MiB
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
const MAX_PARTS: u64 = 10_000;
const MIN_PART_BYTES: u64 = 32 << 20;
const PARTS_AT_ONCE: usize = 4;

/// Puts a file unless an object is there; true where this call put it.
pub(crate) async fn put(
    storage: &Storage,
    key: &str,
    path: &Path,
    size_bytes: u64,
    on_sent: impl Fn(u64),
) -> Result<bool> {
    let attempt = storage.attempt("write to the bucket", key);
    let started = storage
        .client
        .create_multipart_upload()
        .bucket(storage.bucket())
        .key(key)
        .send()
        .await
        .map_err(|error| attempt.error(error))?;
    let upload_id = started.upload_id().unwrap_or_default().to_owned();
    let sent = send_parts(storage, key, path, size_bytes, &upload_id, on_sent).await;
    let outcome = match sent {
        Ok(parts) => complete(storage, key, &upload_id, parts).await,
        Err(error) => Err(error),
    };
    if !matches!(outcome, Ok(true)) {
        // Parts of an upload that is given up are paid for until they are deleted. If this fails
        // too, the bucket's lifecycle rule does it.
        let _ = storage
            .client
            .abort_multipart_upload()
            .bucket(storage.bucket())
            .key(key)
            .upload_id(&upload_id)
            .send()
            .await;
    }
    outcome
}

async fn send_parts(
    storage: &Storage,
    key: &str,
    path: &Path,
    size_bytes: u64,
    upload_id: &str,
    on_sent: impl Fn(u64),
) -> Result<Vec<CompletedPart>> {
    let part_bytes = MIN_PART_BYTES.max(size_bytes.div_ceil(MAX_PARTS));
    let parts = stream::iter(0..size_bytes.div_ceil(part_bytes)).map(|index| {
        let offset = index * part_bytes;
        let length = part_bytes.min(size_bytes - offset);
        let on_sent = &on_sent;
        async move {
            let body = ByteStream::read_from()
                .path(path)
                .offset(offset)
                .length(Length::Exact(length))
                .build()
                .await
                .map_err(|error| FarmError::Io {
                    action: "read",
                    path: path.to_owned(),
                    source: std::io::Error::other(error),
                })?;
            let number = i32::try_from(index + 1).unwrap_or(i32::MAX);
            let part = storage
                .client
                .upload_part()
                .bucket(storage.bucket())
                .key(key)
                .upload_id(upload_id)
                .part_number(number)
                .body(body)
                .send()
                .await
                .map_err(|error| storage.attempt("write to the bucket", key).error(error))?;
            on_sent(length);
            Ok(CompletedPart::builder()
                .part_number(number)
                .set_e_tag(part.e_tag().map(str::to_owned))
                .set_checksum_crc32(part.checksum_crc32().map(str::to_owned))
                .build())
        }
    });
    parts.buffered(PARTS_AT_ONCE).try_collect().await
}

async fn complete(
    storage: &Storage,
    key: &str,
    upload_id: &str,
    parts: Vec<CompletedPart>,
) -> Result<bool> {
    let completed = storage
        .client
        .complete_multipart_upload()
        .bucket(storage.bucket())
        .key(key)
        .upload_id(upload_id)
        .if_none_match("*")
        .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
        .send()
        .await;
    match completed {
        Ok(_) => Ok(true),
        Err(error) if error.raw_response().is_some_and(|raw| raw.status().as_u16() == 412) => {
            Ok(false)
        }
        Err(error) => Err(storage.attempt("write to the bucket", key).error(error)),
    }
}
