use std::io;
use std::path::{Path, PathBuf};

use protocol::{JobId, ResultFile, keys};

use super::placement::Placement;
use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};
use crate::transfer::digest_file;

/// The files of a frame on this machine.
#[derive(Debug, Default)]
pub(super) struct FetchedFiles {
    /// Those that are there, the scene's own output first.
    pub(super) paths: Vec<PathBuf>,
    /// Those that no frame makes, with the reason: they stay in the bucket.
    pub(super) refused: Vec<String>,
    /// Those that could not be written, with the reason; mended, they come at the next look.
    pub(super) waiting: Vec<String>,
}

/// Brings the files of one frame into the job's output folder.
///
/// A file that is there already with the same bytes is left alone. Each file appears whole or not
/// at all, and is checked against its digest on the way. Nothing of the artist's is replaced.
///
/// # Errors
/// [`FarmError::Io`] where the folder cannot be written, [`FarmError::Damaged`], or that of a call.
pub(super) async fn fetch_files(
    storage: &Storage,
    job: JobId,
    frame: i32,
    files: &[ResultFile],
    placement: &Placement,
) -> Result<FetchedFiles> {
    let mut fetched = FetchedFiles::default();
    let mut of_nodes = Vec::new();
    for file in files {
        let place = match placement.place(frame, file) {
            Ok(place) => place,
            Err(reason) => {
                fetched.refused.push(format!("{} was not put: {reason}", file.path));
                continue;
            }
        };
        let to = &place.path;
        if !is_there(to, file).await? {
            if !placement.may_replace(&place) {
                fetched.waiting.push(format!(
                    "{} was not put: a file that no job has made is there; move it away and fetch \
                     the job again, or choose another output folder",
                    file.path
                ));
                continue;
            }
            let key = keys::frame_file(job, &file.path);
            match storage.get_file(&key, to, &file.digest, file.size_bytes).await {
                Err(FarmError::Io { path, source, .. }) if is_of_one_file(&source) => {
                    let reason = format!("{} was not put: {}: {source}", file.path, path.display());
                    fetched.waiting.push(reason);
                    continue;
                }
                got => got?,
            }
        }
        placement.made(to);
        if place.is_of_the_scene {
            fetched.paths.push(place.path);
        } else {
            of_nodes.push(place.path);
        }
    }
    fetched.paths.append(&mut of_nodes);
    Ok(fetched)
}

/// Whether an error is of one name alone: others may still be written.
fn is_of_one_file(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::DirectoryNotEmpty
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput
    )
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
