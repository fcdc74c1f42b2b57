//! What a scene says about its own rendering, read without Blender.

use std::path::Path;

use blendfile::{BlendFile, Block, BlockCode, StructView};

use crate::error::{Result, SceneError};

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
    /// The output path as written: `//render/shot_####`.
    pub output_path: String,
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
        let mut file = BlendFile::open(path)?;
        let active = active_scene(&mut file)?;
        let blocks: Vec<Block> = file.blocks_of(BlockCode::datablock(*b"SC")).collect();
        let mut there = Vec::new();
        for block in blocks {
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

    fn of(scene: String, view: &StructView, version: u16) -> Self {
        let frame = |field| view.integer(field).and_then(|value| i32::try_from(value).ok());
        let output = view.string("r.pic").unwrap_or_default();
        let step = view.integer("r.frame_step").and_then(|step| u32::try_from(step).ok());
        Self {
            scene,
            frame_first: frame("r.sfra").unwrap_or(1),
            frame_last: frame("r.efra").unwrap_or(1),
            frame_step: step.unwrap_or(1).max(1),
            output_path: String::from_utf8_lossy(&output).into_owned(),
            blender_version: (version / 100, version % 100),
        }
    }
}

/// The address of the scene that was open when the file was saved.
fn active_scene(file: &mut BlendFile) -> Result<Option<u64>> {
    let Some(block) = file.blocks_of(BlockCode(*b"GLOB")).next() else { return Ok(None) };
    Ok(file.view(&block)?.and_then(|view| view.pointer("curscene")))
}

/// A datablock's name without the two letters of its type.
fn name_of(view: &StructView) -> String {
    let name = view.string("id.name").unwrap_or_default();
    String::from_utf8_lossy(name.get(2..).unwrap_or_default()).into_owned()
}
