//! The way of a frame's files into the bucket.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use farm::{FarmError, Storage, digest_file, put_file_if_absent};
use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{JobId, PackPath, ResultFile, keys};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};

use crate::error::{ConsumerError, Result};
use crate::results::collect::MadeFile;

/// How many files are sent at the same time.
const FILES_AT_ONCE: usize = 8;

/// Puts every file that a frame has made below `frame_folder`. Where a file is there already, that
/// one counts.
pub(crate) async fn upload(
    storage: &Storage,
    job: JobId,
    frame_folder: &Path,
    files: Vec<MadeFile>,
) -> Result<Vec<ResultFile>> {
    let large = &tokio::sync::Mutex::new(());
    stream::iter(files)
        .map(|file| async move {
            // Of large ones one after the other: each has parts of its own in memory.
            let is_large = file.size_bytes > Storage::MULTIPART_FROM_BYTES;
            let _turn = if is_large { Some(large.lock().await) } else { None };
            let key = keys::frame_file(job, &file.path);
            upload_as(storage, &key, frame_folder, file).await
        })
        .buffered(FILES_AT_ONCE)
        .try_collect()
        .await
}

/// Puts a file that a frame has made below `frame_folder` under a key. Where one is there already,
/// that one counts.
pub(crate) async fn upload_as(
    storage: &Storage,
    key: &str,
    frame_folder: &Path,
    file: MadeFile,
) -> Result<ResultFile> {
    let MadeFile { path, source, mut size_bytes } = file;
    let folder = open_folder_of(frame_folder)?;
    let opened =
        open_beneath(&folder, frame_folder, &path).map_err(ConsumerError::io("read", &source))?;
    let source = path_of(&opened);
    // Off the threads that renew the lease: a large file takes minutes.
    let reading = source.clone();
    let digest = tokio::task::spawn_blocking(move || digest_file(&reading));
    let mut digest = digest.await.map_err(|_| FarmError::Cancelled)??;
    if !put_file_if_absent(storage, key, &source, size_bytes).await? {
        (digest, size_bytes) = storage.digest_of(key).await?;
    }
    Ok(ResultFile { path, digest, size_bytes })
}

/// Opens the folder that holds a frame's: a script may have put something else in the frame's place,
/// not in this one's.
fn open_folder_of(frame_folder: &Path) -> Result<OwnedFd> {
    let folder = frame_folder.parent().unwrap_or(frame_folder);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(folder, flags, Mode::empty())
        .map_err(|error| ConsumerError::io("read", folder)(error.into()))
}

/// Opens a regular file below a frame's folder, through no link. What it was when it was listed is
/// no promise.
fn open_beneath(
    folder: &OwnedFd,
    frame_folder: &Path,
    path: &PackPath,
) -> std::io::Result<OwnedFd> {
    let below = path.under(Path::new(frame_folder.file_name().unwrap_or_default()));
    // Neither a pipe nor a device makes the worker wait.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let opened = rustix::fs::openat2(folder, below, flags, Mode::empty(), resolve)?;
    let found = rustix::fs::fstat(&opened)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Err(std::io::Error::other("it is no file any more"));
    }
    Ok(opened)
}

/// A path that leads to what is open, and to nothing else (proc(5)).
fn path_of(opened: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", opened.as_raw_fd()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_name_of_any_letters_is_opened_by_what_it_is() {
        let output = tempfile::tempdir().unwrap();
        let frame_folder = output.path().join("frame-1");
        fs::create_dir_all(&frame_folder).unwrap();
        fs::write(frame_folder.join("cam:1 50%_0001.png"), b"made").unwrap();
        let path = PackPath::of_names([&b"cam:1 50%_0001.png"[..]]).unwrap();
        let folder = open_folder_of(&frame_folder).unwrap();
        let opened = open_beneath(&folder, &frame_folder, &path).unwrap();
        assert_eq!(fs::read(path_of(&opened)).unwrap(), b"made");
    }

    #[test]
    fn what_is_swapped_for_something_else_after_it_was_listed_is_not_read() {
        let output = tempfile::tempdir().unwrap();
        let secret = tempfile::NamedTempFile::new().unwrap();
        let frame_folder = output.path().join("frame-1");
        fs::create_dir_all(frame_folder.join("below")).unwrap();
        let file = frame_folder.join("below/a.png");
        fs::write(&file, b"made").unwrap();
        let path = PackPath::of_names([&b"below"[..], b"a.png"]).unwrap();
        let folder = open_folder_of(&frame_folder).unwrap();
        let read = || {
            let opened = open_beneath(&folder, &frame_folder, &path)?;
            fs::read(path_of(&opened))
        };
        assert_eq!(read().unwrap(), b"made");

        fs::remove_file(&file).unwrap();
        symlink(secret.path(), &file).unwrap();
        assert!(read().is_err(), "a link in its place");
        fs::remove_file(&file).unwrap();
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &file, FileType::Fifo, mode, 0).unwrap();
        assert!(read().is_err(), "a pipe in its place");
        fs::remove_dir_all(&frame_folder).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::create_dir(elsewhere.path().join("below")).unwrap();
        fs::write(elsewhere.path().join("below/a.png"), b"secret").unwrap();
        symlink(elsewhere.path(), &frame_folder).unwrap();
        assert!(read().is_err(), "a link in the place of the frame's folder");
    }
}
