//! Objects that are deleted.

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::storage::Storage;
use crate::error::Result;

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

    /// Deletes up to a thousand objects in one call.
    ///
    /// # Errors
    /// [`crate::FarmError`] of the call, or of the first object that was not deleted.
    pub(crate) async fn delete_all(&self, keys: Vec<String>) -> Result<()> {
        let first = keys.first().cloned().unwrap_or_default();
        let attempt = self.attempt("delete from the bucket", &first);
        let objects = keys.into_iter().map(|key| ObjectIdentifier::builder().key(key).build());
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
}
