//! A worker's folder for packs and results, and those that killed workers have left.

use std::ffi::CString;
use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, Mode, OFlags, RenameFlags, chmodat, fchmod, openat, renameat_with, unlinkat,
};
use rustix::io::Errno;
use rustix::path::Arg;
use tempfile::TempDir;

const PREFIX: &str = "render-on-lambda-";

/// Where a worker has the packs, below its folder.
pub(crate) fn packs(folder: &Path) -> PathBuf {
    folder.join("packs")
}

/// Where each frame has a folder for its results.
pub(crate) fn output(folder: &Path) -> PathBuf {
    folder.join("output")
}

/// Where compiled shaders are kept, which the next Blender finds again.
pub(crate) fn shader_cache(folder: &Path) -> PathBuf {
    folder.join("shader-cache")
}

/// Locked by the worker whose folder it is, for as long as it lives.
const LOCK: &str = "in-use";

/// A worker's folder, deleted with all that is in it when the worker ends.
#[derive(Debug)]
pub(crate) struct OwnFolder {
    folder: TempDir,
    /// Tells other workers that the folder is in use.
    _lock: File,
}

impl OwnFolder {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for OwnFolder {
    fn drop(&mut self) {
        // What is in it may be read-only, which is more than the folder's own end can take.
        let _ = delete(self.folder.path());
    }
}

/// Makes a new folder; its lock keeps it from being taken for abandoned.
pub(crate) fn make(temporary: &Path) -> io::Result<OwnFolder> {
    let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(temporary)?;
    // Under another name until it is locked: nobody finds it unlocked.
    let unlocked = folder.path().join("locking");
    let lock = File::create(&unlocked)?;
    lock.lock()?;
    std::fs::rename(unlocked, folder.path().join(LOCK))?;
    Ok(OwnFolder { folder, _lock: lock })
}

/// Deletes whatever has a path, a folder with all that is in it: also where folders in it may not be
/// changed, or lie so deep that no path leads to them. Nothing is fine.
pub(crate) fn delete(path: &Path) -> io::Result<()> {
    let deleted = match std::fs::symlink_metadata(path) {
        Ok(found) if !found.is_dir() => std::fs::remove_file(path),
        Ok(_) => std::fs::remove_dir_all(path).or_else(|_| delete_flat(path)),
        Err(error) => Err(error),
    };
    match deleted {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        deleted => deleted,
    }
}

/// Deletes what is in a folder, and leaves the folder.
pub(crate) fn empty(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        delete(&entry?.path())?;
    }
    Ok(())
}

/// Brings all folders below a folder right below it, a level at a time, and deletes what is in them.
fn delete_flat(root: &Path) -> io::Result<()> {
    let root_folder = open(CWD, root)?;
    let mut number = 0_u64;
    loop {
        let folders = delete_files(&root_folder)?;
        if folders.is_empty() {
            return std::fs::remove_dir(root);
        }
        for name in folders {
            let folder = open(&root_folder, &name)?;
            for below in delete_files(&folder)? {
                // To move a folder it has to be one that may be changed: its `..` does.
                drop(open(&folder, &below)?);
                let moved = loop {
                    number += 1;
                    let name = format!("flat-{number}");
                    match renameat_with(
                        &folder,
                        &below,
                        &root_folder,
                        &name,
                        RenameFlags::NOREPLACE,
                    ) {
                        Err(Errno::EXIST) => {}
                        moved => break moved,
                    }
                };
                moved?;
            }
            unlinkat(&root_folder, &name, AtFlags::REMOVEDIR)?;
        }
    }
}

/// Deletes what is in a folder but the folders; gives their names.
fn delete_files(folder: &OwnedFd) -> io::Result<Vec<CString>> {
    let mut folders = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        match unlinkat(folder, name, AtFlags::empty()) {
            Ok(()) => {}
            Err(Errno::ISDIR | Errno::PERM) => folders.push(name.to_owned()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(folders)
}

/// Opens a folder, and no link to one, and lets this user change it.
fn open(at: impl AsFd, name: impl Arg) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let name = name.into_c_str()?;
    let opened = match openat(&at, &*name, flags, Mode::empty()) {
        // Nobody may list it, its owner may change that.
        Err(Errno::ACCESS) => {
            chmodat(&at, &*name, Mode::RWXU, AtFlags::empty())?;
            openat(&at, &*name, flags, Mode::empty())?
        }
        opened => opened?,
    };
    fchmod(&opened, Mode::RWXU)?;
    Ok(opened)
}

/// Deletes everything in a folder but the worker's own and those of other workers: only where the
/// folder is nobody else's.
pub(crate) fn sweep(temporary: &Path, own: &Path) {
    for entry in std::fs::read_dir(temporary).into_iter().flatten().flatten() {
        let path = entry.path();
        if path == own || is_in_use(&path) {
            continue;
        }
        match delete(&path) {
            Ok(()) => tracing::info!(path = %path.display(), "deleted what a job has left"),
            Err(error) => tracing::warn!(path = %path.display(), %error, "cannot delete"),
        }
    }
}

/// Deletes the folders of workers that were killed: their packs would be in the way.
pub(crate) fn delete_abandoned(temporary: &Path) {
    for entry in std::fs::read_dir(temporary).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes());
        if !is_ours || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let folder = entry.path();
        if let Some(lock) = lock_of(&folder)
            && lock.try_lock().is_ok()
        {
            tracing::info!(folder = %folder.display(), "deleting what a killed worker has left");
            let _ = delete(&folder);
        }
    }
}

/// Whether a living worker holds a folder.
fn is_in_use(folder: &Path) -> bool {
    lock_of(folder).is_some_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// A folder's lock, where it is a file: what a script has left may be a pipe, which makes whoever
/// opens it wait.
fn lock_of(folder: &Path) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let lock = File::from(openat(CWD, folder.join(LOCK), flags, Mode::empty()).ok()?);
    lock.metadata().is_ok_and(|found| found.is_file()).then_some(lock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_lies_deeper_than_any_path_is_deleted_and_no_link_is_followed() {
        let temporary = tempfile::tempdir().unwrap();
        let kept = temporary.path().join("kept");
        std::fs::write(&kept, b"kept").unwrap();
        let deep = temporary.path().join("deep");
        std::fs::create_dir(&deep).unwrap();
        let mut folder = open(CWD, &deep).unwrap();
        for _ in 0..3000 {
            rustix::fs::mkdirat(&folder, "d", Mode::RWXU).unwrap();
            rustix::fs::symlinkat(&kept, &folder, "link").unwrap();
            rustix::fs::symlinkat(temporary.path(), &folder, "flat-1").unwrap();
            folder = open(&folder, "d").unwrap();
        }
        drop(folder);
        delete(&deep).unwrap();
        assert!(!deep.exists() && kept.exists());
    }

    #[test]
    fn folders_of_the_dead_go_and_those_of_the_living_stay() {
        let temporary = tempfile::tempdir().unwrap();
        let living = make(temporary.path()).unwrap();
        let dead = temporary.path().join("render-on-lambda-dead");
        std::fs::create_dir(&dead).unwrap();
        File::create(dead.join(LOCK)).unwrap();
        delete_abandoned(temporary.path());
        assert!(living.path().exists() && !dead.exists());
    }

    #[test]
    fn what_jobs_have_left_beside_the_workers_folder_goes() {
        let temporary = tempfile::tempdir().unwrap();
        let own = make(temporary.path()).unwrap();
        let sealed = temporary.path().join("left/deep");
        std::fs::create_dir_all(&sealed).unwrap();
        std::fs::write(sealed.join("file"), b"left").unwrap();
        std::fs::write(temporary.path().join("file"), b"left").unwrap();
        std::fs::set_permissions(&sealed, std::fs::Permissions::from_mode(0o500)).unwrap();
        // A file where a worker wants a folder, too.
        std::fs::write(output(own.path()), b"left").unwrap();
        delete(&output(own.path())).unwrap();
        assert!(!output(own.path()).exists());
        sweep(temporary.path(), own.path());
        let left: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().collect();
        assert!(left.len() == 1 && own.path().exists());
    }
}
