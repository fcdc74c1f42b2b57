//! Drivers whose expressions are Python that may not run unless the artist says so.

use std::collections::{HashMap, HashSet};

use blendfile::{Integer, StructView};

use super::Owner;
use crate::error::Result;
use crate::expression::needs_scripts;

/// `DRIVER_TYPE_PYTHON`, `DRIVER_FLAG_INVALID` and `FCURVE_MUTED`, `DNA_anim_enums.h` and
/// `DNA_anim_types.h`, Blender 5.2.
const TYPE_PYTHON: i64 = 1;
const INVALID: i64 = 1;
const MUTED: i64 = 1 << 4;

/// Most variables of one driver.
const MOST_VARIABLES: usize = 1000;

/// Properties that mean something to an editor only, as in `disabled_scripts.py` of the worker.
const OF_EDITORS: [&str; 15] = [
    "hide_viewport",
    "hide_select",
    "show_viewport",
    "show_in_editmode",
    "display_type",
    "show_on_cage",
    "show_name",
    "empty_display_size",
    "display_size",
    "passepartout_alpha",
    "is_visible",
    "custom_shape_scale_xyz",
    "custom_shape_translation",
    "custom_shape_rotation_euler",
    "custom_shape_wire_width",
];

/// A driver that Blender leaves out where scripts may not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PythonDriver {
    /// The property that it drives: `location`.
    pub(crate) property: String,
    /// What it says.
    pub(crate) expression: String,
}

/// A driver that Blender has given up, for want of sense or of what it names: what it drives keeps its
/// value until the file is opened again, when the driver is tried once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidDriver {
    /// Where the flags of its curve stand.
    pub(crate) curve_flag: Integer,
    /// What they are once it is muted.
    pub(crate) muted: i32,
}

/// Which properties a datablock's drivers drive, by the address of each `ChannelDriver`; the muted ones
/// have none.
#[derive(Debug)]
pub(crate) struct DrivenProperties(HashMap<u64, Driven>);

#[derive(Debug)]
struct Driven {
    property: String,
    /// Its curve, as if Blender had given it up.
    curve: Option<InvalidDriver>,
}

impl DrivenProperties {
    /// Reads the curves that have drivers.
    pub(crate) fn read(owner: &mut Owner<'_>) -> Result<Self> {
        let mut properties = HashMap::new();
        for block in owner.blocks_of("FCurve") {
            let Some(view) = owner.file.view(&block)? else { continue };
            let driver = view.pointer("driver").filter(|address| *address != 0);
            let flag = view.integer("flag").unwrap_or(0);
            if let Some(driver) = driver.filter(|_| flag & MUTED == 0) {
                let path = owner.string_at(view.pointer("rna_path"))?.map(|(_, path)| path);
                let property = String::from_utf8_lossy(&path.unwrap_or_default()).into_owned();
                let curve = view.integer_place("flag").zip(i32::try_from(flag | MUTED).ok());
                let curve = curve.map(|(curve_flag, muted)| InvalidDriver { curve_flag, muted });
                properties.insert(driver, Driven { property, curve });
            }
        }
        Ok(Self(properties))
    }

    /// What is driven.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|driven| driven.property.as_str())
    }

    /// The driver of a `ChannelDriver`, where Blender has given it up. Not one that `is_python`: nobody
    /// can tell whether that was for its sense or because scripts were off.
    pub(crate) fn invalid_driver(
        &self,
        view: &StructView,
        is_python: bool,
    ) -> Option<InvalidDriver> {
        let is_invalid = view.integer("flag").unwrap_or(0) & INVALID != 0;
        let driven = self.0.get(&view.block().old_address)?;
        driven.curve.filter(|_| is_invalid && !is_python)
    }

    /// The driver of a `ChannelDriver`, where it is Python that may not run.
    pub(crate) fn python_driver(
        &self,
        owner: &mut Owner<'_>,
        view: &StructView,
    ) -> Result<Option<PythonDriver>> {
        let Some(driven) = self.0.get(&view.block().old_address) else { return Ok(None) };
        let property = &driven.property;
        if view.integer("type") != Some(TYPE_PYTHON) || is_of_editors(property) {
            return Ok(None);
        }
        let expression = view.string("expression").unwrap_or_default();
        let expression = String::from_utf8_lossy(&expression).into_owned();
        let needs_scripts = needs_scripts(&expression, &variables(owner, view)?);
        let property = property.clone();
        Ok(needs_scripts.then_some(PythonDriver { property, expression }))
    }
}

fn is_of_editors(property: &str) -> bool {
    let (owner, name) = property.rsplit_once('.').unwrap_or(("", property));
    // A bone that is hidden moves what it moves, and frames subdivide by `render_levels`.
    OF_EDITORS.contains(&name)
        || (name == "hide" && owner.contains("bones["))
        || (name == "levels" && owner.starts_with("modifiers["))
}

fn variables(owner: &mut Owner<'_>, view: &StructView) -> Result<HashSet<String>> {
    let mut names = HashSet::new();
    let mut next = view.pointer("variables.first");
    for _ in 0..MOST_VARIABLES {
        let Some(address) = next.filter(|address| *address != 0) else { break };
        let structs = owner.structs_at(address)?;
        let Some(variable) = structs.first() else { break };
        names.insert(String::from_utf8_lossy(&variable.string("name").unwrap_or_default()).into());
        next = variable.pointer("next");
    }
    Ok(names)
}
