//! What structs name and no frame shows: nodes that lead nowhere, what is there for the editors.

use std::collections::HashSet;

use blendfile::StructView;

/// `NODE_MUTED`, `DNA_node_types.h`; `OB_EMPTY`, `DNA_object_types.h`; `eModifierMode_Render`,
/// `DNA_modifier_types.h`; Blender 5.2.
const NODE_IS_MUTED: i64 = 1 << 9;
const OBJECT_IS_EMPTY: i64 = 0;
const MODIFIER_RENDERS: i64 = 1 << 1;

/// Nodes that show an image, and do nothing else.
const IMAGE_NODES: [&[u8]; 2] = [b"ShaderNodeTexImage", b"ShaderNodeTexEnvironment"];

/// A struct that may name what no frame shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdleRule {
    Node,
    CameraBackground,
    Object,
    Modifier,
}

/// Which frames show what a struct names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// As far as this struct tells, all.
    Always,
    /// None.
    Never,
    /// None of what its `data` is; the rest, all.
    NotItsData,
    /// None, unless something animates which modifiers are rendered.
    WithModifiers,
}

/// The rule for a struct, by its name in C.
pub(super) fn idle_rule(struct_name: &str) -> Option<IdleRule> {
    match struct_name {
        "bNode" => Some(IdleRule::Node),
        "CameraBGImage" => Some(IdleRule::CameraBackground),
        "Object" => Some(IdleRule::Object),
        modifier if modifier.ends_with("ModifierData") => Some(IdleRule::Modifier),
        _ => None,
    }
}

impl IdleRule {
    /// What frames show of a struct; `linked` are the nodes with an output that leads anywhere.
    pub(super) fn shown(self, view: &StructView, linked: &HashSet<u64>) -> Shown {
        let flag = |field: &str, bit: i64| view.integer(field).is_some_and(|flag| flag & bit != 0);
        match self {
            Self::Node if flag("flag", NODE_IS_MUTED) => Shown::Never,
            Self::Node if is_image_node(view) && !linked.contains(&view.block().old_address) => {
                Shown::Never
            }
            // The background of a camera is for whoever looks through it.
            Self::CameraBackground => Shown::Never,
            // An image that is an object of its own is a reference.
            Self::Object if view.integer("type") == Some(OBJECT_IS_EMPTY) => Shown::NotItsData,
            Self::Modifier
                if view
                    .integer("modifier.mode")
                    .is_some_and(|mode| mode & MODIFIER_RENDERS == 0) =>
            {
                Shown::WithModifiers
            }
            _ => Shown::Always,
        }
    }
}

fn is_image_node(view: &StructView) -> bool {
    view.string("idname").is_some_and(|name| IMAGE_NODES.contains(&name.as_slice()))
}
