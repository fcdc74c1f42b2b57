use blendfile::StructView;

use super::{PathField, any_set, first_known};
use crate::dependency::DependencyKind;

/// Linked `.blend` files. What is linked into a library is found in that library's own file.
pub(super) fn read(view: &StructView<'_>) -> Vec<PathField> {
    if any_set(view, &["packedfile"]) {
        return Vec::new();
    }
    first_known(view, &["name", "filepath"])
        .map(|field| PathField { kind: DependencyKind::Library, field, is_sequence: false })
        .into_iter()
        .collect()
}
