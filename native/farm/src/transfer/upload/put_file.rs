use std::path::Path;
use std::sync::Arc;

use super::large_file::{self, CountedPart, LargeFile};
use super::limits::Limits;
use crate::aws::counted_body::{SentBytes, Uncounted};
use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// Puts a file unless an object is there; large files go in parts. True where this call put it.
///
/// # Errors
/// [`FarmError::Io`] where the file cannot be read, else [`FarmError`] of the call.
pub async fn put_file_if_absent(
    storage: &Storage,
    key: &str,
    path: &Path,
    size_bytes: u64,
) -> Result<bool> {
    if size_bytes <= Storage::MULTIPART_FROM_BYTES {
        let bytes = tokio::fs::read(path).await.map_err(FarmError::io("read", path))?;
        return storage.put_if_absent(key, bytes).await;
    }
    let started = large_file::start(storage, key).await?;
    let whole = LargeFile { key, path, size_bytes };
    large_file::send(storage, &whole, &started, &Limits::default(), |_, _| Arc::new(UncountedPart))
        .await
}

#[derive(Debug)]
struct UncountedPart;

impl SentBytes for UncountedPart {
    fn add(&self, count: usize) {
        Uncounted.add(count);
    }

    fn take_back(&self) {}
}

impl CountedPart for UncountedPart {
    fn skip(&self) {}
}
