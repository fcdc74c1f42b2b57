//! Small files travel in zips, so that ten thousand of them are tens of objects.

use std::fs::File;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use protocol::{PackPath, PackedFile};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::error::{FarmError, Result};

/// Files of at most this many bytes travel in bundles.
pub(crate) const SMALL_FILE_BYTES: u64 = 256 << 10;

/// A bundle with more bytes than this is divided.
const BUNDLE_BYTES: u64 = 4 << 20;

/// A bundle with more files than this is divided.
const BUNDLE_FILES: usize = 1024;

/// How much of a file shows whether compressing it is worth the time.
const SAMPLE_BYTES: usize = 16 << 10;

/// Divides small files into bundles: gives the indices of each bundle's files, sorted by path.
///
/// A file's bundle follows from the digest of its path: all files are one bundle, and a bundle that
/// is too large is divided by the next bit. So another file changes one bundle, not all of them.
pub(crate) fn membership(files: &[(&PackPath, u64)]) -> Vec<Vec<usize>> {
    let mut hashed: Vec<(u64, usize)> =
        files.iter().enumerate().map(|(index, (path, _))| (path_bits(path), index)).collect();
    hashed.sort_unstable();
    let mut bundles = Vec::new();
    divide(files, &hashed, 0, &mut bundles);
    for bundle in &mut bundles {
        bundle.sort_unstable_by_key(|index| files.get(*index).map(|(path, _)| *path));
    }
    bundles
}

fn divide(
    files: &[(&PackPath, u64)],
    group: &[(u64, usize)],
    bit: u32,
    bundles: &mut Vec<Vec<usize>>,
) {
    if group.is_empty() {
        return;
    }
    let sizes = group.iter().filter_map(|(_, index)| files.get(*index)).map(|(_, size)| size);
    let is_small = group.len() <= BUNDLE_FILES && sizes.sum::<u64>() <= BUNDLE_BYTES;
    if is_small || bit == u64::BITS {
        bundles.push(group.iter().map(|(_, index)| *index).collect());
        return;
    }
    let middle = group.partition_point(|(bits, _)| bits << bit >> (u64::BITS - 1) == 0);
    let (zeros, ones) = group.split_at(middle);
    divide(files, zeros, bit + 1, bundles);
    divide(files, ones, bit + 1, bundles);
}

fn path_bits(path: &PackPath) -> u64 {
    let digest = blake3::hash(path.as_str().as_bytes());
    digest.as_bytes().iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

/// Writes a zip, a file at a time. The same files always give the same bytes: no times, no owners.
pub(crate) struct BundleWriter(ZipWriter<Cursor<Vec<u8>>>);

impl BundleWriter {
    /// Begins a zip of about so many bytes.
    pub(crate) fn new(size_bytes: u64) -> Self {
        let capacity = usize::try_from(size_bytes).unwrap_or_default();
        Self(ZipWriter::new(Cursor::new(Vec::with_capacity(capacity))))
    }

    pub(crate) fn add(&mut self, path: &PackPath, bytes: &[u8]) -> std::io::Result<()> {
        let method = if is_compressible(bytes)? {
            CompressionMethod::Zstd
        } else {
            CompressionMethod::Stored
        };
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .compression_level((method == CompressionMethod::Zstd).then_some(1))
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(0o644);
        self.0.start_file(path.as_str(), options)?;
        self.0.write_all(bytes)
    }

    pub(crate) fn finish(self) -> std::io::Result<Vec<u8>> {
        Ok(self.0.finish()?.into_inner())
    }
}

/// Whether the beginning of a file becomes smaller by a tenth.
fn is_compressible(bytes: &[u8]) -> std::io::Result<bool> {
    let sample = bytes.get(..SAMPLE_BYTES).unwrap_or(bytes);
    Ok(zstd::bulk::compress(sample, 1)?.len() * 10 < sample.len() * 9)
}

/// Takes the files of a bundle that was downloaded and checked to their places below `root`.
///
/// Names and sizes are the manifest's alone: what else the zip may hold, and what it says about
/// itself, leads nowhere. Each file is checked against its digest. Blocks: call it off the runtime.
///
/// # Errors
/// [`FarmError::BadBundle`] where a file is not in the zip as promised, [`FarmError::Io`] where the
/// zip cannot be read or a file cannot be written.
pub(crate) fn unpack_bundle(zip: &Path, files: &[PackedFile], root: &Path) -> Result<()> {
    let opened = File::open(zip).map_err(FarmError::io("read", zip))?;
    let bad = |path: &PackPath, reason: String| FarmError::BadBundle {
        bundle: zip.to_owned(),
        path: path.to_string(),
        reason,
    };
    let mut archive = match (ZipArchive::new(opened), files.first()) {
        (Ok(archive), _) => archive,
        (Err(error), Some(file)) => return Err(bad(&file.path, error.to_string())),
        (Err(_), None) => return Ok(()),
    };
    for file in files {
        let entry = archive
            .by_name(file.path.as_str())
            .map_err(|error| bad(&file.path, error.to_string()))?;
        let mut bytes = Vec::new();
        entry
            .take(file.size_bytes.saturating_add(1).min(SMALL_FILE_BYTES + 1))
            .read_to_end(&mut bytes)
            .map_err(|error| bad(&file.path, error.to_string()))?;
        let got = blake3::hash(&bytes).to_hex().to_string();
        if got != file.digest.as_str() {
            let reason = format!("expected the digest {}, got {got}", file.digest);
            return Err(bad(&file.path, reason));
        }
        let to = file.path.under(root);
        let folder = to.parent().unwrap_or(root);
        std::fs::create_dir_all(folder).map_err(FarmError::io("make the folder", folder))?;
        std::fs::write(&to, &bytes).map_err(FarmError::io("write", &to))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::Digest;
    use std::collections::BTreeSet;

    fn path(text: &str) -> PackPath {
        PackPath::try_from(text.to_owned()).unwrap()
    }

    fn packed(name: &str, bytes: &[u8]) -> PackedFile {
        PackedFile {
            path: path(name),
            digest: Digest::try_from(blake3::hash(bytes).to_hex().to_string()).unwrap(),
            size_bytes: bytes.len() as u64,
            bundle: Some(0),
            opens_without: false,
        }
    }

    fn bundles(sizes: &[(PackPath, u64)]) -> BTreeSet<Vec<PackPath>> {
        let files: Vec<_> = sizes.iter().map(|(path, size)| (path, *size)).collect();
        let name = |index: &usize| sizes[*index].0.clone();
        membership(&files).iter().map(|bundle| bundle.iter().map(name).collect()).collect()
    }

    fn many(count: usize) -> Vec<(PackPath, u64)> {
        (0..count).map(|number| (path(&format!("t/{number}.png")), 22_000)).collect()
    }

    fn build(files: &[(PackPath, Vec<u8>)]) -> std::io::Result<Vec<u8>> {
        let mut writer = BundleWriter::new(0);
        for (path, bytes) in files {
            writer.add(path, bytes)?;
        }
        writer.finish()
    }

    #[test]
    fn ten_thousand_small_files_are_tens_of_bundles() {
        let found = bundles(&many(10_000));
        assert!((20..100).contains(&found.len()), "{}", found.len());
        assert_eq!(found.iter().map(Vec::len).sum::<usize>(), 10_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn another_file_changes_one_bundle(count in 0_usize..3000, name in "[a-z]{1,8}") {
            let mut files = many(count);
            let before = bundles(&files);
            files.push((path(&name), 100_000));
            let after = bundles(&files);
            prop_assert!(before.difference(&after).count() <= 1);
        }

        #[test]
        fn what_was_bundled_comes_out(contents in prop::collection::vec(
            prop::collection::vec(any::<u8>(), 0..5000), 1..8,
        )) {
            let folder = tempfile::tempdir().unwrap();
            let named: Vec<_> = contents
                .into_iter()
                .enumerate()
                .map(|(number, bytes)| (path(&format!("a/{number} ü.bin")), bytes))
                .collect();
            let zip = build(&named).unwrap();
            prop_assert_eq!(&zip, &build(&named).unwrap());
            std::fs::write(folder.path().join("zip"), zip).unwrap();
            let files: Vec<_> =
                named.iter().map(|(path, bytes)| packed(path.as_str(), bytes)).collect();
            unpack_bundle(&folder.path().join("zip"), &files, folder.path()).unwrap();
            for (path, bytes) in &named {
                prop_assert_eq!(&std::fs::read(path.under(folder.path())).unwrap(), bytes);
            }
        }
    }

    #[test]
    fn what_compresses_is_compressed() {
        let text = (path("a.txt"), b"v 0.0 1.0 2.0\n".repeat(4000));
        assert!(build(&[text]).unwrap().len() < 2000);
    }

    #[test]
    fn a_zip_that_tries_to_escape_or_lies_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        let at = folder.path().join("zip");
        let mut zip = ZipWriter::new(File::create(&at).unwrap());
        for name in ["../escaped", "/escaped", "a.png", "bomb"] {
            let bytes = if name == "bomb" { vec![0; 1 << 20] } else { b"x".to_vec() };
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(&bytes).unwrap();
        }
        zip.finish().unwrap();
        for wanted in [packed("a.png", b"y"), packed("gone.png", b"x"), packed("bomb", b"x")] {
            let error = unpack_bundle(&at, &[wanted], &root).unwrap_err();
            assert!(matches!(error, FarmError::BadBundle { .. }), "{error}");
        }
        unpack_bundle(&at, &[packed("a.png", b"x")], &root).unwrap();
        let names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names.len(), 2, "{names:?}");
        std::fs::write(&at, b"no zip").unwrap();
        assert!(unpack_bundle(&at, &[packed("a.png", b"x")], &root).is_err());
    }
}
