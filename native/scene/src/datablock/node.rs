//! Nodes that name files themselves. What they name by datablock is found there.

#![expect(clippy::unnecessary_wraps, reason = "the readers of all structs have one signature")]

use blendfile::StructView;

use super::{FoundPath, Owner, Place};
use crate::dependency::DependencyKind;
use crate::error::Result;
use crate::expand::Expansion;

/// `NODE_IES_EXTERNAL` and `NODE_SCRIPT_EXTERNAL`, `DNA_node_types.h`, Blender 5.0.
const EXTERNAL: i64 = 1;

/// `CAM_CUSTOM`, `DNA_camera_types.h`, Blender 5.0.
const CAMERA_CUSTOM: i64 = 3;

/// `IDP_STRING`, `DNA_ID.h`, Blender 5.0.
const PROPERTY_STRING: i64 = 0;

/// `IDP_GROUP`, `DNA_ID.h`, Blender 5.0.
const PROPERTY_GROUP: i64 = 6;

/// `PROP_FILEPATH` without its unit and array bits, `RNA_types.hh`, Blender 5.0.
const SUBTYPE_FILE_PATH: i64 = 1;

/// Most inputs of a modifier: more than any node group has.
const MOST_INPUTS: usize = 10_000;

pub(super) fn ies(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    Ok(external(view, DependencyKind::IesLight))
}

pub(super) fn osl_script(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    Ok(external(view, DependencyKind::OslScript))
}

/// String sockets that hold a path: those of the nodes that import files. Those of groups may lead
/// to one; they count where a file of that name is there, as the strings below.
pub(super) fn path_socket(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let found = FoundPath::at(view, &["value"], DependencyKind::NodeInput, Expansion::File);
    if view.integer("subtype") == Some(SUBTYPE_FILE_PATH) {
        return Ok(found);
    }
    Ok(found.into_iter().map(FoundPath::optional).filter(may_be_a_path).collect())
}

/// The strings among the inputs of a geometry nodes modifier. Other custom properties are notes of
/// whoever made the file: no render reads them.
pub(super) fn modifier_inputs(owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let mut groups: Vec<u64> = view.pointer("settings.properties").into_iter().collect();
    let (mut found, mut seen) = (Vec::new(), 0);
    // Since Blender 5.2 each input is a group with its value in it.
    while let Some(group) = groups.pop() {
        let group = owner.structs_at(group)?.into_iter().next();
        let mut next = group.and_then(|group| group.pointer("data.group.first")).unwrap_or(0);
        while seen < MOST_INPUTS
            && let Some(input) = owner.structs_at(next)?.into_iter().next()
        {
            seen += 1;
            if input.integer("type") == Some(PROPERTY_GROUP) {
                groups.push(next);
            }
            found.extend(property(owner, &input)?);
            next = input.pointer("next").unwrap_or(0);
        }
    }
    Ok(found)
}

/// A property, where it is a string that may be a path.
fn property(owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let Some(length) = view.integer_place("len") else { return Ok(Vec::new()) };
    if view.integer("type") != Some(PROPERTY_STRING) {
        return Ok(Vec::new());
    }
    let address = view.pointer("data.pointer");
    let mut found =
        FoundPath::in_string(owner, address, DependencyKind::NodeInput, Expansion::File)?;
    for path in &mut found {
        if let Some(Place::StringBlock(block)) = path.place {
            path.place = Some(Place::Property(block, length));
        }
    }
    found.retain(|path| may_be_a_path(path) && is_there(owner, path));
    Ok(found)
}

/// The shader of a camera of Cycles (5.0).
pub(super) fn camera_shader(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let is_used = view.integer("type") == Some(CAMERA_CUSTOM)
        && view.integer("custom_mode") == Some(EXTERNAL);
    let mut found =
        FoundPath::at(view, &["custom_filepath"], DependencyKind::OslScript, Expansion::File);
    for path in &mut found {
        path.is_required = is_used;
    }
    Ok(found)
}

/// A string that may reach such a socket over a link. Whether it is a path nobody can tell
/// without evaluating the nodes, so it counts where a file of that name is there.
pub(super) fn string_input(owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let address = view.pointer("string");
    let mut found =
        FoundPath::in_string(owner, address, DependencyKind::NodeInput, Expansion::File)?;
    found.retain(may_be_a_path);
    Ok(found)
}

fn may_be_a_path(found: &FoundPath) -> bool {
    found.written.as_bytes().iter().any(|byte| matches!(byte, b'/' | b'\\'))
}

/// Whether a path from the root, or from a file's folder on, leads to a file. Properties hold all
/// kinds of text: what leads nowhere is none.
fn is_there(owner: &Owner<'_>, found: &FoundPath) -> bool {
    let text = found.written.as_bytes();
    let is_path =
        found.written.is_relative() || text.starts_with(b"/") || text.get(1) == Some(&b':');
    is_path && found.expansion.resolve(&found.written, owner.as_path()).is_file()
}

fn external(view: &StructView, kind: DependencyKind) -> Vec<FoundPath> {
    if view.integer("mode") != Some(EXTERNAL) {
        return Vec::new();
    }
    FoundPath::at(view, &["filepath"], kind, Expansion::File)
}
