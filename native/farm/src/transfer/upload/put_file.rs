use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::large_file::{self, CountedPart, LargeFile};
use super::limits::Limits;
use crate::aws::counted_body::{SentBytes, Uncounted};
use crate::aws::multipart::Completion;
use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// The pauses after a conditional write that met another one.
pub(super) const CONFLICT_PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

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
    let whole = LargeFile { key, path, size_bytes };
    let limits = Limits::default();
    for pause in CONFLICT_PAUSES {
        let started = large_file::start(storage, key).await?;
        let sent =
            large_file::send(storage, &whole, &started, &limits, |_, _| Arc::new(UncountedPart));
        let sent = match sent.await {
            // The answer to a completion was lost, and the upload is no more where it was repeated.
            Err(FarmError::NoObject { .. }) if storage.look(key).await?.is_some() => {
                return Ok(false);
            }
            Err(FarmError::NoObject { .. }) => Completion::Again,
            sent => sent?,
        };
        match sent {
            Completion::Done => return Ok(true),
            Completion::WasThere => return Ok(false),
            Completion::Again => tokio::time::sleep(pause).await,
        }
    }
    Err(FarmError::Throttled {
        action: "write to the bucket".into(),
        reason: format!("{key} is being written by others"),
    })
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
