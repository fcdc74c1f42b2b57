//! One small function a struct: which paths it holds, and what they mean.
//!
//! To support another struct, write its function and add one line to [`reader`].

mod cache;
mod driver;
mod image;
mod list;
mod media;
mod muted_strips;
mod node;
mod property;
mod simulation;
mod strip;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use blendfile::{BlendFile, Block, CharArray, Integer, Payload, StructView};

use crate::blend_path::BlendPath;
use crate::dependency::DependencyKind;
use crate::error::Result;
use crate::expand::Expansion;

pub(crate) use driver::{DrivenProperties, InvalidDriver, PythonDriver};
pub(crate) use list::each_in_list;
pub(crate) use muted_strips::is_muted_strip;
pub(crate) use property::numbers_of;
pub(crate) use simulation::{SIMULATION_STRUCTS, Simulation, bake_nodes, simulates, unbaked};

/// A path that a struct holds.
#[derive(Debug, Clone)]
pub(crate) struct FoundPath {
    /// What it points to.
    pub(crate) kind: DependencyKind,
    /// The path as written.
    pub(crate) written: BlendPath,
    /// Where it stands; `None` where Blender derives it from names.
    pub(crate) place: Option<Place>,
    /// Which files it stands for.
    pub(crate) expansion: Expansion,
    /// Whether the scene renders wrongly without it.
    pub(crate) is_required: bool,
    /// Whether `//` begins at the scene, also where a library holds the datablock.
    pub(crate) is_of_scene: bool,
    /// Which frames show it.
    pub(crate) shown_by: ShownBy,
}

/// Which frames show what a path leads to, as far as the struct that holds it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShownBy {
    All,
    /// Those that show strips; this one, unless it is muted and nothing animates that.
    Strip {
        is_muted: bool,
    },
    /// None, unless something animates which modifiers are rendered.
    ModifierOff,
    None,
}

/// Where a path stands in a `.blend` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A char array inside a struct.
    CharArray(CharArray),
    /// A block that is a string.
    StringBlock(Block),
    /// The string of a property, and where its length stands.
    Property(Block, Integer),
}

/// Reads the paths of one struct; none where its data is packed into the file.
pub(crate) type Reader = fn(&mut Owner<'_>, &StructView) -> Result<Vec<FoundPath>>;

/// The function for a struct, by its name in C.
pub(crate) fn reader(struct_name: &str) -> Option<Reader> {
    Some(match struct_name {
        "Library" => media::library,
        "LibraryWeakReference" => media::appended_from,
        "Image" => image::image,
        "bSound" => media::sound,
        "VFont" => media::font,
        "Volume" => media::volume,
        "MovieClip" => media::movie_clip,
        "CacheFile" => media::cache_file,
        "CacheFileLayer" => media::cache_file_layer,
        "Text" => media::text,
        "Camera" => node::camera_shader,
        "Brush" => media::brush_icon,
        "CustomDataExternal" => cache::multires,
        "MeshCacheModifierData" => cache::mesh_cache,
        "OceanModifierData" => cache::ocean,
        "FluidDomainSettings" => cache::fluid,
        "FluidsimSettings" => cache::elbeem_fluid,
        "PointCache" => cache::point_cache,
        "NodesModifierData" => cache::geometry_bakes,
        "NodesModifierBake" => cache::geometry_bake,
        "VoxelData" => cache::voxel_data,
        "NodeShaderTexIES" => node::ies,
        "NodeShaderScript" => node::osl_script,
        "bNodeSocketValueString" => node::path_socket,
        "NodeInputString" => node::string_input,
        "Sequence" => strip::strip,
        _ => return None,
    })
}

/// The datablock that a struct belongs to, with the blocks that follow it in the file.
pub(crate) struct Owner<'a> {
    pub(crate) file: &'a mut BlendFile,
    /// The two letters of its type.
    pub(crate) code: [u8; 2],
    /// Its name, without those letters; empty for what has none.
    pub(crate) name: Vec<u8>,
    /// The address of its library.
    pub(crate) library: u64,
    as_path: &'a Path,
    /// Its blocks, its own first.
    blocks: Vec<Block>,
    by_address: Option<HashMap<u64, Block>>,
    /// The addresses of its strips that are muted, once that was asked.
    muted_strips: Option<HashSet<u64>>,
}

impl<'a> Owner<'a> {
    /// At no datablock yet of a file that lives at `as_path`, as the artist sees it.
    pub(crate) fn new(file: &'a mut BlendFile, as_path: &'a Path) -> Self {
        let (code, name, library) = ([0; 2], Vec::new(), 0);
        let (by_address, muted_strips) = (None, None);
        Self { file, code, name, library, as_path, blocks: Vec::new(), by_address, muted_strips }
    }

    /// Where the file lives.
    pub(crate) fn as_path(&self) -> &Path {
        self.as_path
    }

    /// Goes to the datablock that has these blocks, its own first.
    pub(crate) fn enter(&mut self, blocks: &[Block], view: Option<&StructView>) {
        (self.code, self.library) = ([0; 2], 0);
        self.name.clear();
        (self.by_address, self.muted_strips) = (None, None);
        self.blocks.clear();
        self.blocks.extend_from_slice(blocks);
        let Some(view) = view else { return };
        // What stands in for a datablock of a library is an `ID` and nothing more.
        let name = view.string("id.name").or_else(|| view.string("name")).unwrap_or_default();
        if let ([first, second], name) = name.split_at(name.len().min(2)) {
            (self.code, self.name) = ([*first, *second], name.to_vec());
        }
        self.library = view.pointer("id.lib").or_else(|| view.pointer("lib")).unwrap_or(0);
    }

    /// The datablock's own struct.
    pub(crate) fn own_struct(&mut self) -> Result<Option<StructView>> {
        Ok(match self.blocks.first().copied() {
            Some(block) => self.file.view(&block)?,
            None => None,
        })
    }

    /// The bytes of a block; none where the datablock has none at that address.
    pub(crate) fn payload_at(&mut self, address: u64) -> Result<Vec<u8>> {
        match self.block_at(address) {
            Some(block) => Ok(self.file.payload(&block)?),
            None => Ok(Vec::new()),
        }
    }

    /// The structs of a block. Addresses mean something among the blocks of one datablock only:
    /// Blender frees and reuses memory while it writes.
    pub(crate) fn structs_at(&mut self, address: u64) -> Result<Vec<StructView>> {
        /// Image strips have one struct a frame; nothing else here has more than a few.
        const MOST: usize = 1_000_000;
        let Some(block) = self.block_at(address) else { return Ok(Vec::new()) };
        let payload = Payload::new(self.file.payload(&block)?);
        Ok(self.file.views(&block, &payload).take(MOST).collect())
    }

    /// A string that a `char *` leads to, with its block.
    fn string_at(&mut self, address: Option<u64>) -> Result<Option<(Block, Vec<u8>)>> {
        let Some(block) = address.and_then(|address| self.block_at(address)) else {
            return Ok(None);
        };
        let payload = self.file.payload(&block)?;
        let text = payload.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
        Ok((!text.is_empty()).then_some((block, text)))
    }

    /// The blocks of this datablock that hold a struct, by its name in C.
    fn blocks_of(&self, struct_name: &str) -> Vec<Block> {
        let structs = self.file.dna().structs();
        let holds = |block: &&Block| {
            let index = usize::try_from(block.struct_index).unwrap_or(usize::MAX);
            structs.get(index).is_some_and(|structure| structure.name == struct_name)
        };
        self.blocks().filter(holds).copied().collect()
    }

    /// The block at an address, among those of this datablock.
    pub(crate) fn block_at(&mut self, address: u64) -> Option<Block> {
        /// So many are looked through sooner than they are sorted.
        const FEW: usize = 64;
        if address == 0 {
            return None;
        }
        if self.by_address.is_none() && self.blocks().take(FEW + 1).count() <= FEW {
            return self.blocks().filter(|block| block.old_address == address).last().copied();
        }
        if self.by_address.is_none() {
            let by_address = self.blocks().map(|block| (block.old_address, *block)).collect();
            self.by_address = Some(by_address);
        }
        self.by_address.as_ref()?.get(&address).copied()
    }

    /// The blocks behind the datablock's own.
    fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().skip(1)
    }
}

impl FoundPath {
    fn at(
        view: &StructView,
        fields: &[&str],
        kind: DependencyKind,
        expansion: Expansion,
    ) -> Vec<Self> {
        let Some(field) = fields.iter().find(|field| view.char_array(field).is_some()) else {
            return Vec::new();
        };
        let written = BlendPath::new(view.string(field).unwrap_or_default());
        if written.is_empty() {
            return Vec::new();
        }
        let place = view.char_array(field).map(Place::CharArray);
        vec![Self {
            kind,
            written,
            place,
            expansion,
            is_required: true,
            is_of_scene: false,
            shown_by: ShownBy::All,
        }]
    }

    /// A path that is a string of its own, where there is one. None of those found so is required:
    /// each names what was baked, or what may be a path.
    fn in_string(
        owner: &mut Owner<'_>,
        address: Option<u64>,
        kind: DependencyKind,
        expansion: Expansion,
    ) -> Result<Vec<Self>> {
        let Some((block, text)) = owner.string_at(address)? else { return Ok(Vec::new()) };
        let (written, place) = (BlendPath::new(text), Some(Place::StringBlock(block)));
        Ok(vec![Self {
            kind,
            written,
            place,
            expansion,
            is_required: false,
            is_of_scene: false,
            shown_by: ShownBy::All,
        }])
    }

    fn optional(mut self) -> Self {
        self.is_required = false;
        self
    }
}

/// The fields of a datablock's path: `name` in files, which the running Blender calls `filepath`
/// (`dna_rename_defs.h`), and in those that came later `filepath` in both. The order matters: a
/// library of 2.52 to 2.90 has both, `name` as it was written and in `filepath` where it was on the
/// disk of whoever saved it (`Library`, `DNA_ID.h`, Blender 2.83).
pub(crate) const PATH: [&str; 2] = ["name", "filepath"];

/// Whether any of some pointers is set.
fn any_set(view: &StructView, pointers: &[&str]) -> bool {
    pointers.iter().any(|pointer| view.pointer(pointer).is_some_and(|address| address != 0))
}
