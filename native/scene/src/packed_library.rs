//! Libraries that lie as whole files in the `.blend` file that links them (*Pack Linked Libraries*).
//!
//! Blender reads them from there, and the paths in them begin where they were before. They are
//! unpacked to be traced, and lie in a pack as files: their own paths can be rewritten so.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blendfile::{BlendError, BlendFile, Block, DnaCache, Pointer, StructView, limits};
use tempfile::TempDir;

use crate::datablock::Owner;
use crate::error::{Result, SceneError};

/// Where a `.blend` file holds another one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PackedLibrary {
    /// The block that is the other file.
    pub(crate) data: Block,
    /// What leads to it: without it, Blender reads the file beside.
    pub(crate) pointer: Pointer,
}

impl PackedLibrary {
    /// The file in a library datablock; `None` where it holds none. `Library`,
    /// `DNA_ID.h`, and `PackedFile`, `DNA_packedFile_types.h`, Blender 5.0.
    pub(crate) fn of(owner: &mut Owner<'_>, library: &StructView) -> Result<Option<Self>> {
        let address = library.pointer("packedfile").unwrap_or(0);
        let Some(pointer) = library.pointer_place("packedfile") else { return Ok(None) };
        let packed = owner.structs_at(address)?.into_iter().next();
        let data = packed.and_then(|packed| packed.pointer("data"));
        let data = data.and_then(|address| owner.block_at(address));
        Ok(data.map(|data| Self { data, pointer }))
    }

    /// Copies the file out of the one that holds it.
    pub(crate) fn unpack(&self, from: &Path, known: &DnaCache, to: &Path) -> Result<()> {
        let mut holder = BlendFile::begin(from, known)?;
        let file = File::create(to).map_err(SceneError::io("write", to))?;
        let mut file = BufWriter::new(file);
        holder.copy_payload(&self.data, &mut file, to)?;
        file.flush().map_err(SceneError::io("write", to))
    }
}

/// The folder of unpacked libraries, deleted with the last one who holds it.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnpackedLibraries {
    folder: Option<Arc<TempDir>>,
    count: usize,
    bytes: u64,
}

impl UnpackedLibraries {
    /// Where a library of this path is to be unpacked.
    ///
    /// # Errors
    /// [`BlendError::TooLarge`] where all of them together would unfold to more than a
    /// compressed file may; [`SceneError::Io`] where there can be no temporary folder.
    pub(crate) fn place(
        &mut self,
        library: &PackedLibrary,
        path: &Path,
        holder: &Path,
    ) -> Result<PathBuf> {
        let limit = limits::DECOMPRESSED_SIZE_BYTES;
        self.bytes = self.bytes.saturating_add(library.data.size_bytes);
        if self.bytes > limit {
            return Err(SceneError::Blend(BlendError::TooLarge {
                path: holder.to_owned(),
                offset: library.data.payload_offset,
                what: "the packed libraries together",
                got: self.bytes,
                limit,
            }));
        }
        let folder = match &self.folder {
            Some(folder) => Arc::clone(folder),
            None => Arc::new(
                tempfile::Builder::new()
                    .prefix("packed-libraries-")
                    .tempdir()
                    .map_err(SceneError::io("make a folder for the packed libraries of", holder))?,
            ),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let place = folder.path().join(format!("{}-{name}", self.count));
        self.count += 1;
        self.folder = Some(folder);
        Ok(place)
    }
}
