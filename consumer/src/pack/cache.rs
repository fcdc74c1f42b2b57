//! The packs on this worker's disk: kept until space is needed, the longest unused first.

use std::path::{Path, PathBuf};

use farm::{FarmError, Storage};
use protocol::{Manifest, PackId, keys, parse};

use crate::error::{ConsumerError, Result};
use crate::own_folder;
use crate::pack::fetch::{comes_later, fetch_rest, fetch_what_opens};
use crate::pack::seal::Seal;

/// What stays free for results, logs and Blender's own files.
const RESERVE_BYTES: u64 = 256 << 20;

/// Packs by their id, the last used one last.
#[derive(Debug)]
pub(crate) struct PackCache {
    root: PathBuf,
    kept: Vec<KeptPack>,
}

#[derive(Debug)]
struct KeptPack {
    id: PackId,
    folder: PathBuf,
    on_disk: PackOnDisk,
    /// How every file and folder of it was left, to see whether anybody has changed one.
    seal: Seal,
}

/// A pack on this worker's disk.
#[derive(Debug, Clone)]
pub(crate) struct PackOnDisk {
    /// The scene.
    pub(crate) blend_file: PathBuf,
    /// The colour configuration to open it with, where it is not Blender's own.
    pub(crate) color_config: Option<PathBuf>,
    /// Whether it was brought here for this task.
    pub(crate) is_new: bool,
}

/// A pack of which the scene can be opened, and what is still to come.
#[derive(Debug)]
pub(crate) struct RestOfPack {
    id: PackId,
    manifest: Manifest,
    folder: PathBuf,
    on_disk: PackOnDisk,
}

impl PackCache {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, kept: Vec::new() }
    }

    /// Brings a pack here unless it is here: all that its scene cannot be opened without. Where
    /// there is more, [`PackCache::fetch_rest`] brings it.
    ///
    /// Every file is checked against its digest while it is written, and the manifest against the
    /// pack's id, so that what is rendered is what the artist sent. One that is here is looked over:
    /// a script may have changed it.
    pub(crate) async fn fetch(
        &mut self,
        storage: &Storage,
        pack: &PackId,
    ) -> Result<(PackOnDisk, Option<RestOfPack>)> {
        if let Some(at) = self.kept.iter().position(|kept| kept.id == *pack) {
            let kept = self.kept.remove(at);
            if kept.seal.holds() {
                let on_disk = PackOnDisk { is_new: false, ..kept.on_disk.clone() };
                self.kept.push(kept);
                return Ok((on_disk, None));
            }
            tracing::warn!(pack = %pack, "files of the pack were changed on this disk");
            clear(&kept.folder)?;
        }
        let manifest = manifest(storage, pack).await?;
        let folder = self.root.join(pack.0.as_str());
        std::fs::create_dir_all(&self.root)
            .map_err(ConsumerError::io("make the folder", &self.root))?;
        self.clear_what_broke_off()?;
        self.make_room(needed_bytes(&manifest))?;
        if let Err(error) = fetch_what_opens(storage, &manifest, &folder).await {
            let _ = clear(&folder);
            return Err(error);
        }
        let on_disk = PackOnDisk {
            blend_file: manifest.blend_file.under(&folder),
            color_config: manifest.color_config.as_ref().map(|config| config.under(&folder)),
            is_new: true,
        };
        let rest = RestOfPack { id: pack.clone(), manifest, folder, on_disk: on_disk.clone() };
        if rest.manifest.files.iter().any(comes_later) {
            return Ok((on_disk, Some(rest)));
        }
        self.keep(rest)?;
        Ok((on_disk, None))
    }

    /// Brings what only the rendering of a frame reads; the pack is whole then.
    pub(crate) async fn fetch_rest(&mut self, storage: &Storage, rest: RestOfPack) -> Result<()> {
        if let Err(error) = fetch_rest(storage, &rest.manifest, &rest.folder).await {
            let _ = clear(&rest.folder);
            return Err(error);
        }
        self.keep(rest)
    }

    fn keep(&mut self, pack: RestOfPack) -> Result<()> {
        let RestOfPack { id, manifest: _, folder, on_disk } = pack;
        let seal = Seal::put(&folder).map_err(ConsumerError::io("seal", &folder))?;
        self.kept.push(KeptPack { id, folder, on_disk, seal });
        Ok(())
    }

    /// Deletes what was left when a task was cancelled, or ran out of time, while its pack came.
    fn clear_what_broke_off(&self) -> Result<()> {
        let looking = || ConsumerError::io("look into", &self.root);
        for entry in std::fs::read_dir(&self.root).map_err(looking())? {
            let path = entry.map_err(looking())?.path();
            if self.kept.iter().any(|kept| kept.folder == path) {
                continue;
            }
            if path.is_dir() {
                clear(&path)?;
            } else {
                std::fs::remove_file(&path).map_err(ConsumerError::io("delete", &path))?;
            }
        }
        Ok(())
    }

    /// Deletes every pack.
    pub(crate) fn clear(&mut self) -> Result<()> {
        self.kept.clear();
        clear(&self.root)
    }

    /// Deletes packs until there is room for another one.
    fn make_room(&mut self, needed_bytes: u64) -> Result<()> {
        loop {
            let (free_bytes, has_bytes) = disk_space(&self.root)?;
            if free_bytes >= needed_bytes {
                return Ok(());
            }
            if has_bytes < needed_bytes {
                return Err(ConsumerError::PackTooLarge { needed_bytes, has_bytes });
            }
            if self.kept.is_empty() {
                return Err(ConsumerError::DiskFull { needed_bytes, free_bytes });
            }
            let oldest = self.kept.remove(0);
            tracing::info!(pack = %oldest.id, "deleted for want of space");
            clear(&oldest.folder)?;
        }
    }
}

/// The files, and the largest bundle beside them until it is unpacked.
fn needed_bytes(manifest: &Manifest) -> u64 {
    let bundles = manifest.bundles.iter().map(|bundle| bundle.size_bytes).max().unwrap_or(0);
    let at_once = u64::try_from(Storage::BUNDLES_AT_ONCE).unwrap_or(1);
    manifest
        .size_bytes()
        .saturating_add(bundles.saturating_mul(at_once))
        .saturating_add(RESERVE_BYTES)
}

async fn manifest(storage: &Storage, pack: &PackId) -> Result<Manifest> {
    let key = keys::pack(pack);
    let bytes = storage
        .get(&key, Manifest::MAX_SIZE_BYTES)
        .await?
        .ok_or_else(|| FarmError::NoPack { pack: pack.to_string() })?;
    let got = blake3::hash(&bytes).to_hex().to_string();
    if got != pack.0.as_str() {
        return Err(FarmError::Damaged { key, expected: pack.to_string(), got }.into());
    }
    Ok(parse(&bytes)?)
}

/// The free bytes of a folder's disk, and all that it has.
fn disk_space(folder: &Path) -> Result<(u64, u64)> {
    let found = rustix::fs::statvfs(folder)
        .map_err(|error| ConsumerError::io("look at the disk of", folder)(error.into()))?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
    Ok((bytes(found.f_bavail), bytes(found.f_blocks)))
}

fn clear(folder: &Path) -> Result<()> {
    own_folder::delete(folder).map_err(ConsumerError::io("clear", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(root: &Path, name: &str) -> KeptPack {
        let folder = root.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let blend_file = folder.join("a.blend");
        std::fs::write(&blend_file, b"scene").unwrap();
        let seal = Seal::put(&folder).unwrap();
        KeptPack {
            id: PackId(name.repeat(64).try_into().unwrap()),
            folder,
            on_disk: PackOnDisk {
                blend_file: blend_file.clone(),
                color_config: None,
                is_new: true,
            },
            seal,
        }
    }

    #[test]
    fn packs_go_when_there_is_no_room_and_what_never_fits_is_said() {
        let root = tempfile::tempdir().unwrap();
        let mut cache = PackCache::new(root.path().to_owned());
        cache.kept = vec![kept(root.path(), "a"), kept(root.path(), "b")];
        cache.make_room(1).unwrap();
        assert_eq!(cache.kept.len(), 2);
        let (_, has_bytes) = disk_space(root.path()).unwrap();
        let error = cache.make_room(has_bytes + 1).unwrap_err();
        assert!(matches!(error, ConsumerError::PackTooLarge { .. }), "{error}");
        let error = cache.make_room(has_bytes).unwrap_err();
        assert!(matches!(error, ConsumerError::DiskFull { .. }), "{error}");
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_broke_off_goes_and_what_is_kept_stays() {
        let root = tempfile::tempdir().unwrap();
        let mut cache = PackCache::new(root.path().to_owned());
        cache.kept = vec![kept(root.path(), "a")];
        kept(root.path(), "b");
        std::fs::write(root.path().join("c.zip"), b"half").unwrap();
        cache.clear_what_broke_off().unwrap();
        let left: Vec<_> = std::fs::read_dir(root.path()).unwrap().collect();
        assert_eq!(left.len(), 1);
        assert!(cache.kept[0].seal.holds());
    }
}
