use std::fmt;
use std::path::PathBuf;

use crate::blend_path::BlendPath;

/// What kind of file a datablock asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DependencyKind {
    /// A single image.
    Image,
    /// The frames of an image sequence.
    ImageSequence,
    /// The tiles of a UDIM image.
    ImageTiles,
    /// A movie used as an image or a clip.
    Movie,
    /// A linked `.blend` file.
    Library,
    /// A sound.
    Sound,
    /// A font.
    Font,
    /// An OpenVDB volume, single or a sequence.
    Volume,
    /// An Alembic or USD cache, single or a sequence.
    Cache,
}

impl DependencyKind {
    /// The kind in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::ImageSequence => "image sequence",
            Self::ImageTiles => "UDIM tiles",
            Self::Movie => "movie",
            Self::Library => "library",
            Self::Sound => "sound",
            Self::Font => "font",
            Self::Volume => "volume",
            Self::Cache => "cache file",
        }
    }
}

impl fmt::Display for DependencyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One external file, or set of files, that a datablock asks for.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// What it is.
    pub kind: DependencyKind,
    /// The type of the datablock: `Image`, `Library`, …
    pub datablock_type: &'static str,
    /// The name of the datablock.
    pub datablock: String,
    /// The `.blend` files that lead to it, from the scene on.
    pub library_chain: Vec<PathBuf>,
    /// The path as the datablock has it.
    pub written: BlendPath,
    /// That path on this machine; for a sequence or tiles still the pattern.
    pub resolved: PathBuf,
    /// The files that are there, sorted. Empty where it is missing.
    pub files: Vec<PathBuf>,
}

impl Dependency {
    /// Whether no file is there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.files.is_empty()
    }
}
