//! Objects that are deleted.

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::storage::Storage;
use crate::error::{FarmError, Result};

/// Most objects of a call (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>).
const MOST_DELETED_AT_ONCE: usize = 1000;

impl Storage {
    /// Deletes an object; no error where there is none.
    ///
    /// # Errors
    /// [`crate::FarmError`] of the call.
    pub async fn delete(&self, key: &str) -> Result<()> {
        self.client
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map(drop)
            .map_err(|error| self.attempt("delete from the bucket", key).error(error))
    }

    /// Deletes all objects below a prefix but some, a thousand a call.
    ///
    /// # Errors
    /// [`crate::FarmError`] of a call, or of the first object that was not deleted.
    pub(crate) async fn delete_below(&self, prefix: &str, but: &[String]) -> Result<()> {
        loop {
            let page = self.list_page(prefix, "").await?;
            let mut keys: Vec<_> = page.objects.into_iter().map(|object| object.key).collect();
            keys.retain(|key| !but.contains(key));
            if keys.is_empty() {
                return Ok(());
            }
            self.delete_all(keys).await?;
        }
    }

    /// Deletes objects, a thousand in a call; AWS takes no call without any.
    ///
    /// # Errors
    /// [`crate::FarmError`] of a call, or of the first object that was not deleted.
    pub(crate) async fn delete_all(&self, keys: Vec<String>) -> Result<()> {
        for keys in keys.chunks(MOST_DELETED_AT_ONCE) {
            self.delete_at_once(keys).await?;
        }
        Ok(())
    }

    async fn delete_at_once(&self, keys: &[String]) -> Result<()> {
        let first = keys.first().cloned().unwrap_or_default();
        let attempt = self.attempt("delete from the bucket", &first);
        let objects = keys.iter().map(|key| ObjectIdentifier::builder().key(key).build());
        let objects = objects.collect::<std::result::Result<Vec<_>, _>>();
        let delete = objects
            .and_then(|objects| Delete::builder().set_objects(Some(objects)).quiet(true).build());
        let answer = match delete {
            Ok(delete) => {
                self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await
            }
            Err(error) => Err(SdkError::construction_failure(error)),
        };
        let answer = answer.map_err(|error| attempt.error(error))?;
        match answer.errors().first() {
            None => Ok(()),
            Some(error) => Err(attempt.refused(error.code(), error.message())),
        }
    }

    /// Deletes the bucket with everything in it, uploads that were never finished too; no error where
    /// there is no bucket. `told` learns how many objects are gone so far.
    ///
    /// # Errors
    /// [`crate::FarmError`] of a call.
    pub async fn delete_with_all_objects(&self, told: impl Fn(u64)) -> Result<()> {
        let mut count = 0;
        loop {
            match self.delete_a_page().await {
                Ok(0) => {}
                Ok(deleted) => {
                    count += deleted;
                    told(count);
                    continue;
                }
                Err(FarmError::NoBucket { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
            self.abort_uploads().await?;
            let deleted = self.client.delete_bucket().bucket(&self.bucket).send().await;
            match deleted.map_err(|error| self.attempt("delete the bucket", "").error(error)) {
                Ok(_) | Err(FarmError::NoBucket { .. }) => return Ok(()),
                // A frame that was at work meanwhile.
                Err(FarmError::Service { reason, .. }) if reason.contains("BucketNotEmpty") => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the bucket is there.
    ///
    /// # Errors
    /// [`crate::FarmError`] of the call.
    pub async fn exists(&self) -> Result<bool> {
        match self.list_one("", "").await {
            Ok(_) => Ok(true),
            Err(FarmError::NoBucket { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn delete_a_page(&self) -> Result<u64> {
        let page = self.list_page("", "").await?;
        let keys: Vec<_> = page.objects.into_iter().map(|object| object.key).collect();
        let count = keys.len() as u64;
        if count > 0 {
            self.delete_all(keys).await?;
        }
        Ok(count)
    }

    async fn abort_uploads(&self) -> Result<()> {
        let attempt = self.attempt("abort an upload", "");
        let answer = self.client.list_multipart_uploads().bucket(&self.bucket).send().await;
        let answer = answer.map_err(|error| attempt.error(error))?;
        for upload in answer.uploads() {
            let call = self.client.abort_multipart_upload().bucket(&self.bucket);
            let call = call.set_key(upload.key.clone()).set_upload_id(upload.upload_id.clone());
            call.send().await.map_err(|error| attempt.error(error))?;
        }
        Ok(())
    }
}
