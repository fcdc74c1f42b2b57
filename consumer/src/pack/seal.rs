//! Tells whether a folder is as it was left, without reading it again.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};

/// How every file and folder below a folder was left: read-only, and with the times of their last
/// change.
///
/// The time of the last change (`ctime`, inode(7)) is set by the kernel alone: whoever makes a file
/// writable, writes to it or puts its other times back changes it.
#[derive(Debug)]
pub(crate) struct Seal {
    folder: PathBuf,
    left: BTreeMap<PathBuf, Stamp>,
}

/// When everything in a pack was changed: in 1980, as in a zip without times.
const PACKED: Timestamps = Timestamps { last_access: PACKED_AT, last_modification: PACKED_AT };
const PACKED_AT: Timespec = Timespec { tv_sec: 315_532_800, tv_nsec: 0 };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size_bytes: u64,
    mode: u32,
    changed: (i64, i64),
}

impl Seal {
    /// Makes all of a folder read-only and of one time, and takes note of it.
    ///
    /// A file of Cycles' texture cache counts where it is as old as its image: at the artist's it was,
    /// or it would not be in the pack.
    pub(crate) fn put(folder: &Path) -> io::Result<Self> {
        // What is below first: a folder that is read-only could not be listed as another user.
        for (path, found) in walk(folder)?.into_iter().rev() {
            let mode = if found.is_dir() { 0o555 } else { 0o444 };
            if !found.is_symlink() {
                rustix::fs::utimensat(CWD, &path, &PACKED, AtFlags::empty())?;
                fs::set_permissions(&path, Permissions::from_mode(mode))?;
            }
        }
        Ok(Self { folder: folder.to_owned(), left: stamps(folder)? })
    }

    /// Whether all is as it was left, and nothing came to it.
    pub(crate) fn holds(&self) -> bool {
        stamps(&self.folder).is_ok_and(|now| now == self.left)
    }
}

fn stamps(folder: &Path) -> io::Result<BTreeMap<PathBuf, Stamp>> {
    let stamp = |found: &fs::Metadata| Stamp {
        device: found.dev(),
        inode: found.ino(),
        size_bytes: found.len(),
        mode: found.mode(),
        changed: (found.ctime(), found.ctime_nsec()),
    };
    Ok(walk(folder)?.into_iter().map(|(path, found)| (path, stamp(&found))).collect())
}

/// A folder and everything below it, folders before what is in them.
fn walk(folder: &Path) -> io::Result<Vec<(PathBuf, fs::Metadata)>> {
    let mut all = vec![(folder.to_owned(), fs::symlink_metadata(folder)?)];
    let mut next = 0;
    while let Some((path, found)) = all.get(next) {
        next += 1;
        if found.is_dir() {
            for entry in fs::read_dir(path.clone())? {
                let entry = entry?;
                let found = entry.metadata()?;
                all.push((entry.path(), found));
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    fn sealed() -> (tempfile::TempDir, Seal) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("textures")).unwrap();
        fs::write(folder.path().join("textures/wood.png"), b"wood").unwrap();
        fs::write(folder.path().join("a.blend"), b"scene").unwrap();
        let seal = Seal::put(folder.path()).unwrap();
        assert!(seal.holds());
        // Times have the resolution of a tick of the kernel.
        std::thread::sleep(Duration::from_millis(20));
        (folder, seal)
    }

    #[test]
    fn whatever_is_done_to_a_file_breaks_it() {
        let (folder, seal) = sealed();
        let wood = folder.path().join("textures/wood.png");
        let before = fs::metadata(&wood).unwrap();
        fs::set_permissions(&wood, Permissions::from_mode(0o644)).unwrap();
        fs::write(&wood, b"coal").unwrap();
        let file = fs::File::options().write(true).open(&wood).unwrap();
        file.set_modified(before.modified().unwrap()).unwrap();
        fs::set_permissions(&wood, before.permissions()).unwrap();
        assert_eq!(fs::metadata(&wood).unwrap().modified().unwrap(), before.modified().unwrap());
        assert!(!seal.holds());
    }

    #[test]
    fn whatever_comes_or_goes_breaks_it() {
        let (folder, seal) = sealed();
        let textures = folder.path().join("textures");
        fs::set_permissions(&textures, Permissions::from_mode(0o755)).unwrap();
        fs::write(textures.join("wood.tx"), b"other").unwrap();
        fs::remove_file(textures.join("wood.tx")).unwrap();
        fs::set_permissions(&textures, Permissions::from_mode(0o555)).unwrap();
        let now = fs::metadata(&textures).unwrap().modified().unwrap();
        assert!(now <= SystemTime::now() && !seal.holds());
    }
}
