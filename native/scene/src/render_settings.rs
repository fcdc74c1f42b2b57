//! What a scene says about its own rendering, read without Blender.

use std::path::Path;

use blendfile::{BlendFile, BlockCode, DnaCache, StructView};
use protocol::ENGINES;

use crate::error::{Result, SceneError};

/// The movies among the output formats (`R_IMF_IMTYPE_…` of `BKE_imtype_is_movie`, from
/// `DNA_scene_types.h`, 2.7 to 5.0).
const MOVIE_FORMATS: [i64; 8] = [15, 16, 18, 19, 24, 31, 32, 33];

/// `R_NO_OVERWRITE`, `DNA_scene_types.h`, Blender 5.2.
const NO_OVERWRITE: i64 = 1 << 22;

/// What a scene says about its own rendering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderSettings {
    /// The scene's name.
    pub scene: String,
    /// The first frame.
    pub frame_first: i32,
    /// The last frame, included.
    pub frame_last: i32,
    /// From one frame to the next, 1 or more.
    pub frame_step: u32,
    /// The render engine, by its name in Blender: `CYCLES`.
    pub engine: String,
    /// The output path as written: `//render/shot_####`.
    pub output_path: String,
    /// Whether the output is a movie, which comes back as frames.
    pub is_movie: bool,
    /// Whether frames replace files that are there.
    pub overwrites: bool,
    /// The Blender that saved the file, as major and minor number.
    pub blender_version: (u16, u16),
}

impl RenderSettings {
    /// Reads them from a `.blend` file: those of a scene by its name, or of the active one.
    ///
    /// Sources: `FileGlobal` in `DNA_fileGlobal_types.h`, `Scene` and `RenderData` in
    /// `DNA_scene_types.h`, Blender 5.2; the fields are older than 2.5.
    ///
    /// # Errors
    /// [`SceneError::NoScene`] where there is none of that name, else that of reading the file.
    pub fn read(path: &Path, scene: Option<&str>) -> Result<Self> {
        let mut file = BlendFile::begin(path, &DnaCache::default())?;
        let mut active = None;
        let mut there = Vec::new();
        while let Some(index) = file.next_block()? {
            let Some(block) = file.blocks().get(index).copied() else { break };
            if block.code == BlockCode(*b"GLOB") {
                // The scene that was open when the file was saved; this block is the first.
                active = file.view(&block)?.and_then(|view| view.pointer("curscene"));
            }
            if block.code != BlockCode::datablock(*b"SC") {
                continue;
            }
            let Some(view) = file.view(&block)? else { continue };
            let name = name_of(&view);
            let is_wanted = match (scene, active) {
                (Some(scene), _) => name == scene,
                (None, Some(address)) => block.old_address == address,
                (None, None) => true,
            };
            if is_wanted {
                return Ok(Self::of(name, &view, file.header().blender_version));
            }
            there.push(format!("\"{name}\""));
        }
        let scene = scene.unwrap_or("(active)").to_owned();
        Err(SceneError::NoScene { path: path.to_owned(), scene, there })
    }

    /// Checks that the farm has the scene's render engine.
    ///
    /// # Errors
    /// [`SceneError::NoEngine`] where it has not.
    pub fn check_engine(&self) -> Result<()> {
        if ENGINES.contains(&self.engine.as_str()) {
            return Ok(());
        }
        let (scene, engine) = (self.scene.clone(), self.engine.clone());
        Err(SceneError::NoEngine { scene, engine })
    }

    fn of(scene: String, view: &StructView, version: u16) -> Self {
        let frame = |field| view.integer(field).and_then(|value| i32::try_from(value).ok());
        let output = view.string("r.pic").unwrap_or_default();
        let step = view.integer("r.frame_step").and_then(|step| u32::try_from(step).ok());
        Self {
            scene,
            frame_first: frame("r.sfra").unwrap_or(1),
            frame_last: frame("r.efra").unwrap_or(1),
            frame_step: step.unwrap_or(1).max(1),
            engine: String::from_utf8_lossy(&view.string("r.engine").unwrap_or_default())
                .into_owned(),
            output_path: String::from_utf8_lossy(&output).into_owned(),
            overwrites: view.integer("r.mode").is_none_or(|mode| mode & NO_OVERWRITE == 0),
            is_movie: view
                .integer("r.im_format.imtype")
                .is_some_and(|format| MOVIE_FORMATS.contains(&format)),
            blender_version: (version / 100, version % 100),
        }
    }
}

/// A datablock's name without the two letters of its type.
fn name_of(view: &StructView) -> String {
    let name = view.string("id.name").unwrap_or_default();
    String::from_utf8_lossy(name.get(2..).unwrap_or_default()).into_owned()
}
