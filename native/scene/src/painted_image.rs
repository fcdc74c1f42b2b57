//! Images that were painted and not saved: the copy of a scene that is sent shows their pixels.

use std::path::{Path, PathBuf};

use blendfile::{BlendFile, Block, BlockCode, Rewrite, StructView};

use crate::datablock::PATH;
use crate::error::{Result, SceneError};

/// `IMA_SRC_FILE`, `IMA_SRC_GENERATED`, `IMA_TYPE_IMAGE`, `IMA_GEN_TILE`, `IMA_ALPHA_STRAIGHT` and
/// `IMA_ALPHA_PREMUL`, `DNA_image_enums.h` and `DNA_image_types.h`, Blender 5.2.
const SOURCE_FILE: i32 = 1;
const SOURCE_GENERATED: i64 = 4;
const TYPE_IMAGE: i32 = 0;
const TILE_IS_GENERATED: i32 = 1 << 1;
const ALPHA_STRAIGHT: i64 = 0;
const ALPHA_PREMULTIPLIED: i64 = 1;

/// An image of the scene's own file whose pixels are in Blender alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaintedImage {
    /// The name of its datablock.
    pub name: String,
    /// A file with its pixels as Blender holds them: PNG with straight alpha where they are bytes,
    /// `OpenEXR` with premultiplied alpha where they are floats. `<UDIM>` stands for a tile's number.
    pub file: PathBuf,
    /// The colour space in which Blender holds them, where that is not the image's own.
    pub color_space: Option<String>,
}

/// Writes a copy of a `.blend` file in which images are read from files.
///
/// # Errors
/// [`SceneError::Blend`] where the file cannot be read or written, or the path of an image is too
/// long for it; [`SceneError::NoImage`] where the file has no image of a name.
pub fn show_painted(blend_file: &Path, images: &[PaintedImage], to: &Path) -> Result<()> {
    let mut file = BlendFile::open(blend_file)?;
    let mut rewrite = Rewrite::new();
    let blocks = file.blocks().to_vec();
    let uses_cycles = uses_cycles(&mut file, &blocks)?;
    let mut left: Vec<&PaintedImage> = images.iter().collect();
    for (index, block) in blocks.iter().enumerate() {
        if block.code != BlockCode::datablock(*b"IM") {
            continue;
        }
        let Some(view) = file.view(block)? else { continue };
        let name = view.string("id.name").unwrap_or_default();
        let is_linked = view.pointer("id.lib").is_some_and(|library| library != 0);
        let is_it = |image: &&PaintedImage| name.get(2..) == Some(image.name.as_bytes());
        if let Some(place) = left.iter().position(is_it).filter(|_| !is_linked) {
            let image = left.swap_remove(place);
            replace(&mut rewrite, &mut file, &view, image, uses_cycles)?;
            let behind = blocks.get(index + 1..).unwrap_or_default().iter();
            for tile in behind.take_while(|block| block.code == BlockCode::DATA) {
                read_from_file(&mut rewrite, &mut file, tile)?;
            }
        }
    }
    if let Some(image) = left.first() {
        let (path, image) = (blend_file.to_owned(), image.name.clone());
        return Err(SceneError::NoImage { path, image });
    }
    Ok(rewrite.write(&mut file, to)?)
}

/// Whether a scene of a file is rendered by Cycles.
fn uses_cycles(file: &mut BlendFile, blocks: &[Block]) -> Result<bool> {
    for block in blocks.iter().filter(|block| block.code == BlockCode::datablock(*b"SC")) {
        let scene = file.view(block)?;
        if scene.and_then(|scene| scene.string("r.engine")).is_some_and(|one| one == b"CYCLES") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Has a tile that was made in Blender read from its file.
fn read_from_file(rewrite: &mut Rewrite, file: &mut BlendFile, block: &Block) -> Result<()> {
    let Some(view) = file.view(block)?.filter(|view| view.struct_name() == "ImageTile") else {
        return Ok(());
    };
    let flag = view.integer("gen_flag").and_then(|flag| i32::try_from(flag).ok()).unwrap_or(0);
    match view.integer_place("gen_flag") {
        Some(place) => Ok(rewrite.set_integer(file, &place, flag & !TILE_IS_GENERATED)?),
        None => Ok(()),
    }
}

fn replace(
    rewrite: &mut Rewrite,
    file: &mut BlendFile,
    view: &StructView,
    image: &PaintedImage,
    uses_cycles: bool,
) -> Result<()> {
    for pointer in ["packedfile", "packedfiles.first", "packedfiles.last"] {
        if let Some(place) = view.pointer_place(pointer) {
            rewrite.clear_pointer(file, &place)?;
        }
    }
    if let Some(place) = PATH.iter().find_map(|field| view.char_array(field)) {
        rewrite.set_string(file, &place, image.file.as_os_str().as_encoded_bytes())?;
    }
    let mut set = |field: &str, value: i32| match view.integer_place(field) {
        Some(place) => rewrite.set_integer(file, &place, value),
        None => Ok(()),
    };
    let is_generated = view.integer("source") == Some(SOURCE_GENERATED);
    if is_generated {
        set("source", SOURCE_FILE)?;
        set("type", TYPE_IMAGE)?;
    }
    let is_float = image.file.extension().is_some_and(|extension| extension == "exr");
    let (held, other) = if is_float {
        (ALPHA_PREMULTIPLIED, ALPHA_STRAIGHT)
    } else {
        (ALPHA_STRAIGHT, ALPHA_PREMULTIPLIED)
    };
    // Cycles reads pixels that are in Blender as it reads those of a file: by the mode of the image.
    // EEVEE and Workbench take those that were made in Blender for what it holds.
    if view.integer("alpha_mode") == Some(other) && is_generated && !uses_cycles {
        set("alpha_mode", i32::try_from(held).unwrap_or_default())?;
    }
    let space = view.char_array("colorspace_settings.name");
    if let (Some(place), Some(name)) = (space, &image.color_space) {
        rewrite.set_string(file, &place, name.as_bytes())?;
    }
    Ok(())
}
