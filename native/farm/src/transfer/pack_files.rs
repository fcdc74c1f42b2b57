//! A pack's files from the bucket to this disk.

use std::collections::BTreeMap;
use std::path::Path;

use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{Bundle, Manifest, PackedFile, keys};

use super::bundle::unpack_bundle;
use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// How many files are fetched at the same time; memory is bound by the storage.
const FILES_AT_ONCE: usize = 16;

impl Storage {
    /// How many bundles are fetched and unpacked at the same time; until then they are on the disk
    /// beside the folder.
    pub const BUNDLES_AT_ONCE: usize = 4;

    /// Brings files of a pack into a folder, each checked against its digest: those that are blobs of
    /// their own and those in bundles at the same time.
    ///
    /// # Errors
    /// [`FarmError::BadBundle`], or as [`Storage::get_file`]. What has arrived by then stays.
    pub async fn get_pack_files(
        &self,
        manifest: &Manifest,
        folder: &Path,
        is_wanted: impl Fn(&PackedFile) -> bool,
    ) -> Result<()> {
        let mut alone = Vec::new();
        let mut members: BTreeMap<u32, Vec<PackedFile>> = BTreeMap::new();
        for file in manifest.files.iter().filter(|file| is_wanted(file)) {
            match file.bundle {
                None => alone.push(file),
                Some(index) => members.entry(index).or_default().push(file.clone()),
            }
        }
        let bundles = members.into_iter().filter_map(|(index, files)| {
            let bundle = manifest.bundles.get(usize::try_from(index).ok()?)?;
            Some((bundle, files))
        });
        let alone = stream::iter(alone)
            .map(|file| async move {
                let key = keys::blob(&file.digest);
                let to = file.path.under(folder);
                self.get_file(&key, &to, &file.digest, file.size_bytes).await
            })
            .buffer_unordered(FILES_AT_ONCE)
            .try_collect::<Vec<()>>();
        let bundles = stream::iter(bundles)
            .map(|(bundle, files)| self.get_bundle(bundle, files, folder))
            .buffer_unordered(Self::BUNDLES_AT_ONCE)
            .try_collect::<Vec<()>>();
        let (alone, bundles) = tokio::join!(alone, bundles);
        alone.and(bundles).map(drop)
    }

    async fn get_bundle(
        &self,
        bundle: &Bundle,
        files: Vec<PackedFile>,
        folder: &Path,
    ) -> Result<()> {
        // Beside the pack's folder, so that it cannot meet one of the pack's files.
        let zip = folder.with_extension(bundle.digest.as_str());
        let key = keys::blob(&bundle.digest);
        self.get_file(&key, &zip, &bundle.digest, bundle.size_bytes).await?;
        let folder = folder.to_owned();
        let unpack = tokio::task::spawn_blocking(move || {
            let unpacked = unpack_bundle(&zip, &files, &folder);
            let _ = std::fs::remove_file(&zip);
            unpacked
        });
        unpack.await.map_err(|_| FarmError::Cancelled)?
    }
}
