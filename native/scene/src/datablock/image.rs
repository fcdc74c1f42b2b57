use blendfile::StructView;

use super::{PathField, any_set, first_known};
use crate::dependency::DependencyKind;

/// `Image.source`: `eImageSource`, `DNA_image_enums.h`, Blender 5.0.
const SOURCE_FILE: i64 = 1;
const SOURCE_SEQUENCE: i64 = 2;
const SOURCE_MOVIE: i64 = 3;
const SOURCE_TILED: i64 = 6;

/// Images: single files, sequences, movies and UDIM tiles. Generated, viewer and packed images
/// have no file.
pub(super) fn read(view: &StructView<'_>) -> Vec<PathField> {
    if any_set(view, &["packedfile", "packedfiles.first"]) {
        return Vec::new();
    }
    let kind = match view.integer("source") {
        Some(SOURCE_FILE) => DependencyKind::Image,
        Some(SOURCE_SEQUENCE) => DependencyKind::ImageSequence,
        Some(SOURCE_MOVIE) => DependencyKind::Movie,
        Some(SOURCE_TILED) => DependencyKind::ImageTiles,
        _ => return Vec::new(),
    };
    // `name` in files; the running Blender calls it `filepath` (`dna_rename_defs.h`).
    first_known(view, &["name", "filepath"])
        .map(|field| PathField { kind, field, is_sequence: kind == DependencyKind::ImageSequence })
        .into_iter()
        .collect()
}
