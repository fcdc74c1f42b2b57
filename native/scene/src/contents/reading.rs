//! What is made of a file's datablocks as they are read.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use blendfile::{Block, BlockCode, ByteOrder, Payload, StructView};
use foldhash::{HashMap, HashMapExt};

use super::addresses::Addresses;
use super::gather::{Batch, Gathered, Gatherer};
use super::idle::{Shown, is_legacy};
use super::idle_nodes::IdleNodes;
use super::structs::{ACTION, Structs, may_be_path};
use super::{Contents, Datablock};
use crate::blend_path::BlendPath;
use crate::datablock::{
    DrivenProperties, Owner, ShownBy, Simulation, bake_nodes, is_muted_strip, simulates, unbaked,
};
use crate::error::Result;
use crate::packed_library::PackedLibrary;
use crate::splitting::{SplitObstacle, has_volume};

/// Most structs of one block that are asked for paths; bakes of a modifier are the only arrays.
const MAX_STRUCTS: usize = 10_000;

/// `NTREE_SHADER` and `NTREE_GEOMETRY`, `DNA_node_types.h`, Blender 5.0.
const SHADER_NODE_GROUP: i64 = 0;
const GEOMETRY_NODE_GROUP: i64 = 3;

/// A file that is being read.
pub(super) struct Reading<'a> {
    owner: Owner<'a>,
    structs: &'a Structs,
    with_sequences: bool,
    /// Where the file lives, as the artist sees it.
    base: Arc<Path>,
    datablocks: Vec<Datablock>,
    /// For each datablock, the address of its library.
    libraries: Vec<u64>,
    /// For each datablock, the addresses in it that may be those of others.
    addresses: Vec<Addresses>,
    by_address: HashMap<u64, usize>,
    /// Where the libraries whose datablocks are packed into a file (Blender 5.0) came from, by
    /// address: paths of those datablocks begin there still.
    archived_libraries: HashMap<u64, Arc<Path>>,
    last_library: Option<usize>,
    /// Simulations that are not baked, with the places of their datablocks.
    simulations: Vec<(usize, Simulation<u64>)>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(owner: Owner<'a>, structs: &'a Structs, with_sequences: bool) -> Self {
        Self {
            base: Arc::from(owner.as_path()),
            owner,
            structs,
            with_sequences,
            datablocks: Vec::new(),
            libraries: Vec::new(),
            addresses: Vec::new(),
            by_address: HashMap::new(),
            archived_libraries: HashMap::new(),
            last_library: None,
            simulations: Vec::new(),
        }
    }

    /// Reads the whole file, which is the one that it looks up in.
    pub(super) fn whole_file(&mut self) -> Result<()> {
        let mut gatherer = Gatherer::new();
        while let Some(batch) = gatherer.batch(self.owner.file, self.structs)? {
            self.batch(&batch)?;
        }
        Ok(())
    }

    /// Takes some datablocks more.
    pub(super) fn batch(&mut self, batch: &Batch) -> Result<()> {
        batch.datablocks().try_for_each(|gathered| self.datablock(&gathered))
    }

    fn datablock(&mut self, gathered: &Gathered<'_>) -> Result<()> {
        let Gathered { blocks: all, payloads: blocks } = gathered;
        let Some((first, payload)) = blocks.first() else { return Ok(()) };
        let view = self.owner.file.views(first, payload).next();
        self.owner.enter(all, view.as_ref());
        self.begin(first);
        match (&self.owner.code, view) {
            (b"LI", Some(view)) => self.library_of(first, &view)?,
            (b"NT", Some(view)) => self.node_group_of(&view)?,
            _ => {}
        }
        if first.code == BlockCode::PLACEHOLDER {
            return Ok(());
        }
        let idle = self.idle_nodes(blocks)?;
        for (block, payload) in blocks {
            self.block(block, payload, &idle)?;
        }
        self.simulations(blocks)?;
        self.actions(blocks);
        let drivers = blocks.iter().filter(|(block, _)| self.structs.is_driver(block));
        self.drivers(&drivers.collect::<Vec<_>>())
    }

    fn simulations(&mut self, blocks: &[(Block, Payload)]) -> Result<()> {
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

    /// What an action animates: the paths of its F-Curves are strings of their own.
    fn actions(&mut self, blocks: &[(Block, Payload)]) {
        let Some(datablock) = self.datablocks.last_mut().filter(|one| one.code == ACTION) else {
            return;
        };
        for (_, payload) in blocks.iter().filter(|(block, _)| may_be_path(block)) {
            let text = payload.bytes().split(|byte| *byte == 0).next();
            datablock.animates.note(text.unwrap_or_default());
        }
    }

    fn drivers(&mut self, drivers: &[&(Block, Payload)]) -> Result<()> {
        if drivers.is_empty() {
            return Ok(());
        }
        let properties = DrivenProperties::read(&mut self.owner)?;
        if let Some(datablock) = self.datablocks.last_mut() {
            properties.paths().for_each(|path| datablock.animates.note(path.as_bytes()));
        }
        for (block, payload) in drivers {
            let Some(view) = self.owner.file.views(block, payload).next() else { continue };
            let driver = properties.python_driver(&mut self.owner, &view)?;
            let is_python = driver.is_some();
            if let Some(datablock) = self.datablocks.last_mut() {
                datablock.drivers.extend(driver);
                datablock.invalid_drivers.extend(properties.invalid_driver(&view, is_python));
            }
        }
        Ok(())
    }

    /// What no frame shows of the nodes here.
    fn idle_nodes(&mut self, blocks: &[(Block, Payload)]) -> Result<IdleNodes> {
        let mut nodes = Vec::new();
        for (block, payload) in blocks.iter().filter(|(block, _)| self.structs.is_node(block)) {
            nodes.extend(self.owner.file.views(block, payload));
        }
        if nodes.is_empty() {
            return Ok(IdleNodes::default());
        }
        let links = blocks.iter().filter(|(block, _)| self.structs.is_link(block));
        let links: Vec<_> =
            links.flat_map(|(block, payload)| self.owner.file.views(block, payload)).collect();
        if matches!(&self.owner.code, b"MA" | b"WO")
            && has_volume(&mut self.owner, &nodes, &links)?
            && let Some(datablock) = self.datablocks.last_mut()
        {
            datablock.splitting.note(SplitObstacle::Volumes);
        }
        let ends = |link: &StructView| Some((link.pointer("fromnode")?, link.pointer("tonode")?));
        IdleNodes::of(&mut self.owner, &nodes, links.iter().filter_map(ends))
    }

    fn block(&mut self, block: &Block, payload: &Payload, idle: &IdleNodes) -> Result<()> {
        if self.structs.is_searched(block) {
            for view in self.owner.file.views(block, payload) {
                let shown = self.shown(block, &view, idle)?;
                if !is_legacy(self.owner.code, &view) {
                    self.search(&view, shown)?;
                }
            }
        }
        if let Some(reader) = self.structs.reader(block) {
            for view in self.owner.file.views(block, payload).take(MAX_STRUCTS) {
                let mut found = reader(&mut self.owner, &view)?;
                for path in &mut found {
                    match self.shown(block, &view, idle)? {
                        Shown::Never => path.shown_by = ShownBy::None,
                        Shown::WithModifiers => path.shown_by = ShownBy::ModifierOff,
                        Shown::Always | Shown::NotItsData | Shown::WithStrips => {}
                    }
                }
                if let Some(datablock) = self.datablocks.last_mut() {
                    datablock.paths.extend(found);
                }
            }
        }
        Ok(())
    }

    /// What frames show of a struct.
    fn shown(&mut self, block: &Block, view: &StructView, idle: &IdleNodes) -> Result<Shown> {
        if idle.hold(view) || (self.structs.is_node(block) && self.is_compositor_off()) {
            return Ok(Shown::Never);
        }
        if self.structs.is_strip(block) && is_muted_strip(&mut self.owner, view)? {
            return Ok(Shown::WithStrips);
        }
        Ok(self.structs.idle_rule(block).map_or(Shown::Always, |rule| rule.shown(view)))
    }

    /// Whether nodes here are those of a scene that is not composited: its own until 4.5, and a copy of
    /// them for such Blenders since. Its settings come before them in the file.
    fn is_compositor_off(&self) -> bool {
        let scene = self.datablocks.last().filter(|one| one.code == *b"SC");
        scene.is_some_and(|scene| scene.visibility.is_not_composited)
    }

    fn begin(&mut self, block: &Block) {
        let place = self.datablocks.len();
        let is_placeholder = block.code == BlockCode::PLACEHOLDER;
        let library = if is_placeholder { self.library() } else { None };
        self.by_address.entry(block.old_address).or_insert(place);
        self.datablocks.push(Datablock {
            sequence_uses: self.with_sequences.then(Box::default),
            ..Datablock::of(&self.owner, &self.base, library)
        });
        self.libraries.push(self.owner.library);
        self.addresses.push(Addresses::default());
        if self.owner.code == *b"LI" {
            self.last_library = Some(place);
        }
    }

    fn library_of(&mut self, block: &Block, view: &StructView) -> Result<()> {
        if view.pointer("archive_parent_library").is_some_and(|address| address != 0) {
            let written = BlendPath::new(view.string("name").unwrap_or_default());
            let folder = self.base.parent().unwrap_or(&self.base);
            self.archived_libraries.insert(block.old_address, written.resolve(folder).into());
        }
        let packed = PackedLibrary::of(&mut self.owner, view)?;
        if let Some(datablock) = self.datablocks.last_mut() {
            datablock.packed = packed.map(Box::new);
        }
        Ok(())
    }

    fn node_group_of(&mut self, view: &StructView) -> Result<()> {
        let kind = view.integer("type");
        let is_geometry = kind == Some(GEOMETRY_NODE_GROUP);
        let bake_nodes = if is_geometry { bake_nodes(&mut self.owner, view)? } else { Vec::new() };
        if let Some(datablock) = self.datablocks.last_mut() {
            datablock.is_shading = kind == Some(SHADER_NODE_GROUP);
            datablock.bake_nodes = bake_nodes;
        }
        Ok(())
    }

    /// The library of a placeholder: the one it points to, else the one it stands behind, as it
    /// does in every version (`read_file_libraries`, `readfile.cc`, Blender 5.0).
    fn library(&self) -> Option<usize> {
        self.by_address.get(&self.owner.library).copied().or(self.last_library)
    }

    fn search(&mut self, view: &StructView, shown: Shown) -> Result<()> {
        let (Some(addresses), Some(datablock)) =
            (self.addresses.last_mut(), self.datablocks.last_mut())
        else {
            return Ok(());
        };
        addresses.take(&mut self.owner, view, shown)?;
        if self.structs.is_visibility(view.block()) {
            datablock.visibility.note(view);
        }
        datablock.splitting.look(&mut self.owner, view)?;
        datablock.simulates |= simulates(view);
        if let Some(uses) = &mut datablock.sequence_uses {
            uses.search(&mut self.owner, view)?;
        }
        Ok(())
    }

    /// What the file holds.
    pub(super) fn finish(mut self) -> Contents {
        let image_at = |images: &[bool], address| {
            let place = self.by_address.get(&address).copied();
            place.filter(|place| images.get(*place) == Some(&true))
        };
        let images: Vec<bool> = self.datablocks.iter().map(|one| one.code == *b"IM").collect();
        for (place, (addresses, library)) in self.addresses.iter().zip(&self.libraries).enumerate()
        {
            let Some(datablock) = self.datablocks.get_mut(place) else { continue };
            if let Some(base) = self.archived_libraries.get(library) {
                datablock.base = Arc::clone(base);
            }
            addresses.resolve(place, datablock, |address| self.by_address.get(&address).copied());
            datablock.visibility.resolve(|address| self.by_address.get(&address).copied());
            if let Some(uses) = &mut datablock.sequence_uses {
                uses.resolve(|address| image_at(&images, address));
            }
        }
        for (place, simulation) in &self.simulations {
            let found = simulation.at_place(|address| self.by_address.get(&address).copied());
            if let Some(datablock) = self.datablocks.get_mut(*place) {
                datablock.simulations.extend(found);
            }
        }
        let is_big_endian = self.owner.file.header().byte_order == ByteOrder::Big;
        Contents { datablocks: self.datablocks, is_big_endian, by_name: OnceLock::new() }
    }
}
