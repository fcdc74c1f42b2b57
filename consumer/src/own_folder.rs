//! A worker's folder for packs and results, and those that killed workers have left.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use tempfile::TempDir;

const PREFIX: &str = "render-on-lambda-";

/// Locked by the worker whose folder it is, for as long as it lives.
const LOCK: &str = "in-use";

/// Makes a new folder; the file keeps it from being taken for abandoned.
pub(crate) fn make(temporary: &Path) -> io::Result<(TempDir, File)> {
    let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(temporary)?;
    // Under another name until it is locked: nobody finds it unlocked.
    let unlocked = folder.path().join("locking");
    let lock = File::create(&unlocked)?;
    lock.lock()?;
    std::fs::rename(unlocked, folder.path().join(LOCK))?;
    Ok((folder, lock))
}

/// Deletes the folders of workers that were killed: their packs would be in the way.
pub(crate) fn delete_abandoned(temporary: &Path) {
    for entry in std::fs::read_dir(temporary).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes());
        if !is_ours || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let folder = entry.path();
        let Ok(lock) = File::open(folder.join(LOCK)) else { continue };
        match lock.try_lock() {
            Ok(()) => {
                tracing::info!(folder = %folder.display(), "deleting what a killed worker has left");
                let _ = std::fs::remove_dir_all(&folder);
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_the_dead_go_and_those_of_the_living_stay() {
        let temporary = tempfile::tempdir().unwrap();
        let (living, _lock) = make(temporary.path()).unwrap();
        let (dead, lock) = make(temporary.path()).unwrap();
        let dead = dead.keep();
        drop(lock);
        delete_abandoned(temporary.path());
        assert!(living.path().exists() && !dead.exists());
    }
}
