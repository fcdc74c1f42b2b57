//! What one `.blend` file holds: its datablocks, what each of them uses, and the paths in them.

mod structs;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blendfile::{BlendFile, Block, BlockCode, ByteOrder, DnaCache, StructView};

use crate::blend_path::BlendPath;
use crate::datablock::{
    DrivenProperties, FoundPath, Owner, PythonDriver, Simulation, simulates, unbaked,
};
use crate::error::Result;
use crate::packed_library::PackedLibrary;
use crate::sequence_use::SequenceUses;
use crate::visibility::Visibility;
use structs::Structs;

/// Most structs of one block that are asked for paths; bakes of a modifier are the only arrays.
const MAX_STRUCTS: usize = 10_000;

/// Windows, screens, workspaces and brushes: what they show and paint with is not rendered.
const EDITING: [[u8; 2]; 4] = [*b"WM", *b"SR", *b"WS", *b"BR"];

/// Materials, worlds and lights.
const SHADING: [[u8; 2]; 3] = [*b"MA", *b"WO", *b"LA"];

/// `NTREE_SHADER`, `DNA_node_types.h`, Blender 5.0.
const SHADER_NODE_GROUP: i64 = 0;

/// The datablocks of a `.blend` file, in the order of the file.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) datablocks: Vec<Datablock>,
    /// Whether its numbers begin with their highest byte.
    pub(crate) is_big_endian: bool,
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
    /// Those of them that only nodes show whose outputs lead nowhere.
    pub(crate) idle_uses: HashSet<usize>,
    /// Whether it is looked at only when a frame is rendered: what makes up surfaces and lights.
    pub(crate) is_shading: bool,
    /// The file of the library, where this is one and holds it.
    pub(crate) packed: Option<PackedLibrary>,
    /// The paths in it.
    pub(crate) paths: Vec<FoundPath>,
    /// The folder's file at which its `//` begins.
    pub(crate) base: PathBuf,
    /// Which frames of image sequences it shows, by the place of the image.
    pub(crate) sequence_uses: SequenceUses,
    /// What frames leave out of it.
    pub(crate) visibility: Visibility,
    /// Its drivers that are Python which may not run.
    pub(crate) drivers: Vec<PythonDriver>,
    /// Its simulations that are not baked.
    pub(crate) simulations: Vec<Simulation<usize>>,
    /// Whether it is particle settings or a node group that computes frame after frame.
    pub(crate) simulates: bool,
}

impl Datablock {
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
        let structs = Structs::of(&file);
        let mut reading = Reading {
            owner: Owner::new(&mut file, as_path),
            structs,
            with_sequences,
            as_path,
            datablocks: Vec::new(),
            libraries: Vec::new(),
            addresses: Vec::new(),
            idle_addresses: Vec::new(),
            by_address: HashMap::new(),
            archived_libraries: HashMap::new(),
            last_library: None,
            simulations: Vec::new(),
        };
        // What matters of a datablock is read on the way, and looked at when all its blocks are
        // indexed: pointers lead forward.
        let mut gathered: Option<Gathered> = None;
        while let Some(index) = reading.owner.file.next_block()? {
            let Some(block) = reading.owner.file.blocks().get(index).copied() else { break };
            if block.code != BlockCode::DATA {
                reading.datablock(gathered.take())?;
                if block.code.datablock_letters().is_some() {
                    let payload = reading.owner.file.payload_on_the_way(&block)?;
                    let blocks = vec![(block, Arc::new(payload))];
                    gathered = Some(Gathered { index, blocks });
                }
            } else if let Some(gathered) = &mut gathered
                && reading.structs.matters(&block)
            {
                let payload = reading.owner.file.payload_on_the_way(&block)?;
                gathered.blocks.push((block, Arc::new(payload)));
            }
        }
        reading.datablock(gathered)?;
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

/// The blocks of one datablock that hold paths or addresses, its own first.
struct Gathered {
    /// The place of its own block in the file.
    index: usize,
    blocks: Vec<(Block, Arc<Vec<u8>>)>,
}

struct Reading<'a> {
    owner: Owner<'a>,
    structs: Structs,
    with_sequences: bool,
    as_path: &'a Path,
    datablocks: Vec<Datablock>,
    /// For each datablock, the address of its library.
    libraries: Vec<u64>,
    /// For each datablock, the addresses in it that may be those of others.
    addresses: Vec<Vec<u64>>,
    /// Those in nodes whose outputs lead nowhere.
    idle_addresses: Vec<Vec<u64>>,
    by_address: HashMap<u64, usize>,
    /// Where the libraries whose datablocks are packed into a file (Blender 5.0) came from, by
    /// address: paths of those datablocks begin there still.
    archived_libraries: HashMap<u64, PathBuf>,
    last_library: Option<usize>,
    /// Simulations that are not baked, with the places of their datablocks.
    simulations: Vec<(usize, Simulation<u64>)>,
}

impl Reading<'_> {
    fn datablock(&mut self, gathered: Option<Gathered>) -> Result<()> {
        let Some(Gathered { index, blocks }) = gathered else { return Ok(()) };
        let Some((first, payload)) = blocks.first() else { return Ok(()) };
        let view = self.owner.file.views(first, payload).next();
        self.owner.enter(index, view.as_ref());
        self.begin(first);
        match (&self.owner.code, view) {
            (b"LI", Some(view)) => self.library_of(first, &view)?,
            (b"NT", Some(view)) => self.node_group_of(&view),
            _ => {}
        }
        if first.code == BlockCode::PLACEHOLDER {
            return Ok(());
        }
        let linked = self.linked_nodes(&blocks);
        for (block, payload) in &blocks {
            self.block(block, payload, &linked)?;
        }
        self.simulations(&blocks)?;
        let drivers = blocks.iter().filter(|(block, _)| self.structs.is_driver(block));
        self.drivers(&drivers.collect::<Vec<_>>())
    }

    fn simulations(&mut self, blocks: &[(Block, Arc<Vec<u8>>)]) -> Result<()> {
        for (block, payload) in blocks {
            if !self.structs.is_simulation(block) {
                continue;
            }
            for view in self.owner.file.views(block, payload).take(1) {
                let place = self.datablocks.len().saturating_sub(1);
                let found = unbaked(&mut self.owner, &view)?;
                self.simulations.extend(found.map(|simulation| (place, simulation)));
            }
        }
        Ok(())
    }

    fn drivers(&mut self, drivers: &[&(Block, Arc<Vec<u8>>)]) -> Result<()> {
        if drivers.is_empty() {
            return Ok(());
        }
        let properties = DrivenProperties::read(&mut self.owner)?;
        for (block, payload) in drivers {
            let Some(view) = self.owner.file.views(block, payload).next() else { continue };
            let driver = properties.python_driver(&mut self.owner, &view)?;
            if let Some(datablock) = self.datablocks.last_mut() {
                datablock.drivers.extend(driver);
            }
        }
        Ok(())
    }

    /// The nodes with an output that leads anywhere.
    fn linked_nodes(&mut self, blocks: &[(Block, Arc<Vec<u8>>)]) -> HashSet<u64> {
        let links = blocks.iter().filter(|(block, _)| self.structs.is_link(block));
        let views = links.flat_map(|(block, payload)| self.owner.file.views(block, payload));
        views.filter_map(|link| link.pointer("fromnode")).collect()
    }

    fn block(
        &mut self,
        block: &Block,
        payload: &Arc<Vec<u8>>,
        linked: &HashSet<u64>,
    ) -> Result<()> {
        if self.structs.is_searched(block) {
            for view in self.owner.file.views(block, payload) {
                let is_idle = is_image_node(&view) && !linked.contains(&block.old_address);
                if !is_legacy(self.owner.code, &view) {
                    self.search(&view, is_idle)?;
                }
            }
        }
        if let Some(reader) = self.structs.reader(block) {
            for view in self.owner.file.views(block, payload).take(MAX_STRUCTS) {
                let found = reader(&mut self.owner, &view)?;
                if let Some(datablock) = self.datablocks.last_mut() {
                    datablock.paths.extend(found);
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, block: &Block) {
        let place = self.datablocks.len();
        let is_placeholder = block.code == BlockCode::PLACEHOLDER;
        let library = if is_placeholder { self.library() } else { None };
        self.by_address.entry(block.old_address).or_insert(place);
        self.datablocks.push(Datablock {
            code: self.owner.code,
            name: self.owner.name.clone(),
            library,
            uses: library.into_iter().collect(),
            idle_uses: HashSet::new(),
            is_shading: SHADING.contains(&self.owner.code),
            packed: None,
            paths: Vec::new(),
            base: self.as_path.to_owned(),
            sequence_uses: SequenceUses::default(),
            visibility: Visibility::default(),
            drivers: Vec::new(),
            simulations: Vec::new(),
            simulates: false,
        });
        self.libraries.push(self.owner.library);
        self.addresses.push(Vec::new());
        self.idle_addresses.push(Vec::new());
        if self.owner.code == *b"LI" {
            self.last_library = Some(place);
        }
    }

    fn library_of(&mut self, block: &Block, view: &StructView) -> Result<()> {
        if view.pointer("archive_parent_library").is_some_and(|address| address != 0) {
            let written = BlendPath::new(view.string("name").unwrap_or_default());
            let folder = self.as_path.parent().unwrap_or(self.as_path);
            self.archived_libraries.insert(block.old_address, written.resolve(folder));
        }
        let packed = PackedLibrary::of(&mut self.owner, view)?;
        if let Some(datablock) = self.datablocks.last_mut() {
            datablock.packed = packed;
        }
        Ok(())
    }

    fn node_group_of(&mut self, view: &StructView) {
        if let Some(datablock) = self.datablocks.last_mut() {
            datablock.is_shading = view.integer("type") == Some(SHADER_NODE_GROUP);
        }
    }

    /// The library of a placeholder: the one it points to, else the one it stands behind, as it
    /// does in every version (`read_file_libraries`, `readfile.cc`, Blender 5.0).
    fn library(&self) -> Option<usize> {
        self.by_address.get(&self.owner.library).copied().or(self.last_library)
    }

    fn search(&mut self, view: &StructView, is_idle: bool) -> Result<()> {
        let addresses = if is_idle { &mut self.idle_addresses } else { &mut self.addresses };
        let (Some(addresses), Some(datablock)) = (addresses.last_mut(), self.datablocks.last_mut())
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
        datablock.visibility.note(view);
        datablock.simulates |= simulates(view);
        if self.with_sequences {
            datablock.sequence_uses.search(&mut self.owner, view)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Contents {
        let image_at = |images: &[bool], address| {
            let place = self.by_address.get(&address).copied();
            place.filter(|place| images.get(*place) == Some(&true))
        };
        let images: Vec<bool> = self.datablocks.iter().map(|one| one.code == *b"IM").collect();
        let addresses = self.addresses.into_iter().zip(self.idle_addresses);
        for (place, ((addresses, idle), library)) in addresses.zip(self.libraries).enumerate() {
            let Some(datablock) = self.datablocks.get_mut(place) else { continue };
            if let Some(base) = self.archived_libraries.get(&library) {
                datablock.base.clone_from(base);
            }
            let at = |address: &u64| self.by_address.get(address).copied();
            let used = addresses.iter().filter_map(at).filter(|used| *used != place);
            datablock.uses.extend(used);
            let is_idle = |used: &usize| !datablock.uses.contains(used);
            datablock.idle_uses = idle.iter().filter_map(at).filter(is_idle).collect();
            datablock.uses.extend(&datablock.idle_uses);
            datablock.uses.sort_unstable();
            datablock.uses.dedup();
            datablock.visibility.resolve(|address| self.by_address.get(&address).copied());
            datablock.sequence_uses.resolve(|address| image_at(&images, address));
        }
        for (place, simulation) in &self.simulations {
            let found = simulation.at_place(|address| self.by_address.get(&address).copied());
            if let Some(datablock) = self.datablocks.get_mut(*place) {
                datablock.simulations.extend(found);
            }
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
        let is_big_endian = self.owner.file.header().byte_order == ByteOrder::Big;
        Contents { datablocks: self.datablocks, is_big_endian, by_name }
    }
}

/// Whether a node shows an image, and nothing else. One whose outputs lead nowhere shows it to nobody.
fn is_image_node(view: &StructView) -> bool {
    const NAMES: [&[u8]; 2] = [b"ShaderNodeTexImage", b"ShaderNodeTexEnvironment"];
    view.struct_name() == "bNode"
        && view.string("idname").is_some_and(|name| NAMES.contains(&name.as_slice()))
}

/// Whether a struct is a texture slot of Blender Internal, which has been gone since 2.80.
fn is_legacy(code: [u8; 2], view: &StructView) -> bool {
    view.struct_name() == "MTex" && SHADING.contains(&code)
}
