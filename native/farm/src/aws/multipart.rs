//! The calls of an upload in parts.

use std::collections::HashMap;
use std::sync::Arc;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;

use super::counted_body::{SentBytes, counted_body};
use super::storage::Storage;
use crate::error::Result;

/// The parts that the bucket has, by number: their size in bytes and what completes the upload.
pub(crate) type PartsThere = HashMap<i32, (u64, CompletedPart)>;

/// What became of an upload whose parts were to be made an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Completion {
    /// The object is there, by this upload.
    Done,
    /// Another one was there before; the parts are given up.
    WasThere,
    /// Something else was under way with the key, and S3 asks to upload anew: 409,
    /// `ConditionalRequestConflict`
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>).
    Again,
}

impl Storage {
    /// Begins an upload in parts; gives its id.
    ///
    /// The SDK gives each part a CRC-32. S3 takes the parts of an upload that was not begun with
    /// that algorithm, and then refuses to complete it: `InvalidPart`
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>).
    pub(crate) async fn begin_parts(&self, key: &str) -> Result<String> {
        let started = self
            .client
            .create_multipart_upload()
            .bucket(self.bucket())
            .key(key)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .send()
            .await
            .map_err(|error| self.attempt("write to the bucket", key).error(error))?;
        Ok(started.upload_id().unwrap_or_default().to_owned())
    }

    /// The parts that the bucket has of an upload; `None` where it does not know the upload, or
    /// where the upload was begun without a checksum and could not be completed.
    pub(crate) async fn parts_there(&self, key: &str, upload: &str) -> Result<Option<PartsThere>> {
        let mut there = HashMap::new();
        let listing = self.client.list_parts().bucket(self.bucket()).key(key).upload_id(upload);
        let mut pages = listing.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    return match self.attempt("look into the bucket", key).error(error) {
                        error if error.is_transient() => Err(error),
                        // Expired, finished by another Blender, or a server that cannot tell.
                        _ => Ok(None),
                    };
                }
            };
            if page.checksum_algorithm().is_some_and(|one| *one != ChecksumAlgorithm::Crc32) {
                return Ok(None);
            }
            for part in page.parts() {
                if part.checksum_crc32().is_none() {
                    return Ok(None);
                }
                let (Some(number), Some(size)) = (part.part_number(), part.size()) else {
                    continue;
                };
                let completed = CompletedPart::builder()
                    .part_number(number)
                    .set_e_tag(part.e_tag().map(str::to_owned))
                    .set_checksum_crc32(part.checksum_crc32().map(str::to_owned))
                    .build();
                there.insert(number, (u64::try_from(size).unwrap_or(0), completed));
            }
        }
        Ok(Some(there))
    }

    /// Sends one part; gives what completes the upload.
    pub(crate) async fn put_part(
        &self,
        key: &str,
        upload: &str,
        number: i32,
        bytes: &Bytes,
        sent: &Arc<dyn SentBytes>,
    ) -> Result<CompletedPart> {
        let part = self
            .client
            .upload_part()
            .bucket(self.bucket())
            .key(key)
            .upload_id(upload)
            .part_number(number)
            .body(counted_body(bytes, sent))
            .customize()
            .disable_payload_signing()
            .config_override(without_answer_limit())
            .send()
            .await
            .map_err(|error| self.attempt("write to the bucket", key).error(error))?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(part.e_tag().map(str::to_owned))
            .set_checksum_crc32(part.checksum_crc32().map(str::to_owned))
            .build())
    }

    /// Makes an object of the parts, unless one is there.
    pub(crate) async fn complete_parts(
        &self,
        key: &str,
        upload: &str,
        parts: Vec<CompletedPart>,
    ) -> Result<Completion> {
        let completed = self
            .client
            .complete_multipart_upload()
            .bucket(self.bucket())
            .key(key)
            .upload_id(upload)
            .if_none_match("*")
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .send()
            .await;
        let Err(error) = completed else { return Ok(Completion::Done) };
        // S3 may say 200 first, while it puts the parts together, and the error in the answer's body.
        let code = error.code().unwrap_or_default();
        match (error.raw_response().map(|raw| raw.status().as_u16()), code) {
            (Some(412), _) | (_, "PreconditionFailed") => {
                self.abort_parts(key, upload).await;
                Ok(Completion::WasThere)
            }
            (Some(409), _) | (_, "ConditionalRequestConflict") => {
                self.abort_parts(key, upload).await;
                let is_there = self.look(key).await?.is_some();
                Ok(if is_there { Completion::WasThere } else { Completion::Again })
            }
            _ => Err(self.attempt("write to the bucket", key).error(error)),
        }
    }

    /// Gives an upload up. Its parts would be paid for; if this fails too, the bucket's lifecycle
    /// rule deletes them.
    pub(crate) async fn abort_parts(&self, key: &str, upload: &str) {
        let abort = self.client.abort_multipart_upload().bucket(self.bucket()).key(key);
        let _ = abort.upload_id(upload).send().await;
    }
}

/// How long a part may take depends on the network: from a workstation, minutes. One that stalls is
/// noticed by the SDK's own protection, and ends with the limit of an attempt.
fn without_answer_limit() -> aws_sdk_s3::config::Builder {
    let timeouts = TimeoutConfig::builder().disable_read_timeout().build();
    aws_sdk_s3::config::Builder::new().timeout_config(timeouts)
}
