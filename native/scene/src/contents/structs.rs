//! What is known of each struct of a file: which ones hold what matters.

use blendfile::{BlendFile, Block};

use super::idle::{IdleRule, idle_rule};
use crate::animates::Animates;
use crate::datablock::{Reader, SIMULATION_STRUCTS, reader};
use crate::visibility::VISIBILITY_STRUCTS;

/// The letters of actions.
pub(super) const ACTION: [u8; 2] = *b"AC";

/// Larger blocks are not searched for addresses of datablocks: they are geometry.
const SEARCHED_BYTES: u64 = 16 << 20;

/// Images on the faces of meshes, until 2.79: no Blender since then looks at them.
const TEXTURE_FACES: [&str; 3] = ["MTFace", "MTexPoly", "TFace"];

/// What is known of each struct of a file's DNA.
pub(super) struct Structs {
    readers: Vec<Option<Reader>>,
    has_addresses: Vec<bool>,
    is_driver: Vec<bool>,
    is_simulation: Vec<bool>,
    is_link: Vec<bool>,
    is_node: Vec<bool>,
    is_strip: Vec<bool>,
    is_visibility: Vec<bool>,
    idle_rules: Vec<Option<IdleRule>>,
}

impl Structs {
    pub(super) fn of(file: &BlendFile) -> Self {
        let (dna, width) = (file.dna(), file.header().pointer_width.bytes());
        let structs = dna.structs();
        let is_one_of = |names: &[&str]| -> Vec<bool> {
            structs.iter().map(|structure| names.contains(&&*structure.name)).collect()
        };
        Self {
            is_driver: is_one_of(&["ChannelDriver"]),
            is_simulation: is_one_of(&SIMULATION_STRUCTS),
            is_link: is_one_of(&["bNodeLink"]),
            is_node: is_one_of(&["bNode"]),
            is_strip: is_one_of(&["Sequence"]),
            is_visibility: is_one_of(&VISIBILITY_STRUCTS),
            idle_rules: structs.iter().map(|structure| idle_rule(&structure.name)).collect(),
            readers: structs.iter().map(|structure| reader(&structure.name)).collect(),
            has_addresses: (0..structs.len())
                .zip(structs)
                .map(|(index, structure)| {
                    !TEXTURE_FACES.contains(&&*structure.name)
                        && !dna.datablock_pointers(index, width).is_empty()
                })
                .collect(),
        }
    }
}

impl Structs {
    pub(super) fn reader(&self, block: &Block) -> Option<Reader> {
        self.readers.get(usize::try_from(block.struct_index).ok()?).copied().flatten()
    }

    pub(super) fn idle_rule(&self, block: &Block) -> Option<IdleRule> {
        self.idle_rules.get(usize::try_from(block.struct_index).ok()?).copied().flatten()
    }

    pub(super) fn is_searched(&self, block: &Block) -> bool {
        let index = usize::try_from(block.struct_index).unwrap_or(usize::MAX);
        self.has_addresses.get(index) == Some(&true) && block.size_bytes <= SEARCHED_BYTES
    }

    pub(super) fn is_driver(&self, block: &Block) -> bool {
        is_set(&self.is_driver, block)
    }

    pub(super) fn is_simulation(&self, block: &Block) -> bool {
        is_set(&self.is_simulation, block)
    }

    pub(super) fn is_link(&self, block: &Block) -> bool {
        is_set(&self.is_link, block)
    }

    pub(super) fn is_node(&self, block: &Block) -> bool {
        is_set(&self.is_node, block)
    }

    pub(super) fn is_strip(&self, block: &Block) -> bool {
        is_set(&self.is_strip, block)
    }

    pub(super) fn is_visibility(&self, block: &Block) -> bool {
        is_set(&self.is_visibility, block)
    }

    /// Whether a block of a datablock with these letters has to be read.
    pub(super) fn matters(&self, code: Option<[u8; 2]>, block: &Block) -> bool {
        (code == Some(ACTION) && may_be_path(block))
            || self.is_searched(block)
            || self.reader(block).is_some()
            || self.is_driver(block)
            || self.is_simulation(block)
            || self.is_link(block)
    }
}

/// Whether a block may be a path that says what frames leave out: a string is of no struct.
pub(super) fn may_be_path(block: &Block) -> bool {
    block.struct_index == 0 && block.size_bytes <= Animates::MOST_PATH_BYTES
}

fn is_set(structs: &[bool], block: &Block) -> bool {
    let index = usize::try_from(block.struct_index).unwrap_or(usize::MAX);
    structs.get(index) == Some(&true)
}
