use std::path::{Path, PathBuf};

use crate::disabled_script::{DisabledScript, listed};

/// What can go wrong while a scene is traced and packed.
#[derive(Debug, thiserror::Error)]
pub enum SceneError {
    /// A `.blend` file could not be read or rewritten.
    #[error(transparent)]
    Blend(#[from] blendfile::BlendError),
    /// A library that is packed into a `.blend` file could not be read.
    #[error("cannot read the library {} that is packed in {}", library.display(), holder.display())]
    PackedLibrary {
        /// Where the library was.
        library: PathBuf,
        /// The file that holds it, as the artist knows it.
        holder: PathBuf,
        /// What is wrong; its offset counts from the beginning of the library.
        #[source]
        source: Box<SceneError>,
    },
    /// A file whose place in the pack would have an unusable name.
    #[error("cannot pack {}", path.display())]
    Unpackable {
        /// The file.
        path: PathBuf,
        /// What is wrong with its place in the pack.
        #[source]
        source: protocol::ProtocolError,
    },
    /// A file of a local pack could not be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was attempted, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A folder for a pack that holds something already.
    #[error("{} is not empty: expected a new or empty folder", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A zip for a pack that is there already.
    #[error("{} is there already: expected a new zip", path.display())]
    IsThere {
        /// The zip.
        path: PathBuf,
    },
    /// Blender could not open the pack, or was not there to do it.
    #[error("{} cannot check the pack: {reason}", program.display())]
    Blender {
        /// The program.
        program: PathBuf,
        /// What happened.
        reason: String,
    },
    /// No scene of that name.
    #[error("{} has no scene \"{scene}\"; it has {}", path.display(), there.join(", "))]
    NoScene {
        /// The `.blend` file.
        path: PathBuf,
        /// The name that was asked for.
        scene: String,
        /// The scenes that it has, in quotes.
        there: Vec<String>,
    },
    /// A file with the byte order that Blender has given up.
    #[error(
        "{} was saved on a big-endian computer, which Blender has not opened since 5.0: open it with Blender 4.5 and save it again", path.display()
    )]
    BigEndian {
        /// The `.blend` file.
        path: PathBuf,
    },
    /// No image of that name.
    #[error("{} has no image \"{image}\" of its own", path.display())]
    NoImage {
        /// The `.blend` file.
        path: PathBuf,
        /// The name that was asked for.
        image: String,
    },
    /// A render engine that the farm does not have.
    #[error(
        "the scene \"{scene}\" asks for the render engine \"{engine}\", which is not on the farm: choose Cycles, EEVEE or Workbench"
    )]
    NoEngine {
        /// The scene's name.
        scene: String,
        /// The engine's name in Blender.
        engine: String,
    },
    /// The frames need Python, which may not run: Blender would leave it out and render what was saved.
    #[error(
        "{} of what the frames evaluate is Python, which may not run: tick Run Scripts, or submit with --allow-scripts ({})",
        scripts.len(), listed(scripts)
    )]
    NeedsScripts {
        /// Which.
        scripts: Vec<DisabledScript>,
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

impl SceneError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}
