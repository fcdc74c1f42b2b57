use blendfile::StructView;

use super::{FoundPath, Owner, PATH, any_set};
use crate::dependency::DependencyKind;
use crate::error::Result;
use crate::expand::Expansion;

/// `Image.source`: `eImageSource`, `DNA_image_enums.h`, Blender 5.0.
const SOURCE_FILE: i64 = 1;
const SOURCE_SEQUENCE: i64 = 2;
const SOURCE_MOVIE: i64 = 3;
const SOURCE_TILED: i64 = 6;

/// `R_IMF_VIEWS_INDIVIDUAL`, `DNA_scene_types.h`, Blender 5.0.
const VIEWS_INDIVIDUAL: i64 = 0;

/// Most views of one image; stereo has two.
const MOST_VIEWS: usize = 64;

/// Most tiles of one image: 1001 to 2000.
const MOST_TILES: usize = 1000;

/// Images: single files, sequences, movies, UDIM tiles, and one file a view. Generated, viewer
/// and packed images have no file.
pub(super) fn image(owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    if any_set(view, &["packedfile", "packedfiles.first"]) {
        return Ok(Vec::new());
    }
    let (kind, expansion) = match view.integer("source") {
        Some(SOURCE_FILE) => (DependencyKind::Image, Expansion::File),
        Some(SOURCE_SEQUENCE) => (DependencyKind::ImageSequence, Expansion::Sequence),
        Some(SOURCE_MOVIE) => (DependencyKind::Movie, Expansion::File),
        Some(SOURCE_TILED) => {
            (DependencyKind::ImageTiles, Expansion::Tiles(tile_numbers(owner, view)?))
        }
        _ => return Ok(Vec::new()),
    };
    let mut found = FoundPath::at(view, &PATH, kind, expansion.clone());
    let is_multiview = view.integer("views_format") == Some(VIEWS_INDIVIDUAL)
        && view.pointer("views.first") != view.pointer("views.last");
    if is_multiview {
        // The path itself has no view's suffix: often no such file is there.
        found = found.into_iter().map(FoundPath::optional).collect();
        let mut next = view.pointer("views.first");
        for _ in 0..MOST_VIEWS {
            let Some(address) = next.filter(|address| *address != 0) else { break };
            let structs = owner.structs_at(address)?;
            let Some(image_view) = structs.first() else { break };
            found.extend(FoundPath::at(image_view, &["filepath"], kind, expansion.clone()));
            next = image_view.pointer("next");
        }
    }
    Ok(found)
}

/// The tiles that an image has (`ImageTile`, `DNA_image_types.h`, Blender 5.0).
fn tile_numbers(owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<i64>> {
    let mut numbers = Vec::new();
    let mut next = view.pointer("tiles.first");
    for _ in 0..MOST_TILES {
        let Some(address) = next.filter(|address| *address != 0) else { break };
        let structs = owner.structs_at(address)?;
        let Some(tile) = structs.first() else { break };
        numbers.extend(tile.integer("tile_number").filter(|number| *number != 0));
        next = tile.pointer("next");
    }
    Ok(numbers)
}
