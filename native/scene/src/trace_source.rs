use std::path::PathBuf;

use protocol::FrameRange;

/// The scene to trace.
#[derive(Debug, Clone, Default)]
pub struct TraceSource {
    /// The file to read: often a copy that was saved for this render.
    pub file: PathBuf,
    /// Where the scene lives as the artist sees it; `//` paths start at this path's folder.
    pub as_path: PathBuf,
    /// Whether the file was saved from a Blender that has the scene open: drivers that it has given up
    /// stay given up, as they do for F12, and are not tried anew.
    pub is_session: bool,
    /// The scene that is to be rendered; `None` where it may be any.
    pub scene: Option<String>,
    /// The frames that are to be rendered: image sequences are limited to what these show. `None`
    /// takes sequences whole.
    pub frames: Option<FrameRange>,
    /// From how many bytes that it leaves out a sequence is limited. A limited pack serves these
    /// frames alone, so that little is better taken along.
    pub limit_from_bytes: u64,
    /// Whether the scene's Python may run. Then what no scene leads to counts as used all the same.
    pub allow_scripts: bool,
    /// The colour configuration that the artist's Blender uses instead of its own (`OCIO` in its
    /// environment). Colours mean what it says, so every scene depends on it.
    pub color_config: Option<PathBuf>,
}
