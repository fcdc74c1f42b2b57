use std::path::PathBuf;

/// What can go wrong while a scene is traced and packed.
#[derive(Debug, thiserror::Error)]
pub enum SceneError {
    /// A `.blend` file could not be read or rewritten.
    #[error(transparent)]
    Blend(#[from] blendfile::BlendError),
    /// A file whose place in the pack would have an unusable name.
    #[error("cannot pack {}", path.display())]
    Unpackable {
        /// The file.
        path: PathBuf,
        /// What is wrong with its place in the pack.
        #[source]
        source: protocol::ProtocolError,
    },
    /// The scene's own path is not absolute.
    #[error("{}: expected an absolute path", path.display())]
    NotAbsolute {
        /// The path as given.
        path: PathBuf,
    },
    /// More linked libraries than any production has.
    #[error("{} links more than {limit} libraries", path.display())]
    TooManyLibraries {
        /// The scene.
        path: PathBuf,
        /// The bound.
        limit: usize,
    },
}

/// The result of tracing or packing.
pub type Result<T> = std::result::Result<T, SceneError>;
