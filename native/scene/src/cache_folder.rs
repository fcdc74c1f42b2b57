//! What Blender itself reads in the folders that a scene names whole. A folder is named by whoever made
//! the scene, and may be a whole home: what else is in it is no reason to send it.

use std::ffi::OsStr;
use std::path::Path;

/// The folder of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CacheFolder {
    /// A fluid domain's cache: files of these formats in a folder for each part
    /// (`BKE_fluid_cache_free`, `fluid.cc`; `getCacheFileEnding`, `MANTA_main.cpp`; Blender 5.2).
    Fluid,
    /// The fluid simulation before 2.82: `fluidsurface_final_0001.bobj.gz`.
    OldFluid,
    /// An ocean's images (`cache_filepath`, `ocean.cc`, Blender 5.2).
    Ocean,
    /// Bakes of geometry nodes: `meta/*.json` and `blobs/*` (`bake_items_paths.cc`, Blender 5.2).
    GeometryBake,
    /// Proxies of a clip: `proxy_25/00000001`, `proxy_50.avi` and the index of its times
    /// (`get_proxy_filepath`, `movieclip.cc`, Blender 5.2).
    Proxies,
    /// Whatever is there: a folder that the artist's own settings name, not the scene.
    Settings,
}

const FLUID_PARTS: [&[u8]; 6] = [b"config", b"data", b"guiding", b"mesh", b"noise", b"particles"];
const FLUID_FORMATS: [&[u8]; 6] = [b".uni", b".vdb", b".raw", b".npz", b".bobj.gz", b".obj.gz"];
const OCEAN_IMAGES: [&[u8]; 4] = [b"disp_", b"foam_", b"normal_", b"spray_"];

impl CacheFolder {
    /// Most folders below it on the way to a file.
    pub(crate) fn levels(self) -> usize {
        match self {
            Self::Ocean | Self::OldFluid => 0,
            Self::Fluid => 1,
            Self::GeometryBake | Self::Proxies => 3,
            Self::Settings => 32,
        }
    }

    /// Whether Blender reads a file there.
    pub(crate) fn holds(self, file: &Path) -> bool {
        let name = text(file.file_name());
        let part = text(file.parent().and_then(Path::file_name));
        match self {
            Self::Fluid => {
                FLUID_PARTS.contains(&part) && FLUID_FORMATS.iter().any(|end| name.ends_with(end))
            }
            Self::OldFluid => name.starts_with(b"fluidsurface_") && name.ends_with(b".bobj.gz"),
            Self::Ocean => {
                OCEAN_IMAGES.iter().any(|begin| name.starts_with(begin)) && name.ends_with(b".exr")
            }
            Self::GeometryBake => match part {
                b"meta" => name.ends_with(b".json"),
                b"blobs" => name.ends_with(b".blob") || name.ends_with(b".vdb"),
                _ => false,
            },
            Self::Proxies => {
                part.starts_with(b"proxy_")
                    || name.starts_with(b"proxy_")
                    || name.ends_with(b".blen_tc")
            }
            Self::Settings => true,
        }
    }
}

fn text(name: Option<&OsStr>) -> &[u8] {
    name.map(OsStr::as_encoded_bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_blender_does_not_write_into_a_cache_is_no_part_of_it() {
        for (folder, theirs, others) in [
            (
                CacheFolder::Fluid,
                &["data/fluid_data_0001.vdb", "mesh/fluid_mesh_0001.bobj.gz"][..],
                &["data/wallet.dat", "taxes.vdb", ".gitconfig"][..],
            ),
            (CacheFolder::OldFluid, &["fluidsurface_final_0001.bobj.gz"], &["letter.gz"]),
            (CacheFolder::Ocean, &["disp_0001.exr", "spray_inverse_0001.exr"], &["disp_1.txt"]),
            (
                CacheFolder::GeometryBake,
                &["123/meta/0001.json", "blobs/0001.blob"],
                &["notes.json", "meta/x.txt"],
            ),
            (
                CacheFolder::Proxies,
                &["clip.mov/proxy_25/00000001.jpg", "clip.mov/proxy_50.avi"],
                &["clip.mov/letter.txt"],
            ),
            (CacheFolder::Settings, &["luts/film.cube"], &[]),
        ] {
            let folder_holds = |name: &&str| folder.holds(&Path::new("/show/cache").join(name));
            assert!(theirs.iter().all(folder_holds), "{folder:?}");
            assert!(!others.iter().any(folder_holds), "{folder:?}");
        }
    }
}
