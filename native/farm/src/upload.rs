use std::fs::Metadata;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{Digest, Manifest, PackId, PackedFile, keys};
use scene::PlannedFile;

use crate::digest_file::digest_file;
use crate::error::{FarmError, Result};
use crate::storage::Storage;

/// How many files are hashed, looked up and sent at the same time.
const FILES_AT_ONCE: usize = 16;

/// How often a file that changes under the reader is read again.
const TRIES_PER_FILE: usize = 3;

/// What has been uploaded so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UploadProgress {
    /// Files that are in the bucket now.
    pub files_done: u64,
    /// All files of the pack.
    pub files_total: u64,
    /// Bytes that were sent.
    pub sent_bytes: u64,
    /// Bytes that were there before.
    pub skipped_bytes: u64,
    /// All bytes of the pack.
    pub total_bytes: u64,
}

/// Uploads what the bucket does not have of a pack, then its manifest; gives the pack's id.
///
/// Files are streamed from disk, several at once; memory does not grow with the scene.
/// `on_progress` is called after each file and each part of a large one.
///
/// # Errors
/// [`FarmError::Io`] and [`FarmError::FileChanging`] for a file, else [`FarmError`] of a call.
pub async fn upload_pack(
    storage: &Storage,
    blend_file: &protocol::PackPath,
    files: &[PlannedFile],
    on_progress: impl Fn(UploadProgress),
) -> Result<PackId> {
    let mut total_bytes = 0;
    for file in files {
        total_bytes += stat(&file.source)?.len();
    }
    let (done, sent, skipped) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let report = || {
        on_progress(UploadProgress {
            files_done: done.load(Ordering::Relaxed),
            files_total: files.len() as u64,
            sent_bytes: sent.load(Ordering::Relaxed),
            skipped_bytes: skipped.load(Ordering::Relaxed),
            total_bytes,
        });
    };
    report();
    let uploads = stream::iter(files.to_vec()).map(|file| {
        let (report, done, sent, skipped) = (&report, &done, &sent, &skipped);
        async move {
            let on_sent = |bytes| {
                sent.fetch_add(bytes, Ordering::Relaxed);
                report();
            };
            let uploaded = upload_file(storage, &file.source, on_sent).await?;
            if !uploaded.was_sent {
                skipped.fetch_add(uploaded.size_bytes, Ordering::Relaxed);
            }
            done.fetch_add(1, Ordering::Relaxed);
            report();
            Ok::<_, FarmError>(PackedFile {
                path: file.path,
                digest: uploaded.digest,
                size_bytes: uploaded.size_bytes,
            })
        }
    });
    let packed: Vec<PackedFile> = uploads.buffer_unordered(FILES_AT_ONCE).try_collect().await?;
    let (pack, bytes) = Manifest::new(blend_file.clone(), packed).to_bytes()?;
    storage.put_if_absent(&keys::pack(&pack), bytes).await?;
    Ok(pack)
}

struct Uploaded {
    digest: Digest,
    size_bytes: u64,
    was_sent: bool,
}

async fn upload_file(storage: &Storage, path: &Path, on_sent: impl Fn(u64)) -> Result<Uploaded> {
    for _ in 0..TRIES_PER_FILE {
        let before = stat(path)?;
        let to_hash = path.to_owned();
        let digest = tokio::task::spawn_blocking(move || digest_file(&to_hash))
            .await
            .map_err(|_| FarmError::Cancelled)??;
        let key = keys::blob(&digest);
        let size_bytes = before.len();
        if storage.size_of(&key).await? == Some(size_bytes) {
            return Ok(Uploaded { digest, size_bytes, was_sent: false });
        }
        let was_sent = storage.put_file_if_absent(&key, path, size_bytes, &on_sent).await?;
        if is_unchanged(&before, &stat(path)?) {
            return Ok(Uploaded { digest, size_bytes, was_sent });
        }
        // What was sent may not be what was hashed, and a blob is never replaced: take it back.
        if was_sent {
            storage.delete(&key).await?;
        }
    }
    Err(FarmError::FileChanging { path: path.to_owned() })
}

fn stat(path: &Path) -> Result<Metadata> {
    std::fs::metadata(path).map_err(FarmError::io("read", path))
}

fn is_unchanged(before: &Metadata, after: &Metadata) -> bool {
    before.len() == after.len() && before.modified().ok() == after.modified().ok()
}
