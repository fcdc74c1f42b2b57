//! Sends a large file in parts, several at once; goes on with an upload that was begun before.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::buffers::Buffers;
use super::counted_body::{Share, counted_body};
use super::limits::Limits;
use crate::error::{FarmError, Result};
use crate::storage::Storage;

/// S3 takes at most 10,000 parts of at least 5 MiB
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
const MAX_PARTS: u64 = 10_000;
const MIN_PART_BYTES: u64 = 8 << 20;

/// Memory bounds how many parts are under way; this only keeps the list of waiting ones short.
const PARTS_AT_ONCE: usize = 32;

/// A file and where it goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LargeFile<'a> {
    pub(crate) key: &'a str,
    pub(crate) path: &'a Path,
    pub(crate) size_bytes: u64,
}

/// An upload in parts that was begun, now or in an earlier run.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) upload: String,
    /// The parts that the bucket has, by number: their size and what completes the upload.
    there: HashMap<i32, (u64, CompletedPart)>,
}

impl Started {
    /// How many parts the bucket has.
    pub(super) fn parts_there(&self) -> usize {
        self.there.len()
    }
}

/// Begins an upload in parts.
pub(crate) async fn start(storage: &Storage, key: &str) -> Result<Started> {
    let started = storage
        .client
        .create_multipart_upload()
        .bucket(storage.bucket())
        .key(key)
        .send()
        .await
        .map_err(|error| storage.attempt("write to the bucket", key).error(error))?;
    let upload = started.upload_id().unwrap_or_default().to_owned();
    Ok(Started { upload, there: HashMap::new() })
}

/// Looks up what an earlier run has sent; `None` where the bucket does not know the upload.
pub(super) async fn resume(
    storage: &Storage,
    key: &str,
    upload: String,
) -> Result<Option<Started>> {
    let mut there = HashMap::new();
    let mut pages = storage
        .client
        .list_parts()
        .bucket(storage.bucket())
        .key(key)
        .upload_id(&upload)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                return match storage.attempt("look into the bucket", key).error(error) {
                    error if error.is_transient() => Err(error),
                    // Expired, finished by another Blender, or a server that cannot tell.
                    _ => Ok(None),
                };
            }
        };
        for part in page.parts() {
            let (Some(number), Some(size)) = (part.part_number(), part.size()) else { continue };
            let completed = CompletedPart::builder()
                .part_number(number)
                .set_e_tag(part.e_tag().map(str::to_owned))
                .set_checksum_crc32(part.checksum_crc32().map(str::to_owned))
                .build();
            there.insert(number, (u64::try_from(size).unwrap_or(0), completed));
        }
    }
    Ok(Some(Started { upload, there }))
}

/// Sends the parts that are not there yet and makes them an object, unless one is there; true
/// where this call did. `share_of` counts the part of a number and so many bytes.
pub(crate) async fn send(
    storage: &Storage,
    file: &LargeFile<'_>,
    started: &Started,
    limits: &Limits,
    share_of: impl Fn(i32, u64) -> Arc<Share>,
) -> Result<bool> {
    let part_bytes = MIN_PART_BYTES.max(file.size_bytes.div_ceil(MAX_PARTS));
    let parts = stream::iter(0..file.size_bytes.div_ceil(part_bytes)).map(|index| {
        let offset = index * part_bytes;
        let length = part_bytes.min(file.size_bytes - offset);
        let share_of = &share_of;
        async move {
            let number = i32::try_from(index + 1).unwrap_or(i32::MAX);
            if let Some((size, completed)) = started.there.get(&number)
                && *size == length
            {
                share_of(number, length).skip();
                return Ok(completed.clone());
            }
            let _permit = limits.memory(length).await;
            let bytes = read_part(limits.buffers(), file.path, offset, length).await?;
            send_part(storage, file.key, &started.upload, number, &bytes, &share_of(number, length))
                .await
        }
    });
    let parts = parts.buffered(PARTS_AT_ONCE).try_collect().await?;
    complete(storage, file.key, &started.upload, parts).await
}

/// Gives an upload up. Its parts would be paid for; if this fails too, the bucket's lifecycle rule
/// deletes them.
pub(super) async fn abort(storage: &Storage, key: &str, upload: &str) {
    let _ = storage
        .client
        .abort_multipart_upload()
        .bucket(storage.bucket())
        .key(key)
        .upload_id(upload)
        .send()
        .await;
}

async fn read_part(buffers: &Buffers, path: &Path, offset: u64, length: u64) -> Result<Bytes> {
    let mut bytes = buffers.take(usize::try_from(length).unwrap_or(usize::MAX));
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let read = std::fs::File::open(&path).and_then(|mut file| {
            file.seek(SeekFrom::Start(offset))?;
            file.take(length).read_to_end(&mut bytes)
        });
        match read {
            Ok(count) if count as u64 == length => Ok(bytes),
            Ok(_) => Err(FarmError::io("read", &path)(ErrorKind::UnexpectedEof.into())),
            Err(error) => Err(FarmError::io("read", &path)(error)),
        }
    });
    Ok(buffers.lend(read.await.map_err(|_| FarmError::Cancelled)??))
}

async fn send_part(
    storage: &Storage,
    key: &str,
    upload: &str,
    number: i32,
    bytes: &Bytes,
    share: &Arc<Share>,
) -> Result<CompletedPart> {
    let part = storage
        .client
        .upload_part()
        .bucket(storage.bucket())
        .key(key)
        .upload_id(upload)
        .part_number(number)
        .body(counted_body(bytes, share))
        .customize()
        .disable_payload_signing()
        .send()
        .await
        .map_err(|error| storage.attempt("write to the bucket", key).error(error))?;
    Ok(CompletedPart::builder()
        .part_number(number)
        .set_e_tag(part.e_tag().map(str::to_owned))
        .set_checksum_crc32(part.checksum_crc32().map(str::to_owned))
        .build())
}

async fn complete(
    storage: &Storage,
    key: &str,
    upload: &str,
    parts: Vec<CompletedPart>,
) -> Result<bool> {
    let completed = storage
        .client
        .complete_multipart_upload()
        .bucket(storage.bucket())
        .key(key)
        .upload_id(upload)
        .if_none_match("*")
        .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
        .send()
        .await;
    match completed {
        Ok(_) => Ok(true),
        Err(error) if error.raw_response().is_some_and(|raw| raw.status().as_u16() == 412) => {
            abort(storage, key, upload).await;
            Ok(false)
        }
        Err(error) => Err(storage.attempt("write to the bucket", key).error(error)),
    }
}
