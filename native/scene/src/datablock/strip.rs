use blendfile::StructView;

use super::muted_strips::is_muted_strip;
use super::{FoundPath, Owner, Place, ShownBy};
use crate::blend_path::BlendPath;
use crate::dependency::DependencyKind;
use crate::error::Result;
use crate::expand::Expansion;

/// `STRIP_TYPE_IMAGE`, `_MOVIE`, `_SOUND_RAM`, `_SOUND_HD`, `DNA_sequence_types.h`, Blender 5.0.
const IMAGE: i64 = 0;
const MOVIE: i64 = 3;
const SOUND: [i64; 2] = [4, 5];

/// `SEQ_USE_VIEWS` and `R_IMF_VIEWS_INDIVIDUAL`, `DNA_sequence_types.h` and `DNA_scene_types.h`.
const USE_VIEWS: i64 = 1 << 29;
const VIEWS_INDIVIDUAL: i64 = 0;

/// Most views of one scene; stereo has two.
const MOST_VIEWS: usize = 64;

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
    let has_views = view.integer("flag").is_some_and(|flag| flag & USE_VIEWS != 0)
        && view.integer("views_format") == Some(VIEWS_INDIVIDUAL);
    let names = if has_views { of_each_view(&names, &view_suffixes(owner)?) } else { names };
    let is_muted = is_muted_strip(owner, view)?;
    // A sound strip plays its sound datablock, whose path may have been mended since.
    let is_required = kind != DependencyKind::Sound || view.pointer("sound") == Some(0);
    Ok(vec![FoundPath {
        kind,
        written: BlendPath::new(folder),
        place: Some(Place::CharArray(place)),
        expansion: Expansion::Names(names),
        is_required,
        is_of_scene: false,
        shown_by: ShownBy::Strip { is_muted },
    }])
}

/// The suffixes of the scene's views: `_L` and `_R` where nobody has changed them.
fn view_suffixes(owner: &mut Owner<'_>) -> Result<Vec<Vec<u8>>> {
    let mut suffixes = Vec::new();
    let mut next = owner.own_struct()?.and_then(|scene| scene.pointer("r.views.first"));
    for _ in 0..MOST_VIEWS {
        let Some(address) = next.filter(|address| *address != 0) else { break };
        let structs = owner.structs_at(address)?;
        let Some(scene_view) = structs.first() else { break };
        suffixes.extend(scene_view.string("suffix").filter(|suffix| !suffix.is_empty()));
        next = scene_view.pointer("next");
    }
    Ok(suffixes)
}

/// The names with each other view's suffix in place of theirs
/// (`BKE_scene_multiview_view_prefix_get`, `scene.cc`, Blender 5.0).
fn of_each_view(names: &[Vec<u8>], suffixes: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let views = |name: &Vec<u8>| {
        let stem = name.iter().rposition(|byte| *byte == b'.').unwrap_or(name.len());
        let (stem, extension) = name.split_at(stem);
        match suffixes.iter().find_map(|suffix| stem.strip_suffix(suffix.as_slice())) {
            Some(prefix) => suffixes
                .iter()
                .map(|suffix| [prefix, suffix.as_slice(), extension].concat())
                .collect(),
            None => vec![name.clone()],
        }
    };
    names.iter().flat_map(views).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_with_views_names_a_file_for_each() {
        let names = |names: &[&str]| names.iter().map(|name| name.as_bytes().to_vec()).collect();
        let (files, suffixes): (Vec<_>, Vec<_>) = (names(&["a1_L.png", "b"]), names(&["_L", "_R"]));
        let expected: Vec<_> = names(&["a1_L.png", "a1_R.png", "b"]);
        assert_eq!(of_each_view(&files, &suffixes), expected);
    }
}
