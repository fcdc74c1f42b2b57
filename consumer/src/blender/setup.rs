use std::path::PathBuf;

/// What a Blender is started with; another one needs another Blender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlenderSetup {
    /// Blender's executable, or a Python that has the `bpy` module.
    pub(crate) program: PathBuf,
    /// The colour configuration, where it is not Blender's own.
    pub(crate) color_config: Option<PathBuf>,
    /// Whether Python in the scenes may run: the cage of others is narrower.
    pub(crate) allow_scripts: bool,
}
