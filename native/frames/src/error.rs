use std::io;
use std::path::{Path, PathBuf};

/// Why slices do not become a frame.
#[derive(Debug, thiserror::Error)]
pub enum FramesError {
    /// A file cannot be opened, or the frame not be written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A slice that is damaged or no `OpenEXR` file, or a frame that cannot be encoded.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A slice that does not belong to the others.
    #[error("{}: expected {expected}, got {got}", path.display())]
    Misfit {
        /// The slice.
        path: PathBuf,
        /// What the frame or the other slices ask for.
        expected: String,
        /// What it has.
        got: String,
    },
    /// Slices that leave a part of the frame open, or overlap.
    #[error("the slices do not make a frame: {reason}")]
    Plan {
        /// What is wrong.
        reason: String,
    },
}

pub(crate) type Result<T> = std::result::Result<T, FramesError>;

impl FramesError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, error: &exr::error::Error) -> Self {
        Self::Damaged { path: path.to_owned(), reason: error.to_string() }
    }
}
