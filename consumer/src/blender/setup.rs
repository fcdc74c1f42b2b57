use std::path::PathBuf;

/// What a Blender is started with; another one needs another Blender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BlenderSetup {
    /// The colour configuration, where it is not Blender's own.
    pub(crate) color_config: Option<PathBuf>,
    /// Whether Python in the scenes may run: the cage of others is narrower.
    pub(crate) allow_scripts: bool,
}
