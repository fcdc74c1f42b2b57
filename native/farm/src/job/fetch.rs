use std::path::{Path, PathBuf};

use protocol::{JobId, ResultFile, keys};

use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};
use crate::transfer::digest_file;

/// Brings the files of one frame into a folder; gives their paths, in order.
///
/// A file that is there already with the same bytes is left alone. Each file appears whole or not
/// at all, and is checked against its digest on the way.
///
/// # Errors
/// [`FarmError::Io`] where the folder cannot be written, [`FarmError::Damaged`], or that of a call.
pub async fn fetch_files(
    storage: &Storage,
    job: JobId,
    files: &[ResultFile],
    folder: &Path,
) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::with_capacity(files.len());
    for file in files {
        let to = file.path.under(folder);
        if !is_there(&to, file).await? {
            let key = keys::frame_file(job, &file.path);
            storage.get_file(&key, &to, &file.digest, file.size_bytes).await?;
        }
        paths.push(to);
    }
    Ok(paths)
}

async fn is_there(path: &Path, file: &ResultFile) -> Result<bool> {
    if std::fs::metadata(path).map(|found| found.len()).ok() != Some(file.size_bytes) {
        return Ok(false);
    }
    let path = path.to_owned();
    let digest = tokio::task::spawn_blocking(move || digest_file(&path))
        .await
        .map_err(|_| FarmError::Cancelled)??;
    Ok(digest == file.digest)
}
