//! Datablocks that are a file each: libraries, sounds, fonts, volumes, clips, caches, texts.

#![expect(clippy::unnecessary_wraps, reason = "the readers of all structs have one signature")]

use blendfile::StructView;

use super::{FoundPath, Owner, PATH, ShownBy, any_set};
use crate::blend_path::BlendPath;
use crate::cache_folder::CacheFolder;
use crate::dependency::DependencyKind;
use crate::error::Result;
use crate::expand::Expansion;

/// `MCLIP_SRC_SEQUENCE`, `DNA_movieclip_types.h`, Blender 5.0.
const CLIP_SOURCE_SEQUENCE: i64 = 1;
/// `MCLIP_USE_PROXY` and `MCLIP_USE_PROXY_CUSTOM_DIR`, the same file.
const CLIP_USE_PROXY: i64 = 1;
const CLIP_USE_PROXY_CUSTOM_DIR: i64 = 2;

/// Linked `.blend` files. What is linked into a library is found in that library's own file; the
/// file of a library that is packed into this one, whole or by its datablocks (5.0), is not needed.
pub(super) fn library(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    if any_set(view, &["packedfile", "archive_parent_library"]) {
        let found = FoundPath::at(view, &PATH, DependencyKind::PackedLibrary, Expansion::File);
        return Ok(found.into_iter().map(FoundPath::optional).collect());
    }
    Ok(FoundPath::at(view, &PATH, DependencyKind::Library, Expansion::File))
}

/// Where an appended datablock came from (since 3.0), so that it is not appended twice.
pub(super) fn appended_from(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let kind = DependencyKind::AppendedFrom;
    let found = FoundPath::at(view, &["library_filepath"], kind, Expansion::File);
    Ok(found.into_iter().map(FoundPath::optional).collect())
}

pub(super) fn sound(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    Ok(unless_packed(view, DependencyKind::Sound, false))
}

/// Blender's own font is not a file: its path is `<builtin>`.
pub(super) fn font(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let mut found = unless_packed(view, DependencyKind::Font, false);
    found.retain(|path| path.written.as_bytes() != b"<builtin>");
    Ok(found)
}

pub(super) fn volume(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let is_sequence = view.integer("is_sequence") == Some(1);
    Ok(unless_packed(view, DependencyKind::Volume, is_sequence))
}

pub(super) fn cache_file(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let is_sequence = view.integer("is_sequence") == Some(1);
    Ok(unless_packed(view, DependencyKind::Cache, is_sequence))
}

/// Alembic layers lie over their cache file and are single files.
pub(super) fn cache_file_layer(
    _owner: &mut Owner<'_>,
    view: &StructView,
) -> Result<Vec<FoundPath>> {
    Ok(FoundPath::at(view, &["filepath"], DependencyKind::Cache, Expansion::File))
}

/// A clip and, where it uses them, its proxies: by default in `BL_proxy` beside the clip.
pub(super) fn movie_clip(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let is_sequence = view.integer("source") == Some(CLIP_SOURCE_SEQUENCE);
    let kind = if is_sequence { DependencyKind::ImageSequence } else { DependencyKind::Movie };
    let mut found = unless_packed(view, kind, is_sequence);
    let flag = view.integer("flag").unwrap_or(0);
    if flag & CLIP_USE_PROXY != 0 {
        let proxies = if flag & CLIP_USE_PROXY_CUSTOM_DIR != 0 {
            FoundPath::at(
                view,
                &["proxy.dir"],
                DependencyKind::Proxy,
                Expansion::Folder(CacheFolder::Proxies),
            )
        } else {
            found.iter().filter_map(beside_clip).collect()
        };
        found.extend(proxies.into_iter().map(FoundPath::optional));
    }
    Ok(found)
}

/// A text's words are in the `.blend` file; the file beside it is for editing.
pub(super) fn text(owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let address = view.pointer("name").or_else(|| view.pointer("filepath"));
    FoundPath::in_string(owner, address, DependencyKind::Text, Expansion::File)
}

pub(super) fn brush_icon(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let kind = DependencyKind::BrushIcon;
    let found = FoundPath::at(view, &["icon_filepath"], kind, Expansion::File);
    Ok(found.into_iter().map(FoundPath::optional).collect())
}

fn unless_packed(view: &StructView, kind: DependencyKind, is_sequence: bool) -> Vec<FoundPath> {
    if any_set(view, &["packedfile"]) {
        return Vec::new();
    }
    let expansion = if is_sequence { Expansion::Sequence } else { Expansion::File };
    FoundPath::at(view, &PATH, kind, expansion)
}

fn beside_clip(clip: &FoundPath) -> Option<FoundPath> {
    let written = clip.written.as_bytes();
    let name = written.iter().rposition(|byte| matches!(byte, b'/' | b'\\'))? + 1;
    let (folder, name) = (written.get(..name)?, written.get(name..)?);
    Some(FoundPath {
        kind: DependencyKind::Proxy,
        written: BlendPath::new([folder, b"BL_proxy/", name].concat()),
        place: None,
        expansion: Expansion::Folder(CacheFolder::Proxies),
        is_required: false,
        is_of_scene: false,
        shown_by: ShownBy::All,
    })
}
