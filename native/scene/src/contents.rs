//! What one `.blend` file holds: its datablocks, what each of them uses, and the paths in them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blendfile::{BlendFile, Block, BlockCode, DnaCache, StructView};

use crate::blend_path::BlendPath;
use crate::datablock::{FoundPath, Owner, Reader, reader};
use crate::error::Result;
use crate::sequence_use::{SequenceUses, is_animated};

/// Most structs of one block that are asked for paths; bakes of a modifier are the only arrays.
const MAX_STRUCTS: usize = 10_000;

/// Larger blocks are not searched for addresses of datablocks: they are geometry.
const SEARCHED_BYTES: u64 = 16 << 20;

/// The datablocks of a `.blend` file, in the order of the file.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) datablocks: Vec<Datablock>,
    by_name: HashMap<Vec<u8>, usize>,
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
    /// The paths in it.
    pub(crate) paths: Vec<FoundPath>,
    /// The folder's file at which its `//` begins.
    pub(crate) base: PathBuf,
    /// Which frames of image sequences it shows, by the place of the image.
    pub(crate) sequence_uses: SequenceUses,
}

impl Contents {
    /// Reads a file; `as_path` is where it lives as the artist sees it.
    pub(crate) fn read(path: &Path, as_path: &Path, known: &DnaCache) -> Result<Self> {
        let mut file = BlendFile::open_with(path, known)?;
        let (packed_libraries, structs) =
            (packed_libraries(&mut file, as_path)?, Structs::of(&file));
        let mut reading = Reading {
            owner: Owner::new(&mut file),
            structs,
            datablocks: Vec::new(),
            addresses: Vec::new(),
            by_address: HashMap::new(),
            last_library: None,
        };
        for index in 0..reading.owner.file.blocks().len() {
            reading.block(index, as_path, &packed_libraries)?;
        }
        Ok(reading.finish())
    }

    /// The datablock with these letters and this name; where the letters have changed from one
    /// version to another, the one with this name.
    pub(crate) fn find(&self, code: [u8; 2], name: &[u8]) -> Option<usize> {
        self.by_name.get([&code, name].concat().as_slice()).copied().or_else(|| {
            self.datablocks.iter().position(|datablock| {
                datablock.library.is_none() && datablock.name == name && datablock.code != *b"LI"
            })
        })
    }
}

/// What is known of each struct of a file's DNA.
struct Structs {
    readers: Vec<Option<Reader>>,
    has_addresses: Vec<bool>,
}

impl Structs {
    fn of(file: &BlendFile) -> Self {
        let (dna, width) = (file.dna(), file.header().pointer_width.bytes());
        let structs = dna.structs();
        Self {
            readers: structs.iter().map(|structure| reader(&structure.name)).collect(),
            has_addresses: (0..structs.len())
                .map(|index| !dna.datablock_pointers(index, width).is_empty())
                .collect(),
        }
    }
}

struct Reading<'a> {
    owner: Owner<'a>,
    structs: Structs,
    datablocks: Vec<Datablock>,
    /// For each datablock, the addresses in it that may be those of others.
    addresses: Vec<Vec<u64>>,
    by_address: HashMap<u64, usize>,
    last_library: Option<usize>,
}

impl Reading<'_> {
    fn block(
        &mut self,
        index: usize,
        as_path: &Path,
        packed_libraries: &HashMap<u64, PathBuf>,
    ) -> Result<()> {
        let Some(block) = self.owner.file.blocks().get(index).copied() else { return Ok(()) };
        if block.code.datablock_letters().is_some() {
            self.owner.enter(index)?;
            let base = packed_libraries.get(&self.owner.library).map_or(as_path, PathBuf::as_path);
            self.begin(&block, base);
        } else if block.code != BlockCode::DATA {
            // Settings of Blender itself, and the like: what follows belongs to no datablock.
            self.owner.leave();
        }
        if !self.owner.is_inside() || block.code == BlockCode::PLACEHOLDER {
            return Ok(());
        }
        let struct_index = usize::try_from(block.struct_index).unwrap_or(usize::MAX);
        let reader = self.structs.readers.get(struct_index).copied().flatten();
        let is_searched = self.structs.has_addresses.get(struct_index) == Some(&true)
            && block.size_bytes <= SEARCHED_BYTES;
        if reader.is_none() && !is_searched {
            return Ok(());
        }
        let payload = Arc::new(self.owner.file.payload(&block)?);
        if is_searched {
            let views: Vec<StructView> = self.owner.file.views(&block, &payload).collect();
            for view in &views {
                self.search(view)?;
            }
        }
        if let Some(reader) = reader {
            let views: Vec<StructView> =
                self.owner.file.views(&block, &payload).take(MAX_STRUCTS).collect();
            for view in &views {
                let found = reader(&mut self.owner, view)?;
                if let Some(datablock) = self.datablocks.last_mut() {
                    datablock.paths.extend(found);
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, block: &Block, base: &Path) {
        let is_placeholder = block.code == BlockCode::PLACEHOLDER;
        let place = self.datablocks.len();
        let library = if is_placeholder { self.library() } else { None };
        self.by_address.entry(block.old_address).or_insert(place);
        self.datablocks.push(Datablock {
            code: self.owner.code,
            name: self.owner.name.clone(),
            library,
            uses: library.into_iter().collect(),
            paths: Vec::new(),
            base: base.to_owned(),
            sequence_uses: SequenceUses::default(),
        });
        self.addresses.push(Vec::new());
        if self.owner.code == *b"LI" {
            self.last_library = Some(place);
        }
    }

    /// The library of a placeholder: the one it points to, else the one it stands behind, as it
    /// does in every version (`read_file_libraries`, `readfile.cc`, Blender 5.0).
    fn library(&self) -> Option<usize> {
        self.by_address.get(&self.owner.library).copied().or(self.last_library)
    }

    fn search(&mut self, view: &StructView) -> Result<()> {
        let (Some(addresses), Some(datablock)) =
            (self.addresses.last_mut(), self.datablocks.last_mut())
        else {
            return Ok(());
        };
        for (address, is_array) in view.datablock_addresses() {
            if is_array {
                let payload = self.owner.payload_at(address)?;
                addresses.extend(view.addresses(&payload).filter(|address| *address != 0));
            } else {
                addresses.push(address);
            }
        }
        datablock.sequence_uses.search(&mut self.owner, view)?;
        if is_animated(view) {
            datablock.sequence_uses.are_animated();
        }
        Ok(())
    }

    fn finish(mut self) -> Contents {
        let image_at = |images: &[bool], address| {
            let place = self.by_address.get(&address).copied();
            place.filter(|place| images.get(*place) == Some(&true))
        };
        let images: Vec<bool> = self.datablocks.iter().map(|one| one.code == *b"IM").collect();
        for (place, addresses) in self.addresses.into_iter().enumerate() {
            let Some(datablock) = self.datablocks.get_mut(place) else { continue };
            let used = addresses.iter().filter_map(|address| self.by_address.get(address).copied());
            datablock.uses.extend(used.filter(|used| *used != place));
            datablock.uses.sort_unstable();
            datablock.uses.dedup();
            datablock.sequence_uses.resolve(|address| image_at(&images, address));
        }
        let mut by_name: HashMap<Vec<u8>, usize> = HashMap::with_capacity(self.datablocks.len());
        // What is here comes before what only stands in for another file's.
        for is_placeholder in [false, true] {
            for (place, datablock) in self.datablocks.iter().enumerate() {
                if datablock.library.is_some() == is_placeholder {
                    let name = [&datablock.code, datablock.name.as_slice()].concat();
                    by_name.entry(name).or_insert(place);
                }
            }
        }
        Contents { datablocks: self.datablocks, by_name }
    }
}

/// Where the libraries whose datablocks are packed into a file (Blender 5.0) came from, by address:
/// paths of those datablocks begin there still.
fn packed_libraries(file: &mut BlendFile, blend: &Path) -> Result<HashMap<u64, PathBuf>> {
    let blocks: Vec<Block> = file.blocks_of(BlockCode::datablock(*b"LI")).collect();
    let mut libraries = HashMap::new();
    for block in blocks {
        let Some(view) = file.view(&block)? else { continue };
        if view.pointer("archive_parent_library").is_some_and(|address| address != 0) {
            let written = BlendPath::new(view.string("name").unwrap_or_default());
            let folder = blend.parent().unwrap_or(blend);
            libraries.insert(block.old_address, written.resolve(folder));
        }
    }
    Ok(libraries)
}
