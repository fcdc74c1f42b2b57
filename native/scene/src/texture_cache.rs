//! Cycles' texture cache (Blender 5.2): `.tx` files in a folder `blender_tx` beside an image. Cycles shows
//! them instead of the image, at the resolution that a frame needs, so that they change the picture.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::disk_file::{DiskFile, entries_of};

/// The folder beside an image.
const FOLDER: &str = "blender_tx";

/// The files that Cycles shows instead of some images: `<image>.<settings>.tx`, of the very second of the
/// image, else they are out of date (`image_cache.cpp`, Cycles 5.2).
pub(crate) fn shown_instead(images: &[DiskFile]) -> Vec<DiskFile> {
    let mut folders: HashMap<PathBuf, Vec<(Vec<u8>, PathBuf)>> = HashMap::new();
    let mut found = Vec::new();
    for image in images {
        let (Some(folder), Some(name)) = (image.path.parent(), image.path.file_name()) else {
            continue;
        };
        let cached = folders.entry(folder.to_owned()).or_insert_with(|| cached_in(folder));
        if cached.is_empty() {
            continue;
        }
        let prefix = [name.as_encoded_bytes(), b"."].concat();
        let changed = seconds_of(&image.path);
        let of_image = cached.iter().filter(|(name, _)| name.starts_with(&prefix));
        let current = of_image.filter(|(_, path)| changed.is_some() && seconds_of(path) == changed);
        found.extend(current.filter_map(|(_, path)| DiskFile::at(path, image.frame)));
    }
    found
}

fn cached_in(folder: &Path) -> Vec<(Vec<u8>, PathBuf)> {
    let entries = entries_of(&folder.join(FOLDER)).unwrap_or_default();
    let name = |entry: &std::fs::DirEntry| entry.file_name().as_encoded_bytes().to_vec();
    let cached = entries.iter().map(|entry| (name(entry), entry.path()));
    cached.filter(|(name, _)| name.ends_with(b".tx")).collect()
}

fn seconds_of(path: &Path) -> Option<u64> {
    let changed = std::fs::metadata(path).as_ref().map(Metadata::modified).ok()?.ok()?;
    Some(changed.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    #[test]
    fn what_is_as_old_as_its_image_is_shown_instead_of_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(FOLDER)).unwrap();
        let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let write = |name: &str, changed: SystemTime| {
            let path = folder.path().join(name);
            fs::write(&path, b"x").unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(changed).unwrap();
            path
        };
        let wood = write("wood.png", old + Duration::from_millis(300));
        let shown = write("blender_tx/wood.png.0-AB.tx", old);
        write("blender_tx/wood.png.0-CD.tx", old + Duration::from_secs(1));
        write("blender_tx/wood.png2.0-AB.tx", old);
        let images = [DiskFile::at(&wood, Some(7)).unwrap()];
        assert_eq!(shown_instead(&images), [DiskFile::at(&shown, Some(7)).unwrap()]);
    }
}
