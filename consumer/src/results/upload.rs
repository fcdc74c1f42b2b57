//! What a frame left in its output folder, and its way into the bucket.

use std::path::{Path, PathBuf};

use farm::{Storage, digest_file, put_file_if_absent};
use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{JobId, PackPath, ResultFile, keys};

use crate::error::{ConsumerError, Result};

/// Most files that one frame may leave behind.
const MAX_FILES: usize = 10_000;

/// How many files are sent at the same time.
const FILES_AT_ONCE: usize = 8;

/// Puts every file of an output folder. Where a file is there already, that one counts.
pub(crate) async fn upload(
    storage: &Storage,
    job: JobId,
    folder: &Path,
) -> Result<Vec<ResultFile>> {
    stream::iter(files_below(folder)?)
        .map(|(path, source)| async move {
            let mut digest = digest_file(&source)?;
            let mut size_bytes = size_of(&source)?;
            let key = keys::frame_file(job, &path);
            if !put_file_if_absent(storage, &key, &source, size_bytes).await? {
                (digest, size_bytes) = storage.digest_of(&key).await?;
            }
            Ok(ResultFile { path, digest, size_bytes })
        })
        .buffered(FILES_AT_ONCE)
        .try_collect()
        .await
}

fn size_of(path: &Path) -> Result<u64> {
    std::fs::metadata(path).map(|found| found.len()).map_err(ConsumerError::io("read", path))
}

/// Every regular file below a folder with its path there. Links are left out: a script in a scene
/// could make them point anywhere.
fn files_below(folder: &Path) -> Result<Vec<(PackPath, PathBuf)>> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(current) = waiting.pop() {
        let entries = std::fs::read_dir(&current).map_err(ConsumerError::io("list", &current))?;
        for entry in entries {
            let entry = entry.map_err(ConsumerError::io("list", &current))?;
            let kind = entry.file_type().map_err(ConsumerError::io("read", &entry.path()))?;
            if kind.is_dir() {
                waiting.push(entry.path());
            } else if kind.is_file() {
                let path = entry.path();
                let below = path.strip_prefix(folder).unwrap_or(&path);
                let names = below.iter().map(std::ffi::OsStr::as_encoded_bytes);
                files.push((PackPath::of_names(names)?, path));
            }
            if files.len() > MAX_FILES {
                return Err(ConsumerError::Scene {
                    message: format!("the frame made more than {MAX_FILES} files"),
                });
            }
        }
    }
    files.sort();
    Ok(files)
}
