use std::io;
use std::path::{Path, PathBuf};

/// What can be wrong with a `.blend` file.
#[derive(Debug, thiserror::Error)]
pub enum BlendError {
    /// The file could not be opened, read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was attempted, as a verb: `open`, `read`, `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Bytes that do not form what the format asks for.
    #[error("{}: at byte {offset}: expected {expected}, got {got}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where, in bytes of the decompressed file.
        offset: u64,
        /// What the format asks for there.
        expected: String,
        /// What stands there.
        got: String,
    },
    /// A bound of [`crate::limits`] was passed.
    #[error("{}: at byte {offset}: {what} is {got}, more than the limit of {limit}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Where, in bytes of the decompressed file.
        offset: u64,
        /// What is too large.
        what: &'static str,
        /// Its size or count.
        got: u64,
        /// The bound.
        limit: u64,
    },
    /// A new path that does not fit where the old one stood.
    #[error("{}: at byte {offset}: the path \"{value}\" has {} bytes, but {capacity} fit", path.display(), value.len())]
    PathTooLong {
        /// The file.
        path: PathBuf,
        /// Where the field that was to hold it begins, in bytes of the decompressed file.
        offset: u64,
        /// The path that does not fit.
        value: String,
        /// How many bytes fit, without the closing zero.
        capacity: usize,
    },
}

/// The result of reading or rewriting a `.blend` file.
pub type Result<T> = std::result::Result<T, BlendError>;

impl BlendError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    pub(crate) fn damaged(
        path: &Path,
        offset: u64,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self::Damaged { path: path.to_owned(), offset, expected: expected.into(), got: got.into() }
    }
}
