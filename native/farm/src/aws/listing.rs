//! What the bucket holds, page by page.

use std::collections::HashSet;

use super::storage::Storage;
use crate::error::Result;

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedObject {
    pub(crate) key: String,
    /// When it was put, in milliseconds since 1970 (UTC), by S3's clock; to the second.
    pub(crate) put_ms: u64,
}

/// A part of a listing.
#[derive(Debug)]
pub(crate) struct Page {
    /// Sorted by key.
    pub(crate) objects: Vec<ListedObject>,
    /// Whether there are more behind them.
    pub(crate) is_truncated: bool,
}

impl Storage {
    /// Lists up to a thousand objects below a prefix whose keys come behind `after`.
    ///
    /// # Errors
    /// [`FarmError`] of the call.
    pub(crate) async fn list_page(&self, prefix: &str, after: &str) -> Result<Page> {
        self.list_up_to(prefix, after, 1000).await
    }

    /// The keys of all objects below a prefix.
    ///
    /// # Errors
    /// [`FarmError`] of a call.
    pub async fn keys_below(&self, prefix: &str) -> Result<HashSet<String>> {
        let (mut after, mut found) = (String::new(), HashSet::new());
        loop {
            let page = self.list_page(prefix, &after).await?;
            match page.objects.last() {
                Some(last) if page.is_truncated => after.clone_from(&last.key),
                _ => after.clear(),
            }
            found.extend(page.objects.into_iter().map(|object| object.key));
            if after.is_empty() {
                return Ok(found);
            }
        }
    }

    /// The first object below a prefix whose key comes behind `after`.
    ///
    /// # Errors
    /// [`FarmError`] of the call.
    pub(crate) async fn list_one(&self, prefix: &str, after: &str) -> Result<Option<ListedObject>> {
        Ok(self.list_up_to(prefix, after, 1).await?.objects.pop())
    }

    async fn list_up_to(&self, prefix: &str, after: &str, limit: i32) -> Result<Page> {
        let listing = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let listing = listing.max_keys(limit);
        // S3 takes no empty one.
        let listing = if after.is_empty() { listing } else { listing.start_after(after) };
        let page = listing
            .send()
            .await
            .map_err(|error| self.attempt("list the bucket", prefix).error(error))?;
        let objects = page.contents().iter().filter_map(|object| {
            let put_ms = object.last_modified().and_then(|time| time.to_millis().ok());
            Some(ListedObject {
                key: object.key()?.to_owned(),
                put_ms: put_ms.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0),
            })
        });
        Ok(Page { objects: objects.collect(), is_truncated: page.is_truncated().unwrap_or(false) })
    }

    /// Lists the folders right below a prefix, by their whole prefix, sorted.
    ///
    /// # Errors
    /// [`FarmError`] of the call.
    pub async fn list_folders(&self, prefix: &str) -> Result<Vec<String>> {
        let listing = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let mut pages = listing.delimiter("/").into_paginator().send();
        let mut folders = Vec::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| self.attempt("list the bucket", prefix).error(error))?;
            let found = page.common_prefixes().iter();
            folders.extend(found.filter_map(|folder| folder.prefix().map(str::to_owned)));
        }
        Ok(folders)
    }
}
