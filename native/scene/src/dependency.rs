use std::fmt;
use std::path::{Path, PathBuf};

use crate::blend_path::BlendPath;
use crate::disk_file::DiskFile;

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
    /// A library whose datablocks are packed into the `.blend` file: where they came from.
    PackedLibrary,
    /// The `.blend` file that a datablock was appended from.
    AppendedFrom,
    /// A sound.
    Sound,
    /// A font.
    Font,
    /// An OpenVDB volume, single or a sequence.
    Volume,
    /// An Alembic or USD cache, single or a sequence.
    Cache,
    /// A mesh cache modifier's file.
    MeshCache,
    /// A multires modifier's displacements outside the `.blend` file.
    Multires,
    /// A point cache on disk: particles, cloth, soft and rigid bodies, dynamic paint, old smoke.
    PointCache,
    /// The folder of a fluid simulation.
    FluidCache,
    /// The folder of a baked ocean.
    OceanCache,
    /// The folder of a geometry nodes bake or simulation.
    GeometryBake,
    /// The light distribution of an IES texture.
    IesLight,
    /// A shader in the Open Shading Language.
    OslScript,
    /// A file that a node imports.
    NodeInput,
    /// The proxies of a movie clip.
    Proxy,
    /// The file beside a text.
    Text,
    /// The picture of a brush.
    BrushIcon,
    /// A colour configuration with its tables.
    ColorConfig,
}

impl DependencyKind {
    /// Whether it is a still image, or several that one datablock names.
    #[must_use]
    pub const fn is_image(self) -> bool {
        matches!(self, Self::Image | Self::ImageSequence | Self::ImageTiles)
    }

    /// The kind in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::ImageSequence => "image sequence",
            Self::ImageTiles => "UDIM tiles",
            Self::Movie => "movie",
            Self::Library => "library",
            Self::PackedLibrary => "packed library",
            Self::AppendedFrom => "appended from",
            Self::Sound => "sound",
            Self::Font => "font",
            Self::Volume => "volume",
            Self::Cache => "cache file",
            Self::MeshCache => "mesh cache",
            Self::Multires => "multires file",
            Self::PointCache => "point cache",
            Self::FluidCache => "fluid cache",
            Self::OceanCache => "ocean bake",
            Self::GeometryBake => "geometry nodes bake",
            Self::IesLight => "IES light",
            Self::OslScript => "OSL script",
            Self::NodeInput => "node input",
            Self::Proxy => "clip proxies",
            Self::Text => "text",
            Self::BrushIcon => "brush icon",
            Self::ColorConfig => "colour configuration",
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
    /// The type of the datablock that owns the path: `Image`, `Library`, `Object`, …
    pub datablock_type: &'static str,
    /// The name of the datablock.
    pub datablock: String,
    /// The `.blend` files that lead to it, from the scene on.
    pub library_chain: Vec<PathBuf>,
    /// The path as the datablock has it.
    pub written: BlendPath,
    /// That path on this machine; for a set of files still the pattern or the folder.
    pub resolved: PathBuf,
    /// The files that are there, sorted. Empty where it is missing.
    pub files: Vec<DiskFile>,
    /// Files that are named one by one and are not there: frames of an image strip.
    pub absent_files: Vec<PathBuf>,
    /// Whether a scene of the file leads to it. A brush, or a material that only a fake user keeps,
    /// does not make its textures used.
    pub is_used: bool,
    /// Whether the scene renders wrongly without it. A cache that was never baked, the file beside
    /// a text, what nothing uses: Blender lists them, no render needs them.
    pub is_required: bool,
    /// Whether Blender opens the scene without it and reads it when it renders: a texture of
    /// materials, worlds and lights, and of nothing that is evaluated before.
    pub opens_without: bool,
}

impl Dependency {
    /// Whether no file is there, or one of those that it names is not.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.files.is_empty() || !self.absent_files.is_empty()
    }

    /// The paths to show for what is missing: the files named one by one, or the path itself.
    #[must_use]
    pub fn missing_paths(&self) -> &[PathBuf] {
        match self.absent_files.as_slice() {
            [] if self.files.is_empty() => std::slice::from_ref(&self.resolved),
            absent => absent,
        }
    }

    /// One that the environment of Blender names, not a datablock.
    pub(crate) fn of_environment(
        kind: DependencyKind,
        written: BlendPath,
        resolved: &Path,
        scene: &Path,
        files: Vec<DiskFile>,
    ) -> Self {
        Self {
            kind,
            datablock_type: "Scene",
            datablock: String::new(),
            library_chain: vec![scene.to_owned()],
            written,
            resolved: resolved.to_owned(),
            files,
            absent_files: Vec::new(),
            is_used: true,
            is_required: true,
            opens_without: false,
        }
    }

    /// The first and the last frame of a sequence that are there.
    #[must_use]
    pub fn frame_range(&self) -> Option<(i64, i64)> {
        let frames = || self.files.iter().filter_map(|file| file.frame);
        Some((frames().min()?, frames().max()?))
    }

    /// The size of all its files in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }

    /// Whether it belongs into a pack: an editing aid does not, nor what nothing uses.
    #[must_use]
    pub fn is_packed(&self) -> bool {
        self.is_used
            && !matches!(
                self.kind,
                DependencyKind::Text
                    | DependencyKind::BrushIcon
                    | DependencyKind::PackedLibrary
                    | DependencyKind::AppendedFrom
            )
    }
}

/// A file that the scene asks for and that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingFile {
    /// What kind of file.
    pub kind: &'static str,
    /// The type of the datablock that asks for it.
    pub datablock_type: &'static str,
    /// The name of that datablock.
    pub datablock: String,
    /// The path that was looked for.
    pub path: PathBuf,
    /// The `.blend` file that holds the datablock.
    pub blend_file: PathBuf,
}
