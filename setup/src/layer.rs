//! A layer, as it is written: files in the order in which they come, without owners and times, so that
//! the same parts give the same bytes.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::error::{Result, SetupError};
use crate::left_out::LeftOut;

/// A layer that is being written.
pub(crate) struct LayerWriter<'a> {
    tar: Builder<Hashing<GzEncoder<Hashing<BufWriter<File>>>>>,
    folders: HashSet<String>,
    left_out: &'a LeftOut,
    name: String,
}

/// A layer in a file, as a registry takes it.
#[derive(Debug)]
pub(crate) struct Layer {
    /// What people call it.
    pub(crate) name: String,
    pub(crate) file: File,
    /// Of the gzip: its name in a registry.
    pub(crate) sha256: String,
    pub(crate) size_bytes: u64,
    /// Of the tar in it: its name in the image's configuration.
    pub(crate) diff_sha256: String,
    /// How large its files are, unpacked.
    pub(crate) unpacked_bytes: u64,
}

impl<'a> LayerWriter<'a> {
    pub(crate) fn new(name: &str, left_out: &'a LeftOut) -> Result<Self> {
        let file = tempfile::tempfile()
            .map_err(SetupError::io("make a file in", &std::env::temp_dir()))?;
        let gzip = GzEncoder::new(Hashing::new(BufWriter::new(file)), Compression::default());
        let tar = Builder::new(Hashing::new(gzip));
        Ok(Self { tar, folders: HashSet::new(), left_out, name: name.to_owned() })
    }

    /// Adds a folder, and those above it; once.
    pub(crate) fn folder(&mut self, path: &str, mode: u32) -> Result<()> {
        let path = inside(path)?;
        if path.is_empty() || self.left_out.holds(&path) || self.folders.contains(&path) {
            return Ok(());
        }
        self.folders_above(&path)?;
        self.folders.insert(path.clone());
        self.append(&format!("{path}/"), EntryType::Directory, mode, 0, &mut io::empty())
    }

    /// Adds a file of a size.
    pub(crate) fn file(
        &mut self,
        path: &str,
        mode: u32,
        size_bytes: u64,
        content: &mut dyn Read,
    ) -> Result<()> {
        let path = inside(path)?;
        if self.left_out.holds(&path) {
            return Ok(());
        }
        self.folders_above(&path)?;
        self.append(&path, EntryType::Regular, mode, size_bytes, content)
    }

    /// Adds a link to a path that is kept as it is written, or to another file of the image.
    pub(crate) fn link(&mut self, path: &str, target: &str, kind: EntryType) -> Result<()> {
        let path = inside(path)?;
        if self.left_out.holds(&path) {
            return Ok(());
        }
        let target = if kind == EntryType::Link { inside(target)? } else { target.to_owned() };
        self.folders_above(&path)?;
        let mut header = header(kind, 0o777, 0);
        self.tar.append_link(&mut header, &path, &target).map_err(self.failed())
    }

    /// Ends the layer.
    pub(crate) fn finish(self) -> Result<Layer> {
        let failed = self.failed();
        let end = || -> io::Result<Layer> {
            let tar = self.tar.into_inner()?;
            let (diff_sha256, unpacked_bytes, gzip) = tar.finish();
            let (sha256, size_bytes, file) = gzip.finish()?.finish();
            let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.seek(SeekFrom::Start(0))?;
            Ok(Layer { name: self.name, file, sha256, size_bytes, diff_sha256, unpacked_bytes })
        };
        end().map_err(failed)
    }

    fn folders_above(&mut self, path: &str) -> Result<()> {
        match path.rsplit_once('/') {
            Some((above, _)) if !self.folders.contains(above) => self.folder(above, 0o755),
            _ => Ok(()),
        }
    }

    fn append(
        &mut self,
        path: &str,
        kind: EntryType,
        mode: u32,
        size_bytes: u64,
        content: &mut dyn Read,
    ) -> Result<()> {
        let mut header = header(kind, mode, size_bytes);
        self.tar.append_data(&mut header, path, content).map_err(self.failed())
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> SetupError + use<> {
        SetupError::io("write the layer", self.name.as_ref())
    }
}

/// A header without what differs from one machine and moment to the next.
fn header(kind: EntryType, mode: u32, size_bytes: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size_bytes);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

/// A path in the image, where it is one: relative, without what leads out of it.
fn inside(path: &str) -> Result<String> {
    let mut parts = Vec::new();
    for part in path.trim_start_matches('/').split('/') {
        match part {
            "" | "." => {}
            ".." => return Err(SetupError::Escapes { member: path.to_owned() }),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// Counts and digests what is written through it.
struct Hashing<W> {
    inner: W,
    digest: Sha256,
    size_bytes: u64,
}

impl<W> Hashing<W> {
    fn new(inner: W) -> Self {
        Self { inner, digest: Sha256::new(), size_bytes: 0 }
    }

    fn finish(self) -> (String, u64, W) {
        (hex::encode(self.digest.finalize()), self.size_bytes, self.inner)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.digest.update(bytes.get(..count).unwrap_or(bytes));
        self.size_bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer_of(files: &[(&str, &[u8])]) -> Layer {
        let left_out = LeftOut::none();
        let mut writer = LayerWriter::new("test", &left_out).unwrap();
        for (path, content) in files {
            writer.file(path, 0o644, content.len() as u64, &mut &content[..]).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn the_same_files_give_the_same_layer() {
        let files: [(&str, &[u8]); 2] = [("usr/lib/a", b"one"), ("./usr/lib/b", b"two")];
        let (one, other) = (layer_of(&files), layer_of(&files));
        assert_eq!(one.sha256, other.sha256);
        let mut paths = Vec::new();
        for entry in tar::Archive::new(flate2::read::GzDecoder::new(one.file)).entries().unwrap() {
            paths.push(entry.unwrap().path().unwrap().display().to_string());
        }
        assert_eq!(paths, ["usr/", "usr/lib/", "usr/lib/a", "usr/lib/b"]);
    }

    #[test]
    fn nothing_lies_outside() {
        assert_eq!(inside("./usr//bin/sh").unwrap(), "usr/bin/sh");
        assert_eq!(inside("/etc/passwd").unwrap(), "etc/passwd");
        assert!(inside("usr/../../etc").is_err());
    }
}
