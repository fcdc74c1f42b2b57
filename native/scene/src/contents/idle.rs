//! What structs name and no frame shows: what is off, or there for the editors.

use blendfile::StructView;

use super::SHADING;

/// `OB_EMPTY`, `DNA_object_types.h`; `eModifierMode_Render`,
/// `DNA_modifier_types.h`; Blender 5.2.
const OBJECT_IS_EMPTY: i64 = 0;
const MODIFIER_RENDERS: i64 = 1 << 1;

/// A struct that may name what no frame shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdleRule {
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
    /// None, unless something animates which strips are muted.
    WithStrips,
}

/// The rule for a struct, by its name in C.
pub(super) fn idle_rule(struct_name: &str) -> Option<IdleRule> {
    match struct_name {
        "CameraBGImage" => Some(IdleRule::CameraBackground),
        "Object" => Some(IdleRule::Object),
        // Until 4.5 Cycles could read an Alembic cache beside the modifier that names it.
        "MeshSeqCacheModifierData" => None,
        modifier if modifier.ends_with("ModifierData") => Some(IdleRule::Modifier),
        _ => None,
    }
}

impl IdleRule {
    /// What frames show of a struct.
    pub(super) fn shown(self, view: &StructView) -> Shown {
        match self {
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

/// Whether a struct is a texture slot of Blender Internal, which has been gone since 2.80.
pub(super) fn is_legacy(code: [u8; 2], view: &StructView) -> bool {
    view.struct_name() == "MTex" && SHADING.contains(&code)
}
