use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::ResponseChecksumValidation;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::MetadataDirective;
use bytes::Bytes;
use protocol::Digest;
use tokio::sync::Semaphore;

use super::connection::AwsConfig;
use super::counted_body::{SentBytes, Uncounted, counted_body};
use super::service_error::Attempt;
use crate::error::{FarmError, Result};

/// The most of all files together that waits in memory to be written.
const INCOMING_KIB: usize = 24 << 10;

/// The bucket. Every write is atomic: an object is there whole or not at all.
#[derive(Debug, Clone)]
pub struct Storage {
    pub(crate) client: Client,
    pub(crate) bucket: String,
    profile: Option<String>,
    /// What is on its way into memory from this bucket, by KiB.
    pub(crate) incoming: Arc<Semaphore>,
}

/// What is known of an object without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredObject {
    /// How many bytes it has.
    pub size_bytes: u64,
    /// How long ago it was put.
    pub age: Duration,
}

impl Storage {
    /// Files above this size are sent in parts.
    pub const MULTIPART_FROM_BYTES: u64 = 16 << 20;

    /// Most bytes of an object that is copied in one call
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>).
    pub(crate) const MAX_COPY_BYTES: u64 = 5 << 30;

    /// Opens a bucket; nothing is sent yet.
    #[must_use]
    pub fn new(config: &AwsConfig, bucket: String) -> Self {
        let s3 = aws_sdk_s3::config::Builder::from(&config.sdk)
            // An emulator has no wildcard DNS for buckets.
            .force_path_style(config.sdk.endpoint_url().is_some())
            // What is read here is checked against its BLAKE3 digest; once is enough.
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build();
        Self {
            client: Client::from_conf(s3),
            bucket,
            profile: config.profile.clone(),
            incoming: Arc::new(Semaphore::new(INCOMING_KIB)),
        }
    }

    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Puts an object, over what may be there.
    ///
    /// # Errors
    /// [`FarmError`] of the call.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<()> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map(drop)
            .map_err(|error| self.attempt("write to the bucket", key).error(error))
    }

    /// Puts an object unless one is there; true where this call put it.
    ///
    /// # Errors
    /// [`FarmError`] of the call.
    pub async fn put_if_absent(&self, key: &str, bytes: Vec<u8>) -> Result<bool> {
        let uncounted: Arc<dyn SentBytes> = Arc::new(Uncounted);
        self.put_bytes_if_absent(key, &bytes.into(), &uncounted).await
    }

    pub(crate) async fn put_bytes_if_absent(
        &self,
        key: &str,
        bytes: &Bytes,
        sent: &Arc<dyn SentBytes>,
    ) -> Result<bool> {
        let mut conflicts = 0;
        loop {
            let put = self.client.put_object().bucket(&self.bucket).key(key).if_none_match("*");
            // The bytes have a checksum of their own, and are checked against BLAKE3 when they are
            // fetched: a SHA-256 of them in the signature is a fifth of an upload's processor time.
            let put = put.body(counted_body(bytes, sent)).customize().disable_payload_signing();
            match put.send().await {
                Ok(_) => return Ok(true),
                Err(error) => match error.raw_response().map(|raw| raw.status().as_u16()) {
                    Some(412) => {
                        sent.take_back();
                        return Ok(false);
                    }
                    // Another conditional put of the key is under way: ask again who won.
                    Some(409) if conflicts < 5 => {
                        conflicts += 1;
                        tokio::time::sleep(std::time::Duration::from_millis(200 * conflicts)).await;
                    }
                    _ => return Err(self.attempt("write to the bucket", key).error(error)),
                },
            }
        }
    }

    /// Puts an object where it is still as it was seen: `seen` is its etag, `None` where there was
    /// none. Gives the new etag, or `None` where somebody else has changed it meanwhile.
    ///
    /// # Errors
    /// [`FarmError`] of the call.
    pub async fn put_if_unchanged(
        &self,
        key: &str,
        bytes: &[u8],
        seen: Option<&str>,
    ) -> Result<Option<String>> {
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        let put = match seen {
            Some(etag) => put.if_match(etag),
            None => put.if_none_match("*"),
        };
        let error = match put.body(ByteStream::from(bytes.to_vec())).send().await {
            Ok(put) => return Ok(Some(put.e_tag().unwrap_or_default().to_owned())),
            Err(error) => error,
        };
        // 409: another write is under way. 404: it was deleted. Both have changed it.
        match error.raw_response().map(|raw| raw.status().as_u16()) {
            Some(412 | 409 | 404) => {
                // A put that is sent again, as its answer was lost, meets itself.
                let there = self.get_with_etag(key, bytes.len() as u64).await;
                match there {
                    Ok(Some((found, etag))) if found == bytes => Ok(Some(etag)),
                    Ok(_) | Err(FarmError::TooLarge { .. }) => Ok(None),
                    Err(error) => Err(error),
                }
            }
            _ => Err(self.attempt("write to the bucket", key).error(error)),
        }
    }

    /// The size and the age of an object; `None` where there is none.
    ///
    /// # Errors
    /// [`FarmError`] of the call.
    pub async fn look(&self, key: &str) -> Result<Option<StoredObject>> {
        match self.client.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(head) => {
                let put_ms = head.last_modified().and_then(|time| time.to_millis().ok());
                let age_ms = crate::clock::now_ms()
                    .saturating_sub(put_ms.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0));
                let size = head.content_length().and_then(|size| size.try_into().ok());
                Ok(Some(StoredObject {
                    size_bytes: size.unwrap_or(0),
                    age: Duration::from_millis(age_ms),
                }))
            }
            Err(error) => match self.attempt("look into the bucket", key).error(error) {
                FarmError::NoObject { .. } => Ok(None),
                error => Err(error),
            },
        }
    }

    /// Copies an object over itself, which makes it new for the bucket's lifecycle rule.
    ///
    /// # Errors
    /// [`FarmError`] of the call; S3 refuses it for more than [`Storage::MAX_COPY_BYTES`].
    pub(crate) async fn renew(&self, key: &str) -> Result<()> {
        // S3 takes a copy onto itself only where something of it changes: here, nothing into nothing.
        self.client
            .copy_object()
            .bucket(&self.bucket)
            .key(key)
            .copy_source(format!("{}/{key}", self.bucket))
            .metadata_directive(MetadataDirective::Replace)
            .send()
            .await
            .map(drop)
            .map_err(|error| self.attempt("renew in the bucket", key).error(error))
    }

    /// Reads a small object whole; `None` where there is none.
    ///
    /// # Errors
    /// [`FarmError::TooLarge`] above `limit_bytes`, else [`FarmError`] of the call.
    pub async fn get(&self, key: &str, limit_bytes: u64) -> Result<Option<Vec<u8>>> {
        Ok(self.get_with_etag(key, limit_bytes).await?.map(|(bytes, _)| bytes))
    }

    /// Reads a small object whole, with its etag; `None` where there is none.
    ///
    /// # Errors
    /// [`FarmError::TooLarge`] above `limit_bytes`, else [`FarmError`] of the call.
    pub async fn get_with_etag(
        &self,
        key: &str,
        limit_bytes: u64,
    ) -> Result<Option<(Vec<u8>, String)>> {
        let answer = match self.open(key).await {
            Err(FarmError::NoObject { .. }) => return Ok(None),
            opened => opened?,
        };
        let etag = answer.e_tag().unwrap_or_default().to_owned();
        let mut body = answer.body;
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| self.broken_off(&error))?;
            if (bytes.len() + chunk.len()) as u64 > limit_bytes {
                return Err(FarmError::TooLarge { key: key.to_owned(), limit_bytes });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some((bytes, etag)))
    }

    /// The digest and the size in bytes of an object, read through without keeping it.
    ///
    /// # Errors
    /// [`FarmError::NoObject`] where there is none, else [`FarmError`] of the call.
    pub async fn digest_of(&self, key: &str) -> Result<(Digest, u64)> {
        let mut body = self.open(key).await?.body;
        let mut hasher = blake3::Hasher::new();
        while let Some(chunk) = body.next().await {
            hasher.update(&chunk.map_err(|error| self.broken_off(&error))?);
        }
        let digest = Digest::try_from(hasher.finalize().to_hex().to_string())?;
        Ok((digest, hasher.count()))
    }

    pub(crate) fn attempt<'a>(&'a self, action: &'a str, key: &'a str) -> Attempt<'a> {
        Attempt {
            action,
            profile: self.profile.as_deref(),
            bucket: Some(&self.bucket),
            key: Some(key),
            queue_url: None,
        }
    }

    async fn open(&self, key: &str) -> Result<GetObjectOutput> {
        let answer = self.client.get_object().bucket(&self.bucket).key(key).send().await;
        answer.map_err(|error| self.attempt("read from the bucket", key).error(error))
    }

    pub(crate) fn broken_off(&self, error: &aws_sdk_s3::primitives::ByteStreamError) -> FarmError {
        FarmError::Unreachable {
            action: format!("read from the bucket \"{}\"", self.bucket),
            reason: protocol::sentence(error),
        }
    }
}
