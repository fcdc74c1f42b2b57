//! Caches on disk: simulations, bakes, and geometry kept outside the `.blend` file.

#![expect(clippy::unnecessary_wraps, reason = "the readers of all structs have one signature")]

use blendfile::StructView;

use super::node::modifier_inputs;
use super::{FoundPath, Owner, ShownBy};
use crate::blend_path::BlendPath;
use crate::cache_folder::CacheFolder;
use crate::dependency::DependencyKind;
use crate::error::Result;
use crate::expand::Expansion;

/// `PTCACHE_BAKED`, `PTCACHE_DISK_CACHE` and `PTCACHE_EXTERNAL`, `DNA_pointcache_types.h`,
/// Blender 5.0.
const POINT_CACHE_BAKED: i64 = 1;
const POINT_CACHE_ON_DISK: i64 = 1 << 6;
const POINT_CACHE_EXTERNAL: i64 = 1 << 9;
/// `PTCACHE_IGNORE_LIBPATH`, the same file: the cache lies beside the scene that links the object.
const POINT_CACHE_IGNORES_LIBRARY: i64 = 1 << 11;

/// `FLUID_DOMAIN_BAKED_DATA`, `DNA_fluid_types.h`, Blender 5.2.
const FLUID_BAKED: i64 = 1 << 1;

/// `VOXELDATA` formats that are files: all but smoke (2) and image sequence (3),
/// `DNA_texture_types.h`, Blender 2.79.
const VOXELS_IN_FILES: [i64; 3] = [0, 1, 4];

/// Multires displacements and masks outside the file.
pub(super) fn multires(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    Ok(FoundPath::at(view, &["filename", "filepath"], DependencyKind::Multires, Expansion::File))
}

pub(super) fn mesh_cache(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    Ok(FoundPath::at(view, &["filepath"], DependencyKind::MeshCache, Expansion::File))
}

/// An ocean has a folder from the start; it matters once it is baked.
pub(super) fn ocean(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let is_baked = view.integer("cached").unwrap_or(0) != 0;
    let mut found = FoundPath::at(
        view,
        &["cachepath"],
        DependencyKind::OceanCache,
        Expansion::Folder(CacheFolder::Ocean),
    );
    for path in &mut found {
        path.is_required = is_baked;
    }
    Ok(found)
}

/// A fluid domain has a folder from the start; what is in it is what was baked, if anything was.
pub(super) fn fluid(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let kind = DependencyKind::FluidCache;
    let mut found =
        FoundPath::at(view, &["cache_directory"], kind, Expansion::Folder(CacheFolder::Fluid));
    for path in &mut found {
        path.is_required = view.integer("cache_flag").unwrap_or(0) & FLUID_BAKED != 0;
    }
    Ok(found)
}

/// The fluid simulation before 2.82.
pub(super) fn elbeem_fluid(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let kind = DependencyKind::FluidCache;
    let found =
        FoundPath::at(view, &["surfdataPath"], kind, Expansion::Folder(CacheFolder::OldFluid));
    Ok(found.into_iter().map(FoundPath::optional).collect())
}

/// Particles, cloth, soft bodies, rigid bodies, dynamic paint and old smoke.
///
/// Blender keeps them in `//blendcache_<file>/`, or in a folder of the artist's choice, as
/// `<name>_<frame>_<index>.bphys`, where a cache without a name is called after its datablock in
/// hexadecimal (`ptcache_filepath`, `pointcache.cc`, Blender 5.0).
pub(super) fn point_cache(owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let flag = view.integer("flag").unwrap_or(0);
    if flag & POINT_CACHE_ON_DISK == 0 {
        return Ok(Vec::new());
    }
    let name = view.string("name").unwrap_or_default();
    let is_external = flag & POINT_CACHE_EXTERNAL != 0;
    let mut prefix = if name.is_empty() && !is_external {
        owner.name.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect()
    } else {
        name
    };
    prefix.push(b'_');
    let kind = DependencyKind::PointCache;
    let is_of_scene = flag & POINT_CACHE_IGNORES_LIBRARY != 0;
    let mut chosen = FoundPath::at(view, &["path"], kind, Expansion::Prefix(prefix.clone()));
    for path in &mut chosen {
        path.is_of_scene = is_of_scene;
    }
    if is_external && !chosen.is_empty() {
        return Ok(chosen);
    }
    // Blender lists the folder of the artist's choice also where it is not in use.
    let mut found: Vec<FoundPath> = chosen.into_iter().map(FoundPath::optional).collect();
    found.push(FoundPath {
        kind,
        written: BlendPath::new(b"//".to_vec()),
        place: None,
        expansion: Expansion::BlendCache(prefix),
        is_required: flag & POINT_CACHE_BAKED != 0,
        is_of_scene,
        shown_by: ShownBy::All,
    });
    Ok(found)
}

/// The folder of all bakes of a geometry nodes modifier.
pub(super) fn geometry_bakes(owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let fields = ["bake_directory", "simulation_bake_directory"];
    let address = fields.iter().find_map(|field| view.pointer(field));
    let mut found = FoundPath::in_string(
        owner,
        address,
        DependencyKind::GeometryBake,
        Expansion::Folder(CacheFolder::GeometryBake),
    )?;
    found.extend(modifier_inputs(owner, view)?);
    Ok(found)
}

/// The folder of one bake, where the artist chose one.
pub(super) fn geometry_bake(owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    let address = view.pointer("directory");
    FoundPath::in_string(
        owner,
        address,
        DependencyKind::GeometryBake,
        Expansion::Folder(CacheFolder::GeometryBake),
    )
}

/// Voxel data of the textures of 2.5 to 2.7.
pub(super) fn voxel_data(_owner: &mut Owner<'_>, view: &StructView) -> Result<Vec<FoundPath>> {
    if !view.integer("file_format").is_some_and(|format| VOXELS_IN_FILES.contains(&format)) {
        return Ok(Vec::new());
    }
    Ok(FoundPath::at(view, &["source_path"], DependencyKind::Volume, Expansion::File))
}
