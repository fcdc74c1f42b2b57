//! Debian's packages, unpacked as `dpkg --extract` would: no script of theirs is run.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use lzma_rust2::XzReader;
use object::read::archive::ArchiveFile;
use tar::{Archive, EntryType};

use crate::error::{Result, SetupError};
use crate::layer::LayerWriter;

/// Where packages put certificates, and the file that the package's script would make of them: what TLS
/// reads.
const CERTIFICATES: &str = "usr/share/ca-certificates/mozilla/";
const ALL_CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";
const MOST_CERTIFICATE_BYTES: u64 = 1 << 20;

/// How much memory the dictionary of an xz may take, in KiB: that of its highest level is 64 MiB.
const MOST_DICTIONARY_KIB: u32 = 128 << 10;

/// Where the kernel and whoever runs the image mount something.
const EMPTY_FOLDERS: [(&str, u32); 6] = [
    ("dev", 0o755),
    ("proc", 0o755),
    ("run", 0o755),
    ("sys", 0o755),
    ("tmp", 0o1777),
    ("var/tmp", 0o1777),
];

/// What is known of a system while its packages are unpacked.
#[derive(Debug, Default)]
pub(crate) struct System {
    certificates: BTreeMap<String, Vec<u8>>,
}

impl System {
    /// Unpacks a package: an archive of archives (deb(5)).
    ///
    /// # Errors
    /// [`SetupError::Part`], [`SetupError::Escapes`], and those of the layer.
    pub(crate) fn unpack(
        &mut self,
        name: &str,
        mut package: File,
        layer: &mut LayerWriter<'_>,
    ) -> Result<()> {
        let mut bytes = Vec::new();
        package.read_to_end(&mut bytes).map_err(SetupError::io("read", name.as_ref()))?;
        let archive = ArchiveFile::parse(&*bytes).map_err(SetupError::part(name))?;
        for member in archive.members() {
            let member = member.map_err(SetupError::part(name))?;
            if member.name() == b"data.tar.xz" {
                let data = member.data(&*bytes).map_err(SetupError::part(name))?;
                return self.unpack_tar(name, data, layer);
            }
        }
        Err(SetupError::part(name)("there is no data.tar.xz in it"))
    }

    fn unpack_tar(&mut self, name: &str, data: &[u8], layer: &mut LayerWriter<'_>) -> Result<()> {
        let reader = XzReader::new_mem_limit(data, true, MOST_DICTIONARY_KIB);
        let mut archive = Archive::new(reader);
        for entry in archive.entries().map_err(SetupError::part(name))? {
            let mut entry = entry.map_err(SetupError::part(name))?;
            let path = text(name, &entry.path_bytes())?;
            let mode = entry.header().mode().map_err(SetupError::part(name))? & 0o7777;
            let target = entry.link_name_bytes().map(|target| text(name, &target)).transpose()?;
            match (entry.header().entry_type(), target) {
                (EntryType::Directory, _) => layer.folder(&path, mode)?,
                (EntryType::Regular, _) => {
                    let size_bytes = entry.size();
                    self.keep_certificate(name, &path, size_bytes, &mut entry, mode, layer)?;
                }
                (kind @ (EntryType::Symlink | EntryType::Link), Some(target)) => {
                    layer.link(&path, &target, kind)?;
                }
                (kind, _) => {
                    return Err(SetupError::part(name)(format!("{path} is of the kind {kind:?}")));
                }
            }
        }
        Ok(())
    }

    fn keep_certificate(
        &mut self,
        name: &str,
        path: &str,
        size_bytes: u64,
        content: &mut dyn Read,
        mode: u32,
        layer: &mut LayerWriter<'_>,
    ) -> Result<()> {
        let is_certificate = path.trim_start_matches("./").starts_with(CERTIFICATES);
        if !is_certificate || size_bytes > MOST_CERTIFICATE_BYTES {
            return layer.file(path, mode, size_bytes, content);
        }
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(SetupError::part(name))?;
        layer.file(path, mode, size_bytes, &mut bytes.as_slice())?;
        self.certificates.insert(path.to_owned(), bytes);
        Ok(())
    }

    /// Adds what the packages' scripts would have made.
    ///
    /// # Errors
    /// Those of the layer.
    pub(crate) fn finish(self, layer: &mut LayerWriter<'_>) -> Result<()> {
        for (path, mode) in EMPTY_FOLDERS {
            layer.folder(path, mode)?;
        }
        let all = self.certificates.into_values().collect::<Vec<_>>().concat();
        layer.file(ALL_CERTIFICATES, 0o644, all.len() as u64, &mut all.as_slice())
    }
}

fn text(name: &str, bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(SetupError::part(name))
}
