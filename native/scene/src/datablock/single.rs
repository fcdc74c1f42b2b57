//! The datablock types that hold exactly one path.

use blendfile::StructView;

use super::{PathField, any_set, first_known};
use crate::dependency::DependencyKind;

/// `MCLIP_SRC_SEQUENCE`, `DNA_movieclip_types.h`, Blender 5.0.
const CLIP_SOURCE_SEQUENCE: i64 = 1;

pub(super) fn sound(view: &StructView<'_>) -> Vec<PathField> {
    one(view, DependencyKind::Sound, false)
}

/// Blender's own font is not a file: its path is `<builtin>`.
pub(super) fn font(view: &StructView<'_>) -> Vec<PathField> {
    let path = first_known(view, &["name", "filepath"]).and_then(|field| view.string(field));
    if path.as_deref() == Some(b"<builtin>") {
        return Vec::new();
    }
    one(view, DependencyKind::Font, false)
}

pub(super) fn movie_clip(view: &StructView<'_>) -> Vec<PathField> {
    let is_sequence = view.integer("source") == Some(CLIP_SOURCE_SEQUENCE);
    let kind = if is_sequence { DependencyKind::ImageSequence } else { DependencyKind::Movie };
    one(view, kind, is_sequence)
}

pub(super) fn cache_file(view: &StructView<'_>) -> Vec<PathField> {
    one(view, DependencyKind::Cache, view.integer("is_sequence") == Some(1))
}

pub(super) fn volume(view: &StructView<'_>) -> Vec<PathField> {
    one(view, DependencyKind::Volume, view.integer("is_sequence") == Some(1))
}

fn one(view: &StructView<'_>, kind: DependencyKind, is_sequence: bool) -> Vec<PathField> {
    if any_set(view, &["packedfile"]) {
        return Vec::new();
    }
    first_known(view, &["name", "filepath"])
        .map(|field| PathField { kind, field, is_sequence })
        .into_iter()
        .collect()
}
