use blendfile::StructView;

use super::{FoundPath, Owner, Place};
use crate::blend_path::BlendPath;
use crate::dependency::DependencyKind;
use crate::error::Result;
use crate::expand::Expansion;

/// `STRIP_TYPE_IMAGE`, `_MOVIE`, `_SOUND_RAM`, `_SOUND_HD`, `DNA_sequence_types.h`, Blender 5.0.
const IMAGE: i64 = 0;
const MOVIE: i64 = 3;
const SOUND: [i64; 2] = [4, 5];

/// Strips of the sequencer: a folder, and the names of files in it. Scene, clip and mask strips
/// name datablocks; those in meta strips stand in the file like all others.
///
/// In files the struct is called `Sequence` and what it leads to `Strip`, in all versions
/// (`dna_rename_defs.h`).
pub(super) fn strip(owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let kind = match view.integer("type") {
        Some(IMAGE) => DependencyKind::ImageSequence,
        Some(MOVIE) => DependencyKind::Movie,
        Some(sound) if SOUND.contains(&sound) => DependencyKind::Sound,
        _ => return Ok(Vec::new()),
    };
    let data = owner.structs_at(view.pointer("strip").unwrap_or(0))?;
    let Some(data) = data.first() else { return Ok(Vec::new()) };
    let (Some(place), Some(mut folder)) = (data.char_array("dir"), data.string("dir")) else {
        return Ok(Vec::new());
    };
    let elements = owner.structs_at(data.pointer("stripdata").unwrap_or(0))?;
    let names: Vec<Vec<u8>> = elements
        .iter()
        .filter_map(|element| element.string("name"))
        .filter(|name| !name.is_empty())
        .take(if kind == DependencyKind::ImageSequence { usize::MAX } else { 1 })
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    if folder.is_empty() {
        folder = b"//".to_vec();
    }
    // A sound strip plays its sound datablock, whose path may have been mended since.
    let is_required = kind != DependencyKind::Sound || view.pointer("sound") == Some(0);
    Ok(vec![FoundPath {
        kind,
        written: BlendPath::new(folder),
        place: Some(Place::CharArray(place)),
        expansion: Expansion::Names(names),
        is_required,
    }])
}
