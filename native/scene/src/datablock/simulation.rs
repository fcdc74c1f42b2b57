//! Simulations: what they have computed lies in a cache, and where none is baked a frame shows what
//! the frames before it left behind.

use std::collections::HashSet;

use blendfile::StructView;

use super::Owner;
use crate::blend_path::BlendPath;
use crate::cache_folder::CacheFolder;
use crate::error::Result;
use crate::expand;

/// The structs that say so.
pub(crate) const SIMULATION_STRUCTS: [&str; 7] = [
    "ClothModifierData",
    "SoftbodyModifierData",
    "ParticleSystemModifierData",
    "DynamicPaintModifierData",
    "FluidModifierData",
    "NodesModifierData",
    "RigidBodyWorld",
];

/// `eModifierMode_Render`, `DNA_modifier_types.h`; `PTCACHE_BAKED`, `DNA_pointcache_types.h`;
/// `RBW_FLAG_MUTED`, `DNA_rigidbody_types.h`; `PSYS_HAIR_DYNAMICS`, `DNA_particle_types.h`;
/// `MOD_DPAINT_ACTIVE` and `MOD_DPAINT_SURFACE_F_IMAGESEQ`, `DNA_dynamicpaint_types.h`;
/// `MOD_FLUID_TYPE_DOMAIN`, `DNA_modifier_types.h`; `FLUID_DOMAIN_BAKED_DATA` and
/// `FLUID_DOMAIN_CACHE_REPLAY`, `DNA_fluid_types.h`; Blender 5.2.
const MODIFIER_RENDERS: i64 = 1 << 1;
const CACHE_IS_BAKED: i64 = 1;
const WORLD_IS_MUTED: i64 = 1;
const HAIR_IS_DYNAMIC: i64 = 1 << 2;
const SURFACE_IS_ACTIVE: i64 = 1;
const SURFACE_IS_IMAGES: i64 = 2;
const FLUID_IS_DOMAIN: i64 = 1;
const FLUID_IS_BAKED: i64 = 1 << 1;
const FLUID_IS_REPLAYED: i64 = 0;

/// `PART_HAIR` and those of `PART_PHYS_…` that go on from the frame before, `DNA_particle_types.h`,
/// Blender 5.2.
const PARTICLES_ARE_HAIR: i64 = 2;
const SIMULATED_PHYSICS: [i64; 3] = [1, 3, 4];

/// Where a simulation zone ends.
const SIMULATION_NODE: &[u8] = b"GeometryNodeSimulationOutput";

/// A node that keeps what was baked.
const BAKE_NODE: &[u8] = b"GeometryNodeBake";

/// Most surfaces of one canvas, and bakes of one modifier.
const MOST_PARTS: usize = 1000;

/// A simulation that is not baked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Simulation<At> {
    /// What Blender calls it.
    pub(crate) name: &'static str,
    /// What says whether it computes frame after frame at all: the settings of particles, the group
    /// of geometry nodes.
    pub(crate) settings: Option<At>,
    /// The nodes of that group, by the numbers that its modifier knows them by, that are not baked.
    /// None where they have no numbers.
    pub(crate) unbaked_nodes: Vec<i64>,
    /// Whether frames leave its modifier out, unless something animates that.
    pub(crate) is_off: bool,
}

impl Simulation<u64> {
    const fn new(name: &'static str) -> Self {
        Self { name, settings: None, unbaked_nodes: Vec::new(), is_off: false }
    }

    /// The same with a place instead of an address; nothing where the settings are not there.
    pub(crate) fn at_place(
        &self,
        place_at: impl Fn(u64) -> Option<usize>,
    ) -> Option<Simulation<usize>> {
        let settings = match self.settings {
            Some(address) => Some(place_at(address)?),
            None => None,
        };
        let unbaked_nodes = self.unbaked_nodes.clone();
        Some(Simulation { name: self.name, settings, unbaked_nodes, is_off: self.is_off })
    }
}

/// The numbers of a node group's own bake nodes, by which modifiers know them: without a bake they
/// compute each frame by itself.
pub(crate) fn bake_nodes(owner: &mut Owner<'_>, group: &StructView) -> Result<Vec<i64>> {
    let Some(address) = group.pointer("nested_node_refs").filter(|address| *address != 0) else {
        return Ok(Vec::new());
    };
    let mut identifiers = HashSet::new();
    for block in owner.blocks_of("bNode") {
        let Some(node) = owner.file.view(&block)? else { continue };
        if node.string("idname").is_some_and(|name| name == BAKE_NODE) {
            identifiers.extend(node.integer("identifier"));
        }
    }
    let references = owner.structs_at(address)?;
    let of_bakes = references.iter().take(MOST_PARTS).filter(|reference| {
        let node = reference.integer("path.node_id");
        node.is_some_and(|node| identifiers.contains(&node))
    });
    Ok(of_bakes.filter_map(|reference| reference.integer("id")).collect())
}

/// Whether a struct of particle settings or of a node group computes frame after frame.
pub(crate) fn simulates(view: &StructView) -> bool {
    match view.struct_name() {
        "ParticleSettings" => {
            let physics = view.integer("phystype").unwrap_or(0);
            view.integer("type") != Some(PARTICLES_ARE_HAIR) && SIMULATED_PHYSICS.contains(&physics)
        }
        "bNode" => view.string("idname").is_some_and(|name| name == SIMULATION_NODE),
        _ => false,
    }
}

/// The simulation of one of [`SIMULATION_STRUCTS`], where it is not baked.
pub(crate) fn unbaked(owner: &mut Owner<'_>, view: &StructView) -> Result<Option<Simulation<u64>>> {
    let is_off = view.integer("modifier.mode").is_some_and(|mode| mode & MODIFIER_RENDERS == 0);
    let found = unbaked_where_it_renders(owner, view)?;
    Ok(found.map(|simulation| Simulation { is_off, ..simulation }))
}

fn unbaked_where_it_renders(
    owner: &mut Owner<'_>,
    view: &StructView,
) -> Result<Option<Simulation<u64>>> {
    match view.struct_name() {
        "ClothModifierData" => {
            let is_baked = is_baked(owner, view.pointer("point_cache"))?;
            Ok((!is_baked).then(|| Simulation::new("cloth")))
        }
        "SoftbodyModifierData" => soft_body(owner),
        "ParticleSystemModifierData" => particles(owner, view),
        "DynamicPaintModifierData" => dynamic_paint(owner, view),
        "FluidModifierData" => fluid(owner, view),
        "NodesModifierData" => simulation_zones(owner, view),
        "RigidBodyWorld" => rigid_bodies(owner, view),
        _ => Ok(None),
    }
}

fn struct_at(owner: &mut Owner<'_>, address: Option<u64>) -> Result<Option<StructView>> {
    match address.filter(|address| *address != 0) {
        Some(address) => Ok(owner.structs_at(address)?.into_iter().next()),
        None => Ok(None),
    }
}

fn is_baked(owner: &mut Owner<'_>, cache: Option<u64>) -> Result<bool> {
    let cache = struct_at(owner, cache)?;
    Ok(cache.is_some_and(|cache| cache.integer("flag").unwrap_or(0) & CACHE_IS_BAKED != 0))
}

fn holds_anything(owner: &Owner<'_>, folder: Vec<u8>, of: CacheFolder) -> bool {
    let base = owner.as_path();
    let folder = BlendPath::new(folder).resolve(base.parent().unwrap_or(base));
    expand::holds_anything(&folder, of)
}

fn soft_body(owner: &mut Owner<'_>) -> Result<Option<Simulation<u64>>> {
    let Some(body) = owner.blocks_of("SoftBody").first().copied() else { return Ok(None) };
    let Some(body) = owner.file.view(&body)? else { return Ok(None) };
    let shared = struct_at(owner, body.pointer("shared"))?;
    // The cache was the body's own until 2.79.
    let cache = shared.map_or_else(|| body.pointer("pointcache"), |one| one.pointer("pointcache"));
    Ok((!is_baked(owner, cache)?).then(|| Simulation::new("soft body")))
}

fn particles(owner: &mut Owner<'_>, view: &StructView) -> Result<Option<Simulation<u64>>> {
    let Some(system) = struct_at(owner, view.pointer("psys"))? else { return Ok(None) };
    let has_dynamics = system.integer("flag").unwrap_or(0) & HAIR_IS_DYNAMIC != 0;
    let cloth = struct_at(owner, system.pointer("clmd").filter(|_| has_dynamics))?;
    if let Some(cloth) = cloth {
        let is_baked = is_baked(owner, cloth.pointer("point_cache"))?;
        return Ok((!is_baked).then(|| Simulation::new("hair dynamics")));
    }
    if is_baked(owner, system.pointer("pointcache"))? {
        return Ok(None);
    }
    let settings = system.pointer("part");
    Ok(Some(Simulation { settings, ..Simulation::new("particles") }))
}

fn dynamic_paint(owner: &mut Owner<'_>, view: &StructView) -> Result<Option<Simulation<u64>>> {
    let Some(canvas) = struct_at(owner, view.pointer("canvas"))? else { return Ok(None) };
    let mut next = canvas.pointer("surfaces.first");
    for _ in 0..MOST_PARTS {
        let Some(surface) = struct_at(owner, next)? else { break };
        let is_active = surface.integer("flags").unwrap_or(0) & SURFACE_IS_ACTIVE != 0;
        let is_images = surface.integer("format") == Some(SURFACE_IS_IMAGES);
        if is_active && !is_images && !is_baked(owner, surface.pointer("pointcache"))? {
            return Ok(Some(Simulation::new("dynamic paint")));
        }
        next = surface.pointer("next");
    }
    Ok(None)
}

fn fluid(owner: &mut Owner<'_>, view: &StructView) -> Result<Option<Simulation<u64>>> {
    if view.integer("type").unwrap_or(0) & FLUID_IS_DOMAIN == 0 {
        return Ok(None);
    }
    let Some(domain) = struct_at(owner, view.pointer("domain"))? else { return Ok(None) };
    if domain.integer("cache_flag").unwrap_or(0) & FLUID_IS_BAKED != 0 {
        return Ok(None);
    }
    // What was played is on the disk, and is rendered from there.
    let is_replayed = domain.integer("cache_type") == Some(FLUID_IS_REPLAYED);
    let folder = domain.string("cache_directory").unwrap_or_default();
    let is_there = is_replayed && holds_anything(owner, folder, CacheFolder::Fluid);
    Ok((!is_there).then(|| Simulation::new("fluid")))
}

fn rigid_bodies(owner: &mut Owner<'_>, view: &StructView) -> Result<Option<Simulation<u64>>> {
    let is_muted = view.integer("flag").unwrap_or(0) & WORLD_IS_MUTED != 0;
    let has_bodies = view.pointer("group").is_some_and(|group| group != 0);
    if is_muted || !has_bodies {
        return Ok(None);
    }
    let shared = struct_at(owner, view.pointer("shared"))?;
    let cache = shared.map_or_else(|| view.pointer("pointcache"), |one| one.pointer("pointcache"));
    Ok((!is_baked(owner, cache)?).then(|| Simulation::new("rigid body world")))
}

/// Each zone and each bake node of the group, however deep, has a bake of its own in the modifier,
/// by a number (`MOD_nodes_update_bakes`, `MOD_nodes.cc`, Blender 5.2). Before 4.1 there were none, and
/// what is in the modifier's folder is taken for all.
fn simulation_zones(owner: &mut Owner<'_>, view: &StructView) -> Result<Option<Simulation<u64>>> {
    let mut folders = Vec::new();
    for field in ["bake_directory", "simulation_bake_directory"] {
        folders.extend(owner.string_at(view.pointer(field))?.map(|(_, folder)| folder));
    }
    let bakes = match view.pointer("bakes").filter(|address| *address != 0) {
        Some(address) => owner.structs_at(address)?,
        None => Vec::new(),
    };
    let settings = view.pointer("node_group");
    if bakes.is_empty() {
        let is_there =
            |folder: &Vec<u8>| holds_anything(owner, folder.clone(), CacheFolder::GeometryBake);
        let simulation = Simulation { settings, ..Simulation::new("simulation nodes") };
        return Ok((!folders.iter().any(is_there)).then_some(simulation));
    }
    let mut unbaked_nodes = Vec::new();
    for bake in bakes.iter().take(MOST_PARTS) {
        let number = bake.integer("id").unwrap_or(0);
        let own = owner.string_at(bake.pointer("directory"))?.map(|(_, folder)| folder);
        // The modifier's folder has one for each bake, called by its number.
        let below = folders
            .iter()
            .map(|folder| [folder.as_slice(), b"/", number.to_string().as_bytes()].concat());
        let is_packed = bake.pointer("packed").is_some_and(|packed| packed != 0);
        let mut places = own.into_iter().chain(below);
        let is_baked = is_packed
            || places.any(|folder| holds_anything(owner, folder, CacheFolder::GeometryBake));
        if !is_baked {
            unbaked_nodes.push(number);
        }
    }
    let simulation = Simulation { settings, unbaked_nodes, ..Simulation::new("simulation nodes") };
    Ok((!simulation.unbaked_nodes.is_empty()).then_some(simulation))
}
