use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong while the renderer's image is made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// The list of parts cannot be used.
    #[error("the list of the image's parts cannot be used: {reason}")]
    List {
        /// What is wrong with it.
        reason: String,
    },
    /// A part that no source has.
    #[error("cannot download {path}: {reason}")]
    Download {
        /// The part.
        path: String,
        /// What each source said.
        reason: String,
    },
    /// A part that is not what the list says.
    #[error("{path} is not what it was: expected SHA-256 {expected}, got {got}")]
    Damaged {
        /// The part.
        path: String,
        /// The digest in the list.
        expected: String,
        /// That of the bytes that came.
        got: String,
    },
    /// A package or wheel that cannot be unpacked.
    #[error("cannot unpack {path}: {reason}")]
    Part {
        /// The part.
        path: String,
        /// Why not.
        reason: String,
    },
    /// A file that would lie outside the image.
    #[error("{member:?} would lie outside the image")]
    Escapes {
        /// Its path in the part.
        member: String,
    },
    /// The registry does not take the image.
    #[error("cannot {action} in the registry {registry}: {reason}")]
    Registry {
        /// What was attempted.
        action: String,
        /// The registry's host.
        registry: String,
        /// What it said.
        reason: String,
    },
    /// A file here that cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What the function is told by its environment, or by CloudFormation.
    #[error("{name} is {got}: expected {expected}")]
    Setting {
        /// The variable or property.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        got: String,
    },
    /// CloudFormation does not take the answer.
    #[error("cannot answer CloudFormation: {reason}")]
    Answer {
        /// What it said.
        reason: String,
    },
    /// A call to AWS.
    #[error(transparent)]
    Farm(#[from] farm::FarmError),
}

pub(crate) type Result<T> = std::result::Result<T, SetupError>;

impl SetupError {
    /// Names the file of an I/O error.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// Names the part of an error while it is unpacked.
    pub(crate) fn part<E: std::fmt::Display>(path: &str) -> impl Fn(E) -> Self + use<E> {
        let path = path.to_owned();
        move |error| Self::Part { path: path.clone(), reason: error.to_string() }
    }
}
