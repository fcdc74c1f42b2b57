//! What one `.blend` file holds: its datablocks, what each of them uses, and the paths in them.

mod addresses;
mod gather;
mod idle;
mod idle_nodes;
mod reading;
mod structs;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use blendfile::{BlendFile, DnaCache};
use foldhash::{HashMap, HashMapExt};

use crate::animates::Animates;
use crate::datablock::{FoundPath, InvalidDriver, Owner, PythonDriver, Simulation};
use crate::error::Result;
use crate::packed_library::PackedLibrary;
use crate::sequence_use::SequenceUses;
use crate::splitting::Splitting;
use crate::visibility::Visibility;
use gather::gather_beside;
use reading::Reading;
use structs::Structs;

/// Windows, screens, workspaces and brushes: what they show and paint with is not rendered.
const EDITING: [[u8; 2]; 4] = [*b"WM", *b"SR", *b"WS", *b"BR"];

/// Materials, worlds and lights.
const SHADING: [[u8; 2]; 3] = [*b"MA", *b"WO", *b"LA"];

/// From how many bytes on a file is read on one processor and understood on another. Smaller ones come
/// in numbers, and several of those are read at the same time.
const BYTES_FOR_THREAD: u64 = 32 << 20;

/// The datablocks of a `.blend` file, in the order of the file.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) datablocks: Vec<Datablock>,
    /// Whether its numbers begin with their highest byte.
    pub(crate) is_big_endian: bool,
    /// Their places by letters and name; made for a file that others link.
    by_name: OnceLock<HashMap<Vec<u8>, usize>>,
}

/// One datablock, or the stand-in for one of a library.
#[derive(Debug)]
pub(crate) struct Datablock {
    /// The two letters of its type.
    pub(crate) code: [u8; 2],
    /// Its name, without those letters.
    pub(crate) name: Vec<u8>,
    /// The library that it has to be read from, by its place among the datablocks.
    pub(crate) library: Option<usize>,
    /// The datablocks that it uses, by their places.
    pub(crate) uses: Vec<usize>,
    /// Those of them that no frame shows: only nodes name them that lead nowhere, and the like.
    pub(crate) idle_uses: Vec<usize>,
    /// Those of them that only modifiers use that frames leave out, unless something animates that.
    pub(crate) modifier_uses: Vec<usize>,
    /// Those of them that only muted strips use, unless something animates that.
    pub(crate) strip_uses: Vec<usize>,
    /// Whether it is looked at only when a frame is rendered: what makes up surfaces and lights.
    pub(crate) is_shading: bool,
    /// The file of the library, where this is one and holds it.
    pub(crate) packed: Option<Box<PackedLibrary>>,
    /// The paths in it.
    pub(crate) paths: Vec<FoundPath>,
    /// The folder's file at which its `//` begins.
    pub(crate) base: Arc<Path>,
    /// Which frames of image sequences it shows, by the place of the image.
    pub(crate) sequence_uses: Option<Box<SequenceUses>>,
    /// What frames leave out of it.
    pub(crate) visibility: Visibility,
    /// Its drivers that are Python which may not run.
    pub(crate) drivers: Vec<PythonDriver>,
    /// Its drivers that Blender had given up when the file was saved.
    pub(crate) invalid_drivers: Vec<InvalidDriver>,
    /// Its simulations that are not baked.
    pub(crate) simulations: Vec<Simulation<usize>>,
    /// Whether it is particle settings or a node group that computes frame after frame.
    pub(crate) simulates: bool,
    /// The numbers of its own bake nodes, where it is a node group.
    pub(crate) bake_nodes: Vec<i64>,
    /// Why frames that show it are not rendered in parts.
    pub(crate) splitting: Splitting,
    /// What it animates, by keyframes or drivers.
    pub(crate) animates: Animates,
}

impl Datablock {
    /// Of whatever the file stands at: nothing is known yet of what it uses.
    fn of(owner: &Owner<'_>, base: &Arc<Path>, library: Option<usize>) -> Self {
        Self {
            code: owner.code,
            name: owner.name.clone(),
            library,
            uses: library.into_iter().collect(),
            idle_uses: Vec::new(),
            modifier_uses: Vec::new(),
            strip_uses: Vec::new(),
            is_shading: SHADING.contains(&owner.code),
            packed: None,
            paths: Vec::new(),
            base: Arc::clone(base),
            sequence_uses: None,
            visibility: Visibility::of(owner.code),
            drivers: Vec::new(),
            invalid_drivers: Vec::new(),
            simulations: Vec::new(),
            simulates: false,
            bake_nodes: Vec::new(),
            splitting: Splitting::default(),
            animates: Animates::default(),
        }
    }

    /// Whether it is there for the editors alone.
    pub(crate) fn is_of_editors(&self) -> bool {
        EDITING.contains(&self.code)
    }
}

impl Contents {
    /// Reads a file; `as_path` is where it lives as the artist sees it. `with_sequences` asks also
    /// how image sequences are shown, which costs a little.
    pub(crate) fn read(
        path: &Path,
        as_path: &Path,
        known: &DnaCache,
        with_sequences: bool,
    ) -> Result<Self> {
        let mut file = BlendFile::begin(path, known)?;
        let (structs, size_bytes) = (Structs::of(&file), file.size_bytes());
        let mut reading = Reading::new(Owner::new(&mut file, as_path), &structs, with_sequences);
        if size_bytes < BYTES_FOR_THREAD {
            reading.whole_file()?;
        } else {
            let mut through = BlendFile::begin(path, known)?;
            gather_beside(&mut through, &structs, |batch| reading.batch(batch))?;
        }
        Ok(reading.finish())
    }

    /// The datablock with these letters and this name; where the letters have changed from one
    /// version to another, the one with this name.
    pub(crate) fn find(&self, code: [u8; 2], name: &[u8]) -> Option<usize> {
        let by_name = self.by_name.get_or_init(|| by_name(&self.datablocks));
        by_name.get([&code, name].concat().as_slice()).copied().or_else(|| {
            self.datablocks.iter().position(|datablock| {
                datablock.library.is_none() && datablock.name == name && datablock.code != *b"LI"
            })
        })
    }
}

/// The places of datablocks by their letters and names.
fn by_name(datablocks: &[Datablock]) -> HashMap<Vec<u8>, usize> {
    let mut by_name = HashMap::with_capacity(datablocks.len());
    // What is here comes before what only stands in for another file's.
    for is_placeholder in [false, true] {
        for (place, datablock) in datablocks.iter().enumerate() {
            if datablock.library.is_some() == is_placeholder {
                let name = [&datablock.code, datablock.name.as_slice()].concat();
                by_name.entry(name).or_insert(place);
            }
        }
    }
    by_name
}
