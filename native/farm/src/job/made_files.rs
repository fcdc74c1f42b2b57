//! Remembers which files of an output folder jobs have made, so that no other one is replaced.

use std::collections::HashMap;
use std::fs::{self, Metadata, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use crate::transfer::UploadSettings;

/// Most bytes of a list that are read: a hundred thousand files have less.
const MOST_BYTES: u64 = 32 << 20;

/// What is known of a file: its size and the time of its last change, in nanoseconds since 1970.
type Stamp = (u64, u128);

/// The files that jobs have made in one folder. On disk it is a list in the user's cache: a line for
/// each, the last one counts. Where it cannot be kept, what is there is taken for the artist's.
#[derive(Debug)]
pub(super) struct MadeFiles {
    folder: PathBuf,
    list: PathBuf,
    known: Mutex<HashMap<PathBuf, Stamp>>,
}

impl MadeFiles {
    /// Those of an output folder.
    pub(super) fn of(folder: &Path) -> Self {
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let name = blake3::hash(folder.as_os_str().as_encoded_bytes()).to_hex();
        let list = UploadSettings::default_cache_folder().join("made").join(format!("{name}.list"));
        let known = read(&list);
        Self { folder, list, known: Mutex::new(known) }
    }

    /// Whether a job has made a file, and nobody has changed it since.
    pub(super) fn has(&self, path: &Path, there: &Metadata) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&self.resolved(path)).is_some_and(|made| Some(*made) == stamp(there))
    }

    /// Takes note of a file that a job has made.
    pub(super) fn remember(&self, path: &Path) {
        let Some(stamp) = fs::symlink_metadata(path).ok().as_ref().and_then(stamp) else { return };
        let path = self.resolved(path);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(&path) == Some(&stamp) {
            return;
        }
        if let Some(line) = line(&path, stamp) {
            // A list that cannot be written costs the artist a question, and nothing else.
            let _ = self.append(&line);
        }
        known.insert(path, stamp);
    }

    fn append(&self, line: &str) -> std::io::Result<()> {
        if let Some(folder) = self.list.parent() {
            fs::create_dir_all(folder)?;
        }
        OpenOptions::new().append(true).create(true).open(&self.list)?.write_all(line.as_bytes())
    }

    /// A path by the folder's real name.
    fn resolved(&self, path: &Path) -> PathBuf {
        let Some(parent) = path.parent() else { return path.to_owned() };
        match (fs::canonicalize(parent), path.file_name()) {
            (Ok(parent), Some(name)) => parent.join(name),
            _ => self.folder.join(path),
        }
    }
}

fn stamp(found: &Metadata) -> Option<Stamp> {
    let modified = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((found.len(), modified.as_nanos()))
}

fn line(path: &Path, (size_bytes, modified_ns): Stamp) -> Option<String> {
    let path = path.to_str().filter(|path| !path.contains('\n'))?;
    Some(format!("{size_bytes} {modified_ns} {path}\n"))
}

fn read(list: &Path) -> HashMap<PathBuf, Stamp> {
    let is_bounded = fs::metadata(list).is_ok_and(|found| found.len() <= MOST_BYTES);
    if !is_bounded {
        // One that has grown too long begins anew.
        let _ = fs::remove_file(list);
        return HashMap::new();
    }
    let text = fs::read(list).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let entry = |line: &str| {
        let (size_bytes, rest) = line.split_once(' ')?;
        let (modified_ns, path) = rest.split_once(' ')?;
        Some((PathBuf::from(path), (size_bytes.parse().ok()?, modified_ns.parse().ok()?)))
    };
    text.lines().filter_map(entry).collect()
}
