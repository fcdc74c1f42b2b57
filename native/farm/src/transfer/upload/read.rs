//! Reads and hashes files, and notices where one changes meanwhile. Everything here blocks.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::{Digest, PackPath};

use super::file_identity::FileIdentity;
use crate::error::{FarmError, Result};
use crate::transfer::bundle::{BundleWriter, SMALL_FILE_BYTES};
use crate::transfer::digest_file::digest_file;

/// How often a file that changes under the reader is read again.
pub(super) const TRIES: usize = 3;

/// About what a zip has for each file besides its bytes: two headers and the path twice.
const HEADER_BYTES: u64 = 256;

/// How long a file that changes is left alone before it is read again.
const SETTLING: Duration = Duration::from_millis(300);

/// A file whose bytes stayed the same while they were read.
pub(super) struct ReadFile {
    pub(super) identity: FileIdentity,
    pub(super) digest: Digest,
    /// Its bytes where they were kept.
    pub(super) bytes: Vec<u8>,
}

/// Reads a file whole, into a buffer; `limit_bytes` is the most that it may have grown to.
pub(super) fn read_whole(path: &Path, limit_bytes: u64, mut buffer: Vec<u8>) -> Result<ReadFile> {
    steadily(path, |identity| {
        if identity.size_bytes > limit_bytes {
            return Ok(None);
        }
        let file = File::open(path).map_err(FarmError::io("read", path))?;
        let mut bytes = std::mem::take(&mut buffer);
        bytes.clear();
        bytes.reserve(usize::try_from(identity.size_bytes).unwrap_or(0));
        file.take(limit_bytes + 1).read_to_end(&mut bytes).map_err(FarmError::io("read", path))?;
        let digest = digest_of(&bytes)?;
        Ok((bytes.len() as u64 == identity.size_bytes).then_some((digest, bytes)))
    })
}

/// Hashes a file without keeping it.
pub(super) fn hash(path: &Path) -> Result<ReadFile> {
    steadily(path, |_| Ok(Some((digest_file(path)?, Vec::new()))))
}

/// The files of a bundle and the zip that they make.
pub(super) struct ReadBundle {
    pub(super) files: Vec<(FileIdentity, Digest)>,
    pub(super) zip: Vec<u8>,
    pub(super) digest: Digest,
}

/// Reads small files, about so many bytes together, and makes a bundle of them.
pub(super) fn read_bundle(members: &[(PackPath, PathBuf)], size_bytes: u64) -> Result<ReadBundle> {
    let mut files = Vec::with_capacity(members.len());
    let mut writer = BundleWriter::new(size_bytes + HEADER_BYTES * members.len() as u64);
    let mut buffer = Vec::new();
    for (place, source) in members {
        let read = read_whole(source, SMALL_FILE_BYTES, buffer)?;
        writer.add(place, &read.bytes).map_err(FarmError::io("bundle", source))?;
        files.push((read.identity, read.digest));
        buffer = read.bytes;
    }
    let first = members.first().map_or(Path::new(""), |(_, source)| source.as_path());
    let zip = writer.finish().map_err(FarmError::io("bundle", first))?;
    let digest = digest_of(&zip)?;
    Ok(ReadBundle { files, zip, digest })
}

/// Reads until nothing changed meanwhile; `read` gives nothing where it saw a change itself.
fn steadily(
    path: &Path,
    mut read: impl FnMut(&FileIdentity) -> Result<Option<(Digest, Vec<u8>)>>,
) -> Result<ReadFile> {
    for _ in 0..TRIES {
        let identity = FileIdentity::of(path)?;
        let read = read(&identity)?;
        if let Some((digest, bytes)) = read
            && FileIdentity::of(path)? == identity
        {
            return Ok(ReadFile { identity, digest, bytes });
        }
        std::thread::sleep(SETTLING);
    }
    Err(FarmError::FileChanging { path: path.to_owned() })
}

fn digest_of(bytes: &[u8]) -> Result<Digest> {
    Ok(Digest::try_from(blake3::hash(bytes).to_hex().to_string())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_keeps_growing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.abc");
        std::fs::write(&path, "a").unwrap();
        let error = steadily(&path, |_| {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes.push(b'a');
            std::fs::write(&path, bytes).unwrap();
            Ok(Some((digest_of(b"a")?, Vec::new())))
        })
        .err()
        .unwrap();
        assert!(matches!(error, FarmError::FileChanging { path: named } if named == path));
    }

    #[test]
    fn a_file_that_settles_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.abc");
        std::fs::write(&path, "a").unwrap();
        let first = std::cell::Cell::new(true);
        let read = steadily(&path, |_| {
            if first.replace(false) {
                std::fs::write(&path, "whole").unwrap();
            }
            let bytes = std::fs::read(&path).unwrap();
            Ok(Some((digest_of(&bytes)?, bytes)))
        })
        .unwrap();
        assert_eq!(read.bytes, b"whole");
    }
}
