use std::path::{Path, PathBuf};

use farm::{FarmError, Storage, unpack_bundle};
use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{Manifest, PackId, PackedFile, keys, parse};

use crate::error::{ConsumerError, Result};

/// How many files are fetched at the same time.
const FILES_AT_ONCE: usize = 16;

/// How many bundles are fetched and unpacked at the same time.
const BUNDLES_AT_ONCE: usize = 4;

/// The pack on this worker's disk; one at a time.
#[derive(Debug)]
pub(crate) struct PackFolder {
    root: PathBuf,
    current: Option<(PackId, PackOnDisk)>,
}

/// A pack that is whole on this worker's disk.
#[derive(Debug, Clone)]
pub(crate) struct PackOnDisk {
    /// The scene.
    pub(crate) blend_file: PathBuf,
    /// The colour configuration to open it with, where it is not Blender's own.
    pub(crate) color_config: Option<PathBuf>,
}

impl PackFolder {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, current: None }
    }

    /// Brings a pack here unless it is here; gives its scene.
    ///
    /// Every file is checked against its digest while it is written, and the manifest against the
    /// pack's id, so that what is rendered is what the artist sent.
    pub(crate) async fn fetch(&mut self, storage: &Storage, pack: &PackId) -> Result<PackOnDisk> {
        if let Some((current, on_disk)) = &self.current
            && current == pack
        {
            return Ok(on_disk.clone());
        }
        self.current = None;
        clear(&self.root)?;
        let key = keys::pack(pack);
        let bytes = storage
            .get(&key, Manifest::MAX_SIZE_BYTES)
            .await?
            .ok_or_else(|| FarmError::NoPack { pack: pack.to_string() })?;
        let got = blake3::hash(&bytes).to_hex().to_string();
        if got != pack.0.as_str() {
            return Err(FarmError::Damaged { key, expected: pack.to_string(), got }.into());
        }
        let manifest: Manifest = parse(&bytes)?;
        let folder = self.root.join(pack.0.as_str());
        fetch_files(storage, &manifest, &folder).await?;
        fetch_bundles(storage, &manifest, &folder).await?;
        let on_disk = PackOnDisk {
            blend_file: manifest.blend_file.under(&folder),
            color_config: manifest.color_config.map(|config| config.under(&folder)),
        };
        self.current = Some((pack.clone(), on_disk.clone()));
        Ok(on_disk)
    }
}

async fn fetch_files(storage: &Storage, manifest: &Manifest, folder: &Path) -> Result<()> {
    stream::iter(manifest.files.iter().filter(|file| file.bundle.is_none()))
        .map(|file| {
            let to = file.path.under(folder);
            async move {
                let key = keys::blob(&file.digest);
                storage.get_file(&key, &to, &file.digest, file.size_bytes).await
            }
        })
        .buffer_unordered(FILES_AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}

async fn fetch_bundles(storage: &Storage, manifest: &Manifest, folder: &Path) -> Result<()> {
    let mut members: Vec<Vec<PackedFile>> = vec![Vec::new(); manifest.bundles.len()];
    for file in &manifest.files {
        let index = file.bundle.and_then(|index| usize::try_from(index).ok());
        if let Some(bundle) = index.and_then(|index| members.get_mut(index)) {
            bundle.push(file.clone());
        }
    }
    stream::iter(manifest.bundles.iter().zip(members))
        .map(|(bundle, files)| async move {
            // Beside the pack's folder, so that it cannot meet one of the pack's files.
            let zip = folder.with_extension(bundle.digest.as_str());
            let key = keys::blob(&bundle.digest);
            storage.get_file(&key, &zip, &bundle.digest, bundle.size_bytes).await?;
            let folder = folder.to_owned();
            let unpack = tokio::task::spawn_blocking(move || {
                let unpacked = unpack_bundle(&zip, &files, &folder);
                let _ = std::fs::remove_file(&zip);
                unpacked
            });
            unpack.await.map_err(|_| FarmError::Cancelled)?
        })
        .buffer_unordered(BUNDLES_AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}

fn clear(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(ConsumerError::io("clear", folder)(error))
        }
        _ => Ok(()),
    }
}
