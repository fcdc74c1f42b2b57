//! A pack's files from the bucket to this disk.

use std::path::Path;

use farm::{FarmError, Storage, unpack_bundle};
use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{Manifest, PackedFile, keys};

use crate::error::Result;

/// How many files are fetched at the same time; memory is bound by the storage.
const FILES_AT_ONCE: usize = 16;

/// How many bundles are fetched and unpacked at the same time.
pub(crate) const BUNDLES_AT_ONCE: usize = 4;

/// Whether a file comes with the second part of a pack. Bundles hold little and come first.
pub(crate) fn comes_later(file: &PackedFile) -> bool {
    file.bundle.is_none() && file.opens_without
}

/// Brings into a folder what the scene cannot be opened without, bundles and others at the same
/// time.
pub(crate) async fn fetch_what_opens(
    storage: &Storage,
    manifest: &Manifest,
    folder: &Path,
) -> Result<()> {
    let is_first = |file: &&PackedFile| file.bundle.is_none() && !comes_later(file);
    let files = manifest.files.iter().filter(is_first);
    let (files, bundles) =
        tokio::join!(fetch_files(storage, files, folder), fetch_bundles(storage, manifest, folder));
    files.and(bundles)
}

/// Brings the rest: what only the rendering of a frame reads.
pub(crate) async fn fetch_rest(
    storage: &Storage,
    manifest: &Manifest,
    folder: &Path,
) -> Result<()> {
    fetch_files(storage, manifest.files.iter().filter(|file| comes_later(file)), folder).await
}

async fn fetch_files(
    storage: &Storage,
    files: impl Iterator<Item = &PackedFile>,
    folder: &Path,
) -> Result<()> {
    stream::iter(files)
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
