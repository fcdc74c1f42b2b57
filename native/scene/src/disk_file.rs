//! Files and folders of this machine, as they are found.

use std::fs::DirEntry;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A file that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DiskFile {
    /// Where.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// The number in its name, for a frame of a sequence.
    pub frame: Option<i64>,
}

impl DiskFile {
    pub(crate) fn at(path: &Path, frame: Option<i64>) -> Option<Self> {
        let found = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        Some(Self { path: path.to_owned(), size_bytes: found.len(), frame })
    }
}

/// What a folder holds, nothing where there is no folder; `None` where it cannot be read.
pub(crate) fn entries_of(folder: &Path) -> Option<Vec<DirEntry>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => Some(entries.filter_map(Result::ok).collect()),
        Err(error) => is_not_there(&error).then(Vec::new),
    }
}

pub(crate) fn is_not_there(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
