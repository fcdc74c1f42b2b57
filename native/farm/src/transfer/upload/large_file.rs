//! Sends a large file in parts, several at once; goes on with an upload that was begun before.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::buffers::Buffers;
use super::limits::Limits;
use crate::aws::counted_body::SentBytes;
use crate::aws::multipart::{Completion, PartsThere};
use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// S3 takes at most 10,000 parts of at least 5 MiB
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
const MAX_PARTS: u64 = 10_000;
const MIN_PART_BYTES: u64 = 8 << 20;

/// Memory bounds how many parts are under way; this only keeps the list of waiting ones short.
const PARTS_AT_ONCE: usize = 32;

/// A file and where it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct LargeFile<'a> {
    pub(super) key: &'a str,
    pub(super) path: &'a Path,
    pub(super) size_bytes: u64,
}

/// An upload in parts that was begun, now or in an earlier run.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) upload: String,
    there: PartsThere,
}

impl Started {
    /// How many parts the bucket has.
    pub(super) fn parts_there(&self) -> usize {
        self.there.len()
    }
}

/// Begins an upload in parts.
pub(super) async fn start(storage: &Storage, key: &str) -> Result<Started> {
    let upload = storage.begin_parts(key).await?;
    Ok(Started { upload, there: PartsThere::new() })
}

/// Looks up what an earlier run has sent; `None` where the bucket does not know the upload.
pub(super) async fn resume(
    storage: &Storage,
    key: &str,
    upload: String,
) -> Result<Option<Started>> {
    let there = storage.parts_there(key, &upload).await?;
    Ok(there.map(|there| Started { upload, there }))
}

/// What counts a part of a number and so many bytes.
pub(super) trait CountedPart: SentBytes {
    /// The bucket has the part: nothing of it is sent.
    fn skip(&self);
}

/// Sends the parts that are not there yet and makes them an object, unless one is there. `share_of` counts the part of a number and so many bytes.
pub(super) async fn send<S: CountedPart + 'static>(
    storage: &Storage,
    file: &LargeFile<'_>,
    started: &Started,
    limits: &Limits,
    share_of: impl Fn(i32, u64) -> Arc<S>,
) -> Result<Completion> {
    let part_bytes = MIN_PART_BYTES.max(file.size_bytes.div_ceil(MAX_PARTS));
    let parts = stream::iter(0..file.size_bytes.div_ceil(part_bytes)).map(|index| {
        let offset = index * part_bytes;
        let length = part_bytes.min(file.size_bytes - offset);
        let share_of = &share_of;
        async move {
            let number = i32::try_from(index + 1).unwrap_or(i32::MAX);
            let share = share_of(number, length);
            if let Some((size, completed)) = started.there.get(&number)
                && *size == length
            {
                share.skip();
                return Ok(completed.clone());
            }
            let _permit = limits.memory(length).await;
            let bytes = read_part(limits.buffers(), file.path, offset, length).await?;
            let sent: Arc<dyn SentBytes> = share;
            storage.put_part(file.key, &started.upload, number, &bytes, &sent).await
        }
    });
    let parts = parts.buffered(PARTS_AT_ONCE).try_collect().await?;
    storage.complete_parts(file.key, &started.upload, parts).await
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
