//! A pack in two parts: what its scene cannot be opened without, and the rest.

use std::path::Path;

use farm::Storage;
use protocol::{Manifest, PackedFile};

use crate::error::Result;

/// Whether a file comes with the second part of a pack. Bundles hold little and come first.
pub(crate) fn comes_later(file: &PackedFile) -> bool {
    file.bundle.is_none() && file.opens_without
}

/// Brings into a folder what the scene cannot be opened without.
pub(crate) async fn fetch_what_opens(
    storage: &Storage,
    manifest: &Manifest,
    folder: &Path,
) -> Result<()> {
    Ok(storage.get_pack_files(manifest, folder, |file| !comes_later(file)).await?)
}

/// Brings the rest: what only the rendering of a frame reads.
pub(crate) async fn fetch_rest(
    storage: &Storage,
    manifest: &Manifest,
    folder: &Path,
) -> Result<()> {
    Ok(storage.get_pack_files(manifest, folder, comes_later).await?)
}
