//! The way of a frame's files into the bucket.

use farm::{FarmError, Storage, digest_file, put_file_if_absent};
use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{JobId, ResultFile, keys};

use crate::error::Result;
use crate::results::collect::MadeFile;

/// How many files are sent at the same time.
const FILES_AT_ONCE: usize = 8;

/// Puts every file that a frame has made. Where a file is there already, that one counts.
pub(crate) async fn upload(
    storage: &Storage,
    job: JobId,
    files: Vec<MadeFile>,
) -> Result<Vec<ResultFile>> {
    let large = &tokio::sync::Mutex::new(());
    stream::iter(files)
        .map(|file| async move {
            let MadeFile { path, source, size_bytes } = file;
            // Off the threads that renew the lease: a large file takes minutes.
            let reading = source.clone();
            let digest = tokio::task::spawn_blocking(move || digest_file(&reading));
            let mut digest = digest.await.map_err(|_| FarmError::Cancelled)??;
            let mut size_bytes = size_bytes;
            let key = keys::frame_file(job, &path);
            // Of large ones one after the other: each has parts of its own in memory.
            let is_large = size_bytes > Storage::MULTIPART_FROM_BYTES;
            let _turn = if is_large { Some(large.lock().await) } else { None };
            if !put_file_if_absent(storage, &key, &source, size_bytes).await? {
                (digest, size_bytes) = storage.digest_of(&key).await?;
            }
            Ok(ResultFile { path, digest, size_bytes })
        })
        .buffered(FILES_AT_ONCE)
        .try_collect()
        .await
}
