//! What of a scene's Python its frames need, where scripts may not run: Blender leaves it out and
//! renders what was saved.

use std::fmt;

/// How many scripts a message names; the others are counted.
const NAMED_SCRIPTS: usize = 5;

/// A script that Blender leaves out of a render, unless the artist ticks *Run Scripts*.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DisabledScript {
    /// The type of the datablock that has it: `Object`.
    pub datablock_type: &'static str,
    /// The name of that datablock.
    pub datablock: String,
    /// What is driven, and by which expression: `location = bpy.app.version[0]`.
    pub script: String,
}

impl fmt::Display for DisabledScript {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} \"{}\": {}", self.datablock_type, self.datablock, self.script)
    }
}

/// Scripts in one sentence: how many, and the first of them.
pub(crate) fn listed(scripts: &[DisabledScript]) -> String {
    let named: Vec<_> = scripts.iter().take(NAMED_SCRIPTS).map(ToString::to_string).collect();
    let more = scripts.len() - named.len();
    let rest = if more == 0 { String::new() } else { format!("; and {more} more") };
    format!("{}{rest}", named.join("; "))
}
