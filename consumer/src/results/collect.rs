//! Looks over what a frame left in its output folder, before anything of it is read.

use std::path::{Path, PathBuf};

use protocol::PackPath;

use crate::error::{ConsumerError, Result};

/// Most bytes that one frame may leave behind, and the largest file that Blender may make: 16,384 by
/// 16,384 pixels with twenty passes, not compressed.
pub(crate) const MAX_RESULT_BYTES: u64 = 64 << 30;

/// Most files that one frame may leave behind.
const MAX_FILES: usize = 10_000;

/// Most bytes that their names may take in the task's record, which has bounds.
const MAX_NAMES_BYTES: usize = 700 << 10;

/// What a file takes in the record beside its name: its digest, its size, JSON.
const BESIDE_NAME_BYTES: usize = 128;

/// How deep a folder may lie.
const MAX_DEPTH: usize = 64;

/// A file that a frame has made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MadeFile {
    /// Its path below the output folder.
    pub(crate) path: PackPath,
    /// Where it is.
    pub(crate) source: PathBuf,
    /// Its size.
    pub(crate) size_bytes: u64,
}

/// Every regular file below a folder. Links are left out: a script in a scene could make them point
/// anywhere. So is what is neither file nor folder.
///
/// Nothing that the frame has started runs any more, so what is found here is what will be read.
pub(crate) fn made_files(folder: &Path) -> Result<Vec<MadeFile>> {
    let mut files = Vec::new();
    let (mut total_bytes, mut names_bytes) = (0_u64, 0);
    let mut waiting = vec![(folder.to_owned(), 0)];
    while let Some((current, depth)) = waiting.pop() {
        let entries = std::fs::read_dir(&current).map_err(ConsumerError::io("list", &current))?;
        for entry in entries {
            let entry = entry.map_err(ConsumerError::io("list", &current))?;
            let source = entry.path();
            let found = entry.metadata().map_err(ConsumerError::io("read", &source))?;
            if found.is_dir() && depth < MAX_DEPTH {
                waiting.push((source, depth + 1));
            } else if found.is_file() {
                let size_bytes = found.len();
                total_bytes = total_bytes.saturating_add(size_bytes);
                let below = source.strip_prefix(folder).unwrap_or(&source);
                let names = below.iter().map(std::ffi::OsStr::as_encoded_bytes);
                let path = PackPath::of_names(names)?;
                // In JSON a quotation mark is two letters.
                names_bytes += 2 * path.as_str().len() + BESIDE_NAME_BYTES;
                files.push(MadeFile { path, source, size_bytes });
            }
            let count = files.len() + waiting.len();
            if count > MAX_FILES || names_bytes > MAX_NAMES_BYTES {
                let message = format!(
                    "the frame made {count} files and folders or more: more than fit into its record"
                );
                return Err(ConsumerError::Scene { message });
            }
        }
    }
    if total_bytes > MAX_RESULT_BYTES {
        let most_bytes = MAX_RESULT_BYTES;
        return Err(ConsumerError::TooMuchMade { size_bytes: total_bytes, most_bytes });
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn links_and_pipes_are_left_out_and_files_of_folders_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("below")).unwrap();
        fs::write(at("below/a.png"), b"123").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", at("b.png")).unwrap();
        std::os::unix::fs::symlink("/etc", at("c")).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, mode, 0)
            .unwrap();
        let found = made_files(folder.path()).unwrap();
        let names: Vec<_> =
            found.iter().map(|file| (file.path.as_str(), file.size_bytes)).collect();
        assert_eq!(names, [("below/a.png", 3)]);
    }

    #[test]
    fn more_than_any_frame_makes_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let sparse = fs::File::create(folder.path().join("sparse.exr")).unwrap();
        sparse.set_len(8 << 40).unwrap();
        let error = made_files(folder.path()).unwrap_err();
        insta::assert_snapshot!(error, @"the frame made 8388608 MiB of files, and 65536 MiB are the most");
    }
}
