//! Nodes that name files themselves. What they name by datablock is found there.

#![expect(clippy::unnecessary_wraps, reason = "the readers of all structs have one signature")]

use blendfile::StructView;

use super::{FoundPath, Owner};
use crate::dependency::DependencyKind;
use crate::error::Result;
use crate::expand::Expansion;

/// `NODE_IES_EXTERNAL` and `NODE_SCRIPT_EXTERNAL`, `DNA_node_types.h`, Blender 5.0.
const EXTERNAL: i64 = 1;

/// `PROP_FILEPATH` without its unit and array bits, `RNA_types.hh`, Blender 5.0.
const SUBTYPE_FILE_PATH: i64 = 1;

pub(super) fn ies(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    Ok(external(view, DependencyKind::IesLight))
}

pub(super) fn osl_script(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    Ok(external(view, DependencyKind::OslScript))
}

/// String sockets that hold a path: those of the nodes that import files.
pub(super) fn path_socket(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    if view.integer("subtype") != Some(SUBTYPE_FILE_PATH) {
        return Ok(Vec::new());
    }
    Ok(FoundPath::at(view, &["value"], DependencyKind::NodeInput, Expansion::File))
}

/// A string that may reach such a socket over a link. Whether it is a path nobody can tell
/// without evaluating the nodes, so it counts where a file of that name is there.
pub(super) fn string_input(owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let address = view.pointer("string");
    let mut found =
        FoundPath::in_string(owner, address, DependencyKind::NodeInput, Expansion::File)?;
    found.retain(|path| path.written.as_bytes().iter().any(|byte| matches!(byte, b'/' | b'\\')));
    Ok(found)
}

fn external(view: &StructView, kind: DependencyKind) -> Vec<FoundPath> {
    if view.integer("mode") != Some(EXTERNAL) {
        return Vec::new();
    }
    FoundPath::at(view, &["filepath"], kind, Expansion::File)
}
